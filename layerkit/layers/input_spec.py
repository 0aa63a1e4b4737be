"""InputSpec: what a layer asks of its inputs, checked before it is called."""

from __future__ import annotations

from typing import Any

from layerkit import tree
from layerkit.dtypes import standardize_dtype
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.tensor import Tensor

__all__ = ["InputSpec"]


class InputSpec:
    """The rank, shape, axes and dtype that a layer's input must have.

    Args:
        dtype: the dtype, or None for any.
        shape: the shape, None standing for any size.
        ndim: the rank.
        max_ndim, min_ndim: bounds of the rank.
        axes: axis -> its size.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or more than `shape` says.
        name: the key of the input, where inputs are a dictionary.
        optional: whether None may be passed.

    >>> InputSpec(ndim=2, axes={-1: 3}).axes
    {-1: 3}
    """

    def __init__(
        self,
        dtype: object = None,
        shape: tuple[int | None, ...] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else standardize_dtype(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(shape)
        self.max_ndim, self.min_ndim = max_ndim, min_ndim
        self.axes = {int(axis): size for axis, size in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name, self.optional = name, optional
        rank = self.ndim or self.max_ndim
        if self.axes and rank is not None and max(self.axes) >= rank:
            raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {rank - 1}.")

    def __repr__(self) -> str:
        given = {name: value for name, value in vars(self).items() if value not in (None, {}, False)}
        return f"InputSpec({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        names = (
            "dtype",
            "shape",
            "ndim",
            "max_ndim",
            "min_ndim",
            "axes",
            "allow_last_axis_squeeze",
            "name",
            "optional",
        )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """Of the arguments."""
        return cls(**config)

    def check(self, x: Tensor | None, place: str) -> None:
        """Raise ShapeError or DtypeError where an input does not fit; `place` says which one of which layer."""
        if x is None:
            if not self.optional:
                raise ValueError(f"{place} is None, but it is not optional.")
            return
        shape = tuple(x.shape)
        if self.ndim is not None and len(shape) != self.ndim and not self._squeezed(shape):
            raise ShapeError(
                f"{place} is incompatible with the layer: expected ndim={self.ndim}, found ndim={len(shape)}. "
                f"Full shape received: {shape}"
            )
        if self.max_ndim is not None and len(shape) > self.max_ndim:
            raise ShapeError(
                f"{place} is incompatible with the layer: expected max_ndim={self.max_ndim}, found "
                f"ndim={len(shape)}. Full shape received: {shape}"
            )
        if self.min_ndim is not None and len(shape) < self.min_ndim:
            raise ShapeError(
                f"{place} is incompatible with the layer: expected min_ndim={self.min_ndim}, found "
                f"ndim={len(shape)}. Full shape received: {shape}"
            )
        if self.dtype is not None and x.dtype != self.dtype:
            raise DtypeError(
                f"{place} is incompatible with the layer: expected dtype={self.dtype}, found dtype={x.dtype}"
            )
        for axis, size in self.axes.items():
            if size is not None and -len(shape) <= axis < len(shape) and shape[axis] not in (size, None):
                raise ShapeError(
                    f"{place} is incompatible with the layer: expected axis {axis} of input shape to have value "
                    f"{size}, but received input with shape {shape}"
                )
        if self.shape is not None and not self._squeezed(shape):
            for wanted, size in zip(self.shape, shape, strict=True):
                if wanted is not None and size is not None and wanted != size:
                    raise ShapeError(
                        f"{place} is incompatible with the layer: expected shape={self.shape}, found shape={shape}"
                    )

    def _squeezed(self, shape: tuple[int | None, ...]) -> bool:
        """Whether it fits but for a last axis of size 1."""
        if not self.allow_last_axis_squeeze or self.shape is None:
            return False
        return (shape[-1:] == (1,) and len(shape) == len(self.shape) + 1) or (
            self.shape[-1:] == (1,) and len(shape) == len(self.shape) - 1
        )


def check_inputs(specs: Any, inputs: Any, layer_name: str) -> None:
    """Check the first argument of a call against a layer's InputSpec, or structure of them. Raises ValueError."""
    flat_specs = tree.flatten(specs)
    if isinstance(inputs, dict) and all(spec.name for spec in flat_specs):
        missing = [spec.name for spec in flat_specs if spec.name not in inputs and not spec.optional]
        if missing:
            raise ValueError(
                f"Layer {layer_name!r} expected the inputs {[s.name for s in flat_specs]}; missing: {missing}; "
                f"got {list(inputs)}."
            )
        flat_inputs = [inputs.get(spec.name) for spec in flat_specs]
    else:
        flat_inputs = tree.flatten(inputs)
    if len(flat_inputs) != len(flat_specs):
        raise ValueError(
            f"Layer {layer_name!r} expected {len(flat_specs)} input(s). Received {len(flat_inputs)} instead."
        )
    for at, (spec, x) in enumerate(zip(flat_specs, flat_inputs, strict=True)):
        named = f" with name {x.name!r}" if getattr(x, "name", None) else ""
        spec.check(x, f"Input {at}{named} of layer {layer_name!r}")
