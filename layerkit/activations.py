"""Activations: Keras' functions of a tensor, by name."""

from __future__ import annotations

from typing import Any

from layerkit import ops
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.registry import register_function
from layerkit.serialization import deserialize_keras_object as _deserialize
from layerkit.serialization import find_object, serialize_argument

_activation = register_function("activation")


@_activation
def linear(x: Any) -> Tensor:
    """X itself."""
    return x


@_activation
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """X from the threshold up (at most max_value), `negative_slope * (x - threshold)` below it.

    >>> relu(as_tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    if not negative_slope and not threshold:
        y = ops.relu(x)
        return y if max_value is None else ops.minimum(y, max_value)
    x = as_tensor(x)
    above = x if max_value is None else ops.minimum(x, max_value)
    below = negative_slope * (x - threshold) if negative_slope else 0.0
    return ops.where(x > threshold, above, below)


@_activation
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """X where positive, `negative_slope * x` elsewhere."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


@_activation
def relu6(x: Any) -> Tensor:
    """X within 0 and 6."""
    return ops.relu6(x)


@_activation
def softmax(x: Any, axis: int = -1) -> Tensor:
    """exp(x) over its sum along an axis (or axes)."""
    return ops.softmax(x, axis=axis)


@_activation
def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """The logarithm of softmax."""
    return ops.log_softmax(x, axis=axis)


@_activation
def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """X where positive, `alpha * (exp(x) - 1)` elsewhere."""
    return ops.elu(x, alpha=alpha)


@_activation
def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)."""
    return ops.celu(x, alpha=alpha)


@_activation
def selu(x: Any) -> Tensor:
    """The scaled elu that normalises itself (Klambauer et al. 2017)."""
    return ops.selu(x)


@_activation
def gelu(x: Any, approximate: bool = False) -> Tensor:
    """X times the normal distribution function at x; `approximate` by tanh."""
    return ops.gelu(x, approximate=approximate)


@register_function("activation", "swish")
def silu(x: Any) -> Tensor:
    """X * sigmoid(x)."""
    return ops.silu(x)


@_activation
def glu(x: Any, axis: int = -1) -> Tensor:
    """The first half along an axis times the sigmoid of the second."""
    return ops.glu(x, axis=axis)


@_activation
def mish(x: Any) -> Tensor:
    """X * tanh(softplus(x))."""
    return ops.mish(x)


@_activation
def softplus(x: Any) -> Tensor:
    """log(1 + exp(x))."""
    return ops.softplus(x)


@_activation
def softsign(x: Any) -> Tensor:
    """X / (1 + |x|)."""
    return ops.softsign(x)


@_activation
def squareplus(x: Any, b: float = 4) -> Tensor:
    """(x + sqrt(x^2 + b)) / 2."""
    return ops.squareplus(x, b=b)


@_activation
def tanh(x: Any) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(x)


@_activation
def tanh_shrink(x: Any) -> Tensor:
    """X - tanh(x)."""
    return ops.tanh_shrink(x)


@_activation
def hard_tanh(x: Any) -> Tensor:
    """X within -1 and 1."""
    return ops.hard_tanh(x)


@_activation
def sigmoid(x: Any) -> Tensor:
    """1 / (1 + exp(-x))."""
    return ops.sigmoid(x)


@_activation
def log_sigmoid(x: Any) -> Tensor:
    """The logarithm of the sigmoid."""
    return ops.log_sigmoid(x)


@_activation
def hard_sigmoid(x: Any) -> Tensor:
    """X / 6 + 1/2 within 0 and 1."""
    return ops.hard_sigmoid(x)


@register_function("activation", "hard_swish")
def hard_silu(x: Any) -> Tensor:
    """X * hard_sigmoid(x)."""
    return ops.hard_silu(x)


@_activation
def exponential(x: Any) -> Tensor:
    """exp(x)."""
    return ops.exp(x)


@_activation
def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """X where |x| is above the threshold, 0 elsewhere."""
    return ops.hard_shrink(x, threshold=threshold)


@_activation
def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """X moved by the threshold towards 0, and 0 within it."""
    return ops.soft_shrink(x, threshold=threshold)


@_activation
def sparse_plus(x: Any) -> Tensor:
    """0 to -1, x from 1, (x + 1)^2 / 4 between."""
    return ops.sparse_plus(x)


@_activation
def sparse_sigmoid(x: Any) -> Tensor:
    """0 to -1, 1 from 1, (x + 1) / 2 between."""
    return ops.sparse_sigmoid(x)


@_activation
def sparsemax(x: Any, axis: int = -1) -> Tensor:
    """The nearest point of the probability simplex (Martins and Astudillo 2016)."""
    return ops.sparsemax(x, axis=axis)


@_activation
def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """X where above the threshold, default_value elsewhere."""
    return ops.threshold(x, threshold, default_value)


swish, hard_swish = silu, hard_silu


def get(identifier: Any) -> Any:
    """The activation that a name, a config or a function stands for; None is `linear`.

    Raises UnknownNameError for a name that is none, TypeError for something that can't be called.

    >>> get("relu") is relu
    True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, dict):
        identifier = deserialize(identifier)
    if isinstance(identifier, str):
        return find_object(identifier, "activation")
    if not callable(identifier):
        raise TypeError(f"Could not interpret {identifier!r} of type {type(identifier).__name__} as an activation.")
    return identifier


def serialize(activation: Any) -> Any:
    """The name of an activation of layerkit, or the serialized form of another function or layer."""
    return serialize_argument(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The activation of a name or a serialized form."""
    if isinstance(config, dict) and config.get("class_name") == "function":
        config = config["config"]
    return _deserialize(config, custom_objects, kind="activation" if isinstance(config, str) else None)
