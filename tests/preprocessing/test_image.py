"""`ImageDataGenerator` as scripts of Keras 2 use it; the numbers marked so are Keras 3.15's for the same seeds."""

from pathlib import Path

import numpy as np
import pytest

import layerkit
from layerkit import layers, utils
from layerkit.preprocessing import image


def _images(count: int = 6) -> np.ndarray:
    return np.random.RandomState(1).randint(0, 256, (count, 8, 8, 3)).astype("float32")


def test_draws_are_keras_own() -> None:
    generator = image.ImageDataGenerator(
        rotation_range=20, width_shift_range=0.2, height_shift_range=2.0, shear_range=10, zoom_range=0.2,
        horizontal_flip=True, vertical_flip=True, channel_shift_range=20, brightness_range=(0.5, 1.5),
    )  # fmt: skip
    drawn = generator.get_random_transform((8, 9, 3), seed=0)
    keras = {
        "theta": 1.9525401570929901, "tx": 0.8607574654896779, "ty": 0.36994815385791785, "shear": 0.8976636599379368,
        "zx": 0.9694619197355618, "zy": 1.0583576452266623, "flip_horizontal": 1, "flip_vertical": 0,
        "channel_shift_intensity": 18.546510420041173, "brightness": 0.8834415188257777,
    }  # fmt: skip
    assert drawn == pytest.approx(keras)
    changed = generator.apply_transform(_images()[0], drawn)
    assert (changed.shape, changed.dtype) == ((8, 8, 3), "float32")


def test_motions() -> None:
    x = np.arange(12.0).reshape(3, 4, 1)

    def moved(**motion: float) -> np.ndarray:
        return image.apply_affine_transform(x, row_axis=0, col_axis=1, channel_axis=2, **motion)[..., 0]

    np.testing.assert_array_equal(moved(tx=1), x[:, [1, 2, 3, 3], 0])
    np.testing.assert_array_equal(moved(ty=1), x[[1, 2, 2], :, 0])
    np.testing.assert_allclose(moved(theta=180), x[::-1, ::-1, 0], atol=1e-5)
    np.testing.assert_array_equal(moved(tx=1, fill_mode="constant", cval=-1)[:, 3], [-1, -1, -1])
    generator = image.ImageDataGenerator()
    np.testing.assert_array_equal(generator.apply_transform(x, {"tx": 1})[..., 0], moved(ty=1))
    np.testing.assert_array_equal(generator.apply_transform(x, {"flip_vertical": True}), x[::-1])


def test_flow_feeds_fit() -> None:
    generator = image.ImageDataGenerator(rescale=1 / 255, rotation_range=20, zoom_range=0.2, horizontal_flip=True)
    flow = generator.flow(_images(10), np.arange(10) % 2, batch_size=4, seed=7)
    assert len(flow) == 3
    x, y = flow[0]
    assert (x.shape, x.dtype, y.shape) == ((4, 8, 8, 3), "float32", (4,))
    assert 0 <= x.min() <= x.max() <= 1
    model = layerkit.Sequential([layers.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    assert len(model.fit(flow, epochs=2, verbose=0).history["loss"]) == 2
    again = generator.flow(_images(10), np.arange(10) % 2, batch_size=4, seed=7)
    np.testing.assert_array_equal(again[0][0], x)
    endless = [next(flow)[1].shape[0] for _ in range(5)]
    assert endless == [4, 4, 2, 4, 4]
    bare = image.ImageDataGenerator().flow(_images(), shuffle=False, batch_size=6)
    np.testing.assert_array_equal(bare[0], _images())
    weighted = image.ImageDataGenerator().flow(_images(), np.arange(6), sample_weight=np.ones(6), shuffle=False)
    assert len(weighted[0]) == 3


def test_splits() -> None:
    generator = image.ImageDataGenerator(validation_split=0.5)
    labels = np.array([0, 1, 0, 1])
    parts = {
        name: generator.flow(_images(4), labels, subset=name, shuffle=False) for name in ("training", "validation")
    }
    np.testing.assert_array_equal(parts["validation"][0][0], _images(4)[:2])
    np.testing.assert_array_equal(parts["training"][0][0], _images(4)[2:])
    with pytest.raises(ValueError, match="different number of classes after the split"):
        generator.flow(_images(4), np.sort(labels), subset="training")


def test_statistics() -> None:
    x = _images()
    generator = image.ImageDataGenerator(featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match=r"call `\.fit\(data\)` first"):
        generator.standardize(x)
    generator.fit(x)
    y = generator.standardize(x)
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), np.zeros(3), atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), np.ones(3), rtol=1e-5)
    own = image.ImageDataGenerator(samplewise_std_normalization=True).standardize(x[0])
    assert (float(own.mean()), float(own.std())) == pytest.approx((0, 1), abs=1e-5)
    white = image.ImageDataGenerator(zca_whitening=True)
    white.fit(x[:, :2, :2])
    assert white.standardize(x[:, :2, :2]).shape == (6, 2, 2, 3)


def test_directories(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    pytest.importorskip("PIL")
    for name in ("dogs", "cats"):
        (tmp_path / name).mkdir()
        for at, picture in enumerate(_images(4)):
            utils.save_img(tmp_path / name / f"{at}.png", picture, scale=False)
    generator = image.ImageDataGenerator(rescale=1 / 255, validation_split=0.25)
    common = {"target_size": (4, 5), "batch_size": 3, "shuffle": False}
    flow = generator.flow_from_directory(tmp_path, subset="training", **common)
    assert capsys.readouterr().out == "Found 6 images belonging to 2 classes.\n"
    assert flow.class_indices == {"cats": 0, "dogs": 1}
    assert flow.filenames == [f"{name}/{at}.png" for name in ("cats", "dogs") for at in (1, 2, 3)]
    x, y = flow[1]
    assert x.shape == (3, *flow.image_shape)
    np.testing.assert_array_equal(y, [[0, 1]] * 3)
    assert flow.labels.tolist() == [0, 0, 0, 1, 1, 1]
    binary = generator.flow_from_directory(tmp_path, class_mode="binary", subset="validation", **common)
    assert binary[0][1].tolist() == [0, 1]
    same = generator.flow_from_directory(tmp_path, class_mode="input", **common)[0]
    np.testing.assert_array_equal(*same)
    (tmp_path / "out").mkdir()
    written = image.ImageDataGenerator().flow(_images(2), save_to_dir=tmp_path / "out", save_prefix="a", shuffle=False)
    assert next(written).shape == (2, 8, 8, 3)
    assert len(list((tmp_path / "out").glob("a_*.png"))) == 2
    with pytest.raises(ValueError, match="Invalid class_mode"):
        generator.flow_from_directory(tmp_path, class_mode="one_hot")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"zoom_range": (1, 2, 3)}, ValueError, "`zoom_range` should be a float or a tuple"),
        ({"validation_split": 2}, ValueError, "strictly between 0 and 1"),
        ({"brightness_range": 1}, ValueError, "tuple or list of two floats"),
        ({"fill_mode": "black"}, ValueError, "`fill_mode` is one of"),
        ({"interpolation_order": 3}, NotImplementedError, "interpolation_order 0 or 1"),
    ],
)
def test_errors(arguments: dict, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        image.ImageDataGenerator(**arguments)


def test_errors_of_flows() -> None:
    with pytest.raises(ValueError, match="should have rank 4"):
        image.ImageDataGenerator().flow(np.ones((2, 3)))
    with pytest.raises(ValueError, match="`x` and `y` should have the same length"):
        image.ImageDataGenerator().flow(_images(2), np.ones(3))
