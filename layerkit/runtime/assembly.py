"""Assembly: steps become the rows of a plan's table, with their arguments, and segments that the host walks.

A row is an int64 quadruple. That of a launch is kernel address, address of its arguments, units, grain. Control rows
begin with a small number in the place of the kernel's address (see `kernels/walker.py`, which reads them).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.kernels.launch import BREAK, ENTER, JUMP, NEXT, SWITCH, Buffer, Launch, Operand, Scratch, Slide
from layerkit.runtime.host_steps import Host, Segment
from layerkit.runtime.kernel_cache import address_of
from layerkit.runtime.steps import Choose, HostCall, Repeat, Step, every_step, native

FOREVER = 1 << 62


class Assembly:
    """The table of a plan.

    Args:
        steps: the steps.
        memory: the array of each buffer.
        scratch: the address of each Scratch, by its id.

    Attributes:
        table: the rows.
        arguments: the arguments of all launches.
        segments: what the host does in order: ranges of rows to walk, and functions to call.
        places: buffer -> (argument, bytes behind the buffer's start) of each argument that points into it.
    """

    def __init__(self, steps: Sequence[Step], memory: dict[Buffer, np.ndarray], scratch: dict[int, int]) -> None:
        self._memory, self._scratch, self._host = memory, scratch, Host(memory)
        self.places: dict[Buffer, list[tuple[int, int]]] = {}
        self._moving: dict[Slide, list[int]] = {}
        self._starts: dict[int, int] = {}
        values: list[int] = []
        for step in every_step(steps):
            self._starts[id(step)] = len(values)
            for argument in _arguments(step):
                values.append(self._value(argument, len(values)))
        self.arguments = np.array(values or [0], np.int64)
        self.keep: list[np.ndarray] = []  # what rows point at besides the arguments
        self._rows: list[list[int]] = []
        self.segments = self._segments(steps)
        self.table = np.array(self._rows, np.int64).reshape(-1, 4)

    def _value(self, argument: int | Operand | Scratch, place: int) -> int:
        if isinstance(argument, Scratch):
            return self._scratch[id(argument)]
        if not isinstance(argument, Operand):
            return int(argument)
        offset = argument.offset * argument.dtype.itemsize
        buffer = argument.buffer
        while isinstance(buffer, Slide):
            self._moving.setdefault(buffer, []).append(place)
            base = buffer.base
            offset += (base.offset + buffer.start) * base.dtype.itemsize
            buffer = base.buffer
        self.places.setdefault(buffer, []).append((place, offset))
        return self._memory[buffer].ctypes.data + offset

    def _moves(self, slides: Sequence[Slide]) -> np.ndarray:
        """[n, 2]: an argument's number, and by how many bytes it moves a turn."""
        moves = [
            (place, slide.step * slide.base.dtype.itemsize) for slide in slides for place in self._moving.get(slide, ())
        ]
        return np.array(moves, np.int64).reshape(-1, 2)

    def _segments(self, steps: Sequence[Step]) -> list[Segment]:
        segments: list[Segment] = []
        first = len(self._rows)
        for step in steps:
            if native(step):
                self._emit(step)
                continue
            if len(self._rows) > first:
                segments.append((first, len(self._rows)))
            segments.append(self._hosted(step))
            first = len(self._rows)
        if len(self._rows) > first:
            segments.append((first, len(self._rows)))
        return segments

    def _hosted(self, step: HostCall | Repeat | Choose) -> Segment:
        if isinstance(step, HostCall):
            return self._host.call(step)
        parts = [self._segments(part) for part in step.parts]
        if isinstance(step, Choose):
            return self._host.choice(step, parts)
        return self._host.loop(step, *parts, self.arguments, self._moves(step.slides))

    def _emit(self, step: Launch | Repeat | Choose) -> None:
        if isinstance(step, Launch):
            self._rows.append([address_of(step.kernel), self._arguments_of(step), step.units, step.grain])
        elif isinstance(step, Repeat):
            self._emit_loop(step)
        else:
            self._emit_choice(step)

    def _emit_loop(self, step: Repeat) -> None:
        moves = self._moves(step.slides)
        moves[:, 0] = self.arguments.ctypes.data + 8 * moves[:, 0]
        state = self._kept([FOREVER if step.turns is None else step.turns, 0, len(moves), *moves.ravel()])
        enter = self._row(ENTER, state.ctypes.data)
        first = len(self._rows)
        for one in step.condition:
            self._emit(one)
        leave = enter if step.holds is None else self._row(BREAK, self._arguments_of(step))
        for one in step.steps:
            self._emit(one)
        self._row(NEXT, state.ctypes.data, first)
        self._rows[enter][2] = self._rows[leave][2] = len(self._rows)

    def _emit_choice(self, step: Choose) -> None:
        targets = self._kept([len(step.branches), *(0 for _ in step.branches)])
        self._row(SWITCH, self._arguments_of(step), targets.ctypes.data)
        jumps = []
        for at, branch in enumerate(step.branches, 1):
            targets[at] = len(self._rows)
            for one in branch:
                self._emit(one)
            jumps.append(self._row(JUMP, 0))
        for row in jumps:
            self._rows[row][2] = len(self._rows)

    def _row(self, code: int, address: int, target: int = 0) -> int:
        self._rows.append([code, address, target, 0])
        return len(self._rows) - 1

    def _kept(self, numbers: Sequence[int]) -> np.ndarray:
        self.keep.append(np.array(numbers, np.int64))
        return self.keep[-1]

    def _arguments_of(self, step: Step) -> int:
        return self.arguments.ctypes.data + 8 * self._starts[id(step)]


def _arguments(step: Step) -> Sequence[int | Operand | Scratch]:
    if isinstance(step, Launch):
        return step.args
    if isinstance(step, Choose):
        return [step.index]
    return [step.holds] if isinstance(step, Repeat) and step.holds is not None else []
