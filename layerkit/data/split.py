"""Validation data cut off the end of the training data."""

from __future__ import annotations

import math
from typing import Any

from layerkit import tree
from layerkit.data.convert import as_arrays, number_of_samples, rows


def split_validation(
    x: Any, y: Any, sample_weight: Any, validation_split: float, floatx: str = "float32"
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The first and the last part of the samples, in their order, before any shuffling.

    Args:
        x: inputs; arrays [samples, ...] or structures of them, as `fit` takes them.
        y: targets or None.
        sample_weight: weights or None.
        validation_split: fraction of the samples that goes to the second part, between 0 and 1.
        floatx: dtype name of floating-point data.

    Returns:
        (x, y, sample_weight) for training and for validation; views, nothing is copied or read.

    Raises:
        ValueError: the fraction is not between 0 and 1, or leaves a part empty.
        TypeError: the data are no arrays (a generator cannot be split).
    """
    if not isinstance(validation_split, int | float) or not 0 < validation_split < 1:
        raise ValueError(f"`validation_split` must lie between 0 and 1, got {validation_split!r}.")
    try:
        data = {name: as_arrays(part, name, floatx) for name, part in _named(x, y, sample_weight).items()}
    except TypeError as error:
        error.add_note("`validation_split` works on arrays only; for other data pass `validation_data`.")
        raise
    samples = number_of_samples(data)
    cut = math.floor(samples * (1.0 - validation_split))
    if cut in (0, samples):
        raise ValueError(
            f"{samples} samples cannot be split with `validation_split`={validation_split}: "
            f"{'the training' if cut == 0 else 'the validation'} part would be empty."
        )

    def part(start: int, stop: int) -> tuple:
        return tuple(
            tree.map_structure(lambda array: rows(array, start, stop), structure, none_is_leaf=False)
            for structure in data.values()
        )

    return part(0, cut), part(cut, samples)


def _named(x: Any, y: Any, sample_weight: Any) -> dict[str, Any]:
    return {"x": x, "y": y, "sample_weight": sample_weight}
