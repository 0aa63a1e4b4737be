"""Students that learn from teachers: their losses and weights in a short training, without shuffling."""

from typing import Any

import keras
import numpy as np

from .running import generator, normal


def _model(name: str, units: int) -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(units, activation="relu", name="hidden"),
            layers.Dense(4, activation="tanh", name="features"),
            layers.Dense(3, name="logits"),
        ],
        name=name,
    )


def _losses() -> dict[str, tuple[Any, Any, Any]]:
    """Case -> (what is distilled, weights, the student's share of the loss)."""
    own, losses = keras.distillation, keras.losses
    return {
        "logits": (own.LogitsDistillation(2.0, losses.KLDivergence()), None, 0.3),
        "logits_and_features": (
            [
                own.LogitsDistillation(3.0, losses.Huber()),
                own.FeatureDistillation("mse", "features", "features"),
            ],
            [1.0, 0.5],
            0.5,
        ),
        "outputs": (own.FeatureDistillation("cosine_similarity"), None, 0.0),
        "targets_alone": (own.FeatureDistillation("mae"), None, 1.0),
    }


def _case(name: str, distilled: Any, weights: Any, share: float) -> dict[str, Any]:
    rng = generator("distillation", name)
    teacher, student = _model("teacher", 16), _model("student", 6)
    given = {}
    for model in (teacher, student):
        given[model.name] = [normal(rng, *w.shape) * np.float32(0.4) for w in model.get_weights()]
        model.set_weights(given[model.name])
    x, y = normal(rng, 40, 5), rng.integers(0, 3, 40)
    distiller = keras.distillation.Distiller(teacher, student, distilled, weights, share)
    distiller.compile(
        keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    config = distiller.get_config()
    history = distiller.fit(x, y, epochs=3, batch_size=16, shuffle=False, verbose=0).history
    evaluated = distiller.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    return {
        "name": name,
        "weights": given,
        "x": x,
        "y": y,
        "distillation_loss_weights": weights,
        "student_loss_weight": share,
        "distillation_losses": config["distillation_losses"],
        "history": {key: [float(value) for value in values] for key, values in history.items()},
        "evaluated": {key: float(value) for key, value in evaluated.items()},
        "trained": [np.array(w) for w in student.get_weights()],
    }


def make() -> list[dict[str, Any]]:
    """A training for each kind of loss."""
    return [_case(name, *given) for name, given in _losses().items()]
