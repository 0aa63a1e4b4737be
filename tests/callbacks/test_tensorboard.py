"""The TensorBoard callback, by a reader of event files that shares no code with the writer."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import layerkit as keras
from layerkit.callbacks import TensorBoard
from layerkit.callbacks.callback import Callback
from layerkit.callbacks.event_files import EventFileWriter, crc32c, histogram, png

X = np.random.default_rng(0).normal(size=(24, 6)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


@dataclass
class Value:
    """One value of a summary."""

    tag: str
    step: int
    plugin: str
    content: bytes
    data_class: int
    value: Any


def fields(message: bytes) -> list[tuple[int, Any]]:
    """The numbers and values of a message's fields."""
    found, at = [], 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            value: Any = varint()
        elif key & 7 == 1:
            value, at = struct.unpack("<d", message[at : at + 8])[0], at + 8
        else:
            size = varint()
            value, at = message[at : at + size], at + size
        found.append((key >> 3, value))
    return found


def tensor(message: bytes) -> Any:
    parts = fields(message)
    kind = dict(parts)[1]
    shape = tuple(dict(fields(size))[1] for _, size in fields(dict(parts)[2]))
    if kind == 7:
        strings = [value for number, value in parts if number == 8]
        assert len(strings) == np.prod(shape, dtype=int)
        return strings if shape else strings[0]
    return np.frombuffer(dict(parts)[4], {1: "<f4", 2: "<f8"}[kind]).reshape(shape)


def masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def events(path: Path) -> list[dict[int, Any]]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        (size,) = struct.unpack("<Q", data[at : at + 8])
        assert struct.unpack("<I", data[at + 8 : at + 12])[0] == masked(data[at : at + 8])
        record = data[at + 12 : at + 12 + size]
        assert struct.unpack("<I", data[at + 12 + size : at + 16 + size])[0] == masked(record)
        found.append(dict(fields(record)))
        at += 16 + size
    return found


def read(folder: Path) -> list[Value]:
    """All values of a run, in the order in which they were written."""
    found = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        first, *others = events(path)
        assert first[3] == b"brain.Event:2"
        for event in others:
            assert event[1] > 1e9  # the time
            value = dict(fields(dict(fields(event[5]))[1]))
            metadata = dict(fields(value[9]))
            plugin = dict(fields(metadata[1]))
            found.append(
                Value(
                    value[1].decode(), event.get(2, 0), plugin[1].decode(), plugin.get(2, b""),
                    metadata.get(4, 0), tensor(value[8]),
                )
            )  # fmt: skip
    return found


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for one in read(folder):
        if one.plugin == "scalars":
            assert (one.data_class, one.content, one.value.shape) == (1, b"", ())
            found.setdefault(one.tag, []).append((one.step, float(one.value)))
    return found


def small_model() -> keras.Model:
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, name="hidden"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return model


def fit(callback: Callback, model: keras.Model | None = None, **kwargs: Any) -> keras.Model:
    model = model or small_model()
    arguments = {"epochs": 2, "batch_size": 8, "verbose": 0, **kwargs}
    model.fit(X, Y, callbacks=[callback], **arguments)
    return model


def test_epochs_are_curves_of_two_runs(tmp_path):
    model = fit(TensorBoard(tmp_path), validation_data=(X, Y))
    history = model.history.history
    train, validation = scalars(tmp_path / "train"), scalars(tmp_path / "validation")
    assert set(train) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert set(validation) == {
        "epoch_loss", "epoch_mae", "evaluation_loss_vs_iterations", "evaluation_mae_vs_iterations"
    }  # fmt: skip
    for run, prefix in ((train, ""), (validation, "val_")):
        for name in ("loss", "mae"):
            assert run[f"epoch_{name}"] == [(i, np.float32(v)) for i, v in enumerate(history[prefix + name])]
    assert train["epoch_learning_rate"] == [(0, np.float32(0.01)), (1, np.float32(0.01))]
    assert [step for step, _ in validation["evaluation_loss_vs_iterations"]] == [3, 6]


def test_fit_does_not_stop_for_batches_that_are_not_written(tmp_path):
    for name in ("has_train_batch_hooks", "has_test_batch_hooks"):
        assert not getattr(keras.callbacks.CallbackList([TensorBoard(tmp_path)]), name)
    assert keras.callbacks.CallbackList([TensorBoard(tmp_path, update_freq=5)]).has_train_batch_hooks


def test_a_subclass_keeps_its_hooks_of_batches(tmp_path):
    class Counting(TensorBoard):
        batches = 0

        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            self.batches += 1

    callback = Counting(tmp_path)
    fit(callback)
    assert callback.batches == 6
    assert "batch_loss" not in scalars(tmp_path / "train")


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (4, [4])])
def test_batches_are_written_by_their_number(tmp_path, update_freq, steps):
    fit(TensorBoard(tmp_path, update_freq=update_freq, write_steps_per_second=True), validation_data=(X, Y))
    train = scalars(tmp_path / "train")
    for name in ("loss", "mae", "steps_per_second"):
        assert [step for step, _ in train[f"batch_{name}"]] == steps
        assert [step for step, _ in train[f"epoch_{name}"]] == [0, 1]
    assert all(value > 0 for _, value in train["batch_steps_per_second"] + train["epoch_steps_per_second"])
    assert len(scalars(tmp_path / "validation")["evaluation_loss_vs_iterations"]) == 2


def test_histograms_and_images_of_weights(tmp_path):
    model = fit(TensorBoard(tmp_path, histogram_freq=2, write_images=True), epochs=1)
    found = {one.tag: one for one in read(tmp_path / "train")}
    kernel = model.get_layer("hidden").kernel
    shown = found[f"{kernel.path}/histogram"]
    assert (shown.plugin, shown.content, shown.data_class, shown.value.shape) == ("histograms", b"", 2, (30, 3))
    assert shown.value[:, 2].sum() == 18
    assert (shown.value[0, 0], shown.value[-1, 1]) == (kernel.numpy().min(), kernel.numpy().max())
    image = found[f"{kernel.path}/image"]
    assert (image.plugin, image.data_class, image.value[:2]) == ("images", 3, [b"6", b"3"])
    assert len(image.value) == 3


def test_histograms_come_at_their_epochs(tmp_path):
    fit(TensorBoard(tmp_path, histogram_freq=2), epochs=4)
    assert {one.step for one in read(tmp_path / "train") if one.plugin == "histograms"} == {0, 2}


def test_the_architecture_is_written_as_json(tmp_path):
    model = fit(TensorBoard(tmp_path), epochs=1)
    (graph,) = [one for one in read(tmp_path / "train") if one.plugin == "graph_keras_model"]
    assert (graph.tag, graph.step, graph.content) == ("keras", 0, b"1")
    assert json.loads(graph.value) == json.loads(model.to_json())
    fit(TensorBoard(tmp_path / "none", write_graph=False), model)
    assert {one.plugin for one in read(tmp_path / "none" / "train")} == {"scalars"}


def test_a_model_without_json_is_a_warning(tmp_path):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Lambda(lambda x: x * 2), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="the model's graph is not written"):
        fit(TensorBoard(tmp_path), model)
    assert "epoch_loss" in scalars(tmp_path / "train")


def test_evaluation_alone_is_written_and_its_file_closed(tmp_path):
    model = fit(TensorBoard(tmp_path / "fit"))
    callback = TensorBoard(tmp_path)
    loss, _ = model.evaluate(X, Y, callbacks=[callback], verbose=0)
    assert scalars(tmp_path / "validation")["evaluation_loss_vs_iterations"] == [(6, np.float32(loss))]
    assert not (tmp_path / "train").exists()
    assert not callback._writers


def test_training_that_fails_leaves_whole_files(tmp_path):
    class Failing(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("enough")

    callback = TensorBoard(tmp_path)
    with pytest.raises(RuntimeError, match="enough"):
        small_model().fit(X, Y, callbacks=[callback, Failing()], verbose=0)
    assert not callback._writers
    assert len(scalars(tmp_path / "train")["epoch_loss"]) == 1


def test_a_metric_of_several_numbers_is_several_curves(tmp_path):
    callback = TensorBoard(tmp_path, write_graph=False)
    callback.set_model(small_model())
    callback.on_epoch_end(0, {"f1": np.array([0.25, 0.5])})
    callback.on_train_end()
    found = scalars(tmp_path / "train")
    assert (found["epoch_f1/0"], found["epoch_f1/1"]) == ([(0, 0.25)], [(0, 0.5)])


@pytest.mark.parametrize("update_freq", ["epochs", 0, -1, 1.5, None, True])
def test_a_wrong_frequency_is_refused(update_freq):
    with pytest.raises(ValueError, match="must be 'epoch', 'batch' or a positive number"):
        TensorBoard(update_freq=update_freq)


@pytest.mark.parametrize("asked", [2, (10, 20), "3,5"])
def test_profiling_is_refused(asked):
    with pytest.raises(NotImplementedError, match="profile_batch=.* Leave it at 0"):
        TensorBoard(profile_batch=asked)


@pytest.mark.parametrize("asked", [{"embeddings_freq": 1}, {"embeddings_metadata": "names.tsv"}])
def test_embeddings_are_refused(asked):
    with pytest.raises(NotImplementedError, match=r"numpy\.savetxt"):
        TensorBoard(**asked)


def test_images_without_histograms_are_warned_of():
    with pytest.warns(UserWarning, match="histogram_freq=0 writes none"):
        TensorBoard(write_images=True)


def test_histograms_of_one_value_of_none_and_of_no_number():
    one = histogram(np.full(4, 2.5))
    assert one[-1].tolist() == [2.5, 2.5, 4]
    assert one[:-1, 2].sum() == 0
    assert not histogram(np.zeros(0)).any()
    assert histogram(np.array([1.0, np.nan, np.inf, 3.0]))[:, 2].sum() == 2


def test_a_png_holds_the_bytes():
    image = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    data = png(image)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">IIBB", data[16:26]) == (4, 2, 8, 2)
    start = data.index(b"IDAT")
    (size,) = struct.unpack(">I", data[start - 4 : start])
    rows = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + size]), "uint8").reshape(2, 13)
    assert not rows[:, 0].any()
    assert np.array_equal(rows[:, 1:].reshape(2, 4, 3), image)


def test_a_closed_writer_says_so(tmp_path):
    writer = EventFileWriter(tmp_path)
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="is closed"):
        writer.scalar("loss", 1.0, 0)
