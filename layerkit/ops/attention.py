"""Attention, and the sparse relative of softmax."""

from __future__ import annotations

import math

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.arrays import repeat
from layerkit.ops.cumulative import cumsum
from layerkit.ops.elementwise import cast, relu, where
from layerkit.ops.matrix_product import matmul
from layerkit.ops.neural import IndexAlong, as_float, index_along, softmax
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import transpose
from layerkit.ops.sorting import sort
from layerkit.ops.trigonometry import tanh

MASKED = -0.7
"""Of the largest float: what a masked score becomes. Half of it would do; the whole could overflow with a bias."""


def dot_product_attention(
    query: object,
    key: object,
    value: object,
    bias: object = None,
    mask: object = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Tensor:
    """softmax(scale * query @ key + bias) @ value for each head.

    Args:
        query: [N, T, heads, H].
        key: [N, S, key heads, H]; its heads divide the query's.
        value: [N, S, key heads, H].
        bias: added to the scores, broadcasts to [N, heads, T, S].
        mask: which scores count, broadcasts to [N, heads, T, S].
        scale: None: 1 / sqrt(H).
        is_causal: whether position t sees only positions up to t.
        flash_attention: accepted; the same result either way.
        attn_logits_soft_cap: scores are bounded to it by tanh.

    Raises ShapeError for other shapes.
    """
    query, key, value = (as_float(as_tensor(x)) for x in (query, key, value))
    if query.ndim != 4 or key.ndim != 4 or value.ndim != 4:
        raise ShapeError(
            "ops.dot_product_attention takes query, key and value with 4 axes (batch, length, heads, size); got "
            f"{query.shape}, {key.shape} and {value.shape}."
        )
    heads, key_heads = query.shape[2], key.shape[2]
    if heads % key_heads:
        raise ShapeError(f"the query's {heads} heads are no multiple of the key's {key_heads}.")
    if heads != key_heads:
        key, value = (repeat(x, heads // key_heads, axis=2) for x in (key, value))
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = matmul(transpose(query * scale, (0, 2, 1, 3)), transpose(key, (0, 2, 3, 1)))
    if attn_logits_soft_cap is not None:
        scores = tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + cast(bias, scores.dtype)
    lowest = MASKED * float(np.finfo(scores.dtype).max)
    if mask is not None:
        scores = where(cast(mask, "bool"), scores, lowest)
    if is_causal:
        scores = where(IndexAlong(2)(scores) >= IndexAlong(3)(scores), scores, lowest)
    return transpose(matmul(softmax(scores), transpose(value, (0, 2, 1, 3))), (0, 2, 1, 3))


def sparsemax(x: object, axis: int = -1) -> Tensor:
    """The nearest point to x of the probability simplex along an axis (Martins and Astudillo, arXiv:1602.02068)."""
    x = as_float(as_tensor(x))
    (axis,) = normalize_axes(axis, x.ndim)
    descending = -sort(-x, axis)
    sums = cumsum(descending, axis)
    place = cast(index_along(x, axis), x.dtype) + 1
    inside = descending * place + 1 > sums
    # The support's size and its sum give the threshold; the largest sum inside is not always the last one.
    count = reduce_sum(cast(inside, x.dtype), axis, keepdims=True)
    total = reduce_sum(where(inside, descending, 0), axis, keepdims=True)
    return relu(x - (total - 1) / count)
