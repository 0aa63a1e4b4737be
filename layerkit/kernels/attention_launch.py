"""Which kernels to launch for attention by tiles, and with how much scratch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

BLOCK = 128
"""Queries whose scores for a tile of keys are in the cache at a time."""

KEYS = 96
"""Keys in a tile, at most."""

PANEL = 48
"""Columns of the microkernel's widest tile, at most."""


def attention_launches(
    inputs: Sequence[Operand], out: Operand, logs: Operand, scale: float, causal: bool
) -> list[Launch]:
    """Attention of q [N, T, heads, D], k [N, S, heads, D], v [N, S, heads, E] and perhaps a mask.

    Args:
        inputs: q, k and v, contiguous, of one float type, and a mask of bools with 4 axes, of any strides.
        out: [N, T, heads, E].
        logs: [N, heads, T], the logarithms of the rows' sums of exponentials.
        scale: of the products of queries and keys.
        causal: whether position t sees only positions up to t.

    Raises ValueError where dtypes or layouts do not fit.
    """
    q, k, v, *masks = inputs
    _check((q, k, v, out, logs))
    n, length, heads, depth = q.shape
    reach, values = k.shape[1], v.shape[3]
    if out.size == 0:
        return []
    item = q.dtype.itemsize
    elements = KEYS * (depth + PANEL + values) + BLOCK * (KEYS + 2 + depth + values)
    scratch = Scratch(_lines(elements * item), per_worker=True, name="tile of scores")
    sizes = (heads, length, reach, depth, values, _bits(scale), int(causal))
    args = (q, k, v, masks[0] if masks else 0, out, logs, scratch, scratch.nbytes, *sizes, *_steps(masks, q, k), BLOCK)
    units = n * heads * -(-length // BLOCK)
    work = min(BLOCK, length) * reach * (depth + values + 16) / 8
    return [Launch(_kernel("attention", q), args, units, serial_grain(work))]


def attention_gradient_launches(
    inputs: Sequence[Operand],
    out: Operand,
    logs: Operand,
    g: Operand,
    gradients: Sequence[Operand],
    scale: float,
    causal: bool,
) -> list[Launch]:
    """Gradients of q, k and v by that of `out`; the arguments are those of `attention_launches` and its results.

    Raises ValueError where dtypes or layouts do not fit.
    """
    q, k, v, *masks = inputs
    _check((q, k, v, out, logs, g, *gradients))
    n, length, heads, depth = q.shape
    reach, values = k.shape[1], v.shape[3]
    if n * heads == 0:
        return []
    item = q.dtype.itemsize
    tiles = KEYS * (3 * depth + 2 * values) + max(KEYS, BLOCK) * PANEL
    elements = tiles + BLOCK * (2 * KEYS + depth + values) + length
    scratch = Scratch(_lines(elements * item), per_worker=True, name="tile of scores")
    sizes = (heads, length, reach, depth, values, _bits(scale), int(causal))
    addresses = (q, k, v, masks[0] if masks else 0, out, logs, g, *gradients)
    args = (*addresses, scratch, scratch.nbytes, *sizes, *_steps(masks, q, k), BLOCK)
    work = length * reach * (3 * depth + 2 * values + 16) / 8
    return [Launch(_kernel("attention_gradient", q), args, n * heads, serial_grain(work))]


def _lines(nbytes: int) -> int:
    return -(-nbytes // 64) * 64


def _bits(scale: float) -> int:
    return int(np.float64(scale).view(np.int64))


def _steps(masks: Sequence[Operand], q: Operand, k: Operand) -> tuple[int, ...]:
    """The mask's strides; 0 along axes that it repeats."""
    if not masks:
        return (0, 0, 0, 0)
    (mask,) = masks
    full = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
    if mask.dtype != np.bool_ or any(n not in (1, m) for n, m in zip(mask.shape, full, strict=True)):
        raise ValueError(f"The mask has to be of bools and broadcast to {full}, not {mask.dtype} {mask.shape}.")
    return tuple(0 if n == 1 else step for n, step in zip(mask.shape, mask.strides, strict=True))


def _check(operands: Sequence[Operand]) -> None:
    dtypes = {operand.dtype.name for operand in operands}
    if len(dtypes) != 1 or not dtypes <= {"float32", "float64"}:
        raise ValueError(f"Attention takes arrays of float32 or of float64, not {sorted(dtypes)}.")
    if not all(operand.contiguous for operand in operands):
        raise ValueError("The kernels of attention take contiguous arrays.")


def _kernel(function: str, x: Operand) -> Kernel:
    return Kernel("attention", function, (("dtype", x.dtype.name),))
