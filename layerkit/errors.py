"""The exceptions of layerkit. Each is also the built-in kind that Keras raises in its place."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

LISTED_NAMES, LISTED_ARRAYS, LONGEST_TEXT = 20, 6, 60


class ShapeError(ValueError):
    """An array or tensor has a shape that does not fit."""


class DtypeError(TypeError):
    """An array or tensor has a dtype that cannot be used here."""


class ArgumentKindError(TypeError, ValueError):
    """An argument is not of the kind expected, as a text for a number. Keras raises a TypeError or a ValueError."""


class UnknownNameError(ValueError):
    """A name (of an optimizer, a loss, an activation ...) that nothing is registered under."""


class NotBuiltError(ValueError):
    """A layer or model is used before its shapes are known and its variables exist."""


class NotCompiledError(ValueError):
    """`fit`, `evaluate` or the like is called on a model before `compile`."""


class GraphError(ValueError):
    """A computation graph is not well formed: an input is missing, or tensors of two graphs meet."""


def refuse_unknown(function: str, kwargs: Mapping[str, object]) -> None:
    """Raise TypeError for keyword arguments that are left when a function has taken those that it knows."""
    if kwargs:
        raise TypeError(f"{function}() got unexpected keyword arguments: {', '.join(kwargs)}.")


def unknown_name(kind: str, name: object, known: Iterable[str]) -> UnknownNameError:
    """The error for a name that is not registered, with the nearest known names.

    Args:
        kind: what is looked for, for example `"optimizer"`.
        name: what the user wrote.
        known: the names that exist.

    Example:
        >>> print(unknown_name("optimizer", "adm", ["adam", "sgd"]))
        Unknown optimizer 'adm'. Did you mean 'adam'? Known names: adam, sgd.
    """
    names = sorted(set(known))
    message = f"Unknown {kind} {name!r}."
    if isinstance(name, str):
        nearest = _nearest(name, names)
        if nearest:
            message += f" Did you mean {' or '.join(map(repr, nearest))}?"
    else:
        message += f" Expected a name (str), got {type(name).__name__}."
    if not names:
        return UnknownNameError(f"{message} None is registered.")
    listed = ", ".join(names[:LISTED_NAMES])
    more = f", ... ({len(names)} in all)" if len(names) > LISTED_NAMES else ""
    return UnknownNameError(f"{message} Known names: {listed}{more}.")


def _nearest(name: str, names: list[str]) -> list[str]:
    """At most two known names that look like `name`, whatever their case, the nearest first."""
    by_lower_case: dict[str, str] = {}
    for known in names:
        by_lower_case.setdefault(known.lower(), known)
    return [by_lower_case[near] for near in difflib.get_close_matches(name.lower(), by_lower_case, n=2)]


def add_layer_path(error: BaseException, path: str) -> BaseException:
    """Note the path of the layer in which an error happened; the innermost layer that says so is kept.

    Example:
        >>> add_layer_path(ValueError("bad"), "encoder/dense_1").__notes__
        ["In layer 'encoder/dense_1'."]
    """
    notes = getattr(error, "__notes__", ())
    if not any(note.startswith("In layer ") for note in notes):
        error.add_note(f"In layer {path!r}.")
    return error


_CONSTRUCTOR = "In the constructor call "


def note_constructor(error: BaseException, name: str, args: tuple, kwargs: dict[str, Any]) -> None:
    """Note the call of a class in which an error happened, in place of the calls inside of it.

    Example:
        >>> error = ValueError("bad")
        >>> note_constructor(error, "Dense", (0,), {"name": "head", "activation": None})
        >>> error.__notes__
        ["In the constructor call Dense(0, name='head')."]
    """
    given = [shortened(value) for value in args]
    given += [f"{key}={shortened(value)}" for key, value in kwargs.items() if value is not None]
    kept = [note for note in getattr(error, "__notes__", ()) if not note.startswith(_CONSTRUCTOR)]
    error.__notes__ = [*kept, f"{_CONSTRUCTOR}{name}({', '.join(given)})."]


def note_place(error: BaseException, kind: str, name: str) -> None:
    """Note in which loss, metric or optimizer an error happened, unless one inside of it has said so.

    Example:
        >>> error = ValueError("bad")
        >>> note_place(error, "loss", "mse")
        >>> error.__notes__
        ["In loss 'mse'."]
    """
    start = f"In {kind} "
    if not any(note.startswith(start) for note in getattr(error, "__notes__", ())):
        error.add_note(f"{start}{name!r}.")


EXPLAINED = (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError)
"""What a call with wrong arguments raises."""


def explain_call(error: BaseException, function: Callable, args: tuple, kwargs: dict[str, Any]) -> BaseException:
    """The error of a call of `layerkit.ops` with the function's name before its text and the arguments after it.

    Errors that name the function, those of a kind that takes more than a text, and those of calls with functions, which
    may be the functions' own, stay as they are.

    Example:
        >>> def negative(x): ...
        >>> print(explain_call(ValueError("no numbers."), negative, ("ab",), {}))
        ops.negative: no numbers. Got x='ab'.
    """
    name, text = function.__name__, str(error)
    kind = ShapeError if type(error).__name__ == "AxisError" else type(error)  # NumPy's, of an axis out of range
    if any(callable(value) for value in (*args, *kwargs.values())):
        return error
    if text.startswith(("ops.", f"{name}(")) or (kind not in EXPLAINED and not kind.__module__.startswith("layerkit.")):
        return error
    if text.startswith("Operation "):
        text = text.rpartition(" Got ")[0]  # the operation's own inputs; the user's have names
    if "Got " not in text:
        text = f"{text.rstrip('.')}. Got {_described_arguments(function, args, kwargs)}."
    explained = kind(f"ops.{name}: {text}")
    for note in getattr(error, "__notes__", ()):
        explained.add_note(note)
    return explained


def _described_arguments(function: Callable, args: tuple, kwargs: dict[str, Any]) -> str:
    given = inspect.signature(function).bind(*args, **kwargs).arguments
    return ", ".join(f"{name}={shortened(value)}" for name, value in given.items())


def shortened(value: object) -> str:
    """An array or tensor by dtype and shape, other values as they are written, shortened."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype}{list(value.shape)}".replace("None", "?")
    if isinstance(value, (list, tuple)) and any(hasattr(one, "shape") for one in value):
        inside = ", ".join(map(shortened, value[:LISTED_ARRAYS]))
        return f"[{inside}{', ...' if len(value) > LISTED_ARRAYS else ''}]"
    text = repr(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
