"""Keras' data sets, read from archives of their layout that stand in for the downloads."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from layerkit import config, datasets
from layerkit.datasets import cifar, fashion_mnist, reading

rng = np.random.default_rng(0)


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose files are what `get_file` finds."""

    def get_file(fname, origin, file_hash=None, extract=False, **others):
        path = tmp_path / fname
        assert origin.startswith("https://")
        assert file_hash is None or len(file_hash) in (32, 64)
        return str(path)

    for module in (reading, cifar, fashion_mnist, datasets.imdb, datasets.reuters):
        monkeypatch.setattr(module, "get_file", get_file)
    return tmp_path


def test_mnist(downloads: Path):
    parts = {"x_train": rng.integers(0, 255, (6, 28, 28), "uint8"), "y_train": np.arange(6, dtype="uint8")}
    parts |= {"x_test": np.asfortranarray(parts["x_train"][:2]), "y_test": parts["y_train"][:2]}
    np.savez(downloads / "mnist.npz", **parts)
    (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
    for found, name in ((x_train, "x_train"), (y_train, "y_train"), (x_test, "x_test"), (y_test, "y_test")):
        np.testing.assert_array_equal(found, parts[name])
        assert found.dtype == "uint8"


def test_fashion_mnist(downloads: Path):
    images, labels = rng.integers(0, 255, (5, 28, 28), "uint8"), np.arange(5, dtype="uint8")
    for part in ("train", "t10k"):
        (downloads / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + labels.tobytes()))
        (downloads / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + images.tobytes()))
    for x, y in datasets.fashion_mnist.load_data():
        np.testing.assert_array_equal(x, images)
        np.testing.assert_array_equal(y, labels)


def test_cifar(downloads: Path):
    pixels = rng.integers(0, 255, (4, 3072), "uint8")
    batch = {b"data": pixels, b"labels": [3, 1, 2, 0], b"fine_labels": [5, 6, 7, 8], b"coarse_labels": [1, 1, 0, 0]}
    for folder, files in (
        ("cifar-10-batches-py", ["test_batch", *(f"data_batch_{k}" for k in range(1, 6))]),
        ("cifar-100-python", ["train", "test"]),
    ):
        inner = downloads / f"{folder}-target" / folder
        inner.mkdir(parents=True)
        for name in files:
            (inner / name).write_bytes(pickle.dumps(batch, protocol=2))
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert x_train.shape == (20, 32, 32, 3)
    assert y_test.tolist() == [[3], [1], [2], [0]]
    np.testing.assert_array_equal(x_test[1, :, :, 2].ravel(), pixels[1, 2048:])
    assert datasets.cifar100.load_data("coarse")[0][1].tolist() == [[1], [1], [0], [0]]
    config.set_image_data_format("channels_first")
    try:
        assert datasets.cifar10.load_data()[1][0].shape == (4, 3, 32, 32)
    finally:
        config.set_image_data_format("channels_last")
    with pytest.raises(ValueError, match="label_mode is 'fine' or 'coarse'; got 'all'"):
        datasets.cifar100.load_data("all")


def lists(*lengths: int) -> np.ndarray:
    made = np.empty(len(lengths), object)
    made[:] = [rng.integers(1, 20, n).tolist() for n in lengths]
    return made


def test_imdb(downloads: Path):
    parts = {
        "x_train": lists(5, 3, 9, 2), "y_train": np.array([0, 1, 1, 0]),
        "x_test": lists(4, 8, 2), "y_test": np.array([1, 0, 1]),
    }  # fmt: skip
    np.savez(downloads / "imdb.npz", **parts)
    (x_train, y_train), (x_test, y_test) = datasets.imdb.load_data(num_words=12)
    assert {tuple(words) for words in x_train} == {
        (1, *(w + 3 if w + 3 < 12 else 2 for w in words)) for words in parts["x_train"]
    }
    assert sorted(y_train.tolist()) == [0, 0, 1, 1]
    (x_short, _), _ = datasets.imdb.load_data(maxlen=5, start_char=None, oov_char=None, index_from=0)
    assert all(len(words) < 5 for words in x_short)
    with pytest.raises(ValueError, match="No sequence is shorter than maxlen=2"):
        datasets.imdb.load_data(maxlen=2)
    (downloads / "imdb_word_index.json").write_text(json.dumps({"film": 1}))
    assert datasets.imdb.get_word_index() == {"film": 1}


def test_reuters(downloads: Path):
    np.savez(downloads / "reuters.npz", x=lists(*range(2, 12)), y=np.arange(10))
    (x_train, y_train), (x_test, y_test) = datasets.reuters.load_data(test_split=0.3)
    assert (len(x_train), len(x_test)) == (7, 3)
    assert sorted([*y_train, *y_test]) == list(range(10))
    assert all(words[0] == 1 for words in x_train)
    assert len(datasets.reuters.get_label_names()) == 46


def test_prices(downloads: Path):
    x, y = rng.normal(size=(700, 8)), np.arange(700.0)
    for name in ("boston_housing", "california_housing"):
        np.savez(downloads / f"{name}.npz", x=x, y=y)
    (x_train, y_train), (x_test, y_test) = datasets.boston_housing.load_data()
    assert (len(x_train), len(x_test)) == (560, 140)
    np.testing.assert_array_equal(x_train, x[y_train.astype(int)])
    assert len(datasets.california_housing.load_data("small")[0][0]) == 480
    with pytest.raises(ValueError, match="version is 'large' or 'small'; got 'tiny'"):
        datasets.california_housing.load_data("tiny")
    with pytest.raises(ValueError, match="test_split is a share from 0 to 1"):
        datasets.boston_housing.load_data(test_split=1.5)


def test_a_pickle_that_asks_for_more_than_arrays_is_refused(tmp_path: Path):
    class Harmful:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    made = np.empty(1, object)
    made[0] = Harmful()
    np.savez(tmp_path / "bad.npz", x=made)
    with pytest.raises(pickle.UnpicklingError, match="arrays, lists and numbers only"):
        reading.read_npz(tmp_path / "bad.npz")
    assert not (tmp_path / "ran").exists()
