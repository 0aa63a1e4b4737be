"""Connectionist temporal classification against the sum over all paths, and its kernels against the references."""

import itertools

import numpy as np
import pytest

import layerkit
from layerkit import ops
from layerkit.errors import ShapeError
from layerkit.graph.gradients import gradients
from layerkit.runtime.thread_count import get_num_threads, set_num_threads
from layerkit.tracing import compile_function


def said_by(path, blank):
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def sums_of_paths(logits, blank):
    """The probability of each label sequence, by going through all paths of logits [T, C]."""
    p = np.exp(logits - logits.max(1, keepdims=True))
    p = p / p.sum(1, keepdims=True)
    sums = {}
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        said = said_by(path, blank)
        sums[said] = sums.get(said, 0) + np.prod([p[t, label] for t, label in enumerate(path)])
    return sums


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("steps", [1, 3, 5])
def test_loss_is_the_sum_over_all_paths(steps, blank):
    logits = np.random.default_rng(steps).normal(size=(steps, 3))
    for said, p in sums_of_paths(logits, blank).items():
        target = np.array([said + (0,) * (steps - len(said))])
        loss = ops.ctc_loss(target, logits[None], [len(said)], [steps], mask_index=blank)
        np.testing.assert_allclose(loss.numpy(), [-np.log(p)], rtol=1e-12)


def test_a_wide_beam_finds_the_likeliest_sequences():
    logits = np.random.default_rng(3).normal(size=(5, 3))
    sums = sums_of_paths(logits, 1)
    best = sorted(sums, key=sums.get, reverse=True)[:6]
    paths, scores = ops.ctc_decode(logits[None], [5], "beam_search", beam_width=200, top_paths=6, mask_index=1)
    np.testing.assert_allclose(scores.numpy()[0], [np.log(sums[said]) for said in best], rtol=1e-12)
    assert [tuple(label for label in path if label >= 0) for path in paths.numpy()[:, 0].tolist()] == best


def test_paths_that_a_beam_has_not_are_empty():
    paths, scores = ops.ctc_decode(np.zeros((1, 2, 2), "float32"), [1], "beam_search", beam_width=4, top_paths=3)
    assert sorted(paths.numpy()[:2, 0].tolist()) == [[-1, -1], [1, -1]]
    assert paths.numpy()[2, 0].tolist() == [-1, -1]
    np.testing.assert_allclose(scores.numpy(), [[np.log(0.5), np.log(0.5), -np.inf]], rtol=1e-6)


def make(batch, labels, steps, classes, dtype="float32", seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.integers(1, classes, (batch, labels)).astype("int32"),
        rng.normal(size=(batch, steps, classes)).astype(dtype),
        rng.integers(0, labels + 2, batch).astype("int32"),  # some beyond the arrays
        rng.integers(0, steps + 2, batch).astype("int32"),
    )


SIZES = [(0, 2, 3, 4), (1, 1, 1, 2), (3, 0, 4, 3), (2, 3, 0, 4), (7, 5, 13, 6), (2, 40, 150, 3)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "operation", [ops.CTCLoss(0), ops.CTCOccupancy(0), ops.CTCLoss(1), ops.CTCOccupancy(1)], ids=str
)
def test_kernels_are_the_references(operation, dtype):
    function = compile_function(lambda *x: operation(*x))
    for size in SIZES:
        arrays = make(*size, dtype)
        wanted = operation.reference(
            *(array.astype("float64") if array.dtype.kind == "f" else array for array in arrays)
        )
        tolerance = 2e-4 if dtype == "float32" else 1e-11
        np.testing.assert_allclose(function(*arrays).numpy(), wanted, rtol=tolerance, atol=tolerance)


def test_a_new_size_compiles_nothing():
    function = compile_function(lambda *x: ops.CTCLoss(0)(*x))
    kernels = set()
    for size in SIZES[1:]:
        arrays = make(*size)
        function(*arrays)
        plan = function.traced(arrays, list(arrays)).executable.plan
        kernels |= {launch.kernel for launch in plan.launches}
    assert len(kernels) == 1


def test_same_bits_for_any_number_of_threads():
    arrays = make(24, 20, 80, 12)
    before = get_num_threads()
    results = []
    for threads in (1, 2, 3):
        set_num_threads(threads)
        results.append(compile_function(loss_and_gradient)(*arrays))
    set_num_threads(before)
    for found in results[1:]:
        for a, b in zip(results[0], found, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def loss_and_gradient(target, logits, target_length, output_length):
    y = ops.ctc_loss(target, logits, target_length, output_length)
    return y, gradients([y], [logits])[0]


@pytest.mark.parametrize("target", [[[1, 1]], [[1, 7]], [[1, -1]]])
def test_a_target_that_no_path_says_has_an_infinite_loss_and_no_gradient(target):
    arrays = (np.array(target, "int32"), np.zeros((1, 2, 3), "float32"), np.array([2], "int32"), np.array([2], "int32"))
    for y, g in (compile_function(loss_and_gradient)(*arrays), eager(*arrays)):
        assert np.isposinf(y.numpy()).all()
        assert not g.numpy().any()


def eager(*arrays):
    target, logits, *lengths = arrays
    x = ops.log_softmax(logits)
    return ops.CTCLoss(0)(target, x, *lengths), ops.CTCOccupancy(0)(target, x, *lengths)


def test_missing_values_stay_missing():
    target, logits, *lengths = make(2, 2, 5, 4)
    logits[1, 0] = np.nan
    lengths = (np.array([2, 2], "int32"), np.array([5, 5], "int32"))
    for y, g in (compile_function(loss_and_gradient)(target, logits, *lengths),):
        assert np.isnan(y.numpy()).tolist() == [False, True]
        assert np.isfinite(g.numpy()[0]).all()


def test_decoding_in_a_model_is_eager_decoding():
    logits, lengths = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("float32"), np.array([6, 4, 1], "int32")
    inputs = [layerkit.Input((6, 4)), layerkit.Input((), dtype="int32")]
    for options in ({}, {"merge_repeated": False}, {"strategy": "beam_search", "beam_width": 5, "top_paths": 2}):
        model = layerkit.Model(inputs, list(ops.ctc_decode(*inputs, **options)))
        for found, wanted in zip(model([logits, lengths]), ops.ctc_decode(logits, lengths, **options), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_the_loss_in_a_model_is_the_eager_loss():
    arrays = make(3, 4, 9, 5)
    inputs = [layerkit.Input(array.shape[1:], dtype=array.dtype.name) for array in arrays]
    model = layerkit.Model(inputs, ops.ctc_loss(*inputs))
    np.testing.assert_allclose(model(list(arrays)), ops.ctc_loss(*arrays), rtol=1e-5)


LOGITS = np.zeros((2, 3, 4), "float32")


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: ops.ctc_loss([[1]], LOGITS, [1], [3]), ShapeError, "of one batch"),
        (lambda: ops.ctc_loss([[1]], LOGITS[0], [1], [3]), ShapeError, r"\[batch, steps, classes\], not \(3, 4\)"),
        (lambda: ops.ctc_loss([[1]] * 2, LOGITS, [1] * 2, [3] * 2, 4), ValueError, "one of 4 classes, not 4"),
        (lambda: ops.ctc_decode(LOGITS, [3]), ShapeError, r"lengths \[batch\]"),
        (lambda: ops.ctc_decode(LOGITS, [3, 3], "best"), ValueError, "'greedy' or 'beam_search', not 'best'"),
        (lambda: ops.ctc_decode(LOGITS, [3, 3], "beam_search", merge_repeated=False), ValueError, "merge_repeated"),
        (lambda: ops.ctc_decode(LOGITS, [3, 3], "beam_search", 4, 5), ValueError, "from 1 to beam_width, 4, not 5"),
    ],
)
def test_errors_say_what_was_expected(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
