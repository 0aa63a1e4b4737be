"""Calls of sums of products: every rank, order of axes, repeated and single names, and integers."""

from __future__ import annotations

import numpy as np

from tests.ops.keras_calls.calls import Calls

CALLS = Calls(seed=11)


def _einsums() -> None:
    for subscripts, *shapes in (
        ("bthd,bshd->bhts", (2, 3, 4, 5), (2, 6, 4, 5)), ("bhts,bshd->bthd", (2, 4, 3, 6), (2, 6, 4, 5)),
        ("abc,cde->abde", (2, 3, 4), (4, 5, 6)), ("abde,dec->abc", (2, 3, 5, 6), (5, 6, 4)),
        ("...i,ij->...j", (2, 3, 4), (4, 5)), ("...i,ij->...j", (4,), (4, 5)), ("abc,cd->abd", (2, 3, 4), (4, 5)),
        ("abc,adc->abd", (2, 3, 4), (2, 5, 4)), ("bc,bd->cd", (3, 4), (3, 5)), ("aij,jib->ab", (2, 3, 4), (4, 3, 5)),
        ("bij,bjk->ikb", (2, 3, 4), (2, 4, 5)), ("ijb,jkb->bik", (3, 4, 2), (4, 5, 2)), ("ij,j", (3, 4), (4,)),
        ("i,ij", (3,), (3, 4)), ("ij,kl->iljk", (2, 3), (4, 5)), ("ij,ij->ji", (3, 4), (3, 4)),
        ("ij,ji->", (3, 4), (4, 3)), ("iij,jk->ik", (3, 3, 4), (4, 2)), ("ijk,jl->il", (2, 3, 4), (3, 5)),
        (",ij->ji", (), (2, 3)), ("i,j,k->kij", (2,), (3,), (4,)), ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 5), (5, 2)),
        ("ij,jk->ik", (2, 1), (3, 4)), ("...ij,...jk->...ik", (1, 2, 3), (5, 3, 4)), ("...ij->...", (2, 3, 4)),
        ("...ij,jk->ik", (2, 3, 4), (4, 5)), ("b...c,c...d->d...b", (2, 3, 4), (4, 3, 5)), ("iii->i", (3, 3, 3)),
        ("abcde,edcba->ace", (2, 3, 2, 3, 2), (2, 3, 2, 3, 2)), ("ba", (2, 3)), ("ij,jk->ik", (0, 3), (3, 2)),
        ("ij,jk->ik", (2, 0), (0, 3)),
    ):  # fmt: skip
        CALLS.add("einsum", subscripts, *(CALLS.floats(*shape) for shape in shapes))


def _products() -> None:
    floats = CALLS.floats
    for name, *shapes in (
        ("matmul", (4,), (4,)), ("matmul", (4,), (4, 5)), ("matmul", (3, 4), (4,)), ("matmul", (4,), (2, 4, 5)),
        ("matmul", (2, 3, 4), (4,)), ("matmul", (2, 1, 3, 4), (5, 4, 2)), ("matmul", (3, 4), (2, 4, 5)),
        ("matmul", (2, 3, 0), (2, 0, 4)), ("dot", (4,), (4,)), ("dot", (3, 4), (4,)), ("dot", (4,), (4, 3)),
        ("dot", (2, 3, 4), (4,)), ("dot", (3, 4), (2, 4, 5)), ("inner", (4,), (4,)), ("inner", (2, 3, 4), (5, 4)),
        ("inner", (), (3, 4)), ("vdot", (3, 4), (3, 4)), ("vdot", (), ()), ("outer", (2, 3), (4,)), ("outer", (), (3,)),
        ("kron", (2, 3), (4, 5)), ("kron", (2,), (2, 3)), ("kron", (2, 1, 3), (2, 2, 2)),
    ):  # fmt: skip
        CALLS.add(name, *(floats(*shape) for shape in shapes))
    x = floats(2, 3, 4, 5)
    CALLS.add("tensordot", x, floats(4, 3, 6), axes=([1, 2], [1, 0]))
    CALLS.add("tensordot", x, floats(6, 2, 5), axes=([0, -1], [1, -1]))
    CALLS.add("tensordot", x, floats(7, 3), axes=(1, 1))
    CALLS.add("tensordot", x, floats(2, 3), axes=0)
    CALLS.add("tensordot", x, x, axes=4)


def _integers() -> None:
    """Kinds of numbers of which the common dtype, or the one of the sums, is a rule of its own."""
    rng = CALLS.rng
    kinds = ("bool", "int8", "uint8", "int16", "uint16", "int32")
    for first, second in [*zip(kinds, kinds, strict=True), ("int8", "uint8"), ("bool", "int8"), ("int32", "float32")]:
        x, y = rng.integers(0, 6, (3, 4)).astype(first), rng.integers(0, 6, (4, 5)).astype(second)
        if first == second == "bool":
            x, y = x > 3, y > 3
        for name, *before in (("matmul",), ("einsum", "ij,jk->ki"), ("dot",)):
            CALLS.add(name, *before, x, y)
        CALLS.add("tensordot", x, y, axes=1)
        CALLS.add("inner", x, y.T)
    CALLS.add("einsum", "ij->j", np.ones((3, 4), "int8"))


_einsums()
_products()
_integers()
