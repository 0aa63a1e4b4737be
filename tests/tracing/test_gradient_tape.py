"""GradientTape, grad and value_and_grad: eager and traced alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import layerkit as keras
from layerkit import ops
from layerkit.errors import GraphError, ShapeError

eager_and_traced = pytest.mark.parametrize("way", [lambda f: f, keras.function], ids=["eager", "traced"])
X = np.array([1.0, 2.0, 3.0], "float32")


def array(x: object) -> np.ndarray:
    return np.asarray(x)


@eager_and_traced
def test_gradient_of_watched_tensors(way: Callable):
    @way
    def slopes(x, y):
        with keras.GradientTape() as tape:
            tape.watch([x, y])
            z = ops.sum(x * x * y) + x[0] + x[-1] * y[::2][1]
        return tape.gradient(z, {"x": x, "y": y})

    given = slopes(ops.array(X), ops.array(X * 2))
    np.testing.assert_allclose(given["x"], 2 * X * X * 2 + [1, 0, 6])
    np.testing.assert_allclose(given["y"], X * X + [0, 0, 3])


@eager_and_traced
def test_variables_are_watched_where_they_are_trainable(way: Callable):
    w, fixed = keras.Variable(X), keras.Variable(X, trainable=False)

    @way
    def slopes():
        with keras.GradientTape() as tape:
            loss = ops.sum(w * w * fixed)
        assert [v is w for v in tape.watched_variables()] == [True]
        return tape.gradient(loss, [w, fixed])

    by_w, by_fixed = slopes()
    np.testing.assert_allclose(by_w, 2 * X * X)
    assert by_fixed is None


@eager_and_traced
def test_a_variable_read_twice_and_assigned_between(way: Callable):
    w = keras.Variable(X)

    @way
    def slope():
        with keras.GradientTape() as tape:
            loss = ops.sum(w * 2.0)
            w.assign(w * 3.0)
            loss = loss + ops.sum(w * w)
        return tape.gradient(loss, w)

    np.testing.assert_allclose(slope(), 2 + 2 * (3 * X))


@eager_and_traced
def test_what_is_not_followed_has_no_gradient(way: Callable):
    @way
    def slopes(x, y):
        before = x * 2.0
        with keras.GradientTape(persistent=True) as tape:
            tape.watch(x)
            inside = x * x
            with tape.stop_recording():
                unseen = x * 3.0
            seen = ops.sum(inside * ops.stop_gradient(x)) + ops.sum(unseen) + ops.sum(before)
        after = ops.sum(x * 5.0)
        return (
            tape.gradient(seen, x),
            tape.gradient(seen, y),
            tape.gradient(after, x),
            tape.gradient(seen, y, unconnected_gradients="zero"),
        )

    by_x, by_y, by_after, zero = slopes(ops.array(X), ops.array(X))
    np.testing.assert_allclose(by_x, 2 * X * X)
    assert by_y is None
    assert by_after is None
    np.testing.assert_array_equal(zero, np.zeros(3))


@eager_and_traced
def test_weights_of_targets(way: Callable):
    @way
    def slope(x, g):
        with keras.GradientTape() as tape:
            tape.watch(x)
            y, z = x * x, ops.sum(x)
        return tape.gradient([y, z], x, output_gradients=[g, ops.array(2.0)])

    np.testing.assert_allclose(slope(ops.array(X), ops.array(X + 1)), 2 * X * (X + 1) + 2)


@eager_and_traced
def test_gradients_of_gradients(way: Callable):
    @way
    def curvature(x):
        with keras.GradientTape() as outer:
            outer.watch(x)
            with keras.GradientTape() as inner:
                inner.watch(x)
                y = ops.sum(ops.exp(x) * x)
            slope = inner.gradient(y, x)
        return outer.gradient(slope, x)

    np.testing.assert_allclose(curvature(ops.array(X)), np.exp(X) * (X + 2), rtol=1e-5)


@eager_and_traced
def test_jacobian(way: Callable):
    def outputs(x, y):
        return ops.stack([x[0] * x[1], ops.sum(y), x[2] ** 2 * y[0]])

    @way
    def jacobians(x, y):
        with keras.GradientTape(persistent=True) as tape:
            tape.watch((x, y))
            z = outputs(x, y)
            table = ops.reshape(x, (3, 1)) * y
        return tape.jacobian(z, (x, y)), tape.jacobian(table, x)

    y = X[:2] + 4
    (by_x, by_y), table = jacobians(ops.array(X), ops.array(y))
    np.testing.assert_allclose(by_x, [[X[1], X[0], 0], [0, 0, 0], [0, 0, 2 * X[2] * y[0]]])
    np.testing.assert_allclose(by_y, [[0, 0], [1, 1], [X[2] ** 2, 0]])
    np.testing.assert_allclose(table, np.eye(3)[:, None, :] * y[None, :, None])


@eager_and_traced
def test_batch_jacobian(way: Callable):
    w = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")

    @way
    def jacobian(x):
        with keras.GradientTape() as tape:
            tape.watch(x)
            y = ops.tanh(x @ w)
        return tape.batch_jacobian(y, x)

    x = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
    found = jacobian(ops.array(x))
    assert found.shape == (5, 4, 3)
    np.testing.assert_allclose(found, (1 - np.tanh(x @ w) ** 2)[:, :, None] * w.T, rtol=1e-5, atol=1e-6)


def test_through_a_compiled_function_that_is_called_on_arrays():
    squared = keras.function(lambda x: x * x)
    x = ops.array(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = squared(x)
    np.testing.assert_allclose(tape.gradient(y, x), 2 * X)


@eager_and_traced
def test_a_training_step_of_ones_own(way: Callable):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(16, "tanh"), keras.layers.Dense(1)])
    optimizer, loss_of = keras.optimizers.Adam(0.02), keras.losses.MeanSquaredError()
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = x.sum(1, keepdims=True)

    @way
    def step(x, y):
        with keras.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        slopes = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(slopes, model.trainable_variables, strict=True))
        return loss

    losses = [float(step(x, y)) for _ in range(60)]
    assert losses[-1] < 0.1 * losses[0]
    assert int(optimizer.iterations) == 60


def test_an_adversarial_pair_trains_in_one_compiled_step():
    keras.utils.set_random_seed(1)
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    critic = keras.Sequential([keras.Input((1,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    optimizers = keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)

    @keras.function
    def step(real, noise):
        with keras.GradientTape(persistent=True) as tape:
            made, judged = critic(generator(noise)), critic(real)
            of_critic = loss(ops.ones_like(judged), judged) + loss(ops.zeros_like(made), made)
            of_generator = loss(ops.ones_like(made), made)
        for model, own, optimizer in zip((critic, generator), (of_critic, of_generator), optimizers, strict=True):
            optimizer.apply(tape.gradient(own, model.trainable_variables), model.trainable_variables)
        return of_critic, of_generator

    rng = np.random.default_rng(0)
    for _ in range(300):
        step(rng.normal(3, 0.3, (64, 1)).astype("float32"), rng.normal(size=(64, 2)).astype("float32"))
    assert step.traces == 1
    made = generator.predict(rng.normal(size=(200, 2)).astype("float32"), verbose=0)
    assert abs(made.mean() - 3) < 2.5


@eager_and_traced
def test_a_gradient_penalty(way: Callable):
    """Train on the gradient's norm: gradients of gradients by weights (Gulrajani et al., 2017)."""
    w = keras.Variable(np.array([[3.0], [4.0]], "float32"))

    @way
    def step(x):
        with keras.GradientTape() as outer:
            with keras.GradientTape() as inner:
                inner.watch(x)
                score = ops.sum(x @ w)
            slope = inner.gradient(score, x)
            penalty = ops.mean((ops.sqrt(ops.sum(slope * slope, axis=-1)) - 1.0) ** 2)
        w.assign_sub(0.1 * outer.gradient(penalty, w))
        return penalty

    penalties = [float(step(ops.ones((5, 2)))) for _ in range(40)]
    assert penalties[0] == pytest.approx(16.0)
    assert penalties[-1] < 1e-3


def test_used_once_unless_persistent():
    x = ops.array(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, x)


def test_wrong_uses():
    x = ops.array(X)
    with keras.GradientTape(persistent=True) as tape:
        with pytest.raises(TypeError, match="follows tensors and Variables; got ndarray"):
            tape.watch(X)
        with pytest.raises(TypeError, match="follows float tensors; got one of dtype int32"):
            tape.watch(ops.array([1, 2]))
        tape.watch(x)
        y = x * x
        with pytest.raises(ValueError, match="is recording already"):
            tape.__enter__()
    with pytest.raises(ValueError, match="unconnected_gradients is 'none' or 'zero'; got 'some'"):
        tape.gradient(y, x, unconnected_gradients="some")
    with pytest.raises(TypeError, match="sources are tensors and Variables; got ndarray"):
        tape.gradient(y, X)
    with pytest.raises(ShapeError, match="a target has shape .3,., its weights .2,."):
        tape.gradient(y, x, output_gradients=np.ones(2, "float32"))
    with pytest.raises(ShapeError, match="no common samples"):
        tape.batch_jacobian(y, ops.ones((2, 2)))


class TestGrad:
    def test_values_and_gradients(self):
        value, slope = keras.value_and_grad(lambda x: ops.sum(x**3))(X)
        assert value.item() == 36
        np.testing.assert_allclose(slope, 3 * X**2)
        second = keras.grad(lambda x: ops.sum(keras.grad(lambda z: ops.sum(z**3))(x) * X))
        np.testing.assert_allclose(second(X), 6 * X * X, rtol=1e-6)

    def test_arguments_and_structures(self):
        def loss(parameters, x, scale=1.0):
            return scale * ops.sum(parameters["w"] * x + parameters["b"]), x.shape

        given, shape = keras.grad(loss, argnums=(0, 1), has_aux=True)({"w": X * 2, "b": X}, X, scale=2.0)
        np.testing.assert_allclose(given[0]["w"], 2 * X)
        np.testing.assert_allclose(given[0]["b"], [2, 2, 2])
        np.testing.assert_allclose(given[1], 4 * X)
        assert shape == (3,)

    def test_by_variables_and_compiled(self):
        v = keras.Variable(X)
        step = keras.function(keras.grad(lambda w, x: ops.sum(w * w * x), argnums=1))
        np.testing.assert_allclose(keras.grad(lambda w, x: ops.sum(w * w * x))(v, X), 2 * X * X)
        np.testing.assert_allclose(step(X, X), X * X)

    def test_wrong_uses(self):
        with pytest.raises(ShapeError, match="gradient is that of a scalar; the function gave shape .3,."):
            keras.grad(lambda x: x)(X)
        with pytest.raises(TypeError, match="argnums=2: the function was called with 1 positional"):
            keras.grad(lambda x: x, argnums=2)(X)


class TestCustomGradient:
    @eager_and_traced
    def test_its_rule_is_taken(self, way: Callable):
        @ops.custom_gradient
        def clipped(x):
            return ops.clip(x, -1, 1), lambda g: g * 10.0

        @way
        def slope(x):
            with keras.GradientTape() as tape:
                tape.watch(x)
                y = clipped(x * 2.0)
            return y, tape.gradient(y, x)

        y, found = slope(ops.array(X - 2))
        np.testing.assert_allclose(y, np.clip(2 * (X - 2), -1, 1))
        np.testing.assert_allclose(found, [20, 20, 20])

    def test_several_arguments_and_results(self):
        @ops.custom_gradient
        def function(a, b, scale=1.0):
            return (a * b * scale, a + b), lambda g, h: (g, h * 2.0)

        a, b = ops.array(X), ops.array(X + 1)
        with keras.GradientTape() as tape:
            tape.watch([a, b])
            y, z = function(a, b, scale=3.0)
            total = ops.sum(y) + ops.sum(z) * 5.0
        by_a, by_b = tape.gradient(total, [a, b])
        np.testing.assert_allclose(y, 3 * X * (X + 1))
        np.testing.assert_allclose(by_a, [1, 1, 1])
        np.testing.assert_allclose(by_b, [10, 10, 10])

    def test_in_a_model_that_trains(self):
        @ops.custom_gradient
        def reversed_gradient(x):
            return x, lambda g: -g

        inputs = keras.Input((3,))
        model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Lambda(reversed_gradient)(inputs)))
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 3), "float32"), np.ones((4, 1), "float32"), verbose=0)

    def test_wrong_uses(self):
        x = ops.array(X)
        with pytest.raises(TypeError, match="its result and a gradient function"):
            ops.custom_gradient(lambda x: x)(x)
        with keras.GradientTape(persistent=True) as tape:
            tape.watch(x)
            two = ops.custom_gradient(lambda x: (x, lambda g: (g, g)))(x)
            other = ops.custom_gradient(lambda x: (x, lambda g: g[:1]))(x)
        with pytest.raises(GraphError, match="has 1 tensor arguments, its gradient function gave 2"):
            tape.gradient(two, x)
        with pytest.raises(ShapeError, match="gradient of argument 0 has shape .1,.; the argument has .3,."):
            tape.gradient(other, x)


class TestJvp:
    def test_value_and_derivative(self):
        def function(a, b):
            return a * b, ops.sin(a) @ ops.exp(b)

        a, b = X, X / 3
        da, db = np.ones(3, "float32"), X * 0.5
        (y, z), (dy, dz) = ops.jvp(function, (a, b), (da, db))
        np.testing.assert_allclose(y, a * b)
        np.testing.assert_allclose(dy, da * b + a * db, rtol=1e-6)
        np.testing.assert_allclose(z, np.sin(a) @ np.exp(b), rtol=1e-6)
        np.testing.assert_allclose(dz, (np.cos(a) * da) @ np.exp(b) + np.sin(a) @ (np.exp(b) * db), rtol=1e-5)

    def test_traced_with_something_besides_and_a_loop(self):
        def function(x):
            last, rows = ops.scan(lambda s, x: (ops.tanh(s + x),) * 2, ops.zeros(()), x)
            return last, rows

        traced = keras.function(lambda x, t: ops.jvp(function, (x,), (t,), has_aux=True))
        y, dy, rows = traced(X, X)
        step = 1e-3
        ends = [float(function(ops.array(X + s * X))[0]) for s in (step, -step)]
        assert float(dy) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-2)
        assert rows.shape == (3,)

    def test_what_does_not_depend(self):
        _, dy = ops.jvp(lambda x: ops.ones(2), (X,), (X,))
        assert dy.tolist() == [0, 0]

    def test_wrong_uses(self):
        with pytest.raises(TypeError, match="tuples or lists with an entry for each argument"):
            ops.jvp(lambda x: x, X, X)
        with pytest.raises(
            ShapeError, match="tangents have the shapes of float primals; got float32.2. for float32.3."
        ):
            ops.jvp(lambda x: x, (X,), (X[:2],))
