"""Attention, and the sparse relative of softmax."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Spec, as_tensor
from layerkit.graph.tensor import SIZE_CONSTANT, Tensor
from layerkit.kernels.attention_launch import attention_gradient_launches, attention_launches
from layerkit.kernels.launch import Launch, Operand
from layerkit.ops.arrays import repeat
from layerkit.ops.comparison import logical_and
from layerkit.ops.cumulative import cumsum
from layerkit.ops.elementwise import cast, relu, where
from layerkit.ops.matrix_product import contract
from layerkit.ops.neural import as_float, index_along, softmax
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import expand_dims, reshape, zeros_like
from layerkit.ops.sorting import sort
from layerkit.ops.trigonometry import tanh

MASKED = -0.7
"""Of the largest float: what a masked score becomes. Half of it would do; the whole could overflow with a bias."""


def causal_mask(rows: int, columns: int, window: int | None = None) -> Tensor:
    """[1, rows, columns]: whether position `column` is not behind position `row`, or less than `window` away from it.

    >>> causal_mask(2, 3).tolist()
    [[[True, False, False], [True, True, False]]]
    """
    row, column = np.arange(rows)[:, None], np.arange(columns)
    allowed = (row >= column if window is None else np.abs(row - column) < window)[None]
    # Of one row it has one value, and still the structure of all others.
    return Tensor(allowed.shape, "bool", allowed, name=SIZE_CONSTANT)


class _Attention(Kernelled, abstract=True):
    """Of q [N, T, heads, D], k [N, S, heads, D], v [N, S, heads, E], and perhaps a mask that broadcasts to the scores.

    The mask is of bools with axes [N, heads, T, S], some of size 1. Scores that do not count become the lowest: a row
    of which none counts is the mean of all values.
    """

    scale: float
    causal: bool
    masked: bool

    @property
    def strided(self) -> tuple[int, ...]:
        """The mask may have any strides."""
        return (3,) if self.masked else ()

    def supports(self, *x: Tensor) -> bool:
        """There are kernels for float32 and float64."""
        return x[0].dtype in ("float32", "float64")

    def check(self, q: Tensor, k: Tensor, v: Tensor, *mask: Tensor) -> None:
        """Raise ShapeError where the shapes do not fit."""
        for name, x in (("query", q), ("key", k), ("value", v)):
            if x.ndim != 4:
                raise ShapeError(f"the {name} has to have 4 axes (batch, length, heads, size), not {x.ndim}.")
        for place, one, other in ((0, q, k), (2, q, k), (3, q, k), (0, k, v), (1, k, v), (2, k, v)):
            if None not in (one.shape[place], other.shape[place]) and one.shape[place] != other.shape[place]:
                raise ShapeError(f"axis {place} of {one.shape} and of {other.shape} have to have one size.")
        full = (q.shape[0], q.shape[2], q.shape[1], k.shape[1])
        for one in mask:
            if one.ndim != 4 or any(
                None not in (n, m) and n not in (1, m) for n, m in zip(one.shape, full, strict=True)
            ):
                raise ShapeError(f"the mask {one.shape} does not broadcast to {full}.")

    def _shares(self, q: np.ndarray, k: np.ndarray, *mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The softmax of the scores, the logarithms of its sums, and which scores count."""
        scores = np.einsum("bthd,bshd->bhts", q, k) * q.dtype.type(self.scale)
        allowed = np.ones((1, 1, 1, 1), bool)
        if self.causal:
            allowed = np.tri(q.shape[1], k.shape[1], dtype=bool)[None, None]
        for one in mask:
            allowed = allowed & one
        scores = np.where(allowed, scores, scores.dtype.type(MASKED * np.finfo(scores.dtype).max))
        top = scores.max(-1, keepdims=True, initial=-np.inf)
        shares = np.exp(scores - top)
        sums = shares.sum(-1, keepdims=True)
        return shares / sums, (top + np.log(sums))[..., 0], np.broadcast_to(allowed, scores.shape)


class TiledAttention(_Attention):
    """softmax(scale * Q K^T) V, and the logarithms of the softmax' sums [N, heads, T], which the gradient needs."""

    outputs: ClassVar[int] = 2

    def infer(self, q: Tensor, k: Tensor, v: Tensor, *mask: Tensor) -> list[Spec]:
        self.check(q, k, v, *mask)
        return [((*q.shape[:3], v.shape[3]), q.dtype), ((q.shape[0], q.shape[2], q.shape[1]), q.dtype)]

    def reference(
        self, q: np.ndarray, k: np.ndarray, v: np.ndarray, *mask: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        if 0 in k.shape[:2]:
            return np.zeros((*q.shape[:3], v.shape[3]), q.dtype), np.zeros((q.shape[0], *q.shape[2:0:-1]), q.dtype)
        shares, logs, _ = self._shares(q, k, *mask)
        return np.einsum("bhts,bshe->bthe", shares, v), logs

    def gradient(self, g: list[Tensor | None], y: list[Tensor], *x: Tensor) -> tuple:
        q, k, v, *mask = x
        slopes: list[Tensor | None] = [None, None, None]
        if g[0] is not None:
            slopes = TiledAttentionGradient(self.scale, self.causal, self.masked)(*x, *y, g[0])
        if g[1] is not None:  # of the logarithms, which nothing but the gradient itself reads as a rule
            shares, allowed = shares_of(q, k, mask[0] if mask else None, self.scale, self.causal)
            to_scores = shares * expand_dims(g[1], -1) * self.scale
            to_scores = to_scores if allowed is None else where(allowed, to_scores, 0)
            more = contract(to_scores, "bhts", k, "bshd", "bthd"), contract(to_scores, "bhts", q, "bthd", "bshd"), None
            slopes = [
                one if other is None else other if one is None else one + other
                for one, other in zip(slopes, more, strict=True)
            ]
        return (*slopes, *(None for _ in mask))

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return attention_launches(inputs, *outputs, self.scale, self.causal)


class TiledAttentionGradient(_Attention):
    """The gradients of q, k and v, from them, the mask, the two results of TiledAttention and the first's gradient.

    As a function it depends on q, k, v and the gradient alone, for the results do.
    """

    outputs: ClassVar[int] = 3

    def infer(self, *x: Tensor) -> list[Spec]:
        q, k, v = x[:3]
        self.check(*x[: 4 if self.masked else 3])
        return [(q.shape, q.dtype), (k.shape, q.dtype), (v.shape, q.dtype)]

    def reference(self, *x: np.ndarray) -> tuple[np.ndarray, ...]:
        q, k, v, *mask = x[:-3]
        g = x[-1]
        if 0 in k.shape[:2] or not q.shape[1]:
            return np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
        shares, _, allowed = self._shares(q, k, *mask)
        of_shares = np.einsum("bthe,bshe->bhts", g, v)
        of_scores = shares * (of_shares - (shares * of_shares).sum(-1, keepdims=True)) * q.dtype.type(self.scale)
        of_scores = np.where(allowed, of_scores, q.dtype.type(0))
        return (
            np.einsum("bhts,bshd->bthd", of_scores, k),
            np.einsum("bhts,bthd->bshd", of_scores, q),
            np.einsum("bhts,bthe->bshe", shares, g),
        )

    def gradient(self, h: list[Tensor | None], y: list[Tensor], *x: Tensor) -> tuple:
        q, k, v, *mask = x[:-3]
        g = x[-1]
        hq, hk, hv = (zeros_like(one) if slope is None else slope for slope, one in zip(h, (q, k, v), strict=True))
        shares, allowed = shares_of(q, k, mask[0] if mask else None, self.scale, self.causal)
        of_shares = contract(g, "bthe", v, "bshe", "bhts")
        centred = of_shares - reduce_sum(shares * of_shares, -1, keepdims=True)
        of_scores = shares * centred * self.scale
        # Of what the gradients are sums of: the scores' gradients, the shares', and the shares themselves.
        slope = (contract(hq, "bthd", k, "bshd", "bhts") + contract(q, "bthd", hk, "bshd", "bhts")) * self.scale
        if allowed is not None:
            slope, of_scores = where(allowed, slope, 0), where(allowed, of_scores, 0)
        mean = reduce_sum(shares * slope, -1, keepdims=True)
        to_shares = shares * (slope - mean)
        through = slope * centred - mean * of_shares + contract(g, "bthe", hv, "bshe", "bhts")
        to_scores = shares * (through - reduce_sum(shares * through, -1, keepdims=True)) * self.scale
        if allowed is not None:
            to_scores = where(allowed, to_scores, 0)
        return (
            contract(to_scores, "bhts", k, "bshd", "bthd") + contract(of_scores, "bhts", hk, "bshd", "bthd"),
            contract(to_scores, "bhts", q, "bthd", "bshd") + contract(of_scores, "bhts", hq, "bthd", "bshd"),
            contract(to_shares, "bhts", g, "bthe", "bshe"),
            *(None for _ in mask),
            None,
            None,
            contract(to_shares, "bhts", v, "bshe", "bthe") + contract(shares, "bhts", hv, "bshe", "bthe"),
        )

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        *given, out, logs, g = inputs
        return attention_gradient_launches(given, out, logs, g, outputs, self.scale, self.causal)


def shares_of(
    query: Tensor, key: Tensor, mask: Tensor | None, scale: float, causal: bool
) -> tuple[Tensor, Tensor | None]:
    """The softmax of the scores [N, heads, T, S] of queries and keys, and which scores count (None: all)."""
    scores = contract(query * scale, "bthd", key, "bshd", "bhts")
    allowed = causal_mask(query.shape[1], key.shape[1]) if causal else None
    if mask is not None:
        mask = cast(mask, "bool")
        allowed = mask if allowed is None else logical_and(mask, allowed)
    if allowed is None:
        return softmax(scores), None
    return softmax(where(allowed, scores, MASKED * float(np.finfo(scores.dtype).max))), allowed


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
        flash_attention: True: by tiles of the scores, which are never in memory at once, where there is neither a bias
            nor a cap; False: with all scores in memory; None: by tiles where it is causal, which halves the work.
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
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else float(scale)
    if mask is not None:
        mask = as_tensor(mask)
        mask = reshape(mask, (*(1,) * (4 - mask.ndim), *mask.shape)) if mask.ndim < 4 else mask
    plain = bias is None and attn_logits_soft_cap is None and None not in (*query.shape, *key.shape, *value.shape)
    if plain and (flash_attention or (is_causal and flash_attention is None)):
        masks = [] if mask is None else [cast(mask, "bool")]
        return TiledAttention(scale, bool(is_causal), bool(masks))(query, key, value, *masks)[0]
    if bias is None and attn_logits_soft_cap is None:
        shares, _ = shares_of(query, key, mask, scale, is_causal)
        return contract(shares, "bnts", value, "bsnh", "btnh")
    scores = contract(query * scale, "btnh", key, "bsnh", "bnts")
    if attn_logits_soft_cap is not None:
        scores = tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    if bias is not None:
        scores = scores + cast(bias, scores.dtype)
    lowest = MASKED * float(np.finfo(scores.dtype).max)
    if mask is not None:
        scores = where(cast(mask, "bool"), scores, lowest)
    if is_causal:
        scores = where(causal_mask(query.shape[1], key.shape[1]), scores, lowest)
    return contract(softmax(scores), "bnts", value, "bsnh", "btnh")


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
