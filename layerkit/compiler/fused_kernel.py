"""Generates the kernel of a group: Python source for Numba that depends on the group's structure, never on sizes.

Four forms of loop, by what the group does:
    map     every point by itself; flat where all operands allow it (units are blocks of 1,024 points), else row by row
    row     a row at a time: each reduction is a pass over the row, later passes use its result
    column  pieces of rows accumulate into scratch vectors, which a second kernel adds up in order
    full    pieces of points accumulate into scratch numbers, which the same second kernel adds up
The pieces depend on sizes only, so the result does not depend on the number of threads. Narrow rows of the map and
column forms are taken several as one (wide_loops.py), and flat maps beyond the cache write past it (flat_loops.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from layerkit.compiler.flat_loops import BLOCK, FlatLoops
from layerkit.compiler.fuse import Group, reduction_kind
from layerkit.compiler.iteration import WalkedOperand, collapse
from layerkit.compiler.scalar_code import accumulated, expression, identity, index_axis
from layerkit.compiler.wide_loops import MOST_PIECES, PIECE_POINTS, WideLoops
from layerkit.graph.node import Node
from layerkit.graph.operation import COSTLY, Reduction
from layerkit.graph.tensor import Tensor
from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

CACHE_LINE = 64


def fused_launches(
    group: Group,
    operand_of: Callable[[Tensor], Operand],
    outputs: Sequence[Tensor],
    materialize: Callable[[Tensor, tuple[int, ...]], Operand],
) -> list[Launch]:
    """The launches that compute a group.

    Args:
        group: the group.
        operand_of: where a tensor lies.
        outputs: the tensors of the group that have to be stored.
        materialize: gives a contiguous copy of a tensor broadcast to a shape (it adds the copy's launch first).
    """
    return _Generator(group, operand_of, outputs, materialize).launches()


class _Generator(FlatLoops, WideLoops):
    def __init__(self, group: Group, operand_of: Callable, outputs: Sequence[Tensor], materialize: Callable) -> None:
        self.group = group
        self.space = group.space
        whole = {id(node.inputs[at]) for node in group.nodes for at in node.operation.whole}
        unread = {id(node.inputs[at]) for node in group.nodes for at in node.operation.shape_only}
        read = {
            id(x) for node in group.nodes for at, x in enumerate(node.inputs) if at not in node.operation.shape_only
        }
        self.inputs = [
            WalkedOperand(x, operand_of(x), self.space, id(x) in whole)
            for x in group.external()
            if id(x) in read or id(x) not in unread
        ]
        self.tails = [n for n in group.nodes if isinstance(n.operation, Reduction) and reduction_kind(n)[0] != "row"]
        tails = {id(n.outputs[0]) for n in self.tails}
        self.outputs = [WalkedOperand(y, operand_of(y), self.space) for y in outputs if id(y) not in tails]
        self.tail_outputs = [operand_of(n.outputs[0]) for n in self.tails]
        self.boundary = (
            len(self.space) - group.row_axes if group.row_axes else group.tail_axes if group.tail == "column" else None
        )
        self.indexed_last = any(index_axis(n) == len(self.space) - 1 for n in group.nodes)
        self._stand_still_along_rows()
        dims = self._collapse()
        if self.boundary is not None and len(dims[1]) > 1:
            for one in self.inputs:
                if not one.whole and any(one.strides):
                    copy = materialize(one.tensor, self.space)
                    one.operand, one.strides = copy, list(copy.strides)
            dims = self._collapse()
        self.outer, inner = dims
        self.inner = inner[0] if inner else (1, [0] * len(self._all()))
        self.lines: list[str] = []
        self.args: list = []
        self.addresses: list[str] = []  # of each operand, the argument that holds it
        self.twins: list[int | None] = []  # of each operand, an earlier one in the same memory
        self.names: dict[int, str] = {}
        self.blockwise: set[int] = set()  # outputs that a block's loop addresses by themselves
        self._kept_written: set[int] = set()  # nodes whose values a pass over the row has left in scratch

    def _stand_still_along_rows(self) -> None:
        """Give operands with one value a row no stride along it, also over axes of the row that have size 1."""
        over = self.group.row_axes
        if over and math.prod(self.space[-over:]) > 1:
            for one in self._all():
                if not one.whole and all(size == 1 for size in one.operand.shape[-over:]):
                    one.strides[-over:] = [0] * over

    def _all(self) -> list[WalkedOperand]:
        return self.inputs + self.outputs

    def _collapse(self) -> tuple[list, list]:
        boundary = len(self.space) - 1 if self.boundary is None and self.indexed_last else self.boundary
        return collapse(self.space, [one.strides for one in self._all()], boundary)

    def arg(self, value: object) -> str:
        self.args.append(value)
        return f"args[{len(self.args) - 1}]"

    def launches(self) -> list[Launch]:
        operands = self._all()
        for at, one in enumerate(operands):
            twin = next((k for k, other in enumerate(operands[:at]) if other.same_memory(one)), None)
            self.twins.append(twin)
            # One pointer for a Variable that is read and written: through two, LLVM would have to fear an overlap.
            self.addresses.append(self.arg(one.operand) if twin is None else self.addresses[twin])
            pointer = f"{one.operand.dtype.name}_at({self.addresses[at]})" if twin is None else f"p{twin}"
            self.lines.append(f"p{at} = {pointer}")
            if one.whole:
                for place in range(one.operand.size):
                    self.lines.append(f"w{at}_{place} = p{at}[{place}]")
        self.lines.append(f"n = {self.arg(self.inner[0])}")
        self.flat = not self.outer
        if self._many_rows_as_one():
            return self._wide_column() if self.group.tail else self._wide_map()
        if self.group.tail:
            return self._tail()
        return self._row() if self.group.row_axes else self._map()

    def _tail_places(self, pieces: int, width: int) -> list[Operand | Scratch]:
        """Where the pieces' results go: with one piece it is the result itself."""
        places = [
            y if pieces == 1 else Scratch(pieces * width * y.dtype.itemsize, name="pieces") for y in self.tail_outputs
        ]
        for at, (y, place) in enumerate(zip(self.tail_outputs, places, strict=True)):
            self.lines.append(f"t{at} = {y.dtype.name}_at({self.arg(place)})")
        return places

    def _combine(self, places: Sequence[Operand | Scratch], pieces: int, width: int) -> list[Launch]:
        """The launches that add the pieces up."""
        if pieces == 1:
            return []
        return [
            Launch(kernel, [place, pieces, width, y], width, serial_grain(pieces))
            for kernel, place, y in zip(self._combine_kernels(), places, self.tail_outputs, strict=True)
        ]

    def _combine_kernels(self) -> list[Kernel]:
        return [
            Kernel("reduction", "combine_pieces", (("dtype", y.dtype.name), ("accumulate", n.operation.accumulate)))
            for n, y in zip(self.tails, self.tail_outputs, strict=True)
        ]

    def _outer_rows(self) -> int:
        return int(np.prod([size for size, _ in self.outer], dtype=np.int64))

    def _work(self) -> float:
        costly = sum(
            3
            for n in self.group.nodes
            if not isinstance(n.operation, Reduction) and n.operation.scalar.startswith((*COSTLY, "uniform"))
        )
        return 0.5 * len(self._all()) + 0.25 * len(self.group.nodes) + costly

    def _launch(self, units: int, points_per_unit: float) -> Launch:
        body = "\n".join("    " + line for line in self.lines)
        source = f"{_HEADER}\n\ndef fused(args, lo, hi, worker):\n{body}\n"
        kernel, grain = Kernel("fused", "fused", source=source), serial_grain(points_per_unit * self._work())
        return Launch(kernel, self.args, units, grain, self._combine_kernels())

    # -- the loops ------------------------------------------------------------------------------------------------

    def _map(self) -> list[Launch]:
        fresh = self._fresh() if self.flat and not self.indexed_last else []
        if fresh:
            return self._flat_map(fresh)
        if self.flat:
            self.lines.append(f"start = lo * {BLOCK}")
            self.lines.append(f"stop = min(hi * {BLOCK}, n)")
            self._prologue()
            self.lines.append("for j in range(start, stop):")
            self._points("    ", "j", self._stored(self.group.nodes), flat=True)
            size = self.inner[0]
            return [self._launch(-(-size // BLOCK), BLOCK)] if size else []
        rows = self._outer_rows()
        self._prologue()
        self._rows("lo", "hi", "")
        self.lines.append("    for j in range(n):")
        self._points("        ", "row * n + j", self._stored(self.group.nodes))
        return [self._launch(rows, self.inner[0])] if rows * self.inner[0] else []

    def _row(self) -> list[Launch]:
        rows = self._outer_rows()
        self._prologue()
        self._rows("lo", "hi", "")
        stage_of = self._stages()
        last = max(stage_of.values())
        reductions = [n for n in self.group.nodes if isinstance(n.operation, Reduction)]
        stored = self._stored(self.group.nodes)
        row_level = {id(n) for n in self.group.nodes if self._is_row_level(n)}
        kept = self._rows_kept(stage_of, stored)
        for stage in range(last + 1):
            here = [n for n in reductions if stage_of[id(n)] == stage + 1]
            outs = [n for n in stored if id(n) not in row_level and stage_of[id(n)] == stage]
            if here or outs:
                for n in here:
                    self.lines.append(f"    {self._accumulator(n)} = {identity(n)}")
                self.lines.append("    for j in range(n):")
                self._points("        ", "row * n + j", outs, reductions=here, kept=kept)
                for n in here:
                    self.names[id(n.outputs[0])] = self._accumulator(n)
            for n in self.group.nodes:
                if id(n) in row_level and stage_of[id(n)] == stage + 1:
                    if not isinstance(n.operation, Reduction):
                        self._assign("    ", n, self.names)
                    if n in stored:
                        self._store("    ", n, self.names, row=True)
        points = max(self.inner[0], 1)
        return [self._launch(rows, points * (last + 1))] if rows else []

    def _rows_kept(self, stage_of: dict[int, int], stored: Sequence[Node]) -> dict[int, str]:
        """Costly values that several passes over a row need: node -> the name of the worker's scratch row for it.

        The first pass writes it and the others read it: softmax computes each exponential once. A row is in the cache.
        """
        known, kept, before = dict(self.names), {}, set()
        row_level = [n for n in self.group.nodes if self._is_row_level(n)]
        for stage in range(max(stage_of.values()) + 1):
            known.update((id(n.outputs[0]), "") for n in row_level if stage_of[id(n)] <= stage)
            goals = [n for n in stored if n not in row_level and stage_of[id(n)] == stage]
            goals += [n.inputs[0].node for n in row_level if stage_of[id(n)] == stage + 1 and _reduces(n)]
            needed = self._needed([n for n in goals if n and id(n.outputs[0]) not in known], known)
            for n in reversed(needed):
                # What only a later kept value is made of is no longer needed once that is known.
                again = id(n) in before and n in self._needed([m for m in goals if m], known)
                if again and n.operation.scalar.startswith((*COSTLY, "uniform")):
                    kept[id(n)] = f"c{len(kept)}"
                    known[id(n.outputs[0])] = ""
            before.update(id(n) for n in needed)
        where = next(at for at, line in enumerate(self.lines) if line.startswith("for row in range("))
        for n in self.group.nodes:
            if id(n) in kept:
                dtype = n.outputs[0].dtype
                nbytes = -(-self.inner[0] * np.dtype(dtype).itemsize // CACHE_LINE) * CACHE_LINE
                scratch = Scratch(nbytes, per_worker=True, name="kept row")
                address = f"{self.arg(scratch)} + worker * {self.arg(nbytes)}"
                self.lines.insert(where, f"{kept[id(n)]} = {dtype}_at({address})")
        return kept

    def _tail(self) -> list[Launch]:
        column = self.group.tail == "column"
        rows, size = self._outer_rows(), self.inner[0]
        width = size if column else 1
        if column:
            units = rows
            per = max(1, -(-rows // max(1, min(MOST_PIECES, rows * size // PIECE_POINTS, rows))))
        elif self.flat:
            units, per = size, PIECE_POINTS
        else:
            units, per = rows, max(1, PIECE_POINTS // max(size, 1))
        pieces = max(1, -(-units // per))
        places = self._tail_places(pieces, width)
        self.lines += [f"total = {self.arg(units)}", f"per = {self.arg(per)}"]
        self._prologue()
        self.lines.append("for piece in range(lo, hi):")
        self.lines.append("    first = piece * per")
        self.lines.append("    last = min(total, first + per)")
        stored = self._stored([n for n in self.group.nodes if n not in self.tails])
        if column:
            self.lines.append("    base = piece * n")
            self.lines.append("    for j in range(n):")
            self.lines += [f"        t{at}[base + j] = {identity(n)}" for at, n in enumerate(self.tails)]
            self._rows("first", "last", "    ")
            self.lines.append("        for j in range(n):")
            self._points(
                "            ", "row * n + j", stored, tails=[f"t{at}[base + j]" for at in range(len(self.tails))]
            )
        else:
            self.lines += [f"    s{at} = {identity(n)}" for at, n in enumerate(self.tails)]
            accumulators = [f"s{at}" for at in range(len(self.tails))]
            if self.flat:
                self.lines.append("    for j in range(first, last):")
                self._points("        ", "j", stored, tails=accumulators, flat=True)
            else:
                self._rows("first", "last", "    ")
                self.lines.append("        for j in range(n):")
                self._points("            ", "row * n + j", stored, tails=accumulators)
            self.lines += [f"    t{at}[piece] = s{at}" for at in range(len(self.tails))]
        return [self._launch(pieces, max(1, rows * size // pieces)), *self._combine(places, pieces, width)]

    def _rows(self, first: str, last: str, indent: str) -> None:
        """The loop over rows, with each operand's offset in the row's first element."""
        operands = self._all()
        sizes = [self.arg(size) for size, _ in self.outer[1:]]
        names = [f"d{at}" for at in range(1, len(self.outer))]
        before = [f"{name} = {size}" for name, size in zip(names, sizes, strict=True)]
        steps = []
        for at, one in enumerate(operands):
            if self.twins[at] is not None:
                steps.append(f"q{self.twins[at]}")  # a stride of its own would be another place to LLVM
                continue
            if one.whole or not any(strides[at] for _, strides in self.outer):
                steps.append("0")
                continue
            terms = []
            for place, (_, strides) in enumerate(self.outer):
                name = f"k{at}_{place}"
                before.append(f"{name} = {self.arg(strides[at])}")
                terms.append(f"i{place} * {name}")
            steps.append(" + ".join(terms))
        where = next(at for at, line in enumerate(self.lines) if line.startswith("n = "))
        self.lines[where:where] = before
        self.lines.append(f"{indent}for row in range({first}, {last}):")
        rest = "row"
        for place in range(len(self.outer) - 1, 0, -1):
            self.lines.append(f"{indent}    i{place} = {rest} % d{place}")
            self.lines.append(f"{indent}    r{place} = {rest} // d{place}")
            rest = f"r{place}"
        self.lines.append(f"{indent}    i0 = {rest}")
        for at, one in enumerate(operands):
            if not one.whole:
                self.lines.append(f"{indent}    q{at} = {steps[at]}")
                if at < len(self.inputs) and self.inner[1][at] == 0 and not self._everywhere(at):
                    self.lines.append(f"{indent}    x{at} = {_loaded(f'p{at}[q{at}]', one)}")

    def _everywhere(self, at: int) -> bool:
        """Whether an operand is one value for all points."""
        return self.inner[1][at] == 0 and not any(strides[at] for _, strides in self.outer)

    def _prologue(self) -> None:
        for at, one in enumerate(self.inputs):
            if one.whole:
                self.names[id(one.tensor)] = f"w{at}_"
            elif self._everywhere(at):
                self.lines.append(f"x{at} = {_loaded(f'p{at}[0]', one)}")
        for at, one in enumerate(self._all()):
            if not one.whole and self.inner[1][at] not in (0, 1):
                self.lines.append(f"m{at} = {self.arg(self.inner[1][at])}")
        for node in self.group.nodes:
            axis = index_axis(node)
            if axis is not None and not (axis == len(self.space) - 1 and self._inner_is_last_axis()):
                self.lines.append(f"below{axis} = {self.arg(int(np.prod(self.space[axis + 1 :], dtype=np.int64)))}")
                self.lines.append(f"size{axis} = {self.arg(self.space[axis])}")

    def _inner_is_last_axis(self) -> bool:
        if self.boundary is None:
            return self.indexed_last and bool(self.outer or len(self.space) == 1)
        return self.boundary == len(self.space) - 1

    # -- points ---------------------------------------------------------------------------------------------------

    def _stored(self, nodes: Sequence[Node]) -> list[Node]:
        kept = {id(one.tensor) for one in self.outputs}
        return [n for n in nodes if id(n.outputs[0]) in kept]

    def _points(
        self,
        indent: str,
        index: str,
        stored: Sequence[Node],
        reductions: Sequence[Node] = (),
        tails: Sequence[str] = (),
        flat: bool = False,
        wide: bool = False,
        kept: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        """The body of the innermost loop: load what is needed, compute, accumulate, store."""
        names = dict(self.names)
        self.index = index
        goals = [
            *stored,
            *(n.inputs[0].node for n in (reductions or (self.tails if tails else ())) if id(n.inputs[0]) not in names),
        ]
        written = self._kept_written
        names.update((id(n.outputs[0]), f"{kept[id(n)]}[j]") for n in self.group.nodes if id(n) in written)
        needed = self._needed(goals, names)
        loaded: list[str] = []
        wanted = {id(x) for n in needed for x in n.inputs} | {
            id(n.inputs[0]) for n in (*reductions, *(self.tails if tails else ()))
        }
        for at, one in enumerate(self.inputs):
            if id(one.tensor) not in wanted or one.whole:
                continue
            if self.inner[1][at] == 0:
                names[id(one.tensor)] = f"x{at}"
                continue
            source = f"y{at}[j]" if wide and at in self.repeated else f"p{at}[{self._place(at, flat, wide)}]"
            loaded.append(f"{indent}x{at} = {_loaded(source, one)}")
            names[id(one.tensor)] = f"x{at}"
        self.lines += loaded
        for n in needed:
            self._assign(indent, n, names)
            if id(n) in kept:
                self.lines.append(f"{indent}{kept[id(n)]}[j] = {names[id(n.outputs[0])]}")
                written.add(id(n))
        for n in reductions:
            acc = self._accumulator(n)
            self.lines.append(f"{indent}{acc} = {accumulated(n, acc, names[id(n.inputs[0])])}")
        if tails:
            for n, acc in zip(self.tails, tails, strict=True):
                self.lines.append(f"{indent}{acc} = {accumulated(n, acc, names[id(n.inputs[0])])}")
        for n in stored:
            self._store(indent, n, names, flat=flat, wide=wide)

    def _needed(self, goals: Sequence[Node | None], names: dict[int, str]) -> list[Node]:
        """The group's nodes that the goals need and that have no name yet, in order."""
        own = {id(n): n for n in self.group.nodes}
        wanted: set[int] = set()
        stack = [n for n in goals if n is not None and id(n) in own]
        while stack:
            n = stack.pop()
            if id(n) in wanted or id(n.outputs[0]) in names:
                continue
            wanted.add(id(n))
            stack += [x.node for x in n.inputs if x.node is not None and id(x.node) in own]
        return [n for n in self.group.nodes if id(n) in wanted and not isinstance(n.operation, Reduction)]

    def _place(self, at: int, flat: bool, wide: bool) -> str:
        if wide:
            return "base + j"
        stride = self.inner[1][at]
        if flat:
            return "0" if stride == 0 else self.index if stride == 1 else f"{self.index} * m{at}"
        step = "" if stride == 0 else "j" if stride == 1 else f"j * m{at}"
        return f"q{at} + {step}" if step else f"q{at}"

    def _assign(self, indent: str, node: Node, names: dict[int, str]) -> None:
        name = f"v{self.group.nodes.index(node)}"
        inputs = [self._name(x, names) for x in node.inputs]
        self.lines.append(
            f"{indent}{name} = {expression(node, inputs, self.index, self.space, self._inner_is_last_axis())}"
        )
        names[id(node.outputs[0])] = name

    def _name(self, x: Tensor, names: dict[int, str]) -> str:
        found = names.get(id(x))
        if found is None:
            for at, one in enumerate(self.inputs):
                if one.tensor is x:
                    return f"x{at}"
        return found or "unread"

    def _store(
        self, indent: str, node: Node, names: dict[int, str], row: bool = False, flat: bool = False, wide: bool = False
    ) -> None:
        y = node.outputs[0]
        at = len(self.inputs) + next(at for at, one in enumerate(self.outputs) if one.tensor is y)
        value = names[id(y)]
        if y.dtype == "bool":
            value = f"uint8(1) if {value} else uint8(0)"
        place = f"p{at}[{f'q{at}' if row else self._place(at, flat, wide)}]"
        self.lines.append(f"{indent}{f'y{at}[j]' if at in self.blockwise else place} = {value}")

    def _accumulator(self, node: Node) -> str:
        return f"r_{self.group.nodes.index(node)}"

    def _is_row_level(self, node: Node) -> bool:
        return isinstance(node.operation, Reduction) or (
            node.outputs[0].shape == self.group.row_space and self._row_inputs_only(node)
        )

    def _row_inputs_only(self, node: Node) -> bool:
        own = {id(n): n for n in self.group.nodes}
        for x in node.inputs:
            maker = own.get(id(x.node)) if x.node is not None else None
            if maker is not None:
                if not self._is_row_level(maker):
                    return False
            elif any(one.tensor is x and self.inner[1][at] != 0 for at, one in enumerate(self.inputs)):
                return False
        return self.space != self.group.row_space or any(id(x.node) in own for x in node.inputs if x.node is not None)

    def _stages(self) -> dict[int, int]:
        """How many passes over the row have to be finished before a node can be computed."""
        stage: dict[int, int] = {}
        for n in self.group.nodes:
            before = max((stage.get(id(x.node), 0) for x in n.inputs if x.node is not None), default=0)
            if isinstance(n.operation, Reduction):
                stage[id(n)] = before + 1
            elif self._is_row_level(n):
                stage[id(n)] = max(before, 1)
            else:
                stage[id(n)] = before
        return stage


def _reduces(node: Node) -> bool:
    return isinstance(node.operation, Reduction)


def _loaded(text: str, one: WalkedOperand) -> str:
    return f"{text} != 0" if one.operand.dtype == np.bool_ else text


_HEADER = "from layerkit.kernels.scalar import *"
