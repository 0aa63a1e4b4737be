"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

import numpy as np

from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import _function, _Smooth, rsqrt, square


class Sin(_Smooth):
    """Sine of an angle in radians."""

    scalar = "sin(a)"
    function = staticmethod(np.sin)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * cos(x),)


class Cos(_Smooth):
    """Cosine of an angle in radians."""

    scalar = "cos(a)"
    function = staticmethod(np.cos)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (-g * sin(x),)


class Tan(_Smooth):
    """Tangent of an angle in radians."""

    scalar = "tan(a)"
    function = staticmethod(np.tan)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * (1 + y * y),)


class Tanh(_Smooth):
    """Hyperbolic tangent."""

    scalar = "tanh(a)"
    function = staticmethod(np.tanh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * (1 - y * y),)


class Arcsin(_Smooth):
    """The angle in radians whose sine is a."""

    scalar = "arcsin(a)"
    function = staticmethod(np.arcsin)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * rsqrt(1 - square(x)),)


class Arccos(_Smooth):
    """The angle in radians whose cosine is a."""

    scalar = "arccos(a)"
    function = staticmethod(np.arccos)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (-g * rsqrt(1 - square(x)),)


class Arctan(_Smooth):
    """The angle in radians whose tangent is a."""

    scalar = "arctan(a)"
    function = staticmethod(np.arctan)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (1 + square(x)),)


class Arctan2(_Smooth):
    """The angle of the point (b, a) in radians."""

    scalar = "arctan2(a, b)"
    function = staticmethod(np.arctan2)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        scaled = g / (square(a) + square(b))
        return scaled * b, -scaled * a


class Sinh(_Smooth):
    """Hyperbolic sine."""

    scalar = "sinh(a)"
    function = staticmethod(np.sinh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * Cosh()(x),)


class Cosh(_Smooth):
    """Hyperbolic cosine."""

    scalar = "cosh(a)"
    function = staticmethod(np.cosh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * Sinh()(x),)


class Arcsinh(_Smooth):
    """The number whose hyperbolic sine is a."""

    scalar = "arcsinh(a)"
    function = staticmethod(np.arcsinh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * rsqrt(square(x) + 1),)


class Arccosh(_Smooth):
    """The number whose hyperbolic cosine is a."""

    scalar = "arccosh(a)"
    function = staticmethod(np.arccosh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * rsqrt(square(x) - 1),)


class Arctanh(_Smooth):
    """The number whose hyperbolic tangent is a."""

    scalar = "arctanh(a)"
    function = staticmethod(np.arctanh)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (1 - square(x)),)


sin, cos, tan, tanh = _function(Sin, "sin"), _function(Cos, "cos"), _function(Tan, "tan"), _function(Tanh, "tanh")
arcsin, arccos, arctan = _function(Arcsin, "arcsin"), _function(Arccos, "arccos"), _function(Arctan, "arctan")
arctan2 = _function(Arctan2, "arctan2", 2)
sinh, cosh = _function(Sinh, "sinh"), _function(Cosh, "cosh")
arcsinh, arccosh, arctanh = _function(Arcsinh, "arcsinh"), _function(Arccosh, "arccosh"), _function(Arctanh, "arctanh")
