"""Loops made smaller before they are lowered: what nobody reads goes, and products that need no turn go out.

A product of a scanned slice and a matrix that stays is one product of all slices before the loop; a product of that
kind that is only stacked is one product of all turns behind it. So a recurrent network's products with its inputs, and
their gradients, are products of large matrices.
"""

from __future__ import annotations

from collections.abc import Sequence

from layerkit.graph.control import Loop
from layerkit.graph.copying import copy_nodes
from layerkit.graph.graph import Graph
from layerkit.graph.node import Node
from layerkit.graph.tensor import Tensor


def live_nodes(nodes: Sequence[Node], read: set[int]) -> list[Node]:
    """The nodes that make what is read, in the given order; `read`, ids of tensors, grows by what these read."""
    kept = []
    for node in reversed(nodes):
        if any(id(y) in read for y in node.outputs):
            read.update(map(id, node.inputs))
            kept.append(node)
    return kept[::-1]


def with_simpler_loops(nodes: Sequence[Node], results: Sequence[Tensor]) -> list[Node]:
    """The nodes that the results depend on, in the given order, with loops cut down to what is read of them."""
    wanted = {id(tensor) for tensor in results}
    kept: list[Node] = []
    for node in reversed(nodes):
        if any(id(output) in wanted for output in node.outputs):
            new = _Loop(node, wanted).nodes() if isinstance(node.operation, Loop) else [node]
            for one in reversed(new):
                wanted.update(id(tensor) for tensor in one.inputs)
                kept.append(one)
    return kept[::-1]


class _Loop:
    """A loop's node, taken apart: pairs of what the body has and what there is around it."""

    def __init__(self, node: Node, wanted: set[int]) -> None:
        self.node, self.loop, body = node, node.operation, node.operation.body
        count, scanned = self.loop.carried, self.loop.scanned
        inputs = list(zip(body.inputs, node.inputs, strict=True))
        outputs = list(zip(body.outputs, node.outputs, strict=True))
        self.carried = [(*own, *given) for own, given in zip(inputs[:count], outputs[:count], strict=True)]
        self.scanned, self.taken = inputs[count : count + scanned], inputs[count + scanned :]
        self.results = [(own, y) for own, y in outputs[count:] if id(y) in wanted]
        self.body_nodes = list(body.nodes)
        self._around = {id(own): outer for own, outer in self.taken}
        self._makers = {id(y): one for one in body.nodes for y in one.outputs}
        self._drop_unread(wanted)

    def nodes(self) -> list[Node]:
        """The nodes that take the loop's place."""
        before = self._take_out_products_of_slices()
        behind = self._take_out_stacked_products()
        body = Graph()
        stands_for: dict[int, Tensor] = {}
        for own in [one[0] for one in (*self.carried, *self.scanned, *self.taken)]:
            stands_for[id(own)] = body.placeholder(own.shape, own.dtype, own.name)
        with body.recording():
            copy_nodes(self.body_nodes, stands_for)
        outputs = [new for _, _, new, _ in self.carried] + [own for own, _ in self.results]
        body.outputs = [stands_for.get(id(x), x) for x in outputs]
        loop = Loop(body, len(self.carried), len(self.scanned), self.loop.turns, self.loop.reverse)
        inputs = [one[1] for one in (*self.carried, *self.scanned, *self.taken)]
        given = [last for _, _, _, last in self.carried] + [y for _, y in self.results]
        return [*before, Node(loop, inputs, given, self.node.path, linked=False), *behind]

    def _drop_unread(self, wanted: set[int]) -> None:
        """Keep what the wanted outputs need, over any number of turns."""
        read = {id(own) for own, _ in self.results}
        read.update(id(new) for _, _, new, last in self.carried if id(last) in wanted)
        while True:
            live = set(read)
            nodes = live_nodes(self.body_nodes, live)
            also = {id(new) for old, _, new, _ in self.carried if id(old) in live}
            if also <= read:
                break
            read |= also
        self.body_nodes = nodes
        self.carried = [one for one in self.carried if id(one[0]) in live or id(one[3]) in wanted]
        self.scanned = [one for one in self.scanned if id(one[0]) in live]
        self.taken = [one for one in self.taken if id(one[0]) in live]

    def _take_out_products_of_slices(self) -> list[Node]:
        before: list[Node] = []
        slices = {id(own): whole for own, whole in self.scanned}
        for node in self.body_nodes:
            product = self._product(node)
            if product is None or id(node.inputs[0]) not in slices:
                continue
            y = node.outputs[0]
            stack = Tensor((self.loop.turns, *y.shape), y.dtype)
            matrix = self._outside(product, before)
            before.append(Node(node.operation, [slices[id(node.inputs[0])], matrix], [stack], node.path, linked=False))
            self.scanned.append((y, stack))
        taken_out = {id(own) for own, _ in self.scanned}
        self.body_nodes = [node for node in self.body_nodes if id(node.outputs[0]) not in taken_out]
        self._forget_unread()
        return before

    def _take_out_stacked_products(self) -> list[Node]:
        behind: list[Node] = []
        read = [x for node in self.body_nodes for x in node.inputs] + [new for _, _, new, _ in self.carried]
        read = {id(x) for x in read}
        makers = {id(y): node for node in self.body_nodes for y in node.outputs}
        results, self.results = self.results, []
        for own, y in results:
            node = makers.get(id(own))
            product = None if node is None or id(own) in read else self._product(node)
            if product is None or sum(own is other for other, _ in results) > 1:
                self.results.append((own, y))
                continue
            rows = node.inputs[0]
            stack = next((stack for other, stack in (*results, *self.results) if other is rows), None)
            if stack is None:
                stack = Tensor((self.loop.turns, *rows.shape), rows.dtype)
                self.results.append((rows, stack))
            matrix = self._outside(product, behind)
            behind.append(Node(node.operation, [stack, matrix], [y], node.path, linked=False))
            self.body_nodes = [one for one in self.body_nodes if one is not node]
        self._forget_unread()
        return behind

    def _product(self, node: Node) -> Tensor | None:
        """The right factor of a product of two matrices, where that is the same in all turns."""
        if type(node.operation).__name__ != "MatMul" or any(x.ndim != 2 for x in node.inputs):
            return None
        right = node.inputs[1]
        return right if self._constant(right) else None

    def _constant(self, x: Tensor) -> bool:
        if not x.symbolic or id(x) in self._around:
            return True
        maker = self._makers.get(id(x))
        return maker is not None and type(maker.operation).__name__ == "Transpose" and self._constant(maker.inputs[0])

    def _outside(self, x: Tensor, nodes: list[Node]) -> Tensor:
        """What stands for a constant of the body around the loop."""
        if id(x) in self._around or not x.symbolic:
            return self._around.get(id(x), x)
        maker = self._makers[id(x)]
        made = Tensor(x.shape, x.dtype)
        nodes.append(Node(maker.operation, [self._outside(maker.inputs[0], nodes)], [made], maker.path, linked=False))
        return made

    def _forget_unread(self) -> None:
        read = {id(new) for _, _, new, _ in self.carried} | {id(own) for own, _ in self.results}
        self.body_nodes = live_nodes(self.body_nodes, read)
        self.scanned = [one for one in self.scanned if id(one[0]) in read]
        self.taken = [one for one in self.taken if id(one[0]) in read]
