"""Tables of vectors that are looked up by integers."""

from __future__ import annotations

from typing import Any

from layerkit import constraints, initializers, ops, regularizers
from layerkit.checks import check_integers, check_numbers
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.core import refuse
from layerkit.layers.lora import LowRankAdapted

__all__ = ["Embedding", "ReversibleEmbedding"]


class Embedding(LowRankAdapted):
    """A vector for each index: [N, ...] of integers to [N, ..., output_dim].

    Args:
        input_dim: how many indices there are.
        output_dim: the size of a vector.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table.
        mask_zero: whether index 0 is padding, which later layers leave out.
        weights: the table to start with.
        lora_rank, lora_alpha: of a low-rank correction that is trained in the table's place; see `enable_lora`.
        quantization_config: not supported; raises NotImplementedError.

    >>> Embedding(5, 2)(np.array([[0, 4, 1]])).shape
    (1, 3, 2)
    """

    adapted = "embeddings"
    _not_in_config = ("weights", "lora_rank", "lora_alpha")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        input_length = kwargs.pop("input_length", None)  # of Keras 2; shapes are found without it
        super().__init__(**kwargs)
        refuse(self, quantization_config=quantization_config)
        self._set_lora(lora_rank, lora_alpha)
        del input_length
        check_integers(self, 1, input_dim=input_dim, output_dim=output_dim)
        self.input_dim, self.output_dim = int(input_dim), int(output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self.autocast = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Make the table."""
        if self.built:
            return
        self._embeddings = self.add_weight(
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )
        self._adapt_if_wanted()

    @property
    def embeddings(self) -> Variable | Tensor:
        """The table. Raises AttributeError before the layer is built."""
        return self._merged_weight()

    def call(self, inputs: Tensor) -> Tensor:
        """Look the vectors up."""
        indices = inputs if "int" in inputs.dtype else ops.cast(inputs, "int32")
        vectors = ops.take(self._main_weight, indices, axis=0)
        if not self.lora_enabled:
            return vectors
        # Only the rows that are asked for are corrected.
        a, b = self._lora_factors
        return vectors + self._lora_scale * ops.matmul(ops.take(a, indices, axis=0), b)

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> Tensor | None:
        """Where the index is not 0."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """The arguments; Keras writes the activity regularizer also where there is none."""
        return {"activity_regularizer": None, **super().get_config()}


class ReversibleEmbedding(Embedding):
    """An embedding that also gives scores of indices for vectors, by the transposed table or one of its own.

    Args:
        input_dim: how many indices there are.
        output_dim: the size of a vector.
        tie_weights: whether the scores are products with the same table.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: of the table.
        mask_zero: whether index 0 is padding, which later layers leave out.
        reverse_dtype: the dtype of the scores; None: the layer's.
        logit_soft_cap: scores s become tanh(s / cap) * cap; None: they stay.

    `call(inputs)` looks up: [N, ...] of integers to [N, ..., output_dim]. `call(inputs, reverse=True)` gives scores:
    [N, ..., output_dim] to [N, ..., input_dim].

    >>> layer = ReversibleEmbedding(5, 2, embeddings_initializer="ones")
    >>> layer(layer(np.array([1, 4])), reverse=True).shape
    (2, 5)
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
            mask_zero=mask_zero,
            **kwargs,
        )
        check_numbers(self, "(0, inf]", optional=True, logit_soft_cap=logit_soft_cap)
        self.tie_weights = tie_weights
        self.reverse_dtype = reverse_dtype
        self.logit_soft_cap = logit_soft_cap

    def build(self, input_shape: Any = None) -> None:
        """Make the table, and the one for scores where it is another."""
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        """Look the vectors up, or give the scores of vectors."""
        if not reverse:
            vectors = super().call(inputs)
            vectors.mask = super().compute_mask(inputs)
            return vectors
        table = ops.transpose(self.embeddings) if self.tie_weights else self.reverse_embeddings
        if self.reverse_dtype is not None:
            inputs, table = ops.cast(inputs, self.reverse_dtype), ops.cast(table, self.reverse_dtype)
        scores = ops.matmul(inputs, table)
        if self.logit_soft_cap is None:
            return scores
        return ops.tanh(scores / self.logit_soft_cap) * self.logit_soft_cap

    def compute_mask(self, inputs: Tensor, previous_mask: Tensor | None = None) -> None:
        """None: `call` sets the mask of looked-up vectors; scores have none."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments, and those that Keras writes of an embedding."""
        given = super().get_config()
        return {"quantization_config": None, **given}
