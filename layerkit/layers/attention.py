"""Attention over a list of tensors without projections: by products (Luong) and by sums (Bahdanau)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit import ops, random
from layerkit.checks import check_choice, check_numbers
from layerkit.errors import ShapeError, shortened
from layerkit.graph.tensor import Tensor
from layerkit.layers.layer import Layer
from layerkit.ops.attention import causal_mask

__all__ = ["AdditiveAttention", "Attention"]

Shape = Sequence[int | None]

MASKED = 1e9
"""What is taken from a masked score, as in Keras: a row that is masked throughout keeps its own distribution."""


class Attention(Layer):
    """softmax(query @ key^T) @ value (Luong et al., arXiv:1508.04025).

    Args:
        use_scale: whether the scores are multiplied by a trainable number.
        score_mode: "dot" for products; "concat" for a trainable number times the sum of tanh(query + key).
        dropout: the share of the scores that training sets to 0.
        seed: for the same draws in each run.

    Called on [query [N, T, C], value [N, S, D]] or [query, value, key [N, S, C]]; gives [N, T, D], with
    `return_attention_scores=True` also the scores [N, T, S]. `use_causal_mask=True` lets position t see only positions
    up to t. The masks of query and value are taken over; masked queries give 0.

    >>> x = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> Attention()([x, x]).shape
    (1, 2, 2)
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_choice(self, ("dot", "concat"), score_mode=score_mode)
        check_numbers(self, "[0, 1]", dropout=dropout)
        self.use_scale, self.score_mode, self.dropout, self.seed = use_scale, score_mode, dropout, seed
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        """Make the scale of the scores, and the weight of their sums."""
        self._check(input_shape)
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(shape=(), initializer="ones", name="concat_score_weight")

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Tensor:
        """The scores [N, T, S] of queries [N, T, C] and keys [N, S, C]."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else scores * self.scale
        sums = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        if self.scale is not None:
            sums = self.scale * sums
        return self.concat_score_weight * ops.sum(ops.tanh(sums), axis=-1)

    def _calculate_score_mask(self, scores: Tensor, v_mask: Tensor | None, use_causal_mask: bool) -> Tensor | None:
        """Which scores count, as a mask that broadcasts to [N, T, S]; None for all."""
        mask = None if v_mask is None else ops.expand_dims(ops.cast(v_mask, "bool"), -2)
        if not use_causal_mask:
            return mask
        causal = causal_mask(*scores.shape[-2:])
        return causal if mask is None else ops.logical_and(mask, causal)

    def _apply_scores(
        self, scores: Tensor, value: Tensor, scores_mask: Tensor | None = None, training: bool = False
    ) -> tuple[Tensor, Tensor]:
        """The values [N, T, D] weighted by the softmax of the scores that count, and the weights [N, T, S]."""
        if scores_mask is not None:
            scores = ops.where(scores_mask, scores, scores - MASKED)
        weights = ops.softmax(scores, axis=-1)
        dropped = weights
        if training and self.dropout > 0:
            dropped = random.dropout(weights, self.dropout, seed=self.seed_generator)
        return ops.matmul(dropped, value), dropped

    def call(
        self,
        inputs: Sequence[Tensor],
        mask: Sequence[Tensor | None] | None = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend."""
        self._check(inputs, mask)
        self._check_shapes(*[x.shape for x in inputs])
        query, value = inputs[0], inputs[1]
        key = inputs[2] if len(inputs) > 2 else value
        q_mask, v_mask = (mask[0], mask[1]) if mask else (None, None)
        scores = self._calculate_scores(query=query, key=key)
        scores_mask = self._calculate_score_mask(scores, v_mask, use_causal_mask)
        output, weights = self._apply_scores(scores=scores, value=value, scores_mask=scores_mask, training=training)
        if q_mask is not None:
            output = ops.where(ops.expand_dims(ops.cast(q_mask, "bool"), -1), output, 0)
        return (output, weights) if return_attention_scores else output

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Tensor | None:
        """The query's mask."""
        self._check(inputs, previous_mask)
        return None if previous_mask is None else previous_mask[0]

    def _check_shapes(self, query: Shape, value: Shape, key: Shape | None = None) -> None:
        """Raise ShapeError where queries, values and keys do not go together."""
        key = value if key is None else key
        text = f"{type(self).__name__} {self.name!r}: expected query [N, T, C], value [N, S, D] and key [N, S, C]"
        for what, sizes in (
            ("the feature sizes C of query and key", {query[-1], key[-1]}),
            ("the lengths S of value and key", {value[-2], key[-2]}),
            ("the batch sizes N", {query[0], value[0], key[0]} - {1}),  # one serves all
        ):
            if len(sizes - {None}) > 1:
                raise ShapeError(
                    f"{text}, got shapes query={tuple(query)}, value={tuple(value)}, key={tuple(key)}: {what} differ."
                )

    def _check(self, inputs: Any, mask: Any = None) -> None:
        """Raise ValueError where inputs or masks are no list of two or three."""
        for name, given in (("inputs", inputs), ("mask", mask)):
            if given is None and name == "mask":
                continue
            if not isinstance(given, list | tuple) or not 2 <= len(given) <= 3:
                raise ValueError(
                    f"{type(self).__name__} layer {self.name!r} must be called on a list: {name} of "
                    f"[query, value] or [query, value, key]. Received: {name}={shortened(given)}"
                )


class AdditiveAttention(Attention):
    """softmax(sum(scale * tanh(query + key))) @ value (Bahdanau et al., arXiv:1409.0473).

    Args:
        use_scale: whether the sum is weighted by a trainable vector [C].
        dropout: the share of the scores that training sets to 0.

    Called as `Attention` is.

    >>> x = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> AdditiveAttention(use_scale=False)([x, x]).shape
    (1, 2, 2)
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        """Make the weights of the sum."""
        self._check(input_shape)
        size = input_shape[0][-1]
        self.scale = None
        if self.use_scale:
            if size is None:
                raise ShapeError(
                    f"AdditiveAttention {self.name!r} needs the size of the query's last axis; got {input_shape}."
                )
            self.scale = self.add_weight(shape=(size,), initializer="glorot_uniform", name="scale")

    def _calculate_scores(self, query: Tensor, key: Tensor) -> Tensor:
        """The scores [N, T, S] of queries [N, T, C] and keys [N, S, C]."""
        sums = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(sums if self.scale is None else self.scale * sums, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The arguments, and the seed."""
        return {"seed": self.seed, **super().get_config()}
