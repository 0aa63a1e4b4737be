"""Checks of constructors' arguments: one line each, and one wording of what was wrong, got and expected."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.errors import ArgumentKindError, ShapeError, shortened

__all__ = ["check_axes", "check_axis", "check_choice", "check_integers", "check_numbers", "standardize_sizes"]

_IN_WORDS = {
    "(-inf, inf)": "a finite number",
    "[-inf, inf]": "a number",
    "[0, inf]": "a number of at least 0",
    "[0, inf)": "a finite number of at least 0",
    "(0, inf)": "a finite number above 0",
    "(0, inf]": "a number above 0",
    "[0, 1]": "a number between 0 and 1",
}


def check_numbers(owner: object, interval: str, optional: bool = False, **arguments: Any) -> None:
    """Raise an error for an argument that is no number of an interval.

    Args:
        owner: whose arguments they are; the errors name its class and, where it has one, its name.
        interval: as in mathematics, "[0, 1)" with 0 and without 1; a bound "inf]" lets infinity in. NaN is in none.
        optional: whether None is allowed.
        **arguments: the values by their names.

    Raises:
        ArgumentKindError: what is no number, which is a TypeError and a ValueError.
        ValueError: a number outside of the interval.

    >>> class Adam: ...
    >>> check_numbers(Adam(), "[0, 1)", beta_1=0.9, beta_2=1.5)
    Traceback (most recent call last):
    ValueError: Adam: `beta_2` must be a number in [0, 1), got beta_2=1.5.
    """
    low, high = interval[1:-1].split(",")
    for name, given in arguments.items():
        if given is None and optional:
            continue
        value = given.item() if getattr(given, "shape", None) == () and hasattr(given, "item") else given
        expected = _IN_WORDS.get(interval, f"a number in {interval}")
        if not isinstance(value, numbers.Real):
            raise wrong_argument(owner, name, given, expected, optional, ArgumentKindError)
        above = value >= float(low) if interval[0] == "[" else value > float(low)
        below = value <= float(high) if interval[-1] == "]" else value < float(high)
        if not (above and below):
            raise wrong_argument(owner, name, given, expected, optional)


def check_integers(owner: object, least: float, optional: bool = False, **arguments: Any) -> None:
    """Raise an error for an argument that is no integer of at least `least`; see `check_numbers`.

    >>> class Dense: ...
    >>> check_integers(Dense(), 1, units=0)
    Traceback (most recent call last):
    ValueError: Dense: `units` must be a positive integer, got units=0.
    """
    expected = _counted(least)
    for name, given in arguments.items():
        if given is None and optional:
            continue
        if not _is_integer(given):
            raise wrong_argument(owner, name, given, expected, optional, ArgumentKindError)
        if given < least:
            raise wrong_argument(owner, name, given, expected, optional)


def check_choice(owner: object, choices: Sequence[Any], **arguments: Any) -> None:
    """Raise ValueError for an argument that is none of the choices; see `check_numbers`.

    >>> class Resizing: ...
    >>> check_choice(Resizing(), ("nearest", "bilinear"), interpolation="linear")
    Traceback (most recent call last):
    ValueError: Resizing: `interpolation` must be one of 'nearest', 'bilinear', got interpolation='linear'.
    """
    for name, given in arguments.items():
        if not any(given is choice or (type(given) is type(choice) and given == choice) for choice in choices):
            raise wrong_argument(owner, name, given, f"one of {', '.join(map(repr, choices))}")


def check_axes(owner: object, axes: int | Sequence[int], shape: Sequence[int | None], name: str = "axis") -> None:
    """Raise ShapeError for an axis that a shape does not have.

    >>> class Softmax: ...
    >>> check_axes(Softmax(), (1, 9), (None, 3))
    Traceback (most recent call last):
    layerkit.errors.ShapeError: Softmax: `axis` must be from -2 to 1 for the shape (None, 3), got axis=(1, 9).
    """
    rank = len(shape)
    if any(not -rank <= axis < rank for axis in ((axes,) if isinstance(axes, numbers.Integral) else axes)):
        raise wrong_argument(
            owner, name, axes, f"from {-rank} to {rank - 1} for the shape {tuple(shape)}", kind=ShapeError
        )


def check_axis(owner: object, axis: Any, name: str = "axis") -> None:
    """Raise ArgumentKindError for what is no axis: an integer, some of them, or None for all; see `check_numbers`.

    >>> class Dice: ...
    >>> check_axis(Dice(), "rows")
    Traceback (most recent call last):
    layerkit.errors.ArgumentKindError: Dice: `axis` must be an integer or a tuple of them or None, got axis='rows'.
    """
    if not all(map(_is_integer, axis if isinstance(axis, list | tuple) else () if axis is None else (axis,))):
        raise wrong_argument(owner, name, axis, "an integer or a tuple of them", True, ArgumentKindError)


def standardize_sizes(owner: object, name: str, value: Any, rank: int | None, least: float = 1) -> tuple[int, ...]:
    """An integer for each spatial axis, from one for all or one for each; rank None: any number of them.

    Raises:
        ArgumentKindError: what is no integer, nor some.
        ValueError: another number of them, or one that is less than `least`.

    >>> class Conv2D: ...
    >>> standardize_sizes(Conv2D(), "kernel_size", 3, 2)
    (3, 3)
    """
    expected = f"{_counted(least)} or a tuple of {'' if rank is None else f'{rank} of '}them"
    sizes = tuple(value) if isinstance(value, list | tuple | range | np.ndarray) else (value,) * (rank or 1)
    if not all(map(_is_integer, sizes)):
        raise wrong_argument(owner, name, value, expected, kind=ArgumentKindError)
    if (rank is not None and len(sizes) != rank) or min(sizes, default=least) < least:
        raise wrong_argument(owner, name, value, expected)
    return tuple(map(int, sizes))


def wrong_argument(
    owner: object,
    name: str,
    given: object,
    expected: str,
    optional: bool = False,
    kind: type[Exception] = ValueError,
) -> Exception:
    """The error for an argument: whose it is, which, what was expected and what was given."""
    own_name = getattr(owner, "name", None)
    whose = f"{type(owner).__name__} {own_name!r}" if isinstance(own_name, str) else type(owner).__name__
    got = shortened(given.item() if isinstance(given, np.generic) else given)
    return kind(f"{whose}: `{name}` must be {expected}{' or None' * optional}, got {name}={got}.")


def _counted(least: float) -> str:
    """Integers from a least one on, in words."""
    known = {-math.inf: "an integer", 0: "a non-negative integer", 1: "a positive integer"}
    return known.get(least, f"an integer of at least {least}")


def _is_integer(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)
