"""Data sets from directories and arrays. The orders were compared with Keras 3.15's."""

import wave
from pathlib import Path

import numpy as np
import pytest

import layerkit
from layerkit import layers, utils


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    for name in ("b", "a", ".hidden"):
        for at in range(5):
            path = tmp_path / name / ("inner" if at == 1 else "") / f"{at}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{name}{at} é", encoding="utf-8")
    (tmp_path / "a" / "other.csv").write_text("1")
    return tmp_path


def _names(dataset: object) -> list[str]:
    return ["/".join(Path(path).parts[-2:]) for path in dataset.file_paths]


def test_classes_and_files_are_sorted(texts: Path, capsys: pytest.CaptureFixture) -> None:
    dataset = utils.text_dataset_from_directory(texts, batch_size=4, shuffle=False, max_length=2)
    assert capsys.readouterr().out == "Found 10 files belonging to 2 classes.\n"
    assert dataset.class_names == ["a", "b"]
    batches = list(dataset)
    assert [str(text) for x, _ in batches for text in x] == [f"{name}{at}" for name in "ab" for at in (0, 2, 3, 4, 1)]
    assert [y.tolist() for _, y in batches] == [[0, 0, 0, 0], [0, 1, 1, 1], [1, 1]]
    assert batches[0][1].dtype == "int32"


def test_label_modes_and_classes(texts: Path) -> None:
    common = {"batch_size": 10, "shuffle": False, "verbose": False}
    one_hot = utils.text_dataset_from_directory(texts, label_mode="categorical", **common)[0][1]
    np.testing.assert_array_equal(one_hot, np.eye(2, dtype="float32").repeat(5, axis=0))
    binary = utils.text_dataset_from_directory(texts, label_mode="binary", class_names=["b", "a"], **common)
    assert binary[0][0][0] == "b0 é"
    assert (binary[0][1].shape, binary[0][1].dtype) == ((10, 1), "float32")
    bare = utils.text_dataset_from_directory(texts, labels=None, **{**common, "batch_size": None})
    assert bare.class_names is None
    assert len(bare) == 15  # without classes every folder counts
    given = utils.text_dataset_from_directory(texts / "a", labels=[7, 7, 8, 8, 9], **common)
    assert given.class_names == ["7", "8", "9"]
    assert given[0][1].tolist() == [7, 7, 8, 8, 9]


def test_shuffling_and_splitting(texts: Path) -> None:
    whole = utils.text_dataset_from_directory(texts, seed=3, verbose=False)
    order = np.arange(10)
    np.random.RandomState(3).shuffle(order)
    sorted_ones = _names(utils.text_dataset_from_directory(texts, shuffle=False, verbose=False))
    assert _names(whole) == [sorted_ones[at] for at in order]
    train, valid = utils.text_dataset_from_directory(
        texts, seed=3, validation_split=0.3, subset="both", batch_size=2, verbose=False
    )
    assert _names(train) + _names(valid) == _names(whole)
    assert len(valid.file_paths) == 3
    first = [y.tolist() for _, y in train]
    assert first == [y.tolist() for _, y in train]  # a loop does not shuffle
    train.on_epoch_end()
    second = [y.tolist() for _, y in train]
    assert sorted(sum(first, [])) == sorted(sum(second, []))
    assert first != second


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"labels": "guess"}, "`labels` argument should be"),
        ({"labels": [1, 2], "class_names": ["a"]}, "only pass `class_names` if"),
        ({"labels": [1, 2]}, r"len\(labels\) is 2 while we found 15 files"),
        ({"label_mode": "one_hot"}, '"int", "categorical", "binary", or None'),
        ({"label_mode": "binary", "class_names": ["a"]}, "exactly 2 class_names"),
        ({"class_names": ["c"]}, "did not match the names of the subdirectories"),
        ({"validation_split": 1.5, "subset": "training"}, "between 0 and 1, received: 1.5"),
        ({"validation_split": 0.5}, "`validation_split` must be set, and inversely"),
        ({"validation_split": 0.5, "subset": "test"}, '"training", "validation" or "both"'),
        ({"validation_split": 0.5, "subset": "both"}, "must provide a `seed`"),
        ({"validation_split": 0.05, "subset": "both", "seed": 1}, "No validation text files found"),
        ({"format": "torch"}, '"tf" or "grain"'),
        ({"batch_size": 0}, "`batch_size` must be at least 1"),
    ],
)
def test_errors_of_directories(texts: Path, arguments: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        utils.text_dataset_from_directory(texts, verbose=False, **arguments)


def test_images(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    colours = {"red": (200, 0, 0), "green": (0, 100, 0)}
    for name, colour in colours.items():
        (tmp_path / name).mkdir()
        for at in range(3):
            utils.save_img(tmp_path / name / f"{at}.png", np.full((4 + at, 6, 3), colour), scale=False)
    common = {"image_size": (4, 3), "batch_size": 4, "verbose": False}
    dataset = utils.image_dataset_from_directory(tmp_path, shuffle=False, **common)
    x, y = dataset[0]
    assert (x.shape, x.dtype, y.tolist()) == ((4, 4, 3, 3), "float32", [0, 0, 0, 1])
    np.testing.assert_allclose(x[3], np.broadcast_to(colours["red"], (4, 3, 3)))
    gray = utils.image_dataset_from_directory(tmp_path, color_mode="grayscale", data_format="channels_first", **common)
    assert gray[0][0].shape == (4, 1, 4, 3)
    padded = utils.image_dataset_from_directory(tmp_path, pad_to_aspect_ratio=True, shuffle=False, **common)
    assert padded[0][0][0, 0].sum() == 0
    model = layerkit.Sequential([layers.Input((4, 3, 3)), layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(utils.image_dataset_from_directory(tmp_path, label_mode="categorical", **common), epochs=2, verbose=0)
    assert model.predict(dataset, verbose=0).shape == (6, 2)
    for arguments, text in (
        ({"color_mode": "cmyk"}, "`color_mode` must be one of"),
        ({"image_size": (1, 2, 3)}, "Expected a tuple of 2 integers"),
        ({"interpolation": "area"}, "`interpolation` should be one of"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
    ):
        with pytest.raises(ValueError, match=text):
            utils.image_dataset_from_directory(tmp_path, **{**common, **arguments})


def test_sounds(tmp_path: Path) -> None:
    (tmp_path / "beep").mkdir()
    for at, width in enumerate((1, 2, 3, 4)):
        with wave.open(str(tmp_path / "beep" / f"{at}.wav"), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(width)
            file.setframerate(8000)
            top = b"\xc0" if width == 1 else b"\x00" * (width - 1) + b"\x40"  # a half
            low = b"\x00" if width == 1 else b"\x00" * (width - 1) + b"\x80"  # -1
            file.writeframes((top + low) * (at + 1))
    dataset = utils.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False)
    x, y = dataset[0]
    assert (x.shape, x.dtype, y.tolist()) == ((4, 4, 2), "float32", [0, 0, 0, 0])
    for at in range(4):
        np.testing.assert_array_equal(x[at], [[0.5, -1.0]] * (at + 1) + [[0.0, 0.0]] * (3 - at))
    cut = utils.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False, output_sequence_length=2)
    assert cut[0][0].shape == (4, 2, 2)
    with pytest.raises(NotImplementedError, match="has 8000 Hz; layerkit does not resample it to sampling_rate=16000"):
        utils.audio_dataset_from_directory(tmp_path, sampling_rate=16000, verbose=False)[0]
    with pytest.raises(NotImplementedError, match="no ragged tensors"):
        utils.audio_dataset_from_directory(tmp_path, ragged=True)
    with pytest.raises(ValueError, match="`sampling_rate` should be a positive integer"):
        utils.audio_dataset_from_directory(tmp_path, sampling_rate=-1)


def test_windows() -> None:
    data, targets = np.arange(20), np.arange(20) * 10
    windows = utils.timeseries_dataset_from_array(
        data, targets, 3, sequence_stride=2, sampling_rate=2, start_index=1, end_index=15, batch_size=4
    )
    x, y = windows[0]
    assert x.tolist() == [[1, 3, 5], [3, 5, 7], [5, 7, 9], [7, 9, 11]]
    assert y.tolist() == [10, 30, 50, 70]
    single = utils.timeseries_dataset_from_array(data, None, 18, batch_size=None)
    assert [x[0] for x in single] == [0, 1, 2]
    shuffled = utils.timeseries_dataset_from_array(data, targets, 2, shuffle=True, seed=1, batch_size=19)
    assert sorted(shuffled[0][1].tolist()) == targets[:19].tolist() != shuffled[0][1].tolist()
    for arguments, text in (
        ({"start_index": -1}, "`start_index` must be 0 or greater"),
        ({"start_index": 20}, "`start_index` must be lower than the length"),
        ({"start_index": 5, "end_index": 4}, "`end_index` must be higher than `start_index`"),
        ({"end_index": 20}, "`end_index` must be lower than the length"),
        ({"sampling_rate": 0}, "`sampling_rate` must be higher than 0"),
        ({"sequence_stride": 30}, "`sequence_stride` must be lower than the length"),
    ):
        with pytest.raises(ValueError, match=text):
            utils.timeseries_dataset_from_array(data, targets, 3, **arguments)


def test_splitting_in_two() -> None:
    left, right = utils.split_dataset([np.arange(10), np.arange(10) * 2], right_size=3)
    assert [(int(x), int(y)) for x, y in right] == [(7, 14), (8, 16), (9, 18)]
    assert left.batch(4)[0][0].tolist() == [0, 1, 2, 3]
    left, right = utils.split_dataset(np.arange(10), left_size=0.5, right_size=0.2)
    assert [int(x) for x in right] == [8, 9]
    shuffled = utils.split_dataset(np.arange(10), left_size=0.75, shuffle=True, seed=5)
    assert [[int(x) for x in part] for part in shuffled] == [[2, 3, 1, 0, 8, 7, 6, 5], [4, 9]]  # as Keras
    for arguments, text in (
        ({}, "At least one of"),
        ({"left_size": 1.5}, "`left_size` should be a positive integer below the number of samples, 10"),
        ({"left_size": 8, "right_size": 5}, "sum of `left_size` and `right_size`"),
        ({"left_size": 0.01}, "one part would be empty"),
    ):
        with pytest.raises(ValueError, match=text):
            utils.split_dataset(np.arange(10), **arguments)
