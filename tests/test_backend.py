"""layerkit.backend: Keras 2's functions, against NumPy; the scopes and settings around it."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit as keras
from layerkit import backend as K
from layerkit import ops

X = np.arange(12, dtype="float32").reshape(3, 4)


def test_functions_that_are_those_of_ops():
    assert K.mean is ops.mean
    assert K.pow(X, 2).numpy().tolist() == (X**2).tolist()
    assert K.permute_dimensions(X, (1, 0)).shape == (4, 3)
    assert K.argmax(X).tolist() == [3, 3, 3]
    assert K.cumsum(X).numpy().tolist() == X.cumsum(0).tolist()
    assert K.concatenate([X, X]).shape == (3, 8)
    assert K.hard_sigmoid([-4.0, 0.0, 1.0]).numpy().tolist() == pytest.approx([0, 0.5, 0.7])


def test_shapes_and_elements():
    assert K.flatten(X).shape == (12,)
    assert K.batch_flatten(X.reshape(3, 2, 2)).shape == (3, 4)
    assert K.reverse(X, 1).numpy().tolist() == X[:, ::-1].tolist()
    assert K.repeat(X, 5).shape == (3, 5, 4)
    assert K.repeat_elements(X, 2, 0).numpy().tolist() == np.repeat(X, 2, 0).tolist()
    assert K.gather(X, [2, 0]).numpy().tolist() == X[[2, 0]].tolist()
    assert K.one_hot([1, 0], 3).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert K.temporal_padding(X[None], (1, 2)).shape == (1, 6, 4)
    assert K.spatial_2d_padding(X[None, :, :, None]).shape == (1, 5, 6, 1)
    assert K.spatial_3d_padding(np.ones((1, 2, 3, 4, 5)), data_format="channels_first").shape == (1, 2, 5, 6, 7)
    assert K.resize_images(X[None, :, :, None], 2, 3, "channels_last").shape == (1, 6, 12, 1)
    assert K.resize_volumes(np.ones((1, 2, 3, 4, 5)), 2, 1, 3, "channels_first").shape == (1, 2, 6, 4, 15)
    assert K.int_shape(X) == (3, 4)
    assert K.count_params(X) == 12
    assert K.dtype(X) == "float32"
    assert K.cast_to_floatx([1, 2]).dtype == "float32"


@pytest.mark.parametrize(
    ("shapes", "axes", "expected"),
    [
        (((3, 4), (3, 4)), 1, "ab,ab->a"),
        (((3, 4, 5), (3, 5, 2)), None, "abc,acd->abd"),
        (((3, 4, 5), (3, 6, 5)), 2, "abc,adc->abd"),
        (((3, 4), (3, 4, 2)), (1, 1), "ab,abc->ac"),
        (((3, 2, 4, 5), (3, 5, 6)), (3, 1), "abcd,ade->abce"),
    ],
)
def test_batch_dot(shapes, axes, expected):
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=shape).astype("float32") for shape in shapes)
    wanted = np.einsum(expected, x, y)
    found = K.batch_dot(x, y, axes).numpy()
    np.testing.assert_allclose(found, wanted if wanted.ndim > 1 else wanted[:, None], rtol=1e-5)


def test_neural_functions():
    assert (
        K.relu(X - 5, alpha=0.1, max_value=3).numpy().tolist()
        == np.clip(np.where(X < 5, 0.1 * (X - 5), X - 5), None, 3).astype("float32").tolist()
    )
    np.testing.assert_allclose(
        K.l2_normalize(X[1:], axis=1).numpy(), X[1:] / np.linalg.norm(X[1:], axis=1)[:, None], rtol=1e-6
    )
    assert K.bias_add(X, [1, 2, 3, 4]).numpy().tolist() == (X + [1, 2, 3, 4]).tolist()
    assert K.bias_add(np.zeros((1, 2, 3, 3)), [1.0, 2.0], "channels_first").numpy()[0, 1].tolist() == [[2] * 3] * 3
    image, kernel = np.ones((1, 5, 5, 2), "float32"), np.ones((3, 3, 2, 4), "float32")
    assert K.conv2d(image, kernel, padding="same").shape == (1, 5, 5, 4)
    assert K.conv2d(image, kernel).numpy().max() == 18
    assert K.pool2d(image, (2, 2), (2, 2), pool_mode="avg").numpy().max() == 1
    with pytest.raises(ValueError, match="pool_mode is 'max' or 'avg'; got 'sum'"):
        K.pool2d(image, (2, 2), pool_mode="sum")
    with pytest.raises(ValueError, match="not output_shape"):
        K.conv2d_transpose(image, np.ones((3, 3, 4, 2), "float32"), (1, 9, 9, 4))
    assert K.conv2d_transpose(image, np.ones((3, 3, 4, 2), "float32"), (1, 7, 7, 4)).shape == (1, 7, 7, 4)
    np.testing.assert_allclose(
        K.batch_normalization(X, X.mean(0), X.var(0), np.zeros(4), np.ones(4)).numpy(),
        (X - X.mean(0)) / np.sqrt(X.var(0) + 1e-3),
        rtol=1e-5,
    )


def test_variables():
    v = K.variable(X, name="v")
    K.set_value(v, X + 1)
    K.update_add(v, X)
    assert K.get_value(v).tolist() == (2 * X + 1).tolist()
    K.moving_average_update(v, np.zeros((3, 4), "float32"), 0.5)
    assert K.batch_get_value([v])[0].tolist() == (X + 0.5).tolist()
    assert K.constant(2, shape=(2,)).tolist() == [2, 2]


def test_control_flow():
    assert K.switch(ops.array(True), lambda: ops.ones(2), lambda: ops.zeros(2)).tolist() == [1, 1]
    assert K.switch(X[:, 0] > 3, X, -X).numpy().tolist() == np.where(X[:, :1] > 3, X, -X).tolist()
    assert K.map_fn(lambda row: ops.sum(row), X).tolist() == X.sum(1).tolist()
    assert K.foldl(lambda a, b: a - b, np.array([9.0, 3.0, 1.0])).item() == 5
    assert K.foldr(lambda a, b: a - b, np.array([9.0, 3.0, 1.0])).item() == -11
    with pytest.raises(NotImplementedError, match="GradientTape"):
        K.gradients(1, [2])


def test_ctc():
    rng = np.random.default_rng(0)
    p = rng.random((2, 6, 4)).astype("float32")
    p /= p.sum(-1, keepdims=True)
    loss = K.ctc_batch_cost(np.array([[0, 1], [2, 0]]), p, np.array([[6], [5]]), np.array([[2], [1]]))
    assert loss.shape == (2, 1)
    assert (loss.numpy() > 0).all()
    paths, scores = K.ctc_decode(p, np.array([6, 5]))
    assert paths[0].shape[0] == 2


def test_names_and_numbers():
    keras.utils.clear_session()
    assert [K.get_uid("dense"), K.get_uid("dense"), K.get_uid("conv")] == [1, 2, 1]
    assert K.is_keras_tensor(keras.Input((3,)))
    assert not K.is_keras_tensor(ops.ones(2))
    with keras.name_scope("outer"), keras.name_scope("inner"):
        assert keras.Variable(0.0, name="v").path == "outer/inner/v"
    with pytest.raises(ValueError, match="name is a string without '/'; got 'a/b'"):
        keras.name_scope("a/b")
    with keras.device("/CPU:0"), pytest.raises(ValueError, match="computes on the CPU, 'cpu:0'; got device 'gpu:0'"):
        keras.device("gpu:0").__enter__()


class TestStatelessScope:
    def test_reads_and_assignments_stay_inside(self):
        v, w = keras.Variable(X), keras.Variable(X)
        with keras.StatelessScope([(v, X * 0)]) as scope:
            v.assign_add(X + 1)
            total = ops.sum(v) + ops.sum(w)
        assert total.item() == (X + 1).sum() + X.sum()
        assert scope.get_current_value(w) is None
        assert scope.get_current_value(v).numpy().tolist() == (X + 1).tolist()
        assert v.numpy().tolist() == X.tolist()

    def test_in_a_compiled_function(self):
        v = keras.Variable(X)

        @keras.function
        def pure(value, x):
            with keras.StatelessScope([(v, value)]) as scope:
                v.assign(v * x)
            return scope.get_current_value(v)

        assert pure(X + 1, X).numpy().tolist() == ((X + 1) * X).tolist()
        assert v.numpy().tolist() == X.tolist()

    def test_wrong_shape(self):
        with pytest.raises(ValueError, match="its value in the mapping .2,."):
            keras.StatelessScope([(keras.Variable(X), np.ones(2))])


class TestSettings:
    def test_caps_of_fit(self):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        steps = []
        count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
        keras.config.set_max_epochs(2)
        keras.config.set_max_steps_per_epoch(3)
        try:
            with pytest.warns(UserWarning, match="fit runs 2 of 5 epochs"):
                model.fit(np.ones((40, 2)), np.ones(40), batch_size=4, epochs=5, verbose=0, callbacks=[count])
            assert steps == [0, 1, 2] * 2
            assert model.predict(np.ones((40, 2)), batch_size=4, verbose=0).shape == (12, 1)
        finally:
            keras.config.set_max_epochs(None)
            keras.config.set_max_steps_per_epoch(None)
        with pytest.raises(ValueError, match="max_epochs is a positive integer or None; got 0"):
            keras.config.set_max_epochs(0)

    def test_what_there_is_nothing_of(self):
        with pytest.raises(ValueError, match="layerkit is its own backend"):
            keras.config.set_backend("jax")
        with pytest.raises(ValueError, match="Loading never runs code"):
            keras.config.enable_unsafe_deserialization()
        with pytest.raises(NotImplementedError, match="flash attention"):
            keras.config.enable_flash_attention()

    def test_mixed_policies_compute_in_float32_and_say_so(self):
        with pytest.warns(UserWarning, match="'mixed_float16' computes in float32"):
            layer = keras.layers.Dense(2, dtype="mixed_float16")
        assert (layer.compute_dtype, layer.dtype_policy.name) == ("float32", "mixed_float16")
        assert layer(np.ones((1, 3))).dtype == "float32"
        with pytest.warns(UserWarning, match="computes in float32"):
            again = keras.layers.Dense.from_config(layer.get_config())
        assert again.dtype_policy.name == "mixed_float16"
        assert keras.dtype_policies.get("float64").compute_dtype == "float64"


class TestPureFunctions:
    def model(self):
        model = keras.Sequential(
            [
                keras.Input((3,)),
                keras.layers.Dense(4, kernel_regularizer="l2"),
                keras.layers.BatchNormalization(),
                keras.layers.Dense(1),
            ]
        )
        model.compile("adam", "mse", metrics=["mae"])
        return model

    def test_a_call_for_other_values(self):
        model = self.model()
        before = [v.numpy() for v in model.variables]
        values = [v.numpy() * 2 for v in model.trainable_variables]
        x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
        outputs, changed, losses = model.stateless_call(
            values, [v.numpy() for v in model.non_trainable_variables], x, training=True, return_losses=True
        )
        for a, b in zip(model.variables, before, strict=True):
            np.testing.assert_array_equal(a.numpy(), b)
        assert len(losses) == 1
        assert losses[0].item() == pytest.approx(4 * float(model.losses[0]), rel=1e-5)
        assert any(
            (new.numpy() != v.numpy()).any() for new, v in zip(changed, model.non_trainable_variables, strict=True)
        )
        for v, value in zip(model.trainable_variables, values, strict=True):
            v.assign(value)
        np.testing.assert_allclose(outputs.numpy(), model(x, training=True).numpy(), rtol=1e-6)
        with pytest.raises(ValueError, match="variables; got 0 values"):
            model.stateless_call([], [], x)

    def test_a_metric_for_other_values(self):
        metric = keras.metrics.MeanSquaredError()
        values = [v.numpy() for v in metric.variables]
        values = metric.stateless_update_state(values, [0.0, 0.0], [1.0, 3.0])
        assert metric.stateless_result(values).item() == 5
        assert float(metric.result()) == 0
        metric.update_state([0.0], [1.0])
        assert [v.numpy().item() for v in metric.stateless_reset_state()] == [0, 0]
        assert float(metric.result()) == 1

    def test_an_optimizer_for_other_values(self):
        first, second = (keras.Variable(X) for _ in range(2))
        pure, plain = keras.optimizers.Adam(0.1), keras.optimizers.Adam(0.1)
        pure.build([first])
        plain.build([second])
        values, own = [first.numpy()], [v.numpy() for v in pure.variables]
        for _ in range(3):
            values, own = pure.stateless_apply(own, [X + 1], values)
            plain.apply([X + 1])
        np.testing.assert_allclose(values[0].numpy(), second.numpy(), rtol=1e-6)
        assert first.numpy().tolist() == X.tolist()
        assert int(pure.iterations) == 0

    def test_the_state_as_a_tree(self):
        model, other = self.model(), self.model()
        x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
        model.fit(x, y, verbose=0)
        state = model.get_state_tree(value_format="numpy_array")
        assert set(state) == {
            "trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables"
        }  # fmt: skip
        leaves = keras.tree.flatten(state["trainable_variables"])
        assert [leaf.shape for leaf in leaves] == [
            v.shape for v in sorted(model.trainable_variables, key=lambda v: v.path)
        ]
        model.fit(x, y, verbose=0)
        model.set_state_tree(state)
        for a, b in zip(
            keras.tree.flatten(model.get_state_tree("numpy_array")), keras.tree.flatten(state), strict=True
        ):
            np.testing.assert_array_equal(a, b)
        with pytest.raises(ValueError, match="has no variable 'nothing' among its trainable_variables"):
            other.set_state_tree({"trainable_variables": {"nothing": np.ones(2)}})
        with pytest.raises(ValueError, match="value_format is one of"):
            model.get_state_tree("torch")

    def test_a_loss_for_other_values(self):
        model = self.model()
        x, y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
        trainable = [v.numpy() * 0 for v in model.trainable_variables]
        rest = [v.numpy() for v in model.non_trainable_variables]
        metrics = [v.numpy() for metric in model.metrics for v in metric.variables]
        y_pred, _ = model.stateless_call(trainable, rest, x)
        loss, _ = model.stateless_compute_loss(trainable, rest, metrics, x, y, y_pred)
        assert loss.item() == 1
