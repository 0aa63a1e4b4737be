"""Loops over the axes of three operands, given among a kernel's arguments."""

from __future__ import annotations

from layerkit.kernels.abi import inline


@inline
def axis_offsets(args, at, index):
    """Offsets, in elements, of A, B and C at one index of the loops together.

    args[at] counts the axes; size and three strides of each follow, the outermost axis first.
    """
    a = b = c = 0
    for axis in range(args[at] - 1, -1, -1):
        row = at + 1 + 4 * axis
        size = args[row]
        i = index % size
        index //= size
        a += i * args[row + 1]
        b += i * args[row + 2]
        c += i * args[row + 3]
    return a, b, c


@inline
def axis_count(args, at):
    """How many indices the loops have together."""
    count = 1
    for axis in range(args[at]):
        count *= args[at + 1 + 4 * axis]
    return count
