"""What fit, evaluate and predict do besides the numbers."""

import warnings

import numpy as np
import pytest

from layerkit import callbacks, initializers, layers, losses, metrics, models, ops, optimizers
from layerkit.graph import gradients
from layerkit.utils import set_random_seed
from tests.recordings.loader import cases

RNG = np.random.default_rng(0)
X = RNG.standard_normal((20, 4)).astype("float32")
Y = RNG.integers(0, 3, 20).astype("int32")


def classifier(optimizer="sgd", **options):
    model = models.Sequential([layers.Input((4,)), layers.Dense(5, activation="relu"), layers.Dense(3)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    options.setdefault("run_eagerly", True)
    model.compile(optimizer, loss, metrics=["accuracy"], **options)
    return model


class Noted(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []


def _noting(method):
    def note(self, *arguments, logs=None):
        numbers = [argument for argument in arguments if isinstance(argument, int)]
        rest = [argument for argument in arguments if not isinstance(argument, int)]
        logs = logs if logs is not None else (rest or [None])[0]
        self.calls.append([method, *numbers, list(logs) if logs else logs])

    return note


for _moment in ("begin", "end"):
    for _stage in ("train", "test", "predict", "epoch", "train_batch", "test_batch", "predict_batch"):
        setattr(Noted, f"on_{_stage}_{_moment}", _noting(f"on_{_stage}_{_moment}"))


def test_callbacks_in_keras_order():
    case = next(case for case in cases("training") if case["kind"] == "callbacks")
    model, noted = classifier(), Noted()
    x, y = X[:5], Y[:5]

    def calls():
        taken = [[*call[:-1], call[-1] or {}] for call in noted.calls]
        noted.calls.clear()
        return taken

    model.fit(x, y, epochs=2, batch_size=3, validation_data=(x, y), verbose=0, callbacks=[noted], shuffle=False)
    assert calls() == case["fit"]
    model.evaluate(x, y, batch_size=3, verbose=0, callbacks=[noted])
    assert calls() == case["evaluate"]
    model.predict(x, batch_size=3, verbose=0, callbacks=[noted])
    assert calls() == case["predict"]
    assert noted.params == case["params"]


def test_compiled_and_interpreted_agree():
    results = []
    for run_eagerly in (False, True):
        model = classifier("adam", run_eagerly=run_eagerly)
        rng = np.random.default_rng(1)
        model.set_weights([rng.standard_normal(w.shape) * 0.3 for w in model.weights])
        history = model.fit(X, Y, epochs=3, batch_size=8, shuffle=False, verbose=0)
        results.append([*history.history["loss"], *history.history["accuracy"], *model.predict(X, verbose=0).ravel()])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3, 50])
def test_steps_per_execution_changes_hooks_alone(stride):
    noted = Noted()
    model = classifier(steps_per_execution=stride)
    model.set_weights([np.ones(w.shape) for w in model.weights])
    history = model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=[noted])
    ends = [call[1] for call in noted.calls if call[0] == "on_train_batch_end"]
    assert ends == {1: [0, 1, 2, 3, 4], 2: [1, 3, 4], 3: [2, 4], 50: [4]}[stride]
    plain = classifier()
    plain.set_weights([np.ones(w.shape) for w in plain.weights])
    assert plain.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history == history.history


def test_interrupt_leaves_the_model_usable():
    class Stop(Noted):
        def on_train_batch_end(self, batch, logs=None):
            if self.calls.count(["on_epoch_begin", 1, {}]) and batch == 1:
                raise KeyboardInterrupt

    stop, model = Stop(), classifier()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=3, batch_size=4, verbose=0, callbacks=[stop])
    assert stop.calls[-1][0] == "on_train_end"
    assert list(model.history.history) == ["accuracy", "loss"]
    assert model.history.epoch == [0]
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2


def test_an_error_in_a_callback_tells_the_others():
    class Fails(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("broken")

    class Hears(callbacks.Callback):
        heard = None

        def on_train_interrupted(self, error):
            self.heard = error

    hears = Hears()
    with pytest.raises(RuntimeError, match="broken"):
        classifier().fit(X, Y, verbose=0, callbacks=[Fails(), hears])
    assert str(hears.heard) == "broken"


def test_stop_training_ends_after_the_epoch():
    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert classifier().fit(X, Y, epochs=5, verbose=0, callbacks=[Stop()]).epoch == [0, 1]


def test_learning_rate_set_between_steps():
    model = classifier()
    model.fit(X, Y, verbose=0)
    before = model.get_weights()
    model.optimizer.learning_rate = 0.0
    model.fit(X, Y, verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_trainable_is_read_again_and_warned_of_once():
    model = classifier()
    model.fit(X, Y, verbose=0)
    frozen = model.layers[-1]
    frozen.trainable = False
    before = frozen.get_weights()
    with pytest.warns(
        UserWarning, match=r"`trainable` of dense\w* changed after `compile\(\)`. Training goes by the flags"
    ):
        model.fit(X, Y, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, Y, verbose=0)
    for one, other in zip(before, frozen.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_custom_train_step():
    class Custom(models.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)
            self.seen = metrics.Mean(name="seen")

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            variables = self.trainable_variables
            loss = ops.mean(ops.square(self(x, training=True) - y))
            self.optimizer.apply(gradients([loss], [v.value for v in variables]), variables)
            self.seen.update_state(loss)
            return {"custom": loss, "seen": self.seen.result()}

    model = Custom()
    model.compile(optimizers.SGD(0.1))
    history = model.fit(X, X[:, :1], epochs=5, batch_size=20, verbose=0)
    assert list(history.history) == ["custom", "seen"]
    assert history.history["custom"][-1] < history.history["custom"][0]
    # One batch an epoch: the mean since the epoch's begin is that batch's loss.
    np.testing.assert_allclose(history.history["custom"], history.history["seen"], rtol=1e-6)


def test_logs_of_a_step_are_its_own_where_the_loss_was_not_tracked():
    class Custom(models.Sequential):
        def test_step(self, data):
            x, y = data
            return {"loss": ops.mean(ops.square(self(x) - y))}

    model = Custom([layers.Input((4,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse")
    wanted = float(np.mean(X[:, :1] ** 2))
    assert model.test_on_batch(X, X[:, :1]) == pytest.approx(wanted, rel=1e-5)
    assert model.evaluate(X, X[:, :1], verbose=0) == pytest.approx(wanted, rel=1e-5)
    noted = []
    note = callbacks.Callback()
    note.on_test_batch_end = lambda batch, logs=None: noted.append(logs["loss"])
    model.evaluate(X, X[:, :1], batch_size=10, verbose=0, callbacks=[note])
    np.testing.assert_allclose(noted, [np.mean(X[:10, :1] ** 2), np.mean(X[10:, :1] ** 2)], rtol=1e-5)


def test_what_compute_metrics_gives_are_the_logs():
    class Own(models.Sequential):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            return {**super().compute_metrics(x, y, y_pred, sample_weight), "mean": ops.mean(y_pred)}

    model = Own([layers.Input((4,)), layers.Dense(1, bias_initializer="ones", kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.0), "mse", metrics=["mae"])
    history = model.fit(X, X[:, :1], validation_data=(X, X[:, :1]), verbose=0).history
    assert set(history) == {"loss", "mae", "mean", "val_loss", "val_mae", "val_mean"}
    assert history["mean"] == history["val_mean"] == [1.0]


def test_functions_are_named_in_logs_as_keras_names_them():
    def scaledError(y, y_pred):
        return ops.mean(ops.abs(y - y_pred), axis=-1)

    model = models.Sequential([layers.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[scaledError, lambda y, y_pred: ops.mean(y_pred, axis=-1)])
    assert list(model.evaluate(X, X[:, :1], verbose=0, return_dict=True)) == ["lambda", "loss", "scaled_error"]


def test_a_list_of_results_has_the_order_of_the_outputs_also_where_losses_are_a_dictionary():
    x = layers.Input((4,))
    model = models.Model(x, [layers.Dense(1, name="a")(x), layers.Dense(1, name="b")(x)])
    model.compile("sgd", {"b": "mse", "a": "mae"})
    results = model.evaluate(X, [X[:, :1], X[:, 1:2]], verbose=0)
    named = model.evaluate(X, [X[:, :1], X[:, 1:2]], verbose=0, return_dict=True)
    assert results == [named["loss"], named["a_loss"], named["b_loss"]]


def test_compute_loss_may_be_overridden():
    class Doubled(models.Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return 2.0 * super().compute_loss(x, y, y_pred, sample_weight)

    single = models.Sequential([layers.Input((4,)), layers.Dense(1, kernel_initializer="ones")])
    double = Doubled([layers.Input((4,)), layers.Dense(1, kernel_initializer="ones")])
    for model in (single, double):
        model.compile("sgd", "mse", run_eagerly=True)
    y = X[:, :1]
    assert double.evaluate(X, y, verbose=0) == pytest.approx(2 * single.evaluate(X, y, verbose=0))


def test_eager_steps_run_the_code_of_each_batch_on_values():
    seen = []

    class Watched(layers.Layer):
        def call(self, x, training=False):
            if not x.symbolic:  # while the model is built there are no values yet
                seen.append((float(ops.max(x)), training))
            return x

    def made():
        inputs = layers.Input((4,))
        x = layers.Dropout(0.3, seed=3)(layers.BatchNormalization()(inputs))
        x = layers.SpectralNormalization(layers.Dense(3, kernel_initializer=initializers.Orthogonal(seed=1)))(x)
        return models.Model(inputs, layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2")(x))

    model = models.Sequential([Watched(), made()])
    model.compile(optimizers.Adam(0.01, clipnorm=1.0), "mse", metrics=["mae"], run_eagerly=True)
    model.fit(X, X[:, :1], batch_size=5, epochs=2, shuffle=False, verbose=0)
    assert [training for _, training in seen] == [True] * 8
    assert len({value for value, _ in seen}) == 4
    assert model.predict(X, verbose=0).shape == (20, 1)

    histories = []
    for run_eagerly in (True, False):
        set_random_seed(1)
        model = made()
        model.compile(optimizers.Adam(0.01, clipnorm=1.0), "mse", metrics=["mae"], run_eagerly=run_eagerly)
        histories.append(model.fit(X, X[:, :1], batch_size=5, epochs=2, shuffle=False, verbose=0).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-5)


@pytest.mark.parametrize("samples", [1, 7, 20])
def test_predict_gives_every_row_once(samples):
    model = classifier()
    whole = model.predict_on_batch(X[:samples])
    np.testing.assert_allclose(model.predict(X[:samples], batch_size=3, verbose=0), whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(X[:samples], verbose=0), whole, rtol=1e-5, atol=1e-6)


def test_predictions_keep_their_memory():
    model = classifier()
    first = model.predict(X[:2], verbose=0)
    kept = first.copy()
    model.predict(X[2:4], verbose=0)
    np.testing.assert_array_equal(first, kept)


def test_predict_needs_no_compile():
    model = models.Sequential([layers.Dense(2, kernel_initializer="ones")])
    np.testing.assert_allclose(model.predict(X, verbose=0)[:, 0], X.sum(1), rtol=1e-5, atol=1e-6)


def test_generators_of_batches():
    def batches():
        while True:
            yield X[:5], Y[:5]

    model = classifier()
    history = model.fit(batches(), steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2
    assert set(model.evaluate(batches(), steps=2, verbose=0, return_dict=True)) == {"accuracy", "loss"}
    assert model.predict((X[:5] for _ in range(2)), verbose=0).shape == (10, 3)


def test_shuffling_changes_the_order_alone():
    model = classifier(optimizers.SGD(0.0))
    model.fit(X, Y, batch_size=4, verbose=0)
    shuffled = model.fit(X, Y, batch_size=4, verbose=0).history["loss"][-1]
    assert shuffled == pytest.approx(model.evaluate(X, Y, verbose=0)[0], rel=1e-5)


def test_losses_of_layers_are_added():
    model = models.Sequential([layers.Input((4,)), layers.Dense(1, kernel_regularizer="l2", kernel_initializer="ones")])
    model.compile("sgd", "mse", run_eagerly=True)
    y = X.sum(1, keepdims=True)
    assert model.evaluate(X, y, verbose=0) == pytest.approx(0.04, rel=1e-4)


def test_compile_config_round_trip():
    model = classifier(optimizers.Adam(0.02))
    config = model.get_compile_config()
    assert config["optimizer"]["config"]["learning_rate"] == pytest.approx(0.02)
    again = models.Sequential([layers.Input((4,)), layers.Dense(3)])
    again.compile_from_config(config)
    assert again.optimizer.built
    again.fit(X, Y, verbose=0)
    assert again.loss.from_logits


@pytest.mark.parametrize("jit_compile", [True, False, "auto"])
def test_jit_compile_of_a_file_does_not_switch_compiling_off(jit_compile):
    model = classifier(run_eagerly=False, jit_compile=jit_compile)
    assert model.jit_compile is (jit_compile != False)  # noqa: E712 - "auto" counts as True
    assert not model._step("train")._compiled.interpret
    with pytest.raises(ValueError, match="`jit_compile` must be True, False or 'auto', got 'yes'"):
        classifier(jit_compile="yes")


def test_verbose_2_prints_a_line_an_epoch(capsys):
    classifier().fit(X, Y, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    assert "accuracy: " in lines[0] and "loss: " in lines[0]
