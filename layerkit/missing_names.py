"""Names of Keras that are missing for good: why, and what there is in their place. Who asks for one reads that.

docs/compatibility.md is written from the same table.
"""

from __future__ import annotations

import fnmatch
import sys
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any, Never

_WRAPPER = "it wraps a model of another framework; write the same model in layers and give them its weights"
_QUANTIZATION = "there is no quantization; layers compute in float32 or float64"
_RECOMPUTATION = "a compiled step stores no more than its gradient reads, and computes cheap values again by itself"
_EXPORT = "there is no export to other frameworks; save the model as `.weights.h5` or `.h5`, which Keras reads"
_APPLICATIONS = (
    "they wait for layerkit_models, the model zoo; write the model in layers and load its weights from a file"
)
_DISTRIBUTION = "a model runs on the cores of one machine; `set_num_threads` says on how many"

REASONS = {
    "keras.layers.TFSMLayer": _WRAPPER,
    "keras.layers.JaxLayer": _WRAPPER,
    "keras.layers.FlaxLayer": _WRAPPER,
    "keras.layers.TorchModuleWrapper": _WRAPPER,
    "keras.callbacks.OrbaxCheckpoint": "its files are those of a JAX library; use `ModelCheckpoint`",
    "keras.quantizers": _QUANTIZATION,
    "keras.quantizers.*": _QUANTIZATION,
    "keras.Quantizer": _QUANTIZATION,
    "keras.*.quantize*": _QUANTIZATION,
    "keras.*.get_quantization_layer_structure": _QUANTIZATION,
    "keras.dtype_policies.*Quantized*": _QUANTIZATION,
    "keras.dtype_policies.GPTQDTypePolicy": _QUANTIZATION,
    "keras.dtype_policies.AWQDTypePolicy": _QUANTIZATION,
    "keras.dtype_policies.Int4DTypePolicy": _QUANTIZATION,
    "keras.dtype_policies.DTypePolicyMap": (
        "it gives the layers of a model policies by their names; give each layer its `dtype`"
    ),
    "keras.*.rematerialized_call": _RECOMPUTATION,
    "keras.remat": _RECOMPUTATION,
    "keras.RematScope": _RECOMPUTATION,
    "keras.SymbolicScope": "operations on symbolic tensors are symbolic by themselves; leave it out",
    "keras.export": _EXPORT,
    "keras.export.*": _EXPORT,
    "keras.*.export": _EXPORT,
    "keras.applications": _APPLICATIONS,
    "keras.applications.*": _APPLICATIONS,
    "keras.distribution": _DISTRIBUTION,
    "keras.distribution.*": _DISTRIBUTION,
    "keras.Model.loss": "`compile` sets it on the model, so that the class has none",
}
"""Patterns of Keras' names -> why they are missing, and after the semicolon what to do."""

_PACKAGE = __name__.partition(".")[0]
_MODULES = ("", "layers", "callbacks", "dtype_policies")
_METHODS = {
    "Layer": ("quantize", "quantized_build", "quantized_call", "rematerialized_call"),
    "Model": ("export", "get_quantization_layer_structure"),
}


class MissingModuleError(ModuleNotFoundError):
    """A module of Keras that is missing for good. It has no `name`, or `from layerkit import ...` would swallow it."""


def explanation(name: str) -> str | None:
    """What is said of a name of this package that is missing for good, None of others.

    >>> explanation("layerkit.SymbolicScope")
    'layerkit.SymbolicScope is not there: operations on symbolic tensors are symbolic by themselves; leave it out.'
    """
    reason = reason_of(f"keras{name.removeprefix(_PACKAGE)}")
    return None if reason is None else f"{name} is not there: {reason}."


def reason_of(name: str) -> str | None:
    """Why a name of Keras is missing: by the first pattern that it matches; None where there is none.

    >>> reason_of("keras.Quantizer")
    'there is no quantization; layers compute in float32 or float64'
    """
    return next((reason for pattern, reason in REASONS.items() if fnmatch.fnmatchcase(name, pattern)), None)


def install(package: ModuleType) -> None:
    """Let the modules and classes of the package explain what they have not. Names that are there are untouched."""
    for name in _MODULES:
        module = sys.modules[f"{_PACKAGE}.{name}".rstrip(".")]
        module.__getattr__ = _explaining_getattr(module)  # type: ignore[method-assign]
    for class_name, methods in _METHODS.items():
        for method in methods:
            setattr(getattr(package, class_name), method, _MissingMethod(method))
    if not any(isinstance(finder, _ExplainingFinder) for finder in sys.meta_path):
        sys.meta_path.append(_ExplainingFinder())


def _explaining_getattr(module: ModuleType) -> Any:
    def __getattr__(name: str) -> Never:
        text = None if name.startswith("_") else explanation(f"{module.__name__}.{name}")
        if text is not None:
            raise AttributeError(text)
        # With name and obj, Python suggests names that are alike.
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)

    return __getattr__


class _MissingMethod:
    """A method that is missing for good. A subclass or an object may have one of that name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, thing: Any, owner: type) -> Never:
        text = explanation(f"{_PACKAGE}.{owner.__name__}.{self._name}")
        raise AttributeError(str(text).removeprefix(f"{_PACKAGE}."), name=self._name)


class _ExplainingFinder(MetaPathFinder):
    """Asked after all others: `from layerkit.layers import TFSMLayer` and `import layerkit.applications` come here."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """Nothing, for Python to say so; or an ImportError with the reason."""
        text = explanation(fullname) if fullname.startswith(f"{_PACKAGE}.") else None
        if text is not None:
            is_module = f"keras{fullname.removeprefix(_PACKAGE)}.*" in REASONS
            raise MissingModuleError(text) if is_module else ImportError(text, name=fullname)
