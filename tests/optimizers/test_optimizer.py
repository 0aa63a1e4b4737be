"""Optimizers: names, errors, learning rates, constraints, options."""

import numpy as np
import pytest

from layerkit import constraints, optimizers
from layerkit.errors import UnknownNameError
from layerkit.graph import Variable
from layerkit.optimizers import schedules
from layerkit.tracing import compile_function


def variable(value=1.0, name="v"):
    return Variable(np.full(3, value, "float32"), name=name)


G = np.ones(3, "float32")


def test_names():
    assert type(optimizers.get("Adam")) is optimizers.Adam
    assert type(optimizers.get("rmsprop")) is optimizers.RMSprop
    assert type(optimizers.get({"class_name": "adamw", "config": {"weight_decay": 0.1}})) is optimizers.AdamW
    assert optimizers.get(None) is None
    with pytest.raises(UnknownNameError, match="Unknown optimizer 'adamm'. Did you mean 'Adam'"):
        optimizers.get("adamm")


def test_the_older_name_of_the_rate():
    assert float(np.asarray(optimizers.SGD(lr=0.25).learning_rate)) == 0.25
    optimizer = optimizers.Adam(0.1)
    optimizer.lr = 0.5
    assert float(np.asarray(optimizer.lr)) == 0.5


def test_unknown_arguments():
    with pytest.raises(
        TypeError, match="SGD has no argument 'momentun'. It takes learning_rate, momentum, nesterov, weight"
    ):
        optimizers.SGD(momentun=0.9)


def test_the_decay_of_older_scripts():
    with pytest.warns(UserWarning, match=r"taken as learning_rate=schedules.InverseTimeDecay\(0.5, 1, 0.25\)"):
        optimizer = optimizers.SGD(lr=0.5, decay=0.25, momentum=0.9)
    v = variable()
    rates = []
    for _ in range(3):
        rates.append(float(np.asarray(optimizer.learning_rate)))
        optimizer.apply([G], [v])
    np.testing.assert_allclose(rates, [0.5, 0.4, 1 / 3], rtol=1e-6)
    assert optimizers.SGD(0.5, decay=0.0).get_config()["learning_rate"] == 0.5
    with pytest.raises(ValueError, match="`decay` needs a number as learning rate"):
        optimizers.SGD(schedules.CosineDecay(0.1, 5), decay=0.1)


def test_arguments_by_place_are_those_of_keras():
    config = optimizers.Adam(0.1, 0.8, 0.9, 1e-5, True, 0.01, None, 0.5).get_config()
    assert (config["amsgrad"], config["weight_decay"], config["clipnorm"], config["clipvalue"]) == (
        True,
        0.01,
        None,
        0.5,
    )
    config = optimizers.AdamW(0.1, 0.02, 0.8, 0.9, 1e-5, False, 1.5).get_config()
    assert (config["weight_decay"], config["beta_2"], config["clipnorm"]) == (0.02, 0.9, 1.5)
    with pytest.raises(TypeError, match="multiple values for argument 'weight_decay'"):
        optimizers.SGD(0.1, 0.9, True, 0.01, weight_decay=0.01)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set"),
        ({"clipnorm": float("nan")}, "`clipnorm` must be a number or None, got clipnorm=nan"),
        ({"gradient_accumulation_steps": 1}, "`gradient_accumulation_steps` must be an integer of at least 2, got"),
        ({"use_ema": True, "ema_momentum": 1.5}, "`ema_momentum` must be a number between 0 and 1, got"),
        ({"use_ema": True, "ema_overwrite_frequency": -1}, "`ema_overwrite_frequency` must be a positive integer, got"),
        ({"momentum": 2.0}, "`momentum` must be a number between 0 and 1, got momentum=2.0"),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        optimizers.SGD(**options)


def test_what_keras_takes_is_taken():
    """Negative rates ascend; clips and counts of 0 do nothing; the options of an average count where it is kept."""
    for options in (
        {"clipnorm": 0.0}, {"clipvalue": -1.0}, {"global_clipnorm": 0}, {"gradient_accumulation_steps": 0},
        {"ema_momentum": 1.5}, {"use_ema": True, "ema_overwrite_frequency": 0}, {"clipnorm": np.float32(9.0)},
    ):  # fmt: skip
        v = Variable(np.zeros(2))
        optimizers.SGD(-0.5, **options).apply([np.ones(2, "float32")], [v])
        np.testing.assert_allclose(v.numpy(), [0.5, 0.5], err_msg=str(options))


def test_learning_rate_of_no_kind():
    with pytest.raises(TypeError, match="`learning_rate` must be a number, a LearningRateSchedule or a function"):
        optimizers.SGD("fast")
    optimizer = optimizers.SGD(schedules.CosineDecay(0.1, 10))
    with pytest.raises(TypeError, match="made with a schedule"):
        optimizer.learning_rate = 0.5


def test_a_function_as_rate():
    rate, v = [0.5], variable()
    optimizers.SGD(lambda: rate[0]).apply([G], [v])
    np.testing.assert_allclose(v.numpy(), 0.5)


def test_another_variable():
    optimizer = optimizers.SGD()
    optimizer.apply([G], [variable()])
    with pytest.raises(ValueError, match="was built for other variables and has no state for other"):
        optimizer.apply([G], [variable(name="other")])
    with pytest.raises(ValueError, match="There are 2 gradients for 1 variables"):
        optimizer.apply([G, G], [variable()])
    with pytest.raises(ValueError, match="needs a built optimizer"):
        optimizers.SGD().apply([G])


def test_apply_gradients_takes_a_zip():
    optimizer, v = optimizers.SGD(0.5), variable()
    assert int(optimizer.apply_gradients(zip([G], [v], strict=True))) == 1
    np.testing.assert_allclose(v.numpy(), 0.5)


def test_constraints_hold_after_the_update():
    v = variable(0.1)
    v.constraint = constraints.NonNeg()
    optimizers.SGD(1.0).apply([G], [v])
    np.testing.assert_array_equal(v.numpy(), 0)


def test_weight_decay_cannot_be_excluded_late():
    optimizer = optimizers.AdamW()
    optimizer.build([variable()])
    with pytest.raises(ValueError, match="can only be called before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["v"])


def test_a_rate_set_between_runs_counts():
    optimizer, v = optimizers.SGD(0.5), variable()
    step = compile_function(lambda g: optimizer.apply([g], [v]), interpret=True)
    step.run(G)
    optimizer.learning_rate = 0.25
    step.run(G)
    np.testing.assert_allclose(v.numpy(), 0.25)


def test_an_optimizer_of_ones_own():
    class Signed(optimizers.Optimizer):
        def __init__(self, learning_rate=0.1, power=2.0, **options):
            super().__init__(learning_rate=learning_rate, **options)
            self.power = power

        def build(self, variables):
            super().build(variables)
            self.counts = self.add_optimizer_variables(variables, "count", initializer="ones")

        def update_step(self, gradient, variable, learning_rate):
            count = self.counts[self._get_variable_index(variable)]
            self.assign_add(count, 1.0)
            self.assign_sub(variable, learning_rate * gradient**self.power)

    v, optimizer = variable(), Signed(0.5)
    optimizer.apply([G], [v])
    np.testing.assert_allclose(v.numpy(), 0.5)
    np.testing.assert_allclose(optimizer.variables[2].numpy(), 2.0)
    assert optimizer.variables[2].path == "signed/v_count"


def test_global_norm_of_an_infinite_gradient_is_nan():
    optimizer, v = optimizers.SGD(1.0, global_clipnorm=1.0), variable()
    optimizer.apply([np.array([np.inf, 1, 1], "float32")], [v])
    assert np.isnan(v.numpy()).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.CosineDecay(0.1, 0), "`decay_steps` must be a number above 0, got decay_steps=0"),
        (lambda: schedules.CosineDecayRestarts(0.1, -1), "`first_decay_steps` must be a number above 0, got"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "There must be one value more than boundaries"),
    ],
)
def test_schedules_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Damped(optimizers.SGD):
    """A user's class without a `get_config()`."""

    def __init__(self, learning_rate=0.1, damping=0.5, **options):
        super().__init__(learning_rate, **options)
        self.strength = damping


def test_the_config_of_a_users_class_has_its_arguments():
    config = Damped(0.2, damping=0.25, clipnorm=1.0).get_config()
    assert (config["damping"], config["clipnorm"], config["momentum"]) == (0.25, 1.0, 0.0)
    again = Damped.from_config({**config, "momentum": 0.0})
    assert again.strength == 0.25


def test_legacy_optimizers_say_what_to_use():
    with pytest.raises(ImportError, match=r"not supported, as in Keras 3: use `optimizers.SGD`"):
        optimizers.legacy.SGD(0.1)


def test_a_map_of_optimizers():
    first, rest = optimizers.SGD(0.1), optimizers.Adam(0.1)
    chosen = optimizers.OptimizerMap(rest, {"a/.*": first})
    assert (chosen["a/kernel"], chosen["b/kernel"], list(chosen)) == (first, rest, ["a/.*"])
    chosen[".*/bias"] = optimizers.Lion(0.1)
    with pytest.raises(ValueError, match=r"'a/bias' matches more than one pattern: 'a/\.\*', '\.\*/bias'"):
        chosen["a/bias"]
    with pytest.raises(ValueError, match="has an optimizer already"):
        chosen["a/.*"] = rest
    with pytest.raises(TypeError, match="What 'c' is mapped to must be an optimizer, got 'adam'"):
        chosen["c"] = "adam"
    with pytest.raises(ValueError, match="What 'c' is mapped to cannot be a LossScaleOptimizer"):
        chosen["c"] = optimizers.LossScaleOptimizer(first)
    multi = optimizers.MultiOptimizer(chosen, loss_scale_factor=4.0)
    assert (first.loss_scale_factor, rest.loss_scale_factor) == (4.0, 4.0)
    with pytest.raises(AttributeError, match="has no learning rate: set those of its `optimizers`"):
        multi.learning_rate = 0.1
    with pytest.raises(TypeError, match="`optimizer_map` must be an OptimizerMap or a function, got None"):
        optimizers.MultiOptimizer(None)


def test_what_a_scaling_optimizer_refuses():
    inner = optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="does not take clipnorm: set it on the inner optimizer"):
        optimizers.LossScaleOptimizer(inner, clipnorm=1.0)
    with pytest.raises(ValueError, match="`dynamic=False` is not supported"):
        optimizers.LossScaleOptimizer(inner, dynamic=False)
    with pytest.raises(TypeError, match="`inner_optimizer` must be an optimizer, got 'sgd'"):
        optimizers.LossScaleOptimizer("sgd")
    assert float(np.asarray(optimizers.LossScaleOptimizer(inner, 8.0).scale_loss(2.0))) == 16.0
