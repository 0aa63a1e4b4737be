"""layerkit.function: when it traces, what it keeps, what it says."""

from __future__ import annotations

import gc
import warnings
import weakref

import numpy as np
import pytest

import layerkit as keras
from layerkit import ops
from layerkit.runtime.kernel_cache import statistics


def test_gives_the_structure_of_the_function():
    @keras.function
    def both(x, scale=2.0):
        """Docs stay."""
        return {"sum": ops.sum(x), "all": (x * scale, None)}

    given = both(np.ones((2, 3), "float32"), scale=3.0)
    assert given["sum"].item() == 6
    assert given["all"][0].numpy().tolist() == [[3.0] * 3] * 2
    assert given["all"][1] is None
    assert both.__doc__ == "Docs stay."
    assert both.__name__ == "both"


def test_traces_once_for_each_kind_of_arguments():
    traced = []

    @keras.function
    def function(x, power=2):
        traced.append((x.shape, x.dtype, power))
        return x**power

    for _ in range(3):
        function(np.ones(3, "float32"))
        function(ops.ones(3))
        function(keras.Variable(np.ones(3, "float32")).value)
    assert len(traced) == function.traces == 1
    function(np.ones(3, "float64"))
    function(np.ones((3, 1), "float32"))
    function(np.ones(3, "float32"), power=3)
    function(np.ones(3, "float32"), 3)
    assert function.traces == 5
    function(np.float32(3))
    function(np.float32(4))
    assert function.traces == 6


def test_a_new_size_compiles_nothing():
    @keras.function
    def function(x, w):
        return ops.softmax(ops.relu(x @ w), axis=-1)

    w = np.ones((5, 4), "float32")
    function(np.ones((8, 5), "float32"), w)
    compiled = statistics.compiled
    for rows in (1, 2, 33):
        function(np.ones((rows, 5), "float32"), w)
    assert function.traces == 4
    assert statistics.compiled == compiled


def test_equal_numbers_of_other_types_and_other_structures_are_told_apart():
    function = keras.function(lambda x, n: x * n if isinstance(n, float) else x + n)
    x = np.full(2, 3.0, "float32")
    assert function(x, 1).tolist() == [4, 4]
    assert function(x, 1.0).tolist() == [3, 3]
    first = keras.function(lambda pair: pair["a"] - pair["b"] if isinstance(pair, dict) else pair[1] - pair[0])
    assert first({"a": x, "b": x * 2}).tolist() == [-3, -3]
    assert first([x, x * 2]).tolist() == [3, 3]
    assert first({"b": x, "a": x * 2}).tolist() == [3, 3]


def test_results_are_the_callers_own():
    function = keras.function(lambda x: x + 1)
    a = function(np.zeros(3, "float32"))
    b = function(np.ones(3, "float32"))
    assert a.tolist() == [1, 1, 1]
    assert b.tolist() == [2, 2, 2]


def test_variables_are_read_and_assigned_in_place():
    total = keras.Variable(np.zeros(2, "float32"))
    scale = keras.Variable(2.0)

    @keras.function
    def add(x):
        total.assign_add(scale * x)
        return total * 1.0

    assert add(np.ones(2, "float32")).tolist() == [2, 2]
    scale.assign(3.0)
    assert add(np.ones(2, "float32")).tolist() == [5, 5]
    assert total.numpy().tolist() == [5, 5]
    assert add.traces == 1


def test_methods_have_functions_of_their_own_and_do_not_keep_their_object():
    class Scaled:
        def __init__(self, scale):
            self.scale = scale

        @keras.function
        def times(self, x):
            return x * self.scale

    two, three = Scaled(2.0), Scaled(3.0)
    x = np.ones(2, "float32")
    assert two.times(x).tolist() == [2, 2]
    assert three.times(x).tolist() == [3, 3]
    assert two.times(x).tolist() == [2, 2]
    assert two.times.traces == 1
    alive = weakref.ref(two)
    del two
    gc.collect()
    assert alive() is None


def test_in_one_another_they_are_one_trace():
    inner = keras.function(lambda x: ops.tanh(x) * 2.0)
    outer = keras.function(lambda x: inner(x) + inner(x * 2.0))
    x = np.linspace(-1, 1, 5).astype("float32")
    np.testing.assert_allclose(outer(x), 2 * np.tanh(x) + 2 * np.tanh(2 * x), rtol=1e-6)
    assert inner.traces == 0
    assert len(outer.graph(x).nodes) == 6


def test_plain_numbers_that_change_are_warned_about():
    function = keras.function(lambda x, rate: x * rate)
    x = np.ones(2, "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for rate in (0.1, 0.2, 0.3, 0.4):
            function(x, rate)
    with pytest.warns(UserWarning, match="give those that change as arrays, as np.float32"):
        function(x, 0.5)


def test_inspection():
    function = keras.function(lambda x: ops.softmax(x * 2.0))
    x = np.ones((3, 5), "float32")
    assert "Softmax" in str(function.graph(x))
    assert "float32[3, 5]" in function.text(x)
    assert function.dot(x).startswith("digraph")
    assert function.svg(x).startswith("<svg")
    assert function.cost(x).launches == 1
    assert function.traces == 1


def test_loops_are_shown_with_what_is_inside():
    function = keras.function(lambda x: ops.scan(lambda s, row: (ops.tanh(s) + row, None), x[0], x)[0])
    x = np.ones((3, 5), "float32")
    for text in (function.text(x), function.dot(x), function.svg(x)):
        assert "Loop" in text
        assert "Tanh" in text


def test_wrong_uses():
    with pytest.raises(TypeError, match="layerkit.function compiles a function; got int"):
        keras.function(3)
    with pytest.raises(TypeError, match="an argument of type set is neither a tensor nor hashable"):
        keras.function(lambda x, names: x)(np.ones(2), {1, 2})
    with pytest.raises(keras.errors.GraphError if hasattr(keras, "errors") else ValueError, match="is symbolic"):
        keras.function(lambda x: x * 2 if x[0] > 0 else x)(np.ones(2))
