"""The gradient of a loop: a loop over the turns in the opposite order.

The forward loop stacks what its gradient needs (it is asked to keep more results); cheap elementwise steps are computed
again instead. Gradients of what the body takes from around it, as weights, add up over the turns: as a carried value,
or, where each turn adds a matrix product, as one product over all turns after the loop.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from layerkit.dtypes import is_float
from layerkit.graph.copying import copy_nodes
from layerkit.graph.gradients import gradients
from layerkit.graph.graph import Graph
from layerkit.graph.node import Node
from layerkit.graph.operation import Elementwise, Operation, View
from layerkit.graph.tensor import Tensor


def loop_gradient(g: Sequence[Tensor | None], y: Sequence[Tensor], x: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradient of each input of a loop.

    Args:
        g: the gradient of each output, None where there is none.
        y: the outputs. Their node is given more outputs where the gradient needs more.
        x: the inputs.
    """
    return _Backward(g, y[0].node, x).gradients()


class _Backward:
    """Builds the backward body and the loop that runs it."""

    def __init__(self, g: Sequence[Tensor | None], node: Node, x: Sequence[Tensor]) -> None:
        self.node, self.x, self.g = node, x, g
        self.loop = node.operation
        self.forward: Graph = self.loop.body
        carried, scanned = self.loop.carried, self.loop.scanned
        inputs, outputs = self.forward.inputs, self.forward.outputs
        self.scanned, self.taken = inputs[carried : carried + scanned], inputs[carried + scanned :]
        self.place = {id(one): at for at, one in enumerate(inputs)}
        self.carried_places = [at for at in range(carried) if is_float(inputs[at].dtype)]
        self.result_places = [at for at in range(carried, len(g)) if g[at] is not None]
        self.back = Graph()
        self.g_carried = [Tensor(inputs[at].shape, inputs[at].dtype) for at in self.carried_places]
        self.g_results = [Tensor(outputs[at].shape, outputs[at].dtype) for at in self.result_places]

    def gradients(self) -> list[Tensor | None]:
        inputs, outputs = self.forward.inputs, self.forward.outputs
        wrt = [one for one in inputs if is_float(one.dtype)]
        with self.back.recording():
            targets = [outputs[at] for at in (*self.carried_places, *self.result_places)]
            found = dict(zip(wrt, gradients(targets, wrt, [*self.g_carried, *self.g_results]), strict=True))
        # Only now, for loops inside of the body were asked to keep more.
        self.made = {id(one): maker for maker in self.forward.nodes for one in maker.outputs}
        carried = [found.get(inputs[at]) for at in self.carried_places]
        carried = [_zeros(old) if new is None else new for old, new in zip(self.g_carried, carried, strict=True)]
        scanned_floats = [one for one in self.scanned if found.get(one) is not None]
        taken_floats = [one for one in self.taken if found.get(one) is not None]
        elsewhere = {*self.made, *self.place, *map(id, self.g_results)}
        sums = _Sums(self.back, [found[one] for one in taken_floats], elsewhere, {id(one) for one in self.taken})
        self.back.outputs = [*carried, *sums.new, *(found[one] for one in scanned_floats), *sums.stacked]

        scanned, taken = self._supply()
        self.back.inputs = [*self.g_carried, *sums.old, *scanned, *self.g_results, *taken]
        sizes = len(carried) + len(sums.old), len(scanned) + len(self.g_results)
        loop = Operation.registry["Loop"](self.back, *sizes, self.loop.turns, not self.loop.reverse)
        first = [_zeros(inputs[at]) if self.g[at] is None else self.g[at] for at in self.carried_places]
        g_results = [self.g[at] for at in self.result_places]
        given = loop.as_list(loop(*first, *map(_zeros, sums.old), *scanned.values(), *g_results, *taken.values()))

        given = iter(given)
        g_of = dict(zip((inputs[at] for at in self.carried_places), given, strict=False))
        totals = list(itertools.islice(given, len(sums.old)))
        g_of.update(zip(scanned_floats, given, strict=False))
        stack_of = dict(zip(map(id, sums.stacked), given, strict=True))
        stack_of.update(zip(map(id, self.g_results), g_results, strict=True))
        stack_of.update(zip(map(id, sums.outside), self._histories(sums.outside), strict=True))
        g_of.update(zip(taken_floats, sums.totals(totals, stack_of), strict=True))
        return [g_of.get(one) for one in inputs]

    def _histories(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """What tensors of the forward body were in all turns, [turns, ...]; the gradients of results have theirs."""
        stack_of = {id(one): self.g[at] for one, at in zip(self.g_results, self.result_places, strict=True)}
        stack_of.update((id(one), self.x[self.place[id(one)]]) for one in self.scanned)
        kept = [one for one in tensors if id(one) not in stack_of]
        stack_of.update(zip(map(id, kept), _keep(self.node, kept), strict=True))
        return [stack_of[id(one)] for one in tensors]

    def _supply(self) -> tuple[dict[Tensor, Tensor], dict[Tensor, Tensor]]:
        """Give the backward body all that it reads of the forward body.

        Returns what it scans and what it takes: its own tensor -> the tensor around it.
        """
        read = [x for node in self.back.nodes for x in node.inputs] + self.back.outputs
        wanted = self._of_forward(read)
        again = _recomputed(wanted, self.made)
        recomputed = {id(y) for node in again for y in node.outputs}
        sources = wanted + self._of_forward([x for node in again for x in node.inputs])
        sources = [x for x in {id(x): x for x in sources}.values() if id(x) not in recomputed]
        taken_places = {id(one) for one in self.taken}
        own = {id(x): Tensor(x.shape, x.dtype) for x in sources}
        scanned = [x for x in sources if id(x) not in taken_places]
        taken = [x for x in sources if id(x) in taken_places]
        order = [node for node in self.forward.nodes if any(node is one for one in again)]
        self._substitute(order, dict(own))
        histories = dict(zip((own[id(x)] for x in scanned), self._histories(scanned), strict=True))
        return histories, {own[id(x)]: self.x[self.place[id(x)]] for x in taken}

    def _of_forward(self, tensors: Iterable[Tensor]) -> list[Tensor]:
        return list({id(x): x for x in tensors if id(x) in self.made or id(x) in self.place}.values())

    def _substitute(self, recomputed: Iterable[Node], own: dict[int, Tensor]) -> None:
        """Put the body's own tensors, and nodes computed again, in the place of the forward body's."""
        before, self.back.nodes = self.back.nodes, []
        with self.back.recording():
            copy_nodes(recomputed, own)
        for node in before:
            node.inputs = tuple(own.get(id(x), x) for x in node.inputs)
        self.back.nodes += before
        self.back.outputs = [own.get(id(x), x) for x in self.back.outputs]


def _zeros(like: Tensor) -> Tensor:
    return Tensor.of(np.broadcast_to(np.zeros((), like.dtype), like.shape))


def _recomputed(wanted: Sequence[Tensor], made: dict[int, Node]) -> list[Node]:
    """The forward nodes that the backward body computes again.

    Those are cheap ones that need no more than one tensor that is not kept anyway.
    """
    kept = {id(x) for x in wanted if id(x) in made and not _cheap(made[id(x)])}
    again: dict[int, Node] = {}
    for x in wanted:
        if id(x) not in made or id(x) in kept:
            continue
        nodes, sources = _chain(x, made)
        if len(sources - kept) > 1:
            kept.add(id(x))
        else:
            kept |= sources
            again.update((id(node), node) for node in nodes)
    return [node for node in again.values() if not any(id(y) in kept for y in node.outputs)]


def _cheap(node: Node) -> bool:
    operation = node.operation
    if isinstance(operation, View):
        return True
    return isinstance(operation, Elementwise) and bool(operation.scalar) and not operation.costly


def _chain(x: Tensor, made: dict[int, Node]) -> tuple[list[Node], set[int]]:
    """The cheap nodes behind a tensor, and what they begin with of what other nodes of the body make (as ids)."""
    nodes: list[Node] = []
    sources: set[int] = set()
    pending = [x]
    while pending:
        tensor = pending.pop()
        node = made.get(id(tensor))
        if node is None or any(node is one for one in nodes):
            continue
        if _cheap(node):
            nodes.append(node)
            pending += node.inputs
        else:
            sources.add(id(tensor))
    return nodes, sources


def _keep(node: Node, tensors: Sequence[Tensor]) -> list[Tensor]:
    """Have a loop stack tensors of its body too; gives the stacks [turns, ...]."""
    loop = node.operation
    places = {id(x): at for at, x in enumerate(loop.body.outputs) if at >= loop.carried}
    new = [x for x in tensors if id(x) not in places]
    if new:
        body = Graph()
        body.inputs, body.nodes = loop.body.inputs, loop.body.nodes
        body.outputs = [*loop.body.outputs, *new]
        places.update((id(x), len(loop.body.outputs) + at) for at, x in enumerate(new))
        node.operation = type(loop)(**{**loop.attributes(), "body": body})
        stacks = [Tensor((loop.turns, *x.shape), x.dtype) for x in new]
        for at, stack in enumerate(stacks, len(node.outputs)):
            stack.node, stack.index = node, at
        node.outputs = (*node.outputs, *stacks)
    return [node.outputs[places[id(x)]] for x in tensors]


class _Sums:
    """The sums over all turns of tensors that a backward body makes.

    Products of matrices are not summed turn by turn: their factors are stacked, and one product over all turns is made
    after the loop. So are sums over rows of tensors that are stacked anyway.

    Attributes:
        old, new: carried values of the loop, before and after a turn.
        stacked: results of the loop.
        outside: tensors of other bodies whose stacks are needed.
    """

    def __init__(self, body: Graph, tensors: Sequence[Tensor], elsewhere: set[int], constant: set[int]) -> None:
        self.old: list[Tensor] = []
        self.new: list[Tensor] = []
        self.stacked: list[Tensor] = []
        self.outside: list[Tensor] = []
        self._made = {id(y) for node in body.nodes for y in node.outputs}
        self._elsewhere, self._constant = elsewhere, constant
        self._parts: list[_Parts] = [_Parts() for _ in tensors]
        pending: list[list[Tensor]] = []
        for tensor, parts in zip(tensors, self._parts, strict=True):
            terms = list(self._terms(tensor))
            parts.products = [found for term in terms if (found := self._product(term)) is not None]
            for left, right, _ in parts.products:
                self._stack(left)
                self._stack(right)
            pending.append([term for term in terms if self._product(term) is None])
        for tensor, parts, terms in zip(tensors, self._parts, pending, strict=True):
            parts.row_sums = [found for term in terms if (found := self._row_sum(term)) is not None]
            rest = [term for term in terms if self._row_sum(term) is None]
            if rest:
                parts.carried = len(self.old)
                self.old.append(Tensor(tensor.shape, tensor.dtype))
                with body.recording():
                    self.new.append(sum(rest, start=self.old[-1]))

    def totals(self, carried: Sequence[Tensor], stack_of: dict[int, Tensor]) -> list[Tensor]:
        """The sums, of what the loop gave: the carried values and, by the ids of tensors, the stacks."""
        given = []
        for parts in self._parts:
            terms = [] if parts.carried is None else [carried[parts.carried]]
            for left, right, transposed in parts.products:
                terms.append(_product_over_turns(stack_of[id(left)], stack_of[id(right)], transposed))
            for source, axes, shape in parts.row_sums:
                total = Operation.registry["Sum"]((0, *(axis + 1 for axis in axes)))(stack_of[id(source)])
                terms.append(Operation.registry["Reshape"](shape)(total))
            given.append(sum(terms[1:], start=terms[0]))
        return given

    def _stack(self, x: Tensor) -> None:
        stacks = self.outside if id(x) in self._elsewhere else self.stacked
        if all(x is not one for one in stacks):
            stacks.append(x)

    def _terms(self, tensor: Tensor) -> Iterable[Tensor]:
        """The summands of a tensor that additions in the body make."""
        if self._by(tensor, "Add") and all(x.shape == tensor.shape for x in tensor.node.inputs):
            for x in tensor.node.inputs:
                yield from self._terms(x)
        else:
            yield tensor

    def _by(self, tensor: Tensor, name: str) -> bool:
        return id(tensor) in self._made and type(tensor.node.operation).__name__ == name

    def _product(self, term: Tensor) -> tuple[Tensor, Tensor, bool] | None:
        """The factors of a product of two matrices; whether the left one is still to be transposed."""
        if not self._by(term, "MatMul"):
            return None
        left, right = term.node.inputs
        transposed = self._by(left, "Transpose")
        if transposed:
            (left,) = left.node.inputs
        if any(x.ndim != 2 or not x.symbolic or id(x) in self._constant for x in (left, right)):
            return None
        return left, right, transposed

    def _row_sum(self, term: Tensor) -> tuple[Tensor, tuple[int, ...], tuple[int, ...]] | None:
        """The source, the axes and the shape of a sum of a tensor that is stacked."""
        shape = term.shape
        while self._by(term, "Reshape"):
            (term,) = term.node.inputs
        if not self._by(term, "Sum"):
            return None
        (source,) = term.node.inputs
        if all(source is not one for one in (*self.stacked, *self.outside)):
            return None
        return source, term.node.operation.axes, shape


class _Parts:
    """What the sum of one tensor is put together of."""

    def __init__(self) -> None:
        self.carried: int | None = None
        self.products: list[tuple[Tensor, Tensor, bool]] = []
        self.row_sums: list[tuple[Tensor, tuple[int, ...], tuple[int, ...]]] = []


def _product_over_turns(left: Tensor, right: Tensor, transposed: bool) -> Tensor:
    """The sum over turns of left[t] @ right[t] (of left[t].T @ right[t] where still to be transposed)."""
    reshape, transpose = Operation.registry["Reshape"], Operation.registry["Transpose"]
    turns, rows, columns = right.shape
    if transposed:
        left = transpose((1, 0))(reshape((turns * rows, left.shape[2]))(left))
    else:
        left = reshape((left.shape[1], turns * rows))(transpose((1, 0, 2))(left))
    return Operation.registry["MatMul"]()(left, reshape((turns * rows, columns))(right))
