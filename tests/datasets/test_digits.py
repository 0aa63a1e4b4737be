import zlib

import numpy as np

from layerkit.datasets import digits


def test_shapes_dtypes_and_values():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert (x_train.shape, y_train.shape, x_test.shape, y_test.shape) == ((1437, 8, 8), (1437,), (360, 8, 8), (360,))
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert (x_train.min(), x_train.max()) == (0, 16)
    assert sorted(set(y_test.tolist())) == list(range(10))


def test_parts_are_stratified_and_disjoint():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    shares = np.bincount(y_test) / (np.bincount(y_test) + np.bincount(y_train))
    assert np.abs(shares - 360 / 1797).max() < 1 / 170
    assert not {image.tobytes() for image in x_test} & {image.tobytes() for image in x_train}
    assert (y_train[:-1] != y_train[1:]).mean() > 0.8  # shuffled


def test_the_split_never_changes():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    arrays = (x_train, y_train, x_test, y_test)
    assert [zlib.crc32(array.tobytes()) for array in arrays] == CHECKSUMS


CHECKSUMS = [3722067203, 3325861387, 2985489156, 719927349]
