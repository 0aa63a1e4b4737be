"""Optimizers and schedules against 20 steps of real Keras."""

import numpy as np
import pytest

from layerkit import optimizers
from layerkit.graph import Variable
from layerkit.optimizers import schedules
from layerkit.registry import reset_names
from layerkit.serialization import deserialize_keras_object
from layerkit.tracing import compile_function
from tests.recordings.loader import cases

OPTIMIZERS = [case for case in [*cases("optimizers"), *cases("further_optimizers")] if "class" in case]
SCHEDULES = [case for case in cases("optimizers") if "schedule" in case]


def made(case):
    reset_names()
    optimizer = getattr(optimizers, case["class"])(**deserialize_keras_object(case["kwargs"]))
    variables = [Variable(value, name=f"v{index}") for index, value in enumerate(case["start"])]
    if case["excluded_from_weight_decay"]:
        optimizer.exclude_from_weight_decay(var_names=case["excluded_from_weight_decay"])
    optimizer.build(variables)
    return optimizer, variables


@pytest.mark.parametrize("traced", [False, True], ids=["eager", "traced"])
@pytest.mark.parametrize("case", OPTIMIZERS, ids=lambda case: case["name"])
def test_twenty_steps(case, traced):
    optimizer, variables = made(case)

    def step(*gradients):
        optimizer.apply(list(gradients), variables)

    run = compile_function(step).run if traced else step
    for number, gradients in enumerate(zip(*case["gradients"], strict=True)):
        rate = float(np.asarray(getattr(optimizer, "learning_rate", 0.0)))
        np.testing.assert_allclose(rate, case["learning_rates_before_steps"][number], rtol=2e-6, atol=1e-9)
        run(*gradients)
        for variable, expected in zip(variables, case["variables"], strict=True):
            np.testing.assert_allclose(
                variable.numpy(), expected[number], rtol=2e-5, atol=5e-6, err_msg=f"{variable.name} after step {number}"
            )
    assert int(np.asarray(optimizer.iterations)) == case["iterations"]
    for variable, (path, expected) in zip(optimizer.variables, case["slots"].items(), strict=True):
        # Keras names Nadam's product of momentums "variable", and leaves the optimizer out there and of Adafactor's.
        short = "u_product" if path == "variable" else path.rstrip("'")
        assert variable.path in (short, f"{optimizer.name}/{short}")
        np.testing.assert_allclose(variable.numpy(), expected, rtol=2e-5, atol=5e-6, err_msg=path)
    optimizer.finalize_variable_values(variables)
    for variable, expected in zip(variables, case["finalized"], strict=True):
        np.testing.assert_allclose(variable.numpy(), expected, rtol=2e-5, atol=5e-6)


@pytest.mark.parametrize("case", OPTIMIZERS, ids=lambda case: case["name"])
def test_config(case):
    optimizer, _ = made(case)
    config = optimizer.get_config()
    assert config == case["config"]
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == config


@pytest.mark.parametrize("case", SCHEDULES, ids=lambda case: case["name"])
def test_schedule(case):
    schedule = getattr(schedules, case["schedule"])(**case["kwargs"])
    values = [schedule(step).item() for step in case["steps"]]
    np.testing.assert_allclose(values, case["values"], rtol=2e-6, atol=2e-8)
    assert schedule.get_config() == case["config"]
    assert schedules.deserialize(schedules.serialize(schedule)).get_config() == case["config"]
