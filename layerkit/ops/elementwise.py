"""Elementwise operations: arithmetic, rounding, exponentials and logarithms, choice.

Each is a scalar expression that the compiler fuses with its neighbours, a NumPy reference and a gradient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.dtypes import is_complex, is_float, real_of, standardize_dtype
from layerkit.graph.operation import Elementwise, Operation, Spec, as_tensor
from layerkit.graph.tensor import Tensor


class Cast(Elementwise):
    """Converts to another dtype."""

    dtype: str
    scalar = "cast(a, {dtype})"

    def infer(self, x: Tensor) -> Spec:
        return x.shape, self.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", over="ignore"):
            return x.astype(self.dtype)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        if is_complex(g.dtype) and not is_complex(x.dtype):
            g = Operation.registry["RealPart"]()(g)
        return (cast(g, x.dtype),)


class StopGradient(Elementwise):
    """The identity, through which no gradient passes."""

    scalar = "a"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)


class Add(Elementwise):
    """a + b."""

    scalar = "a + b"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", over="ignore"):
            return a + b

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return g, g


class Subtract(Elementwise):
    """a - b."""

    scalar = "a - b"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", over="ignore"):
            return np.subtract(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return g, -g


class Multiply(Elementwise):
    """a * b."""

    scalar = "a * b"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", over="ignore"):
            return a * b

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return g * b, g * a


class Divide(Elementwise):
    """a / b, in floats."""

    scalar = "a / b"
    result = "float"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return a / b

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return g / b, -g * y / b


class _OfNumbers(Elementwise, abstract=True):
    """Bools count as int32 numbers."""

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        return [cast(x, "int32") if x.dtype == "bool" else x for x in super().prepare(inputs)]


class FloorDivide(_OfNumbers):
    """The largest whole number not above a / b."""

    scalar = "floor_divide(a, b)"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.floor_divide(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return None, None


class Mod(_OfNumbers):
    """The remainder of floor division; it has the sign of b."""

    scalar = "mod(a, b)"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.mod(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        return g, -g * FloorDivide()(a, b)


class Power(_OfNumbers):
    """a ** b."""

    scalar = "pow(a, b)"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.power(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        # log(a) counts only where a > 0 (of complex numbers, is not 0); elsewhere y does not depend smoothly on b.
        safe_log = log(where(a != 0 if is_complex(a.dtype) else a > 0, a, 1))
        return g * b * Power()(a, b - 1), g * y * safe_log


class Maximum(Elementwise):
    """The larger; NaN where either is. A tie shares the gradient, as in JAX."""

    scalar = "maximum(a, b)"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.maximum(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        share = where(a == b, 0.5, 1.0)
        return where(a >= b, g, 0.0) * cast(share, g.dtype), where(b >= a, g, 0.0) * cast(share, g.dtype)


class Minimum(Elementwise):
    """The smaller; NaN where either is. A tie shares the gradient."""

    scalar = "minimum(a, b)"

    def reference(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.minimum(a, b)

    def gradient(self, g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple:
        share = where(a == b, 0.5, 1.0)
        return where(a <= b, g, 0.0) * cast(share, g.dtype), where(b <= a, g, 0.0) * cast(share, g.dtype)


class Negative(Elementwise):
    """-a."""

    scalar = "-a"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return -x

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (-g,)


class Absolute(Elementwise):
    """|a|, a float for complex numbers too."""

    scalar = "absolute(a)"

    def infer(self, x: Tensor) -> Spec:
        return x.shape, real_of(x.dtype)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.abs(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        slope = Operation.registry["Conjugate"]()(x) / where(y == 0, 1, y) if is_complex(x.dtype) else sign(x)
        return (g * slope,)


class Sign(Elementwise):
    """-1, 0 or 1; NaN stays."""

    scalar = "sign(a)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.sign(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)


class Square(_OfNumbers):
    """a * a."""

    scalar = "a * a"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x * x

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * x * 2,)


class _Rounding(Elementwise, abstract=True):
    function: ClassVar[object] = None

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x if x.dtype.kind in "iub" else type(self).function(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (None,)


class Floor(_Rounding):
    """The largest whole number not above a."""

    scalar = "floor(a)"
    result = "float"
    function = staticmethod(np.floor)


class Ceil(_Rounding):
    """The smallest whole number not below a."""

    scalar = "ceil(a)"
    result = "float"
    function = staticmethod(np.ceil)


class Round(_Rounding):
    """The nearest whole number, halves to the even one."""

    scalar = "round(a)"
    function = staticmethod(np.round)


class Trunc(_Rounding):
    """The whole number towards zero."""

    scalar = "trunc(a)"
    function = staticmethod(np.trunc)


class _Smooth(Elementwise, abstract=True):
    """A function of floats with a NumPy function of its own."""

    result = "float"
    function: ClassVar[object] = None

    def reference(self, *x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return type(self).function(*x)


class Exp(_Smooth):
    """e ** a."""

    scalar = "exp(a)"
    function = staticmethod(np.exp)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * y,)


class Expm1(_Smooth):
    """e ** a - 1, exact near 0."""

    scalar = "expm1(a)"
    function = staticmethod(np.expm1)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * (y + 1),)


class Log(_Smooth):
    """Natural logarithm."""

    scalar = "log(a)"
    function = staticmethod(np.log)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / x,)


class Log1p(_Smooth):
    """log(1 + a), exact near 0."""

    scalar = "log1p(a)"
    function = staticmethod(np.log1p)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (x + 1),)


class Log2(_Smooth):
    """Logarithm to base 2."""

    scalar = "log2(a)"
    function = staticmethod(np.log2)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (x * math.log(2)),)


class Log10(_Smooth):
    """Logarithm to base 10."""

    scalar = "log10(a)"
    function = staticmethod(np.log10)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g / (x * math.log(10)),)


class Sqrt(_Smooth):
    """Square root."""

    scalar = "sqrt(a)"
    function = staticmethod(np.sqrt)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * 0.5 / y,)


class Rsqrt(_Smooth):
    """1 / sqrt(a)."""

    scalar = "rsqrt(a)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return 1 / np.sqrt(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * -0.5 * y * y * y,)


class Erf(_Smooth):
    """The error function."""

    scalar = "erf(a)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.vectorize(math.erf, otypes=[x.dtype])(x)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * (2 / math.sqrt(math.pi)) * exp(-x * x),)


class Sigmoid(_Smooth):
    """1 / (1 + exp(-a)), in the form that does not overflow."""

    scalar = "sigmoid(a)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1 / (1 + e), e / (1 + e))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * y * (1 - y),)


class Softplus(_Smooth):
    """log(1 + exp(a)), in the form that does not overflow."""

    scalar = "softplus(a)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (g * sigmoid(x),)


class Relu(_OfNumbers):
    """max(a, 0). The gradient at 0 is 0."""

    scalar = "maximum(a, zero)"

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        # By the output, so that the input need not be kept.
        return (where(y > 0, g, 0),)


class Where(Elementwise):
    """b where the condition holds, c elsewhere."""

    scalar = "b if a else c"

    def prepare(self, inputs: tuple) -> list[Tensor]:
        condition = cast(as_tensor(inputs[0]), "bool")
        return [condition, *Add().prepare(inputs[1:])]

    def infer(self, condition: Tensor, x: Tensor, y: Tensor) -> Spec:
        return super().infer(condition, x, y)[0], x.dtype

    def reference(self, condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.where(condition, x, y)

    def gradient(self, g: Tensor, y: Tensor, condition: Tensor, a: Tensor, b: Tensor) -> tuple:
        return None, where(condition, g, 0), where(condition, 0, g)


def cast(x: object, dtype: object) -> Tensor:
    """Convert to another dtype. A float becomes an integer by cutting towards zero."""
    dtype = standardize_dtype(dtype)
    x = as_tensor(x)
    return x if x.dtype == dtype else Cast(dtype)(x)


def stop_gradient(variable: object) -> Tensor:
    """The same values, taken as constant by gradients."""
    return StopGradient()(variable)


def where(condition: object, x1: object = None, x2: object = None) -> Tensor | tuple[Tensor, ...]:
    """x1 where the condition holds, x2 elsewhere, broadcast; without both, the indices where it holds, by axis.

    Raises ValueError for one of the two alone.

    >>> where(np.array([True, False]), 1.0, 2.0).tolist()
    [1.0, 2.0]
    """
    if x1 is None and x2 is None:  # their number is known of an array alone
        return tuple(Tensor.of(at.astype("int32")) for at in np.nonzero(as_tensor(condition).numpy()))
    if x1 is None or x2 is None:
        raise ValueError("ops.where takes both of x1 and x2, or neither (then it is ops.nonzero).")
    return Where()(condition, x1, x2)


def clip(x: object, x_min: object, x_max: object) -> Tensor:
    """Limit to the range from x_min to x_max. Bools count as int32 numbers."""
    x = as_tensor(x)
    return minimum(maximum(cast(x, "int32") if x.dtype == "bool" else x, x_min), x_max)


def _function(kind: type[Elementwise], name: str, arity: int = 1):
    operation = kind()

    def of_one(x: object) -> Tensor:
        return operation(x)

    def of_two(x1: object, x2: object) -> Tensor:
        return operation(x1, x2)

    function = of_one if arity == 1 else of_two
    function.__name__ = function.__qualname__ = name
    function.__module__ = __name__
    function.__doc__ = kind.__doc__
    return function


add, subtract = _function(Add, "add", 2), _function(Subtract, "subtract", 2)
multiply, power = _function(Multiply, "multiply", 2), _function(Power, "power", 2)
divide = true_divide = _function(Divide, "divide", 2)
floor_divide, mod = _function(FloorDivide, "floor_divide", 2), _function(Mod, "mod", 2)
maximum, minimum = _function(Maximum, "maximum", 2), _function(Minimum, "minimum", 2)
negative, sign, square = _function(Negative, "negative"), _function(Sign, "sign"), _function(Square, "square")
absolute = abs = _function(Absolute, "absolute")  # noqa: A001
floor, ceil, trunc = _function(Floor, "floor"), _function(Ceil, "ceil"), _function(Trunc, "trunc")
exp, expm1, log = _function(Exp, "exp"), _function(Expm1, "expm1"), _function(Log, "log")
log1p, log2, log10 = _function(Log1p, "log1p"), _function(Log2, "log2"), _function(Log10, "log10")
sqrt, rsqrt, erf = _function(Sqrt, "sqrt"), _function(Rsqrt, "rsqrt"), _function(Erf, "erf")
sigmoid, softplus, relu = _function(Sigmoid, "sigmoid"), _function(Softplus, "softplus"), _function(Relu, "relu")


def round(x: object, decimals: int = 0) -> Tensor:  # noqa: A001
    """Round to so many decimals, halves to the even number."""
    if decimals == 0 or not is_float(as_tensor(x).dtype):
        return Round()(x)
    return Round()(x * 10.0**decimals) / 10.0**decimals
