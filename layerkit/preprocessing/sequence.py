"""Sequences, as `keras.preprocessing.sequence` has it."""

from layerkit.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
