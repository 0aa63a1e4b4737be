"""Masks: what a layer makes of inputs some of whose steps are masked, and whether it says that a mask ends there."""

import warnings
from typing import Any

import keras
import numpy as np

from .running import as_json, generator, normal, plain

Row = tuple[str, dict[str, Any], tuple[tuple[int, ...], ...]]
STEPS, ONE, IMAGES, VOLUMES = (2, 5, 4), ((2, 5, 4),), ((2, 4, 5, 3),), ((2, 3, 4, 3, 2),)
TWO = (STEPS, STEPS)
CONV = {"filters": 2, "kernel_size": 2}
KEEPING = (
    ("Activation", {"activation": "tanh"}), ("ActivityRegularization", {"l1": 0.1}), ("AlphaDropout", {"rate": 0.2}),
    ("BatchNormalization", {}), ("Dense", {"units": 3}), ("Dropout", {"rate": 0.2}), ("ELU", {}), ("Flatten", {}),
    ("GaussianDropout", {"rate": 0.2}), ("GaussianNoise", {"stddev": 0.1}), ("GroupNormalization", {"groups": 2}),
    ("Identity", {}), ("LayerNormalization", {}), ("LeakyReLU", {}), ("Masking", {"mask_value": 1.0}), ("PReLU", {}),
    ("RMSNormalization", {}), ("ReLU", {}), ("Rescaling", {"scale": 2.0}),
    ("SpatialDropout1D", {"rate": 0.2}), ("UnitNormalization", {}), ("Normalization", {"mean": 0.0, "variance": 1.0}),
)  # fmt: skip
CHANGING = (
    ("AveragePooling1D", {"pool_size": 2}), ("MaxPooling1D", {"pool_size": 2}), ("Conv1D", CONV),
    ("Conv1DTranspose", CONV), ("Cropping1D", {"cropping": 1}), ("DepthwiseConv1D", {"kernel_size": 2}),
    ("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 3]}), ("GlobalAveragePooling1D", {}),
    ("GlobalAveragePooling1D", {"keepdims": True}), ("GlobalMaxPooling1D", {}), ("Permute", {"dims": [2, 1]}),
    ("Reshape", {"target_shape": [10, 2]}), ("SeparableConv1D", CONV), ("UpSampling1D", {}), ("ZeroPadding1D", {}),
    ("AdaptiveAveragePooling1D", {"output_size": 2}), ("AdaptiveMaxPooling1D", {"output_size": 2}),
    ("Attention", {}), ("Discretization", {"bin_boundaries": [0.0, 1.0]}),
)  # fmt: skip
RECURRENT = [
    (kind, {"units": 3, **more})
    for kind in ("LSTM", "GRU", "SimpleRNN")
    for more in ({}, {"return_sequences": True}, {"return_sequences": True, "go_backwards": True})
]
SPATIAL = (
    ("Conv2D", CONV), ("MaxPooling2D", {}), ("UpSampling2D", {}), ("ZeroPadding2D", {}), ("BatchNormalization", {}),
    ("GlobalAveragePooling2D", {}), ("SpatialDropout2D", {"rate": 0.2}), ("LayerNormalization", {}), ("Flatten", {}),
    ("Cropping2D", {"cropping": 1}), ("Dense", {"units": 2}), ("SeparableConv2D", CONV), ("Conv2DTranspose", CONV),
)  # fmt: skip
MERGING = (
    ("Add", {}), ("Subtract", {}), ("Multiply", {}), ("Average", {}), ("Maximum", {}), ("Minimum", {}),
    ("Concatenate", {}), ("Concatenate", {"axis": 1}), ("Dot", {"axes": -1}), ("Attention", {}),
    ("AdditiveAttention", {}),
)  # fmt: skip
CALLED_WITH_TWO = (
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 2}),
    ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 1}),
)
ROWS: list[Row] = [
    *((kind, kwargs, ONE) for kind, kwargs in (*KEEPING, *CHANGING, *RECURRENT) if kind != "Attention"),
    *((kind, kwargs, IMAGES) for kind, kwargs in SPATIAL),
    ("Conv3D", CONV, VOLUMES),
    ("SpatialDropout3D", {"rate": 0.2}, VOLUMES),
    *((kind, kwargs, TWO) for kind, kwargs in (*MERGING, *CALLED_WITH_TWO)),
]


def _weights(layer: keras.Layer, rng: np.random.Generator) -> list[np.ndarray]:
    values = []
    for variable in layer.weights:
        value = normal(rng, *variable.shape) * np.float32(0.5)
        values.append(np.abs(value) + np.float32(0.3) if variable.name.endswith("variance") else value)
    return values


def _case(name: str, class_: str, kwargs: dict[str, Any], shapes: tuple[tuple[int, ...], ...]) -> dict[str, Any]:
    rng = generator(name)
    keras.utils.clear_session()
    inputs = [normal(rng, *shape) for shape in shapes]
    for x in inputs:
        x[1, -2:] = 0  # masked steps (rows of images)
        x[0, -1:] = 0
    layer = getattr(keras.layers, class_)(**kwargs)
    together = "arguments" if "Query" in class_ or "MultiHead" in class_ else "list" if len(inputs) > 1 else "one"

    def called() -> Any:
        given = [keras.layers.Masking()(x) for x in inputs]
        return layer(*given) if together == "arguments" else layer(given) if together == "list" else layer(given[0])

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        called()
        layer.set_weights(_weights(layer, rng))
        output = called()
    return {
        "name": name,
        "class": class_,
        "kwargs": as_json(kwargs),
        "together": together,
        "inputs": inputs,
        "weights": layer.get_weights(),
        "output": plain(output),
        "mask": plain(getattr(output, "_keras_mask", None)),
        "ends": any("does not support masking" in str(one.message) for one in caught),
    }


def make() -> list[dict[str, Any]]:
    """Every row as a case."""
    return [_case(f"{row[0]}-{index:02d}", *row) for index, row in enumerate(ROWS)]
