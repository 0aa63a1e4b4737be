"""What is in a file, without building anything of it."""

from __future__ import annotations

import os
from typing import Any

from layerkit.saving.hdf5_reading import Group, open_hdf5
from layerkit.saving.json_text import parse_json


def inspect(path: str | os.PathLike) -> dict[str, Any]:
    """The content of a saved file: no class is looked up, no array is read.

    Args:
        path: an HDF5 file of Keras or layerkit.

    Returns:
        "format" ("legacy model", "legacy weights", "weights" or "unknown"), "keras_version", "layerkit_version",
        "model_config" and "training_config" (parsed, None where missing), "layers" (names of a legacy file), "arrays":
        a dictionary of paths to (shape, name of dtype), and "bytes", the file's size.

    Raises:
        FileNotFoundError: there is no such file.
        SavedFileError: it is damaged, or holds what is not read (links, data in other files, claims without data).
    """
    path = os.fspath(path)
    with open_hdf5(path) as root:
        weights = root.group("model_weights") if root.has("model_weights") else root
        return {
            "format": file_format(root),
            "keras_version": root.text("keras_version"),
            "layerkit_version": root.text("layerkit_version"),
            "model_config": _parsed(root, "model_config"),
            "training_config": _parsed(root, "training_config"),
            "layers": weights.text_list("layer_names"),
            "arrays": {array.path: (array.shape, array.dtype.name) for array in root.arrays()},
            "bytes": os.path.getsize(path),
        }


def _parsed(root: Group, name: str) -> dict[str, Any] | None:
    text = root.text(name)
    return None if text is None else parse_json(text, f"The {name} of {root.file!r}")


def file_format(root: Group) -> str:
    """Which of the layouts a file has."""
    if root.has("model_weights"):
        return "legacy model"
    if root.text_list("layer_names") is not None:
        return "legacy weights"
    if any(root.has(name) for name in ("layers", "_layer_checkpoint_dependencies", "vars")):
        return "weights"
    return "unknown"
