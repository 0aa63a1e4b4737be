"""Losses of probabilities: cross-entropies and the Kullback-Leibler divergence."""

from __future__ import annotations

import warnings

from layerkit import ops
from layerkit.checks import check_axis, check_numbers
from layerkit.config import epsilon
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import LossFunctionWrapper, matched, same_shape
from layerkit.registry import register_function


@register_function("loss function", "bce", "BCE")
def binary_crossentropy(
    y_true: object, y_pred: object, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The mean over an axis of the cross-entropy of each yes-or-no label.

    Args:
        y_true: labels 0 or 1 [..., outputs].
        y_pred: probabilities, or logits, of the same shape.
        from_logits: whether y_pred holds logits.
        label_smoothing: how far labels are moved towards 0.5.
        axis: what is averaged over.
    """
    y_true, y_pred = matched(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """The cross-entropy of yes-or-no labels.

    Example:
        >>> round(BinaryCrossentropy()([[0.0], [1.0]], [[0.1], [0.8]]).item(), 3)
        0.164
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: object = None,
    ):
        super().__init__(
            binary_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        check_numbers(self, "(-inf, 1]", optional=True, label_smoothing=label_smoothing)
        self.label_smoothing = label_smoothing
        check_axis(self, axis)
        self.axis = axis


@register_function("loss function")
def binary_focal_crossentropy(
    y_true: object,
    y_pred: object,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The binary cross-entropy weighted down where the prediction is sure (Lin et al., https://arxiv.org/abs/1708.02002).

    Args:
        y_true: labels 0 or 1 [..., outputs].
        y_pred: probabilities, or logits, of the same shape.
        apply_class_balancing: weigh ones by `alpha` and zeros by 1 - `alpha`.
        alpha: weight of ones.
        gamma: how much sure predictions are weighted down.
        from_logits: whether y_pred holds logits.
        label_smoothing: how far labels are moved towards 0.5.
        axis: what is averaged over.
    """
    y_true, y_pred = matched(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    values = ops.binary_crossentropy(y_true, y_pred, from_logits=False)
    p_right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    values = ops.power(1.0 - p_right, gamma) * values
    if apply_class_balancing:
        values = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * values
    return ops.mean(values, axis=axis)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The binary cross-entropy weighted down where the prediction is sure.

    Example:
        >>> round(BinaryFocalCrossentropy()([[0.0], [1.0]], [[0.1], [0.8]]).item(), 3)
        0.005
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: object = None,
    ):
        super().__init__(
            binary_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        check_numbers(self, "[0, inf)", gamma=gamma)
        self.gamma = gamma
        self.from_logits = from_logits
        check_numbers(self, "(-inf, 1]", optional=True, label_smoothing=label_smoothing)
        self.label_smoothing = label_smoothing
        check_axis(self, axis)
        self.axis = axis


def _one_hot_pair(name: str, y_true: object, y_pred: object, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """Targets and predictions [..., classes] as floats, the targets smoothed.

    Raises:
        ShapeError: the shapes differ; the message says what integer labels need.
    """
    y_pred = as_tensor(y_pred)
    y_true = ops.cast(as_tensor(y_true), y_pred.dtype)
    if not same_shape(y_true.shape, y_pred.shape):
        raise ShapeError(
            f"{name} expects one-hot targets of the same shape as the predictions {y_pred.shape}, but the targets have "
            f"shape {y_true.shape}; for integer labels use sparse_categorical_crossentropy."
        )
    if y_pred.shape[-1] == 1:
        warnings.warn(
            f"{name} of predictions of shape {y_pred.shape} is always 0: there is one class. For a single yes-or-no "
            "output use binary_crossentropy.",
            SyntaxWarning,
            stacklevel=4,
        )
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / y_true.shape[-1]
    return y_true, y_pred


@register_function("loss function")
def categorical_crossentropy(
    y_true: object, y_pred: object, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """The cross-entropy of distributions along an axis.

    Args:
        y_true: one-hot labels or probabilities [..., classes].
        y_pred: probabilities, or logits, of the same shape.
        from_logits: whether y_pred holds logits.
        label_smoothing: how far targets are moved towards equal probabilities.
        axis: where the classes are.

    Raises:
        ShapeError: the shapes differ.
    """
    y_true, y_pred = _one_hot_pair("categorical_crossentropy", y_true, y_pred, label_smoothing)
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


class CategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of one-hot labels.

    Example:
        >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]]).item(), 3)
        0.288
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: object = None,
    ):
        super().__init__(
            categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        check_numbers(self, "(-inf, 1]", optional=True, label_smoothing=label_smoothing)
        self.label_smoothing = label_smoothing
        check_axis(self, axis)
        self.axis = axis


@register_function("loss function")
def categorical_focal_crossentropy(
    y_true: object,
    y_pred: object,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The categorical cross-entropy weighted down where the prediction is sure; arguments as of the binary one."""
    y_true, y_pred = _one_hot_pair("categorical_focal_crossentropy", y_true, y_pred, label_smoothing)
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = ops.clip(y_pred / ops.sum(y_pred, axis=axis, keepdims=True), epsilon(), 1.0 - epsilon())
    return ops.sum(ops.power(1.0 - p, gamma) * alpha * (-y_true * ops.log(p)), axis=axis)


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The categorical cross-entropy weighted down where the prediction is sure.

    Example:
        >>> round(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]]).item(), 3)
        0.004
    """

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: object = None,
    ):
        super().__init__(
            categorical_focal_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.alpha = alpha
        check_numbers(self, "[0, inf)", gamma=gamma)
        self.gamma = gamma
        self.from_logits = from_logits
        check_numbers(self, "(-inf, 1]", optional=True, label_smoothing=label_smoothing)
        self.label_smoothing = label_smoothing
        check_axis(self, axis)
        self.axis = axis


@register_function("loss function")
def sparse_categorical_crossentropy(
    y_true: object, y_pred: object, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Tensor:
    """The cross-entropy of labels that are class numbers.

    Args:
        y_true: class numbers [...] or [..., 1].
        y_pred: probabilities, or logits [..., classes].
        from_logits: whether y_pred holds logits.
        ignore_class: a label whose steps give 0 and are left out of the mean.
        axis: where the classes are.

    Raises:
        ShapeError: the labels' shape is not that of the predictions without the classes.
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    at = axis % y_pred.ndim
    if y_true.ndim == y_pred.ndim and y_true.shape[at] == 1:
        y_true = ops.squeeze(y_true, at)
    expected = y_pred.shape[:at] + y_pred.shape[at + 1 :]
    if not same_shape(y_true.shape, expected):
        mend = " For one-hot targets use categorical_crossentropy." if y_true.shape == y_pred.shape else ""
        raise ShapeError(
            f"sparse_categorical_crossentropy expects class numbers of shape {expected} for predictions of shape "
            f"{y_pred.shape}, but the targets have shape {y_true.shape}.{mend}"
        )
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = y_true != ignore_class
    labels = ops.where(valid, y_true, 0)
    # The predictions stay as they are, so that the operation sees the softmax that made them.
    values = ops.sparse_categorical_crossentropy(labels, y_pred, from_logits=from_logits, axis=axis)
    values = ops.where(valid, values, 0.0)
    values.mask = valid
    return values


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """The cross-entropy of labels that are class numbers.

    Example:
        >>> round(SparseCategoricalCrossentropy()(np.array([1, 0]), np.array([[0.25, 0.75], [0.5, 0.5]])).item(), 3)
        0.49
    """

    casts_targets = False

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: object = None,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            reduction=reduction,
            name=name,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        check_axis(self, axis)
        self.axis = axis


def _probability(x: Tensor) -> Tensor:
    """Limited to the range from 1e-7 to 1. At the limits, where a sure prediction is, the gradient passes whole."""
    return ops.where(x > 1.0, 1.0, ops.where(x < epsilon(), epsilon(), x))


@register_function("loss function", "kld", "KLD")
def kl_divergence(y_true: object, y_pred: object) -> Tensor:
    """The sum of y_true * log(y_true / y_pred) over the last axis, of distributions [..., classes]."""
    y_true, y_pred = matched(y_true, y_pred)
    y_true, y_pred = _probability(y_true), _probability(y_pred)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


class KLDivergence(LossFunctionWrapper):
    """The Kullback-Leibler divergence of distributions.

    Example:
        >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]).item(), 3)
        0.144
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = "kl_divergence", dtype: object = None
    ):
        super().__init__(kl_divergence, reduction=reduction, name=name, dtype=dtype)
