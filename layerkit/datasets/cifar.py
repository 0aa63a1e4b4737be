"""CIFAR's files. A. Krizhevsky (2009), https://www.cs.toronto.edu/~kriz/cifar.html."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from layerkit.config import image_data_format
from layerkit.datasets.reading import Arrays, unpickled
from layerkit.utils.files import get_file


def folder(name: str, file_hash: str) -> Path:
    """Where an archive's files lie, downloaded where they are not there."""
    origin = f"https://www.cs.toronto.edu/~kriz/{name}-python.tar.gz"
    inner = f"{name}-batches-py" if name == "cifar-10" else f"{name}-python"
    return Path(get_file(f"{inner}-target", origin=origin, extract=True, file_hash=file_hash)) / inner


def read_batches(paths: list[Path], labels: str) -> Arrays:
    """Images uint8 [N, 32, 32, 3] (or channels first, as the settings say) and labels [N, 1] of some files."""
    images, numbers = [], []
    for path in paths:
        with path.open("rb") as file:
            batch = unpickled(file, encoding="bytes")
        images.append(np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, 32, 32))
        numbers.append(np.asarray(batch[labels.encode()]))
    x, y = np.concatenate(images), np.concatenate(numbers).reshape(-1, 1)
    return (x.transpose(0, 2, 3, 1) if image_data_format() == "channels_last" else x), y
