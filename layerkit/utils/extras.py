"""Modules of optional packages."""

from __future__ import annotations

import importlib
from types import ModuleType


def optional_module(module: str, package: str, extra: str, purpose: str) -> ModuleType:
    """A module of a package that layerkit does not need by itself.

    Args:
        module: its name, as in an import.
        package: the name to install.
        extra: the extra of layerkit that has it.
        purpose: what asks for it, for the error.

    Raises ImportError that says how to install it.

    >>> optional_module("json", "json", "none", "nothing").loads("[1]")
    [1]
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{purpose} needs {package}, which is not installed. Install it by `pip install layerkit[{extra}]` or "
            f"`pip install {package}`."
        ) from error
