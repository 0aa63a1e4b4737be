"""Products that sum over named axes, and norms: dot, outer, tensordot, einsum, norm."""

from __future__ import annotations

import math
from collections.abc import Sequence

from layerkit.dtypes import floatx, is_float
from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.comparison import not_equal
from layerkit.ops.elementwise import absolute, cast, sqrt, square, where
from layerkit.ops.matrix_product import matmul
from layerkit.ops.neural import IndexAlong
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import min as reduce_min
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import broadcast_to, reshape, squeeze, transpose


def dot(x1: object, x2: object) -> Tensor:
    """The sum over the last axis of x1 and the last but one (or only) of x2; with a number, the product."""
    a, b = as_tensor(x1), as_tensor(x2)
    if a.ndim == 0 or b.ndim == 0:
        return a * b
    return tensordot(a, b, ((a.ndim - 1,), (max(b.ndim - 2, 0),)))


def vdot(x1: object, x2: object) -> Tensor:
    """The sum of the products of the flattened tensors."""
    return dot(reshape(x1, (-1,)), reshape(x2, (-1,)))


def outer(x1: object, x2: object) -> Tensor:
    """All products of an element of the flattened x1 [m] and one of x2 [n]: [m, n]."""
    return reshape(x1, (-1, 1)) * reshape(x2, (1, -1))


def tensordot(x1: object, x2: object, axes: int | Sequence = 2) -> Tensor:
    """The sum over so many last axes of x1 and first ones of x2, or over two lists of axes.

    Raises ShapeError where the sizes of summed axes differ.
    """
    a, b = as_tensor(x1), as_tensor(x2)
    if isinstance(axes, int):
        summed = (tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes)))
    else:
        summed = tuple(
            tuple(at % one.ndim for at in ([given] if isinstance(given, int) else given))
            for given, one in zip(axes, (a, b), strict=True)
        )
    sizes = [a.shape[at] for at in summed[0]]
    if len(summed[0]) != len(summed[1]) or sizes != [b.shape[at] for at in summed[1]]:
        raise ShapeError(f"ops.tensordot: axes {summed} of shapes {a.shape} and {b.shape} do not have equal sizes.")
    kept = [tuple(at for at in range(one.ndim) if at not in of) for one, of in zip((a, b), summed, strict=True)]
    depth = math.prod(sizes)
    rows = reshape(transpose(a, kept[0] + summed[0]), (-1 if depth else 0, depth))
    columns = reshape(transpose(b, summed[1] + kept[1]), (depth, -1 if depth else 0))
    return reshape(matmul(rows, columns), [a.shape[at] for at in kept[0]] + [b.shape[at] for at in kept[1]])


def einsum(subscripts: str, *operands: object) -> Tensor:
    """Sums of products by Einstein's notation: "ij,jk->ik" is the matrix product. "..." stands for leading axes.

    Each pair of operands is one product of matrices, from left to right.
    Raises ValueError for subscripts that do not fit.
    """
    tensors = [as_tensor(x) for x in operands]
    labels, result = _einsum_labels(subscripts, tensors)
    terms = [_with_single_labels(x, label) for x, label in zip(tensors, labels, strict=True)]
    x, label = terms[0]
    for at, (other, other_label) in enumerate(terms[1:], 1):
        needed = set(result).union(*(later for _, later in terms[at + 1 :]))
        x, label = _pair(x, label, other, other_label, needed)
    gone = tuple(at for at, name in enumerate(label) if name not in result)
    x = reduce_sum(x, gone) if gone else x
    label = [name for name in label if name in result]
    return transpose(x, [label.index(name) for name in result]) if result else x


def _einsum_labels(subscripts: str, tensors: Sequence[Tensor]) -> tuple[list[list[str]], list[str]]:
    """The names of each operand's axes and of the result's; an ellipsis' are numbers, counted from the right."""
    given, arrow, wanted = subscripts.replace(" ", "").partition("->")
    terms = given.split(",")
    if len(terms) != len(tensors):
        raise ValueError(f"ops.einsum: {subscripts!r} names {len(terms)} operands; got {len(tensors)}.")
    labels, most = [], 0
    for term, x in zip(terms, tensors, strict=True):
        extra = x.ndim - len(term.replace("...", ""))
        if extra < 0 or (extra > 0 and "..." not in term):
            raise ValueError(f"ops.einsum: {term!r} does not name the axes of shape {x.shape}.")
        most = max(most, extra if "..." in term else 0)
        labels.append(_expanded(term, extra))
    if arrow:
        result = _expanded(wanted, most)
    else:
        every = [name for label in labels for name in label]
        result = _expanded("...", most) + sorted({name for name in every if every.count(name) == 1 and name.isalpha()})
    unknown = set(result) - {name for label in labels for name in label}
    if unknown or len(set(result)) < len(result):
        raise ValueError(f"ops.einsum: the result of {subscripts!r} names an axis twice, or one that no operand has.")
    return labels, result


def _expanded(term: str, extra: int) -> list[str]:
    before, dots, after = term.partition("...")
    return [*before, *(str(at) for at in range(extra - 1, -1, -1) if dots), *after]


def _with_single_labels(x: Tensor, label: list[str]) -> tuple[Tensor, list[str]]:
    """Of axes that share a name, the diagonal."""
    for name in dict.fromkeys(label):
        while label.count(name) > 1:
            first = label.index(name)
            second = label.index(name, first + 1)
            off = not_equal(IndexAlong(first)(x), IndexAlong(second)(x))
            x = reduce_sum(where(off, 0, x), second)
            label = label[:second] + label[second + 1 :]
    return x, label


def _pair(a: Tensor, a_label: list[str], b: Tensor, b_label: list[str], needed: set[str]) -> tuple[Tensor, list[str]]:
    """The product of two operands, summed over the axes that nothing else needs, as one product of matrices."""
    a, a_label = _without(a, a_label, needed.union(b_label))
    b, b_label = _without(b, b_label, needed.union(a_label))
    shared = [name for name in a_label if name in b_label]
    batch = [name for name in shared if name in needed]
    summed = [name for name in shared if name not in needed]
    rows = [name for name in a_label if name not in shared]
    columns = [name for name in b_label if name not in shared]
    sizes: dict[str, int] = {}
    for x, label in ((a, a_label), (b, b_label)):
        for name, size in zip(label, x.shape, strict=True):
            known = sizes.setdefault(name, size)
            if known != size and 1 not in (known, size):
                raise ShapeError(f"ops.einsum: axis {name!r} has sizes {known} and {size}.")
            sizes[name] = max(known, size)
    a = _grouped(a, a_label, (batch, rows, summed), sizes)
    b = _grouped(b, b_label, (batch, summed, columns), sizes)
    y = matmul(a, b)
    return reshape(y, [sizes[name] for name in (*batch, *rows, *columns)]), [*batch, *rows, *columns]


def _without(x: Tensor, label: list[str], kept: set[str]) -> tuple[Tensor, list[str]]:
    gone = tuple(at for at, name in enumerate(label) if name not in kept)
    return (reduce_sum(x, gone) if gone else x), [name for name in label if name in kept]


def _grouped(x: Tensor, label: list[str], groups: Sequence[list[str]], sizes: dict[str, int]) -> Tensor:
    """The axes in the order of the groups, each group as one axis; an axis of size 1 is repeated."""
    order = [name for group in groups for name in group]
    x = transpose(x, [label.index(name) for name in order])
    full = tuple(sizes[name] for name in order)
    x = broadcast_to(x, full)
    return reshape(x, [math.prod(sizes[name] for name in group) for group in groups])


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
