"""What real Keras computed, recorded: the tests compare with it and need no Keras."""

from .loader import cases

__all__ = ["cases"]
