"""What a matrix product launches: which kernel, how it is cut into units, when B is packed."""

from __future__ import annotations

from collections.abc import Sequence

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain
from layerkit.kernels.product_layout import Product, matrix_axes, product_args, product_of

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
    _check_matrices(a, b, out, bias)
    axes = matrix_axes(len(a.shape), len(b.shape), len(out.shape))
    return contraction_launches(a, b, out, *axes, vector=out.shape[-1] == 1, bias=bias, activation=activation)


def contraction_launches(
    a: Operand,
    b: Operand,
    out: Operand,
    a_axes: Sequence[object],
    b_axes: Sequence[object],
    y_axes: Sequence[object],
    *,
    vector: bool = False,
    bias: Operand | None = None,
    activation: str | None = None,
) -> list[Launch]:
    """Launches of out[y_axes] = activation(sum of a[a_axes] * b[b_axes] + bias) over the axes that `out` has not.

    Args:
        a: float32 or float64, any strides.
        b: like `a`.
        out: contiguous; its last axis is not one of both operands, and with a bias it is one of `b`.
        a_axes: a name for each axis of `a`, each once.
        b_axes: the same for `b`.
        y_axes: the same for `out`.
        vector: whether `b` has no axes of its own, or one of size 1: matrix times vector. It says so by the structure
            of a graph, as the kernel depends on it, and a new size compiles nothing.
        bias: contiguous, of the last axis of `out`, or none.
        activation: None or "relu" (NaN stays NaN).

    Raises:
        ValueError: dtypes that do not fit, or an unknown activation.
    """
    if activation not in ACTIVATIONS:
        raise ValueError(f"activation is {activation!r}; a matrix product has None or 'relu'.")
    operands = [a, b, out] if bias is None else [a, b, out, bias]
    dtypes = {operand.dtype.name for operand in operands}
    if len(dtypes) != 1 or not dtypes <= {"float32", "float64"}:
        raise ValueError(
            f"A matrix product takes float32 or float64, all equal, not {', '.join(o.dtype.name for o in operands)}."
        )
    if out.size == 0:
        return []
    relu = ACTIVATIONS[activation]
    vector = vector and any(a.strides)  # one number repeated, as in a sum by a product, has no rows to go along
    product = product_of(a, b, out, a_axes, b_axes, y_axes, vector=vector or bias is not None)
    if vector and _is_rows_times_vector(product):
        return [_rows_times_vector(product, bias, relu)]
    if vector and bias is None:
        product = product_of(a, b, out, a_axes, b_axes, y_axes)
    # One row of A times a transposed B could take the same kernel, a tenth faster; but one row is often a batch of one,
    # and a new batch size compiles nothing.
    return [_panels(product, bias, relu)]


def _check_matrices(a: Operand, b: Operand, out: Operand, bias: Operand | None) -> None:
    if min(len(a.shape), len(b.shape), len(out.shape)) < 2:
        raise ValueError(f"A matrix product takes matrices, not shapes {a.shape}, {b.shape} and {out.shape}.")
    (m, k), (k_of_b, n) = a.shape[-2:], b.shape[-2:]
    if k != k_of_b or out.shape[-2:] != (m, n):
        raise ValueError(f"Shapes {a.shape} @ {b.shape} do not give {out.shape}.")
    if bias is not None and (bias.shape != (n,) or not bias.contiguous):
        raise ValueError(f"The bias of {n} columns is a contiguous vector of as many, not {bias.shape}.")
    if out.size and ((n > 1 and out.strides[-1] != 1) or (m > 1 and out.strides[-2] != n)):
        raise ValueError(f"The result has to be contiguous in its last two axes, not strides {out.strides}.")
    for operand in (a, b):
        own, leading = operand.shape[:-2], out.shape[:-2]
        missing = len(leading) - len(own)
        if missing < 0 or any(size not in (1, full) for size, full in zip(own, leading[missing:], strict=True)):
            raise ValueError(f"Leading axes {own} do not broadcast to {tuple(leading)}.")


def _is_rows_times_vector(product: Product) -> bool:
    """Whether dot products of contiguous rows say it all.

    Where A is repeated along an axis of the batch, that axis counts as B's own: then there is more than one column.
    """
    return (
        product.n == 1
        and (product.a_step == 1 or product.k <= 1)
        and (product.c_row == 1 or product.m == 1)
        and not product.sums
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
        *product_args(product),
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
        *product_args(product),
    ]
    work = (
        (min(UNIT_ROWS, product.m) + 4)
        * min(quantum * panel_lines, product.n)
        * (product.k * product.sum_count + 8)
        / 16
    )
    return Launch(_kernel("panels", product), args, units, serial_grain(work))


def _length_of_parts(length: int, longest: int) -> int:
    """The length that cuts a sum into as few parts as allowed, of about the same length."""
    parts = max(1, -(-length // longest))
    return max(1, -(-length // parts))


def _packing_a_pays(product: Product) -> bool:
    """Whether blocks of A are copied before B passes by.

    A is larger than the cache, its lines are so far apart that they compete for few places in it (of a transposed A,
    whose lines are not read to their end, sooner), and B is not packed again for each block at the price of a
    transposition. For batches of 2048 to 8192 rows this makes the gradient of a dense layer's weights 1.3 to 1.7 times
    as fast.
    """
    if product.a_row == 1:
        distance, far = product.a_step, 256
    elif product.a_step == 1 and product.b_column == 1:
        distance, far = product.a_row, 2048
    else:
        return False
    large = product.m * product.k * product.itemsize > A_BYTES and product.n >= 4 * UNIT_ROWS
    return large and product.m >= 2 * UNIT_ROWS and distance * product.itemsize >= far


def _packing_b_pays(product: Product) -> bool:
    """Whether B is packed although it could be read in place: its rows are far apart, and many rows of A meet it."""
    return product.m >= 32 and product.b_step * product.itemsize > 512


def _kernel(function: str, product: Product) -> Kernel:
    return Kernel("matmul", function, (("dtype", product.out.dtype.name),))
