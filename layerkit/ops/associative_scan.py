"""Running results of an associative function along an axis, in logarithmically many steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from layerkit import tree
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.arrays import flip
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.shape import GetItem, concatenate, reshape, stack

__all__ = ["associative_scan"]

Combine = Callable[[Sequence[Tensor], Sequence[Tensor]], list[Tensor]]


def associative_scan(f: Callable, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """What f makes of the first k elements along an axis, for each k: [a, f(a, b), f(f(a, b), c), ...].

    f is called on slices of many elements at once, about 2 log2(n) times for n elements, and has to be associative:
    f(a, f(b, c)) = f(f(a, b), c). It may be any of the operations, so it has a gradient as they have.
    G. Blelloch, "Prefix sums and their applications", 1990.

    Args:
        f: takes two structures like `elems`, whose axis may be shorter, and gives one of the same structure and shapes,
            of what it makes of each pair along the axis.
        elems: a tensor or a structure of tensors, of one size n along the axis.
        reverse: begin at the end: [..., f(c, b), c].
        axis: along which axis.

    Returns the results in the structure and the shapes of `elems`.
    Raises TypeError for an f that cannot be called or gives another structure, ShapeError for other sizes or shapes.

    >>> associative_scan(lambda a, b: a + b, [1, 2, 3, 4, 5]).tolist()
    [1, 3, 6, 10, 15]
    """
    if not callable(f):
        raise TypeError(f"ops.associative_scan: f has to be a function of two elements; got {f!r}.")
    if isinstance(elems, (list, tuple)) and elems and all(isinstance(x, (bool, int, float)) for x in elems):
        elems = as_tensor(elems)
    tensors = [as_tensor(x) for x in tree.flatten(elems)]
    axes = [normalize_axes(axis, x.ndim)[0] for x in tensors]
    sizes = {x.shape[at] for x, at in zip(tensors, axes, strict=True)}
    if len(sizes) != 1 or None in sizes:
        raise ShapeError(
            f"ops.associative_scan: all tensors need one known size along axis {axis}; "
            f"got shapes {', '.join(str(x.shape) for x in tensors) or 'of no tensor'}."
        )
    if reverse:
        tensors = [flip(x, at) for x, at in zip(tensors, axes, strict=True)]
    scanned = _scanned(_checked(f, elems), tensors, axes)
    if reverse:
        scanned = [flip(x, at) for x, at in zip(scanned, axes, strict=True)]
    return tree.pack_sequence_as(elems, scanned)


def _checked(f: Callable, elems: Any) -> Combine:
    """The function f of flat lists, which keeps their structure, shapes and dtypes."""

    def combine(a: Sequence[Tensor], b: Sequence[Tensor]) -> list[Tensor]:
        given = f(tree.pack_sequence_as(elems, list(a)), tree.pack_sequence_as(elems, list(b)))
        if not tree.is_nested(elems) and not tree.is_nested(given):
            flat = [as_tensor(given)]
        else:
            try:
                tree.assert_same_structure(elems, given)
            except (TypeError, ValueError) as error:
                raise TypeError(f"ops.associative_scan: f has to give the structure of elems. {error}") from error
            flat = [as_tensor(x) for x in tree.flatten(given)]
        for one, made in zip(b, flat, strict=True):
            if made.shape != one.shape:
                raise ShapeError(
                    f"ops.associative_scan: f has to keep the shapes of its arguments; of {one.shape} it made "
                    f"{made.shape}."
                )
        return flat

    return combine


def _scanned(combine: Combine, x: Sequence[Tensor], axes: Sequence[int]) -> list[Tensor]:
    n = x[0].shape[axes[0]]
    if n < 2:
        return list(x)
    # Pairs of neighbours are combined; the running results of the pairs are those at the odd places.
    at_odd = _scanned(combine, combine(_part(x, axes, 0, n - 1, 2), _part(x, axes, 1, n, 2)), axes)
    first, later = _part(x, axes, 0, 1), _part(x, axes, 2, n, 2)
    if n == 2:
        at_even = first
    else:
        before = _part(at_odd, axes, 0, (n - 1) // 2)
        at_even = [concatenate(pair, at) for *pair, at in zip(first, combine(before, later), axes, strict=True)]
    return [_interleaved(*both) for both in zip(at_even, at_odd, axes, strict=True)]


def _part(x: Sequence[Tensor], axes: Sequence[int], start: int, end: int, step: int = 1) -> list[Tensor]:
    return [GetItem.at(one, (*(slice(None),) * at, slice(start, end, step))) for one, at in zip(x, axes, strict=True)]


def _interleaved(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    """The elements of both in turn; `even` may have one more."""
    m = odd.shape[axis]
    both = stack([*_part([even], [axis], 0, m), odd], axis + 1)
    both = reshape(both, (*odd.shape[:axis], 2 * m, *odd.shape[axis + 1 :]))
    return both if even.shape[axis] == m else concatenate([both, *_part([even], [axis], m, m + 1)], axis)
