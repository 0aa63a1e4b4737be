"""What a matrix product launches: which kernel, how it is cut into units, when B is packed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

LINE_BYTES = 64
"""Of a cache line: panels of B begin and end with one, where the rows of B do."""

PANEL_LINES = 3
"""Of a row of a panel of B: the microkernel's tile with the longest vectors, several of others."""

DEPTH_BLOCK = 512
"""Length of the longest part of a sum: a panel's 96 KiB of B stay in the second-level cache while rows of A pass by."""

SINGLE_ROW_DEPTH = 8
"""The same for a single row: that many rows of B are read side by side, from their beginning to their end."""

UNIT_ROWS = 32
"""Rows of C in a unit: a multiple of a tile's. Neighbouring units of a piece are computed as one."""

A_BYTES = 1 << 20
"""Of the rows of A that pass by one panel of B before the next: they stay in the second-level cache."""

PACKED_A_UNITS, PACKED_A_DEPTH, PACKED_A_LINES = 4, 256, 64
"""Of a packed part of a block of A: units of rows, length, and lines in a row of the panels that it meets. Its 128 KiB
stay in the second-level cache, and copying is little next to the arithmetic."""

SINGLE_ROW_LINES = 16
"""Lines in a row of a panel that a single row of A meets."""

DOT_BYTES = 1 << 16
"""Of the rows of a unit of matrix times vector."""

ACTIVATIONS = {None: 0, "relu": 1}


@dataclass(frozen=True)
class Product:
    """C[batch, M, N] = A[batch, M, K] @ B[batch, K, N] by sizes and strides (in elements)."""

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
    batch: tuple[tuple[int, int, int, int], ...]  # size, strides of A, B, C; outermost first

    @property
    def batch_size(self) -> int:
        """Number of products."""
        size = 1
        for axis in self.batch:
            size *= axis[0]
        return size

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.out.dtype.itemsize


def matmul_launches(
    a: Operand, b: Operand, out: Operand, *, bias: Operand | None = None, activation: str | None = None
) -> list[Launch]:
    """Launches of out[..., M, N] = activation(a[..., M, K] @ b[..., K, N] + bias[N]).

    Args:
        a: float32 or float64, any strides; the leading axes broadcast to those of `out`.
        b: like `a`.
        out: contiguous in its last two axes.
        bias: contiguous vector, or none.
        activation: None or "relu" (NaN stays NaN).

    Raises:
        ValueError: shapes, dtypes or layouts that do not fit.
    """
    product = _product(a, b, out, bias, activation)
    if out.size == 0:
        return []
    product = _with_rows_of_batch(product)
    relu = ACTIVATIONS[activation]
    if product.n == 1 and (product.a_step == 1 or product.k <= 1):
        return [_rows_times_vector(product, bias, relu)]
    if product.n == 1 and bias is None:
        product = _transposed(product)
    # One row of A times a transposed B could take the same kernel, a tenth faster; but one row is often a batch of one,
    # and a new batch size compiles nothing.
    return [_panels(product, bias, relu)]


def _product(a: Operand, b: Operand, out: Operand, bias: Operand | None, activation: str | None) -> Product:
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; a matrix product has None or 'relu'.")
    operands = [a, b, out] if bias is None else [a, b, out, bias]
    dtypes = {operand.dtype.name for operand in operands}
    if len(dtypes) != 1 or not dtypes <= {"float32", "float64"}:
        raise ValueError(
            f"A matrix product takes float32 or float64, all equal, not {', '.join(o.dtype.name for o in operands)}."
        )
    if min(len(a.shape), len(b.shape), len(out.shape)) < 2:
        raise ValueError(f"A matrix product takes matrices, not shapes {a.shape}, {b.shape} and {out.shape}.")
    (m, k), (k_of_b, n) = a.shape[-2:], b.shape[-2:]
    if k != k_of_b or out.shape[-2:] != (m, n):
        raise ValueError(f"Shapes {a.shape} @ {b.shape} do not give {out.shape}.")
    if bias is not None and (bias.shape != (n,) or not bias.contiguous):
        raise ValueError(f"The bias of {n} columns is a contiguous vector of as many, not {bias.shape}.")
    if out.size and ((n > 1 and out.strides[-1] != 1) or (m > 1 and out.strides[-2] != n)):
        raise ValueError(f"The result has to be contiguous in its last two axes, not strides {out.strides}.")
    leading = out.shape[:-2]
    strides = [_broadcast_strides(operand, leading) for operand in (a, b, out)]
    batch = tuple(axis for axis in zip(leading, *strides, strict=True) if axis[0] != 1)
    return Product(a, b, out, m, n, k, *a.strides[-2:], *b.strides[-2:], n, _merged_axes(batch))


def _broadcast_strides(operand: Operand, leading: Sequence[int]) -> list[int]:
    """Strides of the leading axes, 0 where the operand is broadcast."""
    own = operand.shape[:-2]
    missing = len(leading) - len(own)
    if missing < 0 or any(size not in (1, full) for size, full in zip(own, leading[missing:], strict=True)):
        raise ValueError(f"Leading axes {own} do not broadcast to {tuple(leading)}.")
    strides = [0 if size == 1 else stride for size, stride in zip(own, operand.strides, strict=False)]
    return [0] * missing + strides


def _merged_axes(batch: Sequence[tuple[int, int, int, int]]) -> tuple[tuple[int, int, int, int], ...]:
    """The same batch in as few axes as its strides allow."""
    merged: list[tuple[int, int, int, int]] = []
    for axis in batch:
        if merged and all(outer == axis[0] * inner for outer, inner in zip(merged[-1][1:], axis[1:], strict=True)):
            merged[-1] = (merged[-1][0] * axis[0], *axis[1:])
        else:
            merged.append(axis)
    return tuple(merged)


def _with_rows_of_batch(product: Product) -> Product:
    """The product with an inner axis of the batch as rows of A, where all of it takes the same B."""
    while product.batch:
        size, a_stride, b_stride, c_stride = product.batch[-1]
        a_row = product.a_row if product.m > 1 else a_stride
        if b_stride != 0 or a_stride != product.m * a_row or c_stride != product.m * product.n:
            break
        product = replace(product, m=size * product.m, a_row=a_row, batch=product.batch[:-1])
    return product


def _transposed(product: Product) -> Product:
    """The product as C^T = B^T @ A^T, where C is a row or a column."""
    return replace(
        product,
        a=product.b,
        b=product.a,
        m=product.n,
        n=product.m,
        a_row=product.b_column,
        a_step=product.b_step,
        b_step=product.a_step,
        b_column=product.a_row,
        c_row=product.m,
        batch=tuple((size, b, a, c) for size, a, b, c in product.batch),
    )


def _rows_times_vector(product: Product, bias: Operand | None, relu: int) -> Launch:
    """The launch where N is 1 and the rows of A have contiguous elements."""
    scratch = Scratch(max(1, product.k) * product.itemsize, per_worker=True, name="vector")
    unit_rows = max(4, DOT_BYTES // max(1, product.k * product.itemsize) // 4 * 4)
    units = -(-product.m // unit_rows) * product.batch_size
    args = [
        product.a,
        product.b,
        product.out,
        0 if bias is None else bias,
        scratch,
        scratch.nbytes,
        product.m,
        product.k,
        product.a_row,
        product.b_step,
        relu,
        unit_rows,
        *_batch_args(product),
    ]
    work = min(unit_rows, product.m) * (product.k + 16) / 2
    return Launch(_kernel("rows_times_vector", product), args, units, serial_grain(work))


def _panels(product: Product, bias: Operand | None, relu: int) -> Launch:
    """The launch of a product of matrices."""
    quantum = LINE_BYTES // product.itemsize
    quanta = -(-product.n // quantum)
    row_units = -(-product.m // UNIT_ROWS)
    row_bytes = max(1, product.k) * product.itemsize
    block_units = min(row_units, max(4, A_BYTES // (UNIT_ROWS * row_bytes)))
    depth, panel_lines, a_scratch = _length_of_parts(product.k, DEPTH_BLOCK), PANEL_LINES, 0
    if product.m == 1 and product.b_column == 1:
        depth, panel_lines = SINGLE_ROW_DEPTH, SINGLE_ROW_LINES
    elif _packing_a_pays(product):
        depth, panel_lines = _length_of_parts(product.k, PACKED_A_DEPTH), PACKED_A_LINES
        block_units = min(block_units, PACKED_A_UNITS)
        nbytes = block_units * UNIT_ROWS * depth * product.itemsize
        a_scratch = Scratch(nbytes, per_worker=True, name="block of A")
    panels = -(-quanta // panel_lines)
    # The transposer writes whole blocks.
    b_scratch = Scratch((depth + quantum) * LINE_BYTES * PANEL_LINES, per_worker=True, name="panel of B")
    units = -(-row_units // block_units) * block_units * panels * product.batch_size
    args = [
        product.a,
        product.b,
        product.out,
        0 if bias is None else bias,
        b_scratch,
        b_scratch.nbytes,
        product.m,
        product.n,
        product.k,
        product.a_row,
        product.a_step,
        product.b_step,
        product.b_column,
        product.c_row,
        relu,
        UNIT_ROWS,
        block_units * UNIT_ROWS,
        quantum,
        panels,
        depth,
        int(_packing_b_pays(product)),
        a_scratch,
        a_scratch.nbytes if a_scratch else 0,
        *_batch_args(product),
    ]
    work = (min(UNIT_ROWS, product.m) + 4) * min(quantum * panel_lines, product.n) * (product.k + 8) / 16
    return Launch(_kernel("panels", product), args, units, serial_grain(work))


def _length_of_parts(length: int, longest: int) -> int:
    """The length that cuts a sum into as few parts as allowed, of about the same length."""
    parts = max(1, -(-length // longest))
    return max(1, -(-length // parts))


def _packing_a_pays(product: Product) -> bool:
    """Whether blocks of A are copied before B passes by.

    A is larger than the cache, its lines are so far apart that they compete for few places in it, and B is not
    packed again for each block at the price of a transposition.
    """
    if product.a_row == 1:
        distance = product.a_step
    elif product.a_step == 1 and product.b_column == 1:
        distance = product.a_row
    else:
        return False
    large = product.m * product.k * product.itemsize > A_BYTES and product.n >= 4 * UNIT_ROWS
    return large and product.m >= 2 * UNIT_ROWS and distance * product.itemsize >= 2048


def _packing_b_pays(product: Product) -> bool:
    """Whether B is packed although it could be read in place: its rows are far apart, and many rows of A meet it."""
    return product.m >= 32 and product.b_step * product.itemsize > 512


def _batch_args(product: Product) -> list[int]:
    return [len(product.batch), *(number for axis in product.batch for number in axis)]


def _kernel(function: str, product: Product) -> Kernel:
    return Kernel("matmul", function, (("dtype", product.out.dtype.name),))
