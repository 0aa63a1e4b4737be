"""Which pooling kernels to launch. Everything is NHWC and contiguous, float32 or float64.

`pool` and `strides` are (height, width), `padding` is ((top, bottom), (left, right)) in pixels. Padding counts
neither in a maximum nor in a mean; a window of nothing but padding gives -inf and 0. NaN in a window gives NaN.
"""

from __future__ import annotations

from collections.abc import Sequence

from layerkit.kernels.launch import Kernel, Launch, Operand, serial_grain

Pair = tuple[int, int]
Padding = tuple[Pair, Pair]


def max_pool_launches(x: Operand, out: Operand, *, pool: Pair, strides: Pair, padding: Padding) -> list[Launch]:
    """Largest value of each window: x [n, h, w, c] -> out [n, oh, ow, c]."""
    return _forward("max_pool", x, out, pool, strides, padding)


def average_pool_launches(x: Operand, out: Operand, *, pool: Pair, strides: Pair, padding: Padding) -> list[Launch]:
    """Mean of each window's cells inside the image: x [n, h, w, c] -> out [n, oh, ow, c]."""
    return _forward("average_pool", x, out, pool, strides, padding)


def max_pool_gradient_launches(
    x: Operand, out: Operand, g: Operand, gx: Operand, *, pool: Pair, strides: Pair, padding: Padding
) -> list[Launch]:
    """Gradient of max pooling: g, out [n, oh, ow, c], x [n, h, w, c] -> gx [n, h, w, c], all of which is written.

    A window's gradient goes to its first maximum, row by row; where windows overlap, gradients add up.
    """
    _check((x, gx), (out, g), pool, strides, padding)
    n, h, w, c = x.shape
    oh, ow = out.shape[1:3]
    if gx.size == 0:
        return []
    # A band of several windows' rows belongs to one unit, so windows that share rows share the unit.
    bands = oh if strides[0] >= pool[0] and oh > 0 else 1
    tiled = pool == (2, 2) and strides == (2, 2) and padding == ((0, 0), (0, 0))
    sizes = (h, w, c, oh, ow, *pool, *strides, padding[0][0], padding[1][0])
    args = (x, out, g, gx, bands, *sizes, int(tiled))
    work = h * w * c * (1 if tiled else 2 + pool[0] * pool[1] // (strides[0] * strides[1]))
    return [Launch(_kernel("max_pool_gradient", x), args, n * bands, serial_grain(work / bands))]


def average_pool_gradient_launches(
    g: Operand, gx: Operand, *, pool: Pair, strides: Pair, padding: Padding
) -> list[Launch]:
    """Gradient of average pooling: g [n, oh, ow, c] -> gx [n, h, w, c], all of which is written."""
    _check((gx,), (g,), pool, strides, padding)
    n, h, w, c = gx.shape
    if gx.size == 0:
        return []
    sizes = (h, w, c, *g.shape[1:3], *pool, *strides, padding[0][0], padding[1][0])
    work = w * c * (1 + pool[0] * pool[1] / (strides[0] * strides[1]))
    return [Launch(_kernel("average_pool_gradient", gx), (g, gx, *sizes), n * h, serial_grain(work))]


def _forward(function: str, x: Operand, out: Operand, pool: Pair, strides: Pair, padding: Padding) -> list[Launch]:
    _check((x,), (out,), pool, strides, padding)
    h, w, c = x.shape[1:]
    n, oh, ow = out.shape[:3]
    if out.size == 0:
        return []
    args = (x, out, h, w, c, oh, ow, *pool, *strides, padding[0][0], padding[1][0])
    return [Launch(_kernel(function, x), args, n * oh, serial_grain(ow * c * pool[0] * pool[1]))]


def _kernel(function: str, x: Operand) -> Kernel:
    return Kernel("pooling", function, (("dtype", x.dtype.name),))


def _check(images: Sequence[Operand], outputs: Sequence[Operand], pool: Pair, strides: Pair, padding: Padding) -> None:
    """Raise ValueError where the operands are not what the kernels read and write."""
    everything = (*images, *outputs)
    if any(len(operand.shape) != 4 or not operand.contiguous for operand in everything):
        raise ValueError(f"Pooling takes contiguous NHWC arrays, not {[operand.shape for operand in everything]}.")
    dtype = images[0].dtype
    if dtype.name not in ("float32", "float64") or any(operand.dtype != dtype for operand in everything):
        raise ValueError(f"Pooling takes arrays of float32 or of float64, not {[o.dtype.name for o in everything]}.")
    n, h, w, c = images[0].shape
    if min(*pool, *strides) < 1 or min(min(padding)) < 0:
        raise ValueError(f"pool={pool} and strides={strides} have to be positive, padding={padding} not negative.")
    rows = [
        max(0, (size + sum(pad) - window) // stride + 1)
        for size, pad, window, stride in zip((h, w), padding, pool, strides, strict=True)
    ]
    for operand in outputs:
        if operand.shape != (n, *rows, c):
            raise ValueError(
                f"Pooling {images[0].shape} with pool={pool}, strides={strides}, padding={padding} gives "
                f"{(n, *rows, c)}, not {operand.shape}."
            )
    if any(operand.shape != images[0].shape for operand in images):
        raise ValueError(f"The gradient has shape {images[-1].shape}; the input has {images[0].shape}.")
