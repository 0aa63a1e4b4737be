"""Attention by tiles against the operation's reference, over sizes around those of tiles, and over thread counts."""

import numpy as np
import pytest

import layerkit
from layerkit import ops
from layerkit.graph import gradients
from layerkit.tracing import compile_function

SIZES = [
    (1, 1, 1, 1, 1, 1),
    (2, 5, 7, 3, 4, 6),
    (1, 130, 200, 2, 64, 64),
    (2, 129, 97, 1, 33, 17),
    (2, 128, 49, 2, 16, 50),
]
"""Batch, queries, keys, heads, size of keys, size of values."""


def _inputs(sizes: tuple, dtype: str) -> list[np.ndarray]:
    n, t, s, heads, d, e = sizes
    random = np.random.default_rng(0)
    shapes = (n, t, heads, d), (n, s, heads, d), (n, s, heads, e), (n, t, heads, e)
    return [random.normal(size=shape).astype(dtype) for shape in shapes]


def _attended(flash_attention: bool, mask: np.ndarray | None, causal: bool) -> object:
    def function(q: object, k: object, v: object, g: object) -> list:
        y = ops.dot_product_attention(q, k, v, mask=mask, is_causal=causal, flash_attention=flash_attention)
        return [y, *gradients([ops.sum(y * g)], [q, k, v])]

    return compile_function(function)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", ["", "rows", "keys"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_tiles_give_what_the_whole_gives(sizes: tuple, masked: str, causal: bool) -> None:
    """Also of rows of which nothing counts, which are the mean of all values."""
    n, t, s, heads = sizes[:4]
    shape = {"rows": (n, 1, t, s), "keys": (1, heads, 1, s)}.get(masked)
    mask = np.random.default_rng(1).random(shape) > 0.4 if shape else None
    for dtype, tolerance in (("float32", 2e-5), ("float64", 1e-13)):
        given = _inputs(sizes, dtype)
        tiled, whole = (_attended(flash, mask, causal)(*given) for flash in (True, False))
        for ours, expected in zip(tiled, whole, strict=True):
            scale = max(1.0, float(np.abs(expected).max()))
            np.testing.assert_allclose(ours, expected, atol=tolerance * scale)


def test_same_bits_on_any_number_of_threads() -> None:
    given = _inputs((4, 300, 200, 3, 20, 24), "float32")
    before, found = layerkit.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            layerkit.set_num_threads(threads)
            found.append([np.asarray(y) for y in _attended(True, None, True)(*given)])
    finally:
        layerkit.set_num_threads(before)
    for other in found[1:]:
        for ours, expected in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(ours, expected)
