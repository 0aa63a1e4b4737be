"""Models pickled and copied, by way of what a saved file holds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from layerkit.saving.files import load_model, save_model
from layerkit.serialization import deserialize_keras_object, serialize_keras_object


def reduce_model(model: Any) -> tuple[Callable, tuple]:
    """What pickle notes of a model: a saved file's content, and the classes of its own that the model uses.

    A model that is not built has no weights yet: of it the configuration is noted.
    """
    own = {type(part).__name__: type(part) for part in model._flatten_layers() if _is_own(type(part))}
    if not model.built:
        return _from_config, (serialize_keras_object(model), own)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        save_model(model, path)
        return _from_file, (path.read_bytes(), own)


def _is_own(cls: type) -> bool:
    return cls.__module__.partition(".")[0] != __name__.partition(".")[0]


def _from_file(content: bytes, own: Mapping[str, type]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.h5"
        path.write_bytes(content)
        return load_model(path, custom_objects=dict(own))


def _from_config(config: dict[str, Any], own: Mapping[str, type]) -> Any:
    return deserialize_keras_object(config, dict(own))
