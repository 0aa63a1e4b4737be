"""Losses: shapes, masks, weights, names, errors."""

import numpy as np
import pytest

from layerkit import losses, ops
from layerkit.errors import ShapeError, UnknownNameError
from layerkit.graph import Tensor


def masked(array, mask):
    tensor = Tensor.of(np.asarray(array, "float32"))
    tensor.mask = Tensor.of(np.asarray(mask))
    return tensor


def test_a_missing_last_axis_is_no_broadcast():
    y_true, y_pred = np.arange(4.0), np.zeros((4, 1))
    assert losses.mean_squared_error(y_true, y_pred).shape == (4,)
    assert losses.MeanSquaredError()(y_true, y_pred).item() == pytest.approx((y_true**2).mean())
    assert losses.MeanSquaredError()(y_pred, y_true).item() == pytest.approx((y_true**2).mean())
    seen = losses.LossFunctionWrapper(lambda a, b: ops.mean(ops.square(a - b), axis=-1))
    assert seen(y_true, y_pred).item() == pytest.approx((y_true**2).mean())


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"The targets have shape \(4, 1\) and the predictions \(4, 3\)"):
        losses.mean_squared_error(np.zeros((4, 1)), np.zeros((4, 3)))
    with pytest.raises(ShapeError, match="for integer labels use sparse_categorical_crossentropy"):
        losses.categorical_crossentropy(np.array([0, 1]), np.full((2, 3), 1 / 3))
    with pytest.raises(ShapeError, match="For one-hot targets use categorical_crossentropy"):
        losses.sparse_categorical_crossentropy(np.eye(3), np.full((3, 3), 1 / 3))


def test_weights_do_not_broadcast_the_wrong_way():
    y = np.zeros((4, 4, 2))
    with pytest.raises(
        ShapeError, match=r"have shape \(4,\).*values of shape \(4, 4\). Pass `sample_weight\[:, None\]`"
    ):
        losses.MeanSquaredError()(y, y + 1, sample_weight=np.ones(4))
    weighted = losses.MeanSquaredError()(y, y + 1, sample_weight=np.array([[2.0], [0], [0], [0]]))
    assert weighted.item() == pytest.approx(0.5)


def test_masked_steps_are_left_out_of_the_mean():
    y_pred = masked([[[1.0], [100.0]], [[3.0], [5.0]]], [[True, False], [True, True]])
    y_true = np.zeros((2, 2, 1))
    assert losses.MeanSquaredError()(y_true, y_pred).item() == pytest.approx((1 + 9 + 25) / 3)
    assert losses.MeanSquaredError("sum")(y_true, y_pred).item() == pytest.approx(35)
    weight = np.array([[1.0], [0.0]])
    assert losses.MeanSquaredError()(y_true, y_pred, sample_weight=weight).item() == pytest.approx(1 / 3)


def test_nothing_left_by_a_mask_gives_0():
    y_pred = masked([[[1.0], [2.0]]], [[False, False]])
    assert losses.MeanSquaredError()(np.zeros((1, 2, 1)), y_pred).item() == 0


def test_names():
    assert losses.get("mse") is losses.mean_squared_error
    assert losses.get("KLD") is losses.kl_divergence
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert losses.get(None) is None
    assert losses.get(losses.Huber).delta == 1.0
    with pytest.raises(UnknownNameError, match="Unknown loss 'mean_squared'. Did you mean 'mean_squared_error'"):
        losses.get("mean_squared")
    with pytest.raises(TypeError, match="Could not interpret 3 of type int as a loss"):
        losses.get(3)


def test_unknown_reduction():
    with pytest.raises(ValueError, match="`reduction` must be one of 'sum_over_batch_size', .* got 'average'"):
        losses.MeanSquaredError(reduction="average")


def test_one_class_warns():
    with pytest.warns(SyntaxWarning, match="there is one class. For a single yes-or-no output use binary_crossentropy"):
        losses.categorical_crossentropy(np.ones((2, 1)), np.ones((2, 1)))


def test_labels_above_what_float32_holds():
    logits = np.zeros((1, 3), "float32")
    big = np.array([2**24 + 1])
    values = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=2**24, reduction=None)
    # As float32 the label would be equal to the ignored one.
    assert values._target(big).dtype == "int64"
    assert values(np.array([2]), logits).item() == pytest.approx(np.log(3), rel=1e-6)
