from __future__ import annotations

import math

import numpy as np
import pytest

from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph.gradients import gradients
from layerkit.graph.graph import trace
from layerkit.tracing import compile_function

LOGITS = np.array([[200.0, 0.0, -200.0]], "float32")


def test_a_softmax_before_the_crossentropy_is_seen_through():
    loss = compile_function(lambda z: ops.categorical_crossentropy(np.eye(3, dtype="float32")[[2]], ops.softmax(z)))
    np.testing.assert_allclose(loss(LOGITS), [400.0])
    sparse = compile_function(lambda z: ops.sparse_categorical_crossentropy(np.array([2]), ops.softmax(z)))
    np.testing.assert_allclose(sparse(LOGITS), [400.0])
    # Eagerly the probability is all there is, and it is clipped.
    eager = ops.sparse_categorical_crossentropy(np.array([2]), ops.softmax(LOGITS)).numpy()
    np.testing.assert_allclose(eager, [-math.log(1e-7)], rtol=1e-5)


def test_a_softmax_along_another_axis_is_not_seen_through():
    graph = trace(
        lambda z: [ops.categorical_crossentropy(np.ones((2, 2), "float32"), ops.softmax(z, axis=0), axis=1)],
        [((2, 2), "float32")],
    )
    assert "LogSoftmax" not in str(graph)


def test_a_sigmoid_before_the_crossentropy_is_seen_through():
    loss = compile_function(lambda z: ops.binary_crossentropy(np.zeros((1, 3), "float32"), ops.sigmoid(z)))
    np.testing.assert_allclose(loss(LOGITS), [[200.0, math.log(2), 0.0]], atol=1e-6)


def test_the_gradient_of_the_crossentropy_of_logits_is_probability_minus_target():
    z, labels = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]], "float32"), np.array([1, 0], "int32")

    def gradient(z: object, labels: object) -> list:
        return gradients([ops.sparse_categorical_crossentropy(labels, z, from_logits=True)], [z])

    (found,) = compile_function(gradient).run(z, labels)
    np.testing.assert_allclose(found, ops.softmax(z).numpy() - np.eye(3)[labels], atol=1e-6)


@pytest.mark.parametrize(
    ("function", "target", "message"),
    [
        (ops.categorical_crossentropy, (2, 4), r"must have the same shape .* got \(2, 4\) and \(2, 3\)"),
        (ops.categorical_crossentropy, (2,), "use sparse_categorical_crossentropy"),
        (ops.sparse_categorical_crossentropy, (2, 3), "For one-hot targets use categorical_crossentropy"),
        (ops.binary_crossentropy, (2, 1), r"must have the same shape; got \(2, 1\) and \(2, 3\)"),
    ],
)
def test_crossentropies_refuse_shapes_that_do_not_fit(function: object, target: tuple, message: str):
    with pytest.raises(ShapeError, match=message):
        function(np.zeros(target, "float32"), np.full((2, 3), 0.3, "float32"))


def test_logsumexp_of_minus_infinities_is_minus_infinity():
    x = np.array([[-np.inf, -np.inf], [0, -np.inf]], "float32")
    np.testing.assert_array_equal(ops.logsumexp(x, axis=1), [-np.inf, 0])


def test_elu_does_not_overflow_where_its_exponential_is_not_used():
    def gradient(x: object) -> list:
        return gradients([ops.elu(x), ops.selu(x), ops.celu(x)], [x])

    (found,) = compile_function(gradient).run(np.array([1000.0], "float32"))
    np.testing.assert_allclose(found, [1 + 1.0507009873554805 + 1], rtol=1e-6)


def test_moments_do_not_cancel_where_the_mean_is_large():
    x = (10_000 + np.random.default_rng(0).normal(size=(4096, 3))).astype("float32")
    for mean, variance in (ops.moments(x, 0), compile_function(lambda x: ops.moments(x, 0)).run(x)):
        np.testing.assert_allclose(np.asarray(mean), x.astype("float64").mean(0), rtol=1e-6)
        np.testing.assert_allclose(np.asarray(variance), x.astype("float64").var(0), rtol=2e-3)


def test_masked_moments_leave_out_what_is_masked():
    x, mask = np.arange(24, dtype="float32").reshape(2, 3, 4), np.array([[True, True, False], [True, False, False]])
    mean, variance = ops.batch_moments(x, (0, 1), mask=mask)
    np.testing.assert_allclose(mean, x[mask].mean(0), rtol=1e-5)
    np.testing.assert_allclose(variance, x[mask].var(0), rtol=1e-5)


def test_batch_normalization_refuses_a_vector_of_another_size():
    with pytest.raises(ShapeError, match=r"mean has to have shape \(3,\), not \(4,\)"):
        ops.batch_normalization(np.zeros((2, 3), "float32"), np.zeros(4), np.ones(3), -1)


def test_layer_normalization_refuses_a_scale_of_another_shape():
    with pytest.raises(ShapeError, match=r"gamma has to have the shape of the normalised axes, \(3,\); got \(4,\)"):
        ops.layer_normalization(np.zeros((2, 3), "float32"), np.ones(4))


def test_an_unknown_batch_size_passes_through():
    x = trace(lambda x: [ops.layer_normalization(x), ops.softmax(x)], [((None, 3), "float32")]).outputs
    assert [y.shape for y in x] == [(None, 3)] * 2


def test_sparsemax_gives_probabilities():
    p = ops.sparsemax(np.array([[0.1, 1.2, 1.0], [5, 0, 0]], "float32")).numpy()
    np.testing.assert_allclose(p, [[0, 0.6, 0.4], [1, 0, 0]], atol=1e-6)


def test_einsum_says_what_does_not_fit():
    with pytest.raises(ValueError, match="'ij,jk' names 2 operands; got 1"):
        ops.einsum("ij,jk", np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"'ij' does not name the axes of shape \(2, 2, 2\)"):
        ops.einsum("ij->i", np.zeros((2, 2, 2)))


def test_multi_hot_needs_the_number_of_classes():
    with pytest.raises(ValueError, match="needs `num_classes`"):
        ops.multi_hot([0, 1])
