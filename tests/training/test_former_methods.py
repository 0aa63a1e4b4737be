"""What scripts for Keras 2 call and pass: methods for generators, batch shapes of first layers, arguments."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit
from layerkit import layers


def model() -> layerkit.Sequential:
    made = layerkit.Sequential([layerkit.Input((3,)), layers.Dense(2, activation="softmax")])
    made.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return made


def batches():
    while True:
        yield np.ones((4, 3), "float32"), np.array([0, 1, 0, 1])


def test_generators_have_fit_evaluate_and_predict():
    trained = model()
    with pytest.warns(UserWarning, match="`Model.fit_generator` is of Keras 2. Please use `Model.fit`"):
        history = trained.fit_generator(batches(), steps_per_epoch=3, epochs=2, workers=2, max_queue_size=5, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match=r"use `Model.evaluate`"):
        assert trained.evaluate_generator(batches(), 2) == trained.evaluate(batches(), steps=2, verbose=0)
    with pytest.warns(UserWarning, match=r"use `Model.predict`"):
        np.testing.assert_array_equal(
            trained.predict_generator(batches(), 2), trained.predict(batches(), steps=2, verbose=0)
        )


def test_removed_methods_say_what_to_use():
    with pytest.raises(AttributeError, match=r"model.predict\(x\).argmax\(axis=-1\)"):
        model().predict_classes(np.ones((1, 3)))
    assert not hasattr(model(), "predict_proba")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"batch_input_shape": (2, 5, 3)}, (2, 5, 3)),
        ({"input_shape": (5, 3), "batch_size": 2}, (2, 5, 3)),
        ({"input_dim": 3, "input_length": 5}, (None, 5, 3)),
        ({"input_shape": (5, 3)}, (None, 5, 3)),
    ],
)
@pytest.mark.parametrize("layer", [layers.LSTM, layers.SimpleRNN, layers.Dense])
def test_a_first_layer_may_say_the_models_input(layer: type, arguments: dict, expected: tuple):
    with pytest.warns(UserWarning, match="Do not pass an `input_shape`"):
        made = layerkit.Sequential([layer(4, **arguments)])
    assert made.inputs[0].shape == expected


def test_reset_states_of_a_model():
    made = layerkit.Sequential([layerkit.Input(batch_shape=(2, 5, 3)), layers.LSTM(4, stateful=True)])
    x = np.ones((2, 5, 3), "float32")
    first, second = made.predict(x, verbose=0), made.predict(x, verbose=0)
    assert not np.allclose(first, second)
    made.reset_states()
    np.testing.assert_array_equal(made.predict(x, verbose=0), first)


def test_tensorboard_takes_arguments_that_changed_nothing():
    with pytest.warns(UserWarning, match="batch_size and write_grads of Keras 2 change nothing any more"):
        layerkit.callbacks.TensorBoard("logs", batch_size=32, write_grads=False)
    with pytest.raises(TypeError, match="TensorBoard takes no argument 'bach_size'"):
        layerkit.callbacks.TensorBoard("logs", bach_size=32)


def test_a_train_step_of_keras_2_with_the_compiled_loss_and_metrics():
    class Stepped(layerkit.Model):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(1)

        def call(self, inputs):
            return self.inner(inputs)

        def train_step(self, data):
            x, y = data
            with layerkit.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            variables = self.trainable_variables
            self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
            self.compiled_metrics.update_state(y, y_pred)
            return {**self.get_metrics_result(), "loss": loss}

    model = Stepped()
    model.compile("sgd", "mse", metrics=["mae"])
    loss, metrics = "Please use `Model.compute_loss`", "Please use `Model.compute_metrics`"
    with pytest.warns(UserWarning, match=loss), pytest.warns(UserWarning, match=metrics):
        history = model.fit(np.ones((8, 2)), np.zeros(8), epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0] and history["mae"][1] < history["mae"][0]
