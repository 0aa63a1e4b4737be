"""Finding state in attributes: variables, sublayers, metrics, seed generators, also in lists and dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, SupportsIndex

PLAIN = frozenset({type(None), bool, int, float, str, bytes, type, type(lambda: None)})
"""Types that hold no state; most attributes are of these."""


def add_once(things: list, thing: Any) -> None:
    """Append what is not yet in a list, by identity (variables compare element by element)."""
    if not any(known is thing for known in things):
        things.append(thing)


def remove(things: list, thing: Any) -> None:
    """Take out of a list by identity."""
    things[:] = [known for known in things if known is not thing]


def parts(value: Any) -> Iterator[Any]:
    """What lists, tuples, sets and dictionaries hold, and what those in them do; a value of another kind itself."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from parts(item)
    else:
        yield value


class Owner(Protocol):
    """Whose attribute a list or dictionary is."""

    def _track(self, value: Any) -> Any: ...

    def _untrack(self, value: Any) -> None: ...


class TrackedList(list):
    """A list that tells its owner of what is put in and taken out."""

    _owner: Owner | None = None

    @classmethod
    def of(cls, items: Iterable, owner: Owner) -> TrackedList:
        """A tracked list of items."""
        made = cls()
        made._owner = owner
        made.extend(items)
        return made

    def _seen(self, item: Any) -> Any:
        return item if self._owner is None else self._owner._track(item)

    def _gone(self, items: Any) -> None:
        if self._owner is not None:
            self._owner._untrack(items)

    def append(self, item: Any) -> None:
        """Add an item."""
        super().append(self._seen(item))

    def insert(self, index: SupportsIndex, item: Any) -> None:
        """Put an item before an index."""
        super().insert(index, self._seen(item))

    def extend(self, items: Iterable) -> None:
        """Add items."""
        super().extend([self._seen(item) for item in items])

    def pop(self, index: SupportsIndex = -1) -> Any:
        """Take out an item and give it."""
        item = super().pop(index)
        self._gone(item)
        return item

    def remove(self, item: Any) -> None:
        """Take out the first item that is this one."""
        super().remove(item)
        self._gone(item)

    def clear(self) -> None:
        """Take out all items."""
        items = list(self)
        super().clear()
        self._gone(items)

    def __iadd__(self, items: Iterable) -> TrackedList:
        self.extend(items)
        return self

    def __setitem__(self, index: Any, item: Any) -> None:
        super().__setitem__(index, [self._seen(i) for i in item] if isinstance(index, slice) else self._seen(item))

    def __delitem__(self, index: Any) -> None:
        items = self[index]
        super().__delitem__(index)
        self._gone(items)


class TrackedDict(dict):
    """A dictionary that tells its owner of what is put in and taken out."""

    _owner: Owner | None = None

    @classmethod
    def of(cls, items: dict, owner: Owner) -> TrackedDict:
        """A tracked dictionary of items."""
        made = cls()
        made._owner = owner
        made.update(items)
        return made

    def _gone(self, items: Any) -> None:
        if self._owner is not None:
            self._owner._untrack(items)

    def __setitem__(self, key: Any, item: Any) -> None:
        super().__setitem__(key, item if self._owner is None else self._owner._track(item))

    def __delitem__(self, key: Any) -> None:
        item = self[key]
        super().__delitem__(key)
        self._gone(item)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Put in the items of a dictionary."""
        for key, item in dict(*args, **kwargs).items():
            self[key] = item

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The item of a key, put in if it is not there."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: Any, *default: Any) -> Any:
        """Take out the item of a key and give it, or a default where there is none."""
        held = key in self
        item = super().pop(key, *default)
        if held:
            self._gone(item)
        return item

    def popitem(self) -> tuple[Any, Any]:
        """Take out the last key and item and give them."""
        key, item = super().popitem()
        self._gone(item)
        return key, item

    def clear(self) -> None:
        """Take out all items."""
        items = list(self.values())
        super().clear()
        self._gone(items)
