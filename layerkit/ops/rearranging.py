"""Axes arranged by a pattern, and functions of parts of tensors applied to all of them."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor, broadcast_shapes
from layerkit.graph.tensor import Shape, Tensor
from layerkit.ops.shape import broadcast_to, reshape, stack, transpose

Groups = list[list[str]]
"""The names of axes that one axis is made of, for each axis."""


def rearrange(tensor: object, pattern: str, **axes_lengths: int) -> Tensor:
    """The axes split, exchanged and joined as a pattern says, in the notation of einops.

    Args:
        tensor: the tensor.
        pattern: names of its axes, "->", and the same names in their new order. Those in parentheses make one axis:
            "b (h k) c -> b h (k c)" splits the second one and joins its part with the third.
        axes_lengths: sizes of axes in parentheses; one of each may be left out.

    Raises ValueError for a pattern that does not make sense and ShapeError where it does not fit the tensor.

    >>> rearrange(np.zeros((2, 6, 3)), "b (h k) c -> b h (k c)", k=2).shape
    (2, 3, 6)
    """
    x = as_tensor(tensor)
    before, after = _parsed(pattern, axes_lengths)
    if len(before) != x.ndim:
        raise ShapeError(f"ops.rearrange: {pattern!r} has {len(before)} axes before the arrow; got shape {x.shape}.")
    sizes: dict[str, int | None] = {}
    for group, size in zip(before, x.shape, strict=True):
        sizes.update(_split_sizes(group, size, axes_lengths, pattern))
    names = [name for group in before for name in group]
    split = reshape(x, [sizes[name] for name in names])
    ordered = transpose(split, [names.index(name) for group in after for name in group])
    return reshape(ordered, [_product([sizes[name] for name in group]) for group in after])


def _parsed(pattern: str, lengths: Mapping[str, int]) -> tuple[Groups, Groups]:
    """The groups on both sides of the arrow. Raises ValueError where they have not the same names, each once."""
    sides = pattern.split("->")
    if len(sides) != 2 or any(re.sub(r"\(\s*\w+(\s+\w+)*\s*\)|\w+|\s", "", side) for side in sides):
        raise ValueError(
            f"ops.rearrange takes a pattern like 'b (h k) c -> b h (k c)', of names and parentheses; got {pattern!r}."
        )
    before, after = ([re.findall(r"\w+", one) for one in re.findall(r"\(.*?\)|\w+", side)] for side in sides)
    names, new_names = ([name for group in side for name in group] for side in (before, after))
    if sorted(names) != sorted(new_names) or len(set(names)) < len(names):
        raise ValueError(f"ops.rearrange: both sides of {pattern!r} have to have the same names, each once.")
    unknown = sorted(set(lengths) - set(names))
    if unknown:
        raise ValueError(f"ops.rearrange: {pattern!r} has no axis {', '.join(unknown)}.")
    return before, after


def _split_sizes(
    group: Sequence[str], size: int | None, lengths: Mapping[str, int], pattern: str
) -> dict[str, int | None]:
    """The size of each axis that one of a size is made of; None where it is not known."""
    sizes: dict[str, int | None] = {name: int(lengths[name]) for name in group if name in lengths}
    missing = [name for name in group if name not in lengths]
    if len(missing) > 1:
        raise ValueError(f"ops.rearrange: of {', '.join(missing)} in {pattern!r} all but one need a length.")
    known = math.prod(sizes.values())
    fits = size is None or (known > 0 and size % known == 0 if missing else known == size)
    if not fits:
        raise ShapeError(
            f"ops.rearrange: an axis of size {size} is not ({' '.join(group)}) in {pattern!r} with {sizes}."
        )
    if missing:
        sizes[missing[0]] = None if size is None else size // known
    return sizes


def _product(sizes: Sequence[int | None]) -> int | None:
    return None if None in sizes else math.prod(sizes)


def vectorize(
    pyfunc: Callable[..., Any], *, excluded: Collection[int] | None = None, signature: str | None = None
) -> Callable[..., Any]:
    """A function that applies another one to every element of its broadcast arguments, or to every part of them.

    It calls `pyfunc` once for each element; in a traced function every call adds its own operations, so many elements
    make a large graph. Keyword arguments are handed on as they are.

    Args:
        pyfunc: a function of tensors without axes, which gives a tensor or a tuple of tensors.
        excluded: the places of arguments that are handed on as they are.
        signature: the axes that `pyfunc` takes and gives, as "(m,n),(n)->(m)"; leading axes are gone over.

    Raises ValueError for what can't be called and for a signature of another form.

    >>> vectorize(lambda a, b: a + b)([1, 2, 3], 2).tolist()
    [3, 4, 5]
    >>> from layerkit import ops
    >>> rows = vectorize(lambda a, b: ops.sum(a * b), signature="(n),(n)->()")
    >>> rows(np.ones((2, 3)), np.arange(3.0)).tolist()
    [3.0, 3.0]
    """
    if not callable(pyfunc):
        raise ValueError(f"ops.vectorize takes a function; got {pyfunc!r}.")
    left_out = frozenset(excluded or ())
    cores = None if signature is None else _cores(signature)

    @functools.wraps(pyfunc)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        places = [at for at in range(len(args)) if at not in left_out]
        tensors = [as_tensor(args[at]) for at in places]
        taken = [()] * len(tensors) if cores is None else cores[0]
        given = None if cores is None else cores[1]
        if len(taken) != len(tensors):
            raise ValueError(f"ops.vectorize: {signature!r} has {len(taken)} arguments; got {len(tensors)}.")
        sizes = _core_sizes(tensors, taken)
        leading = broadcast_shapes(*(x.shape[: x.ndim - len(core)] for x, core in zip(tensors, taken, strict=True)))
        if None in leading:
            raise ShapeError(f"ops.vectorize goes over every element and needs to know their number; got {leading}.")
        whole = [
            broadcast_to(x, (*leading, *x.shape[x.ndim - len(core) :])) for x, core in zip(tensors, taken, strict=True)
        ]

        def apply(index: tuple[int, ...]) -> Any:
            inner = list(args)
            for at, x in zip(places, whole, strict=True):
                inner[at] = x[index] if index else x
            return pyfunc(*inner, **kwargs)

        results = [apply(index) for index in np.ndindex(*leading)]
        if not results:
            raise ShapeError(f"ops.vectorize has no element to apply the function to; got the shape {leading}.")
        return _collected(results, leading, given, sizes)

    return vectorized


def _cores(signature: str) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The names of the axes of each argument and of each result. Raises ValueError for another form."""
    core = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
    side = rf"\s*{core}\s*(?:,\s*{core}\s*)*"
    if not re.fullmatch(f"{side}->{side}", signature):
        raise ValueError(f"ops.vectorize takes a signature like '(m,n),(n)->(m)'; got {signature!r}.")
    before, after = (
        [tuple(re.findall(r"\w+", one)) for one in re.findall(core, part)] for part in signature.split("->")
    )
    return before, after


def _core_sizes(tensors: Sequence[Tensor], cores: Sequence[tuple[str, ...]]) -> dict[str, int | None]:
    """The sizes of the named axes. Raises ShapeError where a tensor lacks them or two differ."""
    sizes: dict[str, int | None] = {}
    for x, core in zip(tensors, cores, strict=True):
        if x.ndim < len(core):
            raise ShapeError(f"ops.vectorize: an argument of shape {x.shape} has no axes {core}.")
        _check_core(x.shape[x.ndim - len(core) :], core, sizes)
    return sizes


def _check_core(shape: Shape, core: Sequence[str], sizes: dict[str, int | None]) -> None:
    for name, size in zip(core, shape, strict=True):
        if sizes.setdefault(name, size) != size:
            raise ShapeError(f"ops.vectorize: axis {name} has the sizes {sizes[name]} and {size}.")


def _collected(
    results: Sequence[Any], leading: Shape, cores: Sequence[tuple[str, ...]] | None, sizes: dict[str, int | None]
) -> Any:
    """The results of all calls as one tensor, or as a tuple of them."""
    several = isinstance(results[0], (tuple, list))
    columns = list(zip(*results, strict=True)) if several else [results]
    cores = [None] * len(columns) if cores is None else cores
    if len(cores) != len(columns):
        raise ValueError(f"ops.vectorize: the function gives {len(columns)} results, its signature says {len(cores)}.")
    joined = []
    for column, core in zip(columns, cores, strict=True):
        parts = [as_tensor(one) for one in column]
        shape = parts[0].shape
        if core is not None:
            if len(shape) != len(core):
                raise ShapeError(f"ops.vectorize: the function gives shape {shape} where {core} is expected.")
            _check_core(shape, core, sizes)
        joined.append(reshape(stack(parts), (*leading, *shape)))
    return tuple(joined) if several else joined[0]
