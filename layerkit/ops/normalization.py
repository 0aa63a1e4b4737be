"""Moments and normalisation: over the batch, over features, by a norm.

Gradients are stated in closed form by sums that share their pass over the data, followed by one map.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.config import epsilon as default_epsilon
from layerkit.errors import ShapeError, refuse_unknown
from layerkit.graph.operation import Composite, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.ops.elementwise import absolute, cast, maximum, relu, rsqrt, square
from layerkit.ops.neural import as_float
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import mean as reduce_mean
from layerkit.ops.reduction import normalize_axes
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import broadcast_to, reshape, squeeze


class Moments(Composite):
    """Mean and variance over axes, which are dropped, in one pass over x.

    Sums are taken of x - K with K the first element along the axes: then a mean that is large against the deviation
    does not cancel (Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983).
    """

    axes: tuple[int, ...]
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor) -> list[Spec]:
        spec = tuple(n for axis, n in enumerate(x.shape) if axis not in self.axes), x.dtype
        return [spec, spec]

    def reference(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = x.dtype.type(math.prod(x.shape[axis] for axis in self.axes))
        if count == 0:
            shape = tuple(n for axis, n in enumerate(x.shape) if axis not in self.axes)
            return np.full(shape, np.nan, x.dtype), np.full(shape, np.nan, x.dtype)
        first = x[tuple(slice(0, 1) if axis in self.axes else slice(None) for axis in range(x.ndim))]
        shifted = x - first
        offset = shifted.sum(self.axes, keepdims=True) / count
        return (first + offset).squeeze(self.axes), np.square(shifted - offset).sum(self.axes) / count

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor) -> tuple:
        scale = 1.0 / math.prod(x.shape[axis] for axis in self.axes)
        parts = []
        if g[0] is not None:
            parts.append(broadcast_to(self._kept(g[0] * scale, x), x.shape))
        if g[1] is not None:
            parts.append((x - self._kept(y[0], x)) * self._kept(g[1] * (2 * scale), x))
        return (parts[0] if len(parts) == 1 else parts[0] + parts[1],)

    def expand(self, x: Tensor) -> list[Tensor]:
        count = math.prod(x.shape[axis] for axis in self.axes)
        if count == 0:
            mean = reduce_mean(x, self.axes)
            return [mean, mean]
        first = x[tuple(0 if axis in self.axes else slice(None) for axis in range(x.ndim))]
        shifted = x - self._kept(first, x)
        offset = reduce_mean(shifted, self.axes)
        return [first + offset, relu(reduce_mean(square(shifted), self.axes) - square(offset))]

    def _kept(self, statistic: Tensor, x: Tensor) -> Tensor:
        return along_axes(statistic, tuple(axis for axis in range(x.ndim) if axis not in self.axes), x)


class BatchNormalization(Composite):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, with vectors along one axis of x.

    With mean and variance from `Moments`, the two closed-form gradients add up to that of batch normalisation.
    """

    axis: int
    epsilon: float

    def infer(self, x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor) -> Spec:
        for name, vector in (("mean", mean), ("variance", variance), ("scale", gamma), ("offset", beta)):
            if vector.shape != (x.shape[self.axis],):
                raise ShapeError(f"{name} has to have shape ({x.shape[self.axis]},), not {vector.shape}.")
        return x.shape, x.dtype

    def reference(
        self, x: np.ndarray, mean: np.ndarray, variance: np.ndarray, gamma: np.ndarray, beta: np.ndarray
    ) -> np.ndarray:
        shape = [-1 if axis == self.axis else 1 for axis in range(x.ndim)]
        scale = gamma / np.sqrt(variance + x.dtype.type(self.epsilon))
        return (x - mean.reshape(shape)) * scale.reshape(shape) + beta.reshape(shape)

    def gradient(
        self, g: Tensor, y: Tensor, x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor
    ) -> tuple:
        others = tuple(axis for axis in range(x.ndim) if axis != self.axis)
        inverse = rsqrt(variance + self.epsilon)
        scale = gamma * inverse
        gbeta = reduce_sum(g, others)
        # Summed before it is scaled: the vector's factor is then applied to a vector.
        g_deviation = reduce_sum(g * (x - self._along(mean, x)), others)
        ggamma = g_deviation * inverse
        gvariance = ggamma * scale * inverse * -0.5
        return g * self._along(scale, x), -gbeta * scale, gvariance, ggamma, gbeta

    def expand(self, x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        scale = gamma * rsqrt(variance + self.epsilon)
        return (x - self._along(mean, x)) * self._along(scale, x) + self._along(beta, x)

    def _along(self, vector: Tensor, x: Tensor) -> Tensor:
        return along_axes(vector, (self.axis,), x)


class LayerNormalization(Composite):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta with the moments over axes of x itself.

    The first output is the result; mean and 1 / sqrt(variance + epsilon) follow, for the gradient. gamma and beta
    broadcast to x.
    """

    axes: tuple[int, ...]
    epsilon: float
    outputs: ClassVar[int] = 3

    def infer(self, x: Tensor, gamma: Tensor, beta: Tensor) -> list[Spec]:
        kept = tuple(1 if axis in self.axes else n for axis, n in enumerate(x.shape)), x.dtype
        return [(x.shape, x.dtype), kept, kept]

    def reference(self, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, ...]:
        mean = x.mean(self.axes, keepdims=True)
        deviation = x - mean
        inverse = 1 / np.sqrt(np.square(deviation).mean(self.axes, keepdims=True) + x.dtype.type(self.epsilon))
        return deviation * inverse * gamma + beta, mean, inverse

    def gradient(self, g: list[Tensor | None], y: list[Tensor], x: Tensor, gamma: Tensor, beta: Tensor) -> tuple:
        scale = 1.0 / math.prod(x.shape[axis] for axis in self.axes)
        gy, gmean, ginverse = g
        _, mean, inverse = y
        unit = (x - mean) * inverse
        gx = ggamma = gbeta = None
        if gy is not None:
            g_unit = gy * gamma
            mean_g = reduce_sum(g_unit, self.axes, keepdims=True) * scale
            mean_gu = reduce_sum(g_unit * unit, self.axes, keepdims=True) * scale
            gx = (g_unit - mean_g - unit * mean_gu) * inverse
            ggamma, gbeta = _summed_like(gy * unit, gamma), _summed_like(gy, beta)
        if gmean is not None:
            part = broadcast_to(gmean * scale, x.shape)
            gx = part if gx is None else gx + part
        if ginverse is not None:
            part = unit * (ginverse * square(inverse) * -scale)
            gx = part if gx is None else gx + part
        return gx, ggamma, gbeta

    def expand(self, x: Tensor, gamma: Tensor, beta: Tensor) -> list[Tensor]:
        mean = reduce_mean(x, self.axes, keepdims=True)
        deviation = x - mean
        inverse = rsqrt(reduce_mean(square(deviation), self.axes, keepdims=True) + self.epsilon)
        return [deviation * inverse * gamma + beta, mean, inverse]


def _summed_like(g: Tensor, vector: Tensor) -> Tensor:
    """The sum of g over the axes along which a tensor broadcasts to it."""
    extra = g.ndim - vector.ndim
    axes = tuple(
        axis for axis in range(g.ndim) if axis < extra or (vector.shape[axis - extra] == 1 and g.shape[axis] != 1)
    )
    summed = reduce_sum(g, axes, keepdims=True) if axes else g
    return reshape(summed, vector.shape)


def along_axes(values: Tensor, axes: tuple[int, ...], x: Tensor) -> Tensor:
    """Values along some axes of x, shaped so that they broadcast to it; trailing axes need no change."""
    if axes == tuple(range(x.ndim - len(axes), x.ndim)):
        return values
    return reshape(values, tuple(x.shape[axis] if axis in axes else 1 for axis in range(x.ndim)))


def batch_moments(x: object, axes: int | Sequence[int], mask: object = None) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes, which are dropped.

    Args:
        x: the data, [N, ..., C] for example.
        axes: what to average over.
        mask: which elements count, in the shape of x's leading axes.
    """
    x = as_float(as_tensor(x))
    axes = normalize_axes(axes, x.ndim)
    if mask is None:
        if not axes:
            return x, x * 0
        if None in (x.shape[axis] for axis in axes):
            dropped = reduce_sum(x, axes)  # a shape is all that a symbolic call with unknown sizes is asked for
            return dropped, dropped
        return tuple(Moments(axes)(x))
    mask = as_tensor(mask)
    weights = reshape(cast(mask, x.dtype), mask.shape + (1,) * (x.ndim - mask.ndim))
    repeats = math.prod(x.shape[axis] for axis in axes if axis >= mask.ndim)
    total = reduce_sum(weights, axes, keepdims=True) * float(repeats) + default_epsilon()
    mean = reduce_sum(x * weights, axes, keepdims=True) / total
    variance = reduce_sum(square(x - mean) * weights, axes, keepdims=True) / total
    return squeeze(mean, axes), squeeze(variance, axes)


def moments(
    x: object, axes: int | Sequence[int], keepdims: bool = False, synchronized: bool = False
) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes. `synchronized` asks for moments over all workers, which there are none of here."""
    if synchronized:
        raise NotImplementedError("ops.moments computes on one machine; got synchronized=True.")
    x = as_tensor(x)
    axes = normalize_axes(axes, x.ndim)
    mean, variance = batch_moments(x, axes)
    if not keepdims:
        return mean, variance
    shape = tuple(1 if axis in axes else n for axis, n in enumerate(x.shape))
    return reshape(mean, shape), reshape(variance, shape)


def batch_normalization(
    x: object,
    mean: object,
    variance: object,
    axis: int,
    offset: object = None,
    scale: object = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) * scale + offset, with vectors along an axis of x.

    Raises ShapeError where a vector's size is not that of the axis.
    """
    x = as_float(as_tensor(x))
    (axis,) = normalize_axes(axis, x.ndim)
    mean, variance = (cast(as_tensor(vector), x.dtype) for vector in (mean, variance))
    scale = np.ones(mean.shape, x.dtype) if scale is None else cast(scale, x.dtype)
    offset = np.zeros(mean.shape, x.dtype) if offset is None else cast(offset, x.dtype)
    return BatchNormalization(axis, float(epsilon))(x, mean, variance, scale, offset)


def layer_normalization(
    x: object,
    gamma: object = None,
    beta: object = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
    **kwargs: object,
) -> Tensor:
    """Normalised over axes: (x - mean) / sqrt(variance + epsilon) * gamma + beta (Ba et al., arXiv:1607.06450).

    Args:
        x: the data.
        gamma: the scale in the shape of the axes, None: 1.
        beta: the offset in the shape of the axes, None: 0.
        axis: what to normalise over.
        epsilon: added to the variance; None: the default.
        **kwargs: `rms_scaling=True` raises NotImplementedError: it divides by the variance, as Keras once did.
    """
    if kwargs.pop("rms_scaling", False):
        raise NotImplementedError(
            "layer_normalization doesn't support `rms_scaling=True`, which divides by the variance, and is deprecated "
            "in Keras. Root mean square normalization is ops.rms_normalization."
        )
    refuse_unknown("layer_normalization", kwargs)
    x = as_float(as_tensor(x))
    axes = normalize_axes(axis, x.ndim)
    shape = tuple(x.shape[at] for at in axes)
    gamma = _features(gamma, 1, shape, axes, x, "gamma")
    beta = _features(beta, 0, shape, axes, x, "beta")
    epsilon = default_epsilon() if epsilon is None else float(epsilon)
    return LayerNormalization(axes, epsilon)(x, gamma, beta)[0]


def _features(values: object, default: float, shape: tuple, axes: tuple[int, ...], x: Tensor, name: str) -> Tensor:
    if values is None:
        known = tuple(n or 1 for n in shape)
        return along_axes(Tensor.of(np.full(known, default, x.dtype)), axes, x)
    values = cast(values, x.dtype)
    if values.shape != shape:
        raise ShapeError(f"{name} has to have the shape of the normalised axes, {shape}; got {values.shape}.")
    return along_axes(values, axes, x)


def rms_normalization(
    x: object, scale: object = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Tensor:
    """X over its root mean square along axes, times `scale` (Zhang and Sennrich, arXiv:1910.07467)."""
    x = as_float(as_tensor(x))
    axes = normalize_axes(axis, x.ndim)
    epsilon = default_epsilon() if epsilon is None else float(epsilon)
    y = x * rsqrt(reduce_mean(square(x), axes, keepdims=True) + epsilon)
    if scale is None:
        return y
    scale = cast(scale, x.dtype)
    shape = tuple(x.shape[at] for at in axes)
    return y * (along_axes(scale, axes, x) if scale.shape == shape else scale)


def normalize(
    x: object, axis: int | Sequence[int] = -1, order: float | str = 2, epsilon: float | None = None
) -> Tensor:
    """X over its norm along axes; a norm below epsilon counts as epsilon.

    Raises ValueError for an order that is no positive number or infinity.
    """
    x = as_float(as_tensor(x))
    axes = normalize_axes(axis, x.ndim)
    epsilon = default_epsilon() if epsilon is None else float(epsilon)
    if not isinstance(order, (int, float)) or order <= 0:
        raise ValueError(f"ops.normalize takes a positive number or infinity as order; got {order!r}.")
    if order == 2:
        # The square root of the larger is taken, not the larger root: the root's slope at 0 is infinite.
        return x * rsqrt(maximum(reduce_sum(square(x), axes, keepdims=True), epsilon * epsilon))
    if order == math.inf:
        norm = reduce_max(absolute(x), axes, keepdims=True)
    elif order == 1:
        norm = reduce_sum(absolute(x), axes, keepdims=True)
    else:
        norm = reduce_sum(absolute(x) ** order, axes, keepdims=True) ** (1.0 / order)
    return x / maximum(norm, epsilon)
