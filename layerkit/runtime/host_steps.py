"""What the host does between native segments: calls of references, and the loops and choices that have such calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from layerkit.kernels.launch import Buffer, Operand, Slide
from layerkit.runtime.steps import Choose, HostCall, Repeat

Walk = Callable[[int, int], None]
"""Runs rows first..last of a plan's table."""

Segment = tuple[int, int] | Callable[[Walk], None]


def run_segments(segments: Sequence[Segment], walk: Walk) -> None:
    """Walk the ranges of rows, call the functions."""
    for segment in segments:
        if isinstance(segment, tuple):
            walk(*segment)
        else:
            segment(walk)


def array_of(operand: Operand, memory: dict[Buffer, np.ndarray], offset: int = 0) -> np.ndarray:
    """The array that an operand is, `offset` bytes further than it says."""
    if operand.size == 0:
        return np.empty(operand.shape, operand.dtype)
    itemsize = operand.dtype.itemsize
    flat = memory[operand.buffer].reshape(-1).view(np.uint8)
    start = offset + operand.offset * itemsize
    return np.ndarray(
        operand.shape, operand.dtype, flat.data, start, tuple(stride * itemsize for stride in operand.strides)
    )


class Host:
    """Makes functions of the steps that the host runs; it knows at which turn its loops are.

    Args:
        memory: the array of each buffer.
    """

    def __init__(self, memory: dict[Buffer, np.ndarray]) -> None:
        self._memory = memory
        self._turns: dict[Slide, int] = {}

    def array(self, operand: Operand) -> Callable[[], np.ndarray]:
        """A function that gives the operand's array, in the turn that runs where it slides."""
        if not isinstance(operand.buffer, Slide):
            fixed = array_of(operand, self._memory)
            return lambda: fixed
        slides: list[Slide] = []
        buffer = operand.buffer
        while isinstance(buffer, Slide):
            slides.append(buffer)
            buffer = buffer.base.buffer
        on_root = Operand(buffer, operand.shape, operand.strides, operand.offset, operand.dtype)

        def sliding() -> np.ndarray:
            offset = sum(
                (slide.base.offset + slide.start + slide.step * self._turns.get(slide, 0)) * slide.base.dtype.itemsize
                for slide in slides
            )
            return array_of(on_root, self._memory, offset)

        return sliding

    def call(self, step: HostCall) -> Segment:
        """A call of an operation's reference."""
        inputs = [self.array(operand) for operand in step.inputs]
        outputs = [self.array(operand) for operand in step.outputs]
        reference, single = step.operation.reference, step.operation.outputs == 1

        def run(walk: Walk) -> None:
            given = reference(*(x() for x in inputs))
            for y, array in zip(outputs, [given] if single else given, strict=True):
                np.copyto(y(), array, casting="unsafe")

        return run

    def choice(self, step: Choose, branches: Sequence[Sequence[Segment]]) -> Segment:
        """A choice whose branches are segments."""
        index = self.array(step.index)

        def run(walk: Walk) -> None:
            run_segments(branches[min(max(int(index()), 0), len(branches) - 1)], walk)

        return run

    def loop(
        self,
        step: Repeat,
        condition: Sequence[Segment],
        body: Sequence[Segment],
        arguments: np.ndarray,
        moves: np.ndarray,
    ) -> Segment:
        """A loop of segments.

        Args:
            step: the loop.
            condition: its segments before each turn.
            body: the segments of a turn.
            arguments: the plan's arguments, of which a turn moves some.
            moves: [n, 2], which ones, and by how many bytes.
        """
        holds = None if step.holds is None else self.array(step.holds)
        places, strides = moves[:, 0].copy(), moves[:, 1].copy()

        def run(walk: Walk) -> None:
            before = arguments[places]
            turn = 0
            try:
                while step.turns is None or turn < step.turns:
                    run_segments(condition, walk)
                    if holds is not None and not holds():
                        break
                    run_segments(body, walk)
                    turn += 1
                    arguments[places] += strides
                    self._turns.update(dict.fromkeys(step.slides, turn))
            finally:
                arguments[places] = before
                self._turns.update(dict.fromkeys(step.slides, 0))

        return run
