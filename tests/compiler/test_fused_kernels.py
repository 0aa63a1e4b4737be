"""Generated kernels against the NumPy references, over forms of loop and shapes."""

import numpy as np
import pytest

from layerkit import ops
from layerkit.graph import Elementwise, Variable, gradients
from layerkit.ops.neural import IndexAlong
from layerkit.ops.random import RandomUniformLike
from layerkit.runtime.kernel_cache import statistics
from layerkit.tracing import CompiledFunction


def softmax(x):
    e = ops.exp(x - ops.max(x, -1, keepdims=True))
    return e / ops.sum(e, -1, keepdims=True)


def layer_norm(x):
    centred = x - ops.mean(x, -1, keepdims=True)
    return centred * ops.rsqrt(ops.mean(centred * centred, -1, keepdims=True) + 1e-3)


def log_sum_exp(x):
    largest = ops.max(x, -1, keepdims=True)
    return ops.log(ops.sum(ops.exp(x - largest), -1)) + ops.squeeze(largest, -1)


def everything_reduced(x):
    return ops.sum(x), ops.mean(x * x), ops.max(x), ops.min(x)


def columns(x):
    return ops.sum(x, 0), ops.max(x * 2.0, 0), ops.relu(x)


def transposed(x):
    return ops.transpose(x) + 1.0, ops.sum(ops.transpose(x), 0)


def broadcast(x):
    return x + ops.reshape(x[:, 0], (-1, 1)) * x[0] - 2.0


def sliced(x):
    return x[::2] * 2.0 + 1.0, x[:, ::-1] - 1.0


def integers(x):
    whole = ops.cast(x * 10, "int32")
    return ops.sum(whole, -1), whole // 3, whole % 3, ops.maximum(whole, 1), ops.cast(x > 0, "uint8")


def logic(x):
    return ops.logical_and(x > 0, x < 1), ops.where(ops.logical_not(x > 0), 1.0, x), ops.isnan(x)


def indices(x):
    return IndexAlong(0)(x), IndexAlong(1)(x)


FUNCTIONS = [
    softmax,
    layer_norm,
    log_sum_exp,
    everything_reduced,
    columns,
    transposed,
    broadcast,
    sliced,
    integers,
    logic,
    indices,
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_compiled_equals_reference(function, dtype):
    rng = np.random.default_rng(0)
    compiled, interpreted = CompiledFunction(function), CompiledFunction(function, interpret=True)
    for shape in [(1, 1), (7, 1), (1, 10), (33, 17), (300, 257)]:
        x = rng.normal(size=shape).astype(dtype)
        expected, found = interpreted(x), compiled(x)
        many = isinstance(expected, tuple)
        for a, b in zip(expected if many else [expected], found if many else [found], strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype
            bound = 2e-6 * np.sqrt(x.size) if dtype == "float32" else 1e-12 * np.sqrt(x.size)
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=bound, atol=bound)


def steps_of(compiled: CompiledFunction) -> list:
    return next(iter(compiled._kept.values())).executable.program.steps


@pytest.mark.parametrize("function", [softmax, layer_norm])
def test_a_row_of_reductions_is_one_kernel(function):
    compiled = CompiledFunction(function)
    compiled(np.ones((5, 9), "float32"))
    assert len(steps_of(compiled)) == 1


def gelu(x):
    return 0.5 * x * (1.0 + ops.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def gradient_of(function):
    def gradient(x, g):
        return gradients([function(x)], [x], [g])

    return gradient


@pytest.mark.parametrize(
    ("function", "forward", "backward"),
    [(softmax, 1, 1), (gelu, 1, 1), (layer_norm, 1, 2), (log_sum_exp, 2, 3)],
    ids=["softmax", "gelu", "layer_norm", "log_sum_exp"],
)
def test_functions_written_from_primitives_are_few_kernels(function, forward, backward):
    x = np.random.default_rng(0).normal(size=(5, 9)).astype("float32")
    compiled = CompiledFunction(function)
    y = compiled(x)
    assert len(steps_of(compiled)) <= forward
    gradient = CompiledFunction(gradient_of(function))
    (found,) = gradient(x, np.ones(y.shape, "float32"))
    assert len(steps_of(gradient)) <= backward
    (expected,) = CompiledFunction(gradient_of(function), interpret=True)(x, np.ones(y.shape, "float32"))
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4, atol=1e-6)


def test_a_costly_value_of_a_row_is_computed_once():
    compiled = CompiledFunction(softmax)
    compiled(np.ones((5, 9), "float32"))
    (step,) = steps_of(compiled)
    assert step.kernel.source.count("exp_float32(") == 1


@pytest.mark.parametrize("size", [1, 255, 256, 257, 1024, 5000])
def test_a_map_beyond_the_cache_gives_equal_bits(size, monkeypatch):
    def function(x):
        return ops.exp(x), x > 0.0, ops.cast(x * 3.0, "int32"), ops.sum(x)

    x = np.random.default_rng(0).normal(size=size).astype("float32")
    expected = CompiledFunction(function)(x)
    before = statistics.compiled
    monkeypatch.setattr("layerkit.compiler.flat_loops.last_level_cache", lambda: 0)
    found = CompiledFunction(function)(x)
    assert statistics.compiled == before
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_a_variable_beyond_the_cache_is_written_in_place(monkeypatch):
    monkeypatch.setattr("layerkit.compiler.flat_loops.last_level_cache", lambda: 0)
    w, m = Variable(np.ones(3000), name="w"), Variable(np.zeros(3000), name="m")

    def step(g):
        new = m * 0.9 + g
        m.assign(new)
        w.assign_sub(new * 0.1)
        return new * 2.0

    doubled = CompiledFunction(step)(np.ones(3000, "float32"))
    np.testing.assert_allclose(w.numpy(), 0.9)
    np.testing.assert_allclose(m.numpy(), 1.0)
    np.testing.assert_allclose(doubled.numpy(), 2.0)


def test_sums_over_the_same_tensor_share_a_pass():
    compiled = CompiledFunction(lambda x: (ops.sum(x, (0, 1, 2)), ops.sum(x * x, (0, 1, 2))))
    compiled(np.ones((2, 3, 3, 4), "float32"))
    assert len(steps_of(compiled)) == 1


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_new_batch_size_compiles_nothing(function):
    compiled = CompiledFunction(function)
    compiled(np.ones((6, 10), "float32"))
    before = statistics.compiled
    for batch in (1, 2, 7, 64, 1000):
        compiled(np.ones((batch, 10), "float32"))
    assert statistics.compiled == before


def test_a_mask_is_drawn_alike_forward_and_backward_and_never_stored():
    def dropped(x, key):
        keep = RandomUniformLike()(x, key) >= 0.5
        y = ops.where(keep, x * 2.0, 0.0)
        (gx,) = gradients([ops.sum(ops.square(y))], [x])
        return y, gx

    x, key = np.random.default_rng(0).normal(size=(64, 33)).astype("float32"), np.array([1, 2], "uint32")
    compiled = CompiledFunction(dropped)
    y, gx = compiled(x, key)
    expected_y, expected_gx = CompiledFunction(dropped, interpret=True)(x, key)
    np.testing.assert_array_equal(y.numpy(), expected_y.numpy())
    np.testing.assert_allclose(gx.numpy(), expected_gx.numpy(), rtol=1e-6)
    sizes = [argument.shape for step in steps_of(compiled) for argument in step.args if hasattr(argument, "shape")]
    assert sizes.count((64, 33)) <= 3 * len(steps_of(compiled))  # x, y, gx; no mask


def test_no_float32_kernel_computes_in_float64():
    from layerkit.kernels import abi

    compiled = CompiledFunction(lambda x: ops.exp(x) * 0.5 + ops.tanh(x) / 3.0 + softmax(x) + layer_norm(x))
    compiled(np.ones((5, 9), "float32"))
    for step in steps_of(compiled):
        function = abi.resolve(step.kernel.module, step.kernel.function, step.kernel.constants, step.kernel.source)
        assert "fpext" not in abi.optimised_ir(function, "symbol")


def test_sums_over_any_axes():
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 6))
    for axes in [(1,), (1, 2), (2,), (0, 2), (1, 3), (0, 1, 3), (0, 3), (1, 2, 3), (0,), (3,)]:
        for function in (ops.sum, ops.max, ops.prod):
            found = CompiledFunction(lambda x, f=function, a=axes: f(x, a))(x).numpy()
            expected = {ops.sum: np.sum, ops.max: np.max, ops.prod: np.prod}[function](x, axes)
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_maximum_over_axes_between_others_runs_along_the_last():
    x = np.random.default_rng(0).normal(size=(3, 7, 2, 33)).astype("float32")
    x[0, 2, 1, 4], x[1, :, :, 5], x[2, 0, 0, 6] = np.nan, -np.inf, np.inf
    for axes in [(1,), (1, 2), (2,)]:
        compiled = CompiledFunction(lambda x, a=axes: ops.max(x, a))
        np.testing.assert_array_equal(compiled(x).numpy(), x.max(axes))
        assert [step.kernel.function for step in steps_of(compiled)] == ["max_pool"]


def test_variables_are_written_in_place_where_that_is_safe():
    w, m = Variable(np.ones(2000), name="w"), Variable(np.zeros(2000), name="m")

    def step(g):
        new = m * 0.9 + g
        m.assign(new)
        w.assign_sub(new * 0.1)

    compiled = CompiledFunction(step)
    compiled(np.ones(2000, "float32"))
    assert len(steps_of(compiled)) == 1
    np.testing.assert_allclose(w.numpy(), 0.9)
    np.testing.assert_allclose(m.numpy(), 1.0)


def test_an_old_value_that_is_still_read_survives_the_assignment():
    v = Variable(np.arange(5.0), name="v")

    def step(x):
        old = v.value
        v.assign(old + x)
        return ops.sum(old * v.value), old[::-1] * 1.0

    total, reverse = CompiledFunction(step)(np.ones(5, "float32"))
    assert total.item() == sum(i * (i + 1) for i in range(5))
    np.testing.assert_array_equal(reverse.numpy(), np.arange(5.0)[::-1])
    np.testing.assert_array_equal(v.numpy(), np.arange(5.0) + 1)


def test_variables_can_be_exchanged():
    a, b = Variable(np.zeros(3), name="a"), Variable(np.ones(3), name="b")

    def exchange():
        old_a, old_b = a.value, b.value
        a.assign(old_b)
        b.assign(old_a)

    exchanged = CompiledFunction(exchange)
    exchanged()
    assert (a.numpy() == 1).all() and (b.numpy() == 0).all()
    exchanged()
    assert (a.numpy() == 0).all() and (b.numpy() == 1).all()


def test_a_reversed_variable_can_be_assigned_to_itself():
    v = Variable(np.arange(6.0), name="v")

    def reverse():
        v.assign(v.value[::-1] + 0.0)

    CompiledFunction(reverse)()
    np.testing.assert_array_equal(v.numpy(), np.arange(6.0)[::-1])


@pytest.mark.parametrize(
    "change", [lambda v: v[::-1] * 2.0, lambda v: ops.transpose(v) + v], ids=["reversed", "transposed"]
)
def test_a_variable_is_not_overwritten_while_it_is_read_in_another_order(change):
    start = np.arange(60 * 60, dtype="float32").reshape(60, 60)
    v, expected = Variable(start, name="v"), Variable(start, name="expected")
    CompiledFunction(lambda: v.assign(change(v.value)))()
    CompiledFunction(lambda: expected.assign(change(expected.value)), interpret=True)()
    np.testing.assert_array_equal(v.numpy(), expected.numpy())


def test_empty_input():
    x = np.ones((0, 4), "float32")
    assert CompiledFunction(softmax)(x).shape == (0, 4)
    assert CompiledFunction(lambda x: ops.sum(x))(x).item() == 0
    np.testing.assert_array_equal(CompiledFunction(lambda x: ops.sum(x, 0))(x).numpy(), np.zeros(4))


def test_host_calls_run_between_native_segments():
    def function(x):
        return ops.exp(ops.prod(ops.sort(x * 2.0, -1), -1)) if hasattr(ops, "sort") else ops.stack([x + 1, x], 0) * 2.0

    x = np.array([[0.3, 0.1], [0.2, 0.5]], "float32")
    np.testing.assert_allclose(
        CompiledFunction(function)(x).numpy(), CompiledFunction(function, interpret=True)(x).numpy(), rtol=1e-6
    )


def test_inputs_are_read_where_they_lie_and_outputs_are_not_theirs():
    def function(x):
        return ops.exp(x), x, x[1:]

    compiled = CompiledFunction(function)
    first, second = (np.random.default_rng(seed).normal(size=(100, 50)).astype("float32") for seed in (0, 1))
    strided = np.random.default_rng(2).normal(size=(200, 50)).astype("float32")[::2]
    for x in (first, second, strided, first, first[::-1], second.astype("float32", order="F")):
        y, same, rest = compiled(x)
        np.testing.assert_allclose(y.numpy(), np.exp(x), rtol=1e-6)
        np.testing.assert_array_equal(same.numpy(), x)
        np.testing.assert_array_equal(rest.numpy(), x[1:])
    only_exp = CompiledFunction(lambda x: ops.exp(x) * 2.0)
    for x in (first, second, strided, first):
        np.testing.assert_allclose(only_exp(x).numpy(), 2 * np.exp(x), rtol=1e-6)
        before = only_exp.run(x)
        np.testing.assert_allclose(before, 2 * np.exp(x), rtol=1e-6)


def test_an_unknown_function_in_an_expression_is_named():
    class Misspelt(Elementwise, abstract=True):
        scalar = "tahn(a)"

        def reference(self, x):
            return np.tanh(x)

    with pytest.raises(
        ValueError, match=r"Unknown function in the scalar expression of Misspelt: 'tahn'.* Did you mean 'tan"
    ):
        CompiledFunction(lambda x: Misspelt()(x))(np.ones(3, "float32"))


def test_the_known_functions_are_those_of_the_kernels():
    from layerkit.compiler.scalar_code import FLOAT_FUNCTIONS, GENERIC
    from layerkit.kernels import scalar

    for name in FLOAT_FUNCTIONS:
        assert hasattr(scalar, f"{name}_float32") and hasattr(scalar, f"{name}_float64")
    assert all(hasattr(scalar, name) for name in GENERIC)


def test_a_position_in_something_repeated():
    def function(x):
        return IndexAlong(0)(ops.broadcast_to(x, (4, 3))) * 1, ops.diag(x)

    x = np.array([1.0, 2.0, 3.0], "float32")
    index, diagonal = CompiledFunction(function)(x)
    np.testing.assert_array_equal(index.numpy(), np.repeat(np.arange(4), 3).reshape(4, 3))
    np.testing.assert_array_equal(diagonal.numpy(), np.diag(x))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((14, 1, 24), (1, 2)),
        ((4, 3, 1, 5), (0, 2, 3)),
        ((2, 7, 1, 6, 4), (2, 3, 4)),
        ((4, 5, 1), (1, 2)),
        ((3, 1, 1), (1, 2)),
    ],
)
def test_rows_with_an_axis_of_size_1(shape: tuple[int, ...], axes: tuple[int, ...]):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")

    def function(x):
        return (*ops.moments(x, axes, keepdims=True), x - ops.max(x, axes, keepdims=True))

    for found, expected in zip(CompiledFunction(function)(x), function(x), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
