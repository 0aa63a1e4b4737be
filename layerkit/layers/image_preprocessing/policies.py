"""Layers that apply others, chosen at random: RandAugment and AugMix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from layerkit import ops, random
from layerkit.checks import check_integers, check_numbers
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import Factor, ImageLayer, Shape, Transformation, limits_of
from layerkit.layers.image_preprocessing.colors import RandomBrightness, RandomColorDegeneration, RandomContrast
from layerkit.layers.image_preprocessing.effects import RandomPosterization, RandomSharpness, Solarization
from layerkit.layers.image_preprocessing.geometry import RandomRotation, RandomShear, RandomTranslation
from layerkit.layers.image_preprocessing.histograms import AutoContrast, Equalization

__all__ = ["AugMix", "RandAugment"]


class _Policy(ImageLayer, registered=False):
    """Has a layer of each kind in an attribute of its name. Which one runs is chosen in the step; the others do not."""

    names: ClassVar[tuple[str, ...]] = ()

    def _make_layers(self, data_format: str | None, names: Sequence[str]) -> None:
        factor = self.factor
        common = {
            "data_format": data_format, "dtype": self.dtype_policy, "bounding_box_format": self.bounding_box_format,
        }  # fmt: skip
        drawn = {"seed": self.seed, **common}
        moved = {"interpolation": self.interpolation, **drawn}
        coloured = {"value_range": self.value_range, **drawn}
        made: dict[str, Callable[[], ImageLayer]] = {
            "random_shear": lambda: RandomShear(x_factor=factor, y_factor=factor, **moved),
            "random_translation": lambda: RandomTranslation(factor, factor, **moved),
            "random_rotation": lambda: RandomRotation(factor, **moved),
            "random_brightness": lambda: RandomBrightness(factor, **coloured),
            "random_color_degeneration": lambda: RandomColorDegeneration(factor, **coloured),
            "random_contrast": lambda: RandomContrast(factor, **coloured),
            "random_sharpness": lambda: RandomSharpness(factor, **coloured),
            "random_posterization": lambda: RandomPosterization(max(1, int(8 * factor[1])), **coloured),
            "solarization": lambda: Solarization(factor, factor, **coloured),
            "auto_contrast": lambda: AutoContrast(value_range=self.value_range, **common),
            "equalization": lambda: Equalization(value_range=self.value_range, **common),
        }
        for name in names:
            setattr(self, name, made[name]())

    def _draw_all(self, names: Sequence[str], shape: Shape, seed: Any) -> dict[str, Transformation]:
        return {name: getattr(self, name).draw(shape, seed) for name in names}

    def _applied(self, name: str, x: Tensor, transformation: Any, masks: bool) -> Tensor:
        """What one of the layers makes of images or of masks."""
        layer: ImageLayer = getattr(self, name)
        if masks:
            return as_tensor(layer.transform_segmentation_masks(x, transformation))
        return ops.cast(layer.transform_images(x, transformation), x.dtype)

    def _one_of(self, index: Any, transformations: dict[str, Any], x: Tensor, masks: bool) -> Tensor:
        """What the layer of a number makes of images; a number beyond the layers' leaves them."""
        branches = [
            lambda images, name=name, drawn=drawn: self._applied(name, images, drawn, masks)
            for name, drawn in transformations.items()
        ]
        return ops.switch(index, [*branches, lambda images: images], x)


class RandAugment(_Policy):
    """Some changes, chosen at random of eleven, one after another, the same ones for all images of a batch.

    Cubuk et al., https://arxiv.org/abs/1909.13719.

    Args:
        value_range: the lowest and the highest value of a pixel.
        num_ops: how many changes.
        factor: how strong they are: a number f from 0 to 1 for one from 0 to f, or a pair.
        interpolation: "bilinear" or "nearest".
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> RandAugment(seed=1)(np.ones((8, 8, 3)), training=True).shape
    (8, 8, 3)
    """

    names = (
        "random_shear", "random_translation", "random_rotation", "random_brightness", "random_color_degeneration",
        "random_contrast", "random_sharpness", "random_posterization", "solarization", "auto_contrast", "equalization",
    )  # fmt: skip

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_ops: int = 2,
        factor: Factor = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        check_integers(self, 0, num_ops=num_ops)
        self.value_range, self.num_ops = value_range, num_ops
        self.factor = limits_of(factor, (0, 1))
        self.interpolation = interpolation
        self._set_seed(seed)
        self._make_layers(data_format, self.names)

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The numbers of the layers to apply, [num_ops], and a transformation for each of all layers."""
        numbers = random.randint((self.num_ops,), 0, len(self.names), seed=seed)
        return {"transforms": self._draw_all(self.names, shape, seed), "layer_idxes": numbers}

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images after all changes."""
        return self._all(images, transformation, masks=False)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks, moved as the images."""
        x = as_tensor(segmentation_masks)
        return x if self._idle(transformation, training) else self._all(x, transformation, masks=True)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any, training: bool = True) -> Any:
        """The boxes, moved as the images."""
        if self._idle(transformation, training):
            return bounding_boxes
        found = (as_tensor(bounding_boxes["boxes"]), as_tensor(bounding_boxes["labels"]))
        branches = [
            lambda boxes, labels, name=name, drawn=drawn: self._moved_boxes(name, boxes, labels, drawn)
            for name, drawn in transformation["transforms"].items()
        ]
        numbers = as_tensor(transformation["layer_idxes"])
        for at in range(self.num_ops):
            found = ops.switch(numbers[at], branches, *found)
        return {**bounding_boxes, "boxes": found[0], "labels": found[1]}

    def _moved_boxes(self, name: str, boxes: Tensor, labels: Tensor, drawn: Any) -> tuple[Tensor, Tensor]:
        found = getattr(self, name).transform_bounding_boxes({"boxes": boxes, "labels": labels}, drawn)
        return ops.cast(found["boxes"], boxes.dtype), ops.cast(found["labels"], labels.dtype)

    def _all(self, x: Tensor, transformation: Any, masks: bool) -> Tensor:
        numbers = as_tensor(transformation["layer_idxes"])
        for at in range(self.num_ops):
            x = self._one_of(numbers[at], transformation["transforms"], x, masks)
        return x


class AugMix(_Policy):
    """A random mean of the images and of several chains of random changes of them.

    Hendrycks et al., https://arxiv.org/abs/1912.02781.

    Args:
        value_range: the lowest and the highest value of a pixel.
        num_chains: how many chains.
        chain_depth: how many changes, at most, a chain has.
        factor: how strong they are: a number f from 0 to 1 for one from 0 to f, or a pair.
        alpha: of the Dirichlet and the beta distribution that the weights are drawn from.
        all_ops: whether brightness, colours, contrast and sharpness are changed, too.
        interpolation: "bilinear" or "nearest".
        seed: for the same draws in each run.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> AugMix(seed=1)(np.ones((8, 8, 3)), training=True).shape
    (8, 8, 3)
    """

    names = (
        "random_shear", "random_translation", "random_rotation", "random_posterization", "solarization",
        "auto_contrast", "equalization",
    )  # fmt: skip
    more: ClassVar[tuple[str, ...]] = (
        "random_brightness", "random_color_degeneration", "random_contrast", "random_sharpness",
    )  # fmt: skip

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Factor = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = value_range
        check_integers(self, 1, num_chains=num_chains)
        check_integers(self, -1, chain_depth=chain_depth)
        check_numbers(self, "(0, inf)", alpha=alpha)
        self.num_chains, self.chain_depth = num_chains, chain_depth
        self.factor = limits_of(factor, (0, 1))
        self.alpha, self.all_ops = alpha, all_ops
        self.interpolation = interpolation
        self._set_seed(seed)
        self._make_layers(data_format, self._used())

    def _used(self) -> tuple[str, ...]:
        return self.names + (self.more if self.all_ops else ())

    def draw(self, shape: Shape, seed: Any) -> Transformation:
        """The weights, and for each chain and place in it a layer's number and transformations for all layers.

        A number beyond the layers' is no change. Where Keras has one layer's name and transformation, it is taken too.
        """
        weights = random.gamma((self.num_chains,), self.alpha, seed=seed)
        names = self._used()
        chains = [
            [
                {
                    "layer_idx": random.randint((), 0, len(names) + 1, seed=seed),
                    "transforms": self._draw_all(names, shape, seed),
                }
                for _ in range(self.chain_depth)
            ]
            for _ in range(self.num_chains)
        ]
        return {
            "chain_mixing_weights": weights / ops.sum(weights, axis=-1, keepdims=True),
            "weight_sample": random.beta((), self.alpha, self.alpha, seed=seed),
            "chain_transforms": chains,
        }

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The mean, inside of the range."""
        low, high = self.value_range
        return ops.clip(self._mean(images, transformation, masks=False), low, high)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks' mean; they become floats."""
        x = as_tensor(segmentation_masks)
        if self._idle(transformation, training):
            return x
        return self._mean(ops.cast(x, self.compute_dtype), transformation, masks=True)

    def _mean(self, x: Tensor, transformation: Any, masks: bool) -> Tensor:
        weights = ops.cast(transformation["chain_mixing_weights"], x.dtype)
        kept = ops.cast(transformation["weight_sample"], x.dtype)
        mean = ops.zeros_like(x)
        for at, chain in enumerate(transformation["chain_transforms"]):
            y = x
            for step in chain:
                if "layer_name" in step:
                    y = self._applied(step["layer_name"], y, step["transformation"], masks)
                else:
                    y = self._one_of(step["layer_idx"], step["transforms"], y, masks)
            mean = mean + y * weights[at]
        return kept * x + (1.0 - kept) * mean
