"""Wrong uses of names, losses, metrics, optimizers and schedules, of tapes and traced functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import layerkit
from layerkit import activations, callbacks, initializers, losses, metrics, ops, optimizers
from layerkit.errors import GraphError, ShapeError, UnknownNameError
from layerkit.layers import Dense
from layerkit.models import Sequential
from layerkit.optimizers import schedules
from tests.wrong_uses.model_rows import X, Y, fit, net
from tests.wrong_uses.rows import Row, f, i, variable


def taped(ask: Callable) -> object:
    w = variable()
    with layerkit.GradientTape() as tape:
        y = w * 2.0
    return ask(tape, y, w)


def branching(x: object) -> object:
    return x if ops.sum(x) > 0 else -x


NAMES: list[Row] = [
    (lambda: losses.get("mean_squared_eror"), UnknownNameError, ("loss 'mean_squared_eror'", "'mean_squared_error'")),
    (lambda: metrics.get("acuracy"), UnknownNameError, ("metric 'acuracy'", "'Accuracy'", "Known names")),
    (lambda: optimizers.get("adm"), UnknownNameError, ("optimizer 'adm'", "'Adam'", "Known names")),
    (lambda: initializers.get("he_norml"), UnknownNameError, ("initializer 'he_norml'", "'he_normal'")),
    (lambda: activations.get(3), TypeError, ("3 of type int", "activation")),
    (lambda: Sequential([Dense(1)]).compile("adm"), UnknownNameError, ("optimizer 'adm'", "'Adam'")),
    (lambda: fit(net("mean_squarred_error"), X, Y), UnknownNameError, ("loss 'mean_squarred_error'", "Did you mean")),
    (lambda: fit(net(metrics=["acurracy"]), X, Y), UnknownNameError, ("metric 'acurracy'", "'Accuracy'")),
    (lambda: initializers.VarianceScaling(scale=-1), ValueError, ("`scale`", "above 0", "-1")),
    (lambda: initializers.VarianceScaling(mode="fan"), ValueError, ("`mode`", "'fan_in'", "'fan'", "VarianceScaling(")),
    (lambda: initializers.Identity()((2, 2, 2)), ShapeError, ("Identity", "matrices", "(2, 2, 2)")),
    # Losses.
    (lambda: losses.MeanSquaredError()(f(2, 3), f(2, 4)), ShapeError,
     ("'mean_squared_error'", "(2, 3)", "(2, 4)", "equal")),
    (lambda: losses.CategoricalCrossentropy(name="cce")(f(2, 3), f(2, 4)), ShapeError,
     ("loss 'cce'", "one-hot", "(2, 4)")),
    (lambda: losses.SparseCategoricalCrossentropy(name="s")(i(3), f(2, 4)), ShapeError, ("loss 's'", "(2,)", "(3,)")),
    (lambda: losses.BinaryCrossentropy(name="b")(f(2, 3), f(2, 4)), ShapeError, ("loss 'b'", "(2, 3)", "(2, 4)")),
    (lambda: losses.MeanSquaredError(name="m")(f(2, 3), f(2, 3), sample_weight=f(5)), ShapeError,
     ("loss 'm'", "sample weights", "(5,)", "(2,)")),
    (lambda: losses.CosineSimilarity(axis=4, name="c")(f(2, 3), f(2, 3)), ShapeError, ("loss 'c'", "axis 4", "2 axes")),
    (lambda: losses.MeanSquaredError(reduction="avg"), ValueError,
     ("`reduction`", "'sum'", "'avg'", "MeanSquaredError(")),
    (lambda: losses.MeanSquaredError(reductoin="sum"), TypeError,
     ("MeanSquaredError", "'reductoin'", "reductoin='sum'")),
    # Metrics.
    (lambda: metrics.AUC(num_thresholds=1), ValueError, ("`num_thresholds`", "at least 2", "num_thresholds=1", "AUC(")),
    (lambda: metrics.AUC(curve="rock"), ValueError, ("`curve`", "'ROC', 'PR'", "'rock'")),
    (lambda: metrics.Precision(thresholds=1.5), ValueError, ("`thresholds`", "between 0 and 1", "1.5")),
    (lambda: metrics.Recall(name="r", class_id=5)(f(2, 3), f(2, 3)), ShapeError, ("metric 'r'", "class 5", "(2, 3)")),
    (lambda: metrics.Accuracy(name="acc")(f(2), f(3)), ShapeError, ("metric 'acc'", "(2,)", "(3,)")),
    (lambda: metrics.MeanSquaredError(name="m")(f(2, 3), f(2, 4)), ShapeError, ("metric 'm'", "(2, 3)", "(2, 4)")),
    (lambda: metrics.Mean(name="avg")(f(3), sample_weight=f(2)), ShapeError,
     ("'avg'", "`sample_weight`", "(2,)", "(3,)")),
    (lambda: metrics.Mean(name="avg").update_state(), TypeError, ("metric 'avg'", "'values'")),
    (lambda: metrics.F1Score(average="macr"), ValueError, ("`average`", "'macro'", "'macr'")),
    (lambda: metrics.SensitivityAtSpecificity(1.5), ValueError, ("`specificity`", "between 0 and 1", "1.5")),
]  # fmt: skip

OPTIMIZERS: list[Row] = [
    (lambda: optimizers.SGD(float("nan")), ValueError, ("`learning_rate`", "finite", "nan", "SGD(nan)")),
    (lambda: optimizers.SGD("fast"), TypeError, ("`learning_rate`", "a number", "'fast'", "SGD('fast')")),
    (lambda: optimizers.SGD(momentum=2), ValueError, ("`momentum`", "between 0 and 1", "=2", "SGD(momentum=2)")),
    (lambda: optimizers.AdamW(weight_decay=-1), ValueError, ("`weight_decay`", "at least 0", "-1", "AdamW(")),
    (lambda: optimizers.Adam(learnin_rate=0.1), TypeError,
     ("Adam", "'learnin_rate'", "mean 'learning_rate'", "It takes")),
    (lambda: optimizers.SGD(clipnorm=1, clipvalue=1), ValueError, ("one of `clipnorm`", "'clipvalue': 1")),
    (lambda: optimizers.SGD(clipnorm="1"), TypeError, ("`clipnorm`", "a number", "'1'")),
    (lambda: optimizers.SGD(gradient_accumulation_steps=1), ValueError,
     ("`gradient_accumulation_steps`", "at least 2", "=1")),
    (lambda: optimizers.SGD(name="opt").apply([f(3)] * 2, [variable()]), ValueError,
     ("'opt'", "2 gradients for 1", "w")),
    (lambda: optimizers.SGD(name="opt").apply([f(4)], [variable()]), ShapeError, ("'opt'", "'w'", "(3,)", "(4,)")),
    (lambda: optimizers.SGD().apply_gradients([(None, variable())]), ValueError, ("No gradient", "(w)")),
    (lambda: optimizers.SGD().apply_gradients([f(3)]), TypeError, ("`grads_and_vars`", "pairs", "float32[3]")),
    (lambda: optimizers.SGD().apply([f(3)]), ValueError, ("`apply`", "build(trainable_variables)")),
    (lambda: optimizers.SGD.from_config({"learning_rte": 0.1}), TypeError,
     ("SGD", "'learning_rte'", "'learning_rate'")),
    (lambda: setattr(optimizers.SGD(schedules.ExponentialDecay(0.1, 10, 0.9)), "learning_rate", 0.1), TypeError,
     ("`learning_rate`", "schedule", "number")),
    (lambda: schedules.ExponentialDecay(0.1, 0, 0.9), ValueError,
     ("`decay_steps`", "above 0", "decay_steps=0", "ExponentialDecay")),
    (lambda: schedules.CosineDecay(0.1, "ten"), ValueError, ("`decay_steps`", "above 0", "'ten'", "CosineDecay")),
    (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), ValueError,
     ("one value more", "2 values", "2 bound")),
    (lambda: schedules.PiecewiseConstantDecay([2, 1], [1, 2, 3]), ValueError, ("`boundaries`", "rising", "[2, 1]")),
    (lambda: schedules.LearningRateSchedule()(1), NotImplementedError, ("LearningRateSchedule", "`__call__(step)`")),
    (lambda: callbacks.ReduceLROnPlateau(factor=1.5), ValueError, ("ReduceLROnPlateau", "factor", "1.5")),
    # Tape and traced functions.
    (lambda: taped(lambda tape, y, w: (tape.gradient(y, w), tape.gradient(y, w))), RuntimeError, ("persistent=True",)),
    (lambda: taped(lambda tape, y, w: tape.gradient(y, f(3))), TypeError, ("sources", "Variables", "ndarray")),
    (lambda: taped(lambda tape, y, w: tape.gradient(y, w, output_gradients=f(5))), ShapeError, ("(3,)", "(5,)")),
    (lambda: layerkit.GradientTape().watch("a"), TypeError, ("GradientTape.watch", "Variables", "str")),
    (lambda: layerkit.grad(lambda x: x * 2.0)(f(3)), ShapeError, ("scalar", "(3,)")),
    (lambda: layerkit.function(3), TypeError, ("layerkit.function", "int")),
    (lambda: layerkit.function(branching)(f(3)), GraphError, ("symbolic", "layerkit.ops", "conditions")),
    (lambda: layerkit.function(lambda x: np.asarray(x))(f(3)), GraphError, ("(3,)", "layerkit.ops instead of NumPy")),
    (lambda: layerkit.function(lambda x, y: x + y)(f(3), f(4)), ShapeError, ("(3,)", "(4,)", "broadcast")),
    (lambda: variable().assign(f(4)), ShapeError, ("'w'", "(3,)", "(4,)")),
]  # fmt: skip

ROWS = [*NAMES, *OPTIMIZERS]
