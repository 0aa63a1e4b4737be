"""The base class of losses, and how the values of samples become one number."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerkit import ops, tree
from layerkit.dtypes import floatx, is_float, standardize_dtype
from layerkit.errors import ShapeError, note_place
from layerkit.graph import Tensor, as_tensor
from layerkit.ops.reduction import size_constant
from layerkit.registry import auto_name, registry
from layerkit.serialization import Configurable, serialize_keras_object

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


registry("loss function")  # before the classes: a name in a file that both have is the function's


class Loss(Configurable, kind="loss", module="keras.losses", registered=False):
    """A loss: a subclass defines `call(y_true, y_pred)`, which gives a value for each sample.

    Args:
        name: its name; by default made of the class's.
        reduction: "sum_over_batch_size" (or "mean") divides the sum by the number of values, "mean_with_sample_weight"
            by the sum of the weights; "sum" and "none" (or None) do not divide.
        dtype: dtype name to compute in; the default float type where None.

    Raises:
        ValueError: the reduction is not known.

    Example:
        >>> class Squared(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.square(y_pred - y_true), axis=-1)
        >>> Squared()(np.zeros((2, 3)), np.ones((2, 3))).item()
        1.0
    """

    casts_targets = True
    """Whether y_true is cast to the loss's float dtype; labels that are class numbers stay integers."""

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: object = None):
        self.name = name or auto_name(type(self).__name__)
        self.reduction = standardize_reduction(reduction)
        self.dtype = compute_dtype(dtype)

    def __call__(self, y_true: object, y_pred: object, sample_weight: object = None) -> Tensor:
        """The reduced loss.

        Args:
            y_true: targets [batch, ...], or a structure of them.
            y_pred: predictions [batch, ...]; their mask, if they have one, leaves steps out.
            sample_weight: weights [batch] or [batch, steps].

        Errors note the loss's name.
        """
        try:
            return self._reduced(y_true, y_pred, sample_weight)
        except Exception as error:
            note_place(error, "loss", self.name)
            raise

    def _reduced(self, y_true: object, y_pred: object, sample_weight: object) -> Tensor:
        in_mask = getattr(y_pred, "mask", None)
        y_true, y_pred = _list_as_array(y_true), _list_as_array(y_pred)
        y_pred = tree.map_structure(lambda x: ops.cast(as_tensor(x), self.dtype), y_pred)
        y_true = tree.map_structure(self._target, y_true)
        values = as_tensor(self.call(y_true, y_pred))
        out_mask = values.mask
        mask = in_mask if out_mask is None else out_mask if in_mask is None else ops.logical_and(in_mask, out_mask)
        return reduce_weighted_values(values, sample_weight, mask, self.reduction, self.dtype)

    def _target(self, x: object) -> Tensor:
        x = as_tensor(x)
        return ops.cast(x, self.dtype) if self.casts_targets or is_float(x.dtype) else x

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """A value for each sample: the loss before the reduction."""
        raise NotImplementedError(f"{type(self).__name__} does not define `call(y_true, y_pred)`.")

    def get_config(self) -> dict:
        """The constructor's arguments but the dtype, which Keras does not write."""
        config = super().get_config()
        config.pop("dtype", None)
        return config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name} reduction={self.reduction}>"


def _list_as_array(x: object) -> object:
    """Nested lists of plain numbers are one array; other lists are structures."""
    if not isinstance(x, (list, tuple)):
        return x
    plain = all(isinstance(leaf, (int, float, np.number)) for leaf in tree.flatten(x))
    return np.asarray(x) if plain else x


class LossFunctionWrapper(Loss):
    """A loss made of a function of (y_true, y_pred) that gives a value for each sample.

    Args:
        fn: the function.
        reduction, name, dtype: as of `Loss`.
        **kwargs: passed to the function.

    Example:
        >>> def largest(y_true, y_pred):
        ...     return ops.max(ops.absolute(y_true - y_pred), axis=-1)
        >>> LossFunctionWrapper(largest)(np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])).item()
        2.0
    """

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: object = None,
        **kwargs: object,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self.fn_kwargs = kwargs

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """The function's values, after `squeeze_or_expand_to_same_rank`."""
        pairs = tree.map_structure(squeeze_or_expand_to_same_rank, y_true, y_pred)
        y_true = tree.map_structure_up_to(y_true, lambda pair: pair[0], pairs)
        y_pred = tree.map_structure_up_to(y_pred, lambda pair: pair[1], pairs)
        return self.fn(y_true, y_pred, **self.fn_kwargs)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        config = super().get_config()
        if "fn" in config:
            config["fn"] = serialize_keras_object(self.fn)
        return config


def compute_dtype(dtype: object) -> str:
    """The dtype name of a dtype, a dtype policy or None (the default float type)."""
    return floatx() if dtype is None else standardize_dtype(getattr(dtype, "compute_dtype", dtype))


def standardize_reduction(reduction: str | None) -> str | None:
    """The reduction itself. Raises ValueError for one that is not known."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"`reduction` must be one of {', '.join(map(repr, REDUCTIONS))}, got {reduction!r}.")
    return reduction


def squeeze_or_expand_to_same_rank(x1: Tensor, x2: Tensor, expand_rank_1: bool = True) -> tuple[Tensor, Tensor]:
    """Two tensors whose ranks differ by one last axis of size 1, brought to the same rank.

    Of (n,) and (n, 1) the first is expanded, of higher ranks the one with the axis is squeezed; all else stays.
    """
    longer, shorter = (x1, x2) if x1.ndim > x2.ndim else (x2, x1)
    if longer.ndim != shorter.ndim + 1 or longer.shape[-1] != 1:
        return x1, x2
    if shorter.ndim == 1 and expand_rank_1:
        shorter = ops.expand_dims(shorter, -1)
    else:
        longer = ops.squeeze(longer, -1)
    return (longer, shorter) if x1.ndim > x2.ndim else (shorter, longer)


def matched(y_true: object, y_pred: object) -> tuple[Tensor, Tensor]:
    """Targets and predictions as floats of one shape; nothing is broadcast but a missing last axis of size 1.

    Raises:
        ShapeError: the shapes differ otherwise.
    """
    y_pred = as_tensor(y_pred)
    if not is_float(y_pred.dtype):
        y_pred = ops.cast(y_pred, floatx())
    y_true = ops.cast(as_tensor(y_true), y_pred.dtype)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    if not same_shape(y_true.shape, y_pred.shape):
        raise ShapeError(
            f"The targets have shape {y_true.shape} and the predictions {y_pred.shape}; they have to be equal (a last "
            "axis of size 1 may be missing)."
        )
    return y_true, y_pred


def same_shape(a: tuple, b: tuple) -> bool:
    """Whether two shapes are equal, as far as they are known."""
    return len(a) == len(b) and all(m == n or m is None or n is None for m, n in zip(a, b, strict=True))


def size_of(shape: tuple[int, ...]) -> int:
    """How many elements a tensor of a shape has."""
    return int(np.prod(shape, dtype=np.int64))


def divide_no_nan(a: Tensor, b: Tensor) -> Tensor:
    """A / b, and 0 where b is 0."""
    is_zero = b == 0
    return ops.where(is_zero, 0.0, a / ops.where(is_zero, 1.0, b))


def reduce_weighted_values(
    values: Tensor,
    sample_weight: object = None,
    mask: object = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: object = None,
) -> Tensor:
    """Values weighted, without those that are masked out, and reduced.

    Raises:
        ShapeError: the weights fit the values neither as they are nor with a last axis of size 1 more or less.
    """
    values = ops.cast(as_tensor(values), compute_dtype(dtype))
    weight = apply_mask(sample_weight, mask, values.dtype, reduction)
    if weight is not None:
        values, weight = squeeze_or_expand_to_same_rank(values, weight)
        check_weight(weight, values)
        values = values * weight
    if reduction in (None, "none") or values.shape in ((), (0,)):
        return values
    total = ops.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        return divide_no_nan(total, ops.sum(weight))
    return total * size_constant(1.0 / max(size_of(values.shape), 1), total.dtype)


def check_weight(weight: Tensor, values: Tensor) -> None:
    """Raise ShapeError unless weights broadcast to values of the same rank without enlarging them."""
    if weight.ndim == 0 or values.ndim == 0:
        return
    fits = len(weight.shape) == len(values.shape) and all(
        m in (1, n) for m, n in zip(weight.shape, values.shape, strict=True)
    )
    if not fits:
        mend = " Pass `sample_weight[:, None]` to weigh whole samples." if weight.ndim < values.ndim else ""
        raise ShapeError(
            f"The sample weights (or the mask) have shape {weight.shape}, which does not fit the loss's values of "
            f"shape {values.shape}.{mend}"
        )


def apply_mask(sample_weight: object, mask: object, dtype: str, reduction: str | None) -> Tensor | None:
    """The weights with 0 where the mask is False.

    For the reductions that divide by the number of values what is left weighs more, so that the mean is one over it.
    """
    weight = None if sample_weight is None else ops.cast(as_tensor(sample_weight), dtype)
    if mask is None:
        return weight
    mask = ops.cast(as_tensor(mask), dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        valid = ops.sum(mask)
        mask = mask * divide_no_nan(size_constant(size_of(mask.shape), dtype), valid)
    if weight is None:
        return mask
    mask, weight = squeeze_or_expand_to_same_rank(mask, weight)
    check_weight(weight, mask)
    return weight * mask
