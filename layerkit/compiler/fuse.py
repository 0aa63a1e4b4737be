"""Fusion: elementwise operations with the reductions next to them become groups, a generated kernel each.

A group has one iteration space. Its elementwise nodes compute at every point of it. Reductions over trailing axes give
a value for each row, which nodes of the group may use again (softmax, layer normalization); reductions over leading or
over all axes end a group.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from layerkit.errors import GraphError
from layerkit.graph.node import Node
from layerkit.graph.operation import Elementwise, Reduction
from layerkit.graph.tensor import Tensor

KERNEL_DTYPES = {"float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"}
RECOMPUTED_DEPTH = 6
MOST_OPERANDS = 24


def fusible(node: Node) -> bool:
    """Whether a generated kernel can compute the node."""
    operation = node.operation
    if any(t.dtype not in KERNEL_DTYPES for t in (*node.inputs, *node.outputs)):
        return False
    if isinstance(operation, Elementwise):
        integer_power = operation.scalar.startswith("pow") and not node.inputs[0].dtype.startswith("float")
        return bool(operation.scalar) and not integer_power
    return isinstance(operation, Reduction) and bool(operation.accumulate)


class Group:
    """Nodes that one generated kernel computes.

    Attributes:
        nodes: in topological order.
        space: the shape of the points of the iteration.
        row_axes: how many trailing axes its row reductions go over, 0 without any.
        tail: "", "column" (reductions over `tail_axes` leading axes) or "full" (over all axes).
    """

    def __init__(self, space: tuple[int, ...]) -> None:
        self.space = space
        self.nodes: list[Node] = []
        self.row_axes = 0
        self.tail = ""
        self.tail_axes = 0
        self.bits = 0  # its nodes and all that they need, as sets by the nodes' order
        self.ancestors = 0
        self.merged_into: Group | None = None
        self.recomputed: set[int] = set()  # nodes (by id) that another group makes as well, and stores

    def whole(self) -> Group:
        """The group that this one is part of now."""
        group = self
        while group.merged_into is not None:
            group = group.merged_into
        return group

    @property
    def row_space(self) -> tuple[int, ...]:
        """The shape of what row reductions give."""
        if not self.row_axes:
            return self.space
        return self.space[: -self.row_axes] + (1,) * self.row_axes

    def external(self) -> list[Tensor]:
        """The tensors that it reads, each once."""
        made = {id(output) for node in self.nodes for output in node.outputs}
        return list({id(x): x for node in self.nodes for x in node.inputs if id(x) not in made}.values())


def reduction_kind(node: Node) -> tuple[str, int]:
    """The kind of a reduction ("row", "column" or "full"), and over how many axes it goes."""
    axes, rank = node.operation.axes, node.inputs[0].ndim
    if len(axes) == rank:
        return "full", rank
    return ("row" if axes[-1] == rank - 1 else "column"), len(axes)


class _Fuser:
    def __init__(self, nodes: Sequence[Node]) -> None:
        self.order = {id(node): at for at, node in enumerate(nodes)}
        self.group_of: dict[int, Group] = {}
        self.readers: dict[int, list[Group]] = {}
        self.groups: list[Group] = []
        self.ancestors: dict[int, int] = {}
        """For each node a set of nodes, as bits by their order: itself and all that it needs."""
        for at, node in enumerate(nodes):
            bits = 1 << at
            for x in node.inputs:
                if x.node is not None:
                    bits |= self.ancestors[id(x.node)]
            self.ancestors[id(node)] = bits

    def depends(self, inputs: Sequence[Tensor], group: Group, besides: Group | None = None) -> bool:
        """Whether inputs made outside of `group` and `besides` need something of these, every group taken whole."""
        own = group.bits | (besides.bits if besides else 0)
        needed = 0
        for x in inputs:
            if x.node is not None and not own >> self.order[id(x.node)] & 1:
                needed |= self.ancestors[id(x.node)]
        # What is needed of a group needs all of it, and so what all of its nodes need.
        waiting = [other for other in self.groups if not other.bits & own]
        while not needed & own:
            rest = []
            before = needed
            for other in reversed(waiting):
                if other.bits & needed:
                    needed |= other.ancestors
                else:
                    rest.append(other)
            if needed == before:
                return False
            waiting = rest[::-1]
        return True

    def fits(self, node: Node, group: Group) -> bool:
        """Whether the node may join the group as far as shapes and kinds go."""
        if len(group.external()) + len(node.inputs) > MOST_OPERANDS:
            return False
        made = {id(output): member for member in group.nodes for output in member.outputs}
        for at, x in enumerate(node.inputs):
            member = made.get(id(x))
            if member is not None and at in node.operation.whole:
                return False
            if member is not None and isinstance(member.operation, Reduction) and reduction_kind(member)[0] != "row":
                return False
        if isinstance(node.operation, Reduction):
            kind, over = reduction_kind(node)
            if node.inputs[0].shape != group.space:
                return False
            if kind == "row":
                return not group.tail and group.row_axes in (0, over)
            return not group.row_axes and group.tail in ("", kind) and group.tail_axes in (0, over)
        shape = node.outputs[0].shape
        if shape == group.space:
            return True
        return bool(group.row_axes) and shape == group.row_space and all(x.shape != group.space for x in node.inputs)

    def join(self, node: Node, group: Group) -> None:
        group.nodes.append(node)
        group.bits |= 1 << self.order[id(node)]
        group.ancestors |= self.ancestors[id(node)]
        self.group_of[id(node)] = group
        if isinstance(node.operation, Reduction):
            kind, over = reduction_kind(node)
            if kind == "row":
                group.row_axes = over
            else:
                group.tail, group.tail_axes = kind, over
        for x in node.inputs:
            if x.shape == group.space:
                self.readers.setdefault(id(x), []).append(group)

    def mergeable(self, a: Group, b: Group) -> bool:
        if a.space != b.space or len(a.external()) + len(b.external()) > MOST_OPERANDS:
            return False
        if a.row_axes and b.row_axes and a.row_axes != b.row_axes:
            return False
        if (a.row_axes or b.row_axes) and (a.tail or b.tail):
            return False
        if a.tail and b.tail and (a.tail, a.tail_axes) != (b.tail, b.tail_axes):
            return False
        if _reads_tail(a, b) or _reads_tail(b, a) or _reads_whole(a, b) or _reads_whole(b, a):
            return False
        return not self.depends([*a.external(), *b.external()], a, b)

    def merge(self, a: Group, b: Group) -> None:
        for node in b.nodes:
            self.group_of[id(node)] = a
        a.nodes = sorted(a.nodes + b.nodes, key=lambda node: self.order[id(node)])
        a.row_axes, a.tail, a.tail_axes = a.row_axes or b.row_axes, a.tail or b.tail, a.tail_axes or b.tail_axes
        a.bits |= b.bits
        a.ancestors |= b.ancestors
        self.groups.remove(b)
        b.merged_into = a

    def place(self, node: Node) -> None:
        candidates: dict[int, Group] = {}
        for x in node.inputs:
            if x.node is not None and id(x.node) in self.group_of:
                candidates.setdefault(id(self.group_of[id(x.node)]), self.group_of[id(x.node)])
        for x in node.inputs:
            # Neighbours that read the same tensor are worth joining where one pass then feeds several reductions.
            for reader in self.readers.get(id(x), []):
                group = reader.whole()
                if group.tail or isinstance(node.operation, Reduction):
                    candidates.setdefault(id(group), group)
        chosen: Group | None = None
        for group in candidates.values():
            if chosen is None:
                if self.fits(node, group) and not self.depends(node.inputs, group):
                    chosen = group
                    self.join(node, group)
            elif group is not chosen and self.mergeable(chosen, group):
                self.merge(chosen, group)
        if chosen is None:
            space = node.inputs[0].shape if isinstance(node.operation, Reduction) else node.outputs[0].shape
            chosen = Group(space)
            self.groups.append(chosen)
            self.join(node, chosen)


def _reads_tail(reader: Group, maker: Group) -> bool:
    if not maker.tail:
        return False
    made = {id(node.outputs[0]) for node in maker.nodes if isinstance(node.operation, Reduction)}
    return any(id(x) in made for node in reader.nodes for x in node.inputs)


def _reads_whole(reader: Group, maker: Group) -> bool:
    """Whether a node reads all elements of what the other group makes point by point."""
    made = {id(output) for node in maker.nodes for output in node.outputs}
    return any(id(node.inputs[at]) in made for node in reader.nodes for at in node.operation.whole)


def fuse(nodes: Sequence[Node], results: Sequence[Tensor]) -> list[Group | Node]:
    """Groups and single nodes in an order in which they can run."""
    fuser = _Fuser(nodes)
    for node in nodes:
        if fusible(node):
            fuser.place(node)
    kept = {id(x) for x in results}
    kept.update(id(x) for node in nodes if id(node) not in fuser.group_of for x in node.inputs)
    _recompute(fuser.groups, {id(x) for x in results})
    _prune(fuser, kept)
    return _schedule(nodes, fuser)


def outputs_of(group: Group, read: set[int]) -> list[Tensor]:
    """The tensors that a group has to store: what is read outside of it and is its own to make."""
    return [y for node in group.nodes if id(node) not in group.recomputed for y in node.outputs if id(y) in read]


def _full_sources(tensor: Tensor, space: tuple[int, ...], depth: int) -> set[int] | None:
    """The tensors of full shape that a cheap elementwise chain reads; None where it is not cheap."""
    node = tensor.node
    if tensor.shape != space:
        return set()
    if node is None or not fusible(node) or isinstance(node.operation, Reduction):
        return {id(tensor)}
    if depth == 0 or node.operation.costly:
        return None
    found: set[int] = set()
    for at, x in enumerate(node.inputs):
        if at in node.operation.shape_only:
            continue
        sources = _full_sources(x, space, depth - 1)
        if sources is None:
            return None
        found |= sources
    return found


def _recompute(groups: Sequence[Group], results: set[int]) -> None:
    """Let groups compute for themselves what another computes by cheap means from at most one tensor of full shape.

    Reading the source costs the same as reading the stored result, and storing it is saved.
    """
    for group in groups:
        whole = {id(node.inputs[at]) for node in group.nodes for at in node.operation.whole}
        pending = [x for x in group.external() if id(x) not in whole]
        while pending:
            tensor = pending.pop()
            node = tensor.node
            if node is None or id(tensor) in results or not fusible(node) or isinstance(node.operation, Reduction):
                continue
            if tensor.shape != group.space or node in group.nodes:
                continue
            sources = _full_sources(tensor, group.space, RECOMPUTED_DEPTH)
            if sources is not None and len(sources) <= 1:
                group.nodes.insert(0, node)
                group.recomputed.add(id(node))
                pending += [x for at, x in enumerate(node.inputs) if at not in node.operation.whole]


def _prune(fuser: _Fuser, kept: set[int]) -> None:
    """Drop the nodes that nobody reads any more, and bring the rest into order."""
    changed = True
    while changed:
        changed = False
        read = set(kept).union(*({id(x) for x in group.external()} for group in fuser.groups))
        for group in fuser.groups:
            used = {id(x) for node in group.nodes for x in node.inputs}
            stored = {id(y) for y in outputs_of(group, read)}
            live = [node for node in group.nodes if any(id(y) in used or id(y) in stored for y in node.outputs)]
            if len(live) < len(group.nodes):
                group.nodes = live
                changed = True
    fuser.groups[:] = [group for group in fuser.groups if group.nodes]
    for group in fuser.groups:
        group.nodes.sort(key=lambda node: fuser.order[id(node)])


def _schedule(nodes: Sequence[Node], fuser: _Fuser) -> list[Group | Node]:
    """Topological order, early nodes of the trace first: what updates Variables is last in a trace and stays there."""
    units: list[Group | Node] = [node for node in nodes if id(node) not in fuser.group_of] + fuser.groups
    maker: dict[int, int] = {}
    key = []
    for at, unit in enumerate(units):
        own = [unit] if isinstance(unit, Node) else [node for node in unit.nodes if fuser.group_of[id(node)] is unit]
        key.append(max(fuser.order[id(node)] for node in own))
        maker.update((id(y), at) for node in own for y in node.outputs)
    waiting = []
    readers: list[list[int]] = [[] for _ in units]
    for at, unit in enumerate(units):
        needs = {maker[id(x)] for x in (unit.inputs if isinstance(unit, Node) else unit.external()) if id(x) in maker}
        waiting.append(len(needs))
        for need in needs:
            readers[need].append(at)
    ready = [(key[at], at) for at, needs in enumerate(waiting) if not needs]
    heapq.heapify(ready)
    order = []
    while ready:
        _, at = heapq.heappop(ready)
        order.append(units[at])
        for reader in readers[at]:
            waiting[reader] -= 1
            if not waiting[reader]:
                heapq.heappush(ready, (key[reader], reader))
    if len(order) < len(units):
        raise GraphError(f"fusion made a cycle of {len(units) - len(order)} groups; this is a defect of layerkit.")
    return order
