"""A layer that gives all images equally many bounding boxes."""

from __future__ import annotations

from typing import Any

from layerkit import ops
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import ImageLayer

__all__ = ["MaxNumBoundingBoxes"]


class MaxNumBoundingBoxes(ImageLayer):
    """The first bounding boxes of each image, filled up to a number; images and all else stay.

    Args:
        max_number: how many boxes.
        fill_value: what boxes and labels are filled up with.

    >>> boxes = {"boxes": np.ones((1, 1, 4)), "labels": np.ones((1, 1), "int32")}
    >>> found = MaxNumBoundingBoxes(3)({"images": np.ones((1, 2, 2, 3)), "bounding_boxes": boxes})
    >>> found["bounding_boxes"]["labels"].tolist()
    [[1, -1, -1]]
    """

    random = False
    only_in_training = False
    keeps_dtype = True
    takes_box_format = False

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number, self.fill_value = int(max_number), int(fill_value)

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images themselves."""
        return images

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes [N, max_number, 4] and their labels [N, max_number]."""
        filled = {name: self._filled(as_tensor(bounding_boxes[name])) for name in ("boxes", "labels")}
        return {**bounding_boxes, **filled}

    def _filled(self, x: Tensor) -> Tensor:
        more = max(self.max_number - x.shape[1], 0)
        widths = [(0, more if axis == 1 else 0) for axis in range(x.ndim)]
        return ops.pad(x[:, : self.max_number], widths, constant_values=self.fill_value)
