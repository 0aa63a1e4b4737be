"""Graphs built by hand: KerasTensor, Function, and a user's own Operation. What Keras gives was looked up there."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit as keras
from layerkit import ops
from layerkit.errors import GraphError, ShapeError

ONES = np.ones((4, 2, 3), "float32")


class Scaled(keras.Operation):
    """x * factor, and y where it is given."""

    def __init__(self, factor=1.0, name=None):
        super().__init__(name=name)
        self.factor = factor

    def call(self, x, y=None):
        return x * self.factor if y is None else x * self.factor + y


# KerasTensor


def test_a_tensor_made_by_hand_is_symbolic():
    x = keras.KerasTensor([None, 3], np.int32, name="x")
    assert (x.shape, x.dtype, x.name, x.ndim) == ((None, 3), "int32", "x", 2)
    assert (x.sparse, x.ragged, x.record_history) == (False, False, True)
    assert keras.KerasTensor((2,)).name.startswith("keras_tensor")


def test_every_tensor_without_values_is_a_keras_tensor():
    x = keras.Input((3,))
    assert all(isinstance(one, keras.KerasTensor) for one in (x, x + 1, keras.layers.Dense(2)(x)))
    assert not any(isinstance(one, keras.KerasTensor) for one in (ops.ones(2), ONES, 1, None))


@pytest.mark.parametrize("argument", ["sparse", "ragged"])
def test_there_are_dense_tensors_only(argument):
    with pytest.raises(NotImplementedError, match=f"KerasTensor doesn't support `{argument}`, only dense"):
        keras.KerasTensor((2,), **{argument: True})


@pytest.mark.parametrize("shape", [None, 3, (-1, 2), ("a", 2), "ab"])
def test_a_shape_that_is_none_is_refused(shape):
    with pytest.raises(ShapeError, match="KerasTensor: `shape` must be a tuple of sizes"):
        keras.KerasTensor(shape)


def test_its_methods_take_keras_arguments():
    x = keras.KerasTensor((None, 1, 6))
    assert x.reshape(newshape=(-1, 3)).shape == x.reshape(-1, 3).shape == (None, 3)
    assert x.squeeze(axis=1).shape == x.__getitem__(key=(slice(None), 0)).shape == (None, 6)


def test_without_history_nothing_can_be_built_on_it():
    x = keras.KerasTensor((2,), record_history=False)
    with pytest.raises(GraphError, match="does not come from the model's inputs"):
        keras.Function(x, x * 2.0)


def test_methods_of_tensors_are_worked_out_where_a_model_runs():
    x = keras.Input((None, None, None))
    for y in (x.squeeze(1), ops.squeeze(x, 1), x.reshape((-1, 4))):
        shape = (6, 4) if y.shape[0] is None and y.ndim == 2 else (2, 3, 4)
        model = keras.Model(x, y)
        assert model(np.ones((2, 1, 3, 4), "float32")).shape == shape


# Function


def test_a_function_applies_its_operations_to_other_tensors():
    a, b = keras.KerasTensor((None, 2, 3)), keras.KerasTensor((None, 2, 3))
    total = a + b
    function = keras.Function(inputs=[a, b], outputs={"sigmoid": ops.sigmoid(total), "inner": [total]})
    assert (len(function.inputs), len(function.outputs), len(function.operations)) == (2, 2, 2)
    given = function([ONES, 2 * ONES])
    np.testing.assert_allclose(given["inner"][0], 3 * ONES)
    np.testing.assert_allclose(given["sigmoid"], 1 / (1 + np.exp(-3 * ONES)), rtol=1e-6)
    assert function.compute_output_shape([(5, 2, 3)] * 2) == {"sigmoid": (5, 2, 3), "inner": [(5, 2, 3)]}
    assert function.compute_output_spec([keras.KerasTensor((7, 2, 3))] * 2)["sigmoid"].shape == (7, 2, 3)


def test_a_function_of_layers_shares_their_weights_and_stands_in_models():
    x, dense = keras.Input((3,)), keras.layers.Dense(2)
    function = keras.Function(x, dense(x), name="part")
    assert [one.name for one in function.operations] == [x.name, dense.name]
    y = keras.Input((3,))
    model = keras.Model(y, function(y) * 2.0)
    rows = np.ones((5, 3), "float32")
    np.testing.assert_allclose(model.predict(rows, verbose=0), 2 * dense(rows).numpy(), rtol=1e-6)
    assert [one.name for one in model.operations[:2]] == [y.name, "part"]


def test_a_function_is_compiled_and_has_a_gradient():
    x = keras.KerasTensor((None, 2))
    function = keras.Function(x, ops.sum(x * x, axis=-1))
    value = keras.ops.convert_to_tensor(np.array([[1.0, 2.0]], "float32"))
    assert keras.function(lambda x: function(x))(value).tolist() == [5.0]
    assert keras.grad(lambda x: ops.sum(function(x)))(value).tolist() == [[2.0, 4.0]]


def test_a_model_is_a_function_and_all_are_operations():
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(1)(x))
    assert isinstance(model, keras.Function)
    assert all(isinstance(one, keras.Operation) for one in (model, *model.layers, keras.Function(x, x + 1)))


def test_wrong_inputs_of_a_function():
    a, b = keras.KerasTensor((None, 2, 3), name="a"), keras.KerasTensor((None, 2, 3))
    function = keras.Function([a, b], a + b)
    for given in (ONES, (ONES, ONES), [ONES]):
        with pytest.raises(ValueError, match=r"invalid input structure. Expected input structure: \[\(None, 2, 3\)"):
            function(given)
    for given in (np.ones((4, 2, 4)), np.ones((4, 2))):
        with pytest.raises(ShapeError, match=r"For input 'a', expected shape \(None, 2, 3\), but received"):
            function([given, ONES])
    with pytest.raises(ValueError, match="`outputs` argument cannot be empty"):
        keras.Function(a, [])
    with pytest.raises(GraphError, match="Graph disconnected"):
        keras.Function(a, a + b)


# Operation


def test_an_operation_runs_on_arrays_and_symbolic_tensors():
    double = Scaled(2.0)
    assert double(np.ones(2)).tolist() == [2.0, 2.0]
    x = keras.KerasTensor((None, 3))
    y = double(x, y=x)
    assert y.shape == (None, 3)
    assert double.output is y
    assert [one is x for one in double.input] == [True, True]
    assert double.compute_output_spec(keras.KerasTensor((4, 3))).shape == (4, 3)
    assert (repr(double), double.name) == (f"<Operation name={double.name}>", double.name)


def test_its_constructor_is_its_config():
    double = Scaled(2.0, name="double")
    assert double.get_config() == {"name": "double", "factor": 2.0}
    again = Scaled.from_config(double.get_config())
    assert (again.name, again.factor) == ("double", 2.0)


def test_a_config_of_its_own_adds_to_the_name():
    class Shifted(keras.Operation):
        def __init__(self, by, **kwargs):
            super().__init__(**kwargs)
            self.by = by

        def get_config(self):
            return {**super().get_config(), "by": self.by}

    assert Shifted(3, name="up").get_config() == {"name": "up", "by": 3}


def test_an_operation_may_state_its_shape():
    class Widened(keras.Operation):
        def call(self, x):
            return ops.cast(ops.broadcast_to(ops.expand_dims(x, -1), (*x.shape, 7)), "int32")

        def compute_output_spec(self, x):
            return keras.KerasTensor((*x.shape, 7), "int32")

    x = keras.Input((3,))
    y = Widened()(x)
    assert (y.shape, y.dtype) == ((None, 3, 7), "int32")
    assert keras.Model(x, y)(np.ones((2, 3), "float32")).shape == (2, 3, 7)


def test_an_operation_in_a_model_trains_is_saved_and_cloned(tmp_path, capsys):
    x = keras.Input((3,))
    dense = keras.layers.Dense(2, name="dense_of_scaled")
    scale = Scaled(0.5, name="half")
    model = keras.Model(x, scale(scale(dense(x)), y=dense(x)))
    assert [one.name for one in model.operations] == [x.name, "dense_of_scaled", "half"]
    assert scale not in model.layers
    model.summary()
    assert "half (Scaled)" in capsys.readouterr().out
    model.compile("sgd", "mse")
    rows = np.random.default_rng(0).normal(size=(32, 3)).astype("float32")
    losses = model.fit(rows, rows[:, :2], epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    expected = model.predict(rows, verbose=0)
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5", custom_objects={"Scaled": Scaled})
    np.testing.assert_array_equal(loaded.predict(rows, verbose=0), expected)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(rows, verbose=0), expected)
    assert clone.operations[-1].name == "half"
    assert clone.operations[-1] is not scale


def test_an_operation_in_a_compiled_function_and_on_a_tape():
    double = Scaled(2.0)
    value = ops.convert_to_tensor(np.array([1.0, 3.0], "float32"))
    assert keras.function(lambda x: double(x))(value).tolist() == [2.0, 6.0]
    assert keras.grad(lambda x: ops.sum(double(x, y=x * x)))(value).tolist() == [4.0, 8.0]


def test_wrong_uses_of_operations():
    with pytest.raises(ValueError, match="cannot contain character `/`"):
        Scaled(name="a/b")
    with pytest.raises(AttributeError, match="has never been called"):
        _ = Scaled().input
    with pytest.raises(NotImplementedError, match=r"does not have a `call\(\)`"):
        keras.Operation(name="nothing")(np.ones(2))
    with pytest.raises(TypeError, match=r"its base is layerkit.graph.Operation"):

        class _Own(keras.Operation):
            def infer(self, x):
                return x.shape, x.dtype

            def reference(self, x):
                return x


def test_an_error_in_a_call_says_which_operation():
    class Broken(keras.Operation):
        def call(self, x):
            raise ValueError("bang")

    with pytest.raises(ValueError, match="bang") as caught:
        Broken(name="broken")(keras.KerasTensor((2,)))
    assert "'broken'" in caught.value.__notes__[0]
