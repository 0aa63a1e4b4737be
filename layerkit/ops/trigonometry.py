"""Inverse trigonometric and hyperbolic functions."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from layerkit.graph.operation import Elementwise
from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import _function, rsqrt, square


class _Function(Elementwise, abstract=True):
    """A function of floats with a NumPy function of its own."""

    result = "float"
    function: ClassVar[object] = None

    def reference(self, *x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return type(self).function(*x)


class Arcsin(_Function):
    """The angle in radians whose sine is a."""

    scalar = "arcsin(a)"
    function = staticmethod(np.arcsin)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * rsqrt(1 - square(x)),)


class Arccos(_Function):
    """The angle in radians whose cosine is a."""

    scalar = "arccos(a)"
    function = staticmethod(np.arccos)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (-g * rsqrt(1 - square(x)),)


class Arctan(_Function):
    """The angle in radians whose tangent is a."""

    scalar = "arctan(a)"
    function = staticmethod(np.arctan)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (1 + square(x)),)


class Arctan2(_Function):
    """The angle of the point (b, a) in radians."""

    scalar = "arctan2(a, b)"
    function = staticmethod(np.arctan2)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        scaled = g / (square(a) + square(b))
        return scaled * b, -scaled * a


class Sinh(_Function):
    """Hyperbolic sine."""

    scalar = "sinh(a)"
    function = staticmethod(np.sinh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * Cosh()(x),)


class Cosh(_Function):
    """Hyperbolic cosine."""

    scalar = "cosh(a)"
    function = staticmethod(np.cosh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * Sinh()(x),)


class Arcsinh(_Function):
    """The number whose hyperbolic sine is a."""

    scalar = "arcsinh(a)"
    function = staticmethod(np.arcsinh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * rsqrt(square(x) + 1),)


class Arccosh(_Function):
    """The number whose hyperbolic cosine is a."""

    scalar = "arccosh(a)"
    function = staticmethod(np.arccosh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * rsqrt(square(x) - 1),)


class Arctanh(_Function):
    """The number whose hyperbolic tangent is a."""

    scalar = "arctanh(a)"
    function = staticmethod(np.arctanh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (1 - square(x)),)


arcsin, arccos, arctan = _function(Arcsin, "arcsin"), _function(Arccos, "arccos"), _function(Arctan, "arctan")
arctan2 = _function(Arctan2, "arctan2", 2)
sinh, cosh = _function(Sinh, "sinh"), _function(Cosh, "cosh")
arcsinh, arccosh, arctanh = _function(Arcsinh, "arcsinh"), _function(Arccosh, "arccosh"), _function(Arctanh, "arctanh")
