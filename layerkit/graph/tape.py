"""Tape: remembers what operations were applied to, outside of a trace as well, for gradients."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from layerkit.graph.node import Node

if TYPE_CHECKING:
    from layerkit.graph.operation import Operation
    from layerkit.graph.tensor import Tensor
    from layerkit.graph.variable import Variable

_local = threading.local()


class Tape:
    """The nodes that follow from watched tensors and variables, of the thread that records.

    Nodes of eager tensors are linked here and not from the tensors: when the tape goes, what it remembers goes.

    Args:
        all_variables: whether every trainable variable that is read is watched.

    Attributes:
        reads: Variable -> the tensors of its value that were read, in order.
    """

    def __init__(self, all_variables: bool = True) -> None:
        self.all_variables = all_variables
        self.reads: dict[Variable, list[Tensor]] = {}
        self._watched: dict[int, Tensor] = {}
        self._watched_variables: set[Variable] = set()
        self._makers: dict[int, Node] = {}

    @contextmanager
    def recording(self) -> Iterator[Tape]:
        """Operations inside are remembered where they follow from what is watched."""
        before = _tapes()
        _local.tapes = (*before, self)
        try:
            yield self
        finally:
            _local.tapes = before

    def watch(self, tensor: Tensor) -> None:
        """Follow a tensor."""
        self._watched[id(tensor)] = tensor

    def watch_variable(self, variable: Variable) -> None:
        """Follow a variable, trainable or not."""
        self._watched_variables.add(variable)

    def maker(self, tensor: Tensor) -> Node | None:
        """The remembered node that gave a tensor."""
        return self._makers.get(id(tensor))

    def note_read(self, variable: Variable, tensor: Tensor) -> None:
        """A variable's value was read as this tensor."""
        if (self.all_variables and variable.trainable) or variable in self._watched_variables:
            read = self.reads.setdefault(variable, [])
            if not any(one is tensor for one in read):
                read.append(tensor)
            self.watch(tensor)

    def follows(self, inputs: Sequence[Tensor]) -> bool:
        """Whether one of the tensors is watched, or comes from a watched one."""
        return any(id(x) in self._watched or id(x) in self._makers for x in inputs)

    def note(self, node: Node) -> None:
        """Remember a node."""
        for output in node.outputs:
            self._makers[id(output)] = node

    def forget(self) -> None:
        """Drop all that is remembered."""
        self.reads, self._watched, self._makers = {}, {}, {}


def _tapes() -> tuple[Tape, ...]:
    return getattr(_local, "tapes", ())


def taping() -> bool:
    """Whether this thread records a tape."""
    return bool(_tapes())


@contextmanager
def not_taping() -> Iterator[None]:
    """Nothing inside is remembered by any tape."""
    before = _tapes()
    _local.tapes = ()
    try:
        yield
    finally:
        _local.tapes = before


def note_application(operation: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor], path: str) -> None:
    """An operation was applied: the tapes that follow its inputs remember it."""
    following = [tape for tape in _tapes() if tape.follows(inputs)]
    if following:
        node = Node(operation, inputs, outputs, path, linked=False)
        for tape in following:
            tape.note(node)


def note_read(variable: Variable, tensor: Tensor) -> Tensor:
    """A variable was read; gives the tensor."""
    for tape in _tapes():
        tape.note_read(variable, tensor)
    return tensor
