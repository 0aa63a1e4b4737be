import numpy as np
import pytest

import layerkit.random


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(24, 6)).astype("float32"), rng.integers(0, 3, 24)


@pytest.fixture(autouse=True)
def seeded():
    layerkit.random.set_seed(7)
