"""Keras' older names, for programs that still have them."""

from layerkit.legacy import saving

__all__ = ["saving"]
