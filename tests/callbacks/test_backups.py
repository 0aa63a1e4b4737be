"""Callbacks that keep state for the time after, or send it away."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from layerkit import layers, optimizers
from layerkit.callbacks import BackupAndRestore, Callback, LambdaCallback, RemoteMonitor, SwapEMAWeights
from layerkit.models import Sequential
from layerkit.registry import reset_names

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X.sum(1, keepdims=True)


def made(optimizer="adam"):
    reset_names()
    model = Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(optimizer, "mse")
    return model


def fit(model, callbacks=(), **options):
    options = {"epochs": 4, **options}
    return model.fit(X, Y, batch_size=4, shuffle=False, verbose=0, callbacks=list(callbacks), **options)


class Kill(Callback):
    """Ends training in an epoch, as a kill would: without the hooks of an end."""

    def __init__(self, epoch, batch=None):
        super().__init__()
        self.epoch, self.batch, self.here = epoch, batch, None

    def on_epoch_begin(self, epoch, logs=None):
        self.here = epoch
        if epoch == self.epoch and self.batch is None:
            raise RuntimeError("killed")

    def on_train_batch_begin(self, batch, logs=None):
        if self.here == self.epoch and batch == self.batch:
            raise RuntimeError("killed")


def noted(folder):
    metadata = json.loads((folder / "training_metadata.json").read_text())
    return metadata["epoch"], metadata["batch"]


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path):
    whole = made()
    fit(whole)
    first = made()
    with pytest.raises(RuntimeError, match="killed"):
        fit(first, [BackupAndRestore(tmp_path / "backup"), Kill(2)])
    assert noted(tmp_path / "backup") == (2, 0)
    second = made()
    history = fit(second, [BackupAndRestore(tmp_path / "backup")])
    assert history.epoch == [2, 3]
    for one, other in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(second.optimizer.iterations) == int(whole.optimizer.iterations) == 12
    assert not (tmp_path / "backup").exists()


def test_backups_of_batches(tmp_path):
    with pytest.raises(RuntimeError, match="killed"):
        fit(made(), [BackupAndRestore(tmp_path, save_freq=2), Kill(1, 2)])
    assert noted(tmp_path) == (1, 0)
    model = made()
    history = fit(model, [BackupAndRestore(tmp_path, save_freq=2, delete_checkpoint=False)])
    assert history.epoch == [1, 2, 3]
    assert int(model.optimizer.iterations) == 4 + 9
    assert (tmp_path / "latest.weights.h5").exists()


def test_the_backup_before_the_last_one(tmp_path):
    with pytest.raises(RuntimeError, match="killed"):
        fit(made(), [BackupAndRestore(tmp_path, double_checkpoint=True), Kill(2)])
    (tmp_path / "latest.weights.h5").write_bytes(b"broken")
    assert fit(made(), [BackupAndRestore(tmp_path, double_checkpoint=True)]).epoch == [1, 2, 3]


class StopAfter(Callback):
    """Ends training after a batch, before the callbacks that come later see it."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.epoch, self.batch, self.here = epoch, batch, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.here = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.here == self.epoch and batch >= self.batch:
            raise RuntimeError("killed")


KERAS_BACKUPS = [  # as Keras 3.15.1 goes on: save_freq, steps_per_execution, the kill, metadata, iterations, weights
    (2, 1, (1, 4), (1, 4), 33, [1.0298882, 1.0308957, 1.020563]),
    (3, 1, (1, 1), (1, 1), 30, [1.027172, 1.0282847, 1.0186121]),
    (5, 2, (1, 3), (1, 3), 32, [1.0288926, 1.0300027, 1.019973]),
    (10, 1, (2, 3), (1, 2), 31, [1.0279742, 1.0289928, 1.0189605]),
]


@pytest.mark.parametrize(("freq", "steps", "kill", "metadata", "iterations", "weights"), KERAS_BACKUPS)
def test_an_epoch_is_trained_anew_from_the_backup_in_it(tmp_path, freq, steps, kill, metadata, iterations, weights):
    x = np.random.default_rng(0).normal(size=(28, 3)).astype("float32")
    y = 2 * x.sum(1, keepdims=True)
    for killed in (True, False):
        model = made()
        model.compile("adam", "mse", steps_per_execution=steps)
        callbacks = [BackupAndRestore(tmp_path, save_freq=freq, delete_checkpoint=False)]
        options = {"batch_size": 4, "epochs": 4, "shuffle": False, "verbose": 0}
        if killed:
            with pytest.raises(RuntimeError, match="killed"):
                model.fit(x, y, callbacks=[*callbacks, StopAfter(*kill)], **options)
            assert noted(tmp_path) == metadata
        else:
            assert model.fit(x, y, callbacks=callbacks, **options).epoch == [1, 2, 3]
    assert int(model.optimizer.iterations) == iterations
    np.testing.assert_allclose(model.get_weights()[0].ravel(), weights, rtol=1e-5)


@pytest.mark.parametrize("renames", range(9))
@pytest.mark.parametrize("double", [False, True])
def test_a_kill_in_a_save_leaves_a_backup_to_go_on_from(tmp_path, monkeypatch, renames, double):
    """Whichever of the renames of the second save never happens, the run ends as one that was not killed."""
    rename, done = os.replace, []

    def replace(*arguments):
        if (tmp_path / "training_metadata.json").exists():
            done.append(arguments)
        if len(done) > renames:
            raise KeyboardInterrupt
        rename(*arguments)

    whole, first, second = made(), made(), made()
    fit(whole, epochs=2)
    monkeypatch.setattr(os, "replace", replace)
    try:
        fit(first, [BackupAndRestore(tmp_path, double_checkpoint=double, delete_checkpoint=False)], epochs=2)
    except KeyboardInterrupt:
        assert renames < (5 if double else 3)
    else:
        assert renames >= (5 if double else 3)
    monkeypatch.undo()
    assert fit(second, [BackupAndRestore(tmp_path)], epochs=2).epoch in ([], [1])
    for one, other in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_folder_that_keras_wrote_has_no_mark_of_the_weights(tmp_path):
    with pytest.raises(RuntimeError, match="killed"):
        fit(made(), [BackupAndRestore(tmp_path), Kill(2)])
    (tmp_path / "training_metadata.json").write_text('{"epoch": 3, "batch": 0}')
    (tmp_path / "training_metadata.json.new").write_text('{"epoch": 1, "ba')  # a kill while it was written
    assert fit(made(), [BackupAndRestore(tmp_path)]).epoch == [3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("",), "`backup_dir` must name a folder"),
        (("a", "batch"), "`save_freq` must be 'epoch' or a number of batches, got 'batch'"),
        (("a", 0), "`save_freq` must be 'epoch' or a number of batches, got 0"),
    ],
)
def test_backups_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        BackupAndRestore(*arguments)


def test_a_backup_needs_a_built_model(tmp_path):
    model = Sequential([layers.Dense(1)])
    callback = BackupAndRestore(tmp_path)
    callback.set_model(model)
    with pytest.raises(ValueError, match="BackupAndRestore needs a built model"):
        callback.on_train_begin()


@pytest.mark.parametrize("on_epoch", [False, True])
def test_averages_are_evaluated_and_training_goes_on_without_them(on_epoch):
    plain = made(optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5))
    plain_losses = fit(plain).history["loss"]
    seen = []
    model = made(optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5))
    look = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0]))
    history = fit(model, [SwapEMAWeights(on_epoch), look], validation_data=(X, Y)).history
    np.testing.assert_array_equal(history["loss"], plain_losses)
    for one, other in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (seen[-1] == model.get_weights()[0]).all() == on_epoch
    if not on_epoch:
        assert history["val_loss"][-1] == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)


def test_there_are_no_averages():
    with pytest.raises(ValueError, match="needs an optimizer with `use_ema=True`"):
        fit(made(), [SwapEMAWeights()])


@pytest.mark.parametrize("as_json", [False, True])
def test_logs_are_sent(as_json):
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.path, self.headers["X-Run"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            """Nothing on the terminal."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        callback = RemoteMonitor(address, path="/here", headers={"X-Run": "7"}, send_as_json=as_json)
        callback.on_epoch_end(3, {"loss": np.float32(0.5)})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    body = b'{"epoch": 3, "loss": 0.5}' if as_json else b"data=%7B%22epoch%22%3A+3%2C+%22loss%22%3A+0.5%7D"
    assert received == [("/here", "7", body)]


def test_a_server_that_is_not_there_is_a_warning():
    with pytest.warns(UserWarning, match="Could not reach the RemoteMonitor server at http://127.0.0.1:9"):
        RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {})
