"""Operations that arrange elements: reshape, transpose, broadcast, slice, pad, concatenate, stack, split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerkit.dtypes import is_complex, result_type, standardize_dtype
from layerkit.errors import ShapeError
from layerkit.graph.gradients import sum_to_shape
from layerkit.graph.operation import Kernelled, Operation, Spec, View, as_tensor, broadcast_shapes, cast_to
from layerkit.graph.tape import taping
from layerkit.graph.tensor import Shape, Tensor
from layerkit.kernels.copying_launch import concatenate_launches, pad_launches, place_launches, stack_launches
from layerkit.kernels.launch import Launch, Operand, contiguous_strides


class Reshape(View):
    """The same elements in row-major order under another shape; one size may be -1."""

    shape: tuple
    takes_strings = True

    def infer(self, x: Tensor) -> Spec:
        return reshaped(x.shape, self.shape), x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(reshaped(x.shape, self.shape))

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (Reshape(x.shape)(g),)

    def view(self, x: Operand, shape: tuple[int, ...]) -> Operand | None:
        if not x.contiguous:
            return None
        return Operand(x.buffer, shape, contiguous_strides(shape), x.offset, x.dtype)


class Transpose(View):
    """The axes in another order."""

    axes: tuple[int, ...]
    takes_strings = True

    def infer(self, x: Tensor) -> Spec:
        if sorted(self.axes) != list(range(x.ndim)):
            raise ShapeError(f"axes {self.axes} are not an order of the {x.ndim} axes.")
        return tuple(x.shape[axis] for axis in self.axes), x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x.transpose(self.axes)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (Transpose(tuple(int(at) for at in np.argsort(self.axes)))(g),)

    def view(self, x: Operand, shape: tuple[int, ...]) -> Operand | None:
        return Operand(x.buffer, shape, tuple(x.strides[axis] for axis in self.axes), x.offset, x.dtype)


class BroadcastTo(View):
    """The elements repeated along axes of size 1 and new leading axes."""

    shape: tuple
    takes_strings = True

    def infer(self, x: Tensor) -> Spec:
        if broadcast_shapes(x.shape, self.shape) != tuple(self.shape):
            raise ShapeError(f"shape {x.shape} cannot be broadcast to {self.shape}.")
        return tuple(self.shape), x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.broadcast_to(x, self.shape)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (sum_to_shape(g, x.shape),)

    def view(self, x: Operand, shape: tuple[int, ...]) -> Operand | None:
        extra = len(shape) - len(x.shape)
        strides = [0] * extra + [
            0 if n == 1 and m != 1 else s for n, m, s in zip(x.shape, shape[extra:], x.strides, strict=True)
        ]
        return Operand(x.buffer, shape, tuple(strides), x.offset, x.dtype)


class Slice(View):
    """Along each axis, `size` elements from `start` at a distance of `step` (which may be negative)."""

    start: tuple[int, ...]
    size: tuple[int | None, ...]
    step: tuple[int, ...]
    takes_strings = True

    def infer(self, x: Tensor) -> Spec:
        return tuple(self.size), x.dtype

    def _key(self) -> tuple:
        return (type(self), self.start, self.size, self.step)

    def _slices(self) -> tuple[slice, ...]:
        slices = []
        for start, size, step in zip(self.start, self.size, self.step, strict=True):
            stop = start + size * step
            slices.append(slice(start, stop if stop >= 0 else None, step))
        return tuple(slices)

    def reference(self, x: np.ndarray) -> np.ndarray:
        return x[self._slices()]

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (SliceGradient(self.start, self.step, x.shape)(g),)

    def view(self, x: Operand, shape: tuple[int, ...]) -> Operand | None:
        offset = x.offset + sum(start * stride for start, stride in zip(self.start, x.strides, strict=True))
        strides = tuple(stride * step for stride, step in zip(x.strides, self.step, strict=True))
        return Operand(x.buffer, shape, strides, offset, x.dtype)


class _Copying(Kernelled, abstract=True):
    strided = range(2**16)  # every input, of which there may be many

    def supports(self, *x: Tensor) -> bool:
        """The kernels move elements of any dtype but complex ones."""
        return not is_complex(x[0].dtype)


class SliceGradient(_Copying):
    """Zeros of a shape, with the input at the places that a slice takes."""

    start: tuple[int, ...]
    step: tuple[int, ...]
    shape: tuple[int, ...]

    def infer(self, g: Tensor) -> Spec:
        return tuple(self.shape), g.dtype

    def reference(self, g: np.ndarray) -> np.ndarray:
        gx = np.zeros(self.shape, g.dtype)
        gx[Slice(self.start, g.shape, self.step)._slices()] = g
        return gx

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (Slice(self.start, x.shape, self.step)(g),)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return place_launches(*inputs, *outputs, self.start, self.step)


class Concatenate(_Copying):
    """Tensors one after the other along an axis."""

    axis: int
    takes_strings = True

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        tensors = [as_tensor(x) for x in inputs]
        dtype = result_type(*(x.dtype for x in tensors))
        return [cast_to(x, dtype) for x in tensors]

    def infer(self, *x: Tensor) -> Spec:
        axis = self.axis
        for other in x[1:]:
            same = other.ndim == x[0].ndim and all(
                at == axis or a is None or b is None or a == b
                for at, (a, b) in enumerate(zip(x[0].shape, other.shape, strict=True))
            )
            if not same:
                raise ShapeError(f"all sizes but those of axis {axis} have to be equal.")
        sizes = [t.shape[axis] for t in x]
        shape = list(x[0].shape)
        for other in x[1:]:
            shape = [a if a is not None else b for a, b in zip(shape, other.shape, strict=True)]
        shape[axis] = None if None in sizes else int(np.sum(sizes))
        return tuple(shape), x[0].dtype

    def reference(self, *x: np.ndarray) -> np.ndarray:
        return np.concatenate(x, self.axis)

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> tuple:
        parts, at = [], 0
        for one in x:
            start = tuple(at if axis == self.axis else 0 for axis in range(one.ndim))
            parts.append(Slice(start, one.shape, (1,) * one.ndim)(g))
            at += one.shape[self.axis]
        return tuple(parts)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return concatenate_launches(inputs, *outputs, self.axis)


class Stack(_Copying):
    """Tensors of one shape along a new axis."""

    axis: int
    takes_strings = True

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        return Concatenate(0).prepare(inputs)

    def infer(self, *x: Tensor) -> Spec:
        if len({t.shape for t in x}) > 1:
            raise ShapeError("all shapes have to be equal.")
        shape = list(x[0].shape)
        shape.insert(self.axis, len(x))
        return tuple(shape), x[0].dtype

    def reference(self, *x: np.ndarray) -> np.ndarray:
        return np.stack(x, self.axis)

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> tuple:
        parts = []
        for at in range(len(x)):
            start = tuple(at if axis == self.axis else 0 for axis in range(g.ndim))
            size = tuple(1 if axis == self.axis else n for axis, n in enumerate(g.shape))
            parts.append(Reshape(x[at].shape)(Slice(start, size, (1,) * g.ndim)(g)))
        return tuple(parts)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return stack_launches(inputs, *outputs, self.axis)


class Pad(_Copying):
    """Constant values before and after each axis."""

    widths: tuple[tuple[int, int], ...]
    value: float = 0.0

    def infer(self, x: Tensor) -> Spec:
        return tuple(None if n is None else n + a + b for n, (a, b) in zip(x.shape, self.widths, strict=True)), x.dtype

    def reference(self, x: np.ndarray) -> np.ndarray:
        return np.pad(x, self.widths, constant_values=self.value)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> tuple:
        return (Slice(tuple(a for a, _ in self.widths), x.shape, (1,) * x.ndim)(g),)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return pad_launches(*inputs, *outputs, [before for before, _ in self.widths], self.value)


class GetItem:
    """NumPy's indexing: integers, slices, Ellipsis and None here, arrays in `getting.py`."""

    @staticmethod
    def at(x: Tensor, key: object) -> Tensor:
        """`x[key]`; on an eager tensor any of NumPy's indices works, and so does a known mask on a symbolic one.

        Raises IndexError for a known index outside of its axis, and ShapeError for what is no index.
        """
        if hasattr(x, "assign"):
            x = x.value
        keys = [k.value if hasattr(k, "assign") else k for k in (key if isinstance(key, tuple) else (key,))]
        if not x.symbolic and not taping() and not any(isinstance(k, Tensor) and k.symbolic for k in keys):
            found = tuple(k.numpy() if isinstance(k, Tensor) else k for k in keys)
            try:
                return Tensor.of(np.asarray(x.numpy()[found if isinstance(key, tuple) else found[0]]))
            except IndexError as error:
                raise IndexError(f"ops.get_item: a tensor of shape {x.shape} at {key!r}: {error}.") from None
        if all(k is None or k is Ellipsis or isinstance(k, (int, np.integer, slice)) for k in keys):
            return _basic_index(x, keys)
        return Operation.registry["GetArrays"].at(x, keys)


Operation.registry["GetItem"] = GetItem


def _basic_index(x: Tensor, keys: list) -> Tensor:
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if used > x.ndim:
        raise ShapeError(f"{used} indices for a tensor with {x.ndim} axes.")
    if not any(k is Ellipsis for k in keys):
        keys.append(Ellipsis)
    at = next(i for i, k in enumerate(keys) if k is Ellipsis)
    keys[at : at + 1] = [slice(None)] * (x.ndim - used)
    start, size, step, shape, axis = [], [], [], [], 0
    for k in keys:
        if k is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        if isinstance(k, slice):
            if n is None:
                if k != slice(None):
                    raise ShapeError(f"axis {axis} has an unknown size; it can only be taken whole.")
                first, count, pace = 0, None, 1
            else:
                first, stop, pace = k.indices(n)
                count = max(0, -(-(stop - first) // pace))
            shape.append(count)
        else:
            if n is not None and not -n <= k < n:
                raise IndexError(
                    f"ops.get_item: index {k} is out of bounds for axis {axis} of size {n}, of shape {x.shape}."
                )
            if n is None and k < 0:
                raise ShapeError(f"axis {axis} has an unknown size; it can't be indexed from its end.")
            first, count, pace = int(k) % n if n is not None else int(k), 1, 1
        start.append(first)
        size.append(count)
        step.append(pace)
        axis += 1
    if tuple(size) != x.shape or any(s != 1 for s in step):
        x = Slice(tuple(start), tuple(size), tuple(step))(x)
    if None in shape:
        gone = [i for i, k in enumerate([k for k in keys if k is not None]) if not isinstance(k, slice)]
        x = squeeze(x, gone) if gone else x
        for place, k in enumerate(keys):
            if k is None:
                x = expand_dims(x, place)
        return x
    return x if tuple(shape) == x.shape else Reshape(tuple(shape))(x)


def reshaped(shape: Shape, new_shape: Sequence[int | None]) -> Shape:
    """The shape that `shape` gets, with -1 worked out. Raises ShapeError where the sizes do not fit."""
    new_shape = tuple(new_shape)
    if sum(1 for n in new_shape if n == -1) > 1:
        raise ShapeError(f"only one size of {new_shape} may be -1.")
    known = int(np.prod([n for n in new_shape if n not in (-1, None)], dtype=np.int64))
    if None in shape or None in new_shape:
        total = int(np.prod([n for n in shape if n is not None], dtype=np.int64))
        if -1 not in new_shape:
            return new_shape
        if None in new_shape:
            return tuple(None if n == -1 else n for n in new_shape)
        # The unknown axis is the batch; where it alone is unknown, -1 stands for it when the rest fits.
        return (
            tuple(None if n == -1 else n for n in new_shape)
            if None in shape
            else tuple(total // known if n == -1 else n for n in new_shape)
        )
    total = int(np.prod(shape, dtype=np.int64))
    if -1 in new_shape:
        if known == 0 or total % known:
            raise ShapeError(f"{total} elements of shape {shape} do not fit into {new_shape}.")
        return tuple(total // known if n == -1 else n for n in new_shape)
    if known != total:
        raise ShapeError(f"{total} elements of shape {shape} do not fit into {new_shape}, which has {known}.")
    return new_shape


def _place(axis: int, ndim: int) -> int:
    """An axis counted from the first of so many. Raises ShapeError where there is none."""
    if not -ndim <= axis < ndim:
        raise ShapeError(f"axis {axis} is out of range for a tensor with {ndim} axes.")
    return int(axis) % ndim


def reshape(x: object, newshape: Sequence[int]) -> Tensor:
    """The same elements in row-major order under another shape; one size may be -1."""
    x = as_tensor(x)
    newshape = (newshape,) if isinstance(newshape, int) else tuple(newshape)
    if None not in x.shape and None not in newshape:
        newshape = reshaped(x.shape, newshape)
        if newshape == x.shape:
            return x
    return Reshape(newshape)(x)


def ravel(x: object) -> Tensor:
    """The elements along one axis."""
    return reshape(x, (-1,))


def transpose(x: object, axes: Sequence[int] | None = None) -> Tensor:
    """The axes in another order; None reverses them."""
    x = as_tensor(x)
    axes = range(x.ndim)[::-1] if axes is None else axes
    axes = tuple(_place(axis, x.ndim) for axis in axes)
    return x if axes == tuple(range(x.ndim)) else Transpose(axes)(x)


def swapaxes(x: object, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged."""
    x = as_tensor(x)
    axes = list(range(x.ndim))
    first, second = _place(axis1, x.ndim), _place(axis2, x.ndim)
    axes[first], axes[second] = second, first
    return transpose(x, axes)


def broadcast_to(x: object, shape: Sequence[int]) -> Tensor:
    """The elements repeated along axes of size 1 and new leading axes."""
    x = as_tensor(x)
    return x if x.shape == tuple(shape) else BroadcastTo(tuple(shape))(x)


def expand_dims(x: object, axis: int | Sequence[int]) -> Tensor:
    """New axes of size 1; `axis` counts in the result."""
    x = as_tensor(x)
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = x.ndim + len(axes)
    axes = sorted(_place(at, rank) for at in axes)
    shape = list(x.shape)
    for at in axes:
        shape.insert(at, 1)
    return Reshape(tuple(shape))(x)


def squeeze(x: object, axis: int | Sequence[int] | None = None) -> Tensor:
    """Without axes of size 1 (all with None). Raises ShapeError for a named axis of another size."""
    x = as_tensor(x)
    axes = (
        [at for at, n in enumerate(x.shape) if n == 1]
        if axis is None
        else [axis]
        if isinstance(axis, int)
        else list(axis)
    )
    axes = [_place(at, x.ndim) for at in axes]
    for at in axes:
        if x.shape[at] not in (1, None):
            raise ShapeError(
                f"axis {at} of shape {x.shape} has size {x.shape[at]}; only axes of size 1 can be squeezed."
            )
    kept = [n for at, n in enumerate(x.shape) if at not in axes]
    if kept.count(None) == 1:  # worked out where the model runs; None would stay None there
        kept[kept.index(None)] = -1
    return Reshape(tuple(kept))(x)


def concatenate(xs: Sequence[object], axis: int = 0) -> Tensor:
    """Tensors one after the other along an axis."""
    tensors = Concatenate(0).prepare(xs)
    if not tensors:
        raise ShapeError("there is nothing to concatenate.")
    return Concatenate(_place(axis, tensors[0].ndim))(*tensors)


def stack(x: Sequence[object], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis."""
    tensors = [as_tensor(one) for one in x]
    if not tensors:
        raise ShapeError("there is nothing to stack.")
    return Stack(_place(axis, tensors[0].ndim + 1))(*tensors)


def split(x: object, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Parts along an axis: so many equal ones, or cut at these places."""
    x = as_tensor(x)
    axis = _place(axis, x.ndim)
    n = x.shape[axis]
    if isinstance(indices_or_sections, int):
        if n % indices_or_sections:
            raise ShapeError(f"axis {axis} of size {n} does not split into {indices_or_sections} equal parts.")
        cuts = list(range(n // indices_or_sections, n, n // indices_or_sections))
    else:
        cuts = list(indices_or_sections)
    bounds = [0, *cuts, n]
    return [GetItem.at(x, (slice(None),) * axis + (slice(a, b),)) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def zeros(shape: Sequence[int], dtype: object = None) -> Tensor:
    """Zeros."""
    return Tensor.of(np.zeros(shape, standardize_dtype(dtype)))


def ones(shape: Sequence[int], dtype: object = None) -> Tensor:
    """Ones."""
    return Tensor.of(np.ones(shape, standardize_dtype(dtype)))


def full(shape: Sequence[int], fill_value: float, dtype: object = None) -> Tensor:
    """One value everywhere."""
    return broadcast_to(as_tensor(fill_value, dtype), tuple(shape))


def zeros_like(x: object, dtype: object = None) -> Tensor:
    """Zeros in the shape (and dtype) of another tensor."""
    x = as_tensor(x)
    return zeros(x.shape, dtype or x.dtype)


def ones_like(x: object, dtype: object = None) -> Tensor:
    """Ones in the shape (and dtype) of another tensor."""
    x = as_tensor(x)
    return ones(x.shape, dtype or x.dtype)
