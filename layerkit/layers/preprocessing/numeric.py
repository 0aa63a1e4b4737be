"""Layers that prepare numbers: Rescaling, Normalization, Discretization, CategoryEncoding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from layerkit import ops
from layerkit.config import epsilon as fuzz
from layerkit.config import image_data_format
from layerkit.errors import NotBuiltError, ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.core import refuse
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer
from layerkit.layers.preprocessing.adapting import batches
from layerkit.layers.preprocessing.encoding import encode, output_mode_of
from layerkit.layers.preprocessing.quantiles import boundaries_of, merged, summary_of
from layerkit.serialization import deserialize_keras_object

__all__ = ["CategoryEncoding", "Discretization", "Normalization", "Rescaling"]


class Rescaling(Layer):
    """`inputs * scale + offset`; integers become floats first.

    Args:
        scale: a number, or one for each channel.
        offset: a number, or one for each channel.

    >>> Rescaling(1 / 255)(np.array([[255]], "uint8")).tolist()
    [[1.0]]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = deserialize_keras_object(scale)
        self.offset = deserialize_keras_object(offset)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """The scaled data."""
        scale = np.asarray(self.scale, self.compute_dtype)
        offset = np.asarray(self.offset, self.compute_dtype)
        if scale.ndim and image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        return ops.cast(inputs, self.compute_dtype) * scale + offset


class Normalization(Layer):
    """`(inputs - mean) / sqrt(variance)`, with mean and variance given, or found by `adapt`.

    Args:
        axis: the axes that have a mean and a variance for each place; None: one for all numbers.
        mean, variance: the values, both or none; they broadcast to the shape of the axes.
        invert: whether to undo the normalization: `inputs * sqrt(variance) + mean`.

    Its state are the variables mean, variance and, as in Keras, an unused count.

    >>> layer = Normalization(axis=None)
    >>> layer.adapt(np.array([1.0, 5.0]))
    >>> layer(np.array([1.0, 4.0])).tolist()
    [-1.0, 0.5]
    """

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ValueError(
                "Normalization: when setting values directly, both `mean` and `variance` must be set. Received: "
                f"mean={mean} and variance={variance}"
            )
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ValueError(
                "Normalization: `mean` and `variance` must have the same shape. Received: mean shape "
                f"{np.shape(mean)} and variance shape {np.shape(variance)}"
            )
        if mean is not None and np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"Normalization: the rank of `mean` must be at most the number of axes ({len(self.axis)}). Received: "
                f"mean shape {np.shape(mean)} for axis={self.axis}"
            )
        self.input_mean = None if mean is None else np.asarray(deserialize_keras_object(mean))
        self.input_variance = None if mean is None else np.asarray(deserialize_keras_object(variance))
        self.invert = invert
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the variables, unless mean and variance were given."""
        rank = len(input_shape)
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ValueError(
                f"Normalization {self.name!r}: all `axis` values must be in the range [-ndim, ndim). Received inputs "
                f"with ndim={rank}, while axis={self.axis}"
            )
        self._kept = tuple(sorted({axis % rank for axis in self.axis}))
        self._reduced = tuple(axis for axis in range(rank) if axis not in self._kept)
        shape = tuple(input_shape[axis] for axis in self._kept)
        if None in shape:
            raise ValueError(
                f"Normalization {self.name!r}: all `axis` values must have a known size. Received axis={self.axis}, "
                f"input shape {input_shape}"
            )
        self._kept_shape = shape
        self._broadcast_shape = tuple(input_shape[axis] if axis in self._kept else 1 for axis in range(rank))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(shape=shape, initializer="ones", trainable=False, name="variance")
            self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="count")
        else:
            self._broadcast(self.input_mean, shape)  # raises here where it doesn't fit
        self.input_spec = InputSpec(ndim=rank, axes={axis: input_shape[axis] for axis in self._kept})

    def _broadcast(self, given: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        try:
            return np.broadcast_to(given, shape).reshape(self._broadcast_shape).astype(self.compute_dtype)
        except ValueError as error:
            raise ShapeError(
                f"Normalization {self.name!r}: `mean` and `variance` of shape {given.shape} can't be broadcast to the "
                f"shape {shape} of axis={self.axis}."
            ) from error

    @property
    def mean(self) -> Tensor | None:
        """The mean, of the inputs' rank; None before it is built."""
        return self._value("input_mean", "adapt_mean")

    @property
    def variance(self) -> Tensor | None:
        """The variance, of the inputs' rank; None before it is built."""
        return self._value("input_variance", "adapt_variance")

    def _value(self, given: str, adapted: str) -> Tensor | None:
        if not hasattr(self, "_broadcast_shape"):
            return None
        if getattr(self, given) is not None:
            return ops.convert_to_tensor(self._broadcast(getattr(self, given), self._kept_shape))
        return ops.reshape(getattr(self, adapted), self._broadcast_shape)

    def adapt(self, data: Any) -> None:
        """Set mean and variance to those of the data.

        Args:
            data: an array or tensor, a `PyDataset`, or an iterable of batches (of (x, y), x counts). Everything
                earlier is forgotten.

        Raises:
            ValueError: mean and variance were given to the constructor, or there is no batch.
            ShapeError: a batch's axes are not those that it was built with.
        """
        if self.input_mean is not None:
            raise ValueError(
                f"Normalization {self.name!r}: adapt() would not change the `mean` and `variance` that it was made "
                "with. Make it without them."
            )
        count, mean, variance = 0, 0.0, 0.0
        for batch in batches(data, self):
            x = np.asarray(batch)
            if x.dtype.kind not in "biuf":
                raise TypeError(
                    f"Normalization {self.name!r}: adapt() takes arrays of numbers; got dtype {x.dtype} in "
                    f"{type(batch).__name__}."
                )
            self._build_for(x.shape)
            size = math.prod(x.shape[axis] for axis in self._reduced)
            if size == 0:
                continue
            x = x.astype("float64", copy=False)
            batch_mean, batch_variance = x.mean(axis=self._reduced), x.var(axis=self._reduced)
            count += size
            share = size / count  # the parallel algorithm of Chan, Golub and LeVeque
            step = batch_mean - mean
            variance = (1 - share) * (variance + share * step * step) + share * batch_variance
            mean = mean + share * step
        if count == 0:
            raise ValueError(f"Normalization {self.name!r}: adapt() got no numbers.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    def _build_for(self, shape: tuple[int, ...]) -> None:
        if not self.built:
            with self._scope():
                self.build(shape)
        rank = len(self._broadcast_shape)
        if len(shape) != rank or any(shape[axis] != self._broadcast_shape[axis] for axis in self._kept):
            raise ShapeError(
                f"Normalization {self.name!r} was built for rank {rank} and sizes {self._kept_shape} of "
                f"axis={self.axis}, but adapt() got data of shape {shape}."
            )

    def call(self, inputs: Tensor) -> Tensor:
        """The normalized inputs."""
        x = ops.cast(inputs, self.compute_dtype)
        deviation = ops.maximum(ops.sqrt(self.variance), fuzz())
        return self.mean + x * deviation if self.invert else (x - self.mean) / deviation

    def _config_value(self, name: str, given: Any) -> Any:
        if name in ("mean", "variance"):
            values = getattr(self, f"input_{name}")
            return None if values is None else values.tolist()
        return super()._config_value(name, given)


class Discretization(Layer):
    """The number of the bin that each value falls in: bin i holds values from boundary i - 1 up to below boundary i.

    Args:
        bin_boundaries: the boundaries in rising order.
        num_bins: in their place, how many bins `adapt` finds the boundaries of, with about as many values in each.
        epsilon: how finely `adapt` looks at the distribution: smaller is slower and nearer to the true quantiles.
        output_mode: "int", "one_hot", "multi_hot" (which bins occur along the last axis) or "count".
        sparse: not supported; True raises NotImplementedError.
        dtype: of the output, unless that is "int", which is int32.
        name: its name.

    >>> Discretization(bin_boundaries=[0.0, 1.0, 2.0])(np.array([-0.4, 0.0, 3.4, 0.2])).tolist()
    [0, 1, 3, 1]
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        refuse(self, sparse=sparse)
        self.output_mode = output_mode_of("Discretization", output_mode, ("int", "one_hot", "multi_hot", "count"))
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                f"Discretization: `num_bins` must be greater than or equal to 0. Received: num_bins={num_bins}"
            )
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                "Discretization: set either `num_bins` or `bin_boundaries`. Received: "
                f"num_bins={num_bins} and bin_boundaries={bin_boundaries}"
            )
        self.bin_boundaries = None if bin_boundaries is None else [float(edge) for edge in bin_boundaries]
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.sparse = sparse
        self.reset_state()

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Set the boundaries by the quantiles of the data.

        Args:
            data: an array or tensor, a `PyDataset`, or an iterable of batches. Everything earlier is forgotten.
            steps: how many batches to take.

        Raises ValueError where the boundaries were given to the constructor.
        """
        if self.num_bins is None:
            raise ValueError(
                f"Discretization {self.name!r}: adapt() can't be called where `bin_boundaries` were given; use "
                "`num_bins` instead."
            )
        self.reset_state()
        for batch in batches(data, self, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data seen by `update_state`."""
        self.summary = np.zeros((2, 0), "float32")

    def update_state(self, data: Any) -> None:
        """Take more data [...] into the summary of the distribution."""
        values = np.asarray(data)
        if values.dtype.kind not in "biuf":
            raise TypeError(f"Discretization {self.name!r}: adapt() takes numbers; got dtype {values.dtype}.")
        self.summary = merged(summary_of(values.astype("float32"), self.epsilon), self.summary, self.epsilon)

    def finalize_state(self) -> None:
        """Set the boundaries by the data seen so far."""
        if self.num_bins is not None:
            self.bin_boundaries = boundaries_of(self.summary, self.num_bins).tolist()

    def call(self, inputs: Tensor) -> Tensor:
        """The bins. Raises NotBuiltError before `adapt`."""
        if self.bin_boundaries is None:
            raise NotBuiltError(
                f"Discretization {self.name!r} has no boundaries yet: pass `bin_boundaries` when it is made, or call "
                "`adapt(data)` before it is used."
            )
        bins = ops.digitize(inputs, np.asarray(self.bin_boundaries, "float32"))
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return encode(bins, self.output_mode, len(self.bin_boundaries) + 1, dtype)

    def load_own_variables(self, store: Any) -> None:
        """Nothing: the boundaries are in the config. Old files hold the summary, which `adapt` makes anew."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The layer of a config, which holds the boundaries and the number of bins where it was adapted."""
        if config.get("bin_boundaries") is None or config.get("num_bins") is None:
            return super().from_config(config, custom_objects)
        made = super().from_config({**config, "bin_boundaries": None}, custom_objects)
        made.bin_boundaries = [float(edge) for edge in config["bin_boundaries"]]
        return made


class CategoryEncoding(Layer):
    """Integers as one-hot, multi-hot or count vectors.

    Args:
        num_tokens: how many integers there are, from 0; others leave no trace.
        output_mode: "multi_hot" (which integers occur along the last axis), "one_hot" or "count".
        sparse: not supported; True raises NotImplementedError.

    Input [..., tokens], output [..., num_tokens]; with "one_hot" [..., tokens, num_tokens], without the axis of tokens
    where there is one.

    >>> CategoryEncoding(4)(np.array([[0, 1], [3, 3]])).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    def __init__(
        self, num_tokens: int | None = None, output_mode: str = "multi_hot", sparse: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        refuse(self, sparse=sparse)
        self.output_mode = output_mode_of("CategoryEncoding", output_mode, ("count", "one_hot", "multi_hot"))
        if num_tokens is None:
            raise ValueError(
                "CategoryEncoding: `num_tokens` must be set. If the number of tokens is not known beforehand, use "
                "IntegerLookup."
            )
        if num_tokens < 1:
            raise ValueError(f"CategoryEncoding: `num_tokens` must be >= 1. Received: num_tokens={num_tokens}")
        self.num_tokens = num_tokens
        self.sparse = sparse

    def call(self, inputs: Tensor, count_weights: Any = None) -> Tensor:
        """The vectors; with "count" a token may count for what `count_weights`, of the inputs' shape, say."""
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                f"CategoryEncoding {self.name!r}: `count_weights` is only used where `output_mode` is 'count'. "
                f"Received: output_mode={self.output_mode!r}"
            )
        weights = None if count_weights is None else ops.cast(count_weights, self.compute_dtype)
        indices = ops.convert_to_tensor(inputs)
        if not indices.dtype.startswith(("int", "uint")):
            indices = ops.cast(indices, "int32")
        return encode(indices, self.output_mode, self.num_tokens, self.compute_dtype, weights)
