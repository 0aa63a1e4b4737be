"""Layers that change images: against Keras with the same draws, and what the laws of layers do not cover."""

import numpy as np
import pytest

import layerkit
from layerkit import layers, ops
from layerkit.errors import ShapeError
from layerkit.tracing import compile_function
from tests.recordings.loader import cases

CASES = cases("image_layers")


def _transformation(case: dict) -> object:
    """As Keras gives it: lists stood for tuples."""
    drawn = case["transformation"]
    return tuple(drawn) if isinstance(drawn, list) else drawn


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_same_as_keras_with_the_same_draws(case: dict) -> None:
    layer = getattr(layers, case["class"])(**case["kwargs"])
    y = np.asarray(layer.transform_images(case["images"], _transformation(case), training=True))
    assert y.dtype == case["output"].dtype
    scale = 255 if case["images"].max() > 1 else 1
    # Where a quotient is a half, Keras rounds to either side.
    tolerance = 1.0 if case["class"] == "Equalization" else 1e-4 * scale
    np.testing.assert_allclose(y, case["output"], rtol=1e-4, atol=tolerance)


TRAINED = [
    ("RandomCrop", {"height": 4, "width": 3}),
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.3}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": 0.2}),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}),
    ("RandomShear", {"x_factor": 0.3}),
    ("RandomPerspective", {"scale": 0.4}),
    ("RandomElasticTransform", {}),
    ("RandomBrightness", {"factor": 0.4}),
    ("RandomContrast", {"factor": 0.5}),
    ("RandomHue", {"factor": 0.5}),
    ("RandomSaturation", {"factor": (0.1, 0.7), "value_range": (0, 1)}),
    ("RandomSharpness", {"factor": 0.9}),
    ("RandomColorJitter", {"brightness_factor": 0.1, "contrast_factor": 0.2, "hue_factor": 0.3}),
    ("RandomColorDegeneration", {"factor": 0.5}),
    ("RandomGrayscale", {}),
    ("RandomGaussianBlur", {}),
    ("RandomInvert", {"factor": 0.5}),
    ("RandomPosterization", {"factor": 6}),
    ("RandomErasing", {}),
    ("Solarization", {"addition_factor": 0.2, "threshold_factor": 0.5}),
    ("AutoContrast", {}),
    ("Equalization", {}),
    ("RandAugment", {}),
    ("AugMix", {"num_chains": 2, "chain_depth": 2}),
    ("MixUp", {}),
    ("CutMix", {}),
]
each = pytest.mark.parametrize(("name", "kwargs"), TRAINED, ids=[name for name, _ in TRAINED])


def _made(name: str, kwargs: dict, **more: object) -> layers.Layer:
    seed = {} if name in ("AutoContrast", "Equalization") else {"seed": 11}
    return getattr(layers, name)(**{**kwargs, **seed, **more})


def _images(batch: int = 3, seed: int = 0) -> np.ndarray:
    images = np.random.default_rng(seed).integers(0, 256, (batch, 7, 8, 3)).astype("float32")
    return images


def _scaled(name: str, images: np.ndarray) -> np.ndarray:
    return images / np.float32(255) if name == "RandomSaturation" else images


@each
def test_training_compiled_is_eager(name: str, kwargs: dict) -> None:
    """The same draws in the same order, call after call."""
    eager, traced = _made(name, kwargs), _made(name, kwargs)
    step = compile_function(lambda x: traced(x, training=True))
    for call in range(3):
        images = _scaled(name, _images(3, call))
        scale = images.max()
        np.testing.assert_allclose(step(images), eager(images, training=True), rtol=1e-4, atol=2e-5 * scale)


@each
def test_single_images_and_batches_of_any_size(name: str, kwargs: dict) -> None:
    layer, images = _made(name, kwargs), _scaled(name, _images())
    one = layer(images[0], training=True)
    assert one.shape == layer.compute_output_shape((7, 8, 3))
    assert layer(images, training=True).shape == (3, *one.shape)
    symbolic = layer(layers.Input((7, 8, 3)))
    assert symbolic.shape == (None, *one.shape)
    assert symbolic.dtype == one.dtype == "float32"


@each
def test_integers_become_floats(name: str, kwargs: dict) -> None:
    layer, images = _made(name, kwargs), _images().astype("uint8")
    assert layer(images, training=True).dtype == layer(images, training=False).dtype == "float32"


@each
def test_channels_first_is_the_same_transposed(name: str, kwargs: dict) -> None:
    images = _scaled(name, _images())
    last = _made(name, kwargs)(images, training=True)
    first = _made(name, kwargs, data_format="channels_first")(np.moveaxis(images, -1, 1), training=True)
    if name == "RandomErasing":  # its noise is drawn in the order of memory
        assert np.moveaxis(first.numpy(), 1, -1).shape == last.shape
        return
    np.testing.assert_allclose(np.moveaxis(first.numpy(), 1, -1), last, rtol=1e-4, atol=1e-4 * images.max())


@each
def test_a_seed_says_all(name: str, kwargs: dict) -> None:
    images = _scaled(name, _images())
    np.testing.assert_array_equal(
        _made(name, kwargs)(images, training=True), _made(name, kwargs)(images, training=True)
    )


def test_dictionaries_of_images_labels_and_masks() -> None:
    images, masks = _images(), _images(seed=4)[..., :1].astype("uint8")
    given = {"images": images, "labels": np.eye(3, dtype="float32"), "segmentation_masks": masks}
    flipped = layers.RandomFlip(seed=1)(given, training=True)
    again = layers.RandomFlip(seed=1)(masks, training=True)
    assert flipped["segmentation_masks"].dtype == "uint8"
    np.testing.assert_array_equal(flipped["segmentation_masks"], again)
    np.testing.assert_array_equal(flipped["labels"], given["labels"])
    bright = layers.RandomBrightness(0.5)(given, training=True)
    np.testing.assert_array_equal(bright["segmentation_masks"], masks)
    cut = layers.CutMix(seed=1)(given, training=True)
    np.testing.assert_allclose(cut["labels"].numpy().sum(axis=1), np.ones(3), rtol=1e-5)
    single = layers.RandomCrop(4, 5, seed=1)({"images": images[0], "segmentation_masks": masks[0]}, training=True)
    assert single["images"].shape == (4, 5, 3)
    assert single["segmentation_masks"].shape == (4, 5, 1)
    assert np.asarray(given["images"]) is images  # what was passed stays as it was


def test_a_model_learns_with_them_and_predicts_without() -> None:
    model = layerkit.Sequential([
        layers.Input((8, 9, 3)),
        layers.RandomFlip(seed=1),
        layers.RandomRotation(0.1, seed=2),
        layers.RandomCrop(6, 6, seed=3),
        layers.Conv2D(4, 3),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy")
    x, y = np.random.default_rng(0).random((10, 8, 9, 3), "float32"), np.arange(10) % 2
    losses = model.fit(x, y, batch_size=4, epochs=2, verbose=0).history["loss"]  # batches of 4 and of 2
    assert np.isfinite(losses).all()
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x, verbose=0))


def test_gradients_go_through_motions() -> None:
    layer = layers.RandomRotation((0.1, 0.1), dtype="float64")
    x = np.random.default_rng(1).random((1, 5, 6, 1))
    way = np.random.default_rng(2).random(x.shape)
    slope = layerkit.grad(lambda x: ops.sum(ops.square(layer(x, training=True))))(x)
    step = 1e-6
    up, down = (ops.sum(ops.square(layer(x + sign * step * way, training=True))) for sign in (1, -1))
    assert float(np.sum(np.asarray(slope) * way)) == pytest.approx((float(up) - float(down)) / (2 * step), rel=1e-5)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: layers.RandomRotation(2.0), ValueError, r"in the range \[-1, 1\]. Received: factor=2.0"),
        (lambda: layers.RandomZoom(-1.0), ValueError, r"`height_factor` argument .* in the range \(-1.0, 1.0\]"),
        (lambda: layers.RandomTranslation(0.1, (0, 3)), ValueError, r"`width_factor` argument .* \[-1.0, 1.0\]"),
        (lambda: layers.RandomShear(-0.5), ValueError, r"`x_factor` argument .* \[0.0, 1.0\]"),
        (lambda: layers.RandomZoom(0.1, fill_mode="black"), NotImplementedError, "unknown `fill_mode` 'black'"),
        (lambda: layers.RandomFlip("diagonal"), ValueError, "mode is one of 'horizontal', 'vertical'"),
        (lambda: layers.RandomPerspective(scale=2), ValueError, r"`scale` .* range \[0,1\]"),
        (
            lambda: layers.RandomBrightness(0.1, value_range=3),
            ValueError,
            "list of two numbers. Received: value_range=3",
        ),
        (lambda: layers.RandomGaussianBlur(kernel_size=4), ValueError, "odd number .* kernel_size=4"),
        (lambda: layers.RandomGrayscale(2), ValueError, "between 0 and 1"),
        (lambda: layers.RandomErasing(fill_value=[1, 2]), ValueError, "a list of three numbers"),
        (lambda: layers.RandomFlip()(np.ones((2, 2))), ShapeError, r"one image \(three axes\) .* got shape \(2, 2\)"),
    ],
)
def test_errors(make: object, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        make()


def test_random_crop_without_training_or_room_is_the_largest_window() -> None:
    images = _images()
    layer = layers.RandomCrop(12, 4)
    expected = ops.image.resize(images, (12, 4), crop_to_aspect_ratio=True)
    np.testing.assert_array_equal(layer(images, training=True), expected)
    np.testing.assert_array_equal(layer(images, training=False), expected)
