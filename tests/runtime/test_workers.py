import os
import threading

import numpy as np
import pytest

from layerkit import ops
from layerkit.runtime import thread_count as workers
from layerkit.tracing import compile_function


@pytest.fixture
def restore_threads():
    yield
    workers._threads = None


def heavy(x):
    return ops.sum(ops.exp(x) * ops.sin(x), -1), ops.sum(x * x, 0), ops.mean(x)


def test_the_same_bits_on_any_number_of_threads(restore_threads):
    x = np.random.default_rng(0).normal(size=(700, 301)).astype("float32")
    found = []
    for threads in (1, 2, 3, 5):
        workers.set_num_threads(threads)
        found.append([y.numpy() for y in compile_function(heavy)(x)])
    for others in found[1:]:
        for a, b in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(a, b)


def test_plans_made_for_one_number_of_threads_run_on_another(restore_threads):
    x = np.random.default_rng(0).normal(size=(700, 301)).astype("float32")
    workers.set_num_threads(2)
    function = compile_function(heavy)
    expected = [y.numpy() for y in function(x)]
    for threads in (4, 1, 3):
        workers.set_num_threads(threads)
        for a, b in zip(expected, function(x), strict=True):
            np.testing.assert_array_equal(a, b.numpy())


def test_a_plan_never_lets_in_more_workers_than_its_scratch_has_room_for(restore_threads):
    def with_scratch(x):
        return ops.sum(x * x[0], 0), ops.sum(x, 0)

    x = np.random.default_rng(0).normal(size=(4000, 300)).astype("float32")
    workers.set_num_threads(1)
    function = compile_function(with_scratch)
    expected = [y.numpy() for y in function(x)]
    plan = next(iter(function._kept.values())).executable.plan
    workers.set_num_threads(8)
    for _ in range(50):
        plan.run()
        for a, b in zip(expected, function(x), strict=True):
            np.testing.assert_array_equal(a, b.numpy())


def test_python_threads_may_run_plans_at_once():
    x = np.random.default_rng(0).normal(size=(500, 300)).astype("float32")
    expected = [y.numpy() for y in compile_function(heavy)(x)]
    wrong = []

    def work():
        function = compile_function(heavy)
        for _ in range(20):
            if any((a != b.numpy()).any() for a, b in zip(expected, function(x), strict=True)):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_runs_plans():
    x = np.random.default_rng(0).normal(size=(500, 300)).astype("float32")
    function = compile_function(heavy)
    expected = [y.numpy() for y in function(x)]
    child = os.fork()
    if not child:
        same = all((a == b.numpy()).all() for a, b in zip(expected, function(x), strict=True))
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("threads", [0, -1, 2.0, True, "2"])
def test_a_number_of_threads_is_a_whole_number_from_one(threads):
    with pytest.raises(ValueError, match="has to be a whole number from 1"):
        workers.set_num_threads(threads)
