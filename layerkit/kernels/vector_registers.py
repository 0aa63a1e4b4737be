"""exp, log, tanh and sigmoid over whole AVX-512 registers, by instructions that LLVM does not make of scalar code.

Getexp and getmant take a float apart and know the special values, scalef scales by any power of two, permutations look
16 or 32 values up in registers, and rcp14 starts a division. Kernels call such a function on scalars like every other
elementary function. To LLVM it is a call that names the same function of vectors (the "vector function ABI"), which the
vectoriser puts in its loops; their bodies come in after it (`abi.VectorFunction`). The scalar function is one lane of
the vector's, and no operation may be contracted, so that what is left over of a loop gets equal bits.

The tables of log are Gal's ("Computing elementary functions", 1986): at the middle of each sixteenth of [1, 2) a c near
1 / m was searched whose logarithm is a float but for a thousandth of its last place. Those of tanh in float32 were
searched likewise, for points around which the constant coefficient needs no rounding.

Errors are at most 1.5 units of the last place for exp and log, 3 for tanh, and for sigmoid 3 in float32 and 2.5 in
float64; infinities, NaN and signed zeros come out as in C. `test_vector_math.py` and `test_vector_registers.py` assert
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
_TANH_PIECES = (  # p, c0, c1, c2 and c3 of each piece, see _tanh_float32
    (
        0.0, 0.0029855806, 0.015417486, 0.021138493, -0.011969076, -0.16023134, 1.7808152, 2.0250332, 2.7546484,
        2.2077005, 2.3541148, 2.5607414, 2.7949338, 3.0437376, 3.300531, 3.5620484, 3.8278217, 4.095315, 4.365324,
        4.6387563, 4.91096, 5.1845183, 5.460718, 5.7365136, 7.9170537, 6.2913246, 6.5687747, 6.83296, 7.117614,
        7.420798, 7.6895056, 7.2678475,
    ),
    (
        0.0, 0.0029907583, 0.015536944, 0.021368798, -0.014079747, -0.1872379, 0.95909184, 0.9699625, 0.9859508,
        0.9760784, 0.9821185, 0.9881365, 0.99255675, 0.995468, 0.99728584, 0.9983904, 0.9990537, 0.9994457, 0.99967694,
        0.999813, 0.9998915, 0.99993724, 0.9999639, 0.9999792, 0.9999913, 0.99999315, 0.99999607, 0.9999977, 0.9999987,
        0.9999993, 0.9999996, 0.99999994,
    ),
    (
        1.0, 1.0008503, 1.0036702, 1.0046021, 1.0074103, 1.0507933, -0.22271344, -0.07560088, 0.09056991,
        -0.0030237723, -0.012421754, -0.014170451, -0.01214321, -0.009156811, -0.006436092, -0.004331439,
        -0.0028259873, -0.001806251, -0.0011343155, -0.00070123986, -0.0004306585, -0.00026199967, -0.00015781845,
        -9.448873e-05, 0.00010140817, -3.3402022e-05, -1.9744808e-05, -1.25065135e-05, -6.9274365e-06, -3.9216875e-06,
        -2.3019518e-06, -2.257996e-06,
    ),
    (
        -0.3337621, -0.35792324, -0.40310305, -0.41687953, -0.38210887, -0.3076996, 0.23059638, 0.08211228,
        -0.03730904, 0.022553956, 0.020314688, 0.01474432, 0.009651196, 0.0059795044, 0.00359246, 0.0021190515,
        0.0012324655, 0.0007116573, 0.00040777956, 0.0002317194, 0.00013181321, 7.4697426e-05, 4.209158e-05,
        2.3694252e-05, -1.5977634e-05, 7.4738223e-06, 4.1937906e-06, 2.508699e-06, 1.33744e-06, 7.189722e-07,
        4.0614455e-07, 3.035241e-07,
    ),
    (
        0.015475791, 0.09258608, 0.1547022, 0.1685401, 0.14289057, 0.09589261, 0.040495817, -0.008351759, -0.0249186,
        -0.021988127, -0.014964145, -0.009114343, -0.005264839, -0.0029575068, -0.001638558, -0.00090172136,
        -0.00049331377, -0.0002697584, -0.0001471366, -7.9884725e-05, -4.3599186e-05, -2.3778028e-05, -1.292304e-05,
        -7.0382825e-06, -3.855156e-06, -2.0871678e-06, -1.1387885e-06, -6.557605e-07, -3.4497788e-07, -1.7998029e-07,
        -9.983199e-08, -3.849934e-08,
    ),
)
_EXPM1_OF_LN2_SIXTEENTHS = (
    0.0, 0.04427378242741384, 0.09050773266525766, 0.13878863475669165, 0.18920711500272105, 0.24185781207348406,
    0.29683955465100964, 0.3542555469368927, 0.41421356237309503, 0.4768261459394993, 0.5422108254079409,
    0.6104903319492543, 0.6817928305074291, 0.7562521603732995, 0.8340080864093424, 0.9152065613971473,
)
# fmt: on
_NARROW_PIECES, _PIECES_PER_UNIT = 6, 6.5808315
_TANH_HIGHEST = constant(8.66, 20.0)  # float32 is 1 from here on, 0.99 last places above; float64 rounds to 1 from 19.1


def _tanh_float32(a):
    """Hyperbolic tangent of 0 <= a, by a polynomial of degree 4 for each of 32 pieces.

    The sum below counts pieces: floats are one apart below 2**24 and two above it, so later pieces are twice as wide.
    The polynomial c0 + r (c1 + (r**2 + p) (c2 + c3 r)) has a coefficient less than its degree needs, for p, the point
    that r is the distance from, is chosen with them. It is 0 in the first piece, where c0 = 0 and c1 = 1.
    """
    piece = fma(a, a.like(_PIECES_PER_UNIT), a.like(2.0**24 - _NARROW_PIECES)).as_bits()
    by_low_bits = (table[_NARROW_PIECES:] + table[:_NARROW_PIECES] for table in _TANH_PIECES)  # those of 2**24 are 0
    p, c0, c1, c2, c3 = (looked_up(table, piece, a) for table in by_low_bits)
    r = a - p
    return fma(r, fma(fma(r, r, p), fma(r, c3, c2), c1), c0)


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
