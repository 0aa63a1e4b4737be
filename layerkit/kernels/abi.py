"""The one calling convention of all kernels, and every Numba flag.

A kernel is a function `(args, lo, hi, worker)`: `args` points at its int64 arguments (addresses, sizes,
strides), it works on the units `lo..hi` of its own iteration space, and `worker` numbers the thread that
runs it, for per-thread scratch. Kernels allocate nothing and cannot raise. A unit's result must not depend
on which other units are computed in the same call: that is what makes results equal for any thread count.

This module imports Numba, so nothing above `kernels/` imports it before something has to be compiled.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from layerkit.kernels.pipeline import KernelCompiler, lowering_only

SIGNATURE = types.void(types.CPointer(types.intp), types.intp, types.intp, types.intp)

# Never nnan and ninf: LLVM would delete the checks for NaN and infinity that the kernels make.
FASTMATH = {"reassoc", "contract", "arcp", "nsz", "afn"}
_COMMON = {"error_model": "numpy", "boundscheck": False, "_nrt": False}  # without Numba's runtime: nothing is counted
FLAGS = {"fastmath": FASTMATH, **_COMMON}

# Generated kernels have more pointers than LLVM's default of 8 comparisons allows it to check for overlap before a
# vectorised loop.
llvm.set_option("layerkit", "--runtime-memory-check-threshold=128")

# Only kernels call these functions: no entry for Python or C is compiled with them.
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": KernelCompiler, "forceinline": True}

inline = njit(**FLAGS, **_INNER)
"""Decorator of a function that kernels call; LLVM inlines it."""

exact = njit(fastmath={"contract"}, **_COMMON, **_INNER)
"""Like `inline` where the order of operations is part of the meaning (compensated sums, range reduction)."""

LLVM_TYPES = {
    "float32": ir.FloatType(),
    "float64": ir.DoubleType(),
    "bool": ir.IntType(8),
    "int8": ir.IntType(8),
    "int16": ir.IntType(16),
    "int32": ir.IntType(32),
    "int64": ir.IntType(64),
    "uint8": ir.IntType(8),
    "uint16": ir.IntType(16),
    "uint32": ir.IntType(32),
    "uint64": ir.IntType(64),
}


def _pointer_intrinsic(dtype: str) -> Callable:
    # A bool is stored as the byte 0 or 1.
    element = types.uint8 if dtype == "bool" else getattr(types, dtype)

    @intrinsic
    def pointer(typing, address):
        def codegen(context, builder, signature, values):
            return builder.inttoptr(values[0], LLVM_TYPES[dtype].as_pointer())

        return types.CPointer(element)(types.intp), codegen

    return pointer


POINTERS = {dtype: _pointer_intrinsic(dtype) for dtype in LLVM_TYPES}
"""dtype name -> function that makes a typed pointer of an address. `POINTERS["float32"](address)[i]` reads
and writes element i, with no bounds and no negative-index check, so loops over it are vectorised."""

float32_at = POINTERS["float32"]
float64_at = POINTERS["float64"]
int32_at = POINTERS["int32"]
int64_at = POINTERS["int64"]
uint8_at = POINTERS["uint8"]
uint32_at = POINTERS["uint32"]


def _bits(source: types.Type, target: types.Type, llvm_type: ir.Type) -> Callable:
    @intrinsic
    def reinterpret(typing, value):
        return target(source), lambda context, builder, signature, values: builder.bitcast(values[0], llvm_type)

    return reinterpret


float32_from_bits = _bits(types.int32, types.float32, ir.FloatType())
bits_of_float32 = _bits(types.float32, types.int32, ir.IntType(32))
float64_from_bits = _bits(types.int64, types.float64, ir.DoubleType())
bits_of_float64 = _bits(types.float64, types.int64, ir.IntType(64))


@intrinsic
def select(typing, condition, x, y):
    """`x if condition else y` as a select: both sides are computed, nothing branches, and NaN is kept."""
    return x(types.boolean, x, x), lambda context, builder, signature, values: builder.select(*values)


@intrinsic
def like(typing, value, x):
    """A literal number in the type of x (a bare literal would pull float32 arithmetic up to float64)."""

    def codegen(context, builder, signature, values):
        return builder.fptrunc(values[0], ir.FloatType()) if x == types.float32 else values[0]

    return x(types.float64, x), codegen


@intrinsic
def call_kernel(typing, address, args, lo, hi, worker):
    """Call the kernel at an address."""

    def codegen(context, builder, signature, values):
        i64 = ir.IntType(64)
        function = ir.FunctionType(ir.VoidType(), [i64.as_pointer(), i64, i64, i64])
        address, args, lo, hi, worker = values
        args = builder.inttoptr(args, i64.as_pointer())
        builder.call(builder.inttoptr(address, function.as_pointer()), [args, lo, hi, worker])
        return context.get_dummy_value()

    return types.void(*(types.intp,) * 5), codegen


@intrinsic
def atomic_add(typing, address, value):
    """Add to the int64 at an address; give what was there before (sequentially consistent)."""

    def codegen(context, builder, signature, values):
        pointer = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", pointer, values[1], "seq_cst")

    return types.intp(types.intp, types.intp), codegen


@intrinsic
def atomic_load(typing, address):
    """Read the int64 at an address with acquire ordering."""

    def codegen(context, builder, signature, values):
        pointer = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
        return builder.load_atomic(pointer, "acquire", 8)

    return types.intp(types.intp), codegen


@intrinsic
def atomic_store(typing, address, value):
    """Write the int64 at an address with release ordering."""

    def codegen(context, builder, signature, values):
        pointer = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
        builder.store_atomic(values[1], pointer, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen


def vector_length(dtype: str = "float32") -> int:
    """Elements of a dtype in the widest vector register of this processor."""
    features = llvm.get_host_cpu_features()
    width = 64 if features.get("avx512f") else 32 if features.get("avx") else 16
    return width // {"float32": 4, "float64": 8}[dtype]


@dataclass(frozen=True)
class VectorFunction:
    """A function of a scalar that is a call until the vectoriser has put its variants for vectors into loops.

    Both are LLVM text: `declarations` of the variants and a global `kept` that refers to them, `definitions` of all.
    """

    kept: str
    declarations: Callable[[], str]
    definitions: Callable[[], str]


vector_functions: dict[str, VectorFunction] = {}
"""The name of each such function in a module -> what belongs to it (vector_registers.py)."""


def resolve(module: str, function: str, constants: tuple, source: str | None) -> Callable:
    """The Python function of a kernel: of a module in this folder, or of generated source text."""
    if source is not None:
        namespace: dict = {"__name__": f"layerkit.kernels.generated.{function}"}
        exec(compile(source, f"<layerkit kernel {function}>", "exec"), namespace)
        return namespace[function]
    found = getattr(importlib.import_module(f"layerkit.kernels.{module}"), function)
    return found(**dict(constants)) if constants else found


def compile_object(function: Callable, symbol: str) -> bytes:
    """Compile a kernel to relocatable object code that exports just `symbol`.

    Raises RuntimeError where the kernel needs Numba's runtime (it allocates or can raise).
    """
    return target_machine().emit_object(_optimised(function, symbol))


def optimised_ir(function: Callable, symbol: str) -> str:
    """The LLVM IR that `compile_object` makes machine code of."""
    return str(_optimised(function, symbol))


def _optimised(function: Callable, symbol: str) -> llvm.ModuleRef:
    """The kernel's LLVM IR, typed and lowered by Numba and optimised here.

    Optimisation is ours, for Numba's target machine keeps to half of the vector registers' width on Intel's server
    processors.
    """
    arguments, result = SIGNATURE.args, SIGNATURE.return_type
    with global_compiler_lock, lowering_only():
        unit = CFunc(function, (arguments, result), {}, FLAGS, pipeline_class=KernelCompiler)._compile_uncached()
        module = unit.library._final_module
        for library in dict.fromkeys(unit.library._linking_libraries):
            module.link_in(library._get_module_for_linking(), preserve=True)
        for defined in [*module.functions, *module.global_variables]:
            if defined.is_declaration:
                continue
            if defined.name == unit.fndesc.llvm_cfunc_wrapper_name:
                defined.name = symbol
            else:
                defined.linkage = "internal"
        _optimise(module)
    runtime_needs = [
        declared.name
        for declared in module.functions
        if declared.is_declaration and declared.name.startswith(("numba_", "NRT_", "Py"))
    ]
    if runtime_needs:
        raise RuntimeError(
            f"kernel {function.__name__} allocates or can raise: it calls {', '.join(runtime_needs)}. "
            "Kernels work on memory that the plan gives them, and check nothing that can fail."
        )
    return module


def _optimise(module: llvm.ModuleRef) -> None:
    """Run LLVM's optimiser, and then put in the bodies of the vector functions that are called."""
    called = [vector_functions[one.name] for one in module.functions if one.name in vector_functions]
    for function in called:
        module.link_in(llvm.parse_assembly(function.declarations()))
    builder = llvm.create_pass_builder(target_machine(), llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    if not called:
        return
    for function in called:
        module.link_in(llvm.parse_assembly(function.definitions()))
        module.get_global_variable(function.kept).linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)


@functools.cache
def target_machine() -> llvm.TargetMachine:
    """LLVM's code generator for this processor."""
    features = llvm.get_host_cpu_features()
    features["prefer-256-bit"] = False
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=3, reloc="pic", codemodel="jitdefault", jit=True
    )
