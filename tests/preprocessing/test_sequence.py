"""Sequences: the values are those that Keras 3.15.1 gives."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit.preprocessing.sequence import make_sampling_table, skipgrams


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
