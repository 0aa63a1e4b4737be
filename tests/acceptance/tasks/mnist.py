"""MNIST, from the folder of its four .gz files that LAYERKIT_MNIST names."""

import gzip
import os
from pathlib import Path

import numpy as np

FOLDER = Path(os.environ.get("LAYERKIT_MNIST", "no MNIST"))


def mnist():
    """(x_train, y_train), (x_test, y_test): images float32 [n, 28, 28] of 0 to 1, labels int32 [n]."""

    def read(name):
        content = gzip.decompress((FOLDER / f"{name}.gz").read_bytes())
        axes = content[3]
        return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(np.frombuffer(content, ">i4", axes, 4))

    def part(name):
        images, labels = read(f"{name}-images-idx3-ubyte"), read(f"{name}-labels-idx1-ubyte")
        return (images / 255).astype("float32"), labels.astype("int32")

    return part("train"), part("t10k")
