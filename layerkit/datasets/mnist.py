"""MNIST: 70,000 handwritten digits. Y. LeCun, C. Cortes, C. Burges, http://yann.lecun.com/exdb/mnist/."""

from __future__ import annotations

from layerkit.datasets.reading import Arrays, download, read_npz


def load_data(path: str = "mnist.npz") -> tuple[Arrays, Arrays]:
    """Images uint8 [60000 or 10000, 28, 28] with their labels, for training and for the test.

    Args:
        path: under which name the file is kept in `~/.keras/datasets` (it is downloaded where it is not there).
    """
    found = read_npz(download(path, "mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"))
    return (found["x_train"], found["y_train"]), (found["x_test"], found["y_test"])
