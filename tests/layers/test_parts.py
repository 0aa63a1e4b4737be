"""Activations, initializers, regularizers and constraints, against recordings of real Keras where there are any."""

import json

import numpy as np
import pytest

from layerkit import activations, constraints, initializers, ops, random, regularizers
from layerkit.graph import gradients
from layerkit.registry import registry
from layerkit.serialization import deserialize_keras_object, serialize_keras_object
from layerkit.tracing import compile_function
from tests.recordings.loader import cases

# Keras 3.15's sparsemax gives rows that don't sum to 1.
ACTIVATIONS = [case for case in cases("activations") if case["function"] != "sparsemax"]


@pytest.mark.parametrize("case", ACTIVATIONS, ids=lambda case: case["name"])
def test_activation(case: dict) -> None:
    function = activations.get(case["function"])
    np.testing.assert_allclose(function(case["x"], **case["kwargs"]), case["value"], rtol=1e-5, atol=1e-6)
    if case.get("special_value") is not None and case["function"] not in ("softmax", "log_softmax", "glu"):
        with np.errstate(all="ignore"):
            ours = np.asarray(function(case["special"], **case["kwargs"]))
        finite = np.isfinite(case["special_value"]) & ~np.isnan(case["special"])
        np.testing.assert_allclose(ours[finite], case["special_value"][finite], rtol=1e-5, atol=1e-6)
    assert activations.serialize(function) == case["serialized"]


def test_sparsemax_sums_to_one() -> None:
    x = np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    y = np.asarray(activations.sparsemax(x))
    np.testing.assert_allclose(y.sum(-1), 1, rtol=1e-5)
    assert (y >= 0).all()


@pytest.mark.parametrize("case", [case for case in cases("regularizers") if "x" in case], ids=lambda case: case["name"])
def test_regularizer(case: dict) -> None:
    made = regularizers.deserialize(case["serialized"])
    x = case["x"]
    found = compile_function(lambda x: [made(x), gradients([made(x)], [x])[0]])(x)
    np.testing.assert_allclose(found[0], case["value"], rtol=1e-5, atol=1e-7)
    slope = np.zeros_like(x) if found[1] is None else np.asarray(found[1])
    np.testing.assert_allclose(slope, case["gradient"], rtol=1e-4, atol=1e-6)
    assert made.get_config() == pytest.approx(case["config"])


@pytest.mark.parametrize(
    "case", [case for case in cases("initializers") if "value" in case], ids=lambda case: case["name"]
)
def test_initializer_without_chance(case: dict) -> None:
    cls = registry("initializer").get(case["class"])
    if cls is None or issubclass(cls, initializers.RandomInitializer):
        pytest.skip("draws, or isn't there")
    tolerance = 2e-6 if case["class"] == "STFT" else 0  # Keras computes its sines in float32
    np.testing.assert_allclose(cls(**case["kwargs"])(case["shape"]), case["value"], rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "deviation", "limit"),
    [
        ("glorot_uniform", (2 / 900) ** 0.5, (6 / 900) ** 0.5),
        ("glorot_normal", (2 / 900) ** 0.5, 2 * (2 / 900) ** 0.5 / 0.8796),
        ("he_uniform", (2 / 300) ** 0.5, (6 / 300) ** 0.5),
        ("he_normal", (2 / 300) ** 0.5, 2 * (2 / 300) ** 0.5 / 0.8796),
        ("lecun_uniform", (1 / 300) ** 0.5, (3 / 300) ** 0.5),
        ("lecun_normal", (1 / 300) ** 0.5, 2 * (1 / 300) ** 0.5 / 0.8796),
        ("random_normal", 0.05, np.inf),
        ("truncated_normal", 0.05 * 0.8796, 0.1),
        ("random_uniform", 0.05 / 3**0.5, 0.05),
    ],
)
def test_initializer_of_chance(name: str, deviation: float, limit: float) -> None:
    drawn = initializers.get(name)((300, 600))
    assert drawn.std() == pytest.approx(deviation, rel=0.02)
    assert abs(float(drawn.mean())) < 0.02 * deviation
    assert np.abs(drawn).max() <= limit * 1.0001


def test_seeds() -> None:
    given = initializers.GlorotUniform(seed=3)
    np.testing.assert_array_equal(given((4, 5)), initializers.GlorotUniform(seed=3)((4, 5)))
    np.testing.assert_array_equal(given((4, 5)), given((4, 5)))
    moving = initializers.GlorotUniform(seed=random.SeedGenerator(3))
    assert not np.array_equal(moving((4, 5)), moving((4, 5)))
    random.set_seed(7)
    first = initializers.get("he_normal")((3, 3))
    other = initializers.get("he_normal")((3, 3))
    random.set_seed(7)
    np.testing.assert_array_equal(initializers.get("he_normal")((3, 3)), first)
    assert not np.array_equal(first, other)


def test_orthogonal() -> None:
    q = initializers.Orthogonal(seed=1)((3, 3, 4, 8))
    flat = q.reshape(-1, 8)
    np.testing.assert_allclose(flat.T @ flat, np.eye(8), atol=1e-5)
    with pytest.raises(ValueError, match="at least two axes"):
        initializers.Orthogonal()((3,))


def test_constraints() -> None:
    w = np.array([[3.0, 0.3], [4.0, 0.4]], "float32")
    np.testing.assert_allclose(constraints.MaxNorm(2)(w), [[1.2, 0.3], [1.6, 0.4]], rtol=1e-5)
    np.testing.assert_allclose(constraints.UnitNorm()(w), [[0.6, 0.6], [0.8, 0.8]], rtol=1e-5)
    np.testing.assert_allclose(constraints.MinMaxNorm(1.0, 2.0)(w), [[1.2, 0.6], [1.6, 0.8]], rtol=1e-5)
    assert constraints.NonNeg()(-w).tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("case", cases("constraints"), ids=lambda case: case["name"])
def test_constraints_against_keras(case: dict) -> None:
    constraint = getattr(constraints, case["class"])(**case["kwargs"])
    np.testing.assert_allclose(constraint(case["w"]), case["value"], rtol=1e-5, atol=1e-6)
    assert constraint.get_config() == case["config"]


@pytest.mark.parametrize("kind", ["initializer", "regularizer", "constraint"])
def test_config_round_trips(kind: str) -> None:
    for cls in registry(kind).things():
        text = json.dumps(serialize_keras_object(cls()))
        again = deserialize_keras_object(json.loads(text))
        assert type(again) is cls
        assert json.dumps(serialize_keras_object(again)) == text


def test_errors() -> None:
    with pytest.raises(ValueError, match="Unknown regularizer 'l3'. Known names: L1, L1L2"):
        regularizers.get("l3")
    with pytest.raises(ValueError, match="must be a finite number of at least 0"):
        regularizers.L2(-1.0)
    with pytest.raises(TypeError, match="Could not interpret 3 of type int as a constraint"):
        constraints.get(3)
    with pytest.raises(TypeError, match="Could not interpret 3 of type int as an activation"):
        activations.get(3)
    with pytest.raises(ValueError, match="`mode` must be one of 'fan_in'"):
        initializers.VarianceScaling(mode="fan")
    assert float(ops.sum(initializers.Zeros()((2, 2)))) == 0
