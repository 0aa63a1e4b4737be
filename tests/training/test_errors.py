"""What people read when data and model do not fit. Every error comes before the first step."""

import numpy as np
import pytest

from layerkit import callbacks, layers, models
from layerkit.errors import DtypeError, NotCompiledError, ShapeError, UnknownNameError

X = np.zeros((6, 4), "float32")
LABELS = np.array([0, 1, 2, 0, 1, 2])


def classifier(loss="sparse_categorical_crossentropy", **options):
    model = models.Sequential(
        [layers.Input((4,), name="features"), layers.Dense(3, activation="softmax")], name="classifier"
    )
    model.compile("sgd", loss, run_eagerly=True, **options)
    return model


def two_outputs():
    x = layers.Input((4,), name="features")
    return models.Model(x, [layers.Dense(1, name="price")(x), layers.Dense(3, name="kind")(x)], name="two")


class Began(callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.began = False

    def on_train_begin(self, logs=None):
        self.began = True


def message(kind, model, *args, **kwargs):
    began = Began()
    with pytest.raises(kind) as error:
        model.fit(*args, callbacks=[began], verbose=0, **kwargs)
    assert not began.began
    return str(error.value)


def test_not_compiled():
    model = models.Sequential([layers.Dense(1)], name="plain")
    with pytest.raises(
        NotCompiledError,
        match=r"Model 'plain' is not compiled: call `model.compile\(optimizer, loss\)` before `fit\(\)`",
    ):
        model.fit(X, LABELS)
    with pytest.raises(NotCompiledError, match=r"before `evaluate\(\)`"):
        model.evaluate(X, LABELS)


def test_feature_count():
    text = message(ShapeError, classifier(), np.zeros((6, 5), "float32"), LABELS)
    assert "features" in text or "dense" in text
    assert "4" in text and "5" in text


def test_rank():
    text = message(ShapeError, classifier(), np.zeros((6, 4, 2), "float32"), LABELS)
    assert "4" in text


def test_strings_and_objects():
    text = message(DtypeError, classifier(), np.full((6, 4), "a"), LABELS)
    assert "of model 'classifier' takes dtype float32, but got string" in text and "Input(dtype='string')" in text
    text = message(DtypeError, classifier(), X, np.full(6, "cat"))
    assert "`y` holds strings, which no loss compares" in text
    assert "array of objects" in message(DtypeError, classifier(), np.full((6, 4), None), LABELS)


def test_labels_out_of_range():
    text = message(ValueError, classifier(), X, LABELS + 1)
    assert text == (
        "The labels in `y` must lie from 0 to 2, since the output has 3 classes, but there is 3. The last layer needs "
        "4 units for labels up to 3."
    )
    text = message(ValueError, classifier(), X, LABELS - 2)
    assert text == "The labels in `y` must lie from 0 to 2, but there is -2."


def test_labels_out_of_range_beyond_the_first_batch():
    labels = np.array([0, 0, 0, 0, 0, 9])
    assert "but there is 9" in message(ValueError, classifier(), X, labels, batch_size=2, shuffle=False)


def test_integer_labels_for_one_hot_loss():
    text = message(ShapeError, classifier("categorical_crossentropy"), X, LABELS)
    assert text == (
        "`y` has shape (batch,), but the output has shape (batch, 3) and the loss 'categorical_crossentropy' compares "
        "them element by element. For integer labels use sparse_categorical_crossentropy."
    )


def test_one_hot_targets_for_sparse_loss():
    text = message(ShapeError, classifier(), X, np.eye(3, dtype="float32")[LABELS])
    assert "expects class numbers of shape (batch,). For one-hot targets use categorical_crossentropy." in text


def test_nothing_is_broadcast():
    text = message(ShapeError, classifier("mse"), X, np.zeros((6, 1), "float32"))
    assert text.startswith("`y` has shape (batch, 1), but the output has shape (batch, 3) and the loss 'mse' compares")


def test_empty_data():
    assert message(ShapeError, classifier(), X[:0], LABELS[:0]) == "`x` has no samples: its first axis has length 0."


def test_lengths():
    text = message(ShapeError, classifier(), X, LABELS[:4])
    assert text.endswith("(length of the first axis): `x` has 6, `y` has 4.")


def test_missing_targets():
    text = message(ValueError, classifier(), X)
    assert text == (
        "Model 'classifier' was compiled with a loss, but there are no targets: pass `y`, or batches of (x, y)."
    )


def test_unknown_options():
    model = classifier()
    with pytest.raises(
        TypeError, match=r"fit\(\) has no argument 'epoch'. Did you mean 'epochs'\? It takes x, y, batch_size"
    ):
        model.fit(X, LABELS, epoch=3)
    with pytest.raises(TypeError, match=r"compile\(\) has no argument 'metric'. Did you mean 'metrics'\?"):
        model.compile("sgd", "mse", metric=["mae"])
    with pytest.raises(UnknownNameError, match=r"Unknown loss 'mean_square_error'. Did you mean 'mean_squared_error'"):
        model.compile("sgd", "mean_square_error")
    with pytest.raises(UnknownNameError, match="Unknown metric 'accuray'. Did you mean 'Accuracy'"):
        model.compile("sgd", "mse", metrics=["accuray"])
    with pytest.raises(UnknownNameError, match=r"Unknown optimizer 'adaam'. Did you mean 'Adam' or 'Nadam'"):
        model.compile("adaam", "mse")
    with pytest.raises(ValueError, match=r"`metrics` must be a list, tuple or dictionary, got 'mae': write \['mae'\]"):
        model.compile("sgd", "mse", metrics="mae")
    with pytest.raises(ValueError, match="`steps_per_execution` must be a positive integer, got 0"):
        model.compile("sgd", "mse", steps_per_execution=0)
    with pytest.raises(ValueError, match="`epochs` must be an integer of at least 0, got 1.5"):
        classifier().fit(X, LABELS, epochs=1.5)


def test_outputs_by_name():
    y = {"price": np.zeros((6, 1), "float32"), "kind": LABELS}
    model = two_outputs()
    model.compile("sgd", {"price": "mse", "kinds": "mse"}, run_eagerly=True)
    text = message(ValueError, model, X, y)
    assert text == "`loss` has 'kinds', but the model has no such output. Its outputs are: 'price', 'kind'."
    model.compile("sgd", ["mse", "mse", "mse"], run_eagerly=True)
    text = message(ValueError, model, X, y)
    assert text == (
        "`loss` must have one entry for each output, by place or by name, but has 3 entries. The model has 2 outputs: "
        "'price', 'kind'."
    )
    loss = {"price": "mse", "kind": "sparse_categorical_crossentropy"}
    model.compile("sgd", loss, metrics={"pricy": ["mae"]}, run_eagerly=True)
    assert message(ValueError, model, X, y).startswith("`metrics` has 'pricy', but the model has no such output.")
    model.compile("sgd", loss, run_eagerly=True)
    text = message(ValueError, model, X, {"price": y["price"]})
    assert text == "`y` has no targets for the output 'kind', which has a loss."


def test_no_loss():
    model = classifier(None)
    with pytest.raises(
        ValueError, match=r"Model 'classifier' has no loss: pass `loss` to `compile\(\)`, or use `add_loss`"
    ):
        model.fit(X, LABELS, verbose=0)


def test_nan_is_shown_not_raised(capsys):
    model = classifier()
    history = model.fit(np.full((6, 4), np.nan, "float32"), LABELS, verbose=2)
    assert np.isnan(history.history["loss"][0])
    assert "loss: nan" in capsys.readouterr().out
