"""Layers that mix each image of a batch with another one, and the labels with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import ops, random
from layerkit.checks import check_numbers
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import (
    Factor,
    ImageLayer,
    Shape,
    Transformation,
    limits_of,
    per_image,
    refuse_boxes,
    uniform,
)
from layerkit.layers.image_preprocessing.boxes import boxes_mask, random_span

__all__ = ["CutMix", "MixUp"]


def _order(batch: int | None, dtype: str, seed: Any) -> Tensor:
    numbers = np.arange(1 if batch is None else batch, dtype=dtype)
    return random.shuffle(as_tensor(numbers), seed=seed)


def _mixed(x: Tensor, other: Tensor, weight: Any) -> Tensor:
    """Both, weighted by one number [N] for each entry of the batch."""
    weight = ops.reshape(ops.cast(weight, x.dtype), (-1, *(1,) * (x.ndim - 1)))
    return weight * x + (1.0 - weight) * other


class _Mixing(ImageLayer, registered=False):
    """Labels are weighted means: one-hot ones, or numbers."""

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        """The labels [N, ...], weighted as the images."""
        if self._idle(transformation, training):
            return labels
        x = as_tensor(labels)
        x = x if x.dtype.startswith(("float", "bfloat")) else ops.cast(x, self.compute_dtype)
        return _mixed(x, ops.take(x, transformation["permutation_order"], axis=0), transformation["mix_weight"])


class MixUp(_Mixing):
    """Weighted means of each image and another one of the batch, and of their labels.

    Zhang et al., "mixup: beyond empirical risk minimization", https://arxiv.org/abs/1710.09412.

    Args:
        alpha: the weights are drawn from the beta distribution with both parameters alpha.
        data_format: where the channels are; None: as `layerkit.config` says.
        seed: for the same draws in each run.

    >>> mixed = MixUp(seed=1)({"images": np.ones((2, 2, 2, 3)), "labels": np.eye(2)}, training=True)
    >>> mixed["labels"].numpy().sum(axis=1).round(5).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        check_numbers(self, "(0, inf)", alpha=alpha)
        self.alpha = alpha
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The other images' numbers and the weights, [N]."""
        order = _order(shape[0], "int64", seed)
        return {"mix_weight": random.beta((shape[0],), self.alpha, self.alpha, seed=seed), "permutation_order": order}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images' means."""
        other = ops.take(images, transformation["permutation_order"], axis=0)
        return _mixed(images, other, transformation["mix_weight"])

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks' means."""
        return self.transform_labels(segmentation_masks, transformation, training)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes [N, 2 M, 4] of both images; their labels are not weighted."""
        if self._idle(transformation, training):
            return bounding_boxes
        order = transformation["permutation_order"]
        both = {
            name: ops.concatenate([x, ops.take(x, order, axis=0)], axis=1)
            for name, x in ((name, as_tensor(bounding_boxes[name])) for name in ("boxes", "labels"))
        }
        return {**bounding_boxes, **both}


class CutMix(_Mixing):
    """Each image with a rectangle of another one of the batch; labels weighted by the areas.

    Yun et al., "CutMix", https://arxiv.org/abs/1905.04899.

    Args:
        factor: both parameters of the beta distribution that the kept share is drawn from: a number f for one drawn
            from 0 to f, or a pair.
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> mixed = CutMix(seed=1)({"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)}, training=True)
    >>> mixed["labels"].numpy().sum(axis=1).round(5).tolist()
    [1.0, 1.0]
    """

    def __init__(
        self, factor: Factor = 1.0, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = limits_of(factor, (0, 1))
        self._set_seed(seed)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The other images' numbers [N], their pixels [N, H, W, 1], the share that is kept [N, 1, 1, 1]."""
        alpha = uniform((), self.factor, seed) + 1e-6
        share = ops.sqrt(1.0 - random.beta((shape[0],), alpha, alpha, seed=seed))
        x0, x1 = random_span(shape[0], shape[self.width_axis], share, seed)
        y0, y1 = random_span(shape[0], shape[self.height_axis], share, seed)
        masks = boxes_mask(shape, (x0, x1), (y0, y1), self.height_axis, self.width_axis)
        order = _order(shape[0], "int32", seed)
        return {"permutation_order": order, "batch_masks": masks, "mix_weight": per_image(1.0 - share * share)}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images, each with a part of another one."""
        other = ops.take(images, transformation["permutation_order"], axis=0)
        return ops.where(as_tensor(transformation["batch_masks"]), other, images)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks, each with the same part of another one."""
        x = as_tensor(segmentation_masks)
        return x if self._idle(transformation, training) else self.change(x, transformation)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """Raises NotImplementedError."""
        refuse_boxes(self)
