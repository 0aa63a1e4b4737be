"""Arguments that Keras' functions have beside the usual ones, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit
from layerkit import ops, random
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.gradients import gradients
from layerkit.graph.graph import trace
from layerkit.tracing import compile_function

X = np.arange(6, dtype="float32").reshape(2, 3)


def test_concatenate_goes_along_the_first_axis():
    assert ops.concatenate([X, X]).shape == (4, 3)


def test_initial_of_extremes():
    assert ops.max(X, axis=1, initial=4).tolist() == [4.0, 5.0]
    assert ops.min(X, axis=(0, 1), initial=-3, keepdims=True).tolist() == [[-3.0]]
    assert ops.max(np.zeros((0, 3), "float32"), axis=0, initial=-1.0).tolist() == [-1.0] * 3
    assert ops.min(np.zeros((2, 0, 3)), axis=1, keepdims=True, initial=7).shape == (2, 1, 3)
    whole = ops.max(X.astype("int32"), initial=7.5)
    assert (whole.item(), whole.dtype) == (7, "int32")
    assert compile_function(lambda x: ops.max(x, axis=1, initial=4))(X).tolist() == [4.0, 5.0]
    slope = compile_function(lambda x: gradients([ops.sum(ops.max(x, axis=1, initial=4))], [x])[0])
    assert slope(X).tolist() == [[0.0] * 3, [0.0, 0.0, 1.0]]


def test_dtype_of_products():
    y = ops.prod(np.array([100, 100, 100], "int8"), dtype="float32")
    assert (y.item(), y.dtype) == (1e6, "float32")


def test_where_without_values_is_nonzero():
    rows, columns = ops.where(X > 2)
    assert (rows.tolist(), columns.tolist(), rows.dtype) == ([1, 1, 1], [0, 1, 2], "int32")
    for one in ({"x1": X}, {"x2": X}):
        with pytest.raises(ValueError, match="both of x1 and x2, or neither"):
            ops.where(X > 2, **one)


def test_einsum_takes_the_keywords_of_jax():
    assert ops.einsum("ij->i", X, optimize=True).tolist() == [3.0, 12.0]
    with pytest.raises(TypeError, match="optimize and precision; got order"):
        ops.einsum("ij->i", X, order="C")


def test_stop_gradient_by_name():
    assert ops.stop_gradient(variable=X).shape == (2, 3)


def test_arguments_of_variables():
    v = layerkit.Variable(X, synchronization="on_read", name="v")
    assert v.__getitem__(idx=1).tolist() == [3.0, 4.0, 5.0]
    with pytest.raises(ValueError, match="synchronization is one of auto, none"):
        layerkit.Variable(X, synchronization="never")
    with pytest.raises(NotImplementedError, match="takes no layout"):
        layerkit.Variable(X, layout=("batch", None))


FLOATS = np.array([0.0, 1.0], "float32")
OF_FLOATS = {
    "take": lambda at: ops.take(X, at, axis=0),
    "take_along_axis": lambda at: ops.take_along_axis(X, ops.expand_dims(at, 1), axis=1),
    "segment_sum": lambda at: ops.segment_sum(X, at, num_segments=2),
    "unravel_index": lambda at: ops.unravel_index(at, (2, 3)),
    "scatter": lambda at: ops.scatter(ops.expand_dims(at, 1), at, (4,)),
    "scatter_update": lambda at: ops.scatter_update(X, ops.expand_dims(at, 1), X),
    "in_top_k": lambda at: ops.in_top_k(at, X, 1),
    "bincount": lambda at: ops.bincount(at),
}


@pytest.mark.parametrize("name", OF_FLOATS)
def test_indices_are_whole_numbers(name: str):
    with pytest.raises(DtypeError, match=rf"ops.{name}: .* have the dtype float32"):
        OF_FLOATS[name](FLOATS)
    with pytest.raises(DtypeError, match=rf"ops.{name}: .* have the dtype float32"):
        trace(OF_FLOATS[name], [((2,), "float32")])


def test_errors_tell_of_the_outer_call():
    with pytest.raises(ShapeError, match=r"^ops.inner: axis 1 of x1, of shape \(2, 3\)"):
        ops.inner(X, np.ones((2, 4), "float32"))
    with pytest.raises(ShapeError, match=r"ops.in_top_k takes targets \[N\] .* got \(3,\) and \(2, 3\)"):
        ops.in_top_k(np.array([0, 1, 1]), X, 1)
    with pytest.raises(ShapeError, match=r"ops.scatter: values have to have shape \(2,\)"):
        ops.scatter([[0], [1]], X, (4,))
    with pytest.raises(ShapeError, match=r"ops.scatter: indices are vectors .* got indices of shape \(\)"):
        ops.scatter(3, X, (4,))
    with pytest.raises(ShapeError, match=r"ops.scatter_update: updates have to have shape \(1, 3\)"):
        ops.scatter_update(X, [[0]], X)


SINGULAR = np.stack([np.eye(2), np.ones((2, 2)), np.eye(2)]).astype("float32")
REFUSED = {
    "inv": lambda x: ops.inv(x),
    "solve": lambda x: ops.solve(x, x),
    "cholesky": lambda x: ops.cholesky(x - 1.5 * np.ones((2, 2), "float32")),
}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_matrices_that_are_refused(name: str, compiled: bool):
    function = compile_function(REFUSED[name]) if compiled else REFUSED[name]
    with pytest.raises(
        ValueError, match=rf"ops.{name}: .*Got matrices of shape \(3, 2, 2\) and dtype float32"
    ) as error:
        function(SINGULAR)
    assert ("at [1]" in str(error.value)) == (name != "cholesky")  # there the first is indefinite already
    assert isinstance(error.value, np.linalg.LinAlgError)


def test_the_edges_of_gamma():
    assert random.gamma((2,), 0.0, seed=1).tolist() == [0.0, 0.0]
    assert np.isnan(random.gamma((2,), -1.0, seed=1)).all()


def test_edges_of_images_of_whole_numbers():
    images = np.random.default_rng(0).integers(0, 255, (1, 5, 6, 2)).astype("int32")
    found = ops.image.sobel_edges(images)
    assert found.dtype == "int32"
    np.testing.assert_array_equal(found, ops.image.sobel_edges(images.astype("float64")).numpy())
    with pytest.raises(DtypeError, match="not uint8"):
        ops.image.sobel_edges(images.astype("uint8"))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_sign_of_floats_in_kernels(dtype: str):
    x = np.array([-2.0, -0.0, 0.0, 3.0, np.inf, np.nan], dtype)
    compiled = compile_function(lambda x: (ops.sign(x), ops.maximum(ops.sign(x), 0.5 * x)))
    for found, expected in zip(compiled(x), (np.sign(x), np.maximum(np.sign(x), 0.5 * x)), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [0, 1, None])
def test_partitions_are_compiled(axis: int | None):
    x = np.random.default_rng(0).permutation(70).reshape(10, 7).astype("float32")
    compiled = compile_function(lambda x: ops.argpartition(x, 3, axis))
    np.testing.assert_array_equal(compiled(x), ops.argpartition(x, 3, axis).numpy())
    flat, along = (x.reshape(-1), 0) if axis is None else (x, axis)
    ordered = np.take_along_axis(flat, np.asarray(compiled(x)), along)
    np.testing.assert_array_equal(np.take(ordered, 3, along), np.take(np.sort(flat, along), 3, along))


def test_old_names_of_arguments():
    assert ops.multi_hot(np.array([0, 2]), num_tokens=4).tolist() == [1.0, 0.0, 1.0, 0.0]
    assert ops.nn.layer_normalization(X, rms_scaling=False).shape == (2, 3)
    with pytest.raises(NotImplementedError, match="doesn't support `rms_scaling=True`.* ops.rms_normalization"):
        ops.layer_normalization(X, rms_scaling=True)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.multi_hot([0], 2, foo=1),
        lambda: ops.layer_normalization(X, foo=1),
        lambda: layerkit.preprocessing.image.smart_resize(np.ones((4, 4, 1)), (2, 2), foo=1),
        lambda: layerkit.datasets.imdb.load_data(foo=1),
    ],
)
def test_unknown_arguments_are_refused(call):
    with pytest.raises(TypeError, match="unexpected keyword arguments: foo"):
        call()


def test_jvp_is_linear_algebra_too():
    y, slope = ops.linalg.jvp(lambda x: x * x, (np.float32(3),), (np.float32(1),))
    assert (y.item(), slope.item()) == (9.0, 6.0)
