"""What a product of integers launches."""

from __future__ import annotations

from layerkit.kernels.launch import Kernel, Launch, Operand, serial_grain
from layerkit.kernels.product_layout import Product, product_args

DTYPES = frozenset(("bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))))
"""Of which there are kernels."""

UNIT_ROWS = 8
"""Rows of C in a unit."""


def integer_launches(product: Product, bias: Operand | None = None, relu: bool = False) -> list[Launch]:
    """Launches of a product of integers (or bools), all of the same dtype; sums wrap around as NumPy's do."""
    if product.out.size == 0:
        return []
    args = [
        product.a,
        product.b,
        product.out,
        0 if bias is None else bias,
        product.m,
        product.n,
        product.k,
        product.a_row,
        product.a_step,
        product.b_step,
        product.b_column,
        product.c_row,
        int(relu),
        UNIT_ROWS,
        *product_args(product),
    ]
    units = -(-product.m // UNIT_ROWS) * product.batch_size
    work = min(UNIT_ROWS, product.m) * product.n * (product.k * product.sum_count + 1) / 4
    kernel = Kernel("integer_product", "rows", (("dtype", product.out.dtype.name),))
    return [Launch(kernel, args, units, serial_grain(work))]
