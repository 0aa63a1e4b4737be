"""exp, log, tanh and sigmoid over whole AVX-512 registers, by instructions that LLVM does not make of scalar code.

Getexp and getmant take a float apart and know the special values, scalef scales by any power of two, permutations look
16 or 32 values up in registers, and rcp14 starts a division. Kernels call such a function on scalars like every other
elementary function. To LLVM it is a call that names the same function of vectors (the "vector function ABI"), which the
vectoriser puts in its loops; their bodies come in after it (`abi.VectorFunction`). The scalar function is one lane of
the vector's, and no operation may be contracted, so that what is left over of a loop gets equal bits.

The tables of log and tanh are Gal's ("Computing elementary functions", 1986). At the middle of each sixteenth of [1, 2)
a c near 1 / m was searched whose logarithm is a float but for a thousandth of its last place; and near the middle of
each of tanh's 32 pieces a point whose tanh is one.

Errors are at most 1.5 units of the last place for exp and log, 2 for tanh in float32 and 3 in float64, 3 and 2.5 for
sigmoid; infinities, NaN and signed zeros come out as in C. `test_vector_math.py` and `test_vector_registers.py` assert
them over all exponents, and equal bits in vectors and in what is left over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence

import llvmlite.binding as llvm
from llvmlite import ir
from llvmlite.ir.instructions import CallInstrAttributes
from numba import types
from numba.extending import intrinsic

from layerkit.kernels.abi import LLVM_TYPES, VectorFunction, vector_functions
from layerkit.kernels.lanes import I1, I32, splat
from layerkit.kernels.vector_primitives import (
    FLOAT,
    MANTISSA,
    Number,
    absolute,
    called,
    constant,
    copysign,
    select,
)
from layerkit.kernels.vector_primitives import multiplied_added as fma


def available() -> bool:
    """Whether this processor has the instructions."""
    features = llvm.get_host_cpu_features()
    return bool(features.get("avx512f")) and bool(features.get("avx512dq"))


LANES = {"float32": 16, "float64": 8}
_CURRENT_ROUNDING = I32(4)


class Register(Number):
    """A number in every lane of a register; its arithmetic is done as written."""

    __slots__ = ()
    flags = ()


# Instructions


def _masked(name: str, *x: Register, immediate: int | None = None) -> Register:
    """A masked AVX-512 instruction of one or two operands, with all lanes on."""
    lanes = x[0].value.type.count
    mask = ir.Constant(ir.IntType(lanes), -1)
    between = [] if immediate is None else [I32(immediate)]
    values = [*(one.value for one in x), *between, x[0].value, mask, _CURRENT_ROUNDING]
    return called(f"llvm.x86.avx512.mask.{name}.{_packed(x[0])}.512", x[0], arguments=values)


def _packed(x: Register) -> str:
    return "ps" if x.type == FLOAT else "pd"


def exponent_of(x: Register) -> Register:
    """floor(log2(abs(x))): -inf of 0, inf of an infinity, NaN of NaN."""
    return _masked("getexp", x)


def mantissa_of(x: Register) -> Register:
    """The mantissa x / 2**exponent_of(x), in [1, 2): 1 of +0 and inf, NaN of a negative number."""
    return _masked("getmant", x, immediate=0b1000)


def scaled(x: Register, n: Register) -> Register:
    """The product x * 2**floor(n), rounded, overflowing and underflowing once."""
    return _masked("scalef", x, n)


def limited(x: Register, limit: float) -> Register:
    """The number nearest to x in -limit..limit; of NaN one of the two."""
    everywhere = ir.Constant(ir.IntType(x.value.type.count), -1)
    smaller_size_with_sign_of_x = I32(0b0010)
    arguments = [x.value, x.like(limit).value, smaller_size_with_sign_of_x, x.value, everywhere, _CURRENT_ROUNDING]
    return called(f"llvm.x86.avx512.mask.range.{_packed(x)}.512", x, arguments=arguments)


def divided(x: Register, y: Register) -> Register:
    """The quotient x / y within a unit of the last place, for y in [2**-126, 2**128).

    Of float32 a reciprocal of 14 bits and a step of Newton's take a third of the divider's time.
    """
    if x.type != FLOAT:
        return x / y
    everywhere = ir.Constant(ir.IntType(16), -1)
    r = called("llvm.x86.avx512.rcp14.ps.512", y, arguments=[y.value, y.value, everywhere])
    q = x * r
    return fma(r, fma(-q, y, x), q)


def looked_up(table: Sequence[float], index: ir.Value, x: Register) -> Register:
    """The elements of a table that the low bits of each lane of `index` choose, in x's type.

    A table is of one or two registers: 16 or 32 float32, 16 float64.
    """
    kind = x.value.type
    parts = [ir.Constant(kind, list(table[at : at + kind.count])) for at in range(0, len(table), kind.count)]
    if len(parts) == 1:
        return called("llvm.x86.avx512.permvar.sf.512", x, arguments=[parts[0], index])
    return called(f"llvm.x86.avx512.vpermi2var.{_packed(x)}.512", x, arguments=[parts[0], index, parts[1]])


def polynomial(float32: tuple[float, ...], float64: tuple[float, ...]) -> Callable[[Register], Register]:
    """The polynomial with the coefficients of x's type, constant term first, by Horner's rule."""

    def horner(x: Register) -> Register:
        coefficients = float32 if x.type == FLOAT else float64
        result = x.like(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            result = fma(result, x, x.like(coefficient))
        return result

    return horner


# Functions

_LOG2_E = 1.4426950408889634
_LN2 = constant(0.6931471824645996, 0.6931471805599453)
_MINUS_LN2_HIGH = constant(-0.693359375, -0.6931471803691238)
_MINUS_LN2_LOW = constant(2.1219444e-4, -1.9082149292705877e-10)

# fmt: off
_RECIPROCALS = {
    "float32": (
        1.0, 0.914179265499115, 0.864595890045166, 0.8206610679626465, 0.7803850173950195, 0.7444644570350647,
        0.7110862731933594, 0.6810044646263123, 0.6532568335533142, 0.62762051820755, 0.6035881042480469,
        0.5817676782608032, 0.5614570379257202, 0.5422813892364502, 0.5246073603630066, 0.5,
    ),
    "float64": (
        1.0, 0.9143922469718813, 0.8648349975470612, 0.8204537761664454, 0.7803982772171439, 0.7442103837240974,
        0.7109078868218843, 0.6809843008627952, 0.653300394566639, 0.6274269473945137, 0.6037330648249241,
        0.5818387456973909, 0.5613111294442612, 0.542445650668991, 0.5246594119172057, 0.5,
    ),
}
# -log of the above. From 1.5 on they have the rounding error of ln 2 added, so that it cancels in x near 1.
_LOGARITHMS = {
    "float32": (
        0.0, 0.08972859382629395, 0.1454930603504181, 0.19764508306980133, 0.24796786904335022, 0.2950901687145233,
        0.3409615159034729, 0.38418641686439514, 0.4257849156856537, 0.4658195674419403, 0.5048632621765137,
        0.541684091091156, 0.5772200226783752, 0.6119702458381653, 0.6451051831245422, 0.6931471824645996,
    ),
    "float64": (
        0.0, 0.08949564535213454, 0.1452165445270237, 0.1978977062163309, 0.24795087779950284, 0.29543151029931564,
        0.3412124119713924, 0.38421602616326234, 0.4257182331762714, 0.466128033248156, 0.5046231243881845,
        0.5415619388899441, 0.5774799292521814, 0.6116673816848184, 0.6450059661181684, 0.6931471805599453,
    ),
}
_log_series = polynomial(  # (log(1 + r) - r) / r**2 from -1/32 to 1/16
    (-0.5, 0.3333445191383362, -0.25006103515625, 0.18845991790294647),
    (
        -0.5000000000000002, 0.3333333333334756, -0.24999999999837638, 0.19999999927527973, -0.16666666202894853,
        0.1428582069913827, -0.1250185090459545, 0.11070814185072002, -0.08740767621967123,
    ),
)
# fmt: on


def log(x):
    """Natural logarithm: of x = 2**e m, with m c = 1 + r, it is e ln 2 less that of c and plus that of 1 + r."""
    dtype = "float32" if x.type == FLOAT else "float64"
    e, m = exponent_of(x), mantissa_of(x)
    sixteenth = x.builder.lshr(x.as_bits(), x.bits(MANTISSA[x.type] - 4))
    r = fma(m, looked_up(_RECIPROCALS[dtype], sixteenth, x), x.like(-1.0))
    far = fma(e, _LN2(x), looked_up(_LOGARITHMS[dtype], sixteenth, x))
    return far + fma(r * r, _log_series(r), r)


# fmt: off
_POWERS_OF_TWO = (
    1.0, 1.0442737824274138, 1.0905077326652577, 1.1387886347566916, 1.189207115002721, 1.241857812073484,
    1.2968395546510096, 1.3542555469368927, 1.4142135623730951, 1.4768261459394993, 1.5422108254079407,
    1.6104903319492543, 1.681792830507429, 1.7562521603732995, 1.8340080864093424, 1.9152065613971474,
)
_exp_series = polynomial(  # (exp(r) - 1 - r) / r**2 up to ln(2) / 32
    (0.5000021, 0.16666917),
    (0.499999999999996, 0.16666666664408758, 0.04166666669330626, 0.008333472202281526, 0.001388859428722069),
)
_expm1_series = polynomial(  # the same, as close in proportion to exp(r) - 1
    (),
    (
        0.5000000000000001, 0.16666666666666669, 0.04166666666347022, 0.008333333332930643,
        0.0013889066961092396, 0.00019841475295233116,
    ),
)
# fmt: on
_LONGEST_REST = 0.022  # ln(2) / 32 and some rounding
_SIGMOID_LOWEST = constant(-88.5, -709.5)


def _sixteenths(x: Register, scale: float) -> tuple[Register, ir.Value]:
    """The product scale x / ln 2 rounded to sixteenths, and their number in an integer's low bits."""
    magic = x.like(1.5 * 2.0 ** (MANTISSA[x.type] - 4))
    shifted = fma(x, x.like(scale * _LOG2_E), magic)
    return shifted - magic, shifted.as_bits()


def _rest(x: Register, n: Register) -> Register:
    """What x has beyond n ln 2."""
    return fma(n, _MINUS_LN2_LOW(x), fma(n, _MINUS_LN2_HIGH(x), x))


def exp(x):
    """The exponential e**x.

    Where x is far beyond the finite results, n alone decides; limits keep the rest from being infinite or NaN.
    """
    n, sixteenth = _sixteenths(x, 1.0)
    r = limited(_rest(x, n), _LONGEST_REST)
    power = looked_up(_POWERS_OF_TWO, sixteenth, x)
    return scaled(fma(power, fma(r * r, _exp_series(r), r), power), n)


def sigmoid(x):
    """Logistic function 1 / (1 + exp(-x)); the exponential is kept from overflowing, where the result is subnormal."""
    lowest = _SIGMOID_LOWEST(x)
    return divided(x.like(1.0), 1.0 + exp(-select(x < lowest, lowest, x)))


# fmt: off
_TANH_PIECES = (  # the point of each piece, and the polynomial's coefficients around it, constant term first
    (
        0.0, 0.28732982, 0.5736669, 0.86193615, 1.1493438, 1.4338384, 1.7235383, 2.0051541, 2.2918398, 2.5830612,
        2.8658006, 3.1532867, 3.4450996, 3.7330596, 4.017481, 4.304263, 4.5904994, 4.874471, 5.1659827, 5.455148,
        5.739672, 6.0252795, 6.314098, 6.6007714, 6.8866653, 7.1664734, 7.465392, 7.76846, 7.9711924, 8.317766,
        8.66434, 8.66434,
    ),
    (
        0.0, 0.27967533, 0.51804715, 0.6972539, 0.8175366, 0.8924505, 0.9382877, 0.9643899, 0.9797722, 0.98865145,
        0.9935372, 0.9963581, 0.99796665, 0.99885637, 0.99935234, 0.999635, 0.99979407, 0.9998833, 0.99993485,
        0.99996346, 0.9999793, 0.9999883, 0.99999344, 0.9999963, 0.9999979, 0.9999988, 0.99999934, 0.99999964,
        0.99999976, 0.9999999, 0.99999994, 0.99999994,
    ),
    (
        1.0, 0.92178196, 0.7316272, 0.513837, 0.33163387, 0.20353207, 0.11961623, 0.06995208, 0.040046416,
        0.022568302, 0.012883856, 0.007270543, 0.004062572, 0.0022859606, 0.0012949087, 0.00072990445, 0.00041182566,
        0.00023339817, 0.00013029149, 7.307394e-05, 4.1365198e-05, 2.3364884e-05, 1.311298e-05, 7.3909664e-06,
        4.172319e-06, 2.384184e-06, 1.3113015e-06, 7.152558e-07, 4.768372e-07, 2.3841855e-07, 1.1920918e-07,
        1.19208686e-07,
    ),
    (
        6.626018e-07, -0.25778717, -0.37901115, -0.35827675, -0.2711259, -0.1816439, -0.11223488, -0.06746107,
        -0.03923624, -0.022312066, -0.012800509, -0.0072440114, -0.004054284, -0.0022833294, -0.0012940599,
        -0.0007296323, -0.00041173777, -0.00023336752, -0.00013028218, -7.306878e-05, -4.1364132e-05, -2.3364313e-05,
        -1.3113032e-05, -7.3914794e-06, -4.1720473e-06, -2.3840983e-06, -1.3112088e-06, -7.152918e-07, -4.768829e-07,
        -2.3841159e-07, -1.19191014e-07, -1.1917806e-07,
    ),
    (
        -0.33337322, -0.23522055, -0.04755117, 0.07853294, 0.11111823, 0.09426532, 0.06543786, 0.041742094,
        0.025094138, 0.014536099, 0.008423478, 0.0047942977, 0.0026917474, 0.0015187443, 0.00086158863, 0.00048606892,
        0.00027438524, 0.00015554205, 8.6845874e-05, 4.8712096e-05, 2.7574832e-05, 1.5575833e-05, 8.741796e-06,
        4.92711e-06, 2.7815636e-06, 1.5894369e-06, 8.741911e-07, 4.7674084e-07, 3.180255e-07, 1.5894247e-07,
        7.9510244e-08, 7.909556e-08,
    ),
    (
        0.00072203757, 0.14968868, 0.14996965, 0.06499769, 4.216136e-05, -0.023321178, -0.023918135, -0.017771699,
        -0.01152845, -0.006952791, -0.004114965, -0.0023702753, -0.0013395713, -0.00075865194, -0.00043129074,
        -0.00024359587, -0.00013758852, -7.8111036e-05, -4.3565924e-05, -2.454035e-05, -1.3833753e-05, -7.822933e-06,
        -4.3761147e-06, -2.4440799e-06, -1.407382e-06, -8.01004e-07, -4.4276823e-07, -2.3695193e-07, -1.5541498e-07,
        -8.002994e-08, -4.1049926e-08, -3.7751825e-08,
    ),
    (
        0.12892014, 0.05889075, -0.044454195, -0.059688076, -0.029753588, -0.0060261753, 0.0032312279, 0.004737549,
        0.0037830065, 0.00251716, 0.0015443752, 0.0009116075, 0.000530741, 0.0003009418, 0.00017156129, 9.700783e-05,
        5.4660246e-05, 3.1216292e-05, 1.7347602e-05, 9.6944395e-06, 5.5335427e-06, 3.1294944e-06, 1.7535509e-06,
        9.917792e-07, 5.577071e-07, 3.208889e-07, 1.7409614e-07, 1.050574e-07, 4.406954e-08, 3.2038532e-08,
        1.1567482e-08, 1.0934748e-08,
    ),
)
_EXPM1_OF_LN2_SIXTEENTHS = (
    0.0, 0.04427378242741384, 0.09050773266525766, 0.13878863475669165, 0.18920711500272105, 0.24185781207348406,
    0.29683955465100964, 0.3542555469368927, 0.41421356237309503, 0.4768261459394993, 0.5422108254079409,
    0.6104903319492543, 0.6817928305074291, 0.7562521603732995, 0.8340080864093424, 0.9152065613971473,
)
# fmt: on
_PIECES_PER_UNIT = 3.484375
_TANH_HIGHEST = constant(9.03, 20.0)  # tanh rounds to 1 from 9.02 or 19.1


def _tanh_float32(a):
    """Hyperbolic tangent of 0 <= a, by a polynomial for each of 32 pieces as long as one another."""
    piece = fma(a, a.like(_PIECES_PER_UNIT), a.like(1.5 * 2.0**23)).as_bits()
    point, *coefficients = (looked_up(table, piece, a) for table in _TANH_PIECES)
    r = a - point
    y = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        y = fma(y, r, coefficient)
    return y


def _tanh_float64(a):
    """Hyperbolic tangent of 0 <= a as t / (t + 2), t = exp(2a) - 1."""
    n, sixteenth = _sixteenths(a, 2.0)
    h = fma(n, 0.5 * _MINUS_LN2_LOW(a), fma(n, 0.5 * _MINUS_LN2_HIGH(a), a))
    r = h + h
    m = fma(r * r, _expm1_series(r), r)
    scale = scaled(a.like(1.0), n)
    near = looked_up(_EXPM1_OF_LN2_SIXTEENTHS, sixteenth, a)
    t = fma(scale, near + fma(near, m, m), scale - 1.0)
    return t / (t + 2.0)


def tanh(x):
    """Hyperbolic tangent."""
    a, highest = absolute(x), _TANH_HIGHEST(x)
    a = select(a > highest, highest, a)
    return copysign(_tanh_float32(a) if x.type == FLOAT else _tanh_float64(a), x)


FUNCTIONS = {"exp": exp, "log": log, "sigmoid": sigmoid, "tanh": tanh}


# Their place in a module


class _Variants(CallInstrAttributes):
    """The attribute of a call that names its vector functions."""

    def __init__(self, text: str) -> None:
        super().__init__()
        set.add(self, text)


def _variants(symbol: str, dtype: str) -> Iterator[tuple[str, int, bool]]:
    """(name, lanes, whether it takes a mask) of the functions of vectors that belong to a scalar one."""
    lanes = LANES[dtype]
    while lanes > 1:
        yield f"{symbol}.x{lanes}", lanes, False
        yield f"{symbol}.masked.x{lanes}", lanes, True
        lanes //= 2


def _declared(module: ir.Module, name: str, arguments: Sequence[ir.Type]) -> ir.Function:
    """A function that has no effect but its value, which has its first argument's type."""
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(arguments[0], arguments), name)
    for attribute in ("nounwind", "readnone"):
        function.attributes.add(attribute)
    set.add(function.attributes, "willreturn")
    return function


def _begun(module: ir.Module, name: str, arguments: Sequence[ir.Type]) -> tuple[ir.Function, ir.IRBuilder]:
    """A function that will be inlined, and the builder of its body."""
    function = _declared(module, name, arguments)
    function.linkage = "linkonce_odr"
    function.attributes.add("alwaysinline")
    return function, ir.IRBuilder(function.append_basic_block())


def _arguments(dtype: str, lanes: int, masked: bool) -> list[ir.Type]:
    vector = ir.VectorType(LLVM_TYPES[dtype], lanes)
    return [vector, ir.VectorType(I1, lanes)] if masked else [vector]


@functools.cache
def _declarations(symbol: str, dtype: str) -> str:
    """LLVM text that declares the variants, and keeps them from being thrown away before the vectoriser runs."""
    module = ir.Module()
    functions = [_declared(module, name, _arguments(dtype, *form)) for name, *form in _variants(symbol, dtype)]
    byte = ir.IntType(8).as_pointer()
    kind = ir.ArrayType(byte, len(functions))
    kept = ir.GlobalVariable(module, kind, f"{symbol}.kept")
    kept.global_constant = True
    kept.initializer = ir.Constant(kind, [function.bitcast(byte) for function in functions])
    return str(module)


@functools.cache
def _definitions(symbol: str, name: str, dtype: str) -> str:
    """LLVM text of the function of a scalar and of its variants; all compute with whole registers."""
    module, full = ir.Module(), LANES[dtype]
    register, builder = _begun(module, f"{symbol}.register", _arguments(dtype, full, False))
    builder.ret(FUNCTIONS[name](Register(builder, register.args[0])).value)

    function, builder = _begun(module, symbol, [LLVM_TYPES[dtype]])
    y = builder.call(register, [splat(builder, function.args[0], full)])
    builder.ret(builder.extract_element(y, I32(0)))

    for variant, lanes, masked in _variants(symbol, dtype):
        function, builder = _begun(module, variant, _arguments(dtype, lanes, masked))
        y = builder.call(register, [_resized(builder, function.args[0], full)])
        builder.ret(_resized(builder, y, lanes))
    return str(module)


def _resized(builder: ir.IRBuilder, vector: ir.Value, lanes: int) -> ir.Value:
    """The first lanes of a vector, or its lanes over and over."""
    undefined = ir.Constant(vector.type, ir.Undefined)
    numbers = [lane % vector.type.count for lane in range(lanes)]
    return builder.shuffle_vector(vector, undefined, ir.Constant(ir.VectorType(I32, lanes), numbers))


def in_registers(name: str, dtype: str) -> Callable:
    """The function of a name in FUNCTIONS as a function of a dtype for Numba code."""
    kind, symbol = getattr(types, dtype), f"layerkit.{name}.{dtype}"
    variants = ",".join(
        f"_ZGV_LLVM_{'M' if masked else 'N'}{lanes}v_{symbol}({variant})"
        for variant, lanes, masked in _variants(symbol, dtype)
    )
    vector_functions[symbol] = VectorFunction(
        kept=f"{symbol}.kept",
        declarations=lambda: _declarations(symbol, dtype),
        definitions=lambda: _definitions(symbol, name, dtype),
    )

    def emit(context, builder, signature, values):
        call = builder.call(_declared(builder.module, symbol, [LLVM_TYPES[dtype]]), values)
        call.attributes = _Variants(f'"vector-function-abi-variant"="{variants}"')
        return call

    @intrinsic
    def call(typing, x):
        return kind(kind), emit

    return call
