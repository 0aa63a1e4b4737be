"""Running Keras on either backend: gradients, weights and plain arrays, so that the makers name no backend."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

BACKEND = keras.backend.backend()


def generator(*names: object) -> np.random.Generator:
    """A generator seeded by names: adding a case leaves the numbers of the others as they are."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, names)).encode()))


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Standard normal float32 numbers of a shape."""
    return rng.standard_normal(shape).astype("float32")


def plain(value: Any) -> Any:
    """A tensor, or a nest of tensors, as NumPy arrays; None stays None."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    # A copy: arrays of the backends may be read-only views of memory that changes.
    return None if value is None else np.array(keras.ops.convert_to_numpy(value))


def as_json(value: Any) -> Any:
    """A configuration after a round trip through JSON (tuples become lists)."""
    return json.loads(json.dumps(value, default=lambda found: np.asarray(found).tolist()))


def gradients(function: Callable, arrays: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray | None]]:
    """The value of function(*arrays) and the gradient of its sum with respect to each floating array.

    An integer array's gradient is None.
    """
    moving = [np.issubdtype(array.dtype, np.floating) for array in arrays]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(array) for array in arrays]
        wanted = [tensor for tensor, moves in zip(tensors, moving, strict=True) if moves]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(wanted)
            value = function(*tensors)
            total = tf.reduce_sum(value)
        found = tape.gradient(total, wanted, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        found = [tf.convert_to_tensor(part) for part in found]
    else:
        import jax

        def total_of(*wanted: Any) -> Any:
            rest = iter(wanted)
            value = function(*(next(rest) if moves else array for array, moves in zip(arrays, moving, strict=True)))
            return value.sum(), value

        wanted = [array for array, moves in zip(arrays, moving, strict=True) if moves]
        found, value = jax.grad(total_of, argnums=tuple(range(len(wanted))), has_aux=True)(*wanted)
    rest = iter(found)
    return plain(value), [plain(next(rest)) if moves else None for moves in moving]


def layer_gradients(
    layer: keras.Layer, inputs: list[np.ndarray], r: np.ndarray, merging: bool, call: dict[str, Any]
) -> tuple[list[np.ndarray | None], list[np.ndarray]]:
    """Gradients of sum(layer(inputs) * r) with respect to the inputs and to the layer's trainable weights."""

    def weighted(*arrays: Any) -> Any:
        given, trainable = list(arrays[: len(inputs)]), arrays[len(inputs) :]
        state = [*zip(layer.trainable_variables, trainable, strict=True)]
        state += [(variable, variable.value) for variable in layer.non_trainable_variables]
        # The scope keeps the updates of moving statistics away from the layer.
        with keras.StatelessScope(state_mapping=state):
            return layer(given if merging else given[0], **call) * r

    weights = [plain(variable) for variable in layer.trainable_variables]
    found = gradients(weighted, [*inputs, *weights])[1]
    return found[: len(inputs)], found[len(inputs) :]
