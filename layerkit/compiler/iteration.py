"""How operands walk through an iteration space: their strides over its axes, and which axes they take as one."""

from __future__ import annotations

from collections.abc import Sequence

from layerkit.graph.tensor import Tensor
from layerkit.kernels.launch import Operand


class WalkedOperand:
    """An operand with its strides over the iteration's axes: several outer ones and the inner one."""

    def __init__(self, tensor: Tensor, operand: Operand, space: tuple[int, ...], whole: bool = False) -> None:
        self.tensor, self.operand, self.whole = tensor, operand, whole
        extra = len(space) - len(operand.shape)
        self.strides = (
            [0] * len(space)
            if whole
            else [0] * extra
            + [
                0 if size == 1 and full != 1 else stride
                for size, full, stride in zip(operand.shape, space[extra:], operand.strides, strict=True)
            ]
        )

    def same_memory(self, other: WalkedOperand) -> bool:
        """Whether both walk through the same elements in the same order."""
        mine, others = self.operand, other.operand
        return mine.buffer is others.buffer and mine.offset == others.offset and self.strides == other.strides


Axis = tuple[int, list[int]]
"""An axis' size, and each operand's stride along it."""


def collapse(
    space: Sequence[int], strides: Sequence[Sequence[int]], boundary: int | None
) -> tuple[list[Axis], list[Axis]]:
    """Merge neighbouring axes that every operand walks through as one.

    Args:
        space: the sizes.
        strides: for each operand, its stride along each axis.
        boundary: axes before and after it are not merged; None: all may be, and the last merged one is the inner.

    Returns:
        The outer axes and the inner ones.

    >>> collapse((2, 3, 4), [(12, 4, 1), (0, 0, 1)], None)
    ([(6, [4, 0])], [(4, [1, 1])])
    """
    axes = [(size, [one[at] for one in strides]) for at, size in enumerate(space)]
    if boundary is None:
        whole = _merged(axes)
        return whole[:-1], whole[-1:]
    return _merged(axes[:boundary]), _merged(axes[boundary:])


def _merged(axes: Sequence[Axis]) -> list[Axis]:
    result: list[Axis] = []
    for size, strides in axes:
        if result and all(before == stride * size for before, stride in zip(result[-1][1], strides, strict=True)):
            result[-1] = (result[-1][0] * size, strides)
        else:
            result.append((size, strides))
    return result
