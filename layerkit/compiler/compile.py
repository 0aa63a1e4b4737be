"""The compiler: rewrite, put epilogues in, fuse, lower, allocate, plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from layerkit.compiler.allocate import Lifetime, allocate
from layerkit.compiler.epilogues import fuse_epilogues
from layerkit.compiler.fuse import fuse
from layerkit.compiler.lower import HostCall, Program, lower
from layerkit.compiler.rewrite import Rewritten
from layerkit.graph.graph import Graph
from layerkit.kernels.launch import Buffer, Launch, Operand, Scratch
from layerkit.runtime.plan import Plan, aligned_bytes
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
        rewritten = Rewritten(graph)
        nodes = fuse_epilogues(rewritten.nodes, [*rewritten.outputs, *rewritten.assigned.values()])
        program = lower(rewritten, fuse(nodes, [*rewritten.outputs, *rewritten.assigned.values()]))
        self.program = program
        threads = get_num_threads()
        lifetimes, scratches = _lifetimes(program, threads)
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
        self.inputs = [_view(operand, memory) for operand in program.inputs]
        self.outputs = [_view(operand, memory) for operand in program.outputs]
        steps = [step if isinstance(step, Launch) else _host_step(step, memory) for step in program.steps]
        addresses = {buffer: array.ctypes.data for buffer, array in memory.items()}
        scratch = {key: arena.ctypes.data + offsets[key] for key in scratches}
        self.plan = Plan(steps, addresses, scratch, [arena, *memory.values(), program], threads)
        seen_by_host = {
            operand.buffer for step in program.steps if isinstance(step, HostCall) for operand in step.inputs
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
    found = [*program.inputs, *program.outputs]
    for step in program.steps:
        if isinstance(step, Launch):
            found += [argument for argument in step.args if isinstance(argument, Operand)]
        else:
            found += [*step.inputs, *step.outputs]
    return found


def _lifetimes(program: Program, threads: int) -> tuple[list[Lifetime], set[int]]:
    """When each buffer and each scratch of the arena is in use."""
    lives: dict[object, Lifetime] = {}
    scratches: set[int] = set()
    inputs = {operand.buffer for operand in program.inputs}

    def touch(key: object, nbytes: int, at: int) -> None:
        life = lives.setdefault(key, Lifetime(key, nbytes, at, at))
        life.last = at

    for at, step in enumerate(program.steps):
        for argument in step.args if isinstance(step, Launch) else (*step.inputs, *step.outputs):
            if isinstance(argument, Scratch):
                scratches.add(id(argument))
                touch(id(argument), argument.nbytes * (threads if argument.per_worker else 1), at)
            elif isinstance(argument, Operand) and argument.buffer.array is None and argument.buffer not in inputs:
                touch(argument.buffer, argument.buffer.nbytes, at)
    for operand in program.outputs:
        if operand.buffer.array is None and operand.buffer not in inputs:
            touch(operand.buffer, operand.buffer.nbytes, len(program.steps))
    return list(lives.values()), scratches


def _view(operand: Operand, memory: dict[Buffer, np.ndarray]) -> np.ndarray:
    """The array that an operand is."""
    flat = memory[operand.buffer].reshape(-1).view(np.uint8)
    itemsize = operand.dtype.itemsize
    if operand.size == 0:
        return np.empty(operand.shape, operand.dtype)
    start = operand.offset * itemsize
    return np.ndarray(
        operand.shape, operand.dtype, flat.data, start, tuple(stride * itemsize for stride in operand.strides)
    )


def _host_step(call: HostCall, memory: dict[Buffer, np.ndarray]) -> Callable[[], None]:
    inputs = [_view(operand, memory) for operand in call.inputs]
    outputs = [_view(operand, memory) for operand in call.outputs]
    reference, single = call.operation.reference, call.operation.outputs == 1

    def step() -> None:
        given = reference(*inputs)
        for own, array in zip(outputs, [given] if single else given, strict=True):
            np.copyto(own, array, casting="unsafe")

    return step
