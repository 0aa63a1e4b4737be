"""Bounding boxes: functions and layers against Keras, boxes against the pixels in them, and what is refused."""

import numpy as np
import pytest

import layerkit
from layerkit import layers
from layerkit.errors import ShapeError
from layerkit.tracing import compile_function
from layerkit.utils import bounding_boxes
from tests.recordings.loader import cases

CASES = cases("bounding_boxes")


def _ids(case: dict) -> str:
    return case["name"]


def _same(found: object, expected: object) -> None:
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name, part in expected.items():
            _same(found[name], part)
        return
    assert np.asarray(found).dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-5 * max(1, np.abs(expected).max(initial=0)))


@pytest.mark.parametrize("case", [one for one in CASES if "function" in one], ids=_ids)
def test_functions_are_those_of_keras(case: dict) -> None:
    _same(getattr(bounding_boxes, case["function"])(**case["arguments"]), case["output"])


@pytest.mark.parametrize("case", [one for one in CASES if "layer" in one], ids=_ids)
def test_layers_move_boxes_as_those_of_keras_with_the_same_draws(case: dict) -> None:
    layer = getattr(layers, case["layer"])(**case["kwargs"])
    drawn = case["transformation"]
    drawn = {**drawn, "input_shape": tuple(case["shape"])} if isinstance(drawn, dict) else drawn
    single = len(case["shape"]) == 3
    given = {name: case[name][None] if single else case[name] for name in ("boxes", "labels")}
    found = layer.transform_bounding_boxes(given, drawn, training=True)
    _same({name: np.asarray(x)[0] if single else x for name, x in found.items()}, case["output"])


@pytest.mark.parametrize("case", [one for one in CASES if "histogram" in one], ids=_ids)
def test_tiles_are_equalized_as_by_keras(case: dict) -> None:
    layer = getattr(layers, case["histogram"])(**case["kwargs"])
    scale = case["images"].max()
    np.testing.assert_allclose(layer(case["images"]), case["output"], rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(compile_function(layer)(case["images"]), case["output"], rtol=1e-5, atol=1e-6 * scale)


MOVING = {"interpolation": "nearest", "fill_mode": "constant"}
MOVES = [
    ("Resizing", {"height": 60, "width": 31}),
    ("Resizing", {"height": 60, "width": 31, "crop_to_aspect_ratio": True}),
    ("Resizing", {"height": 60, "width": 31, "pad_to_aspect_ratio": True}),
    ("CenterCrop", {"height": 30, "width": 26}),
    ("CenterCrop", {"height": 30, "width": 60}),
    ("RandomCrop", {"height": 30, "width": 26}),
    ("RandomCrop", {"height": 20, "width": 60}),
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.2, **MOVING}),
    ("RandomZoom", {"height_factor": 0.3, "width_factor": 0.2, **MOVING}),
    ("RandomTranslation", {"height_factor": 0.2, "width_factor": 0.3, **MOVING}),
    ("RandomShear", {"x_factor": 0.3, "y_factor": 0.3, **MOVING}),
    ("RandomPerspective", {"scale": 0.3, "factor": (0.8, 0.8), "interpolation": "nearest"}),
    ("RandAugment", {"factor": 0.2, "num_ops": 1}),
]
moves = pytest.mark.parametrize(("name", "kwargs"), MOVES, ids=[f"{name}-{at}" for at, (name, _) in enumerate(MOVES)])


def _layer(name: str, kwargs: dict, box_format: str) -> layers.Layer:
    seed = {} if name in ("Resizing", "CenterCrop") else {"seed": 4}
    return getattr(layers, name)(**kwargs, **seed, bounding_box_format=box_format)


def _painted(box_format: str, batch: int = 6) -> dict:
    """Images of 40 x 48 with a white rectangle each, and its box; a second box is padding."""
    height, width = 40, 48
    rng = np.random.default_rng(2)
    boxes, images = np.zeros((batch, 2, 4), "float32"), np.zeros((batch, height, width, 1), "float32")
    for image, box in zip(images, boxes, strict=True):
        left, top = rng.integers(14, 20, 2)
        box[0] = left, top, left + rng.integers(8, 16), top + rng.integers(6, 10)
        image[top : int(box[0, 3]), left : int(box[0, 2])] = 255
    boxes = bounding_boxes.convert_format(boxes, "xyxy", box_format, height, width).numpy()
    labels = np.tile(np.array([3, -1], "int32"), (batch, 1))
    return {"images": images, "bounding_boxes": {"boxes": boxes, "labels": labels}}


@moves
@pytest.mark.parametrize("box_format", ["xyxy", "rel_center_xywh"])
@pytest.mark.parametrize("training", [True, False])
def test_boxes_are_where_their_pixels_are(name: str, kwargs: dict, box_format: str, training: bool) -> None:
    given = _painted(box_format)
    found = _layer(name, kwargs, box_format)(given, training=training)
    images = np.asarray(found["images"])[..., 0]
    height, width = images.shape[1:]
    boxes = np.asarray(found["bounding_boxes"]["boxes"])
    corners = bounding_boxes.convert_format(boxes, box_format, "xyxy", height, width).numpy()
    for image, (box, _), (label, padding) in zip(
        images, corners, np.asarray(found["bounding_boxes"]["labels"]), strict=True
    ):
        rows, columns = np.nonzero(image > 100)
        assert (label, padding) == (3, -1)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(box, seen, atol=3.0)


@moves
def test_dictionaries_compiled_symbolic_and_of_one_image(name: str, kwargs: dict) -> None:
    given = _painted("xywh")
    eager, traced = (_layer(name, kwargs, "xywh") for _ in range(2))
    step = compile_function(lambda data: traced(data, training=True))
    for _ in range(2):
        found, compiled = eager(given, training=True), step(given)
        np.testing.assert_allclose(compiled["images"], found["images"], atol=0.01)
        _same(compiled["bounding_boxes"], {key: np.asarray(x) for key, x in found["bounding_boxes"].items()})
    boxes = {key: x[0] for key, x in given["bounding_boxes"].items()}
    one = eager({"images": given["images"][0], "bounding_boxes": boxes}, training=True)
    assert one["bounding_boxes"]["boxes"].shape == (2, 4)
    assert one["bounding_boxes"]["labels"].shape == (2,)
    places = {"boxes": layers.Input((None, 4)), "labels": layers.Input((None,), dtype="int32")}
    symbolic = eager({"images": layers.Input((40, 48, 1)), "bounding_boxes": places})
    assert symbolic["bounding_boxes"]["boxes"].shape == (None, None, 4)
    assert symbolic["bounding_boxes"]["labels"].dtype == "int32"


def test_labels_of_classes_lists_and_more_keys() -> None:
    given = _painted("xyxy", 2)
    given["bounding_boxes"]["labels"] = np.ones((2, 2, 5), "float32")
    given["bounding_boxes"]["confidence"] = np.ones((2, 2), "float32")
    found = layers.RandomTranslation((0.9, 0.9), 0, seed=1, bounding_box_format="xyxy")(given, training=True)
    np.testing.assert_array_equal(found["bounding_boxes"]["labels"], -np.ones((2, 2, 5)))  # all have left
    assert found["bounding_boxes"]["confidence"].shape == (2, 2)
    ragged = {"boxes": [[[0.0, 0, 2, 2]], [[1.0, 1, 2, 2], [0.0, 0, 1, 1]]], "labels": [[5], [6, 7]]}
    flipped = layers.RandomFlip("horizontal", bounding_box_format="xyxy")(
        {"images": np.ones((2, 4, 4, 1)), "bounding_boxes": ragged}, training=False
    )
    assert flipped["bounding_boxes"]["boxes"].shape == (2, 2, 4)
    assert np.asarray(flipped["bounding_boxes"]["labels"]).tolist() == [[5, -1], [6, 7]]
    assert ragged["labels"] == [[5], [6, 7]]  # what was passed stays as it was


def test_mix_up_keeps_the_boxes_of_both_images() -> None:
    given = _painted("xyxy", 3)
    layer = layers.MixUp(seed=1, bounding_box_format="xyxy")
    drawn = layer.get_random_transformation(given)
    found = layer.transform_bounding_boxes(given["bounding_boxes"], drawn)
    other = given["bounding_boxes"]["boxes"][np.asarray(drawn["permutation_order"])]
    np.testing.assert_array_equal(found["boxes"], np.concatenate([given["bounding_boxes"]["boxes"], other], 1))
    assert found["labels"].shape == (3, 4)


def test_as_many_boxes_as_wanted_in_a_model() -> None:
    boxes, labels = layers.Input((3, 4)), layers.Input((3,), dtype="int32")
    images = layers.Input((8, 8, 3))
    found = layers.MaxNumBoundingBoxes(5)({"images": images, "bounding_boxes": {"boxes": boxes, "labels": labels}})
    model = layerkit.Model([images, boxes, labels], found["bounding_boxes"])
    y = model([np.ones((2, 8, 8, 3)), np.ones((2, 3, 4)), np.ones((2, 3), "int32")])
    assert y["boxes"].shape == (2, 5, 4)
    assert np.asarray(y["labels"]).tolist() == [[1, 1, 1, -1, -1]] * 2
    config = layers.MaxNumBoundingBoxes(5, fill_value=0).get_config()
    assert layers.MaxNumBoundingBoxes.from_config(config).fill_value == 0


IMAGES = np.ones((1, 4, 4, 3))
BOXES = {"boxes": np.ones((1, 2, 4)), "labels": np.ones((1, 2))}
ALL = {"images": IMAGES, "bounding_boxes": BOXES}


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: layers.RandomFlip()(ALL), ValueError, "didn't specify a bounding box format"),
        (
            lambda: layers.RandomFlip(bounding_box_format="xyxy")(
                {"images": IMAGES, "bounding_boxes": np.ones((1, 4))}
            ),
            ValueError,
            "to be a dict with keys 'boxes' and 'labels'",
        ),
        (
            lambda: layers.RandomFlip(bounding_box_format="xyxy")({"images": IMAGES[0], "bounding_boxes": BOXES}),
            ShapeError,
            r"expected boxes of shape \(M, 4\) for one image, got \(1, 2, 4\)",
        ),
        (lambda: layers.CutMix(bounding_box_format="xyxy")(ALL), NotImplementedError, "CutMix does not transform boun"),
        (
            lambda: layers.RandomElasticTransform(bounding_box_format="xyxy")(ALL),
            NotImplementedError,
            "RandomElasticTransform does not transform bounding boxes",
        ),
        (
            lambda: layers.RandomCrop(2, 2, bounding_box_format="xyxy").transform_bounding_boxes(BOXES, (1, 1)),
            ValueError,
            "which knows the images' size",
        ),
        (lambda: bounding_boxes.convert_format(np.ones((2, 3)), "xyxy", "xywh"), ShapeError, "last dimension of 4"),
        (lambda: bounding_boxes.convert_format(np.ones((2, 4)), "xyxy", "xxyy"), ValueError, "unknown format 'xxyy'"),
        (lambda: bounding_boxes.convert_format(np.ones(4), "xyxy", "rel_xywh"), ValueError, "`height` and `width`"),
        (lambda: bounding_boxes.clip_to_image_size(BOXES, 3, 3, "xywh"), NotImplementedError, "not 'xywh'"),
        (lambda: bounding_boxes.clip_to_image_size(BOXES), ValueError, "must be set"),
        (lambda: bounding_boxes.crop(np.ones(4), 1, 1, 1, 1, "yxyx"), NotImplementedError, "got 'yxyx'"),
        (lambda: bounding_boxes.compute_iou(np.ones(4), np.ones((2, 4)), "xyxy"), ValueError, r"boxes1 .* \(4,\)"),
        (lambda: bounding_boxes.compute_ciou(np.ones(4), np.ones(4), "rel_xyxy"), ValueError, "image_shape"),
        (
            lambda: bounding_boxes.encode_box_to_deltas(
                BOXES["boxes"], BOXES["boxes"], "xyxy", "xyxy", variance=[1, 2]
            ),
            ValueError,
            "must be length 4",
        ),
        (
            lambda: layers.ContrastLimitedAdaptiveHistogramEqualization(tile_grid_size=(2, 0)),
            ValueError,
            "two positive integers",
        ),
    ],
)
def test_errors(make: object, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        make()
