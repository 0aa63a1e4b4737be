"""The compiler: rewrite, put epilogues in, fuse, lower, allocate, plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.compiler.allocate import Lifetime, allocate
from layerkit.compiler.lower import Program, lower
from layerkit.graph.graph import Graph
from layerkit.kernels.launch import Buffer, Launch, Operand, Scratch, Slide, root
from layerkit.runtime.host_steps import array_of
from layerkit.runtime.plan import Plan, aligned_bytes
from layerkit.runtime.steps import Choose, Repeat, Step, every_step, operands_of
from layerkit.runtime.thread_count import get_num_threads

COPIED_BYTES = 8192  # that many are copied in the time it takes to point the plan elsewhere


class Executable:
    """A compiled graph with its memory.

    Attributes:
        plan: the instructions.
        inputs: the arrays that the plan reads; fill them and call `plan.run()`, or use `run`.
        outputs: the arrays that hold the results after a run, until the next.
        arena_bytes: the memory of all intermediate results together.
    """

    def __init__(self, graph: Graph) -> None:
        program = lower(graph)
        self.program = program
        threads = get_num_threads()
        lives = _Lifetimes(program, threads)
        lifetimes, scratches = list(lives.lives.values()), lives.scratches
        offsets, self.arena_bytes = allocate(lifetimes)
        arena = aligned_bytes(self.arena_bytes)
        own = {operand.buffer: aligned_bytes(operand.buffer.nbytes) for operand in program.inputs}
        memory: dict[Buffer, np.ndarray] = {**own}
        for life in lifetimes:
            if isinstance(life.buffer, Buffer):
                memory[life.buffer] = arena[offsets[life.buffer] : offsets[life.buffer] + life.nbytes]
        for operand in _operands(program):
            if operand.buffer.array is not None:
                memory[operand.buffer] = operand.buffer.array
        self.inputs = [array_of(operand, memory) for operand in program.inputs]
        self.outputs = [array_of(operand, memory) for operand in program.outputs]
        scratch = {key: arena.ctypes.data + offsets[key] for key in scratches}
        self.plan = Plan(program.steps, memory, scratch, [arena, program], threads)
        seen_by_host = {
            root(operand.buffer)
            for step in every_step(program.steps)
            if not isinstance(step, Launch)
            for operand in operands_of(step)
        }
        seen_by_host.update(operand.buffer for operand in program.outputs)
        self._inputs = [
            _Input(self.plan, operand, own, operand.buffer not in seen_by_host)
            for operand, own in zip(program.inputs, self.inputs, strict=True)
        ]

    def run(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Run on these inputs; the arrays given back hold until the next run."""
        for own, array in zip(self._inputs, arrays, strict=True):
            own.take(array)
        self.plan.run()
        return self.outputs


class _Input:
    """Where a plan reads an input: a copy of its own, or, where that is cheaper, the caller's array itself."""

    def __init__(self, plan: Plan, operand: Operand, own: np.ndarray, movable: bool) -> None:
        self._arguments = plan.arguments
        self._places, self._offsets = plan.places(operand.buffer)
        self._own = own
        self._movable = movable and own.nbytes > COPIED_BYTES
        self._address = own.ctypes.data

    def take(self, array: np.ndarray) -> None:
        """Have the next run read this array, which has the input's shape."""
        if self._movable and array.dtype == self._own.dtype and array.flags.c_contiguous:
            self._point_to(array)
        else:
            np.copyto(self._own, array)
            self._point_to(self._own)

    def _point_to(self, array: np.ndarray) -> None:
        address = array.ctypes.data
        if address != self._address:
            self._arguments[self._places] = self._offsets + address
            self._address = address


def _operands(program: Program) -> list[Operand]:
    """Every operand, by the buffer that it lies in and not by what slides along it."""
    found = [*program.inputs, *program.outputs]
    for step in every_step(program.steps):
        found += operands_of(step)
    bases = []
    for operand in found:
        while isinstance(operand.buffer, Slide):
            operand = operand.buffer.base
        bases.append(operand)
    return bases


class _Lifetimes:
    """When each buffer and each scratch of the arena is in use."""

    def __init__(self, program: Program, threads: int) -> None:
        self.lives: dict[object, Lifetime] = {}
        self.scratches: set[int] = set()
        self._threads = threads
        self._inputs = {operand.buffer for operand in program.inputs}
        self._now = 0
        self._visit(program.steps)
        for operand in program.outputs:
            self._touch(operand)

    def _visit(self, steps: Sequence[Step]) -> None:
        for step in steps:
            begin = self._now
            for operand in operands_of(step):
                self._touch(operand)
            for argument in step.args if isinstance(step, Launch) else ():
                if isinstance(argument, Scratch):
                    self.scratches.add(id(argument))
                    self._keep(id(argument), argument.nbytes * (self._threads if argument.per_worker else 1))
            self._now += 1
            if isinstance(step, (Repeat, Choose)):
                for part in step.parts:
                    self._visit(part)
                # What was there before lives to the end: the next turn needs it too.
                for life in self.lives.values():
                    if life.first <= begin < life.last:
                        life.last = self._now
                for operand in operands_of(step):
                    self._touch(operand)
                self._now += 1

    def _touch(self, operand: Operand) -> None:
        buffer = root(operand.buffer)
        if buffer.array is None and buffer not in self._inputs:
            self._keep(buffer, buffer.nbytes)

    def _keep(self, key: object, nbytes: int) -> None:
        life = self.lives.setdefault(key, Lifetime(key, nbytes, self._now, self._now))
        life.last = max(life.last, self._now)
