"""The gradient of a choice between bodies: a choice between the bodies' gradients, by the same index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import is_float
from layerkit.graph.copying import copy_nodes
from layerkit.graph.gradients import gradients
from layerkit.graph.graph import Graph
from layerkit.graph.operation import Operation
from layerkit.graph.tensor import Tensor


def branch_gradient(
    branches: Sequence[Graph], g: Sequence[Tensor | None], index: Tensor, taken: Sequence[Tensor]
) -> list[Tensor | None]:
    """The gradient of each tensor that the branches take from around them.

    Each branch's gradient computes the branch again: what one of them would keep, the others don't have.
    """
    given = [at for at, one in enumerate(g) if one is not None]
    floats = [at for at, x in enumerate(taken) if is_float(x.dtype)]
    backs, found = [], []
    for branch in branches:
        back = Graph()
        inputs = [back.placeholder(x.shape, x.dtype) for x in taken]
        weights = [back.placeholder(g[at].shape, g[at].dtype) for at in given]
        with back.recording():
            stands_for = dict(zip(map(id, branch.inputs), inputs, strict=True))
            copy_nodes(branch.nodes, stands_for)
            outputs = [stands_for.get(id(branch.outputs[at]), branch.outputs[at]) for at in given]
            found.append(gradients(outputs, [inputs[at] for at in floats], weights))
        backs.append(back)
    needed = [k for k in range(len(floats)) if any(one[k] is not None for one in found)]
    if not needed:
        return [None] * len(taken)
    for back, one in zip(backs, found, strict=True):
        back.outputs = [
            one[k] if one[k] is not None else Tensor.of(np.zeros(taken[floats[k]].shape, taken[floats[k]].dtype))
            for k in needed
        ]
    made = Operation.registry["Branch"](tuple(backs))(index, *taken, *(g[at] for at in given))
    back_of = dict(zip((floats[k] for k in needed), [made] if len(needed) == 1 else made, strict=True))
    return [back_of.get(at) for at in range(len(taken))]
