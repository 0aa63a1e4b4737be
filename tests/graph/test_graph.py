import numpy as np
import pytest

from layerkit import ops
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph import Graph, Tensor, Variable, gradients, layer_path, trace


def test_eager_tensors_behave_like_arrays():
    x = ops.add(np.array([[1.0, 2.0], [3.0, 4.0]], "float32"), 1)
    assert x.shape == (2, 2) and x.dtype == "float32" and not x.symbolic
    np.testing.assert_array_equal(np.asarray(x[0] * 2 - 1), [3, 5])
    np.testing.assert_array_equal(2 - x[:, 1], [-1, -3])
    assert float(ops.sum(x)) == 14 and len(x) == 2 and [row.tolist() for row in x] == [[2, 3], [4, 5]]
    assert f"{ops.sum(x):.1f}" == "14.0"


def test_a_python_number_takes_the_tensors_dtype():
    for dtype in ("float32", "float64", "int8"):
        assert (ops.ones((2,), dtype) * 2).dtype == dtype
    assert (ops.ones((2,), "int32") * 2.5).dtype == "float32"
    assert (ops.ones((2,), "int32") / 2).dtype == "float32"


def test_symbolic_shapes_may_have_unknown_sizes():
    x = Tensor((None, 3), "float32")
    assert ops.matmul(x, ops.ones((3, 5))).shape == (None, 5)
    assert ops.mean(x, 0).shape == (3,)
    assert (x + ops.ones((7, 1))).shape == (7, 3)
    assert x[:, 1:].shape == (None, 2) and x[:, None].shape == (None, 1, 3)


def test_errors_name_operation_layer_and_shapes():
    with (
        layer_path("model/dense"),
        pytest.raises(
            ShapeError, match=r"Operation MatMul in layer 'model/dense': .* Got x1=float32\[2, 3\], x2=float32\[4, 5\]"
        ),
    ):
        ops.matmul(np.ones((2, 3), "float32"), np.ones((4, 5), "float32"))
    with pytest.raises(ShapeError, match=r"Operation Add: shapes .* do not broadcast: axis -1 has sizes \[3, 4\]"):
        ops.add(np.ones((2, 3)), np.ones((4,)))
    with pytest.raises(DtypeError, match="Operation Add: it takes no strings"):
        ops.add(np.array(["a"]), 1)
    with pytest.raises(ShapeError, match="axis 2 is out of range for a tensor with 2 axes"):
        ops.sum(np.ones((2, 2)), 2)


def test_values_of_symbolic_tensors_cannot_be_had():
    with pytest.raises(GraphError, match="it has no values until its graph runs"):
        float(Tensor((), "float32") + 1)


def test_a_graph_prints_readably():
    w = Variable(np.ones((3, 2)), name="w")

    def function(x):
        with layer_path("dense"):
            y = ops.relu(ops.matmul(x, w))
        w.assign(w * 0.5)
        return [y]

    text = str(trace(function, [((4, 3), "float32")]))
    assert text == (
        "graph(input0: float32[4, 3])\n"
        "  read w: float32[3, 2]\n"
        "  %2: float32[4, 2] = MatMul(input0, w)   # dense\n"
        "  %3: float32[4, 2] = Relu(%2)   # dense\n"
        "  %4: float32[3, 2] = Multiply(w, 0.5)\n"
        "  assign w = %4\n"
        "  return %3"
    )


def test_reading_and_assigning_are_part_of_the_graph():
    v = Variable(2.0, name="v")
    graph = Graph()
    with graph.recording():
        before = v.value
        v.assign_add(1.0)
        after = v.value
    assert before is graph.reads[v] and after is graph.state[v] and v.numpy() == 2.0
    assert graph.assigned() == {v: after}


def test_a_variable_refuses_another_shape():
    with pytest.raises(
        ShapeError, match=r"Variable 'v' has shape \(2,\); it can't be assigned a value of shape \(3,\)"
    ):
        Variable(np.zeros(2), name="v").assign(np.zeros(3))


def test_gradients_of_gradients():
    def function(x):
        y = ops.sum(x * x * x)
        (g,) = gradients([y], [x])
        (gg,) = gradients([ops.sum(g)], [x])
        return [g, gg]

    from layerkit.graph.interpreter import Interpreter

    x = np.array([1.0, 2.0, -3.0])
    g, gg = Interpreter(trace(function, [((3,), "float64")])).run([x])
    np.testing.assert_allclose(g, 3 * x**2)
    np.testing.assert_allclose(gg, 6 * x)


def test_no_gradient_where_there_is_no_way():
    def function(x):
        whole = ops.cast(ops.floor(x), "int32")
        (g, h) = gradients([ops.sum(ops.stop_gradient(x)), ops.sum(ops.cast(whole, "float32"))], [x, x])
        assert g is None and h is None
        return [x]

    trace(function, [((3,), "float32")])
