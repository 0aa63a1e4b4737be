"""Reads the recordings: one JSON index of cases a family, its arrays in the NumPy archive of the same name."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
FAMILIES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "activations",
    "initializers",
    "regularizers",
    "constraints",
    "recurrent",
    "training",
    "further_losses",
    "further_metrics",
    "further_optimizers",
    "image_layers",
    "bounding_boxes",
    "distillation",
    "preprocessing",
    "attention_layers",
    "further_layers",
    "masking",
)


@cache
def _read(family: str) -> tuple[str, dict[str, np.ndarray]]:
    with np.load(FOLDER / f"{family}.npz", allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return (FOLDER / f"{family}.json").read_text(encoding="utf-8"), arrays


def cases(family: str) -> list[dict[str, Any]]:
    """The recorded cases of a family, each a dictionary with its arrays in place.

    Every call returns fresh dictionaries and copies of the arrays, so a test may change them.

    Raises:
        ValueError: there is no such family.

    Example:
        >>> {case["class"] for case in cases("regularizers")}
        {'L1', 'L2', 'L1L2', 'OrthogonalRegularizer'}
    """
    if family not in FAMILIES:
        raise ValueError(f"No recordings of {family!r}; there are {', '.join(FAMILIES)}.")
    text, arrays = _read(family)

    def in_place(found: dict[str, Any]) -> Any:
        return arrays[found["array"]].copy() if found.keys() == {"array"} else found

    return json.loads(text, object_hook=in_place)
