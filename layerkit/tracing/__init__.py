"""Compiled Python functions."""

from layerkit.tracing.compiled_function import CompiledFunction, compile_function

__all__ = ["CompiledFunction", "compile_function"]
