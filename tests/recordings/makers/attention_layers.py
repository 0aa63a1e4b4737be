"""Attention, normalisations, adaptive pooling, volumes and low-rank adaptation: outputs, gradients, state, configs.

TensorFlow resizes by "bicubic" otherwise and has few operations with channels first: record with `--alone`, on JAX.
"""

from typing import Any

import keras
import numpy as np

from .running import as_json, generator, gradients, normal, plain

HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
QV, QVK = ((2, 3, 5), (2, 4, 6)), ((2, 3, 5), (2, 4, 6), (2, 4, 3))
SELF = ((2, 4, 5), (2, 4, 5))
SCORES, CAUSAL = {"return_attention_scores": True}, {"use_causal_mask": True}
FIRST = {"data_format": "channels_first"}
STEPS, IMAGES, VOLUMES = ((2, 7, 4),), ((2, 7, 6, 4),), ((1, 4, 5, 4, 2),)

Row = tuple[str, dict[str, Any], tuple, dict[str, Any], dict[str, tuple[int, ...]]]


def _row(class_: str, kwargs: dict[str, Any], shapes: tuple, call: dict[str, Any] | None = None, **masks: Any) -> Row:
    return class_, kwargs, shapes, call or {}, masks


ROWS: list[Row] = [
    *(_row("MultiHeadAttention", HEADS, QV, call) for call in ({}, SCORES, CAUSAL)),
    _row("MultiHeadAttention", HEADS, QVK),
    _row("MultiHeadAttention", {**HEADS, "output_shape": 7, "use_bias": False}, QV),
    _row("MultiHeadAttention", {**HEADS, "output_shape": [2, 3]}, QV),
    _row("MultiHeadAttention", {**HEADS, "use_gate": True, "sliding_window": 2}, SELF),
    _row("MultiHeadAttention", {**HEADS, "sliding_window": 2}, SELF, CAUSAL),
    _row("MultiHeadAttention", {**HEADS, "dropout": 0.3}, SELF, {"training": False, **CAUSAL}),
    _row("MultiHeadAttention", HEADS, QV, attention_mask=(2, 3, 4)),
    _row("MultiHeadAttention", HEADS, QV, SCORES, attention_mask=(2, 3, 4)),
    _row("MultiHeadAttention", HEADS, SELF, CAUSAL, attention_mask=(1, 4, 4)),
    _row("MultiHeadAttention", HEADS, SELF, {**CAUSAL, **SCORES}, attention_mask=(2, 2, 4, 4)),
    _row("MultiHeadAttention", HEADS, QV, value_mask=(2, 4)),
    _row("MultiHeadAttention", HEADS, QVK, SCORES, value_mask=(2, 4), key_mask=(2, 4)),
    _row("MultiHeadAttention", {**HEADS, "attention_axes": 2}, ((2, 3, 4, 5),) * 2),
    _row("MultiHeadAttention", {**HEADS, "attention_axes": [1, 2]}, ((2, 3, 4, 5), (2, 2, 3, 5)), SCORES),
    *(_row("GroupQueryAttention", GROUPS, SELF, call) for call in ({}, SCORES, CAUSAL, {**CAUSAL, **SCORES})),
    _row("GroupQueryAttention", {**GROUPS, "use_gate": True, "use_bias": False, "sliding_window": 2}, SELF),
    _row("GroupQueryAttention", GROUPS, SELF, attention_mask=(2, 4, 4)),
    _row("GroupQueryAttention", GROUPS, SELF, CAUSAL, value_mask=(2, 4)),
    *(_row("Attention", {}, ((2, 3, 4), (2, 5, 4)), call) for call in ({}, SCORES, CAUSAL)),
    _row("Attention", {"use_scale": True}, ((2, 3, 4), (2, 5, 3), (2, 5, 4)), {**CAUSAL, **SCORES}),
    _row("Attention", {"score_mode": "concat", "use_scale": True}, ((2, 3, 4), (2, 5, 3), (2, 5, 4))),
    _row("Attention", {"score_mode": "concat", "dropout": 0.4, "seed": 2}, ((2, 3, 4), (2, 5, 4))),
    _row("AdditiveAttention", {}, ((2, 3, 4), (2, 5, 4)), SCORES),
    _row("AdditiveAttention", {"use_scale": False}, ((2, 3, 4), (2, 5, 3), (2, 5, 4)), CAUSAL),
    _row("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 3, "bias_axes": "c"}, ((2, 4),)),
    _row("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 6], "bias_axes": "d"}, STEPS),
    _row("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "de"}, STEPS),
    _row("EinsumDense", {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "e"}, STEPS),
    _row("EinsumDense", {"equation": "abc,bcd->ad", "output_shape": 3, "bias_axes": "d", "activation": "tanh"}, STEPS),
    _row("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}, IMAGES),
    _row("EinsumDense", {"equation": "abc,bd->adc", "output_shape": [3, None], "bias_axes": "d"}, STEPS),
    _row("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"}, STEPS),
    _row("EinsumDense", {"equation": "abc,dc->abd", "output_shape": [None, 6], "activation": "softmax"}, STEPS),
    _row("EinsumDense", {"equation": "abc,cd->abd", "output_shape": [None, 6], "lora_rank": 2, "lora_alpha": 3}, STEPS),
    _row("Dense", {"units": 3, "lora_rank": 2}, ((4, 5),)),
    _row("Embedding", {"input_dim": 7, "output_dim": 5, "lora_rank": 2}, ((3, 4),), below=(7,)),
    _row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 5}, ((3, 4),), below=(7,)),
    _row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 5, "logit_soft_cap": 0.5}, ((3, 5),), {"reverse": True}),
    _row("ReversibleEmbedding", {"input_dim": 7, "output_dim": 5, "tie_weights": False}, ((3, 5),), {"reverse": True}),
    _row("GroupNormalization", {"groups": 2}, STEPS),
    _row("GroupNormalization", {"groups": -1, "epsilon": 0.01}, IMAGES),
    _row("GroupNormalization", {"groups": 7, "axis": 1, "scale": False}, IMAGES),
    _row("GroupNormalization", {"groups": 4, "center": False}, ((3, 8),)),
    _row("RMSNormalization", {}, ((2, 5, 3),)),
    _row("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, ((2, 5, 3),)),
    _row("UnitNormalization", {}, ((2, 5, 3),)),
    _row("UnitNormalization", {"axis": [1, 2]}, ((2, 5, 3),)),
    *(
        _row(f"Adaptive{kind}Pooling{rank}D", {"output_size": size, **more}, shapes)
        for kind in ("Average", "Max")
        for rank, size, more, shapes in (
            (1, 3, {}, STEPS),
            (2, [3, 2], {}, IMAGES),
            (2, 2, FIRST, IMAGES),
            (3, 2, {}, VOLUMES),
        )
    ),
    _row("Cropping3D", {"cropping": [[1, 0], [1, 1], [0, 2]]}, VOLUMES),
    _row("Cropping3D", {"cropping": 1, **FIRST}, ((1, 2, 4, 5, 4),)),
    _row("ZeroPadding3D", {"padding": [[1, 0], [1, 1], [0, 2]]}, VOLUMES),
    _row("ZeroPadding3D", {}, VOLUMES),
    _row("UpSampling3D", {"size": [1, 2, 3]}, VOLUMES),
    _row("UpSampling3D", FIRST, VOLUMES),
    *(
        _row("UpSampling2D", {"size": [2, 3], "interpolation": name}, IMAGES)
        for name in ("bilinear", "bicubic", "lanczos3", "lanczos5", "nearest")
    ),
    _row("UpSampling2D", {"interpolation": "bilinear", **FIRST}, IMAGES),
    _row("Conv3DTranspose", {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1}, VOLUMES),
    _row("AlphaDropout", {"rate": 0.3, "noise_shape": [2, 1, 4], "seed": 4}, STEPS, {"training": False}),
    _row("SpatialDropout3D", {"rate": 0.3}, VOLUMES, {"training": False}),
]


def _weight(variable: Any, rng: np.random.Generator) -> np.ndarray:
    value = np.asarray(normal(rng, *variable.shape) * 0.5, "float32")
    return np.abs(value) + np.float32(0.3) if variable.name.endswith(("variance", "stddev")) else value


def _case(name: str, class_: str, kwargs: dict[str, Any], shapes: tuple, call: dict[str, Any], extra: dict) -> dict:
    rng = generator(name)
    keras.utils.clear_session()
    below = extra.get("below")
    masks = {of: rng.integers(0, 3, shape) > 0 for of, shape in extra.items() if of != "below"}
    for mask in masks.values():
        mask[..., 0] = True  # what no score counts for is each backend's own
    inputs = [rng.integers(0, below[0], s, dtype="int32") if below else normal(rng, *s) for s in shapes]
    inside = {key: keras.layers.deserialize(value) for key, value in kwargs.items() if key == "layer"}
    layer = getattr(keras.layers, class_)(**{**kwargs, **inside})
    listed = "Attention" in class_ or class_ == "Dot"
    together = "arguments" if "Query" in class_ or "MultiHead" in class_ else "list" if listed else ""

    def called(*arrays: Any) -> Any:
        given = arrays if together == "arguments" else [list(arrays)] if together == "list" else arrays
        outputs = layer(*given, **call, **masks)
        return list(outputs) if isinstance(outputs, tuple) else [outputs]

    called(*inputs)
    weights = [_weight(variable, rng) for variable in layer.weights]
    layer.set_weights(weights)
    outputs = [np.asarray(output) for output in plain(called(*inputs))]
    layer.set_weights(weights)
    r = [np.asarray(normal(rng, *output.shape)) for output in outputs]
    trainable = list(layer.trainable_variables)

    def weighted(*arrays: Any) -> Any:
        state = [*zip(trainable, arrays[len(inputs) :], strict=True)]
        state += [(variable, variable.value) for variable in layer.non_trainable_variables]
        with keras.StatelessScope(state_mapping=state):
            return sum(keras.ops.sum(y * part) for y, part in zip(called(*arrays[: len(inputs)]), r, strict=True))

    found = gradients(weighted, [*inputs, *map(plain, trainable)])[1]
    return {
        "name": name,
        "class": class_,
        "kwargs": as_json(kwargs),
        "call": call,
        "masks": masks,
        "together": together,
        "inputs": inputs,
        "weights": weights,
        "weight_paths": [variable.path for variable in layer.weights],
        "trainable": [bool(variable.trainable) for variable in layer.weights],
        "outputs": outputs,
        "r": r,
        "gradients": found,
        "config": as_json(layer.get_config()),
    }


def cases_of(rows: list[Row]) -> list[dict[str, Any]]:
    """The cases of rows, numbered within their class."""
    found, counts = [], {}
    for class_, *rest in rows:
        counts[class_] = counts.get(class_, 0) + 1
        name = f"{class_}-{counts[class_]:02d}"
        try:
            found.append(_case(name, class_, *rest))
        except Exception as error:  # whatever the backend raises: record.py takes the other's result
            found.append({"name": name, "failed": f"{type(error).__name__}: {error}"[:300]})
    return found


def make() -> list[dict[str, Any]]:
    """Every row as a case; one that this backend cannot run holds its name and the error."""
    return cases_of(ROWS)
