"""Boxes and masks drawn into images, and galleries of them where Matplotlib is installed."""

import importlib
from collections.abc import Callable

import numpy as np
import pytest

from layerkit import visualization
from layerkit.errors import ShapeError
from tests.recordings.loader import cases

MASKS = [case for case in cases("bounding_boxes") if "masks" in case]
BOXES = {"boxes": np.array([[[2.0, 3, 8, 9], [1, 1, 4, 4]]]), "labels": np.array([[7, -1]])}


@pytest.mark.parametrize("case", MASKS, ids=lambda case: case["name"])
def test_masks_are_those_of_keras(case: dict) -> None:
    drawn = visualization.draw_segmentation_masks(case["images"], case["masks"], 4, **case["kwargs"])
    assert drawn.dtype == case["output"].dtype
    np.testing.assert_allclose(drawn, case["output"], atol=1 if drawn.dtype == "uint8" else 0)
    flat = visualization.draw_segmentation_masks(case["images"], case["masks"][..., 0], 4, **case["kwargs"])
    np.testing.assert_array_equal(flat, drawn)
    first = [np.moveaxis(case[name], -1, 1) for name in ("images", "masks")]
    again = visualization.draw_segmentation_masks(*first, 4, **case["kwargs"], data_format="channels_first")
    np.testing.assert_array_equal(again, drawn)


def test_all_classes_are_drawn_unless_their_number_is_given() -> None:
    drawn = visualization.draw_segmentation_masks(np.zeros((1, 1, 3, 3)), np.array([[[0, 1, 2]]]), alpha=1.0)
    assert drawn[0, 0].any(axis=-1).tolist() == [False, True, True]


def test_frames_of_boxes() -> None:
    images = np.zeros((1, 12, 14, 3), "float32")
    drawn = visualization.draw_bounding_boxes(images, BOXES, "xyxy", color=(10, 20, 30), line_thickness=1)
    assert drawn.dtype == "uint8"
    rows, columns = np.nonzero(drawn[0, ..., 1] == 20)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (3, 9, 2, 8)  # the other box has the label -1
    assert len(rows) == 2 * 7 + 2 * 5
    first = visualization.draw_bounding_boxes(
        np.moveaxis(images, -1, 1), BOXES, "xyxy", color=(10, 20, 30), line_thickness=1, data_format="channels_first"
    )
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), drawn)
    outside = {"boxes": np.array([[[-3.0, -3, 40, 5]]]), "labels": np.zeros((1, 1))}
    thick = visualization.draw_bounding_boxes(images, outside, "xyxy", line_thickness=3)
    assert np.nonzero(thick[0, :, :, 0].any(axis=1))[0].tolist() == [4, 5, 6]
    assert visualization.draw_bounding_boxes(np.full((1, 2, 2, 3), 0.5), BOXES, "xyxy").max() == 127


def test_names_of_classes() -> None:
    pytest.importorskip("PIL")
    images = np.zeros((1, 80, 90, 3), "uint8")
    boxes = {**BOXES, "boxes": BOXES["boxes"] * 6, "confidences": np.array([[0.5, 0.25]])}
    plain = visualization.draw_bounding_boxes(images, boxes, "xyxy")
    for scale in (0.5, 3.0):
        named = visualization.draw_bounding_boxes(images, boxes, "xyxy", {7: "cat"}, font_scale=scale)
        assert (named != plain).any()


def test_galleries(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    images = np.random.default_rng(0).random((5, 20, 24, 3), "float32")
    shown = []
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: shown.append(len(pyplot.gcf().axes)))
    visualization.plot_image_gallery(images, y_true=np.arange(5), label_map={1: "one"}, value_range=(0, 1))
    assert shown == [6]  # three rows of two: all five images, and a place without one
    boxes = {"boxes": np.tile(BOXES["boxes"], (5, 1, 1)), "labels": np.zeros((5, 2))}
    masks = np.ones((5, 20, 24), "int32")
    for at, (plot, given) in enumerate(
        (
            (visualization.plot_bounding_box_gallery, {"bounding_box_format": "xyxy", "y_true": boxes, "legend": True}),
            (visualization.plot_segmentation_mask_gallery, {"num_classes": 2, "y_true": masks, "y_pred": masks}),
        )
    ):
        path = tmp_path / f"{at}.png"
        plot(images, value_range=(0, 1), path=path, **given)
        assert path.stat().st_size > 1000


def _without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = importlib.import_module

    def failing(module: str, *rest: object) -> object:
        if module.partition(".")[0] == name:
            raise ImportError(module)
        return true_import(module, *rest)

    monkeypatch.setattr(importlib, "import_module", failing)


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _without("matplotlib", monkeypatch)
    with pytest.raises(ImportError, match=r"plot_image_gallery needs matplotlib.*layerkit\[visualization\]"):
        visualization.plot_image_gallery(np.zeros((1, 2, 2, 3)))
    _without("PIL", monkeypatch)
    with pytest.raises(ImportError, match=r"class_mapping needs pillow.*layerkit\[visualization\]"):
        visualization.draw_bounding_boxes(np.zeros((1, 20, 20, 3)), BOXES, "xyxy", {7: "cat"})


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: visualization.draw_bounding_boxes(np.zeros((2, 2, 3)), BOXES, "xyxy"), ShapeError, "batched 4D"),
        (lambda: visualization.draw_bounding_boxes(np.zeros((1, 2, 2, 3)), [1], "xyxy"), TypeError, "should be a dict"),
        (lambda: visualization.draw_bounding_boxes(np.zeros((1, 2, 2, 3)), {}, "xyxy"), ValueError, "'boxes' and 'lab"),
        (
            lambda: visualization.draw_bounding_boxes(np.zeros((1, 2, 2, 3)), BOXES, "xyxy", line_thickness=0),
            ValueError,
            "`line_thickness` must be at least 1",
        ),
        (
            lambda: visualization.draw_segmentation_masks(np.zeros((1, 2, 2, 3)), np.zeros((1, 2, 2))),
            TypeError,
            "integer dtype",
        ),
        (lambda: visualization.plot_image_gallery(np.zeros((1, 2, 2, 3)), path="a", show=True), ValueError, "either"),
        (lambda: visualization.plot_image_gallery(np.zeros((1, 2, 2, 3)), y_true=[1]), ValueError, "`label_map`"),
        (
            lambda: visualization.plot_bounding_box_gallery(
                np.zeros((1, 2, 2, 3)), "xyxy", legend=True, legend_handles=[1]
            ),
            ValueError,
            "Only pass `legend` OR",
        ),
    ],
)
def test_errors(make: Callable, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        make()
