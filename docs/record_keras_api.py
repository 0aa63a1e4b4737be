"""Write docs/keras_api.json, Keras' public names and their parameters, from the Keras that is installed.

    KERAS_BACKEND=tensorflow python docs/record_keras_api.py

A module is a map of its names. A function is the list of its parameters, each "name" or "name=default", with `(kw)`
before one that is given by name only. A class is a map of `init`, its constructor's parameters, and `methods`, of those
classes only that users call methods of or derive their own from (METHODS_OF); those that it has from another of these
classes are with that one.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

RECORDING = Path(__file__).parent / "keras_api.json"
METHODS_OF = {
    "keras.Initializer", "keras.KerasTensor", "keras.Layer", "keras.Loss", "keras.Metric", "keras.Model",
    "keras.Operation", "keras.Optimizer", "keras.Regularizer", "keras.Sequential", "keras.Variable",
    "keras.callbacks.Callback", "keras.constraints.Constraint", "keras.optimizers.schedules.LearningRateSchedule",
    "keras.random.SeedGenerator", "keras.utils.PyDataset",
}  # fmt: skip
# Called by Python or Keras itself, not by a script.
SPECIAL = {"__call__", "__getitem__", "__len__"}


def parameters(function: Callable) -> list[str]:
    """The parameters of a function, without `self`; ["*args", "**kwargs"] where Python does not know them."""
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return ["*args", "**kwargs"]
    written = []
    for one in found:
        if one.name == "self":
            continue
        mark = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**", one.KEYWORD_ONLY: "(kw)"}.get(one.kind, "")
        default = "" if one.default is one.empty else f"={default_text(one.default)}"
        written.append(f"{mark}{one.name}{default}")
    return written


def default_text(value: object) -> str:
    """A default as Python writes it; a class or function by its name, since their text has an address."""
    return value.__name__ if callable(value) else repr(value)


def methods(cls: type) -> dict[str, list[str]]:
    """The public methods of a class, and the special ones that scripts use, with those of its Keras bases."""
    found = {}
    listed_bases = [base for base in cls.__mro__[1:] if base in {find(path) for path in METHODS_OF}]
    for name in sorted({name for base in cls.__mro__ if base.__module__.startswith("keras.") for name in vars(base)}):
        member = inspect.getattr_static(cls, name)
        if any(inspect.getattr_static(base, name, None) is member for base in listed_bases):
            continue
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.isfunction(function) and (not name.startswith("_") or name in SPECIAL):
            listed = parameters(function)
            found[name] = listed[1:] if isinstance(member, classmethod) else listed
    return found


def find(path: str) -> type:
    """A class of Keras by its whole name."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def entry(path: str, thing: object) -> list | dict:
    """What is written of a function or a class."""
    if not inspect.isclass(thing):
        return parameters(thing)
    written = {"init": parameters(thing.__init__)}
    if path in METHODS_OF:
        written["methods"] = methods(thing)
    return written


def public(module: ModuleType) -> dict[str, object]:
    """The functions and classes of a module that its users see."""
    return {
        name: thing
        for name, thing in sorted(vars(module).items())
        if not name.startswith("_") and callable(thing) and not isinstance(thing, ModuleType)
    }


def public_modules(package: ModuleType) -> Iterator[str]:
    """The package and its public modules below, by their whole names."""
    yield package.__name__
    for found in pkgutil.iter_modules(getattr(package, "__path__", []), f"{package.__name__}."):
        last = found.name.rpartition(".")[2]
        if last != "src" and not last.startswith("_"):
            yield from public_modules(importlib.import_module(found.name))


def record() -> str:
    """The recording: JSON with a line for each name."""
    keras = importlib.import_module("keras")
    modules = {}
    for name in sorted(public_modules(keras)):
        module = importlib.import_module(name)
        lines = [f"  {json.dumps(n)}: {json.dumps(entry(f'{name}.{n}', t))}" for n, t in public(module).items()]
        modules[name] = "{\n" + ",\n".join(lines) + "\n }" if lines else "{}"
    body = ",\n".join(f" {json.dumps(name)}: {text}" for name, text in modules.items())
    return f'{{"version": {json.dumps(keras.__version__)}, "modules": {{\n{body}\n}}}}\n'


if __name__ == "__main__":
    RECORDING.write_text(record())
