"""Questions about tensors."""

from __future__ import annotations

from typing import Any

from layerkit.graph import Tensor


def is_keras_tensor(x: Any) -> bool:
    """Whether x is a symbolic tensor, as `Input` gives, without values.

    >>> from layerkit import Input
    >>> is_keras_tensor(Input((2,))), is_keras_tensor([1.0])
    (True, False)
    """
    return isinstance(x, Tensor) and x.symbolic


def get_source_inputs(tensor: Any) -> list[Any]:
    """The inputs that a symbolic tensor is computed from, each once, in the order of their use.

    >>> from layerkit import Input
    >>> a, b = Input((2,)), Input((2,))
    >>> [source is one for source, one in zip(get_source_inputs((a + b) * a), (a, b))]
    [True, True]
    """
    if not is_keras_tensor(tensor):
        return tensor
    found: dict[int, Tensor] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        x = waiting.pop()
        if x.node is None or not x.node.inputs:
            found.setdefault(id(x), x)
        elif id(x.node) not in seen:
            seen.add(id(x.node))
            waiting.extend(reversed([one for one in x.node.inputs if is_keras_tensor(one)]))
    return list(found.values())
