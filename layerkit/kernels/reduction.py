"""The second half of reductions that were cut into pieces."""

from layerkit.kernels import scalar
from layerkit.kernels.abi import POINTERS, inline


@inline
def _sum(a, b):
    return a + b


@inline
def _prod(a, b):
    return a * b


_COMBINE = {"sum": _sum, "prod": _prod, "max": scalar.maximum, "min": scalar.minimum}


def combine_pieces(dtype: str, accumulate: str):
    """Combine partial results in order.

    Arguments of the kernel: partial [pieces, width], pieces, width, out [width]. A unit is a column.
    """
    at, combine = POINTERS[dtype], _COMBINE[accumulate]

    def kernel(args, lo, hi, worker):
        partial, pieces, width, out = at(args[0]), args[1], args[2], at(args[3])
        for j in range(lo, hi):
            out[j] = partial[j]
        for piece in range(1, pieces):
            base = piece * width
            for j in range(lo, hi):
                out[j] = combine(out[j], partial[base + j])

    return kernel
