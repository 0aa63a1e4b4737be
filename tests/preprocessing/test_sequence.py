"""Sequences: the values are those that Keras 3.15.1 gives."""

from __future__ import annotations

import json

import numpy as np
import pytest

from layerkit import Sequential, layers
from layerkit.preprocessing.sequence import TimeseriesGenerator, make_sampling_table, skipgrams


def test_sampling_table():
    np.testing.assert_allclose(
        make_sampling_table(4, 0.01), [0.09968283, 0.09968283, 0.17316546, 0.23450073], rtol=1e-6
    )
    assert make_sampling_table(50, 1.0).max() == 1


def test_pairs_without_the_drawn_ones():
    pairs, labels = skipgrams([5, 2, 7, 0, 3], 10, window_size=2, negative_samples=0, shuffle=False)
    assert pairs == [[5, 2], [5, 7], [2, 5], [2, 7], [7, 5], [7, 2], [7, 3], [3, 7]]
    assert labels == [1] * 8


@pytest.mark.parametrize(("categorical", "real", "drawn"), [(False, 1, 0), (True, [0, 1], [1, 0])])
def test_drawn_pairs(categorical, real, drawn):
    pairs, labels = skipgrams(range(1, 9), 9, 1, negative_samples=2.0, shuffle=False, categorical=categorical, seed=1)
    assert labels == [real] * 14 + [drawn] * 28
    assert sorted(word for word, _ in pairs[14:]) == sorted([word for word, _ in pairs[:14]] * 2)
    assert {other for _, other in pairs} <= set(range(1, 9))


def test_same_seed_same_pairs():
    first, again, other = (skipgrams(range(30), 30, seed=seed) for seed in (3, 3, 4))
    assert first == again != other


def test_words_left_out():
    pairs, _ = skipgrams([1, 2, 3], 4, negative_samples=0, sampling_table=np.array([0, 1, 0, 0.0]))
    assert {word for word, _ in pairs} == {1}
    assert skipgrams([0, 0], 4) == ([], [])


SERIES = np.arange(24).reshape(12, 2), np.arange(12) * 10
BATCHES = [  # arguments; then, as Keras 3.15.1 gives them, the first features of all batches, and their targets
    (
        {"length": 3, "batch_size": 4},
        [
            [[0, 2, 4], [2, 4, 6], [4, 6, 8], [6, 8, 10]],
            [[8, 10, 12], [10, 12, 14], [12, 14, 16], [14, 16, 18]],
            [[16, 18, 20]],
        ],
        [[30, 40, 50, 60], [70, 80, 90, 100], [110]],
    ),
    (
        {"length": 4, "sampling_rate": 2, "stride": 2, "batch_size": 2},
        [[[0, 4], [4, 8]], [[8, 12], [12, 16]]],
        [[40, 60], [80, 100]],
    ),
    (
        {"length": 3, "start_index": 2, "end_index": 8, "batch_size": 3, "reverse": True},
        [[[8, 6, 4], [10, 8, 6], [12, 10, 8]], [[14, 12, 10]]],
        [[50, 60, 70], [80]],
    ),
]


@pytest.mark.parametrize(("arguments", "windows", "targets"), BATCHES)
def test_windows(arguments, windows, targets):
    batches = TimeseriesGenerator(*SERIES, **arguments)
    assert len(batches) == len(windows)
    assert [x[:, :, 0].tolist() for x, _ in batches] == windows
    assert [y.tolist() for _, y in batches] == targets
    again = json.loads(batches.to_json())["config"]
    data, known = json.loads(again.pop("data")), json.loads(again.pop("targets"))
    assert TimeseriesGenerator(data, known, **again)[0][1].tolist() == targets[0]


def test_windows_at_random():
    np.random.seed(0)  # noqa: NPY002 - Keras draws from it
    batches = TimeseriesGenerator(*SERIES, length=3, shuffle=True, batch_size=3)
    drawn = [batches[n][0][:, :, 0].tolist() for n in range(3)]
    assert drawn[1:] == [[[6, 8, 10], [14, 16, 18], [6, 8, 10]], [[10, 12, 14], [4, 6, 8], [8, 10, 12]]]  # Keras' too


def test_windows_feed_fit():
    batches = TimeseriesGenerator(SERIES[0].astype("float32"), SERIES[1].astype("float32"), length=3, batch_size=4)
    model = Sequential([layers.Input((3, 2)), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(batches, epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(batches, verbose=0).shape == (9, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SERIES[:1], SERIES[1][:3], 2), "Data and targets have to be of same length. Data length is 12 while target"),
        ((*SERIES, 12), r"`start_index\+length=12 > end_index=11` is disallowed"),
        ((*SERIES, 0), "`length` must be at least 1. Received: length=0"),
        ((*SERIES, 3, 1, 0), "`stride` must be at least 1. Received: stride=0"),
        ((*SERIES, 3, 1, 1, 0, 12), "`end_index` must be below the 12 steps of the data. Received: end_index=12"),
    ],
)
def test_windows_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        TimeseriesGenerator(*arguments)


def test_a_series_that_json_cannot_hold():
    with pytest.raises(TypeError, match="Data not JSON Serializable"):
        TimeseriesGenerator([1j] * 4, [0] * 4, 2).get_config()
