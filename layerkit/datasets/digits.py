"""Handwritten digits, 8 x 8 pixels, in the package: nothing is downloaded.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, doi:10.24432/C50P49, the samples of its test set. Licence: CC BY 4.0. Each pixel counts how many
of the 4 x 4 dots it stands for were black.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]

TEST_SAMPLES = 360
SEED = 1998


def load_data() -> tuple[Arrays, Arrays]:
    """The digits, cut in a training and a test part that are the same everywhere.

    Each digit has the same share in both parts as in the whole; the order is shuffled.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 [1437 or 360, 8, 8] with values 0 to 16, and labels
        uint8 [1437 or 360].

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_test.shape
        ((1437, 8, 8), (360,))
    """
    with files(__package__).joinpath("digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as data:
        x, y = data["x"], data["y"]
    train, test = _split(y)
    return (x[train], y[train]), (x[test], y[test])


def _split(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the two parts."""
    # A seeded RandomState gives the same numbers in every version of NumPy; a Generator does not promise to.
    random = np.random.RandomState(SEED)
    order = random.permutation(len(y))
    by_class = [order[y[order] == label] for label in range(10)]
    # The parts of ten digits do not add up to 360 when rounded down: the largest remainders get the rest.
    shares = np.array([len(members) * TEST_SAMPLES / len(y) for members in by_class])
    counts = shares.astype(int)
    counts[np.argsort(counts - shares, kind="stable")[: TEST_SAMPLES - counts.sum()]] += 1
    test = np.zeros(len(y), bool)
    for members, count in zip(by_class, counts, strict=True):
        test[members[:count]] = True
    return order[~test[order]], order[test[order]]
