"""Rows for attention by tiles; `operations.py` takes them in."""

from __future__ import annotations

import numpy as np

from layerkit import ops

N, T, S, HEADS, D, E = 2, 5, 7, 2, 3, 4


def _drawn(seed: int, *shape: int):
    """The same numbers each time: the results that the gradient is given have to fit the other inputs."""
    return lambda rng, dtype: np.random.default_rng(seed).normal(size=shape).astype(dtype)


def _mask(*shape: int):
    return lambda rng, dtype: (np.random.default_rng(5).random(shape) > 0.4) | (np.arange(shape[-1]) == 0)


def rows() -> list[tuple]:
    """An operation, the makers of its inputs, and whether it has a gradient."""
    inputs = _drawn(1, N, T, HEADS, D), _drawn(2, N, S, HEADS, D), _drawn(3, N, S, HEADS, E)
    found = []
    for causal, masks in ((False, ()), (True, ()), (False, (_mask(N, 1, T, S),)), (True, (_mask(1, HEADS, 1, S),))):
        attention = ops.TiledAttention(0.6, causal, bool(masks))

        def result(at: int, attention: ops.TiledAttention = attention, masks: tuple = masks):
            return lambda rng, dtype: attention.reference(*(make(rng, dtype) for make in (*inputs, *masks)))[at]

        gradient = ops.TiledAttentionGradient(0.6, causal, bool(masks))
        given = (*inputs, *masks, result(0), result(1), _drawn(4, N, T, HEADS, E))
        found += [(attention, (*inputs, *masks), True), (gradient, given, True)]
    return found
