"""Nested structures: lists, tuples, named tuples, deques and dictionaries, with anything else as leaves.

The semantics are those of `keras.tree`: None is a leaf; the leaves of a dictionary come in the order of its
sorted keys, those of an OrderedDict in its own order; subclasses of the containers (other than named
tuples, OrderedDict and defaultdict) are leaves.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

_MAPPINGS = (dict, OrderedDict, defaultdict)
_SEQUENCES = (list, tuple, deque)


class MAP_TO_NONE:
    """What the function given to `traverse` returns to put None in a structure."""


def _is_namedtuple(value: Any) -> bool:
    return isinstance(value, tuple) and hasattr(type(value), "_fields")


def is_nested(structure: Any) -> bool:
    """Whether a value is a list, tuple, named tuple, deque or dictionary rather than a leaf."""
    kind = type(structure)
    return kind in _SEQUENCES or kind in _MAPPINGS or _is_namedtuple(structure)


def _keys(mapping: dict) -> list:
    """The keys in flattening order."""
    if type(mapping) is OrderedDict:
        return list(mapping)
    try:
        return sorted(mapping)
    except TypeError:  # keys of several types: order by type first
        return sorted(mapping, key=lambda key: (type(key).__name__, key))


def _children(structure: Any) -> list[tuple[Any, Any]]:
    """The (key or index, child) pairs of a nested structure, in flattening order."""
    if type(structure) in _MAPPINGS:
        return [(key, structure[key]) for key in _keys(structure)]
    return list(enumerate(structure))


def _rows(first: Any, others: tuple) -> Iterator[tuple[Any, list]]:
    """(key, corresponding children) of containers that `_check_same_container` found alike."""
    if type(first) in _MAPPINGS:  # by key: an OrderedDict may hold the same keys in another order
        for key in _keys(first):
            yield key, [first[key], *(other[key] for other in others)]
    else:
        for key, row in enumerate(zip(first, *others, strict=True)):
            yield key, list(row)


def _rebuild(structure: Any, children: list) -> Any:
    """A container like `structure` around other children, given in flattening order."""
    kind: Any = type(structure)
    if kind in _MAPPINGS:
        by_key = dict(zip(_keys(structure), children, strict=True))
        items = [(key, by_key[key]) for key in structure]
        return kind(structure.default_factory, items) if kind is defaultdict else kind(items)
    if kind is deque:
        return deque(children, maxlen=structure.maxlen)
    if _is_namedtuple(structure):
        return kind(*children)
    return kind(children)


def flatten(structure: Any) -> list:
    """The leaves of a structure, depth first.

    Example:
        >>> flatten({"b": [1, 2], "a": (3, None)})
        [3, None, 1, 2]
    """
    if not is_nested(structure):
        return [structure]
    leaves: list = []
    for _, child in _children(structure):
        if is_nested(child):
            leaves.extend(flatten(child))
        else:
            leaves.append(child)
    return leaves


def flatten_with_path(structure: Any) -> list[tuple[tuple, Any]]:
    """The (path, leaf) pairs of a structure; a path is a tuple of indices and keys.

    Example:
        >>> flatten_with_path([{"foo": 42}])
        [((0, 'foo'), 42)]
    """
    return list(_walk(structure, ()))


def _walk(structure: Any, path: tuple) -> Iterator[tuple[tuple, Any]]:
    if not is_nested(structure):
        yield path, structure
        return
    for key, child in _children(structure):
        yield from _walk(child, (*path, key))


def path_text(name: str, path: tuple) -> str:
    """How an expression for a leaf reads in Python: `path_text("x", (0, "a"))` is `x[0]['a']`."""
    return name + "".join(f"[{key!r}]" for key in path)


def map_structure(func: Callable, *structures: Any, none_is_leaf: bool = True) -> Any:
    """Call a function on the corresponding leaves of structures; the result is nested like the first.

    Args:
        func: takes as many arguments as there are structures.
        *structures: structures of one and the same nesting.
        none_is_leaf: if False, `func` is not called where the first structure has None; None stays.

    Raises:
        ValueError: no structure is given, or their nesting differs.
        TypeError: `func` cannot be called.

    Example:
        >>> map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
        [11, (22,)]
    """
    _check_arguments(func, structures)

    def visit(path: tuple, first: Any, *others: Any) -> Any:
        if is_nested(first):
            for other in others:
                _check_same_container(first, other, path)
            return _rebuild(first, [visit((*path, key), *row) for key, row in _rows(first, others)])
        for other in others:
            _check_same_container(first, other, path)
        if first is None and not none_is_leaf:
            return None
        return func(first, *others)

    return visit((), *structures)


def map_structure_up_to(shallow_structure: Any, func: Callable, *structures: Any) -> Any:
    """Like `map_structure`, but stops where `shallow_structure` has its leaves and passes what is below.

    Raises:
        ValueError: no structure is given, or one is not nested as deep as `shallow_structure`.

    Example:
        >>> map_structure_up_to([None, None], len, [[1, 1], [2, 2, 2]])
        [2, 3]
    """
    _check_arguments(func, structures)

    def visit(path: tuple, shallow: Any, *deep: Any) -> Any:
        if not is_nested(shallow):
            return func(*deep)
        for other in deep:
            _check_same_container(shallow, other, path)
        return _rebuild(shallow, [visit((*path, key), *row) for key, row in _rows(shallow, deep)])

    return visit((), shallow_structure, *structures)


def map_shape_structure(func: Callable, structure: Any) -> Any:
    """Like `map_structure` where the leaves are shapes: lists or tuples of integers and None."""
    if isinstance(structure, list | tuple) and all(e is None or isinstance(e, int) for e in structure):
        return func(structure)
    if not is_nested(structure):
        return func(structure)
    return _rebuild(structure, [map_shape_structure(func, child) for _, child in _children(structure)])


def _check_arguments(func: Callable, structures: tuple) -> None:
    if not callable(func):
        raise TypeError(f"`func` must be callable, got {func!r}.")
    if not structures:
        raise ValueError("Must provide at least one structure.")


def _check_same_container(a: Any, b: Any, path: tuple) -> None:
    """Raise ValueError unless two values are both leaves or containers of one kind with equal keys."""

    def different(reason: str) -> ValueError:
        return ValueError(
            f"The structures don't have the same nested structure: at {path_text('', path) or 'the top'}, {reason}."
        )

    if not is_nested(a) and not is_nested(b):
        return
    if is_nested(a) != is_nested(b):
        leaf, nested = (b, a) if is_nested(a) else (a, b)
        raise different(f"one has a {type(nested).__name__} where the other has a leaf ({type(leaf).__name__})")
    if type(a) in _MAPPINGS and type(b) in _MAPPINGS:
        if set(a) != set(b):
            raise different(f"the keys are {_keys(a)} and {_keys(b)}")
        return
    if type(a) is not type(b):
        raise different(f"one has a {type(a).__name__}, the other a {type(b).__name__}")
    if len(a) != len(b):
        raise different(f"the lengths are {len(a)} and {len(b)}")


def assert_same_structure(a: Any, b: Any, check_types: bool | None = None) -> None:
    """Check that two structures are nested alike; their leaves may be anything.

    `check_types` has no effect, as in Keras, and passing it is a DeprecationWarning that says so.

    Raises:
        ValueError: containers differ in kind, length or keys (all kinds of dictionary count as one).
    """
    if check_types is not None:
        warnings.warn(
            "`check_types` is deprecated and has no effect. For a comparison of paths alone use `assert_same_paths`.",
            DeprecationWarning,
            stacklevel=2,
        )
    _assert_same(a, b, ())


def _assert_same(a: Any, b: Any, path: tuple) -> None:
    _check_same_container(a, b, path)
    if is_nested(a):
        for key, (child_a, child_b) in _rows(a, (b,)):
            _assert_same(child_a, child_b, (*path, key))


def assert_same_paths(a: Any, b: Any) -> None:
    """Check that two structures have leaves at the same paths, whatever the kinds of their containers.

    Raises:
        ValueError: a path is in one structure only.
    """
    paths_a = [path for path, _ in _walk(a, ())]
    paths_b = [path for path, _ in _walk(b, ())]
    if set(paths_a) == set(paths_b):
        return
    message = "`a` and `b` don't have the same paths."
    for one, other, missing in (
        ("a", "b", [path for path in paths_a if path not in set(paths_b)]),
        ("b", "a", [path for path in paths_b if path not in set(paths_a)]),
    ):
        if missing:
            message += f"\nPaths in `{one}` missing in `{other}`: {', '.join(map(str, missing))}"
    raise ValueError(message)


def pack_sequence_as(structure: Any, flat_sequence: Iterable) -> Any:
    """The inverse of `flatten`: put leaves into a structure, in flattening order.

    Raises:
        TypeError: `flat_sequence` is not iterable.
        ValueError: it has too few or too many items.

    Example:
        >>> pack_sequence_as({"b": 0, "a": [0, 0]}, [1, 2, 3])
        {'b': 3, 'a': [1, 2]}
    """
    if not isinstance(flat_sequence, Iterable):
        raise TypeError(f"`flat_sequence` must be iterable, got {type(flat_sequence).__name__}.")
    leaves = list(flat_sequence)
    expected = len(flatten(structure))
    if len(leaves) != expected:
        raise ValueError(f"The structure has {expected} leaves, but `flat_sequence` has {len(leaves)} items.")
    rest = iter(leaves)

    def visit(node: Any) -> Any:
        if not is_nested(node):
            return next(rest)
        return _rebuild(node, [visit(child) for _, child in _children(node)])

    return visit(structure)


def traverse(func: Callable, structure: Any, top_down: bool = True) -> Any:
    """Call a function on every sub-structure, parents first (`top_down`) or children first.

    Where the function returns None, its argument stays (top down: its children are visited); where it
    returns anything else, that takes the place of the sub-structure. `MAP_TO_NONE` stands for None.

    Raises:
        TypeError: `func` cannot be called.
    """
    if not callable(func):
        raise TypeError(f"`func` must be callable, got {func!r}.")

    def children(node: Any) -> Any:
        if not is_nested(node):
            return node
        return _rebuild(node, [traverse(func, child, top_down) for _, child in _children(node)])

    visited = structure if top_down else children(structure)
    result = func(visited)
    if result is None:
        return children(structure) if top_down else visited
    return None if result is MAP_TO_NONE else result


def lists_to_tuples(structure: Any) -> Any:
    """The same structure with tuples in place of lists."""
    return traverse(lambda node: tuple(node) if type(node) is list else None, structure, top_down=False)
