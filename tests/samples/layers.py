"""One row or more per layer class: the arguments to make it, and what to call it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from layerkit import layers
from tests.samples import attention_layers, image_layers, preprocessing_layers, recurrent_layers


@dataclass(frozen=True)
class Sample:
    """How to try a layer.

    Attributes:
        cls: the class.
        arguments: for the constructor.
        shapes: of the inputs, with the batch axis; several make a list of inputs.
        integers: inputs are indices below this number.
        smooth: whether finite differences are right at random inputs.
        together: several inputs are a "list", or "arguments" of their own; by default a list for layers that merge.
    """

    cls: type
    arguments: dict[str, Any] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ((2, 3),)
    integers: int | None = None
    smooth: bool = True
    together: str = ""

    def make(self, **more: Any) -> layers.Layer:
        """The layer."""
        arguments = {name: _fresh(value, more) for name, value in self.arguments.items()}
        return self.cls(**arguments, **more)

    def inputs(self, dtype: str = "float32", seed: int = 0) -> Any:
        """Values for the inputs: one array, a list, or a tuple. Distinct, and none near 0, so that no kink is met."""
        random = np.random.default_rng(seed)
        made = [self._values(random, shape, dtype) for shape in self.shapes]
        if self.together == "arguments":
            return tuple(made)
        return made if self.together or issubclass(self.cls, layers.Add.__mro__[1]) else made[0]

    def _values(self, random: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        if self.integers is not None:
            return random.integers(0, self.integers, shape)
        size = int(np.prod(shape))
        steps = (random.permutation(size) + 1) / size
        return (steps * random.choice([-1, 1], size)).reshape(shape).astype(dtype)

    def __str__(self) -> str:
        inside = ",".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.cls.__name__}({inside})"


def _fresh(value: Any, more: dict[str, Any]) -> Any:
    """An argument of its own for each layer that is made: of a layer inside, another one of the same dtype."""
    if not isinstance(value, layers.Layer):
        return value
    dtype = {"dtype": more["dtype"]} if "dtype" in more else {}
    return type(value).from_config({**value.get_config(), **dtype})


def double(x: Any) -> Any:
    """For Lambda."""
    return x * 2


STEPS, IMAGES, VOLUMES = ((2, 7, 4),), ((2, 7, 6, 4),), ((1, 4, 5, 4, 2),)
FIRST = {"data_format": "channels_first"}
L = layers

SAMPLES = [
    Sample(L.Activation, {"activation": "tanh"}),
    Sample(L.Activation, {"activation": "relu"}),
    Sample(L.ActivityRegularization, {"l1": 0.1, "l2": 0.2}),
    Sample(L.Add, {}, ((2, 3), (2, 3), (2, 3))),
    Sample(L.Add, {}, ((2, 4, 3), (2, 3))),
    Sample(L.Average, {}, ((2, 3), (2, 3))),
    Sample(L.AveragePooling1D, {"pool_size": 2}, STEPS),
    Sample(L.AveragePooling2D, {"pool_size": 3, "strides": 2, "padding": "same"}, IMAGES),
    Sample(L.AveragePooling3D, {}, VOLUMES),
    Sample(L.BatchNormalization, {}, ((6, 3),)),
    Sample(L.BatchNormalization, {"axis": 1, "scale": False, "momentum": 0.9}, IMAGES),
    Sample(L.Concatenate, {}, ((2, 3), (2, 4))),
    Sample(L.Concatenate, {"axis": 1}, ((2, 3, 2), (2, 1, 2))),
    Sample(L.Conv1D, {"filters": 3, "kernel_size": 2}, STEPS),
    Sample(
        L.Conv1D, {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2, "activation": "tanh"}, STEPS
    ),
    Sample(L.Conv1DTranspose, {"filters": 3, "kernel_size": 3, "strides": 2}, STEPS),
    Sample(L.Conv2D, {"filters": 6, "kernel_size": 3, "padding": "same", "strides": 2}, IMAGES),
    Sample(L.Conv2D, {"filters": 4, "kernel_size": (2, 3), "groups": 2, "use_bias": False}, IMAGES),
    Sample(L.Conv2D, {"filters": 3, "kernel_size": 3, **FIRST}, IMAGES),
    Sample(L.Conv2DTranspose, {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}, IMAGES),
    Sample(L.Conv3D, {"filters": 2, "kernel_size": 2}, VOLUMES),
    Sample(L.Conv3DTranspose, {"filters": 2, "kernel_size": 2}, VOLUMES),
    Sample(L.Cropping1D, {"cropping": (1, 2)}, STEPS),
    Sample(L.Cropping2D, {"cropping": ((1, 2), (0, 1))}, IMAGES),
    Sample(L.Dense, {"units": 4}),
    Sample(L.Dense, {"units": 4, "activation": "gelu", "kernel_regularizer": "l2", "use_bias": False}, ((2, 5, 3),)),
    Sample(L.DepthwiseConv1D, {"kernel_size": 2, "depth_multiplier": 2}, STEPS),
    Sample(L.DepthwiseConv2D, {"kernel_size": 3, "strides": 2, "padding": "same"}, IMAGES),
    Sample(L.DepthwiseConv2D, {"kernel_size": 2, "strides": 2, "dilation_rate": 2}, IMAGES),
    Sample(L.Dot, {"axes": 1}, ((2, 3), (2, 3))),
    Sample(L.Dot, {"axes": (1, 2), "normalize": True}, ((2, 3, 5), (2, 4, 3))),
    Sample(L.Dropout, {"rate": 0.5, "seed": 1}, ((4, 5),)),
    Sample(L.ELU, {"alpha": 0.7}),
    Sample(L.Embedding, {"input_dim": 5, "output_dim": 3}, ((2, 4),), integers=5),
    Sample(L.Flatten, {}, IMAGES),
    Sample(L.Flatten, FIRST, IMAGES),
    Sample(L.GaussianDropout, {"rate": 0.3, "seed": 1}, ((4, 5),)),
    Sample(L.GaussianNoise, {"stddev": 0.3, "seed": 1}, ((4, 5),)),
    Sample(L.GlobalAveragePooling1D, {}, STEPS),
    Sample(L.GlobalAveragePooling2D, {"keepdims": True, **FIRST}, IMAGES),
    Sample(L.GlobalAveragePooling3D, {}, VOLUMES),
    Sample(L.GlobalMaxPooling1D, {}, STEPS),
    Sample(L.GlobalMaxPooling2D, {"keepdims": True}, IMAGES),
    Sample(L.GlobalMaxPooling3D, {}, VOLUMES),
    Sample(L.Identity),
    Sample(L.Lambda, {"function": double}),
    Sample(L.LayerNormalization, {}, ((2, 5, 3),)),
    Sample(L.LayerNormalization, {"axis": [1, 2], "epsilon": 1e-5, "center": False}, ((2, 5, 3),)),
    Sample(L.LeakyReLU, {"negative_slope": 0.2}),
    Sample(L.Masking, {"mask_value": 0.0}, STEPS),
    Sample(L.MaxPooling1D, {"pool_size": 2}, STEPS),
    Sample(L.MaxPooling2D, {"pool_size": (2, 3), "padding": "same", **FIRST}, IMAGES),
    Sample(L.MaxPooling3D, {}, VOLUMES),
    Sample(L.Maximum, {}, ((2, 3), (2, 3))),
    Sample(L.Minimum, {}, ((2, 3), (2, 3))),
    Sample(L.Multiply, {}, ((2, 3), (2, 3))),
    Sample(L.PReLU, {"alpha_initializer": "glorot_uniform", "shared_axes": [1]}, ((2, 4, 3),)),
    Sample(L.Permute, {"dims": (2, 1)}, STEPS),
    Sample(L.ReLU, {"max_value": 0.8, "negative_slope": 0.1, "threshold": 0.05}),
    Sample(L.RepeatVector, {"n": 3}),
    Sample(L.Rescaling, {"scale": 0.5, "offset": -1.0}),
    Sample(L.Reshape, {"target_shape": (-1, 2)}, STEPS),
    Sample(L.SeparableConv1D, {"filters": 3, "kernel_size": 2}, STEPS),
    Sample(L.SeparableConv2D, {"filters": 3, "kernel_size": 3, "depth_multiplier": 2, "activation": "relu"}, IMAGES),
    Sample(L.Softmax),
    Sample(L.SpatialDropout1D, {"rate": 0.5, "seed": 1}, STEPS),
    Sample(L.SpatialDropout2D, {"rate": 0.5, "seed": 1}, IMAGES),
    Sample(L.Subtract, {}, ((2, 3), (2, 3))),
    Sample(L.UpSampling1D, {"size": 2}, STEPS),
    Sample(L.UpSampling2D, {"size": (2, 3), **FIRST}, IMAGES),
    Sample(L.ZeroPadding1D, {"padding": (1, 2)}, STEPS),
    Sample(L.ZeroPadding2D, {"padding": ((1, 2), (0, 1))}, IMAGES),
]
SAMPLES += [Sample(cls, arguments, shapes, **more) for cls, arguments, shapes, more in attention_layers.rows()]
SAMPLES += [Sample(cls, arguments, shapes, **more) for cls, arguments, shapes, more in image_layers.rows()]
SAMPLES += [Sample(cls, arguments, shapes, **more) for cls, arguments, shapes, more in preprocessing_layers.rows()]
SAMPLES += [Sample(cls, arguments, shapes) for cls, arguments, shapes in recurrent_layers.rows()]
