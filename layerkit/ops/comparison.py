"""Comparisons, logic, and tests for NaN and infinity: elementwise operations that give bools."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from layerkit.graph.operation import Elementwise, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import Divide, _function, cast, divide, where


class _Comparison(Elementwise, abstract=True):
    result = "bool"
    function: ClassVar[object] = None

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return type(self).function(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return None, None


class Less(_Comparison):
    """a < b."""

    scalar = "a < b"
    function = staticmethod(np.less)


class LessEqual(_Comparison):
    """a <= b."""

    scalar = "a <= b"
    function = staticmethod(np.less_equal)


class Greater(_Comparison):
    """a > b."""

    scalar = "a > b"
    function = staticmethod(np.greater)


class GreaterEqual(_Comparison):
    """a >= b."""

    scalar = "a >= b"
    function = staticmethod(np.greater_equal)


class Equal(_Comparison):
    """a == b."""

    scalar = "a == b"
    function = staticmethod(np.equal)


class NotEqual(_Comparison):
    """a != b."""

    scalar = "a != b"
    function = staticmethod(np.not_equal)


class _Logical(_Comparison, abstract=True):
    def prepare(self, inputs: tuple) -> list[Tensor]:
        return [cast(as_tensor(x), "bool") for x in inputs]


class LogicalAnd(_Logical):
    """Whether both hold."""

    scalar = "a & b"
    function = staticmethod(np.logical_and)


class LogicalOr(_Logical):
    """Whether either holds."""

    scalar = "a | b"
    function = staticmethod(np.logical_or)


class LogicalXor(_Logical):
    """Whether just one holds."""

    scalar = "a != b"
    function = staticmethod(np.logical_xor)


class LogicalNot(_Logical):
    """Whether it does not hold."""

    scalar = "not a"

    def reference(self, a: np.ndarray) -> np.ndarray:
        return np.logical_not(a)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor) -> tuple:
        return (None,)


class _Test(Elementwise, abstract=True):
    result = "bool"
    function: ClassVar[object] = None

    def reference(self, x: np.ndarray) -> np.ndarray:
        return type(self).function(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)


class Isnan(_Test):
    """Whether it is NaN."""

    scalar = "a != a"
    function = staticmethod(np.isnan)


class Isfinite(_Test):
    """Whether it is neither infinite nor NaN."""

    scalar = "a - a == a - a"
    function = staticmethod(np.isfinite)


less, less_equal, greater = (
    _function(Less, "less", 2),
    _function(LessEqual, "less_equal", 2),
    _function(Greater, "greater", 2),
)
greater_equal, equal, not_equal = (
    _function(GreaterEqual, "greater_equal", 2),
    _function(Equal, "equal", 2),
    _function(NotEqual, "not_equal", 2),
)
logical_and, logical_or = _function(LogicalAnd, "logical_and", 2), _function(LogicalOr, "logical_or", 2)
logical_xor, logical_not = _function(LogicalXor, "logical_xor", 2), _function(LogicalNot, "logical_not")
isnan, isfinite = _function(Isnan, "isnan"), _function(Isfinite, "isfinite")


def isinf(x: object) -> Tensor:
    """Whether it is infinite."""
    return logical_not(logical_or(isnan(x), isfinite(x)))


def divide_no_nan(x1: object, x2: object) -> Tensor:
    """x1 / x2, and 0 where x2 is 0."""
    a, b = Divide().prepare([x1, x2])
    zero = equal(b, 0)
    # The inner choice keeps the gradient finite: where the quotient is not used, it divides by 1.
    return where(zero, 0, divide(a, where(zero, 1, b)))
