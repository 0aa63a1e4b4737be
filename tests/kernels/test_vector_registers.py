"""Functions that the vectoriser puts into loops: equal bits in every place and form of loop, and all exponents."""

import math
import re

import numpy as np
import pytest

from layerkit.kernels import vector_registers
from layerkit.kernels.abi import optimised_ir, resolve
from layerkit.kernels.launch import Kernel, Launch
from layerkit.runtime.plan import operand_of, run_launches
from tests.kernels.test_vector_math import UNARY, run, ulps

FUNCTIONS = list(vector_registers.FUNCTIONS)
DTYPES = [np.float32, np.float64]
needs_registers = pytest.mark.skipif(not vector_registers.available(), reason="the processor has no AVX-512")


def every_exponent(dtype, each):
    """Random mantissas at every exponent of both signs, subnormal numbers and NaN among them."""
    integer, bits = (np.uint32, 32) if dtype == np.float32 else (np.uint64, 64)
    width = np.finfo(dtype).nmant
    random = np.random.default_rng(1)
    tops = np.arange(2 ** (bits - width), dtype=integer)[:, None] << integer(width)
    x = (tops | random.integers(0, 2**width, (tops.size, each), dtype=integer)).ravel().view(dtype)
    info = np.finfo(dtype)
    return np.concatenate([x, np.array([0.0, -0.0, math.inf, -math.inf, math.nan, info.max, info.tiny], dtype)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("prefix", ["", "portable_"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_at_every_exponent(name, prefix, dtype):
    x = every_exponent(dtype, 1000 if dtype == np.float32 else 50)
    y = run(prefix + name, x)
    flushed = np.where(abs(x) < np.finfo(dtype).tiny, np.copysign(dtype(0), x), x)  # as plans do
    reference, *bounds = UNARY[prefix + name]
    with np.errstate(all="ignore"):
        exact = reference(flushed.astype(np.float64 if dtype == np.float32 else np.longdouble))
    error = ulps(y, exact)
    worst = np.argmax(error)
    assert error[worst] <= bounds[dtype == np.float64], f"{name}({x[worst]!r}) is {y[worst]!r}, not {exact[worst]!r}"


@pytest.mark.parametrize("name", ["tanh", "portable_tanh"])
def test_tanh_of_float32_in_every_piece(name):
    x = np.concatenate([np.linspace(0, 9.2, 2_000_000), np.geomspace(1e-6, 0.3, 500_000)]).astype(np.float32)
    y = run(name, x)
    assert ulps(y, np.tanh(x.astype(np.float64))).max() <= UNARY[name][1]
    assert y.max() == 1
    np.testing.assert_array_equal(run(name, -x), -y)


@needs_registers
def test_tanh_of_float32_is_exact_at_its_ends():
    small = np.geomspace(1.2e-38, 1e-4, 10_000).astype(np.float32)
    np.testing.assert_array_equal(run("tanh", small), small)
    np.testing.assert_array_equal(run("tanh", np.array([8.67, 9, 20, 1e38, math.inf], np.float32)), np.float32(1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_equal_bits_at_every_length_and_place(name, dtype):
    """Vectors, half vectors at the end of a loop and single numbers."""
    random = np.random.default_rng(2)
    x = np.concatenate([every_exponent(dtype, 2)[:2000], random.normal(0, 5, 2000).astype(dtype)])
    random.shuffle(x)
    whole = bits(run(name, x))
    start = 0
    for length in range(1, 71):
        np.testing.assert_array_equal(bits(run(name, x[start : start + length])), whole[start : start + length])
        start += length


def bits(x):
    """The bits of numbers; of any NaN the same."""
    return np.where(np.isnan(x), np.array(np.nan, x.dtype), x).view(np.uint32 if x.dtype == np.float32 else np.uint64)


FORMS = {
    "single": "out[i] = {call}(x[i])",
    "wider": "out[i] = {call}(x[i])\n        wide[i] = wide[i] + 1.0",
    "narrower": "out[i] = {call}(x[i])\n        narrow[i] = x[i] > 0",
    "branch": "if x[i] > 0:\n            out[i] = {call}(x[i])\n        else:\n            out[i] = x[i]",
    "chain": "out[i] = {call}(x[i] * x[i]) * x[i] + {call}(x[i])",
    "one by one": "out[i] = {call}(x[i])\n        if out[i] == 1234.5:\n            break",
}


def loop(form, name, dtype):
    """The source of a loop with one of FORMS as its body."""
    size = np.dtype(dtype).itemsize
    lines = [
        "from layerkit.kernels.scalar import *",
        "def kernel(args, lo, hi, worker):",
        f"    x, out = {dtype}_at(args[0] + {size} * lo), {dtype}_at(args[1] + {size} * lo)",
        "    wide, narrow = float64_at(args[2] + 8 * lo), bool_at(args[3] + lo)",
        "    for i in range(hi - lo):",
        "        " + FORMS[form].format(call=f"{name}_{dtype}"),
    ]
    return "\n".join(lines)


def run_form(form, name, x):
    """What a loop of a form writes for x."""
    out = np.empty_like(x)
    operands = [operand_of(v) for v in (x, out, np.zeros(x.size), np.zeros(x.size, bool))]
    kernel = Kernel("generated", "kernel", source=loop(form, name, x.dtype.name))
    run_launches([Launch(kernel, operands, out.size, out.size + 1)], {o.buffer: o.buffer.array for o in operands})
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_equal_bits_in_every_form_of_loop(name, dtype):
    x = np.random.default_rng(3).normal(0, 6, 300_000).astype(dtype)
    x[:7] = [0.0, -0.0, math.inf, -math.inf, math.nan, 1e30, -1e30]
    whole = bits(run_form("one by one", name, x))
    for form in ("single", "wider", "narrower"):
        np.testing.assert_array_equal(bits(run_form(form, name, x)), whole, err_msg=form)
    branch = np.where(x > 0, whole, bits(x))
    np.testing.assert_array_equal(bits(run_form("branch", name, x)), branch)
    one_by_one = np.concatenate([run_form("chain", name, x[i : i + 1]) for i in range(100)])
    np.testing.assert_array_equal(bits(run_form("chain", name, x[:100])), bits(one_by_one))


@needs_registers
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["single", "wider", "narrower", "branch", "chain"])
def test_bodies_are_in_vectorised_loops(form, dtype):
    text = optimised_ir(resolve("generated", "kernel", (), loop(form, "tanh", dtype)), "symbol")

    element = "float" if dtype == "float32" else "double"
    assert re.search(rf"store <\d+ x {element}>|masked.store.v", text)
    assert "layerkit." not in text  # every body is inlined, and nothing else of them is left
