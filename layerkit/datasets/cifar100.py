"""CIFAR-100: 60,000 small pictures of a hundred kinds of things, in twenty groups."""

from __future__ import annotations

from layerkit.datasets import cifar
from layerkit.datasets.reading import Arrays

HASH = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"


def load_data(label_mode: str = "fine") -> tuple[Arrays, Arrays]:
    """Images uint8 [50000 or 10000, 32, 32, 3] with labels [N, 1], for training and for the test.

    Args:
        label_mode: "fine" for the hundred kinds, "coarse" for the twenty groups.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"label_mode is 'fine' or 'coarse'; got {label_mode!r}.")
    folder = cifar.folder("cifar-100", HASH)
    return tuple(cifar.read_batches([folder / part], f"{label_mode}_labels") for part in ("train", "test"))
