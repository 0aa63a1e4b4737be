"""Matching what a file holds with a model's variables: everything is checked, then read, and only then assigned."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from layerkit.graph.variable import Variable
from layerkit.saving.errors import SavedFileError
from layerkit.saving.hdf5_reading import StoredArray

_LISTED = 50  # problems in a message


@dataclass
class Matching:
    """The pairs of variables and stored arrays of one load, and what does not fit.

    Attributes:
        file: the file, for messages.
        skip_mismatch: whether what does not fit is left as it is, with a warning.
    """

    file: str
    skip_mismatch: bool = False
    pairs: list[tuple[Variable, StoredArray]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    later: list[Callable[[], None]] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Note what does not fit."""
        self.problems.append(text)

    def layer(
        self, owner: str, variables: Sequence[Variable], stored: Sequence[StoredArray], whole: bool = True
    ) -> None:
        """Match a layer's variables with its arrays, in order.

        Args:
            owner: how messages call the layer.
            variables: the model's.
            stored: the file's.
            whole: whether one misfit leaves out all of the layer, and not only the variable.
        """
        if len(variables) != len(stored):
            wanted = ", ".join(f"{v.name} {v.shape}" for v in variables) or "none"
            found = ", ".join(f"{array.path} {array.shape}" for array in stored) or "none"
            self.problem(
                f"{owner}: the model has {len(variables)} variables ({wanted}), the file {len(stored)} ({found})."
            )
            return
        misfits = [_misfit(variable, array) for variable, array in zip(variables, stored, strict=True)]
        self.problems += [f"{owner}: {misfit}" for misfit in misfits if misfit]
        if whole and any(misfits):
            return
        rows = zip(variables, stored, misfits, strict=True)
        self.pairs += [(variable, array) for variable, array, misfit in rows if misfit is None]

    def finish(self) -> None:
        """Assign, if all fits or `skip_mismatch` is set.

        Raises:
            SavedFileError: something does not fit, or cannot be read. No variable has changed then.
        """
        if self.problems:
            text = self._message()
            if not self.skip_mismatch:
                raise SavedFileError(text)
            warnings.warn(text, stacklevel=4)
        values = [array.read() for _, array in self.pairs]
        for (variable, _), value in zip(self.pairs, values, strict=True):
            variable.assign(value.astype(variable.dtype, copy=False))
        for assign in self.later:
            assign()

    def _message(self) -> str:
        count = len(self.problems)
        listed = [f"  - {problem}" for problem in self.problems[:_LISTED]]
        if count > _LISTED:
            listed.append(f"  - ... and {count - _LISTED} more")
        head = f"{self.file!r} does not fit the model in {count} place{'s' * (count > 1)}"
        end = "; these were skipped:" if self.skip_mismatch else ", so nothing was loaded:"
        hint = "" if self.skip_mismatch else "\nPass skip_mismatch=True to `load_weights` to load only what fits."
        return head + end + "\n" + "\n".join(listed) + hint


def _misfit(variable: Variable, array: StoredArray) -> str | None:
    if array.shape != variable.shape:
        return f"{variable.name!r} has shape {variable.shape} in the model, {array.shape} in the file ({array.path})."
    if np.dtype(variable.dtype).kind in "iub" and array.dtype.kind == "f":
        return f"{variable.name!r} is of {variable.dtype} in the model, of {array.dtype} in the file ({array.path})."
    return None


def match_optimizer(
    matching: Matching, optimizer: Any, stored: Sequence[StoredArray], built_for: Sequence[Variable]
) -> None:
    """Match an optimizer's state; where it does not fit, warn and leave the optimizer as it is.

    Args:
        matching: takes the pairs.
        optimizer: the model's.
        stored: its state in the file, in the order of `Optimizer.variables`.
        built_for: the variables to make slots for, if the file has slots.
    """
    variables = list(optimizer.variables)
    if len(stored) == _count_without_slots(optimizer):
        variables = variables[: len(stored)]  # saved before the first step
    elif not optimizer.built:
        optimizer.build(built_for)
        variables = list(optimizer.variables)
    rate = getattr(optimizer, "_learning_rate", None)
    if len(stored) == len(variables) - 1 and any(rate is v for v in variables):
        variables = [v for v in variables if v is not rate]  # Keras 2 keeps the rate in the configuration only
    if len(stored) == len(variables):
        misfits = [_misfit(variable, array) for variable, array in zip(variables, stored, strict=True)]
    else:
        misfits = [f"it has {len(variables)} variables in the model, {len(stored)} in the file."]
    wrong = [misfit for misfit in misfits if misfit]
    if wrong:
        warnings.warn(
            f"The state of the optimizer was not loaded from {matching.file!r}, it starts anew: {' '.join(wrong[:3])}",
            stacklevel=5,
        )
        return
    matching.pairs += list(zip(variables, stored, strict=True))


def _count_without_slots(optimizer: Any) -> int:
    """How many variables the optimizer has before it is built."""
    return len(type(optimizer).from_config(optimizer.get_config()).variables)
