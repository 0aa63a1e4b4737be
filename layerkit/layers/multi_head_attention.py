"""Attention of several heads: the layers of transformers."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

from layerkit import constraints, initializers, ops, regularizers
from layerkit.checks import check_axes, check_integers, check_numbers, standardize_sizes
from layerkit.config import is_flash_attention_enabled
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.activation import Softmax
from layerkit.layers.einsum_dense import EinsumDense
from layerkit.layers.layer import Layer
from layerkit.layers.regularization import Dropout
from layerkit.ops.attention import causal_mask
from layerkit.serialization import serialize_argument

__all__ = ["MultiHeadAttention"]


class HeadAttention(Layer, registered=False):
    """What both kinds have: projections, masks, and the attention between them. Not a layer of its own."""

    sliding_window: int | None
    dropout: float
    _attention_axes: tuple[int, ...]
    _dot_product_equation: str
    _combine_equation: str

    def _set_common(
        self,
        size: int,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
    ) -> None:
        """Check and set what both kinds take; `size` is that of a head."""
        check_integers(self, 1, optional=True, sliding_window=sliding_window)
        check_numbers(self, "[0, 1]", dropout=dropout)
        self._flash_attention = is_flash_attention_enabled() if flash_attention is None else flash_attention
        if self._flash_attention and dropout > 0:
            raise ValueError(
                "Dropout is not supported when flash attention is enabled. Please set dropout to 0.0 to use flash "
                f"attention. Received: dropout={dropout}, flash_attention={flash_attention}"
            )
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.sliding_window = sliding_window
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self._scale = 1 / math.sqrt(size)
        self.supports_masking = True

    def _projection(
        self, name: str, shape: tuple, free: int, summed: int, output: Sequence[int], activation: Any = None
    ) -> EinsumDense:
        """A layer, built for inputs of a shape, that maps its last `summed` axes (behind `free` ones) to `output`."""
        kept, gone, new = _letters(free, summed, len(output))
        layer = EinsumDense(
            f"{kept}{gone},{gone}{new}->{kept}{new}",
            output_shape=(*(None,) * (free - 1), *output),
            activation=activation,
            bias_axes=new if self.use_bias else None,
            kernel_initializer=_copied(self.kernel_initializer),
            bias_initializer=_copied(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self._regularizer_of_activity,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.supports_masking = True  # what is masked is seen to in `call`
        layer.build(shape)
        return layer

    @property
    def _regularizer_of_activity(self) -> Any:
        return self.activity_regularizer

    def _build_heads(
        self,
        query_shape: tuple,
        value_shape: tuple,
        key_shape: tuple,
        heads: tuple[int, int],
        sizes: tuple[int, int],
        output: Sequence[int],
    ) -> None:
        """Make the projections: `heads` of query and key, `sizes` of a head of key and value."""
        for name, shape in (("query", query_shape), ("value", value_shape), ("key", key_shape)):
            if len(shape) < 3 or shape[-1] is None:
                raise ShapeError(
                    f"{type(self).__name__} {self.name!r}: the {name} has at least 3 axes (batch, length, features), "
                    f"the last of known size; got shape {shape}."
                )
        if value_shape[1:-1] != key_shape[1:-1]:
            raise ShapeError(
                f"{type(self).__name__} {self.name!r}: all dimensions of `value` and `key`, except the last one, must "
                f"be equal. Received: value_shape={value_shape} and key_shape={key_shape}"
            )
        query_axes, key_axes = len(query_shape) - 1, len(key_shape) - 1
        (query_heads, key_heads), (key_size, value_size) = heads, sizes
        self._query_dense = self._projection("query", query_shape, query_axes, 1, (query_heads, key_size))
        self._key_dense = self._projection("key", key_shape, key_axes, 1, (key_heads, key_size))
        if self.use_gate:
            self._gate_dense = self._projection(
                "gate", query_shape, query_axes, 1, (query_heads, value_size), activation="sigmoid"
            )
        self._value_dense = self._projection("value", value_shape, key_axes, 1, (key_heads, value_size))
        self._build_attention(query_axes + 2)
        heads_shape = (*query_shape[:-1], query_heads, value_size)
        self._output_dense = self._projection("attention_output", heads_shape, query_axes, 2, output)

    def _build_attention(self, rank: int) -> None:
        """Prepare the attention between projected tensors of so many axes."""
        axes = len(self._attention_axes)
        self._dot_product_equation, self._combine_equation = _attention_equations(rank, self._attention_axes)
        self._softmax = Softmax(axis=tuple(range(-axes, 0)) if axes > 1 else -1, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(rate=self.dropout, dtype=self.dtype_policy, seed=self.seed)

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend."""
        key = value if key is None else key
        masked = any(mask is not None for mask in (query_mask, value_mask, key_mask, attention_mask))
        own = type(self)._compute_attention is HeadAttention._compute_attention
        # Where position is all that is masked, the attention needs no mask in memory.
        causal_only = use_causal_mask and own and not masked and self.sliding_window is None
        if not causal_only:
            attention_mask = self._compute_attention_mask(
                query,
                value,
                query_mask=query_mask,
                value_mask=value_mask,
                key_mask=key_mask,
                attention_mask=attention_mask,
                use_causal_mask=use_causal_mask,
            )
        output, scores = self._compute_attention(
            self._query_dense(query),
            self._repeated(self._key_dense(key)),
            self._repeated(self._value_dense(value)),
            attention_mask,
            training,
            return_attention_scores,
            **({"use_causal_mask": True} if causal_only else {}),
        )
        if self.use_gate:
            output = output * self._gate_dense(query)
        output = self._output_dense(output)
        output.mask = query_mask
        return (output, scores) if return_attention_scores else output

    def _repeated(self, x: Tensor) -> Tensor:
        """Projected keys or values with as many heads as queries have."""
        return x

    def _compute_attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attention between projected tensors [N, ..., heads, size]: its output, and the scores where they are made."""
        if self._flash_attention and return_attention_scores:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: returning attention scores is not supported when flash "
                "attention is enabled. Please disable flash attention to access attention scores."
            )
        dropping = self.dropout > 0 and training
        if not dropping and not return_attention_scores and query.ndim == 4:
            if attention_mask is not None:
                attention_mask = ops.cast(self._expanded(attention_mask, 4), "bool")
            output = ops.dot_product_attention(
                query, key, value, mask=attention_mask, scale=self._scale, is_causal=use_causal_mask,
                flash_attention=self._flash_attention,
            )  # fmt: skip
            return output, None
        if use_causal_mask:
            causal = self._compute_causal_mask(query, value)
            attention_mask = causal if attention_mask is None else ops.cast(attention_mask, "bool") & causal
        scores = ops.einsum(self._dot_product_equation, key, query * self._scale)
        scores = self._masked_softmax(scores, attention_mask)
        dropped = self._dropout_layer(scores, training=training) if self.dropout > 0 else scores
        return ops.einsum(self._combine_equation, dropped, value), scores

    def _masked_softmax(self, attention_scores: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """The scores as shares."""
        if attention_mask is not None:
            attention_mask = self._expanded(attention_mask, attention_scores.ndim)
        return self._softmax(attention_scores, mask=attention_mask)

    def _expanded(self, mask: Tensor, ndim: int) -> Tensor:
        """A mask with axes of size 1 for the heads, and others that it lacks, in front of those that are attended."""
        missing = ndim - mask.ndim
        place = mask.ndim - 2 * len(self._attention_axes)
        return ops.reshape(mask, (*mask.shape[:place], *(1,) * missing, *mask.shape[place:])) if missing > 0 else mask

    def _compute_attention_mask(
        self,
        query: Tensor,
        value: Tensor,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_causal_mask: bool = False,
    ) -> Tensor | None:
        """Which scores [N, T, S] count: those that all masks allow; None for all."""
        masks = []
        if query_mask is not None:
            masks.append(ops.expand_dims(ops.cast(query_mask, "bool"), -1))
        masks += [ops.expand_dims(ops.cast(mask, "bool"), -2) for mask in (value_mask, key_mask) if mask is not None]
        if use_causal_mask:
            masks.append(self._compute_causal_mask(query, value))
        if self.sliding_window is not None:
            masks.append(self._compute_sliding_window_mask(query, value))
        if attention_mask is not None:
            masks.insert(0, ops.cast(attention_mask, "bool"))
        found = None
        for mask in masks:
            found = mask if found is None else ops.logical_and(found, mask)
        return found

    def _compute_causal_mask(self, query: Tensor, value: Tensor | None = None) -> Tensor:
        """[1, T, S]: whether position s is not behind t."""
        return causal_mask(query.shape[1], (query if value is None else value).shape[1])

    def _compute_sliding_window_mask(self, query: Tensor, value: Tensor | None = None) -> Tensor:
        """[1, T, S]: whether position s is less than the window away from t."""
        return causal_mask(query.shape[1], (query if value is None else value).shape[1], self.sliding_window)


class MultiHeadAttention(HeadAttention):
    """Attention of several heads, each with projections of its own (Vaswani et al., arXiv:1706.03762).

    Args:
        num_heads: how many heads.
        key_dim: the size of a head's queries and keys.
        value_dim: the size of a head's values; None: `key_dim`.
        dropout: the share of the scores that training sets to 0.
        use_bias: whether the projections have biases.
        output_shape: the sizes of the output's last axes; None: the query's last one.
        attention_axes: over which axes is attended; None: over all but batch and features.
        sliding_window: a position sees only those less than so far away; None: all.
        flash_attention: True refuses dropout and `return_attention_scores`, as Keras does; False computes with scores
            in memory.
        kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint: of the projections.
        use_gate: whether the heads' outputs are multiplied by the sigmoid of a projection of the query.
        seed: for the same draws in each run.

    Called on query [N, T, C], value [N, S, D] and perhaps key [N, S, E]; gives [N, T, C], with
    `return_attention_scores=True` also the scores [N, heads, T, S]. `attention_mask` [N, T, S] says which scores count,
    `use_causal_mask=True` lets position t see only positions up to t, and the masks of query, value and key are
    heeded. The output has the query's mask.

    >>> layer = MultiHeadAttention(num_heads=2, key_dim=4)
    >>> x = np.ones((1, 3, 8))
    >>> layer(x, x).shape
    (1, 3, 8)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
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
        super().__init__(**kwargs)
        check_integers(self, 1, num_heads=num_heads, key_dim=key_dim)
        check_integers(self, 1, optional=True, value_dim=value_dim)
        if attention_axes is not None:
            standardize_sizes(self, "attention_axes", attention_axes, None, least=-math.inf)
        if output_shape is not None:
            output_shape = standardize_sizes(self, "output_shape", output_shape, None)
        self._set_common(
            key_dim, dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint, use_gate, seed,
        )  # fmt: skip
        self.num_heads, self.key_dim, self.value_dim = int(num_heads), int(key_dim), int(value_dim or key_dim)
        self._activity_regularizer = regularizers.get(activity_regularizer)
        self._output_shape = output_shape
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes

    def build(self, query_shape: tuple, value_shape: tuple, key_shape: tuple | None = None) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape) + 1
        axes = self.attention_axes
        check_axes(self, axes or (), query_shape, "attention_axes")
        axes = range(1, rank - 2) if axes is None else [axis if axis >= 0 else rank - 1 + axis for axis in axes]
        self.attention_axes = self._attention_axes = tuple(axes)
        heads, sizes = (self.num_heads, self.num_heads), (self.key_dim, self.value_dim)
        self._build_heads(
            query_shape, value_shape, key_shape, heads, sizes, self._output_shape or (query_shape[-1],)
        )  # fmt: skip

    @property
    def _regularizer_of_activity(self) -> Any:
        return self._activity_regularizer

    @property
    def query_dense(self) -> EinsumDense:
        """The projection of queries."""
        return self._query_dense

    @property
    def key_dense(self) -> EinsumDense:
        """The projection of keys."""
        return self._key_dense

    @property
    def value_dense(self) -> EinsumDense:
        """The projection of values."""
        return self._value_dense

    @property
    def output_dense(self) -> EinsumDense:
        """The projection of the heads' outputs."""
        return self._output_dense

    def get_config(self) -> dict[str, Any]:
        """The arguments but `flash_attention`, which Keras does not write."""
        config = {**super().get_config(), "output_shape": self._output_shape}
        config["activity_regularizer"] = serialize_argument(self._activity_regularizer)
        return {name: value for name, value in config.items() if name != "flash_attention"}


def _copied(initializer: Any) -> Any:
    """Another initializer of the same kind: one object draws the same values every time."""
    if not hasattr(initializer, "get_config"):
        return initializer
    return type(initializer).from_config(initializer.get_config())


def _letters(*counts: int) -> list[str]:
    """Names of axes, so many for each."""
    names = iter(string.ascii_lowercase)
    return ["".join(next(names) for _ in range(count)) for count in counts]


def _attention_equations(rank: int, axes: Sequence[int]) -> tuple[str, str]:
    """The equations of the scores, `key,query->scores`, and of the output, `scores,value->output`.

    Projected tensors have `rank` axes, of which `axes` are attended and the last is the size of a head.

    >>> _attention_equations(4, (1,))
    ('aecd,abcd->acbe', 'acbe,aecd->abcd')
    """
    target, others = _letters(rank, len(axes))
    source = "".join(others[list(axes).index(at)] if at in axes else name for at, name in enumerate(target))
    batch = "".join(name for at, name in enumerate(target[:-1]) if at not in axes)
    scores = batch + "".join(target[at] for at in axes) + others
    return f"{source},{target}->{scores}", f"{scores},{source}->{target}"
