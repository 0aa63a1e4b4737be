"""Registries: the closed tables in which the names of configurations and saved files are looked up.

A name resolves to what layerkit defines, to what the program registered, or to what it passed in: never by an import.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from layerkit.errors import unknown_name


def snake_case(name: str) -> str:
    """A class's name in lower case with underscores, as Keras writes it.

    >>> snake_case("GlorotUniform"), snake_case("L1L2"), snake_case("Conv2DTranspose")
    ('glorot_uniform', 'l1l2', 'conv2d_transpose')
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class Registry:
    """The names of one kind of thing ("layer", "initializer", "activation" ...).

    >>> colours = Registry("colour")
    >>> colours.add("red", 1)
    >>> colours.find("red")
    1
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._named: dict[str, Any] = {}

    def add(self, name: str, thing: Any) -> None:
        """Give a name to a thing. Raises ValueError where the name belongs to another."""
        known = self._named.setdefault(name, thing)
        # A class that is defined again (a reloaded module) takes the place of its former self.
        if known is not thing and getattr(known, "__qualname__", None) != getattr(thing, "__qualname__", name):
            raise ValueError(f"The {self.kind} name {name!r} is taken by {known!r}.")
        self._named[name] = thing

    def find(self, name: str) -> Any:
        """What has this name. Raises UnknownNameError, with the nearest names."""
        try:
            return self._named[name]
        except (KeyError, TypeError):
            raise unknown_name(self.kind, name, self._named) from None

    def get(self, name: str) -> Any | None:
        """What has this name, or None."""
        return self._named.get(name)

    def things(self) -> list[Any]:
        """Each thing once, in the order of definition."""
        return list(dict.fromkeys(self._named.values()))

    def __contains__(self, name: object) -> bool:
        return name in self._named

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)


_registries: dict[str, Registry] = {}


def registry(kind: str) -> Registry:
    """The registry of a kind; there is one for each kind."""
    return _registries.setdefault(kind, Registry(kind))


def all_registries() -> list[Registry]:
    """The registries of all kinds."""
    return list(_registries.values())


def register_function(kind: str, *aliases: str) -> Callable[[Callable], Callable]:
    """Decorator: register a function of layerkit under its own name and other ones.

    >>> @register_function("greeting", "hello")
    ... def hi(): return "hi"
    >>> registry("greeting").find("hello")()
    'hi'
    """

    def decorate(function: Callable) -> Callable:
        for name in (function.__name__, *aliases):
            registry(kind).add(name, function)
        return function

    return decorate


_used_names: Counter[str] = Counter()
_given_numbers: Counter[str] = Counter()


def auto_name(prefix: str) -> str:
    """A name that no automatic name before was: of a class's first object `dense`, of the next `dense_1`.

    >>> reset_names()
    >>> auto_name("MaxPooling2D"), auto_name("MaxPooling2D")
    ('max_pooling2d', 'max_pooling2d_1')
    """
    prefix = snake_case(prefix)
    number = _used_names[prefix]
    _used_names[prefix] += 1
    return f"{prefix}_{number}" if number else prefix


def unique_number(prefix: str) -> int:
    """A number that was not given for a prefix before, from 1 on."""
    _given_numbers[prefix] += 1
    return _given_numbers[prefix]


def reset_names() -> None:
    """Start every prefix again without a number."""
    _used_names.clear()
    _given_numbers.clear()
