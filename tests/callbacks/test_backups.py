"""Callbacks that keep state for the time after, or send it away."""

import json
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


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path):
    whole = made()
    fit(whole)
    first = made()
    with pytest.raises(RuntimeError, match="killed"):
        fit(first, [BackupAndRestore(tmp_path / "backup"), Kill(2)])
    assert json.loads((tmp_path / "backup" / "training_metadata.json").read_text()) == {"epoch": 2, "batch": 0}
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
    assert json.loads((tmp_path / "training_metadata.json").read_text()) == {"epoch": 1, "batch": 0}
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
