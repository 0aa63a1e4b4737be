"""Attention in which heads of queries share those of keys and values."""

from __future__ import annotations

from typing import Any

from layerkit import ops
from layerkit.checks import check_integers
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.multi_head_attention import HeadAttention

__all__ = ["GroupQueryAttention", "GroupedQueryAttention"]


class GroupedQueryAttention(HeadAttention):
    """Attention in which groups of query heads share a head of keys and values (Ainslie et al., arXiv:2305.13245).

    Args:
        head_dim: the size of a head.
        num_query_heads: how many heads of queries.
        num_key_value_heads: how many heads of keys and values, which divides those of queries.
        dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer, kernel_regularizer,
            bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate, seed: as of
            `MultiHeadAttention`.

    Called as `MultiHeadAttention` is. Its public name is `layers.GroupQueryAttention`.

    >>> layer = GroupedQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)
    >>> x = np.ones((1, 3, 8))
    >>> layer(x, x).shape
    (1, 3, 8)
    """

    _attention_axes = (1,)

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        check_integers(self, 1, head_dim=head_dim)
        check_integers(self, 1, num_query_heads=num_query_heads, num_key_value_heads=num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                "`num_query_heads` must be divisible by `num_key_value_heads`. Received: "
                f"num_query_heads={num_query_heads}, num_key_value_heads={num_key_value_heads}"
            )
        self._set_common(
            head_dim, dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed,
        )  # fmt: skip
        self.head_dim = int(head_dim)
        self.num_query_heads, self.num_key_value_heads = int(num_query_heads), int(num_key_value_heads)
        self.num_repeats = self.num_query_heads // self.num_key_value_heads

    def build(self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        if len(query_shape) != 3:
            raise ShapeError(
                f"GroupQueryAttention {self.name!r}: the query has 3 axes (batch, length, features); got shape "
                f"{query_shape}."
            )
        heads = (self.num_query_heads, self.num_key_value_heads)
        self._build_heads(
            query_shape, value_shape, key_shape, heads, (self.head_dim, self.head_dim), (query_shape[-1],)
        )

    def _repeated(self, x: Tensor) -> Tensor:
        """Each head as often as queries share it."""
        return ops.repeat(x, self.num_repeats, axis=2) if self.num_repeats > 1 else x

    def get_config(self) -> dict[str, Any]:
        """The arguments but `flash_attention`, which Keras does not write."""
        config = {"activity_regularizer": None, **super().get_config()}
        return {name: value for name, value in config.items() if name != "flash_attention"}


# Keras' public name.
GroupQueryAttention = GroupedQueryAttention
