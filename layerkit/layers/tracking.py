"""Finding state in attributes: variables, sublayers, metrics, seed generators, also in lists and dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, SupportsIndex

PLAIN = frozenset({type(None), bool, int, float, str, bytes, type, type(lambda: None)})
"""Types that hold no state; most attributes are of these."""


def add_once(things: list, thing: Any) -> None:
    """Append what is not yet in a list, by identity (variables compare element by element)."""
    if not any(known is thing for known in things):
        things.append(thing)


def remove(things: list, thing: Any) -> None:
    """Take out of a list by identity."""
    things[:] = [known for known in things if known is not thing]


class TrackedList(list):
    """A list that tells its owner of what is put in."""

    _track: Callable[[Any], Any] | None = None

    @classmethod
    def of(cls, items: Iterable, track: Callable[[Any], Any]) -> TrackedList:
        """A tracked list of items."""
        made = cls()
        made._track = track
        made.extend(items)
        return made

    def _seen(self, item: Any) -> Any:
        return item if self._track is None else self._track(item)

    def append(self, item: Any) -> None:
        """Add an item."""
        super().append(self._seen(item))

    def insert(self, index: SupportsIndex, item: Any) -> None:
        """Put an item before an index."""
        super().insert(index, self._seen(item))

    def extend(self, items: Iterable) -> None:
        """Add items."""
        super().extend([self._seen(item) for item in items])

    def __iadd__(self, items: Iterable) -> TrackedList:
        self.extend(items)
        return self

    def __setitem__(self, index: Any, item: Any) -> None:
        super().__setitem__(index, [self._seen(i) for i in item] if isinstance(index, slice) else self._seen(item))


class TrackedDict(dict):
    """A dictionary that tells its owner of what is put in."""

    _track: Callable[[Any], Any] | None = None

    @classmethod
    def of(cls, items: dict, track: Callable[[Any], Any]) -> TrackedDict:
        """A tracked dictionary of items."""
        made = cls()
        made._track = track
        made.update(items)
        return made

    def __setitem__(self, key: Any, item: Any) -> None:
        super().__setitem__(key, item if self._track is None else self._track(item))

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Put in the items of a dictionary."""
        for key, item in dict(*args, **kwargs).items():
            self[key] = item

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The item of a key, put in if it is not there."""
        if key not in self:
            self[key] = default
        return self[key]
