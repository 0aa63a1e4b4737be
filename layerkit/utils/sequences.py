"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.errors import ShapeError


def pad_sequences(
    sequences: Sequence[Sequence],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences cut and padded to one length: [samples, maxlen, ...].

    Args:
        sequences: lists or arrays [length, ...], of any lengths.
        maxlen: the length; by default that of the longest.
        dtype: of the result; `object` for strings of any length.
        padding: where `value` goes, "pre" or "post".
        truncating: where longer sequences are cut, "pre" or "post".
        value: what is padded with.

    Raises:
        ValueError: the sequences are none, `padding` or `truncating` is not known, or value and dtype don't fit.
        ShapeError: the elements' shapes differ.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
    [[0, 1], [2, 3], [5, 6]]
    """
    for name, place in (("padding", padding), ("truncating", truncating)):
        if place not in ("pre", "post"):
            raise ValueError(f"pad_sequences: `{name}` must be 'pre' or 'post'. Received: {name}={place!r}")
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"pad_sequences: `sequences` must be a list of sequences. Received: {type(sequences).__name__}"
        )
    for place, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"pad_sequences: `sequences` must be a list of sequences. Found {sequence!r} at position {place}"
            )
    of_strings = np.dtype(dtype).kind in "USO"
    if isinstance(value, str) and not of_strings:
        raise ValueError(
            f"pad_sequences: `value` {value!r} is a string, which dtype={dtype!r} can't hold. Use `dtype=object` for "
            "strings of any length."
        )
    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    first = next((sequence for sequence in sequences if len(sequence)), ())
    shape = np.asarray(first).shape[1:]
    padded = np.full((len(sequences), maxlen, *shape), value, dtype)
    for place, sequence in enumerate(sequences):
        cut = sequence[max(len(sequence) - maxlen, 0) :] if truncating == "pre" else sequence[:maxlen]
        if not len(cut):
            continue
        row = np.asarray(cut, dtype)
        if row.shape[1:] != shape:
            raise ShapeError(
                f"pad_sequences: the elements of the sequence at position {place} have shape {row.shape[1:]}, those "
                f"before it {shape}."
            )
        padded[place, maxlen - len(row) if padding == "pre" else 0 :][: len(row)] = row
    return padded
