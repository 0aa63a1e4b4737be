"""Keras 3's `.weights.h5`: a group for each layer at its path of attributes, arrays numbered in `vars`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from layerkit.graph.variable import Variable
from layerkit.layers.layer import Layer
from layerkit.layers.lora import LowRankAdapted
from layerkit.layers.state import Stateful
from layerkit.models.functional import Functional
from layerkit.models.model import Model
from layerkit.models.sequential import Sequential
from layerkit.optimizers.optimizer import Optimizer
from layerkit.registry import snake_case
from layerkit.saving.hdf5_reading import Group, StoredArray
from layerkit.saving.hdf5_writing import write_array
from layerkit.saving.matching import Matching, match_optimizer

if TYPE_CHECKING:
    import h5py

_LAYERS_OF_2023 = "_layer_checkpoint_dependencies"  # what Keras 2.12 and 2.13 called the group "layers"
_NOT_LAYERS = ("optimizer", "metrics", "optimizers")


def saveables(model: Any, skipped: Iterable[Any] = ()) -> Iterator[tuple[str, Any]]:
    """The layers and the optimizer of a model with the paths at which Keras 3 keeps them, each at the first place met.

    The model's own list of layers comes first in Sequential and functional models; then attributes by name, private
    ones last. Items of lists are numbered by class. What is to be `skipped` is left out with all that is below it.
    """
    # What was met is kept: a list that a property makes would go, and another come to lie at its address.
    seen = {id(thing): thing for thing in skipped}
    yield from _below(model, "", seen)


def _below(thing: Any, path: str, seen: dict[int, Any]) -> Iterator[tuple[str, Any]]:
    if id(thing) in seen:
        return
    seen[id(thing)] = thing
    yield path, thing
    if not isinstance(thing, Stateful):
        return
    for name, value in _attributes(thing):
        yield from _found(value, f"{path}/{name}".strip("/"), seen)


def _found(value: Any, path: str, seen: dict[int, Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Stateful | Optimizer):
        yield from _below(value, path, seen)
    elif isinstance(value, list | tuple | dict) and id(value) not in seen:
        seen[id(value)] = value
        numbers: Counter[str] = Counter()
        for item in value.values() if isinstance(value, dict) else value:
            nested = isinstance(item, list | tuple | dict)
            if not nested and not isinstance(item, Stateful):
                continue
            name = "container" if nested else snake_case(type(item).__name__)
            number = numbers[name]
            numbers[name] += 1
            yield from _found(item, f"{path}/{name}_{number}" if number else f"{path}/{name}", seen)


def _attributes(thing: Stateful) -> list[tuple[str, Any]]:
    """The attributes in which state may be, in the order in which Keras visits them."""
    names = {name for name in vars(thing) if name not in _bookkeeping()}
    # Some layers show inner ones by properties; those of the base classes only gather what is found anyway.
    for cls in type(thing).__mro__:
        if issubclass(cls, Layer) and cls is not Layer:
            names.update(name for name, member in vars(cls).items() if isinstance(member, property))
    names -= _LISTS_OF_STATE
    attributes = {name: _value(thing, name) for name in names}
    if isinstance(thing, Model):
        attributes.update(layers=thing.layers, optimizer=getattr(thing, "optimizer", None))
    first = isinstance(thing, Sequential | Functional)
    return sorted(attributes.items(), key=lambda item: "" if first and item[0] == "layers" else _keras_order(item[0]))


_LISTS_OF_STATE = {
    "layers", "operations", "inputs", "outputs", "input", "output", "metrics", "losses", "weights", "variables",
    "network", "_network", "_optimizer",
}  # fmt: skip


def _bookkeeping() -> frozenset[str]:
    """The attributes that every layer has, which hold its own lists."""
    global _bookkeeping_names
    if _bookkeeping_names is None:
        _bookkeeping_names = frozenset(vars(Layer(name="any"))) | {"_metrics", "_compile_metrics", "_loss_tracker"}
    return _bookkeeping_names


_bookkeeping_names: frozenset[str] | None = None


def _value(thing: Stateful, name: str) -> Any:
    try:
        return getattr(thing, name)
    except Exception:  # a property may raise anything while it has no value; then there is no state in it
        return None


def _keras_order(name: str) -> str:
    return f"~{name}" if name.startswith("_") else name


def own_variables(thing: Any) -> list[Variable]:
    """The variables that are kept in a thing's own `vars`, in order."""
    if isinstance(thing, Optimizer):
        return list(thing.variables)
    return thing._trainable_variables + thing._non_trainable_variables


# Writing


def write_weights(file: h5py.File, model: Any, skipped: Iterable[Any] = ()) -> None:
    """Fill a file with the weights of a model, and with the state of its optimizer if it has one."""
    for path, thing in saveables(model, skipped):
        group = file.create_group(f"{path}/vars".strip("/"))
        if isinstance(getattr(thing, "name", None), str):
            group.attrs["name"] = thing.name
        thing.save_own_variables(_NewStore(group))


class _NewStore:
    """What `save_own_variables` fills: arrays by names."""

    def __init__(self, group: h5py.Group) -> None:
        self._group = group

    def __setitem__(self, name: str, value: Any) -> None:
        write_array(self._group, str(name), np.asarray(value))

    def keys(self) -> list[str]:
        return list(self._group.keys())

    def __len__(self) -> int:
        return len(self._group)


# Reading


def match_weights(root: Group, model: Any, matching: Matching, skipped: Sequence[Any] = ()) -> None:
    """Match the arrays of a file with a model's layers; what the file has beyond them is a misfit too."""
    old = not root.has("layers") and root.has(_LAYERS_OF_2023)
    used: set[str] = set()
    # Of what is skipped the file may have arrays.
    around = saveables(model) if skipped else ()
    kept = [(path, thing, True) for path, thing in saveables(model, skipped)]
    for path, thing, matched in [*kept, *((path, thing, False) for path, thing in around)]:
        place = f"{path}/vars".strip("/")
        if old:
            place = "/".join(_LAYERS_OF_2023 if part == "layers" else part for part in place.split("/"))
        group = root.group(place) if root.has(place) else None
        names = sorted(group.names(), key=_number) if group is not None else []
        used.update(f"{place}/{name}" for name in names)
        if not matched:
            continue
        if isinstance(thing, Optimizer):
            if names:
                match_optimizer(matching, thing, [group.array(name) for name in names], model.trainable_variables)
        elif _has_own_loading(thing):
            store = _Store({name: group.array(name) for name in names} if group is not None else {})
            matching.later.append(_loading(thing, store, matching.file))
        else:
            owner = f"layer {thing.name!r} ({path or 'the model itself'})"
            matching.layer(owner, own_variables(thing), [group.array(name) for name in names] if group else [])
    _report_rest(root, used, matching)


def _number(name: str) -> tuple[int, str]:
    return (int(name), name) if name.isdigit() else (2**31, name)


def _has_own_loading(thing: Any) -> bool:
    load = type(thing).load_own_variables
    if load is LowRankAdapted.load_own_variables:
        return thing.lora_enabled
    return load is not Stateful.load_own_variables


def _loading(thing: Any, store: _Store, file: str) -> Any:
    def load() -> None:
        try:
            thing.load_own_variables(store)
        except Exception as error:
            error.add_note(f"While layer {thing.name!r} loaded its variables from {file!r}.")
            raise

    return load


class _Store:
    """What `load_own_variables` takes arrays from."""

    def __init__(self, arrays: dict[str, StoredArray]) -> None:
        self._arrays = arrays

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[str(name)].read()

    def __contains__(self, name: object) -> bool:
        return str(name) in self._arrays

    def __len__(self) -> int:
        return len(self._arrays)

    def keys(self) -> list[str]:
        return list(self._arrays)


def _report_rest(root: Group, used: set[str], matching: Matching) -> None:
    """Arrays that no layer of the model asked for. The state of optimizers or of metrics may go unused."""
    rest: dict[str, list[StoredArray]] = {}
    for array in root.arrays(skip=_NOT_LAYERS):
        of_inner_optimizer = "/optimizer/vars/" in array.path  # of a model that was trained before it became a layer
        if array.path not in used and not of_inner_optimizer:
            rest.setdefault(array.path.rpartition("/vars/")[0] or array.path, []).append(array)
    for path, arrays in rest.items():
        shapes = ", ".join(str(array.shape) for array in arrays)
        matching.problem(f"{path}: the file has {len(arrays)} variables here ({shapes}), the model has no such layer.")
