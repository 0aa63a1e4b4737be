"""Models as estimators of scikit-learn, which they need installed (`pip install layerkit[sklearn]`)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from layerkit.wrappers.estimators import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    """The estimators on first use, for scikit-learn takes longer to import than all of layerkit."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("layerkit.wrappers.estimators"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
