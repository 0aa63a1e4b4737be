"""Losses for labels that are partly wrong."""

from __future__ import annotations

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.dtypes import floatx, is_float
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import LossFunctionWrapper, same_shape
from layerkit.registry import register_function


@register_function("loss function")
def categorical_generalized_cross_entropy(y_true: object, y_pred: object, q: float) -> Tensor:
    """(1 - p ** q) / q, where p is the label's probability (Zhang and Sabuncu, https://arxiv.org/abs/1805.07836).

    Args:
        y_true: class numbers [...] or [..., 1].
        y_pred: probabilities [..., classes].
        q: between 0, where it is the cross-entropy, and 1, where it is 1 - p, which minds wrong labels least.

    Raises:
        ShapeError: the labels' shape is not that of the predictions without the classes.

    >>> categorical_generalized_cross_entropy([1], [[0.25, 0.75]], q=0.5).numpy().round(3)
    array([0.268], dtype=float32)
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if not is_float(y_pred.dtype):
        y_pred = ops.cast(y_pred, floatx())
    if y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if not same_shape(y_true.shape, y_pred.shape[:-1]):
        mend = " It takes class numbers, no one-hot targets." if y_true.shape == y_pred.shape else ""
        raise ShapeError(
            f"categorical_generalized_cross_entropy expects class numbers of shape {y_pred.shape[:-1]} for predictions "
            f"of shape {y_pred.shape}, but the targets have shape {y_true.shape}.{mend}"
        )
    chosen = ops.one_hot(ops.cast(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
    return (1.0 - ops.power(ops.sum(y_pred * chosen, axis=-1), q)) / q


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """A cross-entropy of class numbers that minds wrong labels less: (1 - p ** q) / q.

    Args:
        q: between 0, where it is the cross-entropy, and 1, where it is 1 - p, which minds wrong labels least.
        reduction, name, dtype: as of `Loss`.

    Raises:
        ValueError: `q` does not lie between 0 and 1.

    Example:
        >>> round(CategoricalGeneralizedCrossEntropy()(np.array([1]), np.array([[0.25, 0.75]])).item(), 3)
        0.268
    """

    casts_targets = False

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: object = None,
    ):
        check_numbers(self, "(0, 1)", q=q)
        super().__init__(categorical_generalized_cross_entropy, reduction=reduction, name=name, dtype=dtype, q=q)
        self.q = q
