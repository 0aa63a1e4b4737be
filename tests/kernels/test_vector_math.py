"""Elementary functions: error in last places, special values, and that they are vectorised in their own type."""

import math
import re

import numpy as np
import pytest

from layerkit.kernels import abi, vector_math
from layerkit.kernels.launch import Kernel, Launch
from layerkit.runtime.plan import operand_of, run_launches

llvm = pytest.importorskip("llvmlite.binding")
inf, nan = math.inf, math.nan


def _erf(x, function):
    return np.array([function(float(v)) for v in x], x.dtype)


def _sigmoid(x):
    e = np.exp(-abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


# name: (reference, bound in float32, bound in float64)
UNARY = {
    "exp": (np.exp, 1.5, 1.5),
    "expm1": (np.expm1, 2, 2),
    "log": (np.log, 1.5, 1.5),
    "log1p": (np.log1p, 2, 2),
    "log2": (np.log2, 2, 2),
    "log10": (np.log10, 2, 2),
    "tanh": (np.tanh, 3, 3),
    "sigmoid": (_sigmoid, 3, 2.5),
    "softplus": (lambda x: np.maximum(x, 0) + np.log1p(np.exp(-abs(x))), 2, 2),
    "sinh": (np.sinh, 2, 2),
    "cosh": (np.cosh, 2, 2),
    "sqrt": (np.sqrt, 0.51, 0.51),
    "rsqrt": (lambda x: 1 / np.sqrt(x), 1.5, 1.5),
    "erf": (lambda x: _erf(x, math.erf), 1.5, 2.5),
    "erfc": (lambda x: _erf(x, math.erfc), 5, 6),
    "arctan": (np.arctan, 2.5, 1),
    "arcsin": (np.arcsin, 2.5, 1),
    "arccos": (np.arccos, 1.5, 1),
    "arcsinh": (np.arcsinh, 2, 2.5),
    "arccosh": (np.arccosh, 2, 2.5),
    "arctanh": (np.arctanh, 2.5, 2.5),
    "floor": (np.floor, 0, 0),
    "ceil": (np.ceil, 0, 0),
    "trunc": (np.trunc, 0, 0),
    "round": (np.rint, 0, 0),
    "sign": (np.sign, 0, 0),
}
# What processors without AVX-512 compute.
UNARY |= {f"portable_{name}": UNARY[name] for name in ("exp", "log", "sigmoid")}
UNARY["portable_tanh"] = (np.tanh, 2.5, 3)
PERIODIC = {"sin": (np.sin, 1.5), "cos": (np.cos, 1.5), "tan": (np.tan, 3)}
BINARY = {"pow": np.power, "arctan2": np.arctan2, "mod": np.mod, "floor_divide": np.floor_divide}
SCALAR_IN_FLOAT64 = {"sin", "cos", "tan", "arctan", "arcsin", "arccos", "arctan2", "pow"}
SCALAR = {"mod", "floor_divide"}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, inf, -inf, nan]


def source(name, dtype, arity):
    size = np.dtype(dtype).itemsize
    lines = [f"    x{k} = {dtype}_at(args[{k}] + {size} * lo)" for k in range(arity)]
    values = ", ".join(f"x{k}[i]" for k in range(arity))
    return "\n".join(
        [
            f"from layerkit.kernels.abi import {dtype}_at",
            f"from layerkit.kernels.vector_math import {name}_{dtype}",
            "def kernel(args, lo, hi, worker):",
            *lines,
            f"    out = {dtype}_at(args[{arity}] + {size} * lo)",
            "    for i in range(hi - lo):",
            f"        out[i] = {name}_{dtype}({values})",
            "",
        ]
    )


def run(name, *x):
    """The function `name` of each element."""
    x = [np.ascontiguousarray(v) for v in x]
    out = np.empty_like(x[0])
    operands = [operand_of(v) for v in (*x, out)]
    kernel = Kernel("generated", "kernel", source=source(name, x[0].dtype.name, len(x)))
    run_launches([Launch(kernel, operands, out.size, out.size + 1)], {o.buffer: o.buffer.array for o in operands})
    return out


def ulps(y, exact):
    """Error of y in its last places; infinite where one of both is NaN or infinite and the other is not."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(y.dtype)
        space = np.spacing(np.where(np.isfinite(rounded), abs(rounded), np.finfo(y.dtype).max)).astype(exact.dtype)
        error = abs(y.astype(exact.dtype) - np.where(np.isfinite(rounded), exact, 0)) / space
    # A result within rounding of the largest number may be either that or infinity.
    edge = (abs(exact) > np.finfo(y.dtype).max * (1 - 4 * np.finfo(y.dtype).eps)) & (abs(y) >= np.finfo(y.dtype).max)
    # Plans flush what is below the smallest normal number to zero (kernels/walker.py).
    tiny = np.finfo(y.dtype).tiny
    flushed = (abs(exact) < tiny) & (abs(y) <= tiny)
    agree = (y == rounded) | (np.isnan(y) & np.isnan(rounded)) | edge
    return np.where(
        agree & ~np.isfinite(rounded) | edge | flushed, 0, np.where(np.isfinite(y) & np.isfinite(rounded), error, inf)
    )


def points(dtype, count):
    """All exponents of both signs, the middle more densely, and what is special."""
    integer = {4: np.uint32, 8: np.uint64}[np.dtype(dtype).itemsize]
    bits = np.arange(count // 2, dtype=integer) * integer(np.iinfo(integer).max // (count // 2))
    random = np.random.default_rng(0)
    middle = [random.normal(0, scale, count // 8) for scale in (1e-3, 0.5, 3, 30)]
    info = np.finfo(dtype)
    limits = [info.tiny, info.smallest_subnormal, info.max, -info.max, 88.72284, 709.782712893384, -103.5, -745.2]
    with np.errstate(all="ignore"):
        x = np.concatenate([np.array(part, dtype) for part in (bits.view(dtype), *middle, limits, SPECIAL)])
    x = np.where(abs(x) < info.tiny, np.copysign(dtype(0), x), x)
    return np.where(np.isnan(x), dtype(nan), x)


def errors(name, dtype, count):
    reference = UNARY[name][0]
    x = points(dtype, count)
    with np.errstate(all="ignore"):
        exact = reference(x.astype(np.float64 if dtype == np.float32 else np.longdouble))
    y = run(name, x)
    return x, y, exact, ulps(y, exact)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
def test_error_in_last_places(name, dtype):
    slow = name in ("erf", "erfc")  # the reference is a Python loop
    count = 2_000_000 if dtype == np.float32 else 200_000
    x, y, exact, error = errors(name, dtype, count // 10 if slow else count)
    bound = UNARY[name][1 if dtype == np.float32 else 2]
    worst = np.argmax(error)
    assert error[worst] <= bound, f"{name}({x[worst]!r}) is {y[worst]!r}, not {exact[worst]!r}"
    signs = np.signbit(y) == np.signbit(exact)
    assert np.all(signs | np.isnan(y)), x[~signs & ~np.isnan(y)][:5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_nan_stays_one(dtype):
    """Functions that compute with a float's bits must not take those of a NaN for an exponent."""
    integer, width = (np.uint32, 32) if dtype == np.float32 else (np.uint64, 64)
    quiet = int(np.array(nan, dtype).view(integer))
    payloads = [quiet | k for k in (0, 1, 2, 127, 128, 129, 255, 511, 1023, 2047, 12345)]
    x = np.array([bits | sign << (width - 1) for bits in payloads for sign in (0, 1)], integer).view(dtype)
    for name in UNARY:
        assert np.isnan(run(name, x)).all(), name


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "tanh", "sigmoid", "erf"])
def test_error_of_float32_around_the_limits(name):
    """Every number near where the result overflows, underflows, saturates or changes its formula."""
    limits = [-104, -103.3, -88.7228, -88.376, -87.3365, -86.99, -9.01, -4, -1, 1, 4, 9.01, 86.99, 88.376, 88.7228]
    limits += [0.34657, -0.34657, 0.5**0.5, 2**0.5, 2.0**-126, 2.0**-23, 0.5, 1.064, 8.66, -8.66]
    bits = np.array(limits, np.float32).view(np.int32)
    x = (bits[:, None] + np.arange(-400, 400, dtype=np.int32)).ravel().view(np.float32)
    x = x[abs(x) >= np.finfo(np.float32).tiny]
    reference, bound, _ = UNARY[name]
    with np.errstate(all="ignore"):
        error = ulps(run(name, x), reference(x.astype(np.float64)))
    assert error.max() <= bound, x[np.argmax(error)]


@pytest.mark.parametrize("name", PERIODIC)
def test_periodic_functions(name):
    reference, bound = PERIODIC[name]
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(-s, s, 300_000) for s in (1, 10, 1e3, 1e5)]).astype(np.float32)
    assert ulps(run(name, x), reference(x.astype(np.longdouble))).max() <= bound
    special = np.array([0.0, -0.0, inf, -inf, nan], np.float32)
    with np.errstate(invalid="ignore"):
        expected = reference(special)
    np.testing.assert_array_equal(run(name, special), expected)
    assert list(np.signbit(run(name, special)[:2])) == list(np.signbit(expected[:2]))
    x = x.astype(np.float64)
    np.testing.assert_allclose(run(name, x), reference(x), rtol=1e-15)


def test_pow():
    random = np.random.default_rng(0)
    base = np.exp(random.uniform(-40, 40, 500_000)).astype(np.float32)
    power = random.uniform(-3, 3, base.size).astype(np.float32)
    with np.errstate(all="ignore"):
        assert ulps(run("pow", base, power), np.power(base.astype(np.float64), power)).max() <= 0.51


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BINARY)
def test_special_values_of_binary_functions(name, dtype):
    values = np.array([*SPECIAL, 2, -2, 3, -3, 1e30, -1e30, 1e-30], dtype)
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        expected = BINARY[name](x, y)
    found = run(name, x, y)
    bound = 3e-7 if dtype == np.float32 else 1e-15
    np.testing.assert_allclose(found, expected, rtol=bound, atol=np.finfo(dtype).tiny)
    zeros = (expected == 0) & np.array([name != "floor_divide" or math.isfinite(v) for v in y])
    np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(expected[zeros]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_mod_and_floor_divide_of_random_numbers(dtype):
    random = np.random.default_rng(0)
    x, y = random.normal(0, 1e3, 10_000).astype(dtype), random.normal(0, 3, 10_000).astype(dtype)
    np.testing.assert_array_equal(run("mod", x, y), np.mod(x, y))
    np.testing.assert_array_equal(run("floor_divide", x, y), np.floor_divide(x, y))
    angle = np.arctan2(x.astype(np.longdouble), y)
    assert ulps(run("arctan2", x, y), angle).max() <= 3.5


def test_every_function_has_both_names():
    for name in [*UNARY, *PERIODIC, *BINARY]:
        assert hasattr(vector_math, f"{name}_float32")
        assert hasattr(vector_math, f"{name}_float64")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vector_loop_and_remainder_give_equal_bits(dtype):
    x = np.random.default_rng(0).normal(0, 3, 100).astype(dtype)
    for name in [*UNARY, *PERIODIC, *BINARY]:
        arguments = (x, x[::-1]) if name in BINARY else (x,)
        parts = [run(name, *(v[i : i + 7] for v in arguments)) for i in range(0, x.size, 7)]
        np.testing.assert_array_equal(np.concatenate(parts), run(name, *arguments), err_msg=name)


def combined(names, dtype):
    """A kernel with one loop for each function."""
    size = np.dtype(dtype).itemsize
    lines = ["from layerkit.kernels import vector_math", f"from layerkit.kernels.abi import {dtype}_at"]
    lines += [f"{name}_{dtype} = vector_math.{name}_{dtype}" for name in names]
    lines += ["def kernel(args, lo, hi, worker):", f"    x, y = {dtype}_at(args[0]), {dtype}_at(args[1])"]
    for place, name in enumerate(names):
        lines.append(f"    out = {dtype}_at(args[2] + {size * place} * lo)")
        values = "x[i], y[i]" if name in BINARY else "x[i]"
        lines.append(f"    for i in range(hi - lo):\n        out[i] = {name}_{dtype}({values})")
    return "\n".join(lines)


def optimised(kernel_source):
    """The LLVM text of a kernel from which machine code is made."""
    texts = []
    emit = llvm.TargetMachine.emit_object

    def emit_object(machine, module):
        texts.append(str(module))
        return emit(machine, module)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llvm.TargetMachine, "emit_object", emit_object)
        abi.compile_object(abi.resolve("generated", "kernel", (), kernel_source), "symbol")
    return texts[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_loop_is_vectorised_in_its_own_type(dtype):
    # pow of float32 works in float64 and mod in either calls fmod, as the module says.
    scalar = SCALAR | SCALAR_IN_FLOAT64 if dtype == "float64" else SCALAR | {"pow"}
    names = [name for name in [*UNARY, *PERIODIC, *BINARY] if name not in scalar]
    text = optimised(combined(names, dtype))
    element = "float" if dtype == "float32" else "double"
    assert len(re.findall(r"^vector\.body[\w.]*:", text, re.MULTILINE)) >= len(names)
    assert len(re.findall(rf"store <\d+ x {element}>", text)) >= len(names)
    own = ("llvm.", "_ZN8layerkit7kernels9generated6kernel")
    assert [name for name in re.findall(r"call [^\n]*@([\w.]+)", text) if not name.startswith(own)] == []
    if dtype == "float32":
        assert "double" not in text


def test_pow_of_float32_is_vectorised():
    text = optimised(source("pow", "float32", 2))
    assert re.search(r"store <\d+ x float>", text)
