"""Optimizers over 20 fixed gradients, and the values of learning rate schedules."""

from typing import Any

import keras
import numpy as np

from .running import as_json, generator, normal, plain

STEPS = 20
SHAPES = ((3, 4), (5,))
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7}),
    ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7, "staircase": True}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12}),
    ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "alpha": 0.2}),
    ("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 12, "warmup_target": 0.1, "warmup_steps": 5}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 8], "values": [0.1, 0.05, 0.01]}),
    ("PiecewiseConstantDecay", {"boundaries": [3.5], "values": [0.1, 0.05]}),
    ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 12}),
    (
        "PolynomialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 6, "end_learning_rate": 0.01, "power": 2.0, "cycle": True},
    ),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5}),
    ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5, "staircase": True}),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 4, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1},
    ),
    ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0}),
]
COMMON = [
    {"clipnorm": 0.5},
    {"clipvalue": 0.3},
    {"global_clipnorm": 0.8},
    {"weight_decay": 0.02},
    {"use_ema": True, "ema_momentum": 0.9},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 6},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 4, "clipnorm": 0.5, "weight_decay": 0.01},
    {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 3, "ema_momentum": 0.8},
    {"loss_scale_factor": 4.0},
]
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"learning_rate": 0.01}),
    ("RMSprop", {"learning_rate": 0.01, "momentum": 0.9}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True}),
    ("RMSprop", {"learning_rate": 0.01, "centered": True, "momentum": 0.5, "rho": 0.8, "epsilon": 1e-3}),
    ("Adam", {"learning_rate": 0.01}),
    ("Adam", {"learning_rate": 0.01, "amsgrad": True}),
    ("Adam", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4}),
    ("AdamW", {"learning_rate": 0.01}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    ("Adagrad", {"learning_rate": 0.05}),
    ("Adadelta", {"learning_rate": 0.5}),
    ("Adamax", {"learning_rate": 0.01}),
    ("Nadam", {"learning_rate": 0.01}),
    ("Ftrl", {"learning_rate": 0.05}),
    ("Lion", {"learning_rate": 0.01}),
    *[("SGD", {"learning_rate": 0.1, "momentum": 0.5, **common}) for common in COMMON],
    *[("Adam", {"learning_rate": 0.05, **common}) for common in COMMON],
    *[("RMSprop", {"learning_rate": 0.05, **common}) for common in COMMON[:5]],
]


def _gradients(name: str) -> list[list[np.ndarray]]:
    """20 gradients for each variable; sizes vary and some are zero, so that clipping acts on some steps alone."""
    rng = generator(name, "gradients")
    sizes = np.float32([0.1, 1, 3, 0]).repeat(STEPS // 4)
    return [[normal(rng, *shape) * size for shape in SHAPES] for size in rng.permutation(sizes)]


def _argument(value: Any) -> Any:
    """A schedule, an optimizer or a map of them, of its configuration; all else stays."""
    if not isinstance(value, dict):
        return value
    for module in (keras.optimizers.schedules, keras.optimizers):
        if hasattr(module, value["class_name"]):
            return getattr(module, value["class_name"]).from_config(dict(value["config"]))
    raise ValueError(f"Keras has no {value['class_name']}.")


def _optimizer_case(
    name: str, class_: str, kwargs: dict[str, Any], excluded: bool = False, overflows: bool = False
) -> dict[str, Any]:
    keras.utils.clear_session()
    given = {argument: _argument(value) for argument, value in kwargs.items()}
    optimizer = getattr(keras.optimizers, class_)(**given)
    rng = generator(name, "start")
    start = [normal(rng, *shape) for shape in SHAPES]
    variables = [keras.Variable(value, name=f"v{index}") for index, value in enumerate(start)]
    if excluded:
        optimizer.exclude_from_weight_decay(var_names=["v1"])
    optimizer.build(variables)
    steps, rates, given_gradients = [], [], _gradients("shared")
    if overflows:
        given_gradients[7][0][1, 2] = np.inf
    for step_gradients in given_gradients:
        rates.append(float(plain(getattr(optimizer, "learning_rate", 0.0))))
        optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in step_gradients], variables)
        steps.append([plain(variable) for variable in variables])
    slots = {}
    for variable in optimizer.variables:
        key = variable.path
        while key in slots:  # Adafactor gives two slots of a variable one path
            key += "'"
        slots[key] = plain(variable)
    iterations = int(plain(optimizer.iterations))
    optimizer.finalize_variable_values(variables)
    return {
        "name": name,
        "class": class_,
        "kwargs": as_json(kwargs),
        "excluded_from_weight_decay": ["v1"] if excluded else [],
        "start": start,
        "gradients": [np.stack(parts) for parts in zip(*given_gradients, strict=True)],
        "variables": [np.stack(parts) for parts in zip(*steps, strict=True)],
        "learning_rates_before_steps": rates,
        "iterations": iterations,
        "slots": slots,
        "finalized": [plain(variable) for variable in variables],
        "config": as_json(optimizer.get_config()),
    }


def _schedule_case(name: str, class_: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    schedule = getattr(keras.optimizers.schedules, class_)(**kwargs)
    steps = list(range(30))
    return {
        "name": name,
        "schedule": class_,
        "kwargs": kwargs,
        "steps": steps,
        "values": np.array([float(plain(schedule(step))) for step in steps], "float32"),
        "config": as_json(schedule.get_config()),
    }


def make() -> list[dict[str, Any]]:
    """Cases of optimizers (key "class"), then of schedules (key "schedule")."""
    scheduled = [
        ("SGD" if index % 2 else "Adam", {"learning_rate": {"class_name": class_, "config": kwargs}})
        for index, (class_, kwargs) in enumerate(SCHEDULES[::3])
    ]
    found = [
        _optimizer_case(f"{class_}-{index:02d}", class_, kwargs)
        for index, (class_, kwargs) in enumerate([*OPTIMIZERS, *scheduled])
    ]
    found.append(
        _optimizer_case("AdamW-excluded", "AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}, excluded=True)
    )
    found += [
        _schedule_case(f"{class_}-{index:02d}", class_, kwargs) for index, (class_, kwargs) in enumerate(SCHEDULES)
    ]
    return found
