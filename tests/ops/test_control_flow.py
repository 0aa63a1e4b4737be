"""Loops and conditions: eager, interpreted and compiled alike, with gradients, at any length in one plan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import layerkit as keras
from layerkit import ops
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph.gradients import gradients
from layerkit.runtime.kernel_cache import statistics
from layerkit.tracing import CompiledFunction, compile_function

rng = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def alike(function: Callable, *args: np.ndarray, tolerance: float = 1e-12) -> CompiledFunction:
    """Eager, interpreted and compiled give the same; gives the compiled function."""
    eager = [np.asarray(y) for y in keras.tree.flatten(function(*args)) if y is not None]
    compiled = compile_function(function)
    for way in (compile_function(function, interpret=True), compiled):
        for _ in range(2):  # a second run finds the plan as the first did
            found = [np.asarray(y) for y in keras.tree.flatten(way(*args)) if y is not None]
            assert len(found) == len(eager)
            for a, b in zip(found, eager, strict=True):
                assert (a.shape, a.dtype) == (b.shape, b.dtype)
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)
    return compiled


def gradients_of(function: Callable) -> Callable:
    def given(*args):
        return [
            ops.zeros_like(x) if g is None else g for x, g in zip(args, gradients([function(*args)], args), strict=True)
        ]

    return given


def check_slope(function: Callable, *args: np.ndarray, tolerance: float = 1e-6) -> None:
    """The compiled gradient of a function to a number against differences along a random direction."""
    found = compile_function(gradients_of(function))(*args)
    for at, (x, g) in enumerate(zip(args, found, strict=True)):
        direction = np.random.default_rng(at).uniform(-1, 1, x.shape)
        ends = [float(function(*args[:at], x + step * direction, *args[at + 1 :])) for step in (1e-6, -1e-6)]
        expected = (ends[0] - ends[1]) / 2e-6
        assert abs(np.sum(g.numpy() * direction) - expected) <= tolerance * max(1.0, abs(expected)), at


def recurrent(x, wx, wh, b, h0):
    def turn(h, x_t):
        h = ops.tanh(x_t @ wx + h @ wh + b)
        return h, h * 2.0

    h, ys = ops.scan(turn, h0, x)
    return ops.sum(h * h) + ops.sum(ys * ys * ys)


def unrolled(x, wx, wh, b, h0):
    h, total = h0, 0.0
    for t in range(x.shape[0]):
        h = ops.tanh(x[t] @ wx + h @ wh + b)
        total = total + ops.sum((h * 2.0) ** 3)
    return total + ops.sum(h * h)


def recurrent_arguments(turns: int, batch: int = 3) -> tuple[np.ndarray, ...]:
    return normal(turns, batch, 4), normal(4, 5), normal(5, 5) * 0.4, normal(5), normal(batch, 5)


class TestScan:
    def test_is_a_loop(self):
        alike(recurrent, *recurrent_arguments(7))

    @pytest.mark.parametrize("turns", [0, 1, 2, 33])
    def test_gradients_are_those_of_the_unrolled_loop(self, turns):
        args = recurrent_arguments(turns)
        found = compile_function(gradients_of(recurrent))(*args)
        for a, b in zip(found, compile_function(gradients_of(unrolled), interpret=True)(*args), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)

    def test_gradients_of_gradients(self):
        def penalty(function):
            return lambda *args: sum(ops.sum(g * g) for g in gradients_of(function)(*args))

        args = recurrent_arguments(4)
        found = compile_function(gradients_of(penalty(recurrent)))(*args)
        expected = compile_function(gradients_of(penalty(unrolled)), interpret=True)(*args)
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)

    def test_the_plan_does_not_grow_with_the_length_and_nothing_is_compiled(self):
        step = compile_function(lambda *args: [recurrent(*args), *gradients_of(recurrent)(*args)])
        rows, compiled = [], []
        for turns in (10, 10_000):
            args = [x.astype("float32") for x in recurrent_arguments(turns, batch=1)]
            step.run(*args)
            rows.append(len(step.traced(tuple(args), list(args)).executable.plan.table))
            compiled.append(statistics.compiled)
        # Outside of the loops, the sums over the stacked results go through pieces where they are long.
        assert rows[0] <= rows[1] <= rows[0] + 4
        assert compiled[0] == compiled[1]

    def test_reverse_and_length(self):
        x = normal(6, 2)
        alike(lambda x: ops.scan(lambda s, x: (s * 0.5 + x, s), x[0], x, reverse=True), x)
        alike(lambda x: ops.scan(lambda s, _: (s * 2.0, s), x, length=5), x)
        alike(lambda x: ops.scan(lambda s, x: (s + x, None), x[0], x), x)

    def test_structures(self):
        def function(x, y):
            def turn(state, slices):
                total = state["total"] + slices[0] * slices[1]["y"]
                return {"total": total, "count": state["count"] + 1}, (total, {"double": total * 2.0})

            start = {"total": ops.zeros(3, "float64"), "count": ops.array(0)}
            return ops.scan(turn, start, (x, {"y": y}))

        compiled = alike(function, normal(5, 3), normal(5, 3))
        carried, (totals, more) = compiled(normal(5, 3), normal(5, 3))
        assert carried["count"].item() == 5
        assert totals.shape == more["double"].shape == (5, 3)

    def test_nested_in_each_other(self):
        def function(x, w):
            def outer(state, rows):
                def inner(s, row):
                    s = ops.tanh(s @ w + row)
                    return s, ops.sum(s)

                state, sums = ops.scan(inner, state, rows)
                return state, sums * 2.0

            state, sums = ops.scan(outer, ops.zeros_like(x[0, 0]), x)
            return ops.sum(state) + ops.sum(sums * sums)

        args = normal(4, 3, 2, 5), normal(5, 5) * 0.3
        alike(function, *args)
        check_slope(function, *args)

    def test_scanned_and_stacked_in_any_layout(self):
        def function(x):
            time_first = ops.transpose(x, (1, 0, 2))
            last, ys = ops.scan(
                lambda s, x_t: (s * 0.9 + x_t, ops.exp(s) + x_t), ops.zeros_like(x[:, 0]), time_first[::-1]
            )
            return last, ops.transpose(ys, (1, 2, 0))

        alike(function, normal(3, 6, 4))

    def test_carried_values_may_change_places(self):
        alike(lambda a, b: ops.scan(lambda s, _: ((s[1], s[0] * 2.0), s[0]), (a, b), length=5), normal(3), normal(3))

    def test_what_is_not_carried_on_and_what_is_constant(self):
        alike(
            lambda x: ops.scan(lambda s, x: ((s[0], s[0] + 0.0 * x, x), (s[1], 3.0)), (x[0], x[0], x[0]), x),
            normal(4, 2),
        )

    def test_references_between_native_segments(self):
        def function(x):
            def turn(s, a):
                s = ops.cholesky(a @ ops.transpose(a) + ops.eye(3, dtype="float64")) + 0.1 * s
                return s, ops.sum(s * a)

            s, sums = ops.scan(turn, ops.zeros((3, 3), "float64"), x)
            return ops.sum(s) + ops.sum(sums * sums)

        x = normal(5, 3, 3)
        alike(function, x)
        check_slope(function, x)

    def test_a_failing_reference_leaves_the_plan_as_it_was(self):
        def function(x):
            return ops.scan(lambda s, a: (s + ops.cholesky(a), ops.sum(s)), ops.zeros((2, 2), "float64"), x)

        compiled = compile_function(function)
        good = np.stack([np.eye(2) * (k + 1) for k in range(4)])
        expected = [y.numpy() for y in compiled(good)]
        bad = good.copy()
        bad[2] *= -1
        with pytest.raises((ValueError, np.linalg.LinAlgError)):
            compiled(bad)
        for a, b in zip(compiled(good), expected, strict=True):
            np.testing.assert_array_equal(a.numpy(), b)

    def test_variables_in_the_body(self):
        scale = keras.Variable(np.array([2.0, 3.0]), dtype="float64", name="scale")
        count = keras.Variable(np.array(0), dtype="int32", trainable=False, name="count")

        def function(x):
            def turn(s, x_t):
                count.assign_add(1)
                return s + scale * x_t, ops.cast(count.value, "float64") * s

            return ops.scan(turn, ops.zeros(2, "float64"), x)

        x = normal(5, 2)
        eager = [y.numpy() for y in function(x)]
        assert int(count) == 5
        count.assign(0)
        compiled = compile_function(function)
        for a, b in zip(compiled(x), eager, strict=True):
            np.testing.assert_allclose(a.numpy(), b, rtol=1e-13)
        assert int(count) == 5
        compiled(x)
        assert int(count) == 10

        slope = compile_function(lambda x: gradients([ops.sum(function(x)[0])], [scale.value])[0])
        np.testing.assert_allclose(slope(x).numpy(), x.sum(0), rtol=1e-12)

    def test_random_numbers_are_the_eager_ones(self):
        def function(seed):
            def turn(s, _):
                drawn = keras.random.uniform((3,), seed=seed)
                return s + drawn, drawn

            return ops.scan(turn, ops.zeros(3), length=4)

        eager = function(keras.random.SeedGenerator(3))
        compiled = compile_function(lambda: function(generator))
        generator = keras.random.SeedGenerator(3)
        found = compiled()
        np.testing.assert_array_equal(eager[1].numpy(), found[1].numpy())
        assert len({row.tobytes() for row in found[1].numpy()}) == 4

    def test_wrong_uses(self):
        x = np.zeros((3, 2), "float32")
        with pytest.raises(TypeError, match="ops.scan: f has to be a function; got int"):
            ops.scan(3, x, x)
        with pytest.raises(TypeError, match="f has to give a carried value and a result; it gave Tensor"):
            ops.scan(lambda s, x: s + x, x[0], x)
        with pytest.raises(ValueError, match="give xs, or length"):
            ops.scan(lambda s, x: (s, s), x[0])
        with pytest.raises(
            ShapeError, match="the same length; got xs number 0, float32.3, 2.: 3, xs number 1, float32.2.: 2"
        ):
            ops.scan(lambda s, x: (s, s), x[0], (x, x[0]))
        with pytest.raises(ShapeError, match="carried value has to keep shape; got float32.2. and then float32.3, 2."):
            ops.scan(lambda s, _: (s + x, s), x[0], x)
        with pytest.raises(DtypeError, match="carried value has to keep dtype; got int32.. and then float32"):
            compile_function(lambda x: ops.scan(lambda s, x: (s + x[0], s), 0, x))(x)
        with pytest.raises(ValueError, match="the carried value changes its structure"):
            ops.scan(lambda s, x: ((s, s), s), x[0], x)


class TestMap:
    def test_is_a_comprehension(self):
        x = normal(5, 3)
        alike(lambda x: ops.map(lambda row: ops.sum(row) * row, x), x)
        alike(lambda x, y: ops.map(lambda rows: rows[0] @ rows[1], (x, y)), normal(4, 2, 3), normal(4, 3, 2))
        alike(lambda x: ops.vectorized_map(lambda row: {"a": row, "b": ops.max(row)}, x), x)
        check_slope(lambda x: ops.sum(ops.map(lambda row: ops.sum(row) * row, x) ** 2), x)


class TestForiLoop:
    def test_known_length(self):
        def function(x):
            return ops.fori_loop(1, 6, lambda i, s: s * ops.cast(i, "float64") / 3.0 + ops.sin(s), x)

        alike(function, normal(3))
        check_slope(lambda x: ops.sum(function(x)), normal(3))

    def test_length_from_a_tensor(self):
        def function(n, x):
            return ops.fori_loop(0, n, lambda i, s: s + ops.cast(i, "float64"), x)

        for n in (0, 4):
            alike(function, np.array(n, "int32"), normal(2))

    def test_no_turn(self):
        assert ops.fori_loop(5, 2, lambda i, s: s + 1, 7).item() == 7


class TestWhileLoop:
    def test_runs_while_the_condition_holds(self):
        def function(x, limit):
            return ops.while_loop(lambda i, s: ops.sum(s) < limit, lambda i, s: (i + 1, s * 1.5), (np.int32(0), x))

        for limit in (0.5, 50.0):
            alike(function, np.abs(normal(3)) + 0.2, np.array(limit))

    def test_at_most_so_many_turns(self):
        alike(lambda x: ops.while_loop(lambda x: True, lambda x: x + 1.0, x, maximum_iterations=4), normal(2))
        alike(lambda x: ops.while_loop(lambda x: x[0] < 0, lambda x: [x + 1.0], [x], maximum_iterations=0), normal(2))

    def test_in_a_scan(self):
        def function(x):
            def halved(s):
                return ops.while_loop(lambda s: ops.max(s) > 1.0, lambda s: s / 2.0, s)

            return ops.scan(lambda s, x_t: ((s + x_t), halved(s + x_t)), ops.zeros_like(x[0]), x)

        alike(function, np.abs(normal(6, 3)) * 5)

    def test_with_a_reference(self):
        alike(
            lambda a: ops.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, ops.inv(a) + a), (np.int32(0), a)),
            np.eye(3) * 2 + 0.1,
        )

    def test_wrong_uses(self):
        with pytest.raises(ShapeError, match="cond has to give a scalar; it gave shape .2,."):
            ops.while_loop(lambda x: x < 1, lambda x: x, np.zeros(2))
        with pytest.raises(GraphError, match=r"ops.while_loop has no gradient.*Use ops.fori_loop"):
            compile_function(gradients_of(lambda x: ops.while_loop(lambda x: x < 9, lambda x: x * 2, x)))(np.array(1.0))


class TestCond:
    def test_only_the_chosen_one_runs(self):
        def function(x, y):
            return ops.cond(ops.sum(x) > 0, lambda: (x * y, ops.sum(y)), lambda: (x - y, ops.max(x)))

        compiled = alike(function, np.ones(3), normal(3))
        for x in (np.ones(3), -np.ones(3)):
            y = normal(3)
            np.testing.assert_allclose(compiled(x, y)[0].numpy(), x * y if x[0] > 0 else x - y)
            alike(function, x, y)
            check_slope(lambda x, y: ops.sum(function(x, y)[0] ** 2) + function(x, y)[1], x * np.arange(1, 4), y)

    def test_a_side_effect_on_a_variable(self):
        hits = keras.Variable(np.array(0), dtype="int32", trainable=False)

        def function(x):
            ops.cond(x > 0, lambda: hits.assign_add(1), lambda: hits.value)
            return x * 2

        compiled = compile_function(function)
        for x in (1.0, -1.0, 2.0):
            compiled(np.array(x))
        assert int(hits) == 2

    def test_in_a_scan_with_a_reference(self):
        def function(x):
            def turn(s, a):
                s = ops.cond(ops.sum(a) > 0, lambda: ops.inv(a) + s, lambda: s * 2.0)
                return s, s

            return ops.sum(ops.scan(turn, ops.ones((2, 2), "float64"), x)[1] ** 2)

        x = np.stack([np.eye(2) * k + 0.1 for k in (1.0, -3.0, 2.0, 5.0)])
        alike(function, x)
        check_slope(function, x)

    def test_known_when_traced(self):
        called = []
        compile_function(lambda x: ops.cond(True, lambda: x, lambda: called.append(1)))(np.ones(2))
        assert not called

    def test_wrong_uses(self):
        x = np.ones(2)
        with pytest.raises(
            ShapeError, match="false_fn and true_fn have to give the same shape; got float64.1. and then"
        ):
            compile_function(lambda x: ops.cond(x[0] > 0, lambda: x, lambda: x[:1]))(x)
        with pytest.raises(ValueError, match="give different structures"):
            compile_function(lambda x: ops.cond(x[0] > 0, lambda: x, lambda: (x, x)))(x)
        with pytest.raises(ShapeError, match="pred has to be a scalar; got shape .2,."):
            ops.cond(x > 0, lambda: x, lambda: x)
        with pytest.raises(TypeError, match="true_fn has to be a function; got Tensor"):
            ops.cond(True, ops.array(x), lambda: x)


class TestSwitch:
    def test_index_is_cut_to_the_range(self):
        def function(index, x, w):
            return ops.switch(index, [lambda x: x * w, lambda x: ops.exp(x), lambda x: ops.dot(x, w) * x], x)

        for index in (-3, 0, 1, 2, 9):
            alike(function, np.array(index, "int32"), normal(3), normal(3))
            check_slope(lambda x, w, i=index: ops.sum(function(np.array(i), x, w)), normal(3), normal(3))

    def test_by_scanned_indices(self):
        def function(which, x):
            return ops.scan(lambda s, i: (ops.switch(i, [lambda s: s + 1.0, lambda s: s * 2.0], s), s), x, which)

        alike(function, np.array([0, 1, 1, 0, 1], "int32"), normal(2))

    def test_no_branches(self):
        with pytest.raises(ValueError, match="branches is empty"):
            ops.switch(0, [])


def test_in_a_functional_model():
    inputs = keras.Input((5, 3))
    outputs = ops.scan(lambda s, x: (s + x, s * x), ops.zeros((3,)), inputs[0])[1]
    assert outputs.shape == (5, 3)


def test_in_a_layer_that_trains():
    class Smoothing(keras.layers.Layer):
        def build(self, input_shape):
            self.rate = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="rate")

        def call(self, inputs):
            first = ops.zeros_like(inputs[:, 0])
            return ops.scan(lambda s, x: (s * ops.tanh(self.rate) + x,) * 2, first, ops.swapaxes(inputs, 0, 1))[0]

    keras.utils.set_random_seed(0)
    x = rng.normal(size=(64, 7, 3)).astype("float32")
    y = x.sum((1, 2))
    model = keras.Sequential([keras.Input((None, 3)), Smoothing(), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    history = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0] / 2
    compiled = statistics.compiled
    assert model.predict(x[:5, :4], verbose=0).shape == (5, 1)
    model.predict(x[:7, :3], verbose=0)
    assert statistics.compiled - compiled <= 8  # the prediction's own kernels, once for all lengths
