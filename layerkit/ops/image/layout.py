"""What the operations on images share: one layout to compute in, and sizes that are not known yet."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from layerkit.config import standardize_data_format
from layerkit.dtypes import is_float
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Shape, Tensor
from layerkit.ops.shape import expand_dims, squeeze, transpose


def as_batch(
    name: str, images: object, data_format: str | None, rank: int = 2
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Images [N, *size, C] of a batch or a single one in either order of axes, and the way back to that order.

    Args:
        name: the function's, for errors.
        images: [N, *size, C] or [*size, C], with "channels_first" [N, C, *size] or [C, *size].
        data_format: where the channels are; None: as `layerkit.config` says.
        rank: how many spatial axes there are.

    Raises ShapeError for another number of axes.
    """
    x = as_tensor(images)
    channels_first = standardize_data_format(data_format) == "channels_first"
    if x.ndim not in (rank + 1, rank + 2):
        kind = "an image" if rank == 2 else "a volume"
        raise ShapeError(
            f"ops.image.{name} takes {kind} with {rank + 1} axes or a batch with {rank + 2}; got shape {x.shape}."
        )
    single = x.ndim == rank + 1
    if single:
        x = expand_dims(x, 0)
    if channels_first:
        x = transpose(x, (0, *range(2, rank + 2), 1))

    def restore(y: Tensor) -> Tensor:
        if channels_first:
            y = transpose(y, (0, y.ndim - 1, *range(1, y.ndim - 1)))
        return squeeze(y, 0) if single else y

    return x, restore


def unknown(shape: Shape, dtype: str) -> Tensor:
    """The result of a symbolic call with unknown sizes, which is asked for no more than its shape."""
    return Tensor(shape, dtype)


def require_float(name: str, x: Tensor) -> None:
    """Raises DtypeError for images of integers."""
    if not is_float(x.dtype):
        raise DtypeError(f"ops.image.{name} takes images of floats, not {x.dtype}: cast them first.")


def pair(values: object, name: str, what: str) -> tuple:
    """A tuple of two. Raises ValueError for anything else."""
    found = tuple(values) if isinstance(values, Sequence | np.ndarray) and not isinstance(values, str) else ()
    if len(found) != 2:
        raise ValueError(f"ops.image.{name}: {what} is a pair, for height and width; got {values!r}.")
    return found


def require_one_of(name: str, argument: str, value: object, known: Sequence[object]) -> None:
    """Raises ValueError for a value that is not known."""
    if value not in known:
        raise ValueError(f"ops.image.{name}: {argument} is one of {', '.join(map(repr, known))}; got {value!r}.")
