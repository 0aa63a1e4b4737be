"""Small data sets that come with the package, for examples and tests."""

from layerkit.datasets import digits

__all__ = ["digits"]
