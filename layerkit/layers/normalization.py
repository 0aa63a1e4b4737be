"""Normalisation: over the batch, with moving averages for inference, and over the axes of each entry."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import constraints, initializers, ops, regularizers
from layerkit.checks import check_integers, check_numbers
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.core import refuse
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer
from layerkit.ops.normalization import batch_moments

__all__ = [
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization",
]  # fmt: skip


class _Normalization(Layer, registered=False):
    """What scales and offsets after normalising: gamma and beta. Not a layer of its own."""

    def _set_scaling(
        self,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
    ) -> None:
        self.center, self.scale = center, scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _add_scaling(self, shape: tuple[int, ...]) -> None:
        self.gamma: Variable | None = None
        self.beta: Variable | None = None
        if self.scale:
            self.gamma = self.add_weight(
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
                name="gamma",
            )
        if self.center:
            self.beta = self.add_weight(
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
                name="beta",
            )

    def _sizes(self, input_shape: tuple[int | None, ...], axes: Sequence[int]) -> tuple[int, ...]:
        """The sizes of axes. Raises ShapeError for one that is not there or of unknown size."""
        for axis in axes:
            if not -len(input_shape) <= axis < len(input_shape):
                raise ShapeError(
                    f"{type(self).__name__} {self.name!r}: axis {axis} is out of bounds for input shape {input_shape}."
                )
            if input_shape[axis] is None:
                raise ShapeError(
                    f"{type(self).__name__} {self.name!r} needs the size of axis {axis}; got shape {input_shape}."
                )
        return tuple(input_shape[axis] for axis in axes)


class BatchNormalization(_Normalization):
    """Subtracts the mean of each channel over the batch and divides by its deviation; in inference, by moving averages.

    Frozen (`trainable=False`), it works as when not training.

    Args:
        axis: the channels' axis.
        momentum: what stays of the moving averages at each step.
        epsilon: added to the variance.
        center, scale: whether beta is added, whether it is multiplied by gamma.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: how weights start.
        beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint: of the weights.
        renorm: whether training corrects the batch's moments towards moving ones (batch renormalisation, Ioffe,
            arXiv:1702.03275), so that small batches are normalised as in inference.
        renorm_clipping: {"rmin": ..., "rmax": ..., "dmax": ...}, each optional: limits of the corrections r and d.
        renorm_momentum: what stays of the moving moments that the corrections are for.
        synchronized: of Keras, for several workers; True raises NotImplementedError.

    Weights: gamma, beta, moving_mean, moving_variance, each [C]; with `renorm` also moving_stddev, renorm_mean and
    renorm_stddev.

    >>> x = np.array([[1.0], [3.0]])
    >>> BatchNormalization()(x, training=True).numpy().round(2).tolist()
    [[-1.0], [1.0]]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(self, synchronized=synchronized)
        if isinstance(axis, list | tuple):
            if len(axis) != 1:
                raise ValueError(f"`axis` is one axis, that of the channels. Received: axis={axis}")
            axis = axis[0]
        check_integers(self, -math.inf, axis=axis)
        check_numbers(self, "[0, 1]", momentum=momentum)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.axis, self.momentum, self.epsilon = int(axis), momentum, epsilon
        self._set_scaling(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint,
        )  # fmt: skip
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        check_numbers(self, "[0, 1]", renorm_momentum=renorm_momentum)
        self.renorm, self.renorm_momentum = renorm, renorm_momentum
        self.renorm_clipping = self._limits(renorm_clipping) if renorm else renorm_clipping
        self.synchronized = synchronized
        self.supports_masking = True

    def _limits(self, clipping: Any) -> dict[str, float]:
        limits = dict(clipping or {})
        if unknown := limits.keys() - {"rmin", "rmax", "dmax"}:
            raise ValueError(
                f"`renorm_clipping` has limits rmin, rmax and dmax. Received: {', '.join(sorted(unknown))}"
            )
        check_numbers(self, "[0, inf]", **{name: limit for name, limit in limits.items() if limit is not None})
        low, high = limits.get("rmin"), limits.get("rmax")
        if low is not None and high is not None and high < low:
            raise ValueError(f"`renorm_clipping` needs rmin <= rmax. Received: rmin={low}, rmax={high}")
        return limits

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make gamma, beta and the moving averages."""
        shape = self._sizes(input_shape, [self.axis])
        self._add_scaling(shape)

        def averaged(name: str, initializer: Any) -> Variable:
            return self.add_weight(shape=shape, initializer=initializer, trainable=False, autocast=False, name=name)

        def deviation(shape: tuple[int, ...], dtype: str | None = None) -> Tensor:
            return ops.sqrt(self.moving_variance_initializer(shape, dtype=dtype))

        self.moving_mean = averaged("moving_mean", self.moving_mean_initializer)
        self.moving_variance = averaged("moving_variance", self.moving_variance_initializer)
        if self.renorm:
            self.moving_stddev = averaged("moving_stddev", deviation)
            self.renorm_mean = averaged("renorm_mean", self.moving_mean_initializer)
            self.renorm_stddev = averaged("renorm_stddev", deviation)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Normalise; when training, by the batch's moments, and move the averages."""
        beta, gamma = self.beta, self.gamma
        if training and self.trainable:
            axes = [axis for axis in range(inputs.ndim) if axis != self.axis % inputs.ndim]
            mean, variance = batch_moments(inputs, axes, mask)
            if self.renorm:
                beta, gamma = self._renormalised(ops.stop_gradient(mean), ops.stop_gradient(variance))
            else:
                _move(self.moving_mean, mean, self.momentum)
                _move(self.moving_variance, variance, self.momentum)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        return ops.batch_normalization(inputs, mean, variance, self.axis, beta, gamma, self.epsilon)

    def _renormalised(self, mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
        """Offset and scale with the corrections d and r in them; moves the averages."""
        deviation = ops.sqrt(variance + self.epsilon)
        floor = ops.maximum(self.renorm_stddev, math.sqrt(self.epsilon))  # not 0 in the first steps
        r, d = deviation / floor, (mean - self.renorm_mean) / floor
        low, high, most = (self.renorm_clipping.get(name) for name in ("rmin", "rmax", "dmax"))
        r = r if low is None else ops.maximum(r, low)
        r = r if high is None else ops.minimum(r, high)
        d = d if most is None else ops.clip(d, -most, most)
        _move(self.renorm_mean, mean, self.renorm_momentum)
        _move(self.renorm_stddev, deviation, self.renorm_momentum)
        _move(self.moving_mean, mean, self.momentum)
        _move(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(ops.relu(ops.square(self.moving_stddev) - self.epsilon))
        scale = r if self.gamma is None else r * self.gamma
        offset = d if self.gamma is None else d * self.gamma
        return offset if self.beta is None else offset + self.beta, scale


def _move(average: Variable, new: Tensor, momentum: float) -> None:
    average.assign(average * momentum + ops.stop_gradient(new) * (1 - momentum))


class LayerNormalization(_Normalization):
    """Subtracts the mean of each entry over some axes and divides by its deviation (Ba et al. 2016).

    Args:
        axis: what to normalise over.
        epsilon: added to the variance.
        center, scale: whether beta is added, whether it is multiplied by gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint: of the weights.

    Weights: gamma, beta, in the shape of the axes.

    >>> LayerNormalization()(np.array([[1.0, 3.0]])).numpy().round(2).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        refuse(self, rms_scaling=rms_scaling)
        self.axis = _axes_argument(axis)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.epsilon = epsilon
        self._set_scaling(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint,
        )  # fmt: skip
        self.supports_masking = True

    @property
    def _axes(self) -> tuple[int, ...]:
        return (self.axis,) if isinstance(self.axis, int) else tuple(self.axis)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make gamma and beta."""
        self.axis = sorted(self._axes)
        sizes = self._sizes(input_shape, self._axes)
        self._add_scaling(sizes)
        self.input_spec = InputSpec(axes=dict(zip(self._axes, sizes, strict=True)))

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        axes = tuple(sorted(axis % inputs.ndim for axis in self._axes))
        # Keras sorts the axes as they are written, negative ones first, and reads the weights in the axes' order.
        shape = tuple(inputs.shape[axis] for axis in axes)
        gamma, beta = (v if v is None or v.shape == shape else ops.reshape(v, shape) for v in (self.gamma, self.beta))
        return ops.layer_normalization(inputs, gamma, beta, axis=axes, epsilon=self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """The arguments, and Keras' `rms_scaling`."""
        return {**super().get_config(), "rms_scaling": False}


class GroupNormalization(_Normalization):
    """Subtracts the mean of each group of channels and divides by its deviation (Wu and He, arXiv:1803.08494).

    Args:
        groups: how many groups; -1: each channel is one (instance normalisation).
        axis: the channels' axis.
        epsilon: added to the variance.
        center, scale: whether beta is added, whether it is multiplied by gamma.
        beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint: of the weights.

    Weights: gamma, beta, each [C].

    >>> GroupNormalization(groups=2)(np.array([[1.0, 3.0, 10.0, 30.0]])).numpy().round(2).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(groups, int) or isinstance(groups, bool) or (groups <= 0 and groups != -1):
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for instance "
                f"normalization). Received: groups={groups!r}"
            )
        check_integers(self, -math.inf, axis=axis)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.groups, self.axis, self.epsilon = groups, axis, epsilon
        self._set_scaling(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint,
        )  # fmt: skip
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make gamma and beta."""
        (channels,) = self._sizes(input_shape, [self.axis])
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ShapeError(
                f"GroupNormalization {self.name!r}: the number of channels has to be a multiple of the number of "
                f"groups; got {channels} channels (axis {self.axis} of shape {input_shape}) and groups={self.groups}."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self._add_scaling((channels,))

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        axis = self.axis % inputs.ndim
        channels = inputs.shape[axis]
        split = (self.groups, channels // self.groups)
        grouped = ops.reshape(inputs, (*inputs.shape[:axis], *split, *inputs.shape[axis + 1 :]))
        axes = [at for at in range(1, grouped.ndim) if at != axis]
        normal = ops.layer_normalization(grouped, axis=axes, epsilon=self.epsilon)
        shape = (*(1,) * axis, *split, *(1,) * (inputs.ndim - axis - 1))
        if self.gamma is not None:
            normal = normal * ops.reshape(self.gamma, shape)
        if self.beta is not None:
            normal = normal + ops.reshape(self.beta, shape)
        return ops.reshape(normal, inputs.shape)


class RMSNormalization(_Normalization):
    """Divides by the root mean square over some axes (Zhang and Sennrich, arXiv:1910.07467).

    Args:
        axis: what to normalise over.
        epsilon: added to the mean square.

    Weights: scale, in the shape of the axes.

    >>> RMSNormalization()(np.array([[3.0, 3.0]])).numpy().round(3).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_numbers(self, "[0, inf]", epsilon=epsilon)
        self.axis, self.epsilon = _axes_argument(axis), epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the scale."""
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        sizes = self._sizes(input_shape, self.axis)
        self.scale = self.add_weight(shape=sizes, initializer="ones", name="scale")
        self.input_spec = InputSpec(axes=dict(zip(self.axis, sizes, strict=True)))

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        return ops.rms_normalization(inputs, scale=self.scale, axis=tuple(self.axis), epsilon=self.epsilon)


class UnitNormalization(Layer):
    """Divides by the Euclidean norm over some axes, so that it is 1.

    Args:
        axis: what to take the norm over.

    >>> UnitNormalization()(np.array([[0.0, 4.0]])).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = _axes_argument(axis)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Normalise."""
        axis = self.axis if isinstance(self.axis, int) else tuple(self.axis)
        return ops.normalize(inputs, axis=axis, order=2, epsilon=1e-12)


def _axes_argument(axis: Any) -> int | list[int]:
    """An axis, or a list of them. Raises TypeError for anything else."""
    if isinstance(axis, int | np.integer):
        return int(axis)
    if isinstance(axis, list | tuple) and all(isinstance(one, int | np.integer) for one in axis):
        return [int(one) for one in axis]
    raise TypeError(
        f"Invalid value for `axis` argument: expected an int or a list/tuple of ints. Received: axis={axis!r}"
    )
