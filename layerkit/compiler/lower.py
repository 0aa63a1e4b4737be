"""Lowering: every unit of a fused graph becomes launches or a call to the host, over operands in buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from layerkit.compiler.control import ControlLowering
from layerkit.compiler.epilogues import fuse_epilogues
from layerkit.compiler.fuse import Group, fuse, outputs_of
from layerkit.compiler.fused_kernel import fused_launches
from layerkit.compiler.rewrite import Rewritten
from layerkit.graph.control import Control
from layerkit.graph.graph import Graph
from layerkit.graph.node import Node
from layerkit.graph.operation import Elementwise, Kernelled, View
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.kernels.launch import Buffer, Operand, contiguous_strides
from layerkit.runtime.steps import HostCall, Step


@dataclass
class Program:
    """Lowered steps in order, and where inputs and outputs lie.

    Attributes:
        graph: what was lowered.
        units: each unit of it, with its first step and the one behind its last.
    """

    graph: Rewritten
    steps: list[Step] = field(default_factory=list)
    inputs: list[Operand] = field(default_factory=list)
    outputs: list[Operand] = field(default_factory=list)
    units: list[tuple[Group | Node, int, int]] = field(default_factory=list)


@dataclass
class Cell:
    """Memory whose old value a graph reads, and where it leaves a new one: a Variable's, or what a loop carries."""

    old: Tensor
    new: Tensor
    place: Operand


class _Lowering(ControlLowering):
    """Lowers one graph.

    Args:
        graph: what is lowered; each of its inputs has its operand among `operands`.
        units: its units in order.
        operands: id of a tensor -> where it lies.
        cells: the memory that the graph changes.
        targets: id of a tensor -> where it has to be made.
    """

    def __init__(
        self,
        graph: Rewritten,
        units: Sequence[Group | Node],
        operands: dict[int, Operand],
        cells: Sequence[Cell],
        targets: dict[int, Operand],
    ) -> None:
        self.program = Program(graph)
        self.graph, self.units, self.operands, self.cells = graph, units, operands, cells
        self.read = {id(x) for x in (*graph.outputs, *(cell.new for cell in cells))} | set(targets)
        for unit in units:
            self.read.update(id(x) for x in (unit.inputs if isinstance(unit, Node) else unit.external()))
        self.in_place = self._in_place()
        self.targets = {**targets, **self.in_place}

    def new(self, tensor: Tensor, name: str = "") -> Operand:
        """Fresh contiguous memory for a tensor."""
        operand = self.operands[id(tensor)] = fresh(tensor, name)
        return operand

    def place(self, tensor: Tensor) -> Operand:
        """Memory for a tensor: where it has to be made, or fresh."""
        target = self.targets.get(id(tensor))
        if target is None:
            return self.new(tensor)
        self.operands[id(tensor)] = target
        return target

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
        target = target or fresh(Tensor(shape, source.dtype.name), "copy")
        if source.dtype.kind == "c":
            # Kernels know no complex numbers: they copy the pairs of floats that these are.
            self.copy(_as_pairs(source), (*shape, 2), _as_pairs(target))
            return target
        if source.dtype == np.float16:
            bits = np.dtype("uint16")
            self.copy(replace(source, dtype=bits), shape, replace(target, dtype=bits))
            return target
        before, after = Tensor(source.shape, source.dtype.name), Tensor(shape, source.dtype.name)
        group = Group(shape)
        group.nodes = [Node(_Copy(), [before], [after])]
        places = {id(before): source, id(after): target}
        self.program.steps += fused_launches(
            group, lambda x: places[id(x)], [after], lambda x, s: self.copy(places[id(x)], s)
        )
        return target

    def materialize(self, tensor: Tensor, shape: tuple[int, ...]) -> Operand:
        return self.copy(self.operand(tensor), shape)

    def lower_unit(self, unit: Group | Node) -> None:
        if isinstance(unit, Group):
            outputs = outputs_of(unit, self.read)
            for y in outputs:
                self.place(y)
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
        elif isinstance(operation, Control):
            self.lower_control(operation, inputs, unit.outputs)
        elif isinstance(operation, Kernelled) and operation.supports(*unit.inputs):
            inputs = [
                x if x.contiguous or at in operation.strided else self.copy(x, x.shape) for at, x in enumerate(inputs)
            ]
            self.program.steps += operation.launches(inputs, [self.place(y) for y in unit.outputs])
        else:
            self.program.steps.append(HostCall(operation, inputs, [self.place(y) for y in unit.outputs]))

    def lower(self) -> Program:
        program = self.program
        for unit in self.units:
            first = len(program.steps)
            self.lower_unit(unit)
            program.units.append((unit, first, len(program.steps)))
        program.outputs = [self._output(y) for y in self.graph.outputs]
        self._assign()
        return program

    def _output(self, tensor: Tensor) -> Operand:
        """Where an output lies; the old value of a cell that is about to change is copied first."""
        place = self.operand(tensor)
        changes = any(place.buffer is cell.place.buffer for cell in self.cells)
        return self.copy(place, place.shape) if changes and id(tensor) not in self.in_place else place

    def _in_place(self) -> dict[int, Operand]:
        """New values of cells that a fused kernel can write straight into the cell's memory.

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
        returned = {id(sources.get(id(y), y)) for y in (*self.graph.outputs, *(cell.new for cell in self.cells))}
        targets: dict[int, Operand] = {}
        for cell in self.cells:
            at = made_at.get(id(cell.new))
            if at is None or id(cell.new) in targets or id(cell.old) in returned or cell.new.shape != cell.place.shape:
                continue
            unit = self.units[at]
            last = last_read.get(id(cell.old), -1)
            if last < at or (
                last == at
                and not unit.row_axes
                and not unit.tail
                and cell.new.shape == unit.space
                and _read_alike(unit, cell.old, sources)
            ):
                targets[id(cell.new)] = cell.place
        return targets

    def _view_sources(self) -> dict[int, Tensor]:
        """For each view, the tensor whose memory it may share."""
        found: dict[int, Tensor] = {}
        for unit in self.units:
            if isinstance(unit, Node) and isinstance(unit.operation, View):
                found[id(unit.outputs[0])] = found.get(id(unit.inputs[0]), unit.inputs[0])
        return found

    def _assign(self) -> None:
        """Copy the new values that could not be written in place.

        They go through temporaries where one lies in another cell's memory.
        """
        cells = {id(cell.place.buffer) for cell in self.cells}
        pending = []
        for cell in self.cells:
            source = self.operand(cell.new)
            if source.buffer is cell.place.buffer and id(cell.new) in self.in_place:
                continue
            if id(source.buffer) in cells:
                source = self.copy(source, source.shape)
            pending.append((source, cell.place))
        for source, place in pending:
            self.copy(source, place.shape, place)

    def body(
        self, graph: Graph, places: Sequence[Operand], carried: int, results: Sequence[Operand]
    ) -> tuple[list[Step], list[Operand]]:
        """The steps of a graph that runs inside of this one, and where its outputs behind `results` lie.

        Args:
            graph: the graph.
            places: where its inputs lie.
            carried: how many first outputs are left where the first inputs are.
            results: where the next outputs have to be made.
        """
        rewritten = Rewritten(graph)
        outputs = rewritten.outputs
        cells = [
            Cell(old, new, place)
            for old, new, place in zip(rewritten.inputs, outputs[:carried], places, strict=False)
            if new is not old
        ]
        last = carried + len(results)
        targets, copies_first, copies_last = {}, [], []
        own = {id(cell.new) for cell in cells} | {id(y) for y in outputs[last:]}
        for y, place in zip(outputs[carried:last], results, strict=True):
            if id(y) in own or y.node is None or isinstance(y.node.operation, (View, Control)):
                copied = Tensor(y.shape, y.dtype)
                (copies_first if y.node is None else copies_last).append(Node(_Copy(), [y], [copied]))
                y = copied
            own.add(id(y))
            targets[id(y)] = place
        rewritten.nodes = [*copies_first, *rewritten.nodes, *copies_last]
        rewritten.outputs = outputs[last:]
        kept = [node.outputs[0] for node in copies_first + copies_last]
        made = [*outputs, *kept]
        units = fuse(fuse_epilogues(rewritten.nodes, made), made)
        operands = dict(zip(map(id, rewritten.inputs), places, strict=True))
        program = _Lowering(rewritten, units, operands, cells, targets).lower()
        return program.steps, program.outputs


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


class _Copy(Elementwise, abstract=True):
    """The identity, that makes another array all the same; for the compiler's own use."""

    scalar = "a"


def fresh(tensor: Tensor, name: str = "") -> Operand:
    """New contiguous memory of a tensor's shape and dtype."""
    nbytes = int(np.prod(tensor.shape, dtype=np.int64)) * np.dtype(tensor.dtype).itemsize
    return _contiguous(Buffer(nbytes, name), tensor)


def lower(graph: Graph) -> Program:
    """The program of a graph: rewritten, fused and lowered."""
    rewritten = Rewritten(graph)
    results = [*rewritten.outputs, *rewritten.assigned.values()]
    units = fuse(fuse_epilogues(rewritten.nodes, results), results)
    inputs = [fresh(x, "input") for x in rewritten.inputs]
    operands = dict(zip(map(id, rewritten.inputs), inputs, strict=True))
    operands.update((id(tensor), _variable_operand(variable)) for variable, tensor in rewritten.reads.items())
    cells = [
        Cell(rewritten.reads[variable], new, _variable_operand(variable))
        for variable, new in rewritten.assigned.items()
    ]
    program = _Lowering(rewritten, units, operands, cells, {}).lower()
    program.inputs = inputs
    return program
