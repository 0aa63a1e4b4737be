"""Fashion-MNIST: 70,000 pictures of clothes. H. Xiao, K. Rasul, R. Vollgraf (2017), https://arxiv.org/abs/1708.07747."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from layerkit.datasets.reading import FOLDER, Arrays
from layerkit.utils.files import get_file


def load_data() -> tuple[Arrays, Arrays]:
    """Images uint8 [60000 or 10000, 28, 28] with their labels, for training and for the test."""
    return _part("train"), _part("t10k")


def _part(name: str) -> Arrays:
    labels = _numbers(f"{name}-labels-idx1-ubyte.gz", header=8)
    images = _numbers(f"{name}-images-idx3-ubyte.gz", header=16)
    return images.reshape(len(labels), 28, 28), labels


def _numbers(name: str, header: int) -> np.ndarray:
    path = get_file(name, origin=FOLDER + name, cache_subdir=str(Path("datasets") / "fashion-mnist"))
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)
