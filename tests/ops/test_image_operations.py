"""The operations on images and `pad`: gradients, compiled results, unknown sizes, errors; values: keras_calls/image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import layerkit
from layerkit import layers, ops
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.gradients import gradients
from layerkit.graph.tensor import Tensor
from layerkit.models import Model
from layerkit.ops.image import elastic
from layerkit.tracing import compile_function
from tests.laws.test_operations import assert_close, check_gradient
from tests.samples.operations import floats

image = ops.image
TURNED = np.array([0.8, -0.5, 2.1, 0.5, 0.9, -1.3, 0.01, 0.02])
CORNERS = np.array([[0.0, 0], [0, 6], [5, 0], [5, 6]])
MOVED = np.array([[1.1, 0.5], [0.2, 5.2], [5.3, 1.4], [6.1, 6.6]])
PADS = ((0, 0), (2, 1), (0, 3), (1, 0))

OF_IMAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "rgb_to_grayscale": image.rgb_to_grayscale,
    "rgb_to_hsv": lambda x: image.rgb_to_hsv(x * 0.2 + 0.5),
    "hsv_to_rgb": lambda x: image.hsv_to_rgb(x * 0.2 + 0.5),
    "bilinear": lambda x: image.resize(x, (8, 4)),
    "nearest": lambda x: image.resize(x, (8, 4), "nearest"),
    "bicubic": lambda x: image.resize(x, (3, 10), "bicubic", antialias=True),
    "lanczos3": lambda x: image.resize(x, (3, 10), "lanczos3"),
    "crop_to_aspect_ratio": lambda x: image.resize(x, (3, 3), crop_to_aspect_ratio=True),
    "pad_to_aspect_ratio": lambda x: image.resize(x, (3, 9), pad_to_aspect_ratio=True, fill_value=0.5),
    "scale_and_translate": lambda x: image.scale_and_translate(
        x, (2, 8, 5, 3), [1.3, 0.6], [0.2, -0.4], (1, 2), "cubic"
    ),
    "map_coordinates": lambda x: image.map_coordinates(x[0, :, :, 0], [[0.3, 2.2, 7.1], [1.2, -0.4, 3.3]], 1, "wrap"),
    "affine_transform": lambda x: image.affine_transform(x, TURNED.astype(x.dtype), "bilinear", "reflect"),
    "affine_nearest": lambda x: image.affine_transform(x, TURNED.astype(x.dtype), "nearest", "mirror"),
    "perspective_transform": lambda x: image.perspective_transform(x, CORNERS.astype(x.dtype), MOVED.astype(x.dtype)),
    "touching patches": lambda x: image.extract_patches(x, (2, 3)),
    "overlapping patches": lambda x: image.extract_patches(x, 3, strides=2, padding="same"),
    "patches of volumes": lambda x: image.extract_patches_3d(x, 2, strides=1),
    "pad_images": lambda x: image.pad_images(x, 1, 2, 0, 1),
    "crop_images": lambda x: image.crop_images(x, 1, 2, target_height=2, target_width=3),
    "gaussian_blur": lambda x: image.gaussian_blur(x, (3, 5), (0.8, 1.3)),
    "sobel_edges": image.sobel_edges,
    "ssim": lambda x: image.ssim(x, x * x * 0.5, 2.0, filter_size=3),
    "elastic_transform": lambda x: image.elastic_transform(x, alpha=3.0, sigma=0.8, seed=4),
    **{
        f"pad {mode}": lambda x, mode=mode: ops.pad(x, PADS, mode)
        for mode in ("reflect", "symmetric", "edge", "wrap", "linear_ramp", "maximum", "mean", "median", "minimum")
    },
}
OF_PARAMETERS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], np.ndarray]] = {
    "coordinates": (
        lambda x, places: image.map_coordinates(x[0, :, :, 0], places, 1, "mirror"),
        np.array([[0.3, 2.2, 7.1], [1.2, -0.4, 3.3]]),
    ),
    "transform": (lambda x, t: image.affine_transform(x, t), np.stack([TURNED + 0.0137, TURNED * 0.9 + 0.0071])),
    "start points": (lambda x, points: image.perspective_transform(x, points, MOVED.astype(x.dtype)), CORNERS + 0.1),
    "end points": (lambda x, points: image.perspective_transform(x, CORNERS.astype(x.dtype), points), MOVED),
    "sigma": (lambda x, sigma: image.gaussian_blur(x, (3, 5), sigma), np.array([0.8, 1.3])),
    "scale": (
        lambda x, scale: image.scale_and_translate(x, (2, 8, 5, 3), scale, [0.2, -0.4], (1, 2), "lanczos3"),
        np.array([1.3, 0.6]),
    ),
    "translation": (
        lambda x, by: image.scale_and_translate(x, (2, 8, 5, 3), [1.3, 0.6], by, (1, 2), "linear"),
        np.array([0.23, -0.41]),
    ),
}
every_one = pytest.mark.parametrize("name", OF_IMAGES)
every_parameter = pytest.mark.parametrize("name", OF_PARAMETERS)


def images(dtype: str) -> np.ndarray:
    return floats(2, 5, 6, 3)(np.random.default_rng(3), dtype)


@every_one
def test_gradient_by_the_images_is_the_slope(name: str):
    check_gradient(lambda x: [OF_IMAGES[name](x)], [images("float64")])


@every_parameter
def test_gradient_by_a_parameter_is_the_slope(name: str):
    function, value = OF_PARAMETERS[name]
    check_gradient(lambda x, p: [function(x, p)], [images("float64"), value])


@every_one
def test_compiled_is_eager(name: str):
    x = images("float32")
    given = compile_function(lambda one: [OF_IMAGES[name](one)]).run(x)
    assert_close(np.array(given[0]), OF_IMAGES[name](Tensor.of(x)).numpy(), "float32")


@every_parameter
def test_compiled_is_eager_with_a_parameter(name: str):
    function, value = OF_PARAMETERS[name]
    x, value = images("float32"), value.astype("float32")
    given = np.array(compile_function(lambda one, p: [function(one, p)]).run(x, value)[0])
    np.testing.assert_allclose(given, function(Tensor.of(x), Tensor.of(value)).numpy(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("fill_mode", ["constant", "nearest", "wrap", "mirror", "reflect"])
def test_compiled_places_are_eager_ones(fill_mode: str, order: int):
    x = np.random.default_rng(5).integers(0, 200, (4, 5)).astype("float32")
    places = np.random.default_rng(6).uniform(-12, 15, (2, 300)).astype("float32")
    places[:, :60] = np.arange(-30, 30) / 2  # whole ones and halves

    def function(one: Tensor, at: Tensor) -> list[Tensor]:
        return [image.map_coordinates(one, at, order, fill_mode, 7.0)]

    found = np.array(compile_function(function).run(x, places)[0])
    np.testing.assert_allclose(found, function(Tensor.of(x), Tensor.of(places))[0].numpy(), rtol=1e-5, atol=1e-4)


def kernels_of(function: Callable[[Tensor], Tensor], x: np.ndarray) -> list[object]:
    compiled = compile_function(lambda one: [function(one)])
    compiled.run(x)
    return [launch.kernel for launch in compiled.traced((x,), [x]).executable.plan.launches]


@pytest.mark.parametrize("name", [name for name in OF_IMAGES if name != "scale_and_translate"])
def test_kernels_do_not_depend_on_the_number_of_images(name: str):
    x = images("float32")
    assert kernels_of(OF_IMAGES[name], x) == kernels_of(OF_IMAGES[name], np.concatenate([x, x, x]))


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
@pytest.mark.parametrize(
    "function",
    [
        lambda x: image.resize(x, (8, 4), "bicubic"),
        lambda x: image.affine_transform(x, TURNED.astype("float32"), "bilinear", "wrap"),
        lambda x: image.extract_patches(x, 2, strides=1),
        lambda x: image.rgb_to_grayscale(x),
        lambda x: ops.pad(x, PADS, "mean"),
    ],
)
def test_integers_stay_integers_when_compiled(function: Callable[[Tensor], Tensor], dtype: str):
    x = np.random.default_rng(1).integers(0, 256, (2, 5, 6, 3)).astype(dtype)
    eager = function(Tensor.of(x)).numpy()
    assert eager.dtype == dtype
    given = np.array(compile_function(lambda one: [function(one)]).run(x)[0])
    # Where a sum ends within rounding of a half, the two may fall to either side.
    assert np.max(np.abs(given.astype(int) - eager.astype(int))) <= 1
    assert np.mean(given != eager) < 0.02


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_of_one_element_is_sampled(dtype: str):
    x = np.array([[3.0]], dtype)
    for fill_mode in ("nearest", "wrap", "mirror", "reflect"):
        found = image.map_coordinates(x, np.array([[0.0, 2.5, -1.2], [0.0, 0.5, 7.0]], dtype), 1, fill_mode)
        np.testing.assert_allclose(found.numpy(), [3.0, 3.0, 3.0], rtol=1e-6)


def test_coordinates_far_outside_are_held():
    places = np.array([[1e20, -1e20, np.inf]], "float32")
    x = np.arange(4, dtype="float32")
    assert image.map_coordinates(x, places, 0, "nearest").tolist() == [3, 0, 3]
    assert image.map_coordinates(x, places, 0, "constant", 9).tolist() == [9, 9, 9]


def test_a_projection_divides():
    """Keras' definition, which TensorFlow follows: with c0 and c1 the coordinates are divided by c0 x + c1 y + 1."""
    x = np.arange(12, dtype="float32").reshape(1, 12, 1)
    found = image.affine_transform(x, [1, 0, 0, 0, 1, 0, 0.1, 0]).numpy().ravel()
    at = np.arange(12)
    np.testing.assert_allclose(found, at / (0.1 * at + 1), rtol=1e-5)


@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
def test_many_channels_are_resized_as_few(method: str):
    """Where there are many channels each axis is a product with all elements, else a sum of few."""
    x = np.random.default_rng(4).random((2, 6, 7, 20)).astype("float32")
    for size in ((9, 4), (3, 11), (1, 1)):
        few = [image.resize(x[..., at : at + 5], size, method).numpy() for at in range(0, 20, 5)]
        np.testing.assert_allclose(image.resize(x, size, method).numpy(), np.concatenate(few, -1), atol=1e-5)


def test_one_transform_serves_all_images():
    x, t = images("float32"), TURNED.astype("float32")
    both = image.affine_transform(x, np.stack([t, t]))
    np.testing.assert_array_equal(image.affine_transform(x, t).numpy(), both.numpy())
    start, end = CORNERS.astype("float32"), MOVED.astype("float32")
    both = image.perspective_transform(x, np.stack([start, start]), np.stack([end, end]))
    np.testing.assert_array_equal(image.perspective_transform(x, start, end).numpy(), both.numpy())


def test_colors_go_there_and_back():
    x = np.random.default_rng(2).random((3, 4, 5, 3)).astype("float32")
    np.testing.assert_allclose(image.hsv_to_rgb(image.rgb_to_hsv(x)).numpy(), x, atol=1e-6)


def test_elastic_motion_is_random_smooth_and_repeatable():
    key = np.array([5, 0], "uint32")
    down, across = elastic.elastic_motion((4, 64, 48), 2.0, key, "float32")
    assert down.shape == across.shape == (4, 64, 48)
    assert abs(np.corrcoef(down.numpy().ravel(), across.numpy().ravel())[0, 1]) < 0.1
    # White noise of deviation s, blurred by a Gaussian of deviation s, has 1 / (2 sqrt(pi)); neighbours are alike.
    assert abs(down.numpy().std() - 1 / (2 * np.sqrt(np.pi))) < 0.05
    assert np.corrcoef(down.numpy()[:, 1:].ravel(), down.numpy()[:, :-1].ravel())[0, 1] > 0.9


def test_elastic_transform_follows_its_seed():
    x = np.random.default_rng(0).random((2, 20, 16, 3)).astype("float32")
    first, again = (image.elastic_transform(x, seed=3).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != image.elastic_transform(x, seed=4).numpy())
    generator = layerkit.random.SeedGenerator(3)
    draws = [image.elastic_transform(x, seed=generator).numpy() for _ in range(2)]
    assert np.any(draws[0] != draws[1])
    np.testing.assert_array_equal(draws[0], first)
    np.testing.assert_array_equal(image.elastic_transform(x, alpha=0.0).numpy(), x)
    turned = np.moveaxis(x, 3, 1)
    found = image.elastic_transform(turned, seed=3, data_format="channels_first").numpy()
    np.testing.assert_array_equal(np.moveaxis(found, 1, 3), first)
    bytes_of = (x * 255).astype("uint8")
    assert image.elastic_transform(bytes_of, interpolation="nearest", seed=1).dtype == "uint8"


UNKNOWN: list[tuple[str, Callable[[Tensor], Tensor]]] = [
    *((name, OF_IMAGES[name]) for name in OF_IMAGES if name not in ("map_coordinates", "sobel_edges")),
    ("map_coordinates", lambda x: image.map_coordinates(x, np.zeros((4, 7), "float32"), 1)),
    ("sobel_edges first", lambda x: image.sobel_edges(x, data_format="channels_first")),
    ("resize first", lambda x: image.resize(x, (2, 3), data_format="channels_first")),
    ("transform", lambda x: image.affine_transform(x, np.zeros((2, 8), "float32"))),
]


@pytest.mark.parametrize("unknown", [(0,), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize(("name", "function"), UNKNOWN, ids=[name for name, _ in UNKNOWN])
def test_shapes_with_unknown_sizes(name: str, function: Callable[[Tensor], Tensor], unknown: tuple[int, ...]):
    known = function(Tensor.of(images("float32")))
    shape = tuple(None if at in unknown else n for at, n in enumerate((2, 5, 6, 3)))
    found = function(Tensor(shape, "float32"))
    assert found.dtype == known.dtype
    assert len(found.shape) == known.ndim
    assert all(m in (n, None) for m, n in zip(found.shape, known.shape, strict=True)), (found.shape, known.shape)


def test_a_functional_model_calls_them():
    inputs = layers.Input((None, None, 3))
    x = image.resize(inputs, (8, 6), "bicubic")
    x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    outputs = image.extract_patches(image.gaussian_blur(x), 2)
    assert outputs.shape == (None, 5, 4, 12)
    model = Model(inputs, outputs)
    given = images("float32")
    y = ops.pad(image.resize(given, (8, 6), "bicubic"), ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect")
    expected = image.extract_patches(image.gaussian_blur(y), 2).numpy()
    np.testing.assert_allclose(model.predict(given, verbose=0), expected, rtol=1e-5, atol=1e-5)


def test_a_model_draws_anew_each_time():
    inputs = layers.Input((16, 12, 1))
    model = Model(inputs, image.elastic_transform(inputs, alpha=5.0, sigma=2.0))
    x = np.random.default_rng(0).random((2, 16, 12, 1)).astype("float32")
    layerkit.random.set_seed(1)
    first, second = (model.predict(x, verbose=0) for _ in range(2))
    assert np.any(first != second)
    layerkit.random.set_seed(1)
    np.testing.assert_array_equal(model.predict(x, verbose=0), first)


def test_gradients_are_finite_where_choices_meet():
    gray = np.stack([np.zeros((2, 2)), np.ones((2, 2)), np.full((2, 2), 0.5)], 0)[..., None].repeat(3, -1)

    def slopes(x: Tensor, scale: Tensor) -> list[Tensor]:
        same = image.scale_and_translate(x, x.shape, scale, [0.0, 0.0], (1, 2), "lanczos3")
        return [*gradients([image.rgb_to_hsv(x)], [x]), *gradients([same], [x, scale])]

    for slope in compile_function(slopes).run(gray, np.ones(2)):
        assert np.all(np.isfinite(slope))


def test_the_default_order_of_axes_is_the_setting():
    x = images("float32")
    turned = np.moveaxis(x, 3, 1)
    layerkit.config.set_image_data_format("channels_first")
    try:
        found = [image.resize(turned, (3, 4)), image.gaussian_blur(turned), image.rgb_to_hsv(np.abs(turned))]
    finally:
        layerkit.config.set_image_data_format("channels_last")
    expected = [image.resize(x, (3, 4)), image.gaussian_blur(x), image.rgb_to_hsv(np.abs(x))]
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.moveaxis(one.numpy(), 1, 3), other.numpy())


X = np.zeros((2, 5, 6, 3), "float32")
WHOLE = np.zeros((2, 5, 6, 3), "int32")
EIGHT = np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")
ERRORS: list[tuple[type[Exception], str, Callable[[], object]]] = [
    (ShapeError, r"image.resize takes an image with 3 axes or a batch with 4; got shape \(5, 6\)",
     lambda: image.resize(X[0, ..., 0], (3, 3))),
    (ValueError, "interpolation is one of 'bilinear', .*; got 'area'", lambda: image.resize(X, (3, 3), "area")),
    (ValueError, "fill_mode is one of 'constant'; got 'reflect'", lambda: image.resize(X, (3, 3), fill_mode="reflect")),
    (ValueError, "only one of crop_to_aspect_ratio and pad", lambda: image.resize(
        X, (3, 3), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True)),
    (ValueError, r"size is a pair, for height and width; got 3", lambda: image.resize(X, 3)),
    (ValueError, r"sizes have to be positive; got size=\(0, 3\)", lambda: image.resize(X, (0, 3))),
    (ShapeError, "takes images with pixels", lambda: image.resize(X[:, :0], (3, 3))),
    (ValueError, "data_format is 'channels_last' or", lambda: image.resize(X, (3, 3), data_format="last")),
    (ShapeError, "takes images with 1 or 3 channels, not 2", lambda: image.rgb_to_grayscale(X[..., :2])),
    (ShapeError, "rgb_to_hsv takes images with 3 channels, not 1", lambda: image.rgb_to_hsv(X[..., :1])),
    (DtypeError, "rgb_to_hsv takes images of floats, not int32", lambda: image.rgb_to_hsv(WHOLE)),
    (DtypeError, "hsv_to_rgb takes images of floats", lambda: image.hsv_to_rgb(WHOLE)),
    (DtypeError, "gaussian_blur takes images of floats", lambda: image.gaussian_blur(WHOLE)),
    (DtypeError, "sobel_edges takes images of floats", lambda: image.sobel_edges(WHOLE.astype("uint8"))),
    (ShapeError, "sobel_edges takes a batch of images", lambda: image.sobel_edges(X[0])),
    (ValueError, "kernel_size is a pair", lambda: image.gaussian_blur(X, 3)),
    (ValueError, "kernel_size has to be positive", lambda: image.gaussian_blur(X, (0, 3))),
    (ValueError, "sigma has two numbers", lambda: image.gaussian_blur(X, (3, 3), 1.0)),
    (ShapeError, r"transform \[8\] or \[N, 8\]; got shape \(6,\)", lambda: image.affine_transform(X, EIGHT[:6])),
    (ShapeError, "3 transforms do not fit 2 images", lambda: image.affine_transform(X, np.stack([EIGHT] * 3))),
    (ValueError, "interpolation is one of", lambda: image.affine_transform(X, EIGHT, "bicubic")),
    (ValueError, "fill_mode is one of", lambda: image.affine_transform(X, EIGHT, fill_mode="edge")),
    (ShapeError, r"start_points and end_points \[4, 2\]", lambda: image.perspective_transform(X, CORNERS[:3], MOVED)),
    (ShapeError, r"start_points and end_points \[4, 2\]", lambda: image.perspective_transform(X, CORNERS, MOVED[None])),
    (ValueError, "interpolation is one of", lambda: image.perspective_transform(X, CORNERS, MOVED, "cubic")),
    (ShapeError, r"coordinates \[d, \*places\]", lambda: image.map_coordinates(X, np.zeros((3, 2)), 1)),
    (ShapeError, r"coordinates \[d, \*places\]", lambda: image.map_coordinates(X[0, 0, 0], np.zeros(1), 1)),
    (ValueError, "order is one of 0, 1; got 3", lambda: image.map_coordinates(X[0, 0], np.zeros((2, 2)), 3)),
    (ValueError, "fill_mode is one of", lambda: image.map_coordinates(X[0, 0], np.zeros((2, 2)), 1, "edge")),
    (TypeError, "size is a number or a tuple; got str", lambda: image.extract_patches(X, "3")),
    (ValueError, "size has two numbers, or three", lambda: image.extract_patches(X, (1, 2, 3, 4))),
    (ValueError, "strides is a positive integer, or 2", lambda: image.extract_patches(X, 2, strides=(1, 2, 3))),
    (ValueError, "padding is 'valid' or 'same'", lambda: image.extract_patches(X, 2, padding="full")),
    (ShapeError, "does not fit an axis of 5", lambda: image.extract_patches(X, 6)),
    (ShapeError, "extract_patches_3d takes a volume with 4 axes", lambda: image.extract_patches_3d(X[0], 2)),
    (ValueError, "exactly two of top_padding, bottom_padding, target_height; got top_padding=1",
     lambda: image.pad_images(X, 1, 1)),
    (ValueError, "left_padding can't be negative; got -1", lambda: image.pad_images(X, 1, -1, 1, 1)),
    (ValueError, "height 5 does not fit into target_height=4: bottom_padding would be -2",
     lambda: image.pad_images(X, 1, 1, None, 1, 4)),
    (ValueError, "height 5 is too small: top_cropping=3, target_height=-1 and bottom_cropping=3",
     lambda: image.crop_images(X, 3, 1, 3, 1)),
    (ShapeError, "ssim takes two images of one shape", lambda: image.ssim(X, X[:, 1:])),
    (ShapeError, "are smaller than filter_size=11", lambda: image.ssim(X, X)),
    (ValueError, "method is one of", lambda: image.scale_and_translate(X, X.shape, [1.0], [0.0], (1,), "nearest")),
    (ShapeError, "a scale and a translation for each of",
     lambda: image.scale_and_translate(X, X.shape, [1.0, 1.0], [0.0], (1,), "linear")),
    (ShapeError, "on all axes but", lambda: image.scale_and_translate(X, (2, 5, 7, 3), [1.0], [0.0], (1,), "linear")),
    (ShapeError, "have no axis 4", lambda: image.scale_and_translate(X, X.shape, [1.0], [0.0], (4,), "linear")),
    (ValueError, "seed is an integer", lambda: image.elastic_transform(X, seed="one")),
    (ValueError, "ops.pad: mode is one of 'constant', .*; got 'mirror'", lambda: ops.pad(X, 1, "mirror")),
    (ValueError, "constant_values in mode 'constant' only", lambda: ops.pad(X, 1, "reflect", constant_values=1.0)),
    (ShapeError, "pad_width is a number, a pair, or a pair for each of the 4 axes",
     lambda: ops.pad(X, ((1, 1), (2, 2), (0, 0)))),
    (ShapeError, "none negative", lambda: ops.pad(X, -1)),
    (ShapeError, "has no element to take along axis 1", lambda: ops.pad(X[:, :0], 1, "reflect")),
]  # fmt: skip


@pytest.mark.parametrize(("error", "text", "call"), ERRORS, ids=[text[:50] for _, text, _ in ERRORS])
def test_errors_say_what_is_wrong(error: type[Exception], text: str, call: Callable[[], object]):
    with pytest.raises(error, match=text):
        call()
