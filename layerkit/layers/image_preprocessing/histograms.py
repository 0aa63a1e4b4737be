"""Layers that spread the values of images over their range."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.checks import check_integers
from layerkit.graph.tensor import Tensor
from layerkit.layers.image_preprocessing.base import ImageLayer, range_of_values, rescaled
from layerkit.ops.blocks import sized
from layerkit.ops.reduction import size_constant

__all__ = ["AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization"]

VALUES = 256


class AutoContrast(ImageLayer):
    """Each channel of each image stretched so that its values fill the range, when training or not.

    Args:
        value_range: the lowest and the highest value of a pixel.

    >>> AutoContrast()(np.array([[[10.0], [20.0], [30.0]]])).numpy().ravel().tolist()
    [0.0, 127.5, 255.0]
    """

    random = False
    only_in_training = False

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = range_of_values(value_range)

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images; a channel of one value stays."""
        x = rescaled(images, self.value_range, (0, 255))
        axes = (self.height_axis, self.width_axis)
        low, high = ops.min(x, axis=axes, keepdims=True), ops.max(x, axis=axes, keepdims=True)
        flat = high <= low
        scale = 255.0 / ops.where(flat, 1.0, high - low)
        stretched = rescaled(ops.clip(x * scale - low * scale, 0.0, 255.0), (0, 255), self.value_range)
        return ops.where(flat, images, stretched)


class Equalization(ImageLayer):
    """Each channel with its values spread so that all are about as frequent, counted over the whole batch, as in Keras.

    Args:
        value_range: the lowest and the highest value of a pixel.
        bins: how many values are told apart.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> Equalization()(np.array([[[10.0], [20.0], [30.0]]]), training=True).numpy().ravel().tolist()
    [0.0, 128.0, 255.0]
    """

    random = False

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        check_integers(self, 1, bins=bins)
        self.bins = bins
        self.value_range = range_of_values(value_range)

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images; a channel of one value stays."""
        channels, bins = images.shape[self.channel_axis], self.bins
        if channels is None or None in images.shape:
            return images
        x = rescaled(images, self.value_range, (0, 255))
        first = np.arange(channels, dtype=np.int32) * bins
        first = sized(first.reshape([-1 if at - 4 == self.channel_axis else 1 for at in range(4)]), "int32")
        numbers = ops.reshape(ops.cast(ops.clip(x * (bins - 1) / 255.0, 0, bins - 1), "int32") + first, (-1,))
        counts = ops.segment_sum(ops.ones_like(numbers), numbers, num_segments=channels * bins)
        counts = ops.reshape(counts, (channels, bins))
        table = self._table(counts)
        spread = ops.reshape(ops.take(ops.reshape(table, (-1,)), numbers), images.shape)
        several = ops.sum(ops.cast(counts > 0, "int32"), axis=1) > 1
        several = ops.reshape(several, [-1 if at - 4 == self.channel_axis else 1 for at in range(4)])
        y = ops.where(several, ops.cast(spread, images.dtype), x)
        return rescaled(y, (0, 255), self.value_range)

    def _table(self, counts: Tensor) -> Tensor:
        """What each value becomes, int64 [C, bins], by how often each comes, int32 [C, bins].

        In integers, halves rounded up: a quotient of floats near a half rounds one way or the other.
        """
        total = ops.cast(ops.cumsum(counts, axis=1), "int64")
        whole = total[:, -1:]
        least = ops.min(ops.where(total > 0, total, whole), axis=1, keepdims=True)
        room = ops.maximum(whole - least, 1)
        return ops.clip(((total - least) * 510 + room) // (2 * room), 0, 255)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Each channel with its values spread, by how frequent they are nearby; the dtype stays.

    Pizer et al., "Adaptive histogram equalization and its variations", 1987: each tile of an image has a table of what
    values become, and a pixel takes the mean of what the tables of the four nearest tiles say, weighted by distance.

    Args:
        value_range: the lowest and the highest value of a pixel.
        clip_limit: how often a value counts at most, as a multiple of the mean, so that noise in flat regions is not
            made large; what lies above is shared out among all values. 0 or less: without a limit.
        tile_grid_size: how many tiles there are down and across; an image that they do not divide is mirrored at its
            end.
        data_format: where the channels are; None: as `layerkit.config` says.

    >>> layer = ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0, tile_grid_size=(1, 1))
    >>> layer(np.array([[[10.0], [20.0], [30.0], [30.0]]])).numpy().ravel().tolist()
    [63.75, 127.5, 255.0, 255.0]
    """

    random = False
    only_in_training = False
    keeps_dtype = True

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: tuple[int, int] = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.value_range = range_of_values(value_range)
        self.clip_limit = clip_limit
        if len(tile_grid_size) != 2 or not all(isinstance(one, int) and one > 0 for one in tile_grid_size):
            raise ValueError(f"`tile_grid_size` must be two positive integers. Received: {tile_grid_size!r}")
        self.tile_grid_size = tuple(tile_grid_size)

    def change(self, images: Tensor, transformation: Any) -> Tensor:
        """The images."""
        if None in images.shape:
            return images
        last = self.data_format == "channels_last"
        x = ops.cast(images if last else ops.transpose(images, (0, 2, 3, 1)), self.compute_dtype)
        x = rescaled(self._spread(rescaled(x, self.value_range, (0, 255))), (0, 255), self.value_range)
        return ops.cast(x if last else ops.transpose(x, (0, 3, 1, 2)), images.dtype)

    def _spread(self, x: Tensor) -> Tensor:
        """Images [N, H, W, C] from 0 to 255."""
        values = ops.cast(ops.clip(x, 0, VALUES - 1), "int32")
        down, across = (_Tiles(size, count) for size, count in zip(x.shape[1:3], self.tile_grid_size, strict=True))
        table = ops.reshape(self._tables(values, down, across), (-1,))
        mean = None
        for rows, row_weights in down.nearest():
            for columns, column_weights in across.nearest():
                places = _tile_numbers(x.shape, rows, columns, self.tile_grid_size) + values
                weights = row_weights[:, None, None] * column_weights[:, None]
                part = ops.take(table, places) * sized(weights, x.dtype)
                mean = part if mean is None else mean + part
        return mean

    def _tables(self, values: Tensor, down: _Tiles, across: _Tiles) -> Tensor:
        """What each value becomes in each tile, [N, tiles down, tiles across, C, 256]."""
        whole = ops.take(ops.take(values, down.places(), axis=1), across.places(), axis=2)
        numbers = _tile_numbers(whole.shape, down.own(), across.own(), self.tile_grid_size) + whole
        numbers = ops.reshape(numbers, (-1,))
        shape = (values.shape[0], *self.tile_grid_size, values.shape[3], VALUES)
        counted = ops.segment_sum(ops.ones_like(numbers, dtype=self.compute_dtype), numbers, int(np.prod(shape)))
        counts = ops.reshape(counted, shape)
        pixels = float(down.length * across.length)
        if self.clip_limit > 0:
            limited = ops.minimum(counts, size_constant(self.clip_limit * pixels / VALUES, counts.dtype))
            counts = limited + ops.sum(counts - limited, axis=-1, keepdims=True) / VALUES
        total = ops.cumsum(counts, axis=-1)
        least = total[..., :1]
        room = size_constant(pixels, counts.dtype) - least
        return ops.clip((total - least) * 255.0 / ops.where(room == 0, 1.0, room), 0, 255)


class _Tiles:
    """Parts of equal length along an axis, of which the last may reach beyond its end."""

    def __init__(self, size: int, count: int) -> None:
        self.size, self.count = size, count
        self.length = -(-size // count)

    def places(self) -> Tensor:
        """The place along the axis of each pixel of all tiles: beyond the end it is mirrored."""
        beyond = self.length * self.count - self.size
        return sized(np.pad(np.arange(self.size), (0, beyond), mode="symmetric"), "int32")

    def own(self) -> np.ndarray:
        """The tile of each pixel of all tiles."""
        return np.repeat(np.arange(self.count), self.length)

    def nearest(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each place, the tile whose middle is before it and its weight, then the one after it and its weight."""
        middle = (np.arange(self.size) - self.length / 2) / self.length
        before = np.floor(middle)
        weight = middle - before
        return [
            (np.clip(before + step, 0, self.count - 1).astype("int32"), share)
            for step, share in ((0, 1 - weight), (1, weight))
        ]


def _tile_numbers(shape: tuple[int, ...], rows: np.ndarray, columns: np.ndarray, grid: tuple[int, int]) -> Tensor:
    """The number of the first value in the table of each pixel's tile, int32 [N, H, W, C]."""
    batch, _, _, channels = shape
    tiles = rows[:, None, None] * grid[1] + columns[:, None]
    inner = sized((tiles * channels + np.arange(channels)) * VALUES, "int32")
    first = sized(np.arange(batch)[:, None, None, None] * (grid[0] * grid[1] * channels * VALUES), "int32")
    return first + inner
