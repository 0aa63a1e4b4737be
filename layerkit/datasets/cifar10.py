"""CIFAR-10: 60,000 small pictures of ten kinds of things."""

from __future__ import annotations

from layerkit.datasets import cifar
from layerkit.datasets.reading import Arrays

HASH = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"


def load_data() -> tuple[Arrays, Arrays]:
    """Images uint8 [50000 or 10000, 32, 32, 3] with labels [N, 1], for training and for the test."""
    folder = cifar.folder("cifar-10", HASH)
    x_train, y_train = cifar.read_batches([folder / f"data_batch_{number}" for number in range(1, 6)], "labels")
    x_test, y_test = cifar.read_batches([folder / "test_batch"], "labels")
    return (x_train, y_train.astype("uint8")), (x_test, y_test)
