"""Convolutions over one, two or three spatial axes, channels last; depthwise, separable and transposed ones.

A convolution, its gradient by the input and its gradient by the filters are linear in each argument and each other's
gradients, so second derivatives come for free.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from layerkit.config import standardize_data_format
from layerkit.dtypes import dtype_of, floatx, is_float, result_type
from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Spec, as_tensor, cast_to
from layerkit.graph.tensor import Tensor
from layerkit.kernels.convolution_filters_launch import conv_filter_gradient_launches
from layerkit.kernels.convolution_launch import conv_input_gradient_launches, conv_launches
from layerkit.kernels.depthwise_launch import (
    depthwise_filter_gradient_launches,
    depthwise_input_gradient_launches,
    depthwise_launches,
)
from layerkit.kernels.launch import Launch, Operand, contiguous_strides
from layerkit.ops.volumes import by_slices, filters_of_slices, slices_as_channels, splits_volumes
from layerkit.ops.windows import (
    Pads,
    add_windows,
    padded,
    per_axis,
    to_channels_first,
    to_channels_last,
    window_count,
    window_padding,
    window_view,
)


class _Convolution(Kernelled, abstract=True):
    """What the operations of the family share: the window's attributes, one for each spatial axis."""

    strides: tuple[int, ...]
    padding: Pads
    dilation: tuple[int, ...]

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        tensors = [as_tensor(x) for x in inputs]
        dtype = result_type(*(dtype_of(x) for x in tensors))
        return [cast_to(x, dtype if is_float(dtype) else floatx()) for x in tensors]

    def supports(self, *x: Tensor) -> bool:
        """Kernels exist for one and two spatial axes."""
        return super().supports(*x) and len(self.strides) <= 2 and min(map(min, self.padding)) >= 0

    def _launch_window(self) -> dict[str, tuple]:
        """The window's attributes as the kernels take them: for two axes, a sequence is an image of one row."""
        rows = 2 - len(self.strides)
        return {
            "strides": (1,) * rows + self.strides,
            "padding": ((0, 0),) * rows + self.padding,
            "dilation": (1,) * rows + self.dilation,
        }

    def _check(self, x: Tensor, kernel: Sequence[int | None]) -> None:
        if x.ndim != len(self.strides) + 2 or len(kernel) != len(self.strides):
            raise ShapeError(
                f"the input has to have {len(self.strides) + 2} axes (batch, {len(self.strides)} spatial, channels) "
                f"and the kernel {len(self.strides)} spatial axes."
            )

    def _output(self, size: Sequence[int | None], kernel: Sequence[int]) -> tuple[int | None, ...]:
        return tuple(map(window_count, size, kernel, self.strides, self.padding, self.dilation))

    def _patches(self, x: np.ndarray, kernel: Sequence[int], groups: int) -> np.ndarray:
        """[groups, pixels of the output, taps * channels of a group]: what each output pixel sees."""
        rank = len(kernel)
        windows = window_view(padded(x, self.padding, 0), kernel, self.strides, self.dilation)
        windows = windows.reshape(*windows.shape[: 1 + rank], groups, x.shape[-1] // groups, *kernel)
        order = (1 + rank, *range(1 + rank), *range(3 + rank, 3 + 2 * rank), 2 + rank)
        windows = windows.transpose(order)
        rows = math.prod(windows.shape[1 : 2 + rank])
        return windows.reshape(groups, rows, math.prod(kernel) * (x.shape[-1] // groups))

    def _forward(self, x: np.ndarray, w: np.ndarray, groups: int) -> np.ndarray:
        kernel = w.shape[:-2]
        out = self._output(x.shape[1:-1], kernel)
        y = self._patches(x, kernel, groups) @ _filters_by_group(w, groups)
        return _from_groups(y).reshape(x.shape[0], *out, w.shape[-1])

    def _input_gradient(self, g: np.ndarray, w: np.ndarray, groups: int, size: Sequence[int]) -> np.ndarray:
        kernel, rank = w.shape[:-2], len(size)
        per_tap = _to_groups(g, groups) @ _filters_by_group(w, groups).transpose(0, 2, 1)
        per_tap = per_tap.reshape(groups, *g.shape[:-1], math.prod(kernel), w.shape[-2])
        per_tap = np.moveaxis(per_tap, (2 + rank, 0), (0, 2 + rank))  # [taps, batch, *pixels, groups, depth]
        per_tap = per_tap.reshape(len(per_tap), *g.shape[:-1], groups * w.shape[-2])
        return add_windows(per_tap, kernel, self.strides, self.dilation, self.padding, size)

    def _filter_gradient(self, x: np.ndarray, g: np.ndarray, groups: int, kernel: Sequence[int]) -> np.ndarray:
        gw = self._patches(x, kernel, groups).transpose(0, 2, 1) @ _to_groups(g, groups)
        return gw.transpose(1, 0, 2).reshape(*kernel, x.shape[-1] // groups, g.shape[-1])


class Conv(_Convolution):
    """Cross-correlation of x [N, *size, C] with w [*kernel, C / groups, F] to [N, *pixels, F]."""

    groups: int = 1

    def infer(self, x: Tensor, w: Tensor) -> Spec:
        self._check(x, w.shape[:-2])
        if x.shape[-1] != w.shape[-2] * self.groups or w.shape[-1] % self.groups:
            raise ShapeError(
                f"the kernel takes {w.shape[-2]} channels in each of {self.groups} groups and gives {w.shape[-1]}; "
                f"the input has {x.shape[-1]} channels."
            )
        return (x.shape[0], *self._output(x.shape[1:-1], w.shape[:-2]), w.shape[-1]), x.dtype

    def reference(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return self._forward(x, w, self.groups)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        x, w, out = as_images(inputs[0]), as_filters(inputs[1]), as_images(outputs[0])
        return conv_launches(x, w, out, **self._launch_window(), groups=self.groups)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, w: Tensor) -> tuple:
        window = (self.strides, self.padding, self.dilation, self.groups)
        gx = ConvInputGradient(*window, size=x.shape[1:-1])(g, w)
        return gx, ConvFilterGradient(*window, kernel=w.shape[:-2])(x, g)


class ConvInputGradient(_Convolution):
    """The gradient of `Conv` by x [N, *size, C], from g [N, *pixels, F] and w: also the transposed convolution."""

    groups: int = 1
    size: tuple[int | None, ...]

    def infer(self, g: Tensor, w: Tensor) -> Spec:
        self._check(g, w.shape[:-2])
        if g.shape[-1] != w.shape[-1]:
            raise ShapeError(f"the kernel's last axis has size {w.shape[-1]}; the input has {g.shape[-1]} channels.")
        return (g.shape[0], *self.size, w.shape[-2] * self.groups), g.dtype

    def reference(self, g: np.ndarray, w: np.ndarray) -> np.ndarray:
        return self._input_gradient(g, w, self.groups, self.size)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        g, w, gx = as_images(inputs[0]), as_filters(inputs[1]), as_images(outputs[0])
        return conv_input_gradient_launches(g, w, gx, **self._launch_window(), groups=self.groups)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, w: Tensor) -> tuple:
        window = (self.strides, self.padding, self.dilation, self.groups)
        return Conv(*window)(g, w), ConvFilterGradient(*window, kernel=w.shape[:-2])(g, x)


class ConvFilterGradient(_Convolution):
    """The gradient of `Conv` by w [*kernel, C / groups, F], from x [N, *size, C] and g [N, *pixels, F]."""

    groups: int = 1
    kernel: tuple[int, ...]

    def infer(self, x: Tensor, g: Tensor) -> Spec:
        self._check(x, self.kernel)
        return (*self.kernel, x.shape[-1] // self.groups, g.shape[-1]), x.dtype

    def reference(self, x: np.ndarray, g: np.ndarray) -> np.ndarray:
        return self._filter_gradient(x, g, self.groups, self.kernel)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        x, g, gw = as_images(inputs[0]), as_images(inputs[1]), as_filters(outputs[0])
        return conv_filter_gradient_launches(x, g, gw, **self._launch_window(), groups=self.groups)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, gy: Tensor) -> tuple:
        window = (self.strides, self.padding, self.dilation, self.groups)
        return ConvInputGradient(*window, size=x.shape[1:-1])(gy, g), Conv(*window)(x, g)


class ConvBiasActivation(_Convolution):
    """activation(Conv(x, w) + bias) with bias and activation in the kernel's epilogue; made by the compiler."""

    groups: int = 1
    activation: str | None = None

    def infer(self, x: Tensor, w: Tensor, bias: Tensor) -> Spec:
        return Conv(self.strides, self.padding, self.dilation, self.groups).infer(x, w)

    def reference(self, x: np.ndarray, w: np.ndarray, bias: np.ndarray) -> np.ndarray:
        y = self._forward(x, w, self.groups) + bias
        return np.maximum(y, 0) if self.activation == "relu" else y

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        x, w, out = as_images(inputs[0]), as_filters(inputs[1]), as_images(outputs[0])
        window = self._launch_window()
        return conv_launches(x, w, out, **window, groups=self.groups, bias=inputs[2], activation=self.activation)


class DepthwiseConv(_Convolution):
    """Each channel of x [N, *size, C] with its own M filters of w [*kernel, C, M], to [N, *pixels, C * M]."""

    def infer(self, x: Tensor, w: Tensor) -> Spec:
        self._check(x, w.shape[:-2])
        if x.shape[-1] != w.shape[-2]:
            raise ShapeError(f"the kernel takes {w.shape[-2]} channels; the input has {x.shape[-1]}.")
        return (x.shape[0], *self._output(x.shape[1:-1], w.shape[:-2]), w.shape[-2] * w.shape[-1]), x.dtype

    def reference(self, x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return self._forward(x, _as_grouped(w), w.shape[-2])

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        x, w, out = as_images(inputs[0]), as_filters(inputs[1]), as_images(outputs[0])
        return depthwise_launches(x, w, out, **self._launch_window())

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, w: Tensor) -> tuple:
        window = (self.strides, self.padding, self.dilation)
        gx = DepthwiseConvInputGradient(*window, size=x.shape[1:-1])(g, w)
        return gx, DepthwiseConvFilterGradient(*window, kernel=w.shape[:-2])(x, g)


class DepthwiseConvInputGradient(_Convolution):
    """The gradient of `DepthwiseConv` by x [N, *size, C], from g [N, *pixels, C * M] and w [*kernel, C, M]."""

    size: tuple[int | None, ...]

    def infer(self, g: Tensor, w: Tensor) -> Spec:
        self._check(g, w.shape[:-2])
        return (g.shape[0], *self.size, w.shape[-2]), g.dtype

    def reference(self, g: np.ndarray, w: np.ndarray) -> np.ndarray:
        return self._input_gradient(g, _as_grouped(w), w.shape[-2], self.size)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        g, w, gx = as_images(inputs[0]), as_filters(inputs[1]), as_images(outputs[0])
        return depthwise_input_gradient_launches(g, w, gx, **self._launch_window())

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, w: Tensor) -> tuple:
        window = (self.strides, self.padding, self.dilation)
        return DepthwiseConv(*window)(g, w), DepthwiseConvFilterGradient(*window, kernel=w.shape[:-2])(g, x)


class DepthwiseConvFilterGradient(_Convolution):
    """The gradient of `DepthwiseConv` by w [*kernel, C, M], from x [N, *size, C] and g [N, *pixels, C * M]."""

    kernel: tuple[int, ...]

    def infer(self, x: Tensor, g: Tensor) -> Spec:
        self._check(x, self.kernel)
        return (*self.kernel, x.shape[-1], g.shape[-1] // x.shape[-1]), x.dtype

    def reference(self, x: np.ndarray, g: np.ndarray) -> np.ndarray:
        channels = x.shape[-1]
        gw = self._filter_gradient(x, g, channels, self.kernel)
        return gw.reshape(*self.kernel, channels, g.shape[-1] // channels)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        x, g, gw = as_images(inputs[0]), as_images(inputs[1]), as_filters(outputs[0])
        return depthwise_filter_gradient_launches(x, g, gw, **self._launch_window())

    def gradient(self, g: Tensor, y: Tensor, x: Tensor, gy: Tensor) -> tuple:
        window = (self.strides, self.padding, self.dilation)
        return DepthwiseConvInputGradient(*window, size=x.shape[1:-1])(gy, g), DepthwiseConv(*window)(x, g)


def as_images(x: Operand) -> Operand:
    """[N, W, C] as [N, 1, W, C]; images stay."""
    return x if len(x.shape) == 4 else _with_axis(x, 1)


def as_filters(w: Operand) -> Operand:
    """[k, C, F] as [1, k, C, F]; filters of images stay."""
    return w if len(w.shape) == 4 else _with_axis(w, 0)


def _with_axis(x: Operand, axis: int) -> Operand:
    """A contiguous operand with one more axis, of size 1."""
    shape = (*x.shape[:axis], 1, *x.shape[axis:])
    return Operand(x.buffer, shape, contiguous_strides(shape), x.offset, x.dtype)


def _as_grouped(w: np.ndarray) -> np.ndarray:
    """Depthwise filters [*kernel, C, M] as those of a convolution with C groups, [*kernel, 1, C * M]."""
    return w.reshape(*w.shape[:-2], 1, w.shape[-2] * w.shape[-1])


def _filters_by_group(w: np.ndarray, groups: int) -> np.ndarray:
    """[groups, taps * depth, filters of a group]."""
    rows = math.prod(w.shape[:-1])
    return w.reshape(rows, groups, w.shape[-1] // groups).transpose(1, 0, 2)


def _to_groups(g: np.ndarray, groups: int) -> np.ndarray:
    """[N, *pixels, F] as [groups, pixels, filters of a group]."""
    return g.reshape(math.prod(g.shape[:-1]), groups, g.shape[-1] // groups).transpose(1, 0, 2)


def _from_groups(y: np.ndarray) -> np.ndarray:
    """[groups, pixels, filters of a group] as [pixels, F]."""
    return y.transpose(1, 0, 2)


def _spatial_rank(x: Tensor, name: str, ranks: Sequence[int] = (1, 2, 3)) -> int:
    if x.ndim - 2 not in ranks:
        expected = " or ".join(str(rank + 2) for rank in ranks)
        raise ShapeError(
            f"ops.{name} takes inputs with {expected} axes (batch, spatial ones, channels); got shape {x.shape}."
        )
    return x.ndim - 2


def _window_of(
    x: Tensor, w: Tensor, strides: int | Sequence[int], padding: str | Sequence, dilation_rate: int | Sequence[int]
) -> tuple[tuple[int, ...], Pads, tuple[int, ...]]:
    rank = x.ndim - 2
    if w.ndim != rank + 2:
        raise ShapeError(f"the kernel has to have {rank + 2} axes for an input of shape {x.shape}; got {w.shape}.")
    strides, dilation = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    return strides, window_padding(padding, x.shape[1:-1], w.shape[:-2], strides, dilation), dilation


def conv(
    inputs: object,
    kernel: object,
    strides: int | Sequence[int] = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolution (in truth cross-correlation) over one to three spatial axes.

    Args:
        inputs: [N, *size, C], or [N, C, *size] with `data_format="channels_first"`.
        kernel: [*kernel, C / groups, F]; C over its channels gives the number of groups.
        strides: steps of the window.
        padding: "valid", "same", or (before, after) for each spatial axis.
        data_format: where the channels are.
        dilation_rate: distances of the kernel's taps.

    Raises ShapeError where the kernel does not fit.
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    _spatial_rank(x, "conv")
    if standardize_data_format(data_format) == "channels_first":
        return to_channels_first(conv(to_channels_last(x), w, strides, padding, "channels_last", dilation_rate))
    window = _window_of(x, w, strides, padding, dilation_rate)
    channels, depth = x.shape[-1], w.shape[-2]
    if channels is None or depth == 0 or channels % depth or w.shape[-1] % (channels // depth or 1):
        raise ShapeError(
            f"ops.conv: {channels} input channels do not fit a kernel of shape {w.shape}: it takes {depth}, or a "
            f"multiple of them in groups that divide its {w.shape[-1]} filters."
        )
    if splits_volumes(x) and channels == depth and min(_pixels(x, w, *window)) > 0:
        return _conv_of_volumes(x, w, *window)
    return Conv(*window, channels // depth)(x, w)


def _pixels(x: Tensor, w: Tensor, strides: Sequence[int], padding: Pads, dilation: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(window_count, x.shape[1:-1], w.shape[:-2], strides, padding, dilation))


def _conv_of_volumes(x: Tensor, w: Tensor, strides: Sequence[int], padding: Pads, dilation: Sequence[int]) -> Tensor:
    """A convolution over three axes as one over two: the slices that a window sees are channels of one image."""
    images = Conv(strides[1:], padding[1:], dilation[1:])
    slices = slices_as_channels(x, w.shape[0], strides[0], padding[0], dilation[0])
    return by_slices(lambda x: images(x, filters_of_slices(w)), slices)


def depthwise_conv(
    inputs: object,
    kernel: object,
    strides: int | Sequence[int] = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolution of each channel with its own filters: kernel [*kernel, C, M] gives C * M channels.

    The other arguments are those of `conv`.
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    _spatial_rank(x, "depthwise_conv")
    if standardize_data_format(data_format) == "channels_first":
        y = depthwise_conv(to_channels_last(x), w, strides, padding, "channels_last", dilation_rate)
        return to_channels_first(y)
    return DepthwiseConv(*_window_of(x, w, strides, padding, dilation_rate))(x, w)


def separable_conv(
    inputs: object,
    depthwise_kernel: object,
    pointwise_kernel: object,
    strides: int | Sequence[int] = 1,
    padding: str | Sequence[tuple[int, int]] = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """A depthwise convolution and then a pointwise one, whose kernel is [1, ..., C * M, F]."""
    x = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(x, pointwise_kernel, 1, "valid", data_format)


def conv_transpose(
    inputs: object,
    kernel: object,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """The transposed convolution: what `conv` with this kernel has as its gradient by the input.

    Args:
        inputs: [N, *size, C], or [N, C, *size] with `data_format="channels_first"`.
        kernel: [*kernel, F, C].
        strides: distances at which the input's elements are laid out.
        padding: "valid" or "same"; "same" gives size * stride.
        output_padding: elements more at the end of each spatial axis; None: Keras' default sizes.
        data_format: where the channels are.
        dilation_rate: distances of the kernel's taps.
    """
    x, w = as_tensor(inputs), as_tensor(kernel)
    rank = _spatial_rank(x, "conv_transpose")
    if standardize_data_format(data_format) == "channels_first":
        y = conv_transpose(to_channels_last(x), w, strides, padding, output_padding, "channels_last", dilation_rate)
        return to_channels_first(y)
    if w.ndim != rank + 2:
        raise ShapeError(f"the kernel has to have {rank + 2} axes for an input of shape {x.shape}; got {w.shape}.")
    strides, dilation = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    more = (output_padding,) * rank if output_padding is None or isinstance(output_padding, int) else output_padding
    axes = [
        transposed_window(n, k, s, d, padding, p)
        for n, k, s, d, p in zip(x.shape[1:-1], w.shape[:-2], strides, dilation, more, strict=True)
    ]
    pads, size = tuple(pad for _, pad in axes), tuple(n for n, _ in axes)
    return ConvInputGradient(strides, pads, dilation, 1, size)(x, w)


def transposed_window(
    size: int | None, kernel: int, stride: int, dilation: int, padding: str, output_padding: int | None
) -> tuple[int | None, tuple[int, int]]:
    """Size of a transposed convolution's output along an axis, and the padding of the convolution it transposes.

    Raises ValueError for an unknown padding.
    """
    extent = (kernel - 1) * dilation + 1
    if padding.lower() == "valid":
        more = max(stride - extent, 0) if output_padding is None else output_padding
        length, before = (None if size is None else (size - 1) * stride + extent + more), 0
    elif padding.lower() == "same":
        if output_padding is None:
            surplus = stride + extent - 2
            length = None if size is None else size * stride
        else:
            surplus = extent + extent % 2 - 2 + output_padding
            length = None if size is None else (size - 1) * stride + extent % 2 + output_padding
        before = extent - 1 - min(surplus - surplus // 2, extent - 1)
    else:
        raise ValueError(f"padding is 'valid' or 'same'; got {padding!r}.")
    after = 0 if size is None else (size - 1) * stride + extent - before - length
    return length, (before, after)
