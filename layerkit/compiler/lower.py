"""Lowering: every unit of a fused graph becomes launches or a call to the host, over operands in buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from layerkit.compiler.fuse import Group, outputs_of
from layerkit.compiler.fused_kernel import fused_launches
from layerkit.compiler.rewrite import Rewritten
from layerkit.graph.node import Node
from layerkit.graph.operation import Kernelled, Operation, View
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.kernels.launch import Buffer, Launch, Operand, contiguous_strides


@dataclass
class HostCall:
    """A call to an operation's NumPy reference between native segments."""

    operation: Operation
    inputs: list[Operand]
    outputs: list[Operand]


@dataclass
class Program:
    """Lowered steps in order, and where inputs and outputs lie.

    Attributes:
        graph: what was lowered.
        units: each unit of it, with its first step and the one behind its last.
    """

    graph: Rewritten
    steps: list[Launch | HostCall] = field(default_factory=list)
    inputs: list[Operand] = field(default_factory=list)
    outputs: list[Operand] = field(default_factory=list)
    units: list[tuple[Group | Node, int, int]] = field(default_factory=list)


class _Lowering:
    def __init__(self, graph: Rewritten, units: Sequence[Group | Node]) -> None:
        self.program = Program(graph)
        self.operands: dict[int, Operand] = {}
        self.graph = graph
        self.units = units
        self.read = {id(x) for x in (*graph.outputs, *graph.assigned.values())}
        for unit in units:
            self.read.update(id(x) for x in (unit.inputs if isinstance(unit, Node) else unit.external()))

    def new(self, tensor: Tensor, name: str = "") -> Operand:
        """Fresh contiguous memory for a tensor."""
        operand = _contiguous(
            Buffer(int(np.prod(tensor.shape, dtype=np.int64)) * np.dtype(tensor.dtype).itemsize, name), tensor
        )
        self.operands[id(tensor)] = operand
        return operand

    def operand(self, tensor: Tensor) -> Operand:
        """Where a tensor lies."""
        found = self.operands.get(id(tensor))
        if found is None:
            # Only constants are not made by a unit before they are read.
            array = np.ascontiguousarray(tensor.numpy())
            found = self.operands[id(tensor)] = _contiguous(Buffer(array.nbytes, "constant", array), tensor)
        return found

    def copy(self, source: Operand, shape: tuple[int, ...], target: Operand | None = None) -> Operand:
        """A contiguous copy of an operand, broadcast to a shape, by a launch of its own."""
        if source.dtype.kind == "c":
            # Kernels know no complex numbers: they copy the pairs of floats that these are.
            target = target or _contiguous(
                Buffer(int(np.prod(shape, dtype=np.int64)) * source.dtype.itemsize, "copy"),
                Tensor(shape, source.dtype.name),
            )
            self.copy(_as_pairs(source), (*shape, 2), _as_pairs(target))
            return target
        before, after = Tensor(source.shape, source.dtype.name), Tensor(shape, source.dtype.name)
        group = Group(shape)
        group.nodes = [Node(_COPY, [before], [after])]
        target = target or _contiguous(Buffer(after.size * source.dtype.itemsize, "copy"), after)
        places = {id(before): source, id(after): target}
        self.program.steps += fused_launches(
            group, lambda x: places[id(x)], [after], lambda x, s: self.copy(places[id(x)], s)
        )
        return target

    def materialize(self, tensor: Tensor, shape: tuple[int, ...]) -> Operand:
        return self.copy(self.operand(tensor), shape)

    def lower_unit(self, unit: Group | Node, targets: dict[int, Operand]) -> None:
        if isinstance(unit, Group):
            outputs = outputs_of(unit, self.read)
            for y in outputs:
                if id(y) in targets:
                    self.operands[id(y)] = targets[id(y)]
                else:
                    self.new(y)
            self.program.steps += fused_launches(unit, self.operand, outputs, self.materialize)
            return
        operation = unit.operation
        inputs = [self.operand(x) for x in unit.inputs]
        if isinstance(operation, View):
            (y,) = unit.outputs
            view = operation.view(inputs[0], y.shape)
            if view is None:
                view = operation.view(self.copy(inputs[0], inputs[0].shape), y.shape)
            self.operands[id(y)] = view
        elif isinstance(operation, Kernelled) and operation.supports(*unit.inputs):
            inputs = [
                x if x.contiguous or at in operation.strided else self.copy(x, x.shape) for at, x in enumerate(inputs)
            ]
            self.program.steps += operation.launches(inputs, [self.new(y) for y in unit.outputs])
        else:
            self.program.steps.append(HostCall(operation, inputs, [self.new(y) for y in unit.outputs]))

    def lower(self) -> Program:
        graph, program = self.graph, self.program
        for tensor in graph.inputs:
            program.inputs.append(self.new(tensor, "input"))
        for variable, tensor in graph.reads.items():
            self.operands[id(tensor)] = _variable_operand(variable)
        targets = self._in_place()
        for unit in self.units:
            first = len(program.steps)
            self.lower_unit(unit, targets)
            program.units.append((unit, first, len(program.steps)))
        program.outputs = [self._output(y, targets) for y in graph.outputs]
        self._assign(targets)
        return program

    def _output(self, tensor: Tensor, targets: dict[int, Operand]) -> Operand:
        """Where an output lies; the old value of a Variable that is about to be assigned is copied first."""
        place = self.operand(tensor)
        assigned = any(place.buffer.array is variable.array for variable in self.graph.assigned)
        return self.copy(place, place.shape) if assigned and id(tensor) not in targets else place

    def _in_place(self) -> dict[int, Operand]:
        """New values of Variables that a fused kernel can write straight into the Variable's memory.

        Nothing else reads the old value at that point or later, and the kernel itself only reads an element before it
        writes it.
        """
        last_read: dict[int, int] = {}
        made_at: dict[int, int] = {}
        sources = self._view_sources()
        for at, unit in enumerate(self.units):
            for x in unit.inputs if isinstance(unit, Node) else unit.external():
                last_read[id(sources.get(id(x), x))] = at
            if isinstance(unit, Group):
                made_at.update((id(y), at) for y in outputs_of(unit, self.read))
        returned = {id(sources.get(id(y), y)) for y in (*self.graph.outputs, *self.graph.assigned.values())}
        targets: dict[int, Operand] = {}
        for variable, tensor in self.graph.assigned.items():
            old = self.graph.reads[variable]
            at = made_at.get(id(tensor))
            if at is None or id(tensor) in targets or id(old) in returned or tensor.shape != variable.shape:
                continue
            unit = self.units[at]
            last = last_read.get(id(old), -1)
            if last < at or (
                last == at
                and not unit.row_axes
                and not unit.tail
                and tensor.shape == unit.space
                and _read_alike(unit, old, sources)
            ):
                targets[id(tensor)] = _variable_operand(variable)
        return targets

    def _view_sources(self) -> dict[int, Tensor]:
        """For each view, the tensor whose memory it may share."""
        found: dict[int, Tensor] = {}
        for unit in self.units:
            if isinstance(unit, Node) and isinstance(unit.operation, View):
                found[id(unit.outputs[0])] = found.get(id(unit.inputs[0]), unit.inputs[0])
        return found

    def _assign(self, targets: dict[int, Operand]) -> None:
        """Copy the new values that could not be written in place.

        They go through temporaries where one lies in another Variable's memory.
        """
        variables = {id(variable.array) for variable in self.graph.assigned}
        pending = []
        for variable, tensor in self.graph.assigned.items():
            target = _variable_operand(variable)
            source = self.operand(tensor)
            if source.buffer.array is variable.array and id(tensor) in targets:
                continue
            if source.buffer.array is not None and id(source.buffer.array) in variables:
                source = self.copy(source, source.shape)
            pending.append((source, target))
        for source, target in pending:
            self.copy(source, target.shape, target)


def _read_alike(group: Group, tensor: Tensor, sources: dict[int, Tensor]) -> bool:
    """Whether the group reads the tensor element by element in place: not whole, and through no view of it."""
    return all(
        x is tensor and at not in node.operation.whole
        for node in group.nodes
        for at, x in enumerate(node.inputs)
        if sources.get(id(x), x) is tensor
    )


def _contiguous(buffer: Buffer, tensor: Tensor) -> Operand:
    return Operand(buffer, tuple(tensor.shape), contiguous_strides(tensor.shape), 0, np.dtype(tensor.dtype))


def _as_pairs(x: Operand) -> Operand:
    """Complex numbers [...] as their real and imaginary parts [..., 2]."""
    parts = np.empty(0, x.dtype).real.dtype
    return Operand(x.buffer, (*x.shape, 2), (*(2 * stride for stride in x.strides), 1), 2 * x.offset, parts)


def _variable_operand(variable: Variable) -> Operand:
    array = variable.array
    return Operand(variable_buffer(variable), variable.shape, contiguous_strides(variable.shape), 0, array.dtype)


def variable_buffer(variable: Variable) -> Buffer:
    """The buffer over a Variable's memory, one per Variable."""
    if variable.buffer is None:
        variable.buffer = Buffer(variable.array.nbytes, variable.path, variable.array)
    return variable.buffer


class _Copy:
    """The elementwise identity; not a registered operation, for the compiler's own use."""

    scalar = "a"
    result = "same"
    whole = ()
    shape_only = ()


_COPY = _Copy()


def lower(graph: Rewritten, units: Sequence[Group | Node]) -> Program:
    """The program of a fused graph."""
    return _Lowering(graph, units).lower()
