"""Layers that rearrange: flatten, reshape, permute, repeat, pad, crop, enlarge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from layerkit import ops
from layerkit.checks import check_choice, check_integers, standardize_sizes, wrong_argument
from layerkit.config import standardize_data_format
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.convolutional import Sizes
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.layer import Layer

__all__ = [
    "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Permute", "RepeatVector", "Reshape", "UpSampling1D",
    "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
]  # fmt: skip

Pairs = int | Sequence[int] | Sequence[Sequence[int]]


class Flatten(Layer):
    """All axes but the batch's as one, channels last: [N, ...] to [N, M].

    >>> Flatten().compute_output_shape((None, 28, 28))
    (None, 784)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        """The elements of each entry in one row."""
        if self.data_format == "channels_first" and inputs.ndim > 1:
            inputs = ops.transpose(inputs, (0, *range(2, inputs.ndim), 1))
        sizes = inputs.shape[1:]
        return ops.reshape(inputs, (inputs.shape[0], None if None in sizes else math.prod(sizes)))


class Reshape(Layer):
    """Another shape for each entry: [N, ...] to [N, *target_shape]; one size may be -1.

    >>> Reshape((4, -1)).compute_output_shape((None, 12))
    (None, 4, 3)
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        target_shape = standardize_sizes(self, "target_shape", target_shape, None, least=-1)
        self.target_shape = target_shape
        if self.target_shape.count(-1) > 1:
            raise wrong_argument(self, "target_shape", target_shape, "sizes of which one may be -1")

    def call(self, inputs: Tensor) -> Tensor:
        """The elements in their order."""
        sizes = inputs.shape[1:]
        target = self.target_shape
        if None not in sizes:
            known = math.prod(size for size in target if size != -1)
            total = math.prod(sizes)
            if (total != known) if -1 not in target else (known == 0 or total % known):
                raise ShapeError(
                    f"The {total} elements of an entry of shape {tuple(sizes)} don't fit into target_shape={target}."
                )
            target = tuple(total // known if size == -1 else size for size in target)
        elif inputs.shape[0] is None or -1 in target:
            target = tuple(None if size == -1 else size for size in target)
        return ops.reshape(inputs, (inputs.shape[0], *target))


class Permute(Layer):
    """The axes of each entry in another order; they count from 1.

    >>> Permute((2, 1)).compute_output_shape((None, 10, 64))
    (None, 64, 10)
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = standardize_sizes(self, "dims", dims, None, least=-math.inf)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise wrong_argument(self, "dims", dims, "the numbers of all axes, which start from 1, in some order")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        """The transposed entries."""
        return ops.transpose(inputs, (0, *self.dims))


class RepeatVector(Layer):
    """Each entry n times: [N, C] to [N, n, C].

    >>> RepeatVector(2)(np.array([[1.0, 3.0]])).tolist()
    [[[1.0, 3.0], [1.0, 3.0]]]
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_integers(self, 1, n=n)
        self.n = int(n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        """The repeated entries."""
        return repeat(ops.expand_dims(inputs, 1), self.n, 1)


def repeat(x: Tensor, count: int, axis: int) -> Tensor:
    """Each slice along an axis so many times in a row."""
    if count == 1:
        return x
    shape = list(x.shape)
    copies = ops.broadcast_to(ops.expand_dims(x, axis + 1), (*shape[: axis + 1], count, *shape[axis + 1 :]))
    shape[axis] = None if shape[axis] is None else shape[axis] * count
    return ops.reshape(copies, tuple(shape))


def _pairs(owner: Layer, name: str, value: Pairs, rank: int) -> tuple[tuple[int, int], ...]:
    """A (before, after) for each spatial axis. Raises ValueError for anything else."""
    entries = value if isinstance(value, list | tuple) else (value,) * rank
    try:
        pairs = tuple(standardize_sizes(owner, name, one, 2, least=0) for one in entries)
    except ValueError as error:
        expected = f"a non-negative integer, {rank} of them, or {rank} pairs of them"
        raise wrong_argument(owner, name, value, expected, kind=type(error)) from None
    if len(pairs) != rank:
        raise wrong_argument(owner, name, value, f"a non-negative integer, {rank} of them, or {rank} pairs of them")
    return pairs


class _Spatial(Layer, registered=False):
    """What works on the spatial axes of images, of any rank."""

    rank: ClassVar[int] = 2

    def _set_format(self, data_format: str | None) -> None:
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def _first(self) -> int:
        """The first spatial axis."""
        return 1 if getattr(self, "data_format", "channels_last") == "channels_last" else 2


class ZeroPadding1D(_Spatial):
    """Zeros before and after the steps of [N, T, C].

    Args:
        padding: how many on both sides, or (before, after).
        data_format: "channels_last" or "channels_first".

    >>> ZeroPadding1D(1)(np.array([[[1.0], [2.0]]])).tolist()
    [[[0.0], [1.0], [2.0], [0.0]]]
    """

    rank = 1

    def __init__(self, padding: int | Sequence[int] = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_format(data_format)
        self.padding = standardize_sizes(self, "padding", padding, 2, least=0)

    def call(self, inputs: Tensor) -> Tensor:
        """The padded sequence."""
        return _padded(inputs, self._first, (self.padding,))


class ZeroPadding2D(_Spatial):
    """Zeros around the pixels of [N, H, W, C].

    Args:
        padding: how many on all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first".

    >>> ZeroPadding2D(((1, 2), (0, 1))).compute_output_shape((None, 28, 28, 3))
    (None, 31, 29, 3)
    """

    def __init__(self, padding: Pairs = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_format(data_format)
        self.padding = _pairs(self, "padding", padding, 2)

    def call(self, inputs: Tensor) -> Tensor:
        """The padded images."""
        return _padded(inputs, self._first, self.padding)


class ZeroPadding3D(_Spatial):
    """Zeros around the elements of volumes [N, D, H, W, C].

    Args:
        padding: how many on all sides, (depth, rows, columns), or a pair for each axis.
        data_format: "channels_last" or "channels_first".

    >>> ZeroPadding3D((0, 1, 2)).compute_output_shape((None, 4, 4, 4, 3))
    (None, 4, 6, 8, 3)
    """

    rank = 3

    def __init__(
        self, padding: Pairs = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_format(data_format)
        self.padding = _pairs(self, "padding", padding, 3)

    def call(self, inputs: Tensor) -> Tensor:
        """The padded volumes."""
        return _padded(inputs, self._first, self.padding)


def _padded(x: Tensor, first: int, pairs: Sequence[tuple[int, int]]) -> Tensor:
    widths = [(0, 0)] * x.ndim
    widths[first : first + len(pairs)] = pairs
    return ops.pad(x, widths)


class Cropping1D(_Spatial):
    """Without so many steps at both ends, or (at the start, at the end): [N, T, C] to [N, T', C].

    >>> Cropping1D(1)(np.array([[[1.0], [2.0], [3.0], [4.0]]])).tolist()
    [[[2.0], [3.0]]]
    """

    rank = 1

    def __init__(self, cropping: int | Sequence[int] = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = standardize_sizes(self, "cropping", cropping, 2, least=0)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Tensor) -> Tensor:
        """The steps that stay."""
        return _cropped(inputs, 1, (self.cropping,))


class Cropping2D(_Spatial):
    """Without the pixels at the edges: [N, H, W, C] to [N, H', W', C].

    Args:
        cropping: how many on all sides, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first".

    >>> Cropping2D(((1, 2), (0, 1))).compute_output_shape((None, 28, 28, 3))
    (None, 25, 27, 3)
    """

    def __init__(self, cropping: Pairs = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_format(data_format)
        self.cropping = _pairs(self, "cropping", cropping, 2)

    def call(self, inputs: Tensor) -> Tensor:
        """The pixels that stay."""
        return _cropped(inputs, self._first, self.cropping)


class Cropping3D(_Spatial):
    """Without the elements at the faces: [N, D, H, W, C] to [N, D', H', W', C].

    Args:
        cropping: how many on all sides, (depth, rows, columns), or a pair for each axis.
        data_format: "channels_last" or "channels_first".

    >>> Cropping3D((0, 1, (1, 2))).compute_output_shape((None, 4, 4, 4, 3))
    (None, 4, 2, 1, 3)
    """

    rank = 3

    def __init__(
        self, cropping: Pairs = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_format(data_format)
        self.cropping = _pairs(self, "cropping", cropping, 3)

    def call(self, inputs: Tensor) -> Tensor:
        """The elements that stay."""
        return _cropped(inputs, self._first, self.cropping)


def _cropped(x: Tensor, first: int, pairs: Sequence[tuple[int, int]]) -> Tensor:
    for axis, (before, after) in enumerate(pairs, first):
        if x.shape[axis] is not None and before + after >= x.shape[axis]:
            raise ShapeError(
                "Values in `cropping` argument should be smaller than the corresponding dimension of the input. "
                f"Received: input shape {x.shape}, cropping={tuple(pairs)}"
            )
    keys = [slice(None)] * x.ndim
    for axis, (before, after) in enumerate(pairs, first):
        keys[axis] = slice(before, -after or None)
    return x[tuple(keys)]


class UpSampling1D(_Spatial):
    """Each step so many times: [N, T, C] to [N, T * size, C].

    >>> UpSampling1D(2)(np.array([[[1.0], [2.0]]])).tolist()
    [[[1.0], [1.0], [2.0], [2.0]]]
    """

    rank = 1

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_integers(self, 1, size=size)
        self.size = int(size)
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs: Tensor) -> Tensor:
        """The repeated steps."""
        return repeat(inputs, self.size, 1)


INTERPOLATIONS = ("bicubic", "bilinear", "lanczos3", "lanczos5", "nearest")


class UpSampling2D(_Spatial):
    """Larger images, by "nearest" each pixel as a block: [N, H, W, C] to [N, H * size[0], W * size[1], C].

    Args:
        size: how many times as many rows and columns.
        data_format: "channels_last" or "channels_first".
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    >>> UpSampling2D((2, 3)).compute_output_shape((None, 7, 7, 3))
    (None, 14, 21, 3)
    """

    def __init__(
        self, size: Sizes = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self._set_format(data_format)
        self.size = standardize_sizes(self, "size", size, 2)
        self.interpolation = str(interpolation).lower()
        check_choice(self, INTERPOLATIONS, interpolation=self.interpolation)

    def call(self, inputs: Tensor) -> Tensor:
        """The enlarged images."""
        if self.interpolation == "nearest":
            return _repeated(inputs, self._first, self.size)
        rows, columns = (
            n * times for n, times in zip(inputs.shape[self._first : self._first + 2], self.size, strict=True)
        )
        return ops.image.resize(inputs, (rows, columns), self.interpolation, data_format=self.data_format)


class UpSampling3D(_Spatial):
    """Each element of a volume as a block: [N, D, H, W, C] to [N, D * size[0], H * size[1], W * size[2], C].

    Args:
        size: the block's size.
        data_format: "channels_last" or "channels_first".

    >>> UpSampling3D((1, 2, 3)).compute_output_shape((None, 4, 4, 4, 3))
    (None, 4, 8, 12, 3)
    """

    rank = 3

    def __init__(self, size: Sizes = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._set_format(data_format)
        self.size = standardize_sizes(self, "size", size, 3)

    def call(self, inputs: Tensor) -> Tensor:
        """The enlarged volumes."""
        return _repeated(inputs, self._first, self.size)


def _repeated(x: Tensor, first: int, counts: Sequence[int]) -> Tensor:
    """Each slice along the spatial axes so many times in a row."""
    for axis, count in enumerate(counts, first):
        x = repeat(x, count, axis)
    return x
