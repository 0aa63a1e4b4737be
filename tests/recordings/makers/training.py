"""Training: what fit, evaluate, predict and the batch methods return, and the weights that they leave."""

import contextlib
import io
import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ..models import MODELS
from .running import as_json, generator, normal, plain

SAMPLES = 22
COMMON = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
SGD = {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}
ADAM = {"class_name": "Adam", "config": {"learning_rate": 0.01}}


def _data(model: str, purpose: str, samples: int = SAMPLES) -> tuple[Any, Any]:
    rng = generator(model, purpose)
    labels = rng.integers(0, 3, samples).astype("int32")
    match model:
        case "perceptron":
            return normal(rng, samples, 5), labels
        case "convolutional":
            return normal(rng, samples, 8, 8, 2), labels
        case "two_headed":
            inputs = {"left": normal(rng, samples, 4), "right": normal(rng, samples, 3)}
            return inputs, {"price": normal(rng, samples, 1), "kind": labels}
        case "two_outputs":
            return normal(rng, samples, 5), [normal(rng, samples, 2), normal(rng, samples, 1)]
    return normal(rng, samples, 5), normal(rng, samples, 1)


def _weights(model: keras.Model, name: str) -> list[np.ndarray]:
    rng = generator(name, "weights")
    scale = {"variance": 0.2, "gamma": 0.2}
    values = []
    for variable in model.weights:
        value = normal(rng, *variable.shape) * np.float32(0.4)
        key = variable.name.split("_")[-1]
        values.append(np.float32(1) + np.float32(scale[key]) * np.abs(value) if key in scale else value)
    return values


def _logs(found: dict[str, Any]) -> dict[str, Any]:
    return {name: [float(value) for value in values] for name, values in found.items()}


def _scalars(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: float(value) for name, value in found.items()}
    return [float(value) for value in found] if isinstance(found, list | tuple) else float(found)


def _fit_cases() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(model, compile arguments, fit arguments); "validation", "weighted" stand for arrays that _fit makes."""
    heads = {
        "loss": {"price": "mse", "kind": "sparse_categorical_crossentropy"},
        "loss_weights": {"price": 0.5, "kind": 2.0},
        "metrics": {"price": ["mae"], "kind": ["accuracy"]},
    }
    weights = {"0": 1.0, "1": 0.5, "2": 3.0}
    return [
        ("perceptron", {"optimizer": SGD, **SPARSE}, {}),
        ("perceptron", {"optimizer": "adam", "loss": "sparse_categorical_crossentropy"}, {"validation": True}),
        ("perceptron", {"optimizer": ADAM, **SPARSE}, {"validation": True}),
        ("perceptron", {"optimizer": ADAM, **SPARSE}, {"validation_split": 0.3}),
        ("perceptron", {"optimizer": SGD, **SPARSE}, {"class_weight": weights}),
        ("perceptron", {"optimizer": SGD, **SPARSE, "weighted_metrics": ["accuracy"]}, {"sample_weight": True}),
        ("perceptron", {"optimizer": SGD, **SPARSE}, {"sample_weight": True, "validation": "weighted"}),
        ("perceptron", {"optimizer": SGD, **SPARSE}, {"sample_weight": True, "validation_split": 0.25}),
        ("perceptron", {"optimizer": SGD, **SPARSE}, {"steps_per_epoch": 2}),
        ("perceptron", {"optimizer": SGD, **SPARSE}, {"initial_epoch": 1, "validation": True, "validation_freq": 2}),
        ("perceptron", {"optimizer": SGD, "loss": SPARSE["loss"], "metrics": ["acc"]}, {}),
        (
            "perceptron",
            {
                "optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.1, "gradient_accumulation_steps": 2}},
                "loss": {"class_name": "SparseCategoricalCrossentropy", "config": {}},
                "metrics": [
                    "accuracy",
                    {"class_name": "SparseTopKCategoricalAccuracy", "config": {"k": 2, "name": "top2"}},
                ],
            },
            {},
        ),
        ("regression", {"optimizer": ADAM, "loss": "mse", "metrics": ["mae", "mse"]}, {"validation": True}),
        ("regression", {"optimizer": "rmsprop", "loss": "huber", "metrics": ["RootMeanSquaredError"]}, {}),
        (
            "regression",
            {"optimizer": {"class_name": "SGD", "config": {"use_ema": True, "ema_momentum": 0.9}}, "loss": "mae"},
            {"validation": True},
        ),
        (
            "convolutional",
            {
                "optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.05, "momentum": 0.9}},
                "loss": {"class_name": "SparseCategoricalCrossentropy", "config": {"from_logits": True}},
                "metrics": ["accuracy"],
            },
            {"validation": True},
        ),
        ("two_headed", {"optimizer": ADAM, **heads}, {"validation": True}),
        ("two_headed", {"optimizer": ADAM, **heads}, {"sample_weight": True}),
        ("two_headed", {"optimizer": ADAM, "loss": heads["loss"]}, {}),
        ("two_headed", {"optimizer": ADAM, **heads, "weighted_metrics": {"kind": ["accuracy"]}}, {}),
        ("two_outputs", {"optimizer": SGD, "loss": "mse", "metrics": [["mae"], ["mae", "mse"]]}, {"validation": True}),
        ("two_outputs", {"optimizer": SGD, "loss": ["mse", "mae"], "loss_weights": [1.0, 0.5]}, {}),
        ("nested", {"optimizer": ADAM, "loss": "mse", "metrics": ["mae"]}, {}),
    ]


def _compiled(name: str, model_name: str, arguments: dict[str, Any]) -> keras.Model:
    keras.utils.clear_session()
    model = MODELS[model_name](keras)
    model.set_weights(_weights(model, name))
    arguments = dict(arguments)
    if isinstance(arguments["loss"], dict) and "class_name" in arguments["loss"]:
        arguments["loss"] = keras.losses.deserialize(arguments["loss"])
    if isinstance(arguments["optimizer"], dict):
        arguments["optimizer"] = keras.optimizers.deserialize(arguments["optimizer"])
    if isinstance(arguments.get("metrics"), list):
        arguments["metrics"] = [keras.metrics.get(m) if isinstance(m, dict) else m for m in arguments["metrics"]]
    model.compile(**arguments)
    return model


def _fit(name: str, model_name: str, compile_: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    model = _compiled(name, model_name, compile_)
    start = plain(model.weights)
    x, y = _data(model_name, "training")
    vx, vy = _data(model_name, "validation", 10)
    fit = {**COMMON, **options}
    rng = generator(name, "sample weights")
    validation = fit.pop("validation", None)
    if fit.get("sample_weight"):
        fit["sample_weight"] = np.abs(normal(rng, SAMPLES))
        if model_name == "two_headed":
            fit["sample_weight"] = {"price": fit["sample_weight"], "kind": np.abs(normal(rng, SAMPLES))}
    if validation:
        fit["validation_data"] = [vx, vy, np.abs(normal(rng, 10))][: 3 if validation == "weighted" else 2]
    given = dict(fit)
    if "class_weight" in given:
        given["class_weight"] = {int(label): weight for label, weight in given["class_weight"].items()}
    history = model.fit(x, y, **given)
    return {
        "name": name,
        "kind": "fit",
        "model": model_name,
        "compile": compile_,
        "fit": fit,
        "x": x,
        "y": y,
        "start": start,
        "history": _logs(history.history),
        "epochs": [int(epoch) for epoch in history.epoch],
        "params": history.params,
        "weights": plain(model.weights),
        "optimizer_paths": [variable.path for variable in model.optimizer.variables],
        "metrics_names": list(model.metrics_names),
        "evaluate": {
            "x": vx,
            "y": vy,
            "dictionary": _scalars(model.evaluate(vx, vy, batch_size=4, verbose=0, return_dict=True)),
            "list": _scalars(model.evaluate(vx, vy, batch_size=4, verbose=0)),
        },
        "predict": plain(model.predict(vx, batch_size=4, verbose=0)),
    }


def _batches(name: str, model_name: str, compile_: dict[str, Any]) -> dict[str, Any]:
    model = _compiled(name, model_name, compile_)
    start = plain(model.weights)
    x, y = _data(model_name, "batches", 6)
    vx, vy = _data(model_name, "more batches", 5)
    if model_name == "perceptron":
        weights = {"sample_weight": np.abs(normal(generator(name), 6)), "class_weight": {"0": 1.0, "1": 2.0, "2": 0.5}}
    else:
        weights = {"sample_weight": None, "class_weight": None}
    class_weight = weights["class_weight"] and {int(k): value for k, value in weights["class_weight"].items()}
    steps: list[tuple[str, Callable[[], Any]]] = [
        ("train_on_batch", lambda: model.train_on_batch(x, y)),
        ("train_on_batch return_dict", lambda: model.train_on_batch(x, y, return_dict=True)),
        ("train_on_batch sample_weight", lambda: model.train_on_batch(x, y, sample_weight=weights["sample_weight"])),
        ("train_on_batch class_weight", lambda: model.train_on_batch(x, y, class_weight=class_weight)),
        ("reset_metrics", lambda: model.reset_metrics() or []),
        ("train_on_batch again", lambda: model.train_on_batch(x, y, return_dict=True)),
        ("test_on_batch", lambda: model.test_on_batch(vx, vy)),
        ("test_on_batch return_dict", lambda: model.test_on_batch(vx, vy, return_dict=True)),
    ]
    results = [{"method": method, "returned": _scalars(step())} for method, step in steps]
    return {
        "name": name,
        "kind": "batches",
        "model": model_name,
        "compile": compile_,
        "x": x,
        "y": y,
        "test_x": vx,
        "test_y": vy,
        **weights,
        "start": start,
        "results": results,
        "predict_on_batch": plain(model.predict_on_batch(vx)),
        "weights": plain(model.weights),
    }


def _summary(model: keras.Model, columns: int = 80, **options: Any) -> str:
    """The text of a summary on a terminal that wide: Keras asks the terminal, and crops a longer line."""
    lines: list[str] = []
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    try:
        model.summary(print_fn=lambda text, **_: lines.append(text), **options)
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join(lines)


def _printed(run: Callable[[], Any]) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        run()
    return out.getvalue()


def _structure(name: str) -> dict[str, Any]:
    keras.utils.clear_session()
    model = MODELS[name](keras)
    texts = {
        "plain": _summary(model),
        "120 columns": _summary(model, columns=120),
        "120 columns, line_length 100": _summary(model, columns=120, line_length=100),
        "show_trainable": _summary(model, show_trainable=True),
        "expand_nested": _summary(model, expand_nested=True),
    }
    config = as_json(model.get_config())
    model.compile("adam", "mse")
    texts["compiled with Adam, built"] = (model.optimizer.build(model.trainable_variables), _summary(model))[1]
    return {
        "name": f"{name}-structure",
        "kind": "structure",
        "model": name,
        "config": config,
        "compile_config": as_json(model.get_compile_config()),
        "summaries": texts,
        "layers": [[layer.name, type(layer).__name__, layer.count_params()] for layer in model.layers],
        "model_name": model.name,
        # A Sequential has neither.
        "input_names": list(getattr(model, "input_names", ())),
        "output_names": list(getattr(model, "output_names", ())),
        "variables": [
            {"path": v.path, "name": v.name, "shape": list(v.shape), "dtype": v.dtype, "trainable": bool(v.trainable)}
            for v in model.weights
        ],
        "optimizer_paths": [variable.path for variable in model.optimizer.variables],
        "count_params": model.count_params(),
    }


def _unbuilt() -> dict[str, Any]:
    keras.utils.clear_session()
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dropout(0.5), keras.layers.Dense(2)])
    before = _summary(model)
    built_before, names = model.built, [layer.name for layer in model.layers]
    model(np.zeros((2, 4), "float32"))
    return {
        "name": "unbuilt",
        "kind": "unbuilt",
        "built": built_before,
        "layers": names,
        "summary": before,
        "summary_after_call": _summary(model),
        "paths_after_call": [variable.path for variable in model.weights],
    }


def _callback_order() -> dict[str, Any]:
    """The calls that a callback gets, with the keys of its logs."""
    model = _compiled("callbacks", "perceptron", {"optimizer": "sgd", **SPARSE})
    calls: list[list[Any]] = []

    class Noted(keras.callbacks.Callback):
        pass

    def noting(method: str) -> Callable:
        def note(_: Any, *arguments: Any, logs: dict | None = None) -> None:
            *numbers, logs = (*arguments, logs) if logs is not None else arguments or (None,)
            calls.append([method, *[int(number) for number in numbers], logs and list(logs)])

        return note

    for moment in ("begin", "end"):
        for stage in ("train", "test", "predict", "epoch", "train_batch", "test_batch", "predict_batch"):
            setattr(Noted, f"on_{stage}_{moment}", noting(f"on_{stage}_{moment}"))
    x, y = _data("perceptron", "callbacks", 5)
    noted = Noted()
    model.fit(x, y, epochs=2, batch_size=3, validation_data=(x, y), verbose=0, callbacks=[noted], shuffle=False)
    fit_calls, calls = list(calls), calls
    calls.clear()
    model.evaluate(x, y, batch_size=3, verbose=0, callbacks=[noted])
    evaluate_calls = list(calls)
    calls.clear()
    model.predict(x, batch_size=3, verbose=0, callbacks=[noted])
    printed = _printed(lambda: model.fit(x, y, epochs=2, batch_size=3, verbose=2))
    return {
        "name": "callbacks",
        "kind": "callbacks",
        "fit": fit_calls,
        "evaluate": evaluate_calls,
        "predict": list(calls),
        "params": noted.params,
        # Times vary; the shape of a line does not.
        "verbose_2_lines": printed.count("\n"),
        "verbose_2_names": [part.split(": ")[0] for part in printed.splitlines()[1].split(" - ") if ": " in part],
    }


def make() -> list[dict[str, Any]]:
    """Cases of the kinds "fit", "batches", "structure", "unbuilt" and "callbacks"."""
    found = [
        _fit(f"{model}-fit-{index:02d}", model, compile_, options)
        for index, (model, compile_, options) in enumerate(_fit_cases())
    ]
    found.append(_batches("perceptron-batches", "perceptron", {"optimizer": SGD, **SPARSE}))
    found.append(_batches("regression-batches", "regression", {"optimizer": ADAM, "loss": "mse", "metrics": ["mae"]}))
    heads = {"loss": {"price": "mse", "kind": "sparse_categorical_crossentropy"}, "metrics": {"kind": ["accuracy"]}}
    found.append(_batches("two_headed-batches", "two_headed", {"optimizer": ADAM, **heads}))
    found += [_structure(name) for name in MODELS]
    return [*found, _unbuilt(), _callback_order()]
