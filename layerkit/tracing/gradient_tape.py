"""GradientTape, grad and value_and_grad: gradients of what was just computed, traced or not."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from layerkit import ops, tree
from layerkit.dtypes import is_float
from layerkit.errors import ShapeError
from layerkit.graph.gradients import gradients
from layerkit.graph.operation import as_tensor
from layerkit.graph.tape import Tape
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable


class GradientTape:
    """Records what is computed inside its `with`, and gives gradients of it.

    Args:
        persistent: whether gradients may be asked for more than once.
        watch_accessed_variables: whether every trainable Variable that is read is followed; tensors have to be watched.

    Works on arrays and inside a traced function alike; tapes may be nested for gradients of gradients.

    >>> import numpy as np
    >>> from layerkit import Variable
    >>> x = Variable(np.float32(3))
    >>> with GradientTape() as tape:
    ...     y = x * x
    >>> tape.gradient(y, x).item()
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._tape = Tape(watch_accessed_variables)
        self._recording: ExitStack | None = None
        self._used = False

    def __enter__(self) -> GradientTape:
        if self._recording is not None:
            raise ValueError("This GradientTape is recording already.")
        self._recording = ExitStack()
        self._recording.enter_context(self._tape.recording())
        return self

    def __exit__(self, *error: object) -> None:
        if self._recording is not None:
            self._recording.close()
            self._recording = None

    def watch(self, tensor: Any) -> None:
        """Follow a tensor, a Variable, or a structure of them. Raises TypeError for anything else."""
        for one in tree.flatten(tensor):
            if isinstance(one, Variable):
                self._tape.watch_variable(one)
            elif not isinstance(one, Tensor):
                raise TypeError(
                    f"GradientTape.watch follows tensors and Variables; got {type(one).__name__}. "
                    "Make one with ops.convert_to_tensor, and compute with that."
                )
            elif not is_float(one.dtype):
                raise TypeError(f"GradientTape.watch follows float tensors; got one of dtype {one.dtype}.")
            else:
                self._tape.watch(one)

    def watched_variables(self) -> tuple[Variable, ...]:
        """The Variables that were read while they were followed."""
        return tuple(self._tape.reads)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Nothing inside is recorded by this tape."""
        if self._recording is None:
            raise ValueError("This GradientTape is not recording.")
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def reset(self) -> None:
        """Forget all that was recorded."""
        self._tape.forget()

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """The gradient of the sum of the targets by each source.

        Args:
            target: a tensor or a structure of tensors that were computed inside.
            sources: tensors or Variables, or a structure of them.
            output_gradients: what each target is weighted with, of the targets' shapes; None: ones.
            unconnected_gradients: "none" gives None for a source that the targets do not depend on, "zero" zeros.

        Returns:
            Gradients in the structure of the sources.
        """
        targets = [as_tensor(x) for x in tree.flatten(target)]
        weights = None if output_gradients is None else [as_tensor(x) for x in tree.flatten(output_gradients)]
        self._check(sources, unconnected_gradients)
        if weights is not None:
            for y, weight in zip(targets, weights, strict=True):
                if y.shape != weight.shape:
                    raise ShapeError(f"output_gradients: a target has shape {y.shape}, its weights {weight.shape}.")
        self._use()
        found = self._gradients(targets, tree.flatten(sources), weights)
        if not self._persistent:
            self._tape.forget()
        if unconnected_gradients == "zero":
            found = [ops.zeros_like(x) if g is None else g for g, x in zip(found, tree.flatten(sources), strict=True)]
        return tree.pack_sequence_as(sources, found)

    def jacobian(self, target: Tensor, sources: Any, unconnected_gradients: str = "none") -> Any:
        """The derivative of each element of the target by each of each source: [*target, *source]."""
        target = as_tensor(target)
        return self._rows(
            target, sources, unconnected_gradients, ops.eye(target.size, dtype=target.dtype), target.shape
        )

    def batch_jacobian(self, target: Tensor, source: Tensor, unconnected_gradients: str = "none") -> Tensor | None:
        """Of each sample the derivative of the target [N, ...] by the source [N, ...]: [N, *target, *source].

        Samples may not depend on each other.
        """
        target = as_tensor(target)
        if not target.ndim or not source.ndim or target.shape[0] != source.shape[0]:
            raise ShapeError(f"batch_jacobian: target {target.shape} and source {source.shape} have no common samples.")
        size = target.size // max(target.shape[0], 1)
        rows = ops.repeat(ops.expand_dims(ops.eye(size, dtype=target.dtype), 1), target.shape[0], axis=1)
        found = self._rows(target, source, unconnected_gradients, rows, (size,))
        if found is None:
            return None
        return ops.reshape(ops.moveaxis(found, 0, 1), (*target.shape, *source.shape[1:]))

    def _rows(self, target: Tensor, sources: Any, unconnected: str, rows: Tensor, shape: Sequence[int]) -> Any:
        """The gradient for each of some weights of the target."""
        self._check(sources, unconnected)
        self._use()
        flat = tree.flatten(sources)
        found = ops.map(lambda row: self._gradients([target], flat, [ops.reshape(row, target.shape)]), rows)
        if not self._persistent:
            self._tape.forget()
        found = [
            ops.zeros((*shape, *x.shape), target.dtype)
            if g is None and unconnected == "zero"
            else None
            if g is None
            else ops.reshape(g, (*shape, *x.shape))
            for g, x in zip(found, flat, strict=True)
        ]
        return tree.pack_sequence_as(sources, found)

    def _gradients(
        self, targets: Sequence[Tensor], sources: Sequence[Any], weights: Sequence[Tensor] | None
    ) -> list[Tensor | None]:
        tensors = [self._tape.reads.get(x, []) if isinstance(x, Variable) else [x] for x in sources]
        found = iter(gradients(targets, [x for own in tensors for x in own], weights, self._tape.maker))
        sums = []
        for own in tensors:
            parts = [g for g in (next(found) for _ in own) if g is not None]
            sums.append(sum(parts[1:], start=parts[0]) if parts else None)
        return sums

    def _check(self, sources: Any, unconnected_gradients: str) -> None:
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"unconnected_gradients is 'none' or 'zero'; got {unconnected_gradients!r}.")
        for x in tree.flatten(sources):
            if not isinstance(x, (Tensor, Variable)):
                raise TypeError(f"sources are tensors and Variables; got {type(x).__name__}.")

    def _use(self) -> None:
        if self._used and not self._persistent:
            raise RuntimeError(
                "A GradientTape gives gradients once. Make it with persistent=True to ask for them several times."
            )
        self._used = True


def value_and_grad(fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable:
    """A function that gives a function's value and its gradient.

    Args:
        fun: gives a scalar; with has_aux a pair of that and anything.
        argnums: by which arguments, by their positions; each is a tensor or a structure of tensors or Variables.
        has_aux: whether fun gives something besides: then the value is the pair.

    >>> import numpy as np
    >>> value, slope = value_and_grad(lambda x: x * x)(np.float32(3))
    >>> value.item(), slope.item()
    (9.0, 6.0)
    """
    places = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(fun)
    def computing(*args: Any, **kwargs: Any) -> tuple:
        if any(not -len(args) <= at < len(args) for at in places):
            raise TypeError(f"argnums={argnums!r}: the function was called with {len(args)} positional arguments.")
        args = list(args)
        with GradientTape(watch_accessed_variables=False) as tape:
            for at in places:
                args[at] = tree.map_structure(lambda x: x if isinstance(x, Variable) else as_tensor(x), args[at])
                tape.watch(args[at])
            given = fun(*args, **kwargs)
            value = as_tensor(given[0] if has_aux else given)
        if value.ndim:
            raise ShapeError(f"The gradient is that of a scalar; the function gave shape {value.shape}.")
        sources = args[argnums] if isinstance(argnums, int) else tuple(args[at] for at in places)
        found = tape.gradient(value, sources, unconnected_gradients="zero")
        return ((value, given[1]) if has_aux else value), found

    return computing


def grad(fun: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable:
    """A function that gives the gradient of a function to a scalar, as `value_and_grad` without the value.

    >>> import numpy as np
    >>> grad(grad(lambda x: x**3))(np.float32(2)).item()
    12.0
    """
    both = value_and_grad(fun, argnums, has_aux)

    @functools.wraps(fun)
    def computing(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return computing
