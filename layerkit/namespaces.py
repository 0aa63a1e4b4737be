"""What a package makes public of its modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def public_names(namespace: Mapping[str, Any]) -> list[str]:
    """The names without an underscore whose values were defined in modules of the namespace's package.

    With star imports and this a new class is made known by its own file alone.

    >>> from layerkit import optimizers
    >>> "SGD" in public_names(vars(optimizers)), "Sequence" in public_names(vars(optimizers))
    (True, False)
    """
    package = f"{namespace['__name__']}"
    return sorted(
        name
        for name, value in namespace.items()
        if not name.startswith("_") and f"{getattr(value, '__module__', '')}.".startswith(f"{package}.")
    )
