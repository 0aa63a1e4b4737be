"""Losses of embeddings: samples of a class are to be near each other, and far from those of others."""

from __future__ import annotations

from layerkit import ops
from layerkit.checks import check_numbers
from layerkit.errors import ShapeError
from layerkit.graph import Tensor, as_tensor
from layerkit.losses.loss import LossFunctionWrapper, same_shape
from layerkit.registry import register_function


def _labels(name: str, labels: object, embeddings: Tensor) -> Tensor:
    """Labels [n] of embeddings [n, d]."""
    labels = as_tensor(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = ops.squeeze(labels, 1)
    if embeddings.ndim != 2 or not same_shape(labels.shape, embeddings.shape[:1]):
        raise ShapeError(
            f"circle expects labels of shape (n,) for embeddings of shape (n, dimensions), but `{name}` has shape "
            f"{labels.shape} and the embeddings {embeddings.shape}."
        )
    return labels


def _log_sum(values: Tensor, chosen: Tensor) -> Tensor:
    """Log of the sum of exp over each row's chosen values, which must not be none for a sensible result."""
    lowest = ops.where(chosen, values, -1e30 if values.dtype != "float16" else -6e4)
    return ops.logsumexp(lowest, axis=1)


@register_function("loss function")
def circle(
    y_true: object,
    y_pred: object,
    ref_labels: object = None,
    ref_embeddings: object = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """Weighs each pair by how far it is from where it should be (Sun et al., https://arxiv.org/abs/2002.10857).

    A sample without another one of its class, or without one of another class, has the loss 0. The mask of the result
    leaves samples of loss 0 out of means.

    Args:
        y_true: labels [n].
        y_pred: embeddings of norm 1 [n, dimensions].
        ref_labels: labels [m] of what the samples are compared with; None: they are compared with each other.
        ref_embeddings: the embeddings [m, dimensions] of those.
        remove_diagonal: sample i is not compared with reference i.
        gamma: a factor of the loss.
        margin: how much nearer samples of a class are to be.

    Returns:
        The loss of each sample [n].

    Raises:
        ShapeError: labels do not fit embeddings.

    >>> circle([0, 0, 1, 1], [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [0.0, 1.0]], gamma=1.0).numpy().round(3)
    array([0.995, 1.443, 1.132, 1.132], dtype=float32)
    """
    y_pred = as_tensor(y_pred)
    y_true = _labels("y_true", y_true, y_pred)
    references = y_pred if ref_embeddings is None else ops.cast(as_tensor(ref_embeddings), y_pred.dtype)
    labels = y_true if ref_labels is None else _labels("ref_labels", ref_labels, references)
    positive = ops.expand_dims(y_true, 1) == ops.expand_dims(ops.cast(labels, y_true.dtype), 0)
    negative = ops.logical_not(positive)
    if remove_diagonal:
        rows, columns = ops.arange(y_pred.shape[0]), ops.arange(references.shape[0])
        positive = ops.logical_and(positive, ops.expand_dims(rows, 1) != ops.expand_dims(columns, 0))

    distances = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(references)), 0.0)
    positive_logits = -gamma * (margin + distances) * (margin - distances)
    negative_logits = gamma * ops.maximum(1.0 + margin - distances, 0.0) * (1.0 - margin - distances)
    sums = _log_sum(positive_logits, positive) + _log_sum(negative_logits, negative)
    # Neither infinity nor its gradient, which would not be a number, where there is no pair of a kind.
    has_both = ops.logical_and(ops.any(positive, axis=1), ops.any(negative, axis=1))
    values = ops.where(has_both, ops.softplus(ops.where(has_both, sums, 0.0)), 0.0)
    values.mask = values > 0
    return values


class Circle(LossFunctionWrapper):
    """Makes embeddings of a class more alike than those of different classes, by all pairs in a batch.

    Args:
        gamma: a factor of the loss.
        margin: how much nearer samples of a class are to be.
        remove_diagonal: a sample is not compared with itself.
        reduction, name, dtype: as of `Loss`.

    Example:
        >>> embeddings = [[1.0, 0.0], [0.6, 0.8], [0.0, 1.0], [0.0, 1.0]]
        >>> round(Circle(gamma=1.0)(np.array([0, 0, 1, 1]), np.array(embeddings)).item(), 3)
        1.176
    """

    casts_targets = False

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: object = None,
    ):
        super().__init__(
            circle,
            reduction=reduction,
            name=name,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
        check_numbers(self, "(-inf, inf)", gamma=gamma, margin=margin)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal
