"""The functions of `layerkit.ops` give what Keras gives: values, shapes and dtypes, recorded in keras_values.npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from layerkit import ops
from tests.ops.keras_cases import CASES


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("keras_values.npz")) as archive:
        return dict(archive)


def case_name(number: int) -> str:
    name, args, kwargs = CASES[number]
    shapes = [str(getattr(x, "shape", x)) for x in args] + [
        f"{key}={getattr(x, 'shape', x)}" for key, x in kwargs.items()
    ]
    return f"{number}-{name}({', '.join(shapes)})"


@pytest.mark.parametrize("number", range(len(CASES)), ids=case_name)
def test_same_as_keras(number: int, recorded: dict[str, np.ndarray]):
    name, args, kwargs = CASES[number]
    given = getattr(ops, name)(*args, **kwargs)
    given = given if isinstance(given, (tuple, list)) else [given]
    assert f"{number}_{len(given)}" not in recorded
    for at, one in enumerate(given):
        expected = recorded[f"{number}_{at}"]
        found = one.numpy()
        assert found.shape == expected.shape
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)
