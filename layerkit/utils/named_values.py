"""A container of named values."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from difflib import get_close_matches
from typing import Any


class Config(MutableMapping):
    """Named values that are read and set as attributes or as items, until they are frozen.

    Example:
        >>> config = Config(rate=0.1)
        >>> config.steps = 3
        >>> config["steps"], config.rate, config.as_dict()
        (3, 0.1, {'rate': 0.1, 'steps': 3})
    """

    __slots__ = ("_frozen", "_values")

    def __init__(self, **kwargs: Any):
        object.__setattr__(self, "_values", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    @property
    def frozen(self) -> bool:
        """Whether values can no longer change."""
        return self._frozen

    def freeze(self) -> None:
        """Let no value change any more."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Let values change again."""
        object.__setattr__(self, "_frozen", False)

    def as_dict(self) -> dict[str, Any]:
        """A copy as a dictionary."""
        return dict(self._values)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._values)

    def _check_not_frozen(self) -> None:
        if self._frozen:
            raise ValueError("The config is frozen: call `unfreeze()` to change it.")

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._check_not_frozen()
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        self._check_not_frozen()
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __getattr__(self, name: str) -> Any:
        try:
            return object.__getattribute__(self, "_values")[name]
        except KeyError:
            near = get_close_matches(name, self._values, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"The config has no value {name!r}.{hint}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._values:
            raise AttributeError(f"The config has no value {name!r}.")
        del self[name]

    def __reduce__(self) -> tuple:
        return _restored, (self._values, self._frozen)

    def __repr__(self) -> str:
        return f"<Config {self._values}>"


def _restored(values: dict[str, Any], frozen: bool) -> Config:
    made = Config(**values)
    if frozen:
        made.freeze()
    return made
