"""What an optimizer is given, checked, with messages for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from layerkit.errors import ShapeError, shortened
from layerkit.graph import Tensor, Variable


def unknown_arguments(cls: type, unknown: dict[str, Any], known: Sequence[str]) -> TypeError:
    """The error for arguments that an optimizer does not have, with the nearest that it has.

    Example:
        >>> class SGD: ...
        >>> print(unknown_arguments(SGD, {"momentun": 0.9}, ["learning_rate", "momentum"]))
        SGD has no argument 'momentun'. It takes learning_rate, momentum. Did you mean 'momentum'?
    """
    known = list(dict.fromkeys(known))
    near = [repr(match) for name in unknown for match in difflib.get_close_matches(name, known, n=1)]
    hint = f" Did you mean {' and '.join(near)}?" if near else ""
    return TypeError(
        f"{cls.__name__} has no argument {', '.join(map(repr, unknown))}. It takes {', '.join(known)}.{hint}"
    )


def checked_pairs(grads_and_vars: Iterable[Any]) -> list[tuple[Any, Variable]]:
    """The pairs (gradient, variable) as a list. Raises TypeError for anything else."""
    pairs = list(grads_and_vars)
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise TypeError(
                f"`grads_and_vars` must be pairs (gradient, variable), got {shortened(pair)} in a list of {len(pairs)}."
                " `apply(gradients, variables)` takes two lists."
            )
    return pairs


def wrong_count(grads: Sequence[Any], variables: Sequence[Variable], name: str) -> ValueError:
    """The error for another number of gradients than of variables."""
    paths = ", ".join(variable.path for variable in variables)
    return ValueError(
        f"There are {len(grads)} gradients for {len(variables)} variables of the optimizer {name!r}: expected one for "
        f"each of {paths}."
    )


def check_shapes(grads: Sequence[Tensor], variables: Sequence[Variable], name: str) -> None:
    """Raise ShapeError for a gradient that has not the shape of its variable."""
    for gradient, variable in zip(grads, variables, strict=True):
        if tuple(gradient.shape) != tuple(variable.shape):
            raise ShapeError(
                f"The gradient of the variable {variable.path!r} must have its shape {variable.shape}, got "
                f"{gradient.shape} (optimizer {name!r})."
            )
