"""How a sum of products over named axes becomes products of matrices: sizes and strides, no copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from layerkit.kernels.launch import Operand


class Axis(NamedTuple):
    """A loop: its size, and how far (in elements) a step of it goes in A, B and C; 0 where it is not one of theirs."""

    size: int
    a: int
    b: int
    c: int


SINGLE = Axis(1, 0, 0, 0)

LONG = 32
"""Steps of a sum to which the work around it is little."""


@dataclass(frozen=True)
class Product:
    """C[batch, M, N] = sum over `sums` of A[batch, sums, M, K] @ B[batch, sums, K, N], by sizes and strides.

    Strides count elements; N is contiguous in C. `batch` has the outermost axis first. `sums` are the axes of the sum
    that do not go together with K.
    """

    a: Operand
    b: Operand
    out: Operand
    m: int
    n: int
    k: int
    a_row: int
    a_step: int
    b_step: int
    b_column: int
    c_row: int
    batch: tuple[Axis, ...] = ()
    sums: tuple[Axis, ...] = ()

    @property
    def batch_size(self) -> int:
        """Number of products."""
        size = 1
        for axis in self.batch:
            size *= axis.size
        return size

    @property
    def sum_count(self) -> int:
        """Number of sums over K that are added to one element of C."""
        count = 1
        for axis in self.sums:
            count *= axis.size
        return count

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.out.dtype.itemsize


def product_of(
    a: Operand,
    b: Operand,
    out: Operand,
    a_axes: Sequence[object],
    b_axes: Sequence[object],
    y_axes: Sequence[object],
    *,
    vector: bool = False,
) -> Product:
    """The product that sums a[a_axes] * b[b_axes] into out[y_axes], whose axes go together where strides allow.

    Rows are axes of A and C, columns of B and C; A and B change places where the innermost axis of C is A's. An axis of
    C that one operand has with size 1 (or stride 0) counts as the other's.

    Args:
        a: any strides.
        b: any strides.
        out: the axis that is innermost in memory is not one of both operands.
        a_axes: a name for each axis, each once.
        b_axes: the same for `b`.
        y_axes: the same for `out`; axes of the operands that are not among them are summed over.
        vector: keep `b` as B with a single column (it has no axes of its own but of size 1).
    """
    kinds: dict[str, list[Axis]] = {"batch": [], "rows": [], "columns": [], "sums": []}
    for kind, axis in _named_axes(a, b, out, a_axes, b_axes, y_axes):
        kinds[kind].append(axis)
    batch, rows, columns = (list(merged(kinds[kind])) for kind in ("batch", "rows", "columns"))
    column = _innermost(columns)
    if column is None and not vector and _innermost(rows) is not None:
        a, b = b, a
        batch, rows, columns = _swapped(batch), _swapped(columns), _swapped(rows)
        kinds["sums"] = _swapped(kinds["sums"])
        column = _innermost(columns)
    column = column or SINGLE
    row = max(rows, key=lambda axis: axis.size, default=SINGLE)
    rest = [axis for axis in (*columns, *rows) if axis is not column and axis is not row]
    # Of what C leaves free, the order in which A lies in memory.
    sums = list(merged(sorted(kinds["sums"], key=lambda axis: (-abs(axis.a), -abs(axis.b)))))
    # A long loop, and of such one along which A is contiguous.
    step = max(sums, key=lambda axis: (min(axis.size, LONG), axis.a == 1, axis.size), default=SINGLE)
    if any(axis.size == 0 for axis in sums):
        sums, step = [], Axis(0, 1, 1, 0)
    others = tuple(axis for axis in sums if axis is not step)
    return Product(
        a, b, out, row.size, column.size, step.size, row.a, step.a, step.b, column.b, row.c, (*batch, *rest), others
    )  # fmt: skip


def _named_axes(
    a: Operand,
    b: Operand,
    out: Operand,
    a_axes: Sequence[object],
    b_axes: Sequence[object],
    y_axes: Sequence[object],
) -> list[tuple[str, Axis]]:
    """Each axis of more than one element with its kind, those of C from the outermost in memory to the innermost."""
    sizes: dict[object, int] = {}
    steps: list[dict[object, int]] = []
    for operand, names in ((a, a_axes), (b, b_axes), (out, y_axes)):
        steps.append({})
        for name, size, stride in zip(names, operand.shape, operand.strides, strict=True):
            sizes[name] = size if sizes.get(name, 1) == 1 else sizes[name]
            steps[-1][name] = stride if size != 1 else 0
    found = []
    for name, size in sizes.items():
        if size == 1:
            continue
        axis = Axis(size, *(step.get(name, 0) for step in steps))
        if name not in steps[2]:
            kind = "sums"
        elif name not in steps[1] or (axis.b == 0 and axis.a != 0):
            kind = "rows"
        elif name not in steps[0] or (axis.a == 0 and axis.b != 0):
            kind = "columns"
        else:
            kind = "batch"
        found.append((kind, axis))
    return sorted(found, key=lambda one: -one[1].c)


def merged(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The same loops in as few axes as their strides allow.

    >>> merged([Axis(3, 4, 0, 4), Axis(4, 1, 0, 1)])
    (Axis(size=12, a=1, b=0, c=1),)
    """
    found: list[Axis] = []
    for axis in axes:
        if found and all(outer == axis.size * inner for outer, inner in zip(found[-1][1:], axis[1:], strict=True)):
            found[-1] = Axis(found[-1].size * axis.size, *axis[1:])
        else:
            found.append(axis)
    return tuple(found)


def _innermost(axes: Sequence[Axis]) -> Axis | None:
    return next((axis for axis in axes if axis.c == 1), None)


def _swapped(axes: Sequence[Axis]) -> list[Axis]:
    """The same axes with A and B in each other's place: C^T = B^T @ A^T."""
    return [Axis(size, b, a, c) for size, a, b, c in axes]


def matrix_axes(*ranks: int) -> tuple[tuple[object, ...], ...]:
    """The names of the axes of A[..., m, k], B[..., k, n] and C[..., m, n], whose leading axes broadcast.

    >>> matrix_axes(3, 2, 3)
    ((-3, 'm', 'k'), ('k', 'n'), (-3, 'm', 'n'))
    """
    return tuple((*range(-rank, -2), *own) for rank, own in zip(ranks, ("mk", "kn", "mn"), strict=True))


def product_args(product: Product) -> list[int]:
    """The axes of the batch, then those of the sums, as `axis_offsets` (`kernels/axes.py`) reads them."""
    return [
        number for axes in (product.batch, product.sums) for number in (len(axes), *(n for axis in axes for n in axis))
    ]
