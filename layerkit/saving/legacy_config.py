"""The configurations in Keras' legacy `.h5` files: of the model, and of what `compile` was given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from layerkit import ops
from layerkit.errors import UnknownNameError
from layerkit.registry import snake_case
from layerkit.saving.errors import SavedFileError
from layerkit.serialization import custom_object_scope, deserialize_keras_object, serialize_keras_object

_FULL_NAMES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
}
"""Losses by names that Keras 3 writes to `.h5` files but fails to read (it takes them for metrics)."""

_SAME_IN_KERAS = {
    snake_case(name): name
    for name in (
        "Add", "Equal", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalNot", "LogicalOr",
        "Maximum", "Minimum", "Multiply", "NotEqual", "Power", "Subtract",
    )
}  # fmt: skip
"""Operations that Keras has under the same name and without attributes, so that it reads models with them."""

_OF_OTHER_ENGINES = ("jit_compile", "run_eagerly")  # what Keras wrote there is about its backend
_DROPPED_FROM_OPTIMIZERS = ("jit_compile", "is_legacy_optimizer")  # of Keras 2


def model_config(model: Any) -> str:
    """The JSON of a model's configuration: layers as `{"class_name", "config"}`, without modules, as Keras has them."""
    return _dumps(_without_module(serialize_keras_object(model)), model)


def _without_module(entry: dict[str, Any]) -> dict[str, Any]:
    module = entry.get("module")
    if module is not None and module.startswith("layerkit"):
        # An operation between layers, which its module tells from layers.
        name = _SAME_IN_KERAS.get(snake_case(entry["class_name"]))
        if name is None or list(entry["config"]) != ["name"]:
            return entry
        return {**entry, "module": "keras.src.ops.numpy", "class_name": name, "registered_name": name}
    kept = {"class_name": entry["class_name"], "config": entry["config"]}
    own = module is not None and module.startswith("keras")
    if not own:
        kept["class_name"] = entry.get("registered_name") or entry["class_name"]
        if entry.get("build_config"):
            kept["build_config"] = entry["build_config"]
    inner = entry["config"]
    if isinstance(inner, dict) and isinstance(inner.get("layers"), list):
        layers = [_without_module(item) if "class_name" in item else item for item in inner["layers"]]
        kept["config"] = {**inner, "layers": layers}
    kept.update({key: entry[key] for key in ("name", "inbound_nodes") if key in entry})
    return kept


def training_config(model: Any) -> str | None:
    """The JSON of what `compile` was given; None for a model that is not compiled."""
    if not getattr(model, "compiled", False):
        return None
    config = dict(model.get_compile_config() or {})
    config.pop("optimizer", None)
    config.setdefault("loss_weights", None)
    config["loss"] = _full_names(config.get("loss"))
    optimizer = serialize_keras_object(model.optimizer)
    own = (optimizer["module"] or "").startswith("keras")
    name = optimizer["class_name"] if own else optimizer["registered_name"] or optimizer["class_name"]
    config["optimizer_config"] = {"class_name": name, "config": optimizer["config"]}
    return _dumps(config, model)


def _full_names(loss: Any) -> Any:
    if isinstance(loss, str):
        return _FULL_NAMES.get(loss.lower(), loss)
    if isinstance(loss, list | tuple):
        return [_full_names(item) for item in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _full_names(item) for key, item in loss.items()}
    return loss


def _dumps(config: Any, model: Any) -> str:
    try:
        return json.dumps(config)
    except TypeError as error:
        error.add_note(f"The configuration of {model.name!r} holds something that JSON cannot: see its `get_config()`.")
        raise


def build_model(config: dict[str, Any], custom_objects: Mapping[str, Any] | None, safe_mode: bool, file: str) -> Any:
    """The model of a configuration, with new weights.

    Raises:
        UnknownNameError: it names a class that is not known; the message says how to pass it.
        SavedFileError: it is no configuration of a model.
    """
    if not isinstance(config.get("class_name"), str) or not isinstance(config.get("config"), dict):
        raise SavedFileError(f"The model_config of {file!r} does not have 'class_name' and 'config'.")
    _mark_operations(config)
    try:
        with custom_object_scope(custom_objects or {}):
            model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
    except UnknownNameError as error:
        error.add_note(f"While loading {file!r}.")
        raise
    except (KeyError, IndexError, AttributeError, TypeError, RecursionError) as error:
        raise SavedFileError(
            f"The model_config of {file!r} cannot be understood ({type(error).__name__}: {error}). The class is "
            f"{config['class_name']!r}."
        ) from error
    except ValueError as error:
        error.add_note(f"While making the model of {file!r}.")
        raise
    if not hasattr(model, "layers"):
        raise SavedFileError(f"{file!r} holds a {type(model).__name__}, not a model.")
    return model


def _mark_operations(config: dict[str, Any]) -> None:
    """Give operations between layers a module. These files leave it out, for which Keras 3 cannot read its own ones."""
    waiting = [config]
    while waiting:
        inner = waiting.pop().get("config")
        layers = inner.get("layers") if isinstance(inner, dict) else None
        for entry in layers if isinstance(layers, list) else ():
            if not isinstance(entry, dict):
                continue
            waiting.append(entry)
            name = entry.get("class_name")
            # "Add" may be a layer or an operation; the configuration of a layer says whether it is trainable.
            bare = "module" not in entry and "trainable" not in entry.get("config", {}) and entry.get("inbound_nodes")
            if bare and isinstance(name, str) and callable(getattr(ops, snake_case(name), None)):
                entry["module"] = "keras.src.ops"


def compile_config(config: dict[str, Any], file: str, own: bool) -> dict[str, Any]:
    """What `Model.compile_from_config` takes, out of a training_config of layerkit (`own`), Keras 3 or 2.

    Raises:
        SavedFileError: there is no optimizer in it.
    """
    optimizer = config.get("optimizer_config")
    if not isinstance(optimizer, dict) or not isinstance(optimizer.get("config"), dict):
        raise SavedFileError(f"The training_config of {file!r} does not have an 'optimizer_config'.")
    inner = {key: value for key, value in optimizer["config"].items() if key not in _DROPPED_FROM_OPTIMIZERS}
    class_name = str(optimizer.get("class_name"))
    made = {key: value for key, value in config.items() if key != "optimizer_config"}
    if not own:
        for name in _OF_OTHER_ENGINES:
            made.pop(name, None)
    made["optimizer"] = {
        "class_name": class_name.removeprefix("Custom>"),
        "config": inner,
        "registered_name": class_name,
    }
    for key in ("metrics", "weighted_metrics"):
        if key in made:
            made[key] = _metrics(made[key])
    return made


def _metrics(value: Any) -> Any:
    """Metrics of Keras 2 by their names, and not in a list for each output where there is one output."""
    if isinstance(value, list):
        value = [_metrics(item) for item in value]
        return value[0] if len(value) == 1 and isinstance(value[0], list) else value
    if isinstance(value, dict) and value.get("class_name") == "MeanMetricWrapper":
        inner = value.get("config", {})
        name, function = inner.get("name"), inner.get("fn")
        if isinstance(function, str):
            return name if name in ("accuracy", "acc", "crossentropy", "ce") else function
    elif isinstance(value, dict) and "class_name" not in value:
        return {key: _metrics(item) for key, item in value.items()}
    return value
