"""Losses of label sequences."""

from __future__ import annotations

from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import LossFunctionWrapper
from layerkit.registry import register_function


@register_function("loss function")
def ctc(y_true: object, y_pred: object) -> Tensor:
    """-log of the probability of each label sequence [batch] (Graves et al., ICML 2006); class 0 is the blank.

    Args:
        y_true: labels [batch, length], filled up with 0.
        y_pred: logits [batch, steps, classes]; all steps count.

    Raises:
        ShapeError: the targets are not of rank 2, the logits not of rank 3, or the batches differ.

    >>> ctc([[1]], np.zeros((1, 2, 2), "float32")).numpy().round(3)  # three of four paths say it: -log(3 / 4)
    array([0.288], dtype=float32)
    """
    y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3 or y_true.shape[0] != y_pred.shape[0]:
        raise ShapeError(
            "ctc expects labels of shape (batch, length) and logits of shape (batch, steps, classes), but the targets "
            f"have shape {y_true.shape} and the predictions {y_pred.shape}."
        )
    lengths = ops.sum(ops.cast(y_true != 0, "int32"), axis=-1)
    steps = ops.full((y_pred.shape[0],), y_pred.shape[1], dtype="int32")
    return ops.ctc_loss(y_true, y_pred, lengths, steps, mask_index=0)


class CTC(LossFunctionWrapper):
    """The connectionist temporal classification loss of label sequences; class 0 is the blank, and fills targets up.

    Args:
        reduction, name, dtype: as of `Loss`.

    Example:
        >>> round(CTC()(np.array([[1]]), np.zeros((1, 2, 2))).item(), 3)
        0.288
    """

    casts_targets = False

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str | None = "ctc", dtype: object = None):
        super().__init__(ctc, reduction=reduction, name=name, dtype=dtype)
