"""Compiled Python functions, and gradients of what is computed."""

from layerkit.tracing.compiled_function import CompiledFunction, compile_function
from layerkit.tracing.function import TracedFunction, function
from layerkit.tracing.gradient_tape import GradientTape, grad, value_and_grad

__all__ = [
    "CompiledFunction", "GradientTape", "TracedFunction", "compile_function", "function", "grad", "value_and_grad",
]  # fmt: skip
