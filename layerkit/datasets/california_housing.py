"""California housing: prices of 20,640 districts by 8 features.

R. Pace, R. Barry (1997), Sparse Spatial Autoregressions, doi:10.1016/S0167-7152(96)00140-X.
"""

from __future__ import annotations

from layerkit.datasets.reading import Arrays, download, read_npz, shuffled, split

SMALL = 600


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Arrays, Arrays]:
    """Features [N, 8] and prices in dollars [N], for training and for the test.

    Args:
        version: "large" for all districts, "small" for 600.
        path: under which name the file is kept in `~/.keras/datasets`.
        test_split: the share of the test.
        seed: of the order.
    """
    if version not in ("large", "small"):
        raise ValueError(f"version is 'large' or 'small'; got {version!r}.")
    found = read_npz(
        download(path, "california_housing.npz", "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f")
    )
    x, y = (found[name][:SMALL] if version == "small" else found[name] for name in ("x", "y"))
    return split(*shuffled(seed, x, y), test_split)
