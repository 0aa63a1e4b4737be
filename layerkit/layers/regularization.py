"""Layers that are at work only when training: dropout and noise; and losses of activations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from layerkit import ops, random, regularizers
from layerkit.checks import check_numbers
from layerkit.config import standardize_data_format
from layerkit.graph.tensor import Tensor
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer

__all__ = [
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip

SELU_LIMIT = -1.6732632423543772 * 1.0507009873554805
"""What selu gives far below zero: -alpha * scale."""


class _Noise(Layer, registered=False):
    """What draws when it trains. A subclass says in `disturb` what it does then, where `amount` is more than 0."""

    def _set_noise(self, name: str, amount: float, seed: int | None) -> None:
        check_numbers(self, "[0, 1]", **{name: amount})
        self._amount = amount
        self.seed = seed
        if amount > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def disturb(self, inputs: Tensor) -> Tensor:
        """What training does to the input."""
        raise NotImplementedError

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """The input, disturbed when training."""
        return self.disturb(inputs) if training and self._amount > 0 else inputs


class Dropout(_Noise):
    """Sets a share of the elements to 0 and scales the others up, so that the sum stays the same on average.

    Args:
        rate: the share, from 0 to 1.
        noise_shape: the shape in which is drawn, which broadcasts to the input's; None in it is the input's size.
        seed: for the same draws in each run.

    >>> y = Dropout(0.5, seed=1)(np.ones((2, 4)), training=True)
    >>> sorted(set(y.numpy().ravel().tolist()))
    [0.0, 2.0]
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_noise("rate", rate, seed)
        self.rate = rate
        self.noise_shape = _checked_noise_shape(noise_shape)

    def disturb(self, inputs: Tensor) -> Tensor:
        """Drop."""
        return random.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator)


def _checked_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    """A shape to draw in, or None. Raises ValueError for anything else."""
    if noise_shape is None:
        return None
    if not isinstance(noise_shape, list | tuple) or any(
        size is not None and not (isinstance(size, int) and size > 0) for size in noise_shape
    ):
        raise ValueError(
            "Invalid value received for argument `noise_shape`. Expected a tuple or list of positive "
            f"integers or None. Received: noise_shape={noise_shape!r}"
        )
    return tuple(noise_shape)


class AlphaDropout(_Noise):
    """Dropout that keeps mean and variance of what comes out of selu (Klambauer et al., arXiv:1706.02515).

    Args:
        rate: the share of elements that are set to selu's lower limit, from 0 to 1.
        noise_shape: the shape in which is drawn, which broadcasts to the input's; None in it is the input's size.
        seed: for the same draws in each run.

    >>> AlphaDropout(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_noise("rate", rate, seed)
        self.rate = rate
        self.noise_shape = _checked_noise_shape(noise_shape)

    def disturb(self, inputs: Tensor) -> Tensor:
        """Set elements to the limit, then scale and shift all."""
        if self.rate == 1:
            return inputs * 0.0
        given = self.noise_shape or (None,) * inputs.ndim
        shape = tuple(own if size is None else size for own, size in zip(inputs.shape, given, strict=True))
        kept = random.uniform(shape, dtype=inputs.dtype, seed=self.seed_generator) >= self.rate
        scale = ((1 - self.rate) * (1 + self.rate * SELU_LIMIT**2)) ** -0.5
        return ops.where(kept, inputs, SELU_LIMIT) * scale - scale * SELU_LIMIT * self.rate


class _SpatialDropout(_Noise, registered=False):
    """Drops whole channels, of any rank."""

    rank = 1

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self._set_noise("rate", rate, seed)
        self.rate = rate
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def disturb(self, inputs: Tensor) -> Tensor:
        """Drop channels."""
        last = getattr(self, "data_format", "channels_last") == "channels_last"
        shape = (None, *(1,) * self.rank, None) if last else (None, None, *(1,) * self.rank)
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; it takes fewer than other layers, as in Keras."""
        return {**super().get_config(), "dtype": self.dtype}


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of [N, T, C].

    >>> y = SpatialDropout1D(0.5, seed=1)(np.ones((2, 3, 4)), training=True).numpy()
    >>> bool((y == y[:, :1]).all())
    True
    """


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole channels of [N, H, W, C] (or [N, C, H, W]).

    >>> y = SpatialDropout2D(0.5, seed=1)(np.ones((2, 3, 3, 4)), training=True).numpy()
    >>> bool((y == y[:, :1, :1]).all())
    True
    """

    rank = 2

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = standardize_data_format(data_format)


class SpatialDropout3D(SpatialDropout2D):
    """Dropout of whole channels of [N, D, H, W, C] (or [N, C, D, H, W]).

    >>> y = SpatialDropout3D(0.5, seed=1)(np.ones((2, 2, 2, 2, 4)), training=True).numpy()
    >>> bool((y == y[:, :1, :1, :1]).all())
    True
    """

    rank = 3


class GaussianNoise(_Noise):
    """Adds normal noise of deviation `stddev`.

    >>> GaussianNoise(0.1)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_noise("stddev", stddev, seed)
        self.stddev = stddev

    def disturb(self, inputs: Tensor) -> Tensor:
        """Add."""
        return inputs + random.normal(inputs.shape, 0.0, self.stddev, dtype=inputs.dtype, seed=self.seed_generator)


class GaussianDropout(_Noise):
    """Multiplies by normal noise around 1, of the deviation that dropout of this rate has.

    >>> GaussianDropout(0.5)(np.ones((1, 2))).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_noise("rate", rate, seed)
        check_numbers(self, "[0, 1)", rate=rate)
        self.rate = rate

    def disturb(self, inputs: Tensor) -> Tensor:
        """Multiply."""
        stddev = math.sqrt(self.rate / (1 - self.rate))
        return inputs * random.normal(inputs.shape, 1.0, stddev, dtype=inputs.dtype, seed=self.seed_generator)


class ActivityRegularization(Layer):
    """Its input, of which `l1 * sum(|x|) + l2 * sum(x^2)`, by batch entry, is added to the loss.

    >>> layer = ActivityRegularization(l1=0.5)
    >>> y = layer(np.array([[1.0, -3.0]]))
    >>> layer.losses[0].item()
    2.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """The input itself."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The arguments; the regularizer is made of them."""
        return {name: value for name, value in super().get_config().items() if name != "activity_regularizer"}
