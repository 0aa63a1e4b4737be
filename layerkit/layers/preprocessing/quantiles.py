"""Summaries of a distribution that is seen batch by batch: values with the weights that they stand for.

A summary is float32 [2, points]: values in rising order, and weights. Points are as many as about 1/epsilon; merging
keeps them so. It is Keras' algorithm, so that the boundaries found are Keras'.
"""

from __future__ import annotations

import numpy as np


def summary_of(values: np.ndarray, epsilon: float) -> np.ndarray:
    """The summary of an array: about every (epsilon n)-th of its sorted values.

    >>> summary_of(np.array([3.0, 1.0, 2.0], "float32"), 0.01).tolist()
    [[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]
    """
    values = np.sort(values, axis=None)
    step = max(values.size / (1 / epsilon), 1)  # in the order that Keras rounds in
    chosen = values[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def merged(first: np.ndarray, second: np.ndarray, epsilon: float) -> np.ndarray:
    """The summary of two summaries' data."""
    both = np.concatenate([first, second], axis=1)
    return _compressed(both[:, np.argsort(both[0])], epsilon)


def boundaries_of(summary: np.ndarray, bins: int) -> np.ndarray:
    """The `bins - 1` values that cut the data in `bins` parts of about equal weight."""
    return _compressed(summary, 1 / bins)[0, :-1]


def _compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """At most about 1/epsilon points, interpolated at equal shares of the weight."""
    values, weights = summary
    if values.size * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    below = weights.cumsum()
    places = below / below[-1]
    reached = np.interp(shares, places, below)
    return np.stack([np.interp(shares, places, values), np.diff(reached, prepend=0)]).astype("float32")
