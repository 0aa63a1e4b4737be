"""Inspection: what a graph computes and what the compiler made of it, as text, as Graphviz source and as a picture.

Without an executable the nodes are those that were traced. With one they are those that the plan computes, in its
order and in the kernels that they went into: composites have been expanded, equal nodes merged, epilogues fused.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from layerkit.compiler import listing, pictures
from layerkit.compiler.compile import Executable
from layerkit.compiler.drawing import draw
from layerkit.compiler.estimates import bytes_of, elements, nbytes, operations_of, subgraphs_of
from layerkit.compiler.fuse import Group, outputs_of
from layerkit.compiler.listing import counted, sized
from layerkit.graph.graph import Graph
from layerkit.graph.interpreter import Interpreter
from layerkit.graph.node import Node
from layerkit.graph.operation import Composite, Elementwise, Kernelled, Reduction, View
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.kernels.launch import Kernel, Launch, Operand
from layerkit.runtime.steps import HostCall, Step, every_step, operands_of


@dataclass(frozen=True)
class Value:
    """A tensor as it is written.

    Attributes:
        name: its name; a constant's value, or that it is one; the last two parts of a Variable's path.
        path: the whole path of a Variable.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    constant: bool = False
    path: str = ""

    @property
    def kind(self) -> str:
        """Dtype and shape: "float32[3, ?]"."""
        return f"{self.dtype}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}"


@dataclass(frozen=True)
class NodeInfo:
    """A node.

    Attributes:
        operation: the operation with its attributes.
        inputs, outputs: what it reads and gives, in order.
        path: the path of the layer that was being called.
        where: what computes it: a kernel, "view", "host call"; without an executable its operation's kind.
        operations: about how many operations it takes.
        bytes: what it would read and write by itself; in a kernel with others less is moved, see `UnitInfo`.
        subgraphs: the graphs inside an operation of control flow, by their role.
        recomputed: whether another kernel computes it too, and stores it.
    """

    operation: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    path: str
    where: str
    operations: int
    bytes: int
    subgraphs: dict[str, Description] = field(default_factory=dict)
    recomputed: bool = False


@dataclass(frozen=True)
class UnitInfo:
    """Nodes that are computed together: a fused kernel's, else one node (none for the copies at the end of a plan).

    Attributes:
        label: what it is, with the kernels.
        short: the same in a word or two.
        number: counts what the plan runs, from 1; 0 for views that move nothing, and where nothing was compiled.
        kernels: their names; what is compiled from the same source has the same name.
        operations, bytes: about how many operations it takes and bytes it moves: its inputs and its outputs, once.
    """

    label: str
    nodes: tuple[NodeInfo, ...]
    operations: int
    bytes: int
    short: str
    number: int = 0
    kernels: tuple[str, ...] = ()
    launches: int = 0
    host_calls: int = 0


@dataclass(frozen=True)
class Cost:
    """Totals. What only a plan knows is None where nothing was compiled.

    Attributes:
        operations: estimated operations; a multiply-add is two.
        bytes: estimated bytes that kernels and host calls read and write.
        launches: instructions of the plan.
        kernels: different kernels among them.
        host_calls: calls to NumPy references between native segments.
        peak_bytes: the memory that the plan takes for all intermediate results and scratch together.
        constant_bytes, variable_bytes, input_bytes, output_bytes: the memory of the others.
    """

    operations: int
    bytes: int
    launches: int | None
    kernels: int | None
    host_calls: int | None
    peak_bytes: int | None
    constant_bytes: int
    variable_bytes: int
    input_bytes: int
    output_bytes: int

    def __str__(self) -> str:
        per_byte = f"  ({self.operations / self.bytes:.3g} for each byte moved)" if self.bytes else ""
        rows = [("operations", f"{counted(self.operations)}{per_byte}"), ("bytes moved", sized(self.bytes))]
        if self.launches is not None:
            rows += [
                ("launches", f"{self.launches}  (different kernels: {self.kernels})"),
                ("host calls", str(self.host_calls)),
                ("peak memory", f"{sized(self.peak_bytes)}  (intermediate results and scratch)"),
            ]
        rows += [
            ("constants", sized(self.constant_bytes)),
            ("variables", sized(self.variable_bytes)),
            ("inputs", sized(self.input_bytes)),
            ("outputs", sized(self.output_bytes)),
        ]
        return "\n".join(f"{name:<12} {text}" for name, text in rows)


@dataclass(frozen=True)
class Description:
    """A graph, described.

    Attributes:
        inputs, outputs: the graph's.
        reads: the Variables that it reads.
        assigned: the names of the Variables that it assigns (those they have in `reads`), and their new values.
        units: what is computed, in order.
        cost: the totals.
        compiled: whether the units are those of a plan.
    """

    inputs: tuple[Value, ...]
    reads: tuple[Value, ...]
    units: tuple[UnitInfo, ...]
    outputs: tuple[Value, ...]
    assigned: tuple[tuple[str, Value], ...]
    cost: Cost
    compiled: bool

    @property
    def nodes(self) -> list[NodeInfo]:
        """Every node, in order."""
        return [node for unit in self.units for node in unit.nodes]

    def text(self) -> str:
        """A table to read: each kernel with its nodes below it, operations, bytes, and the totals."""
        return listing.text(self)

    def dot(self) -> str:
        """The source of a picture for Graphviz; fused kernels are clusters."""
        return pictures.dot(self)

    def svg(self) -> str:
        """A picture, drawn here: what went into the same kernel has the same colour."""
        return draw(list(pictures.diagrams(self)))

    def __str__(self) -> str:
        return self.text()


def describe(graph: Graph, executable: Executable | Interpreter | None = None) -> Description:
    """Describe a graph, and where it was compiled its plan.

    An Interpreter runs the graph as it was traced, so with one the description is that of the graph.

    >>> from layerkit import ops
    >>> from layerkit.graph.graph import trace
    >>> described = describe(trace(lambda x: [ops.exp(x) * 2.0], [((4, 3), "float32")]))
    >>> described.nodes[1].operation, str(described.nodes[1].outputs[0]), described.nodes[1].operations
    ('Multiply', '%1: float32[4, 3]', 12)
    """
    if isinstance(executable, Executable):
        return _Compiled(graph, executable).describe()
    return _traced(graph, _Names())


class _Names:
    """The values of tensors, each under a name of its own; in a sub-graph those around it keep theirs."""

    def __init__(self, around: _Names | None = None) -> None:
        self.values: dict[int, Value] = dict(around.values) if around else {}
        self.taken: set[str] = around.taken if around else set()
        self.count = around.count if around else itertools.count()
        self.kept: list[Tensor] = []  # ids above stay theirs

    def declare(self, tensor: Tensor, name: str | None = None, path: str = "") -> Value:
        name = name or f"%{next(self.count)}"
        same = itertools.count(1)
        unique = name
        while unique in self.taken:
            unique = f"{name}.{next(same)}"
        self.taken.add(unique)
        self.kept.append(tensor)
        value = self.values[id(tensor)] = Value(unique, tensor.dtype, tensor.shape, False, path)
        return value

    def value(self, tensor: Tensor) -> Value:
        found = self.values.get(id(tensor))
        if found is not None:
            return found
        if tensor.symbolic:
            return self.declare(tensor, tensor.name)
        array = tensor.numpy()
        if array.size != 1:
            text = f"constant{list(tensor.shape)}"
        else:
            text = f"{array.item():.6g}" if array.dtype.kind == "f" else str(array.item())
        return Value(text, tensor.dtype, tensor.shape, True)

    def inputs(self, graph: Graph) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
        inputs = tuple(self.declare(x, x.name or f"input{at}") for at, x in enumerate(graph.inputs))
        short = _short([variable.path for variable in graph.reads])
        reads = zip(short, graph.reads.items(), strict=True)
        return inputs, tuple(self.declare(x, name, variable.path) for name, (variable, x) in reads)

    def assigned(self, graph: Graph, assigned: dict[Variable, Tensor]) -> tuple[tuple[str, Value], ...]:
        """The new values of Variables, by the names under which these were read."""
        return tuple((self.value(graph.reads[variable]).name, self.value(y)) for variable, y in assigned.items())


def _short(paths: Sequence[str]) -> list[str]:
    """The last two parts of each path, or the whole where these are another's too."""
    ends = ["/".join(path.split("/")[-2:]) for path in paths]
    return [end if ends.count(end) == 1 else path for end, path in zip(ends, paths, strict=True)]


def _node(node: Node, names: _Names, where: str, recomputed: bool = False) -> NodeInfo:
    inputs = tuple(names.value(x) for x in node.inputs)
    outputs = tuple(names.values.get(id(y)) or names.declare(y) for y in node.outputs)
    inside = {role: _traced(graph, _Names(around=names)) for role, graph in subgraphs_of(node.operation).items()}
    return NodeInfo(
        _written(node.operation, bool(inside)), inputs, outputs, node.path, where,
        operations_of(node), bytes_of(node), inside, recomputed,
    )  # fmt: skip


def _written(operation: object, has_subgraphs: bool) -> str:
    """An operation with its attributes; graphs among them are described elsewhere."""
    if not has_subgraphs:
        return repr(operation)
    own = {name: value for name, value in operation.attributes().items() if not _holds_graph(value)}
    inside = ", ".join(f"{name}={value!r}" for name, value in own.items())
    return f"{type(operation).__name__}({inside})" if inside else type(operation).__name__


def _holds_graph(value: object) -> bool:
    return isinstance(value, Graph) or (isinstance(value, (list, tuple)) and any(map(_holds_graph, value)))


def _traced(graph: Graph, names: _Names) -> Description:
    inputs, reads = names.inputs(graph)
    units = []
    for node in graph.nodes:
        info = _node(node, names, _kind(node))
        units.append(UnitInfo(info.where, (info,), info.operations, info.bytes, info.where))
    constants = {id(x): x.numpy().nbytes for node in graph.nodes for x in node.inputs if not x.symbolic}
    cost = Cost(
        operations=sum(unit.operations for unit in units),
        bytes=sum(unit.bytes for unit in units),
        launches=None,
        kernels=None,
        host_calls=None,
        peak_bytes=None,
        constant_bytes=sum(constants.values()),
        **_memory(graph),
    )
    return Description(
        inputs,
        reads,
        tuple(units),
        tuple(names.value(y) for y in graph.outputs),
        names.assigned(graph, graph.assigned()),
        cost,
        compiled=False,
    )


def _kind(node: Node) -> str:
    """How an operation says that it compiles."""
    kinds = {Elementwise: "elementwise", Reduction: "reduction", View: "view", Composite: "composite"}
    for kind, name in kinds.items():
        if isinstance(node.operation, kind):
            return name
    if isinstance(node.operation, Kernelled) and node.operation.supports(*node.inputs):
        return "kernel"
    return "control flow" if subgraphs_of(node.operation) else "host call"


def _memory(graph: Graph) -> dict[str, int]:
    whole = [elements(x) * np.dtype(x.dtype).itemsize for x in graph.inputs]
    given = {id(y): elements(y) * np.dtype(y.dtype).itemsize for y in graph.outputs}
    variables = {id(variable): variable.array.nbytes for variable in (*graph.reads, *graph.state)}
    return {
        "variable_bytes": sum(variables.values()),
        "input_bytes": sum(whole),
        "output_bytes": sum(given.values()),
    }


class _Compiled:
    """Describes a plan, unit by unit."""

    def __init__(self, graph: Graph, executable: Executable) -> None:
        self.graph = graph
        self.executable = executable
        self.program = executable.program
        self.names = _Names()
        self.numbered = 0
        rewritten = self.program.graph
        self.read = {id(x) for x in (*rewritten.outputs, *rewritten.assigned.values())}
        self.own: set[int] = set()  # the nodes that groups compute and do not merely compute again
        for unit, _, _ in self.program.units:
            self.read.update(id(x) for x in (unit.inputs if isinstance(unit, Node) else unit.external()))
            if isinstance(unit, Group):
                self.own.update(id(node) for node in unit.nodes if id(node) not in unit.recomputed)

    def describe(self) -> Description:
        program, names = self.program, self.names
        inputs, reads = names.inputs(self.graph)
        units = [self.unit(unit, program.steps[first:end]) for unit, first, end in program.units]
        covered = max((end for _, _, end in program.units), default=0)
        if covered < len(program.steps):
            units.append(self.copies(program.steps[covered:]))
        rewritten = program.graph
        return Description(
            inputs,
            reads,
            tuple(units),
            tuple(names.value(y) for y in rewritten.outputs),
            names.assigned(self.graph, rewritten.assigned),
            self.cost(units),
            compiled=True,
        )

    def cost(self, units: Sequence[UnitInfo]) -> Cost:
        variables = {id(variable.array) for variable in (*self.graph.reads, *self.graph.state)}
        constants = {
            id(operand.buffer): operand.buffer.nbytes
            for operand in _operands(self.program.steps)
            if operand.buffer.array is not None and id(operand.buffer.array) not in variables
        }
        return Cost(
            operations=sum(unit.operations for unit in units),
            bytes=sum(unit.bytes for unit in units),
            launches=sum(unit.launches for unit in units),
            kernels=len({kernel for unit in units for kernel in unit.kernels}),
            host_calls=sum(unit.host_calls for unit in units),
            peak_bytes=self.executable.arena_bytes,
            constant_bytes=sum(constants.values()),
            **_memory(self.graph),
        )

    def unit(self, unit: Group | Node, steps: Sequence[object]) -> UnitInfo:
        launches = [step for step in every_step(steps) if isinstance(step, Launch)]
        kernels = _kernel_names(launches)
        if isinstance(unit, Group):
            short = _form(unit)
            label = f"{short} over {list(unit.space)}: {', '.join(kernels)}"
            nodes = tuple(_node(node, self.names, label, self.again(unit, node)) for node in unit.nodes)
            moved = self.moved(unit)
        else:
            short, label = _place(unit, launches, kernels)
            nodes = (_node(unit, self.names, label),)
            # Generated kernels here copy what can't be read as it lies.
            moved = nodes[0].bytes + _copied([one for one in launches if one.kernel.source is not None])
        operations = sum(node.operations for node in nodes)
        return self.made(
            UnitInfo(label, nodes, operations, moved, short, 0, kernels, len(launches), _host_calls(steps))
        )

    def again(self, group: Group, node: Node) -> bool:
        """Whether the group computes a node that is another's (which may have gone, where all compute it)."""
        return id(node) in group.recomputed and id(node) in self.own

    def made(self, unit: UnitInfo) -> UnitInfo:
        """The unit with its number."""
        if not (unit.launches or unit.host_calls):
            return unit
        self.numbered += 1
        return replace(unit, number=self.numbered)

    def moved(self, group: Group) -> int:
        """What a fused kernel reads and writes."""
        unread = {(id(node), at) for node in group.nodes for at in getattr(node.operation, "shape_only", ())}
        read = {id(x) for node in group.nodes for at, x in enumerate(node.inputs) if (id(node), at) not in unread}
        inputs = [x for x in group.external() if id(x) in read]
        return sum(map(nbytes, inputs)) + sum(map(nbytes, outputs_of(group, self.read)))

    def copies(self, steps: Sequence[object]) -> UnitInfo:
        """The copies at the end, of outputs and of new values that could not be written in place."""
        launches = [step for step in every_step(steps) if isinstance(step, Launch)]
        kernels = _kernel_names(launches)
        label = f"copies of outputs and variables: {', '.join(kernels)}"
        return self.made(
            UnitInfo(label, (), 0, _copied(launches), "copies", 0, kernels, len(launches), _host_calls(steps))
        )


def _form(group: Group) -> str:
    """The form of a fused kernel's loops."""
    return (
        "fused rows" if group.row_axes else {"column": "fused columns", "full": "fused sums"}.get(group.tail, "fused")
    )


def _place(node: Node, launches: Sequence[Launch], kernels: Sequence[str]) -> tuple[str, str]:
    """What computes a node that stands alone: in a word, and with its kernels."""
    if isinstance(node.operation, View):
        return ("copy", f"copy: {', '.join(kernels)}") if launches else ("view", "view")
    if subgraphs_of(node.operation):
        return "control flow", f"control flow: {', '.join(kernels)}"
    if launches:
        modules = dict.fromkeys(one.kernel.module for one in launches if one.kernel.source is None)
        return ", ".join(modules), ", ".join(kernels)
    return "host call", "host call"


def _kernel_names(launches: Iterable[Launch]) -> tuple[str, ...]:
    """The different kernels of launches."""
    return tuple(dict.fromkeys(_kernel_name(launch.kernel) for launch in launches))


def _kernel_name(kernel: Kernel) -> str:
    """The kernel's name: for generated source a short hash of it, so that equal kernels show."""
    if kernel.source is None:
        return f"{kernel.module}.{kernel.function}"
    return f"generated {hashlib.sha256(kernel.source.encode()).hexdigest()[:6]}"


def _host_calls(steps: Sequence[Step]) -> int:
    return sum(isinstance(step, HostCall) for step in every_step(steps))


def _operands(steps: Sequence[Step]) -> list[Operand]:
    return [operand for step in every_step(steps) for operand in operands_of(step)]


def _copied(launches: Sequence[Launch]) -> int:
    return sum(operand.size * operand.dtype.itemsize for operand in _operands(launches))
