"""Rows for attention, normalisations, adaptive pooling and volumes; `layers.py` takes them in.

A row: class, constructor arguments, shapes of the inputs, and what else a sample says. Inputs are a list where
`together` is "list", and arguments of their own where it is "arguments".
"""

from __future__ import annotations

from typing import Any

from layerkit import layers as L

STEPS, IMAGES, VOLUMES = ((2, 7, 4),), ((2, 7, 6, 4),), ((1, 4, 5, 4, 2),)
FIRST = {"data_format": "channels_first"}
LIST, ARGUMENTS = {"together": "list"}, {"together": "arguments"}


def rows() -> list[tuple[type, dict[str, Any], tuple, dict[str, Any]]]:
    """The rows."""
    head = {"num_heads": 2, "key_dim": 3}
    group = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
    return [
        (L.AdaptiveAveragePooling1D, {"output_size": 3}, STEPS, {}),
        (L.AdaptiveAveragePooling2D, {"output_size": (3, 2), **FIRST}, IMAGES, {}),
        (L.AdaptiveAveragePooling3D, {"output_size": 2}, VOLUMES, {}),
        (L.AdaptiveMaxPooling1D, {"output_size": 3}, STEPS, {}),
        (L.AdaptiveMaxPooling2D, {"output_size": (3, 2)}, IMAGES, {}),
        (L.AdaptiveMaxPooling3D, {"output_size": 2, **FIRST}, VOLUMES, {}),
        (L.AdditiveAttention, {}, ((2, 3, 4), (2, 5, 4)), LIST),
        (L.AdditiveAttention, {"use_scale": False}, ((2, 3, 4), (2, 5, 3), (2, 5, 4)), LIST),
        (L.AlphaDropout, {"rate": 0.3, "seed": 1}, ((4, 5),), {}),
        (L.Attention, {}, ((2, 3, 4), (2, 5, 4)), LIST),
        (L.Attention, {"use_scale": True, "score_mode": "concat"}, ((2, 3, 4), (2, 5, 3), (2, 5, 4)), LIST),
        (L.Conv3DTranspose, {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1}, VOLUMES, {}),
        (L.Cropping3D, {"cropping": ((1, 0), 1, (0, 2))}, VOLUMES, {}),
        (L.Dense, {"units": 4, "lora_rank": 2, "lora_alpha": 3.0}, ((2, 3),), {}),
        (L.EinsumDense, {"equation": "abc,cd->abd", "output_shape": (None, 6), "bias_axes": "d"}, STEPS, {}),
        (L.EinsumDense, {"equation": "...x,xy->...y", "output_shape": 3, "activation": "tanh"}, IMAGES, {}),
        (L.EinsumDense, {"equation": "abc,bcd->ad", "output_shape": 3, "lora_rank": 2}, STEPS, {}),
        (L.EinsumDense, {"equation": "abc,cde->adbe", "output_shape": (2, None, 3), "bias_axes": "de"}, STEPS, {}),
        (L.Embedding, {"input_dim": 5, "output_dim": 3, "lora_rank": 2}, ((2, 4),), {"integers": 5}),
        (L.GroupNormalization, {"groups": 2}, STEPS, {}),
        (L.GroupNormalization, {"groups": -1, "axis": 1, "scale": False}, IMAGES, {}),
        (L.GroupedQueryAttention, group, ((2, 3, 5), (2, 4, 5)), ARGUMENTS),
        (L.GroupedQueryAttention, {**group, "use_gate": True, "sliding_window": 2}, ((2, 3, 5), (2, 4, 5)), ARGUMENTS),
        (L.MultiHeadAttention, head, ((2, 3, 5), (2, 4, 6)), ARGUMENTS),
        (
            L.MultiHeadAttention,
            {**head, "value_dim": 2, "output_shape": 4, "dropout": 0.5, "seed": 1},
            ((2, 3, 5), (2, 4, 6), (2, 4, 3)),
            ARGUMENTS,
        ),
        (L.MultiHeadAttention, {**head, "attention_axes": 2, "use_bias": False}, ((2, 3, 4, 5),) * 2, ARGUMENTS),
        (L.RMSNormalization, {}, ((2, 5, 3),), {}),
        (L.RMSNormalization, {"axis": [1, 2], "epsilon": 1e-3}, ((2, 5, 3),), {}),
        (L.ReversibleEmbedding, {"input_dim": 5, "output_dim": 3}, ((2, 4),), {"integers": 5}),
        (L.ReversibleEmbedding, {"input_dim": 5, "output_dim": 3, "tie_weights": False}, ((2, 4),), {"integers": 5}),
        (L.SpatialDropout3D, {"rate": 0.5, "seed": 1}, VOLUMES, {}),
        (L.SpectralNormalization, {"layer": L.Dense(3)}, ((4, 5),), {}),
        (L.UnitNormalization, {}, ((2, 5, 3),), {}),
        (L.UnitNormalization, {"axis": [1, 2]}, ((2, 5, 3),), {}),
        (L.UpSampling2D, {"size": 2, "interpolation": "bilinear"}, IMAGES, {}),
        (L.UpSampling2D, {"size": (3, 2), "interpolation": "bicubic", **FIRST}, IMAGES, {}),
        (L.UpSampling3D, {"size": (1, 2, 3)}, VOLUMES, {}),
        (L.ZeroPadding3D, {"padding": ((1, 0), 1, (0, 2)), **FIRST}, VOLUMES, {}),
    ]
