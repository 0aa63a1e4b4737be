"""Gradients as one writes them: rules of one's own, and directional derivatives."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.dtypes import is_float
from layerkit.errors import GraphError, ShapeError
from layerkit.graph.gradients import gradients
from layerkit.graph.operation import Composite, Spec, as_tensor
from layerkit.graph.tape import Tape
from layerkit.graph.tensor import Tensor
from layerkit.ops.shape import zeros


class CustomGradient(Composite):
    """The values of a function with a gradient rule of its own.

    Inputs: the function's arguments, then the tensors that it gave. Outputs: these.
    """

    rule: Callable
    arguments: int
    count: int

    @property
    def outputs(self) -> int:
        """How many outputs there are."""
        return self.count

    def infer(self, *x: Tensor) -> Spec | list[Spec]:
        specs = [(y.shape, y.dtype) for y in x[self.arguments :]]
        return specs[0] if self.count == 1 else specs

    def reference(self, *x: np.ndarray) -> np.ndarray | Sequence[np.ndarray]:
        return x[self.arguments] if self.count == 1 else x[self.arguments :]

    def expand(self, *x: Tensor) -> Tensor | Sequence[Tensor]:
        return x[self.arguments] if self.count == 1 else x[self.arguments :]

    def gradient(self, g: Any, y: Any, *x: Tensor) -> list[Tensor | None]:
        g, y = ([g], [y]) if self.count == 1 else (g, y)
        upstream = [zeros(one.shape, one.dtype) if of is None else of for of, one in zip(g, y, strict=True)]
        given = self.rule(*upstream)
        given = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(given) != self.arguments:
            raise GraphError(
                f"ops.custom_gradient: the function has {self.arguments} tensor arguments, "
                f"its gradient function gave {len(given)} gradients."
            )
        found = [None if one is None else as_tensor(one) for one in given]
        for at, (one, argument) in enumerate(zip(found, x, strict=False)):
            if one is not None and one.shape != argument.shape:
                raise ShapeError(
                    f"ops.custom_gradient: the gradient of argument {at} has shape {one.shape}; "
                    f"the argument has {argument.shape}."
                )
        return found + [None] * self.count


def custom_gradient(f: Callable) -> Callable:
    """A decorator of a function that states its own gradient.

    The function gives its result (a tensor or a structure of them) and a function that takes the result's gradient, of
    each tensor one, and gives the gradients of the function's tensor arguments.

    >>> import numpy as np
    >>> from layerkit import GradientTape, ops
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> x = ops.array(np.float32(100))
    >>> with GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = log1pexp(x)
    >>> tape.gradient(y, x).item()
    1.0
    """

    @functools.wraps(f)
    def with_own_gradient(*args: Any, **kwargs: Any) -> Any:
        args = tree.map_structure(lambda x: as_tensor(x) if hasattr(x, "__array__") else x, args)
        tensors = [x for x in tree.flatten(args) if isinstance(x, Tensor)]
        given = f(*args, **kwargs)
        if not isinstance(given, tuple) or len(given) != 2 or not callable(given[1]):
            raise TypeError(
                "ops.custom_gradient: the function has to give its result and a gradient function, as a tuple."
            )
        result, rule = given
        flat = [as_tensor(y) for y in tree.flatten(result)]
        made = CustomGradient(rule, len(tensors), len(flat))(*tensors, *flat)
        return tree.pack_sequence_as(result, [made] if len(flat) == 1 else made)

    return with_own_gradient


def jvp(fun: Callable, primals: Sequence, tangents: Sequence, has_aux: bool = False) -> tuple:
    """A function's value and its derivative along a direction, the Jacobian-vector product.

    Args:
        fun: takes the primals and gives a tensor or a structure of tensors; with has_aux a pair of that and anything.
        primals: its arguments, tensors or structures of float tensors.
        tangents: the direction, of the same structure and shapes.
        has_aux: whether fun gives something besides, that is given too.

    Returns:
        The value, its derivative, and with has_aux what fun gave besides.

    Computed by differentiating the gradient, which is linear in its weights, by them.

    >>> import numpy as np
    >>> y, slope = jvp(lambda x: x * x, (np.float32(3),), (np.float32(1),))
    >>> y.item(), slope.item()
    (9.0, 6.0)
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TypeError("ops.jvp: primals and tangents have to be tuples or lists with an entry for each argument.")
    tree.assert_same_structure(list(primals), list(tangents))
    own = tree.map_structure(_own, list(primals))
    x, directions = tree.flatten(own), [as_tensor(t) for t in tree.flatten(tangents)]
    for one, t in zip(x, directions, strict=True):
        if one.shape != t.shape or not is_float(one.dtype):
            raise ShapeError(
                f"ops.jvp: tangents have the shapes of float primals; got {t.dtype}{list(t.shape)} "
                f"for {one.dtype}{list(one.shape)}."
            )
    inner, outer = Tape(all_variables=False), Tape(all_variables=False)
    with inner.recording():
        for one in x:
            inner.watch(one)
        given = fun(*own)
    value, aux = given if has_aux else (given, None)
    y = [as_tensor(one) for one in tree.flatten(value)]
    weights = [zeros(one.shape, one.dtype) for one in y]
    with outer.recording():
        for one in weights:
            outer.watch(one)
        found = gradients(y, x, weights, inner.maker)
    back = [(g, t) for g, t in zip(found, directions, strict=True) if g is not None]
    along = gradients([g for g, _ in back], weights, [t for _, t in back], outer.maker)
    along = [zeros(one.shape, one.dtype) if g is None else g for g, one in zip(along, y, strict=True)]
    result = tree.pack_sequence_as(value, y), tree.pack_sequence_as(value, along)
    return (*result, aux) if has_aux else result


def _own(x: Any) -> Tensor:
    """The same values as a tensor that nothing else is."""
    x = as_tensor(x)
    return Composite.registry["Reshape"](x.shape)(x)
