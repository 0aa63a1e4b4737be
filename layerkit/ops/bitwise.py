"""Operations on the bits of integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import is_float
from layerkit.errors import DtypeError
from layerkit.graph.operation import Elementwise, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import logical_not
from layerkit.ops.elementwise import cast


class _Bitwise(Elementwise, abstract=True):
    function: ClassVar[object] = None

    def infer(self, *x: Tensor) -> Spec:
        if is_float(x[0].dtype):
            raise DtypeError(f"only integers and bools have bits to combine, not {x[0].dtype}.")
        return super().infer(*x)

    def reference(self, *x: np.ndarray) -> np.ndarray:
        return type(self).function(*x)

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> tuple:
        return (None,) * len(x)


class BitwiseAnd(_Bitwise):
    """The bits that both have."""

    scalar = "a & b"
    function = staticmethod(np.bitwise_and)


class BitwiseOr(_Bitwise):
    """The bits that either has."""

    scalar = "a | b"
    function = staticmethod(np.bitwise_or)


class BitwiseXor(_Bitwise):
    """The bits that just one has."""

    scalar = "a ^ b"
    function = staticmethod(np.bitwise_xor)


class BitwiseInvert(_Bitwise):
    """The bits that it has not."""

    scalar = "~a"
    function = staticmethod(np.invert)


class _Shift(_Bitwise, abstract=True):
    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        return [cast(x, "int32") if x.dtype == "bool" else x for x in super().prepare(inputs)]


class LeftShift(_Shift):
    """The bits moved up by b places, from 0 to less than there are; zeros come in."""

    scalar = "a << b"
    function = staticmethod(np.left_shift)


class RightShift(_Shift):
    """The bits moved down by b places, from 0 to less than there are; the sign stays."""

    scalar = "a >> b"
    function = staticmethod(np.right_shift)


def _of_x_and_y(kind: type[_Bitwise], name: str):
    operation = kind()

    def function(x: object, y: object) -> Tensor:
        return operation(x, y)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = kind.__doc__
    return function


bitwise_and, bitwise_or = _of_x_and_y(BitwiseAnd, "bitwise_and"), _of_x_and_y(BitwiseOr, "bitwise_or")
bitwise_xor = _of_x_and_y(BitwiseXor, "bitwise_xor")
left_shift = bitwise_left_shift = _of_x_and_y(LeftShift, "left_shift")
right_shift = bitwise_right_shift = _of_x_and_y(RightShift, "right_shift")


def bitwise_invert(x: object) -> Tensor:
    """The bits that it has not; of a bool whether it does not hold."""
    x = as_tensor(x)
    return logical_not(x) if x.dtype == "bool" else BitwiseInvert()(x)


bitwise_not = bitwise_invert
