"""Products that sum over named axes, and norms: dot, outer, tensordot, einsum, norm."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import dtype_of, floatx, is_float, result_type
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import not_equal
from layerkit.ops.elementwise import absolute, cast, sqrt, square, where
from layerkit.ops.matrix_product import contract, product_dtype
from layerkit.ops.neural import IndexAlong
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import min as reduce_min
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import reshape, squeeze, transpose


def dot(x1: object, x2: object) -> Tensor:
    """The sum over the last axis of x1 and the last but one (or only) of x2; with a number, the product.

    Raises ShapeError where the two differ in size.
    """
    a, b = of_common_dtype(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return _summed_over(a, b, (a.ndim - 1,), (max(b.ndim - 2, 0),), "dot")


def vdot(x1: object, x2: object) -> Tensor:
    """The sum of the products of the flattened tensors."""
    return dot(reshape(x1, (-1,)), reshape(x2, (-1,)))


def outer(x1: object, x2: object) -> Tensor:
    """All products of an element of the flattened x1 [m] and one of x2 [n]: [m, n]."""
    a, b = of_common_dtype(x1, x2)
    return reshape(a, (-1, 1)) * reshape(b, (1, -1))


def of_common_dtype(x1: object, x2: object) -> tuple[Tensor, Tensor]:
    """Two tensors of the common dtype, to which a Python number adapts."""
    kinds = [x if type(x) in (bool, int, float, complex) else as_tensor(x) for x in (x1, x2)]
    dtype = result_type(*(dtype_of(x) for x in kinds))
    return tuple(cast_to(as_tensor(x, dtype), dtype) for x in kinds)


def sum_over_last(function: str, a: Tensor, b: Tensor) -> Tensor:
    """The sums of products over the last axes of both; `function` is named by errors."""
    return _summed_over(a, b, (a.ndim - 1,), (b.ndim - 1,), function)


def tensordot(x1: object, x2: object, axes: int | Sequence = 2) -> Tensor:
    """The sum over so many last axes of x1 and first ones of x2, or over two lists of axes.

    Args:
        x1: any shape.
        x2: any shape.
        axes: their number, or a list (or a number) for each of the two; they go together in their order.

    Returns the other axes of x1, then those of x2.
    Raises ShapeError for axes that do not exist, or differ in number or size.

    >>> tensordot(np.ones((2, 3, 4)), np.ones((3, 5)), axes=([1], [0])).shape
    (2, 4, 5)
    """
    a, b = as_tensor(x1), as_tensor(x2)
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ShapeError(f"ops.tensordot: shapes {a.shape} and {b.shape} have no {axes} axes to sum over.")
        return _summed_over(a, b, tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)), "tensordot")
    if len(axes) != 2:
        raise ShapeError(f"ops.tensordot: axes are a number or two lists, one for each tensor; got {axes!r}.")
    given = tuple((one,) if isinstance(one, (int, np.integer)) else tuple(one) for one in axes)
    if len(given[0]) != len(given[1]):
        raise ShapeError(f"ops.tensordot: {len(given[0])} axes of x1 and {len(given[1])} of x2; got axes={axes!r}.")
    return _summed_over(a, b, _places(given[0], a, "x1"), _places(given[1], b, "x2"), "tensordot")


def _places(axes: tuple[int, ...], x: Tensor, name: str) -> tuple[int, ...]:
    """The axes counted from the first."""
    for axis in axes:
        if not -x.ndim <= axis < x.ndim:
            raise ShapeError(f"ops.tensordot: {name} of shape {x.shape} has no axis {axis}.")
    places = tuple(int(axis) % x.ndim for axis in axes)
    if len(set(places)) < len(places):
        raise ShapeError(f"ops.tensordot: the axes {axes} of {name} name one twice.")
    return places


def _summed_over(a: Tensor, b: Tensor, of_a: tuple[int, ...], of_b: tuple[int, ...], function: str) -> Tensor:
    """The sum of products over pairs of axes; the other axes of a, then those of b, stay."""
    for one, other in zip(of_a, of_b, strict=True):
        if a.shape[one] != b.shape[other] and None not in (a.shape[one], b.shape[other]):
            raise ShapeError(
                f"ops.{function}: axis {one} of x1, of shape {a.shape}, has size {a.shape[one]}, but axis {other} of "
                f"x2, of shape {b.shape}, has size {b.shape[other]}; they are summed over and have to be equal."
            )
    a_axes = list(range(a.ndim))
    b_axes = [of_a[of_b.index(at)] if at in of_b else a.ndim + at for at in range(b.ndim)]
    y_axes = [name for name in (*a_axes, *b_axes) if name not in of_a]
    dtype = result_type(dtype_of(a), dtype_of(b))
    return contract(cast_to(a, dtype), a_axes, cast_to(b, dtype), b_axes, y_axes)


def einsum(subscripts: str, *operands: object, **kwargs: object) -> Tensor:
    """Sums of products by Einstein's notation: "ij,jk->ik" is the matrix product. "..." stands for leading axes.

    Each pair of operands is one product, from left to right, which reads both through their strides: the order of the
    axes in memory costs no copy. An axis of size 1 is repeated where it has another size elsewhere. Sums of products of
    int8 alone are int32. The keywords `optimize` and `precision` of JAX are accepted, and change nothing.

    Raises ValueError for subscripts that do not fit, ShapeError for sizes that do not.

    >>> einsum("bij,bjk->bki", np.ones((2, 3, 4)), np.ones((2, 4, 5))).shape
    (2, 5, 3)
    """
    if set(kwargs) - {"optimize", "precision"}:
        raise TypeError(f"ops.einsum takes the keywords optimize and precision; got {', '.join(kwargs)}.")
    tensors = [as_tensor(x) for x in operands]
    labels, result = _einsum_labels(subscripts, tensors)
    _check_sizes(subscripts, tensors, labels)
    dtype = product_dtype(*tensors)
    terms = [_with_single_labels(cast_to(x, dtype), label) for x, label in zip(tensors, labels, strict=True)]
    x, label = terms[0]
    for at, (other, other_label) in enumerate(terms[1:], 1):
        later = {name for _, names in terms[at + 1 :] for name in names}
        x, label = _pair(x, label, other, other_label, result, later)
    x, label = _without(x, label, set(result))
    return transpose(x, [label.index(name) for name in result]) if result else x


def _einsum_labels(subscripts: str, tensors: Sequence[Tensor]) -> tuple[list[list[str]], list[str]]:
    """The names of each operand's axes and of the result's; an ellipsis' are numbers, counted from the right."""
    given, arrow, wanted = subscripts.replace(" ", "").partition("->")
    terms = given.split(",")
    for term in (*terms, wanted):
        rest = term.replace("...", "", 1)
        if not all(name.isalpha() for name in rest):
            raise ValueError(
                f"ops.einsum: {term!r} of {subscripts!r} may have letters, and '...' once; "
                "operands are separated by ',', the result by '->'."
            )
    if len(terms) != len(tensors):
        raise ValueError(f"ops.einsum: {subscripts!r} names {len(terms)} operands; got {len(tensors)}.")
    labels, most = [], 0
    for at, (term, x) in enumerate(zip(terms, tensors, strict=True)):
        extra = x.ndim - len(term.replace("...", ""))
        if extra < 0 or (extra > 0 and "..." not in term):
            raise ValueError(
                f"ops.einsum: {term!r} does not name the axes of shape {x.shape}, operand {at} of {subscripts!r}: "
                f"{len(term.replace('...', ''))} names for {x.ndim} axes."
            )
        most = max(most, extra if "..." in term else 0)
        labels.append(_expanded(term, extra))
    if arrow:
        result = _expanded(wanted, most)
    else:
        every = [name for label in labels for name in label]
        result = _expanded("...", most) + sorted({name for name in every if every.count(name) == 1 and name.isalpha()})
    known = {name for label in labels for name in label}
    for name in result:
        if name not in known:
            raise ValueError(f"ops.einsum: the result of {subscripts!r} names {name!r}, an axis that no operand has.")
        if result.count(name) > 1:
            raise ValueError(f"ops.einsum: the result of {subscripts!r} names {name!r} twice.")
    return labels, result


def _expanded(term: str, extra: int) -> list[str]:
    before, dots, after = term.partition("...")
    return [*before, *(str(at) for at in range(extra - 1, -1, -1) if dots), *after]


def _check_sizes(subscripts: str, tensors: Sequence[Tensor], labels: Sequence[Sequence[str]]) -> None:
    """Raise ShapeError where axes of one name have sizes that differ."""
    found: dict[str, tuple[int, int]] = {}
    for operand, (x, label) in enumerate(zip(tensors, labels, strict=True)):
        for name, size in zip(label, x.shape, strict=True):
            if size in (None, 1):
                continue
            known, first = found.setdefault(name, (size, operand))
            if known != size:
                axis = repr(name) if name.isalpha() else f"{int(name) + 1} from the right of '...'"
                raise ShapeError(
                    f"ops.einsum: axis {axis} of {subscripts!r} has size {known} in operand {first}, of shape "
                    f"{tensors[first].shape}, but size {size} in operand {operand}, of shape {x.shape}."
                )


def _with_single_labels(x: Tensor, label: list[str]) -> tuple[Tensor, list[str]]:
    """Of axes that share a name, the diagonal."""
    for name in dict.fromkeys(label):
        while label.count(name) > 1:
            first = label.index(name)
            second = label.index(name, first + 1)
            off = not_equal(IndexAlong(first)(x), IndexAlong(second)(x))
            x = cast_to(reduce_sum(where(off, 0, x), second), x.dtype)
            label = label[:second] + label[second + 1 :]
    return x, label


def _pair(
    a: Tensor, a_label: list[str], b: Tensor, b_label: list[str], result: list[str], later: set[str]
) -> tuple[Tensor, list[str]]:
    """The product of two operands, summed over the axes that neither the result nor later operands need."""
    a, a_label, b, b_label = _without_repeated(a, a_label, b, b_label)
    needed = later.union(result)
    a, a_label = _without(a, a_label, needed.union(b_label))
    b, b_label = _without(b, b_label, needed.union(a_label))
    both = dict.fromkeys((*a_label, *b_label))
    if later:
        shared = [name for name in both if name in a_label and name in b_label]
        both = dict.fromkeys((*shared, *both))
        label = [name for name in both if name in needed]
    else:
        label = [name for name in result if name in both]
    return contract(a, a_label, b, b_label, label), label


def _without_repeated(
    a: Tensor, a_label: list[str], b: Tensor, b_label: list[str]
) -> tuple[Tensor, list[str], Tensor, list[str]]:
    """The operands without axes of size 1 which the other one has with another size."""

    def squeezed(x: Tensor, label: list[str], other: Tensor, other_label: list[str]) -> tuple[Tensor, list[str]]:
        sizes = dict(zip(other_label, other.shape, strict=True))
        gone = [at for at, name in enumerate(label) if x.shape[at] == 1 and sizes.get(name, 1) != 1]
        return (squeeze(x, gone) if gone else x), [name for at, name in enumerate(label) if at not in gone]

    return *squeezed(a, a_label, b, b_label), *squeezed(b, b_label, a, a_label)


def _without(x: Tensor, label: list[str], kept: set[str]) -> tuple[Tensor, list[str]]:
    """The operand summed over axes that nothing needs."""
    gone = tuple(at for at, name in enumerate(label) if name not in kept)
    return (cast_to(reduce_sum(x, gone), x.dtype) if gone else x), [name for name in label if name in kept]


def norm(
    x: object,
    ord: float | str | None = None,  # noqa: A002
    axis: int | Sequence[int] | None = None,
    keepdims: bool = False,
) -> Tensor:
    """The norm of vectors (one axis) or matrices (two axes).

    Args:
        x: the data.
        ord: of vectors a number or infinity (None: 2); of matrices "fro" (or None), 1, -1 or infinities.
        axis: one axis or two; None: all.
        keepdims: whether the axes stay with size 1.

    Raises ValueError for another order.
    """
    x = as_tensor(x)
    x = x if is_float(x.dtype) else cast(x, floatx())
    if axis is None and ord is None:
        return sqrt(reduce_sum(square(x), keepdims=keepdims))
    given = [axis] if isinstance(axis, int) else list(range(x.ndim)) if axis is None else list(axis)
    axes = [normalize_axes(at, x.ndim)[0] for at in given]
    if len(axes) == 1:
        return _vector_norm(x, 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) != 2:
        raise ValueError(f"ops.norm takes one axis or two; got axis={axis!r} for shape {x.shape}.")
    if ord in (None, "fro"):
        return sqrt(reduce_sum(square(x), axes, keepdims))
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"ops.norm of matrices takes 'fro', 1, -1 and infinities as ord; got {ord!r}.")
    inner, outer_axis = axes if abs(ord) == 1 else axes[::-1]
    sums = reduce_sum(absolute(x), inner, keepdims=True)
    extreme = reduce_max if ord > 0 else reduce_min
    kept = extreme(sums, outer_axis, keepdims=True)
    return kept if keepdims else squeeze(kept, axes)


def _vector_norm(x: Tensor, order: float | str, axis: int, keepdims: bool) -> Tensor:
    if isinstance(order, str):
        raise ValueError(f"ops.norm of vectors takes a number as ord; got {order!r}.")
    if order == 2:
        return sqrt(reduce_sum(square(x), axis, keepdims))
    if order == 1:
        return reduce_sum(absolute(x), axis, keepdims)
    if order == 0:
        return reduce_sum(cast(not_equal(x, 0), x.dtype), axis, keepdims)
    if math.isinf(order):
        return (reduce_max if order > 0 else reduce_min)(absolute(x), axis, keepdims)
    return reduce_sum(absolute(x) ** order, axis, keepdims) ** (1.0 / order)
