"""Floor 6: the layers."""

from layerkit.layers.core import Activation, Dense, Embedding, Identity, Input, InputLayer, Lambda, Masking
from layerkit.layers.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer

__all__ = [
    "Activation", "DTypePolicy", "Dense", "Embedding", "Identity", "Input", "InputLayer", "InputSpec", "Lambda",
    "Layer", "Masking", "dtype_policy", "set_dtype_policy",
]  # fmt: skip
