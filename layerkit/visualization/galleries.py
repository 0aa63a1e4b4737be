"""Images side by side, plain or with boxes and masks: by Matplotlib (the extra `visualization`)."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from layerkit.utils.extras import optional_module
from layerkit.visualization.drawing import Colour, draw_bounding_boxes, draw_segmentation_masks, images_last


def _matplotlib(module: str, purpose: str) -> ModuleType:
    return optional_module(f"matplotlib.{module}", "matplotlib", "visualization", purpose)


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[Any, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: Sequence[float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Sequence[Any] | None = None,
    data_format: str | None = None,
) -> None:
    """Show images in rows and columns, or write the picture to a file.

    Args:
        images: [N, H, W, C].
        y_true: labels [N] for the titles.
        y_pred: predicted labels [N] for the titles.
        label_map: label -> name; needed with labels.
        rows: how many; None: about as many as columns.
        cols: how many; None: as many as hold all images.
        value_range: the lowest and the highest value of a pixel.
        scale: the inches that an image takes.
        path: of the file; None: the picture is shown.
        show: whether to show it; None: unless there is a path.
        transparent: whether the file has no background.
        dpi: the file's dots per inch.
        legend_handles: Matplotlib's patches for a legend.
        data_format: where the images' channels are; None: as `layerkit.config` says.

    Raises ShapeError for images without four axes, ValueError for a path with `show`, and for labels without names,
    ImportError without Matplotlib.
    """
    if path is not None and show:
        raise ValueError("plot_image_gallery() expects either `path` to be set, or `show` to be true.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError("If `y_true` or `y_pred` are provided, a `label_map` must also be provided.")
    images = images_last(images, data_format)
    plots = _matplotlib("pyplot", "plot_image_gallery")
    rows = rows or math.ceil(math.sqrt(len(images))) or 1
    cols = cols or math.ceil(len(images) / rows) or 1
    low, high = value_range
    pixels = np.clip((images.astype("float32") - low) / (high - low) * 255, 0, 255).astype("uint8")
    size = (cols * scale, rows * scale)
    figure, axes = plots.subplots(rows, cols, figsize=size, frameon=False, layout="tight", squeeze=False)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for at, axis in enumerate(axes.flat):
        axis.axis("off")
        if at < len(pixels):
            axis.imshow(pixels[at], cmap="gray" if pixels.shape[-1] == 1 else None, vmin=0, vmax=255)
            axis.margins(x=0, y=0)
            title = _title(at, label_map, y_true, y_pred)
            if title:
                axis.set_title(title, fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
        plots.close(figure)
    elif show or show is None:
        plots.show()
        plots.close(figure)


def _title(at: int, label_map: Mapping[Any, str] | None, y_true: Any, y_pred: Any) -> str:
    parts = []
    for word, labels in (("Label", y_true), ("Pred", y_pred)):
        labels = () if labels is None else np.asarray(labels)
        if at < len(labels):
            parts.append(f"{word}: {(label_map or {}).get(labels[at].item(), 'Unknown')}")
    return "  ".join(parts)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Mapping[str, Any] | None = None,
    y_pred: Mapping[str, Any] | None = None,
    value_range: Sequence[float] = (0, 255),
    true_color: Colour = (0, 188, 212),
    pred_color: Colour = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Sequence[Any] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images with true and predicted boxes.

    Args:
        images: [N, H, W, C].
        bounding_box_format: of the boxes, see `utils.bounding_boxes.convert_format`.
        y_true: the true boxes, as `draw_bounding_boxes` takes them.
        y_pred: the predicted boxes.
        value_range: the lowest and the highest value of a pixel.
        true_color: of true boxes.
        pred_color: of predicted boxes.
        line_thickness: of frames.
        font_scale: how large letters are.
        text_thickness: of letters; None: as the frames'.
        class_mapping: label -> name.
        ground_truth_mapping: the same for true boxes alone.
        prediction_mapping: the same for predicted boxes alone.
        legend: whether a legend tells the colours.
        legend_handles: Matplotlib's patches for another legend.
        rows: see `plot_image_gallery`.
        cols: see `plot_image_gallery`.
        data_format: where the images' channels are; None: as `layerkit.config` says.
        kwargs: of `plot_image_gallery`.

    Raises ShapeError for images without four axes, ValueError for both legends, ImportError without Matplotlib.
    """
    if legend and legend_handles:
        raise ValueError("Only pass `legend` OR `legend_handles` to `plot_bounding_box_gallery()`.")
    low, high = value_range
    drawn = (images_last(images, data_format).astype("float32") - low) / (high - low)
    drawn = np.clip(drawn * 255, 0, 255).astype("uint8")
    draw = functools.partial(
        draw_bounding_boxes,
        bounding_box_format=bounding_box_format,
        line_thickness=line_thickness,
        text_thickness=text_thickness,
        font_scale=font_scale,
        data_format="channels_last",
    )
    for boxes, color, names in (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    ):
        if boxes is not None:
            drawn = draw(drawn, boxes, color=color, class_mapping=names)
    if legend:
        patch = _matplotlib("patches", "plot_bounding_box_gallery").Patch
        named = ((true_color, "Ground Truth"), (pred_color, "Prediction"))
        legend_handles = [patch(color=np.array(color) / 255, label=label) for color, label in named]
    plot_image_gallery(
        drawn, rows=rows, cols=cols, legend_handles=legend_handles, data_format="channels_last", **kwargs
    )


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: Sequence[float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Colour] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show each image next to itself with its true and with its predicted mask, a row each.

    Args:
        images: [N, H, W, 3].
        num_classes: see `draw_segmentation_masks`, as the arguments that follow.
        value_range: the lowest and the highest value of a pixel.
        y_true: the true masks [N, H, W] or [N, H, W, 1].
        y_pred: the predicted masks.
        color_mapping: class -> colour.
        blend: whether the image is seen through the colours.
        alpha: the colours' share.
        ignore_index: a class that is not drawn.
        data_format: where the images' channels are; None: as `layerkit.config` says.
        kwargs: of `plot_image_gallery`.

    Raises ShapeError for images without four axes, ImportError without Matplotlib.
    """
    low, high = value_range
    plain = (images_last(images, data_format).astype("float32") - low) / (high - low)
    plain = np.clip(plain * 255, 0, 255)
    columns = [plain]
    for masks in (y_true, y_pred):
        if masks is not None:
            masks = np.asarray(masks).astype("int32")
            masks = images_last(masks, data_format) if masks.ndim == 4 else masks
            drawn = draw_segmentation_masks(
                plain, masks, num_classes, color_mapping, alpha, blend, ignore_index, "channels_last"
            )
            columns.append(drawn.astype("float32"))
    together = np.stack(columns, axis=1).reshape(-1, *plain.shape[1:])
    plot_image_gallery(together, rows=len(plain), cols=len(columns), data_format="channels_last", **kwargs)
