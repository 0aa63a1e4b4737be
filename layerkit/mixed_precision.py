"""`layerkit.mixed_precision`: Keras' names. Mixed policies compute in float32 here, and a warning says so."""

from layerkit.layers.dtype_policy import DTypePolicy, dtype_policy, set_dtype_policy
from layerkit.optimizers import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy

__all__ = [
    "DTypePolicy", "LossScaleOptimizer", "Policy", "dtype_policy", "global_policy", "set_dtype_policy",
    "set_global_policy",
]  # fmt: skip
