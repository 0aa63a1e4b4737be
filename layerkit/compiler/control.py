"""Lowering of control flow: loops and choices become steps with steps of their own."""

from __future__ import annotations

from collections.abc import Sequence

from layerkit.graph.control import Branch, Control, Loop, While
from layerkit.graph.tensor import Tensor
from layerkit.kernels.launch import Operand, Slide
from layerkit.runtime.steps import Choose, Repeat


class ControlLowering:
    """The part of a lowering that runs graphs inside of a graph.

    What a loop carries has one place, like a Variable: a turn reads it and leaves the new value there. Slices of what
    is scanned and stacked are windows that move with the turns, so nothing is copied to or from a turn.
    """

    def lower_control(self, operation: Control, inputs: Sequence[Operand], outputs: Sequence[Tensor]) -> None:
        """Add the steps of a loop or a choice."""
        if isinstance(operation, Loop):
            self._loop(operation, inputs, outputs)
        elif isinstance(operation, While):
            self._while(operation, inputs, outputs)
        elif isinstance(operation, Branch):
            self._branch(operation, inputs, outputs)
        else:
            raise NotImplementedError(f"{type(operation).__name__} is control flow that the compiler does not know.")

    def _carried(self, inputs: Sequence[Operand], outputs: Sequence[Tensor]) -> list[Operand]:
        """The places of what a loop carries, filled with the first values."""
        places = [self.new(y) for y in outputs]
        for source, place in zip(inputs, places, strict=True):
            self.copy(source, place.shape, place)
        return places

    def _loop(self, loop: Loop, inputs: Sequence[Operand], outputs: Sequence[Tensor]) -> None:
        count = loop.carried
        carried = self._carried(inputs[:count], outputs[:count])
        stacks = [self.new(y) for y in outputs[count:]]
        scanned = [_window(x, loop) for x in inputs[count : count + loop.scanned]]
        results = [_window(stack, loop) for stack in stacks]
        taken = inputs[count + loop.scanned :]
        steps, _ = self.body(loop.body, [*carried, *scanned, *taken], count, results)
        slides = [one.buffer for one in (*scanned, *results)]
        self.program.steps.append(Repeat(steps, loop.turns, slides, [*carried, *stacks]))

    def _while(self, loop: While, inputs: Sequence[Operand], outputs: Sequence[Tensor]) -> None:
        carried = self._carried(inputs[: loop.carried], outputs)
        places = [*carried, *inputs[loop.carried :]]
        condition, (holds,) = self.body(loop.condition, places, 0, [])
        steps, _ = self.body(loop.body, places, loop.carried, [])
        self.program.steps.append(
            Repeat(steps, loop.limit, carried=carried, condition=condition, holds=holds),
        )

    def _branch(self, branch: Branch, inputs: Sequence[Operand], outputs: Sequence[Tensor]) -> None:
        index, *taken = inputs
        results = [self.new(y) for y in outputs]
        branches = [self.body(graph, taken, 0, results)[0] for graph in branch.branches]
        self.program.steps.append(Choose(index, branches, results))


def _window(stack: Operand, loop: Loop) -> Operand:
    """What a turn sees of an operand [turns, ...]."""
    step = stack.strides[0]
    start = step * max(loop.turns - 1, 0) if loop.reverse else 0
    slide = Slide(stack, start, -step if loop.reverse else step)
    return Operand(slide, stack.shape[1:], stack.strides[1:], 0, stack.dtype)
