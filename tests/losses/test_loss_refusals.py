"""Losses that refuse shapes and arguments say what they got."""

import numpy as np
import pytest

from layerkit import losses
from layerkit.errors import ShapeError


@pytest.mark.parametrize(
    ("loss", "shapes", "message"),
    [
        (losses.dice, ((4, 3), (4, 2)), r"targets have shape \(4, 3\) and the predictions \(4, 2\)"),
        (losses.tversky, ((4, 3), (4, 2)), r"targets have shape \(4, 3\) and the predictions \(4, 2\)"),
        (losses.circle, ((4, 3), (4, 3)), r"`y_true` has shape \(4, 3\) and the embeddings \(4, 3\)"),
        (losses.ctc, ((4,), (4, 3, 2)), r"targets have shape \(4,\) and the predictions \(4, 3, 2\)"),
        (losses.ctc, ((4, 2), (3, 3, 2)), r"targets have shape \(4, 2\) and the predictions \(3, 3, 2\)"),
        (
            lambda t, p: losses.categorical_generalized_cross_entropy(t, p, 0.5),
            ((4, 3), (4, 3)),
            r"class numbers of shape \(4,\) .* targets have shape \(4, 3\). It takes class numbers, no one-hot targets",
        ),
    ],
)
def test_shapes(loss, shapes, message):
    with pytest.raises(ShapeError, match=message):
        loss(*(np.zeros(shape, "float32") for shape in shapes))


@pytest.mark.parametrize("q", [0.0, 1.0, -0.5])
def test_noise_parameters(q):
    with pytest.raises(ValueError, match=r"`q` must be a number in \(0, 1\), got"):
        losses.CategoricalGeneralizedCrossEntropy(q)


def test_labels_in_a_column():
    y_pred = np.float32([[0.2, 0.8], [0.7, 0.3]])
    column = losses.categorical_generalized_cross_entropy([[1], [0]], y_pred, 0.5)
    np.testing.assert_array_equal(column, losses.categorical_generalized_cross_entropy([1, 0], y_pred, 0.5))


def test_samples_without_pairs_have_no_circle_loss():
    values = losses.circle([0, 1, 2], np.eye(3, dtype="float32"))
    assert values.tolist() == [0.0, 0.0, 0.0]
    assert losses.Circle()(np.int32([0, 1, 2]), np.eye(3)).item() == 0.0
