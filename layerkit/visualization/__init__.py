"""Floor 8: boxes and masks drawn into images, and images side by side."""

from layerkit.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks
from layerkit.visualization.galleries import (
    plot_bounding_box_gallery,
    plot_image_gallery,
    plot_segmentation_mask_gallery,
)

__all__ = [
    "draw_bounding_boxes", "draw_segmentation_masks", "plot_bounding_box_gallery", "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]  # fmt: skip
