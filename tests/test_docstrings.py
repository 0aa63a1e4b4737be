"""Docstrings: the examples run, and what is public says what it does, with which arguments."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import layerkit
from layerkit import layers
from layerkit.graph import Operation
from layerkit.registry import all_registries
from tests.test_architecture import MODULES

PACKAGES = (
    "activations", "callbacks", "constraints", "datasets", "initializers", "layers", "losses", "metrics", "models",
    "ops", "optimizers", "random", "regularizers", "saving", "utils",
)  # fmt: skip
WITH_EXAMPLES = ("callbacks", "layers", "losses", "metrics", "models", "optimizers")
LONGEST_FIRST_LINE = 120
# What an example may use without an import: the names of its own module, and these.
NAMES = {"np": np, **{name: getattr(layers, name) for name in layers.__all__}}


def own_modules() -> list[str]:
    """The modules that can be imported without Numba, and have an example."""
    return [
        name
        for name, path in sorted(MODULES.items())
        if ">>>" in path.read_text() and not (name.startswith("layerkit.kernels.") and "numba" in path.read_text())
    ]


def public(package: str) -> list[tuple[str, Callable]]:
    """The classes and functions that a package gives, by name."""
    module = importlib.import_module(f"layerkit.{package}")
    listed = getattr(module, "__all__", None)
    found = [(name, getattr(module, name)) for name in listed or vars(module) if not name.startswith("_")]
    place = "layerkit" if listed else f"layerkit.{package}"
    return [
        (name, thing)
        for name, thing in found
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__.startswith(place)
    ]


everything = pytest.mark.parametrize(
    ("name", "thing"),
    [pytest.param(name, thing, id=f"{package}.{name}") for package in PACKAGES for name, thing in public(package)],
)
classes = pytest.mark.parametrize(
    "cls",
    [
        pytest.param(thing, id=f"{package}.{name}")
        for package in WITH_EXAMPLES
        for name, thing in public(package)
        if inspect.isclass(thing)
    ],
)


@pytest.fixture
def tidy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Examples define classes and write files: none stays."""
    monkeypatch.chdir(tmp_path)
    tables = [one._named for one in all_registries()] + [Operation.registry]
    before = [dict(table) for table in tables]
    yield
    for table, kept in zip(tables, before, strict=True):
        table.clear()
        table.update(kept)


@pytest.mark.parametrize("name", own_modules())
def test_examples_run(name: str, tidy: None) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(verbose=False)
    report: list[str] = []
    # Classes of examples are a user's, so their module is none of layerkit's.
    names = {**NAMES, **vars(module), "__name__": "__main__"}
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name, globs=names):
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


@everything
def test_the_first_line_says_what_it_does(name: str, thing: Callable) -> None:
    own = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    assert own, f"{name} has no docstring"
    first = own.strip().splitlines()[0]
    assert len(first) <= LONGEST_FIRST_LINE
    assert first.endswith(".")
    assert not first.startswith(f"{name}("), "repeats the signature"


@everything
def test_described_arguments_exist(name: str, thing: Callable) -> None:
    described = arguments_of(inspect.cleandoc(vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__))
    if not described:
        return
    parameters = inspect.signature(thing.__init__ if inspect.isclass(thing) else thing).parameters
    assert not [one for one in described if one not in parameters], f"{name} takes {list(parameters)}"


@classes
def test_a_class_has_an_example(cls: type) -> None:
    assert ">>>" in (vars(cls).get("__doc__") or "")


def arguments_of(text: str) -> list[str]:
    """The names in the Args section of a clean docstring."""
    section = re.search(r"^Args:\n((?:    .*\n?|\n(?=    ))+)", text, re.MULTILINE)
    if section is None:
        return []
    heads = re.findall(r"^    (\*{0,2}\w+(?:, \*{0,2}\w+)*):", section[1], re.MULTILINE)
    return [one.strip().lstrip("*") for head in heads for one in head.split(",")]


def test_arguments_are_found() -> None:
    text = "What.\n\nArgs:\n    a: one\n        more: of it\n    b, c: two\n    **d: rest\n\nRaises:\n    Error: e\n"
    assert arguments_of(text) == ["a", "b", "c", "d"]


def test_a_wrong_example_is_found(tidy: None) -> None:
    module = ModuleType("wrong", ">>> 1 + 1\n3\n")
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(module, "wrong"):
        runner.run(test, out=lambda text: None)
    assert runner.failures == 1


def test_what_the_package_names_is_there() -> None:
    assert [name for name in layerkit.__all__ if not hasattr(layerkit, name)] == []
