"""Rows for sums of products over named axes; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit import ops
from layerkit.graph.operation import Operation


def _normal(*shape: int):
    return lambda rng, dtype: rng.normal(size=shape).astype(dtype)


def _integers(dtype: str, *shape: int):
    low = 0 if dtype == "bool" else np.iinfo(dtype).min // 2
    high = 2 if dtype == "bool" else np.iinfo(dtype).max // 2
    return lambda rng, _: rng.integers(low, high, shape).astype(dtype)


def _contraction(names: str) -> Operation:
    """The operation of names like "ij,jk->ik"."""
    operands, _, y = names.partition("->")
    return ops.Contraction(*(tuple(map(ord, axes)) for axes in (*operands.split(","), y)))


def rows() -> list[tuple[Operation, tuple, bool]]:
    """An operation, the makers of its inputs, and whether it has a gradient, for each row."""
    sizes = dict(zip("abcdehst", (2, 3, 4, 5, 1, 3, 7, 6), strict=True))
    floats = (
        "bthd,bshd->bhts bhts,bshd->bthd abc,dc->bad abc,cde->adbe abde,edc->bca adc,bcd->ab abc,bac->ba abc,c->ba "
        "c,abc->ab hb,hs->sb et,tb->eb ate,ate->a ace,bce->abe ab,ba-> abcd,abst->abcdst"
    ).split()
    made = []
    for names in floats:
        a, b = ([sizes[name] for name in axes] for axes in names.partition("->")[0].split(","))
        made.append((_contraction(names), (_normal(*a), _normal(*b)), True))
    made.append((_contraction("ij,jk->ki"), (_normal(3, 0), _normal(0, 4)), True))
    made.append((_contraction("ij,jk->ki"), (_normal(0, 3), _normal(3, 4)), True))
    for dtype in ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        inputs = _integers(dtype, 2, 5, 3), _integers(dtype, 3, 5, 4)
        made.append((_contraction("aij,jib->ab"), inputs[:1] + (_integers(dtype, 3, 5, 4),), False))
        made.append((_contraction("bij,jk->bki"), (inputs[0], _integers(dtype, 3, 20)), False))
        made.append((ops.MatMul(), (_integers(dtype, 4, 1, 9, 3), _integers(dtype, 2, 3, 35)), False))
        made.append((ops.MatMul(), (_integers(dtype, 9, 3), _integers(dtype, 3, 1)), False))
        made.append(
            (ops.DenseProduct("relu"), (_integers(dtype, 9, 3), _integers(dtype, 3, 4), _integers(dtype, 4)), False)
        )
    return made
