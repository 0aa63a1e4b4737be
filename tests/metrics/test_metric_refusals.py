"""Metrics that refuse shapes and arguments say what they got."""

import numpy as np
import pytest

from layerkit import metrics
from layerkit.errors import ShapeError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.PrecisionAtRecall(1.5), "`recall` must be a number between 0 and 1, got"),
        (lambda: metrics.RecallAtPrecision(-1), "`precision` must be a number between 0 and 1, got"),
        (
            lambda: metrics.SensitivityAtSpecificity(0.5, num_thresholds=0),
            "`num_thresholds` must be a positive integer",
        ),
        (lambda: metrics.FBetaScore("mean"), "`average` must be None, 'micro', 'macro' or 'weighted', got 'mean'"),
        (lambda: metrics.FBetaScore(beta=2), "`beta` must be a float above 0, got 2"),
        (lambda: metrics.F1Score(threshold=1.5), "`threshold` must be None or a float above 0 and at most 1, got 1.5"),
        (lambda: metrics.IoU(2, [2]), r"`target_class_ids` must be from 0 to num_classes - 1 = 1, got .*\[2\]"),
    ],
)
def test_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "shapes", "message"),
    [
        (metrics.F1Score, ((4,), (4,)), r"F1Score expects labels and scores of shape \(batch, outputs\), got \(4,\)"),
        (lambda: metrics.MeanIoU(3), ((4,), (5,)), r"targets have shape \(4,\) and those of the predictions \(5,\)"),
        (lambda: metrics.Precision(class_id=3), ((4, 3), (4, 3)), r"There is no class 3: .* shape \(4, 3\)"),
        (metrics.PearsonCorrelation, ((4, 3), (4, 2)), r"targets have shape \(4, 3\) and the predictions \(4, 2\)"),
    ],
)
def test_shapes(make, shapes, message):
    with pytest.raises(ShapeError, match=message):
        make().update_state(*(np.zeros(shape, "float32") for shape in shapes))


def test_fractions_of_weights_need_float_counts():
    metric = metrics.MeanIoU(2)
    with pytest.warns(UserWarning, match="counts in int32, so the fractions of its sample weights are dropped"):
        metric.update_state([0, 1], [0, 0], sample_weight=[1.5, 1.0])
    assert metric.total_cm.numpy().tolist() == [[1, 0], [1, 0]]


def test_weights_of_images_count_for_their_pixels():
    metric = metrics.MeanIoU(2, dtype="float32")
    metric.update_state(np.int32([[0, 1], [1, 1]]), np.int32([[0, 0], [1, 1]]), sample_weight=[0.5, 2.0])
    assert metric.total_cm.numpy().tolist() == [[0.5, 0.0], [0.5, 4.0]]
