"""layerkit: a Keras-style modelling toolkit whose training step is one native call.

`import layerkit as keras` runs Keras scripts. The public names, signatures and defaults are Keras 3's.
"""

import sys

from layerkit import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    distillation,
    dtype_policies,
    initializers,
    layers,
    legacy,
    losses,
    metrics,
    missing_names,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    tree,
    utils,
    visualization,
    wrappers,
)
from layerkit.callbacks import Callback
from layerkit.dtypes import floatx, set_floatx
from layerkit.graph import Tensor, Variable
from layerkit.graph.scopes import StatelessScope, device, name_scope
from layerkit.graph.tensor import KerasTensor
from layerkit.initializers import Initializer
from layerkit.layers import DTypePolicy, Input, InputSpec, Layer
from layerkit.layers.operation import ComposedOperation
from layerkit.losses import Loss
from layerkit.metrics import Metric
from layerkit.models import Model, Sequential
from layerkit.models.function import Function
from layerkit.optimizers import Optimizer
from layerkit.regularizers import Regularizer
from layerkit.running import install_as_keras
from layerkit.runtime.thread_count import get_num_threads, set_num_threads
from layerkit.tracing import GradientTape, TracedFunction, function, grad, value_and_grad

__version__ = "0.1.0"

# Keras has these in both places; saving and layers stand above models and the settings, which cannot import them.
models.load_model, models.save_model = saving.load_model, saving.save_model

config.dtype_policy, config.set_dtype_policy = dtype_policies.dtype_policy, dtype_policies.set_dtype_policy

missing_names.install(sys.modules[__name__])

FloatDTypePolicy = DTypePolicy
Operation = ComposedOperation


def version() -> str:
    """The version of layerkit."""
    return __version__


__all__ = [
    "Callback", "DTypePolicy", "FloatDTypePolicy", "Function", "GradientTape", "Initializer", "Input", "InputSpec",
    "KerasTensor", "Layer", "Loss", "Metric", "Model", "Operation", "Optimizer", "Regularizer", "Sequential",
    "StatelessScope", "Tensor", "TracedFunction", "Variable", "activations", "backend", "callbacks", "config",
    "constraints", "datasets", "device", "distillation", "dtype_policies", "floatx", "function", "get_num_threads",
    "grad", "initializers", "install_as_keras", "layers", "legacy", "losses", "metrics", "mixed_precision", "models",
    "name_scope", "ops", "optimizers", "preprocessing", "random", "regularizers", "saving", "set_floatx",
    "set_num_threads", "tree", "utils", "value_and_grad", "version", "visualization", "wrappers",
]  # fmt: skip
