"""Which kernels to launch for running sums and products and linear recurrences. All operands are contiguous."""

from __future__ import annotations

import math

from layerkit.kernels.launch import Kernel, Launch, Operand, serial_grain

NUMBERS = ("float32", "float64", "int32", "int64")
BLOCK = 512  # columns of a unit


def accumulate_launches(x: Operand, out: Operand, axis: int, kind: str, reverse: bool = False) -> list[Launch]:
    """Sums ("sum") or products ("prod") of the elements up to each one along an axis; reverse: from each to the end.

    Raises ValueError where shapes or dtypes do not fit.
    """
    kernel = Kernel("cumulative", "accumulate", (("dtype", out.dtype.name), ("kind", kind)))
    return _launches(kernel, (x,), out, axis, reverse)


def recur_launches(a: Operand, b: Operand, out: Operand, axis: int, reverse: bool = False) -> list[Launch]:
    """out[i] = a[i] * out[i - 1] + b[i] along an axis, where the first is b's; reverse: out[i + 1] and the last.

    Raises ValueError where shapes or dtypes do not fit.
    """
    return _launches(Kernel("cumulative", "recur", (("dtype", out.dtype.name),)), (a, b), out, axis, reverse)


def _launches(kernel: Kernel, inputs: tuple[Operand, ...], out: Operand, axis: int, reverse: bool) -> list[Launch]:
    for x in inputs:
        if x.shape != out.shape or x.dtype != out.dtype or not x.contiguous or x.dtype.name not in NUMBERS:
            raise ValueError(f"{x.dtype.name}{list(x.shape)} does not accumulate to {out.dtype.name}{list(out.shape)}.")
    if out.size == 0:
        return []
    n, inner, outer = out.shape[axis], math.prod(out.shape[axis + 1 :]), math.prod(out.shape[:axis])
    units = outer * -(-inner // BLOCK)
    grain = serial_grain(n * (min(inner, BLOCK) + 4))
    return [Launch(kernel, (*inputs, out, n, inner, BLOCK, int(reverse)), units, grain)]
