"""What `Layer` promises to those who write layers."""

import copy
import json
import threading

import numpy as np
import pytest

from layerkit import layers, models, ops
from layerkit.graph import Tensor, Variable
from layerkit.layers import Dense, Layer
from layerkit.serialization import (
    deserialize_keras_object,
    get_registered_name,
    register_keras_serializable,
    serialize_keras_object,
)

X = np.ones((2, 3), "float32")


class Scale(Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")

    def call(self, inputs):
        return inputs * self.factor


class Block(Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = []
        self.named = {"last": Dense(1)}
        self.first.append(Dense(units))
        self.count = Variable(np.zeros(()), trainable=False, name="count")

    def call(self, inputs, training=None):
        if training:
            self.count.assign_add(1.0)
        return self.named["last"](self.first[0](inputs))


def test_tracks_attributes_lists_and_dictionaries() -> None:
    block = Block(4, name="block")
    assert block.compute_output_shape((None, 3)) == (None, 1)
    names = ["count", "block/dense", "block/dense"]
    assert [v.path.split("/k")[0].split("/b")[0].rstrip("_0123456789") for v in block.weights][0] == names[0]
    assert [v.shape for v in block.weights] == [(), (4, 1), (1,), (3, 4), (4,)]
    assert len(block.trainable_weights) == 4
    block.trainable = False
    assert block.trainable_weights == []
    assert not block.first[0].kernel.trainable


def test_training_reaches_inner_layers() -> None:
    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.drop = layers.Dropout(0.5, seed=1)

        def call(self, inputs):
            return self.drop(inputs)

    outer = Outer()
    assert np.array_equal(outer(X), X)
    assert not np.array_equal(outer(X, training=True), X)
    assert np.array_equal(outer(X), X)


def test_build_with_several_shapes() -> None:
    class Two(Layer):
        def build(self, a_shape, b_shape):
            self.w = self.add_weight(shape=(a_shape[-1], b_shape[-1]), name="w")

        def call(self, a, b):
            return ops.matmul(a, self.w) + b

    two = Two()
    assert two(X, np.ones((2, 5), "float32")).shape == (2, 5)
    assert two.get_build_config() == {"shapes_dict": {"a_shape": (2, 3), "b_shape": (2, 5)}}

    class Wrong(Two):
        def build(self, a_shape, c_shape):
            """Nothing."""

    with pytest.raises(ValueError, match="`build\\(\\)` has the argument 'c_shape'"):
        Wrong()(X, X)


def test_errors_say_where() -> None:
    class Failing(Layer):
        def call(self, inputs):
            return inputs + np.ones((2, 9))

    class Outer(Layer):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = Failing(name="inner")

        def call(self, inputs):
            return self.inner(inputs)

    with pytest.raises(ValueError, match="do not broadcast") as caught:
        Outer()(X)
    assert "outer/inner" in str(caught.value) + "".join(getattr(caught.value, "__notes__", ()))
    dense = Dense(2, name="d")
    dense(X)
    with pytest.raises(
        ValueError,
        match="Input 0 of layer 'd' is incompatible .* expected axis -1 .* to have value 3, .* with shape \\(2, 7\\)",
    ):
        dense(np.ones((2, 7)))
    with pytest.raises(ValueError, match="expected min_ndim=2, found ndim=1"):
        dense(np.ones(3))
    with pytest.raises(ValueError, match="units=-1"):
        Dense(-1)
    with pytest.raises(ValueError, match="Did you mean 'relu'"):
        Dense(1, activation="rely")
    with pytest.raises(ValueError, match="Unrecognized keyword arguments passed to Dense: {'unit': 3}"):
        Dense(1, unit=3)
    with pytest.raises(ValueError, match="bfloat16"):
        Dense(1, dtype="bfloat16")

    class Forgot(Layer):
        def __init__(self):
            self.x = 1

        def call(self, inputs):
            return inputs

    with pytest.raises(RuntimeError, match="forgot to call `super\\(\\).__init__\\(\\)`"):
        Forgot()(X)


def test_state_can_not_be_added_after_build() -> None:
    scale = Scale()
    scale(X)
    with pytest.raises(ValueError, match="already built"):
        scale.more = Dense(2)


def test_losses() -> None:
    dense = Dense(2, kernel_regularizer="l2", activity_regularizer="l1", kernel_initializer="ones")
    dense(X)
    assert [float(loss) for loss in dense.losses] == pytest.approx([0.01 * 12 / 2, 0.01 * 6])
    dense(X)
    assert len(dense.losses) == 2


def test_converts_inputs() -> None:
    assert Dense(1)([[1.0, 2.0]]).shape == (1, 1)
    assert Dense(1)(np.ones((1, 2), "float64")).dtype == "float32"
    assert layers.Identity()(np.ones(2, "int64")).dtype == "int64"
    assert layers.Identity()({"a": np.ones(2), "b": [np.ones(1)]})["b"][0].dtype == "float32"


def test_masks() -> None:
    embedding = layers.Embedding(4, 3, mask_zero=True)
    y = layers.Dense(2)(embedding(np.array([[1, 0, 2]])))
    assert y.mask.tolist() == [[True, False, True]]
    mean = layers.GlobalAveragePooling1D()(y)
    np.testing.assert_allclose(mean, (np.asarray(y)[:, 0] + np.asarray(y)[:, 2]) / 2, rtol=1e-6)
    assert mean.mask is None
    with pytest.warns(UserWarning, match="does not support masking"):
        layers.Flatten()(y)


def test_styles_of_config() -> None:
    @register_keras_serializable("pack")
    class Written(Layer):
        def __init__(self, units, inner=None, **kwargs):
            super().__init__(**kwargs)
            self.units, self.inner = units, inner

        def get_config(self):
            return {**super().get_config(), "units": self.units}

        def call(self, inputs):
            return inputs

    @register_keras_serializable("pack")
    class Automatic(Layer):
        def __init__(self, inner, factor=2.0, **kwargs):
            super().__init__(**kwargs)
            self.inner, self.wrapped = inner, factor

        def call(self, inputs):
            return self.inner(inputs) * self.wrapped

    written = Written(3, name="w", trainable=False)
    assert get_registered_name(Written) == "pack>Written"
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(written))))
    assert (again.units, again.name, again.trainable) == (3, "w", False)
    automatic = Automatic(Dense(2), name="a")
    automatic(X)
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(automatic))))
    assert again.wrapped == 2.0
    again.set_weights(automatic.get_weights())
    np.testing.assert_array_equal(again(X), automatic(X))


def test_unknown_class() -> None:
    config = {"module": "evil.module", "class_name": "Thing", "config": {}, "registered_name": "Thing"}
    with pytest.raises(ValueError, match="pass it in `custom_objects={'Thing': Thing}`"):
        deserialize_keras_object(config)
    lambda_config = {"class_name": "__lambda__", "config": {"code": ""}}
    with pytest.raises(ValueError, match="never runs code from a file"):
        deserialize_keras_object(lambda_config)
    with pytest.raises(ValueError, match="A lambda can't be saved"):
        serialize_keras_object(layers.Lambda(lambda x: x))


def test_user_classes_do_not_replace_layerkits() -> None:
    class Dense(Layer):
        def call(self, inputs):
            return inputs

    assert Dense.__module__ == __name__
    made = deserialize_keras_object(serialize_keras_object(layers.Dense(2)))
    assert type(made) is layers.Dense


def test_threads_have_contexts_of_their_own() -> None:
    drop = layers.Dropout(0.5, seed=1)
    found = []
    with_training = threading.Thread(target=lambda: [drop(X, training=True) for _ in range(50)])
    with_training.start()
    found = [np.array_equal(drop(X), X) for _ in range(50)]
    with_training.join()
    assert all(found)


def test_deepcopy_keeps_tracking() -> None:
    block = copy.deepcopy(Block(4))
    block(X)
    assert len(block.weights) == 5


def test_batch_normalization_moves_its_averages() -> None:
    layer = layers.BatchNormalization(momentum=0.5)
    x = np.array([[0.0], [2.0]], "float32")
    layer(x, training=True)
    assert layer.moving_mean.numpy().tolist() == [0.5]
    assert layer.moving_variance.numpy().tolist() == [1.0]
    layer.trainable = False
    layer(x, training=True)
    assert layer.moving_mean.numpy().tolist() == [0.5]


def test_symbolic_call_is_noted() -> None:
    x = layers.Input((3,), name="x")
    dense = Dense(2)
    y = dense(x)
    assert isinstance(y, Tensor)
    assert dense.input is x
    assert dense.output is y
    with pytest.raises(AttributeError, match="never been called"):
        _ = Dense(2).output


def test_weights_by_place():
    layer = Layer()
    assert layer.add_weight((2,), "ones", "float64", name="scale").dtype == "float64"
    assert layer.add_weight((2,), initializer="ones", name="offset").numpy().tolist() == [1.0, 1.0]
    kept = layer.add_variable((), "zeros", "int32", False, True, None, None, "count")
    assert (kept.name, kept.dtype, kept.trainable) == ("count", "int32", False)
    with pytest.raises(TypeError, match="takes at most 3 positional arguments but 4 were given"):
        layer.add_weight((2,), "ones", None, False)
    with pytest.raises(ValueError, match=r"`name` must be passed as a keyword argument.*shape=\.\.\., name='scale'"):
        layer.add_weight("scale")
    with pytest.raises(ValueError, match="`shape` was passed both positionally and as a keyword argument"):
        layer.add_weight((2,), shape=(2,))


def test_a_stack_says_its_shape_and_takes_no_other_arguments():
    stack = models.Sequential([Dense(4), Dense(2)])
    assert stack.compute_output_shape(input_shape=(None, 3)) == (None, 2)
    assert stack.compute_output_spec(inputs=Tensor((5, 3), "float32"), training=False).shape == (5, 2)
    with pytest.raises(TypeError, match="takes inputs, `training` and `mask`; got scale"):
        stack(X, scale=2)


def test_random_crop_takes_its_name_by_place():
    assert layers.RandomCrop(2, 2, 1, "channels_last", "crop").name == "crop"


def test_module_objects_are_looked_up_too():
    config = {"class_name": "Scale", "config": {"name": "s"}, "module": "elsewhere", "registered_name": "Scale"}
    assert type(deserialize_keras_object(config, module_objects={"Scale": Scale})) is Scale
    assert deserialize_keras_object("Scale", module_objects={"Scale": Scale}) is Scale
    with pytest.raises(TypeError, match="unexpected keyword arguments: objects"):
        deserialize_keras_object(config, objects={})


class CallsBase(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = Dense(2)

    def build(self, input_shape):
        super().build(input_shape)
        self.factor = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs):
        return self.inner(inputs) * self.factor


def test_a_build_that_calls_the_base_class_leaves_inner_layers_to_the_call():
    layer = CallsBase()
    assert layer(X).shape == (2, 2)
    assert len(layer.weights) == 3


def test_the_convolution_itself_may_be_another():
    class Doubled(layers.Conv2D):
        def convolution_op(self, inputs, kernel):
            return 2 * super().convolution_op(inputs, kernel)

    x = np.ones((1, 3, 3, 1), "float32")
    layer = Doubled(1, 2, kernel_initializer="ones")
    np.testing.assert_array_equal(layer(x), np.full((1, 2, 2, 1), 8))


def test_the_mask_has_the_name_that_guides_print():
    masked = layers.Embedding(3, 2, mask_zero=True)(np.array([[1, 0]]))
    assert masked._keras_mask.tolist() == [[True, False]]


def test_reshape_to_an_unknown_size_and_one_to_be_found():
    assert ops.reshape(Tensor((None, 4, 4, 3), "float32"), (None, -1, 3)).shape == (None, None, 3)


def test_a_loss_of_a_symbolic_tensor_is_added_in_call():
    inputs = layers.Input((3,))
    model = models.Model(inputs, layers.Dense(2)(inputs))
    with pytest.raises(ValueError, match="has its place in a layer's `call`.*Write a layer"):
        model.add_loss(ops.mean(model.output))


def test_what_is_taken_out_of_a_list_or_dictionary_is_no_state_any_more():
    class Stack(Layer):
        def __init__(self):
            super().__init__()
            self.kept = Dense(2)
            self.list = [Dense(3), Dense(4), Dense(5), self.kept]
            self.table = {"a": [Dense(6)], "b": Dense(7), "c": Dense(8)}

    def units(stack):
        return [layer.units for layer in stack._layers]

    stack = Stack()
    assert stack.list.pop(1).units == 4
    stack.list.pop()  # an attribute still holds it
    del stack.list[0]
    assert units(stack) == [2, 5, 6, 7, 8]
    stack.list.remove(stack.list[0])
    assert stack.table.pop("a")[0].units == 6
    assert stack.table.pop("a", None) is None
    assert stack.table.popitem()[0] == "c"
    assert units(stack) == [2, 7]
    del stack.table["b"]
    stack.list.append(Dense(9))
    stack.list.clear()
    stack.table.clear()
    assert units(stack) == [2]
    stack.list = [Dense(3)]
    del stack.list
    assert units(stack) == [2]
