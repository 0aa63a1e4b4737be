"""The functions of `layerkit.ops` give what Keras gives: values, shapes and dtypes, recorded in keras_calls/*.npz."""

from __future__ import annotations

import functools
import importlib
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

from layerkit import ops
from tests.ops.keras_calls.calls import Calls

FOLDER = Path(__file__).with_name("keras_calls")
FAMILIES: dict[str, Calls] = {
    path.stem: importlib.import_module(f"tests.ops.keras_calls.{path.stem}").CALLS
    for path in sorted(FOLDER.glob("*.npz"))
}


@functools.cache
def recorded(family: str) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"{family}.npz") as archive:
        return dict(archive)


def case_name(case: tuple[str, int]) -> str:
    family, number = case
    name, args, kwargs = FAMILIES[family].made[number]
    shapes = [str(getattr(x, "shape", x)) for x in args] + [
        f"{key}={getattr(x, 'shape', x)}" for key, x in kwargs.items()
    ]
    return f"{family}-{number}-{name}({', '.join(shapes)})"


@pytest.mark.parametrize(
    "case", [(family, number) for family, calls in FAMILIES.items() for number in range(len(calls.made))], ids=case_name
)
def test_same_as_keras(case: tuple[str, int]):
    family, number = case
    name, args, kwargs = FAMILIES[family].made[number]
    given = attrgetter(name)(ops)(*args, **kwargs)
    given = given if isinstance(given, (tuple, list)) else [given]
    expected = recorded(family)
    assert f"{number}_{len(given)}" not in expected
    for at, one in enumerate(given):
        found, wanted = one.numpy(), expected[f"{number}_{at}"]
        assert found.shape == wanted.shape
        assert found.dtype == wanted.dtype
        tolerance = FAMILIES[family].tolerance
        np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
