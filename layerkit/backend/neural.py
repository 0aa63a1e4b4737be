"""Products, convolutions and other neural operations as Keras 2 has them."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

from layerkit import ops, random
from layerkit.config import standardize_data_format
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor


def dot(x: Any, y: Any) -> Tensor:
    """The product over the last axis of x and the last but one of y."""
    return ops.dot(x, y)


def batch_dot(x: Any, y: Any, axes: int | Sequence[int] | None = None) -> Tensor:
    """For each sample the product over one axis of each; [N, 1] where no axis is left.

    Args:
        x: [N, ...].
        y: [N, ...].
        axes: an axis of each, or one for both; None: the last of x and the last but one (or only) of y.
    """
    x, y = as_tensor(x), as_tensor(y)
    if axes is None:
        axes = (x.ndim - 1, builtins.max(y.ndim - 2, 1))
    first, second = (axes, axes) if isinstance(axes, int) else axes
    a, b = _letters(x, 1, first % x.ndim), _letters(y, x.ndim, second % y.ndim)
    kept = [name for name in a[1:] + b[1:] if name != "z"]
    made = ops.einsum(f"{''.join(a)},{''.join(b)}->a{''.join(kept)}", x, y)
    return made if kept else ops.expand_dims(made, -1)


def _letters(x: Tensor, first: int, summed: int) -> list[str]:
    """A name for each axis: "a" the samples, "z" the one that is summed over."""
    return ["a" if at == 0 else "z" if at == summed else chr(ord("a") + first + at) for at in range(x.ndim)]


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Tensor:
    """A bias for each channel (or a whole one without the samples' axis) added."""
    x, bias = as_tensor(x), as_tensor(bias)
    if bias.ndim == 1 and standardize_data_format(data_format) == "channels_first" and x.ndim > 2:
        bias = ops.reshape(bias, (-1, *(1,) * (x.ndim - 2)))
    return x + bias


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """max(x, 0), with a slope below the threshold, and cut at a largest value."""
    x = as_tensor(x)
    y = ops.where(x >= threshold, x, alpha * (x - threshold)) if alpha or threshold else ops.relu(x)
    return y if max_value is None else ops.minimum(y, max_value)


def hard_sigmoid(x: Any) -> Tensor:
    """0.2 x + 0.5, cut to 0 to 1: the form of Keras 2. That of Keras 3 is `ops.hard_sigmoid`."""
    return ops.clip(0.2 * as_tensor(x) + 0.5, 0.0, 1.0)


def dropout(x: Any, level: float, noise_shape: Sequence[int] | None = None, seed: Any = None) -> Tensor:
    """Elements set to 0 with a probability, the others scaled up."""
    return random.dropout(x, level, noise_shape, seed)


def l2_normalize(x: Any, axis: int | None = None) -> Tensor:
    """Scaled to norm 1 along an axis."""
    return (
        ops.normalize(x, axis=axis, order=2)
        if axis is not None
        else x / ops.maximum(ops.sqrt(ops.sum(ops.square(x))), 1e-6)
    )


def in_top_k(predictions: Any, targets: Any, k: int) -> Tensor:
    """Whether each target is among the k largest of its row."""
    return ops.in_top_k(targets, predictions, k)


def batch_normalization(
    x: Any, mean: Any, var: Any, beta: Any, gamma: Any, axis: int = -1, epsilon: float = 1e-3
) -> Tensor:
    """(x - mean) / sqrt(var + epsilon) * gamma + beta along an axis."""
    flat = [None if one is None else ops.reshape(one, (-1,)) for one in (mean, var, beta, gamma)]
    return ops.batch_normalization(x, flat[0], flat[1], axis, flat[2], flat[3], epsilon)


def _conv(rank: int, convolve: Callable = ops.conv) -> Callable:
    def convolution(
        x: Any,
        kernel: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
    ) -> Tensor:
        return convolve(x, kernel, strides, padding, standardize_data_format(data_format), dilation_rate)

    convolution.__doc__ = f"A convolution over {rank} spatial axes."
    return convolution


conv1d, conv2d, conv3d = _conv(1), _conv(2), _conv(3)
depthwise_conv2d = _conv(2, ops.depthwise_conv)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Sequence[int],
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """A transposed convolution to images of a shape. Raises ValueError where it gives another."""
    made = ops.conv_transpose(
        x, kernel, strides, padding, data_format=standardize_data_format(data_format), dilation_rate=dilation_rate
    )
    if tuple(made.shape[1:]) != tuple(output_shape)[1:]:
        raise ValueError(f"conv2d_transpose gives shape {made.shape}, not output_shape={tuple(output_shape)}.")
    return made


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """A depthwise convolution, then one of single pixels."""
    layout = standardize_data_format(data_format)
    return ops.separable_conv(x, depthwise_kernel, pointwise_kernel, strides, padding, layout, dilation_rate)


def _pool(rank: int) -> Callable:
    def pool(
        x: Any,
        pool_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        pool_mode: str = "max",
    ) -> Tensor:
        if pool_mode not in ("max", "avg"):
            raise ValueError(f"pool_mode is 'max' or 'avg'; got {pool_mode!r}.")
        pooling = ops.max_pool if pool_mode == "max" else ops.average_pool
        return pooling(x, pool_size, strides, padding, standardize_data_format(data_format))

    pool.__doc__ = f"The largest or the mean of windows over {rank} spatial axes."
    return pool


pool2d, pool3d = _pool(2), _pool(3)
