"""The names of Keras 2's old optimizers, which tell what to use, as in Keras 3."""

from __future__ import annotations

from typing import Any


class _Legacy:
    def __init__(self, *args: Any, **kwargs: Any):
        name = type(self).__name__
        raise ImportError(
            f"`optimizers.legacy` is not supported, as in Keras 3: use `optimizers.{name}`, which takes "
            "`lr=` and `decay=` too."
        )


class Adagrad(_Legacy):
    """Raises ImportError: use `optimizers.Adagrad`."""


class Adam(_Legacy):
    """Raises ImportError: use `optimizers.Adam`."""


class Ftrl(_Legacy):
    """Raises ImportError: use `optimizers.Ftrl`."""


class Optimizer(_Legacy):
    """Raises ImportError: use `optimizers.Optimizer`."""


class RMSprop(_Legacy):
    """Raises ImportError: use `optimizers.RMSprop`."""


class SGD(_Legacy):
    """Raises ImportError: use `optimizers.SGD`."""
