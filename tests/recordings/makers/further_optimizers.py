"""Optimizers that look at whole variables, those without a schedule, and those made of others: 20 steps each."""

from typing import Any

import keras

from .optimizers import COMMON, _optimizer_case

SGD = {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.5}}
EMA = {"class_name": "Adam", "config": {"learning_rate": 0.05, "use_ema": True, "ema_momentum": 0.9}}


def _named(inner: dict[str, Any], name: str) -> dict[str, Any]:
    named = {**inner["config"], "name": name}
    return {"module": "keras.optimizers", "class_name": inner["class_name"], "config": named, "registered_name": None}


MAP = {
    "module": "keras.optimizers",
    "class_name": "OptimizerMap",
    "config": {"default_optimizer": _named(EMA, "rest"), "optimizer_map": {"v1": _named(SGD, "first")}},
    "registered_name": None,
}
ACCUMULATING = [{"gradient_accumulation_steps": 3}, {"global_clipnorm": 0.8, "weight_decay": 0.02}, COMMON[4]]
SCHEDULE = {
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7},
}
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.1, "relative_step": False, "clip_threshold": 0.5}),
    ("Adafactor", {"learning_rate": SCHEDULE, "beta_2_decay": -0.6, "epsilon_2": 1e-2}),
    ("Lamb", {"learning_rate": 0.02}),
    ("Lamb", {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4, "weight_decay": 0.1}),
    ("Muon", {"learning_rate": 0.02}),
    ("Muon", {"learning_rate": 0.02, "nesterov": False, "rms_rate": None, "ns_steps": 3, "adam_lr_ratio": 0.5}),
    ("Muon", {"learning_rate": 0.02, "exclude_layers": ["v0"], "adam_weight_decay": 0.1, "weight_decay": None}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.02}),
    ("ScheduleFreeAdamW", {"learning_rate": 0.02, "warmup_steps": 6, "weight_decay": 0.1, "beta_1": 0.8}),
    *[(name, {"learning_rate": 0.05, **options}) for name in ("Lamb", "ScheduleFreeAdamW") for options in ACCUMULATING],
    ("Muon", {"learning_rate": 0.05, "gradient_accumulation_steps": 3}),
    ("MultiOptimizer", {"optimizer_map": MAP}),
    ("MultiOptimizer", {"optimizer_map": MAP, "loss_scale_factor": 2.0}),
]  # fmt: skip
OVERFLOWING = [
    ("LossScaleOptimizer", {"inner_optimizer": _named(SGD, "inner"), "initial_scale": 8.0, "dynamic_growth_steps": 3}),
    ("LossScaleOptimizer", {"inner_optimizer": _named(EMA, "inner"), "initial_scale": 2.0}),
]


def make() -> list[dict[str, Any]]:
    """Cases like those of the other optimizers (key "class")."""
    found = []
    for index, (name, kwargs) in enumerate(OPTIMIZERS):
        case = f"{name}-{index:02d}"
        if name == "ScheduleFreeAdamW" and keras.backend.backend() == "tensorflow":
            found.append({"name": case, "failed": "what it reads before an assignment changes with it on TensorFlow"})
        else:
            found.append(_optimizer_case(case, name, kwargs))
    for index, (name, kwargs) in enumerate(OVERFLOWING):
        case = f"{name}-{index:02d}"
        if keras.backend.backend() == "jax":
            found.append({"name": case, "failed": "JAX has no variables in a condition"})
        else:
            found.append(_optimizer_case(case, name, kwargs, overflows=True))
    return found
