"""Boston housing: prices of 506 districts by 13 features. D. Harrison, D. Rubinfeld (1978).

One of the features is about race and rests on a racist assumption: use `california_housing` for anything but comparing
with old results.
"""

from __future__ import annotations

from layerkit.datasets.reading import Arrays, download, read_npz, shuffled, split


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> tuple[Arrays, Arrays]:
    """Features [N, 13] and prices in thousands of dollars [N], for training and for the test.

    Args:
        path: under which name the file is kept in `~/.keras/datasets`.
        test_split: the share of the test.
        seed: of the order.
    """
    found = read_npz(
        download(path, "boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5")
    )
    return split(*shuffled(seed, found["x"], found["y"]), test_split)
