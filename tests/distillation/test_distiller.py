"""Distiller and its losses: against recorded Keras, through configurations and files, and what is refused."""

import numpy as np
import pytest

import layerkit
from layerkit import distillation, layers, losses, ops
from layerkit.serialization import deserialize_keras_object, serialize_keras_object
from tests.recordings.loader import cases

CASES = cases("distillation")


def _model(name: str, units: int = 6) -> layerkit.Model:
    return layerkit.Sequential(
        [
            layers.Input((5,)),
            layers.Dense(units, activation="relu", name="hidden"),
            layers.Dense(4, activation="tanh", name="features"),
            layers.Dense(3, name="logits"),
        ],
        name=name,
    )


def _distiller(distilled: object = None, **kwargs: object) -> distillation.Distiller:
    given = distillation.LogitsDistillation() if distilled is None else distilled
    made = distillation.Distiller(_model("teacher", 16), _model("student"), given, **kwargs)
    made.compile("sgd", loss=losses.SparseCategoricalCrossentropy(from_logits=True))
    return made


X = np.random.default_rng(0).normal(size=(12, 5)).astype("float32")
Y = np.arange(12) % 3


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_training_is_that_of_keras(case: dict) -> None:
    teacher, student = _model("teacher", 16), _model("student")
    for model in (teacher, student):
        model.set_weights(case["weights"][model.name])
    distilled = deserialize_keras_object(case["distillation_losses"])
    own, theirs = serialize_keras_object(distilled), case["distillation_losses"]
    assert [one["class_name"] for one in own] == [one["class_name"] for one in theirs]
    assert [one["config"].keys() for one in own] == [one["config"].keys() for one in theirs]
    weights = {"distillation_loss_weights": case["distillation_loss_weights"]}
    made = distillation.Distiller(
        teacher, student, distilled, **weights, student_loss_weight=case["student_loss_weight"]
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile(layerkit.optimizers.Adam(0.01), loss=loss, metrics=["accuracy"])
    history = made.fit(case["x"], case["y"], epochs=3, batch_size=16, shuffle=False, verbose=0).history
    assert history.keys() == case["history"].keys()
    for name, values in case["history"].items():
        np.testing.assert_allclose(history[name], values, atol=1e-5, err_msg=name)
    evaluated = made.evaluate(case["x"], case["y"], batch_size=16, verbose=0, return_dict=True)
    assert evaluated == pytest.approx(case["evaluated"], abs=1e-5)
    for found, expected in zip(student.get_weights(), case["trained"], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    for found, expected in zip(teacher.get_weights(), case["weights"]["teacher"], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_config_and_weights_round_trip(tmp_path: object) -> None:
    made = _distiller([distillation.FeatureDistillation("mae", "hidden", "hidden"), distillation.LogitsDistillation()])
    with pytest.raises(ValueError, match="different shapes|shape"):
        made.fit(X, Y, verbose=0)  # 16 units and 6
    made = _distiller(distillation.FeatureDistillation("mae", "features", "features"), student_loss_weight=0.2)
    made.fit(X, Y, verbose=0)
    again = deserialize_keras_object(serialize_keras_object(made))
    assert again.compiled
    assert again.student_loss_weight == 0.2
    assert again.distillation_losses[0].student_layer_name == "features"
    path = tmp_path / "distiller.weights.h5"
    made.save_weights(path)
    again.load_weights(path)
    np.testing.assert_array_equal(again.predict(X, verbose=0), made.predict(X, verbose=0))
    assert again.evaluate(X, Y, verbose=0) == pytest.approx(made.evaluate(X, Y, verbose=0))
    assert len(made.weights) == 12
    assert len(made.trainable_variables) == 6


def test_divergence_is_of_probabilities_whether_named_or_not() -> None:
    teacher, student = X[:, :3], X[:, 2:]
    named = distillation.LogitsDistillation(2.0).compute_loss(teacher, student)
    made = distillation.LogitsDistillation(2.0, losses.KLDivergence()).compute_loss(teacher, student)
    p, q = (np.asarray(ops.softmax(x / 2)) for x in (teacher, student))
    expected = np.mean(np.sum(p * np.log(p / q), axis=-1)) * 4
    assert float(named) == pytest.approx(expected, rel=1e-5)
    assert float(made) == pytest.approx(expected, rel=1e-5)


def test_several_outputs_some_left_out() -> None:
    def model(name: str) -> layerkit.Model:
        x = layers.Input((5,))
        return layerkit.Model(x, [layers.Dense(3)(x), layers.Dense(2)(x)], name=name)

    distilled = distillation.LogitsDistillation(2.0, ["mse", None])
    made = distillation.Distiller(model("teacher"), model("student"), distilled, student_loss_weight=0.5)
    made.compile("sgd", loss=["mse", "mae"])
    history = made.fit(X, [X[:, :3], X[:, :2]], epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    again = distillation.LogitsDistillation.from_config(distilled.get_config())
    assert again.loss == [losses.mean_squared_error, None]


def test_a_teacher_of_final_outputs_for_a_layer_of_the_student() -> None:
    made = _distiller(distillation.FeatureDistillation("mse", student_layer_name="logits"), student_loss_weight=0.0)
    value = made.compute_loss(X, Y)
    teacher, student = (np.asarray(model(X)) for model in (made.teacher, made.student))
    assert float(value) == pytest.approx(np.mean((teacher - student) ** 2), rel=1e-5)


class Rows(distillation.DistillationLoss):
    """A loss that is no scalar."""

    def compute_loss(self, teacher_outputs: object, student_outputs: object, **kwargs: object) -> object:
        return ops.mean(ops.abs(teacher_outputs - student_outputs), axis=-1)


class Subclassed(layerkit.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, inputs: object) -> object:
        return self.dense(inputs)


def _of(teacher: object, student: object, distilled: object = None, **kwargs: object) -> distillation.Distiller:
    return distillation.Distiller(teacher, student, distilled or distillation.LogitsDistillation(), **kwargs)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: _of("teacher", _model("s")), "Teacher must be a keras.Model"),
        (lambda: _of(_model("t"), layers.Dense(2)), "Student must be a keras.Model"),
        (
            lambda: _of(_model("t"), layerkit.Sequential([layers.Input((4,)), layers.Dense(3)])),
            "input shapes are incom",
        ),
        (
            lambda: _of(_model("t"), layerkit.Sequential([layers.Input((5,)), layers.Dense(4)])),
            "output shapes are inco",
        ),
        (lambda: _of(_model("t"), _model("s"), student_loss_weight=1.5), "between 0.0 and 1.0, got 1.5"),
        (lambda: _of(_model("t"), _model("s"), student_loss_weight="1"), "must be a number"),
        (lambda: _of(_model("t"), _model("s"), distillation_loss_weights=[1, 2]), r"\(2\) must match .* \(1\)"),
        (lambda: distillation.Distiller(_model("t"), _model("s"), None), "cannot be `None`"),
        (lambda: _distiller().compile("sgd"), "'loss' cannot be `None`"),
        (lambda: _distiller().compile("sgd", "mse", metrics="mae"), "metrics must be a list or tuple"),
        (lambda: distillation.LogitsDistillation(0), "temperature must be positive"),
        (lambda: distillation.LogitsDistillation("2"), "temperature must be a number"),
        (lambda: distillation.FeatureDistillation([None, None]), "at least one non-`None` value"),
        (lambda: _distiller(distillation.FeatureDistillation("mse", "no", "no")), "In teacher model: .*'no'"),
        (
            lambda: _of(Subclassed(), _model("s"), distillation.FeatureDistillation("mse", "a", "logits")),
            r"The teacher model\(s\) appear to be subclassed",
        ),
        (lambda: _distiller(Rows()).fit(X, Y, verbose=0), "Rows returned a non-scalar loss"),
        (lambda: distillation.FeatureDistillation(["mse"]).validate_outputs(X, X), "the losses' structure"),
    ],
)
def test_errors(make: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()
