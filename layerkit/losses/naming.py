"""Automatic names: of a class's first object `dense`, of the next `dense_1`, and so on."""

from __future__ import annotations

from collections import Counter

from layerkit.registry import snake_case

_used: Counter[str] = Counter()


def auto_name(prefix: str) -> str:
    """A name that no automatic name before was, from a class's name or another prefix.

    >>> reset_names()
    >>> auto_name("MaxPooling2D"), auto_name("MaxPooling2D")
    ('max_pooling2d', 'max_pooling2d_1')
    """
    prefix = snake_case(prefix)
    number = _used[prefix]
    _used[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def reset_names() -> None:
    """Start every prefix again without a number."""
    _used.clear()
