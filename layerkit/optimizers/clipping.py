"""Gradients made smaller where they are too large."""

from __future__ import annotations

from collections.abc import Sequence

from layerkit import ops
from layerkit.graph import Tensor


def clip_by_norm(gradient: Tensor, norm: float) -> Tensor:
    """A gradient scaled so that its norm is at most this."""
    length = ops.sqrt(ops.sum(ops.square(gradient)))
    return gradient * (norm / ops.maximum(length, norm))


def clip_by_global_norm(gradients: Sequence[Tensor], norm: float) -> list[Tensor]:
    """Gradients scaled by one factor so that their norm together is at most this; all NaN where one is not finite."""
    squares = [ops.sum(ops.square(gradient)) for gradient in gradients]
    length = ops.sqrt(ops.sum(ops.stack(squares)))
    scale = norm / ops.maximum(length, norm) + (length - length)
    return [gradient * ops.cast(scale, gradient.dtype) for gradient in gradients]
