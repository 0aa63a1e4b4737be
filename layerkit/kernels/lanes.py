"""LLVM's vectors: what the inner loops of kernels are emitted with where LLVM's own vectoriser would do worse.

An emitted loop needs no check whether its operands overlap, has one masked step at its end instead of a scalar loop,
and is no function that Numba types.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import Parameter, Signature

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from layerkit.kernels.abi import LLVM_TYPES, vector_length

X86 = platform.machine() in ("x86_64", "AMD64")
I1, I8, I32, I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
ITEMSIZE = {"float32": 4, "float64": 8}
CONTRACT = ("contract",)
"""Flags of arithmetic in the written order. Without flags, instructions get those of the kernel around them."""


def splat(builder: ir.IRBuilder, value: ir.Value, lanes: int) -> ir.Value:
    """A vector with `value` in every lane."""
    undefined = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = builder.insert_element(undefined, value, I32(0))
    return builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(I32, lanes), [0] * lanes))


def lane_mask(builder: ir.IRBuilder, lanes: int, count: ir.Value) -> ir.Value:
    """<lanes x i1> that is set in the lanes below `count` (int64; none, if it is negative)."""
    numbers = ir.Constant(ir.VectorType(I32, lanes), list(range(lanes)))
    return builder.icmp_signed("<", numbers, splat(builder, builder.trunc(count, I32), lanes))


def declared(module: ir.Module, name: str, result: ir.Type, arguments: list[ir.Type]) -> ir.Function:
    """The function of a name in a module, declared where it is not yet."""
    return module.globals.get(name) or ir.Function(module, ir.FunctionType(result, arguments), name)


class Lanes:
    """Vector loads, stores and multiply-adds of one dtype in one function that is being emitted."""

    def __init__(self, builder: ir.IRBuilder, dtype: str, count: int | None = None) -> None:
        self.builder = builder
        self.scalar = LLVM_TYPES[dtype]
        self.count = vector_length(dtype) if count is None else count
        self.type = ir.VectorType(self.scalar, self.count)
        self.mask_type = ir.VectorType(ir.IntType(1), self.count)
        self.align = ITEMSIZE[dtype]
        self.suffix = f"v{self.count}f{8 * self.align}"
        self.zero = self.constant(0.0)

    def constant(self, value: float) -> ir.Constant:
        """A literal in every lane."""
        return ir.Constant(self.type, [value] * self.count)

    def splat(self, value: ir.Value) -> ir.Value:
        """A vector with `value` in every lane."""
        return splat(self.builder, value, self.count)

    def mask(self, count: ir.Value) -> ir.Value:
        """The mask of the first `count` lanes."""
        return lane_mask(self.builder, self.count, count)

    def pointer(self, address: ir.Value) -> ir.Value:
        """An address as a pointer to a scalar."""
        return self.builder.inttoptr(address, self.scalar.as_pointer())

    def fma(self, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
        """Return a * b + c, rounded once."""
        function = declared(self.builder.module, f"llvm.fma.{self.suffix}", self.type, [self.type] * 3)
        return self.builder.call(function, [a, b, c])

    def load(self, pointer: ir.Value, mask: ir.Value | None = None) -> ir.Value:
        """The vector at a scalar pointer; lanes outside the mask are zero and not read."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self.align)
        arguments = [pointer.type, I32, self.mask_type, self.type]
        function = declared(self.builder.module, f"llvm.masked.load.{self.suffix}.p0", self.type, arguments)
        return self.builder.call(function, [pointer, I32(self.align), mask, self.zero])

    def store(self, value: ir.Value, pointer: ir.Value, mask: ir.Value | None = None) -> None:
        """Write a vector, the lanes in the mask, at a scalar pointer."""
        pointer = self.builder.bitcast(pointer, self.type.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=self.align)
            return
        arguments = [self.type, pointer.type, I32, self.mask_type]
        function = declared(self.builder.module, f"llvm.masked.store.{self.suffix}.p0", ir.VoidType(), arguments)
        self.builder.call(function, [value, pointer, I32(self.align), mask])

    def for_vectors(self, count: ir.Value, body: Callable[[ir.Value, ir.Value | None], None]) -> None:
        """Emit `body(offset in bytes, mask)` for the vectors that `count` elements make, the last with a mask."""
        builder = self.builder
        with cgutils.for_range(builder, builder.sdiv(count, I64(self.count))) as loop:
            body(builder.mul(loop.index, I64(self.count * self.align)), None)
        rest = builder.srem(count, I64(self.count))
        with builder.if_then(builder.icmp_signed(">", rest, I64(0))):
            body(builder.mul(builder.sub(count, rest), I64(self.align)), self.mask(rest))


@contextmanager
def for_steps(builder: ir.IRBuilder, stop: ir.Value, step: int) -> Iterator[ir.Value]:
    """Emit a loop over range(0, stop, step) around what is emitted inside."""
    with cgutils.for_range_slice(builder, I64(0), stop, I64(step)) as (index, _):
        yield index


def emitted(arity: int, emit: Callable[..., None]) -> Callable:
    """The function of `arity` integers for Numba code whose instructions `emit(builder, *values)` appends."""

    def define(typing, *arguments):
        def codegen(context, builder, signature, values):
            emit(builder, *values)
            return context.get_dummy_value()

        return types.void(*(types.intp,) * arity), codegen

    names = ["typing", *(f"argument{i}" for i in range(arity))]
    define.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names])
    return intrinsic(define)


def _clear(builder: ir.IRBuilder, address: ir.Value, nbytes: ir.Value) -> None:
    byte = I8.as_pointer()
    function = declared(builder.module, "llvm.memset.p0.i64", ir.VoidType(), [byte, I8, I64, ir.IntType(1)])
    count = builder.select(builder.icmp_signed("<", nbytes, I64(0)), I64(0), nbytes)
    builder.call(function, [builder.inttoptr(address, byte), I8(0), count, ir.IntType(1)(0)])


clear = emitted(2, _clear)
"""`clear(address, nbytes)` writes zeros."""


def _stream(builder: ir.IRBuilder, wanted: ir.Value, target: ir.Value, source: ir.Value, nbytes: ir.Value) -> None:
    byte, vector = I8.as_pointer(), ir.VectorType(I32, 16).as_pointer()
    nbytes = builder.mul(nbytes, wanted)
    with builder.if_then(builder.icmp_signed(">", nbytes, I64(0))):
        whole = builder.icmp_unsigned("==", builder.and_(builder.or_(target, nbytes), I64(63)), I64(0))
        with builder.if_else(whole) as (lines, rest):
            with lines, for_steps(builder, nbytes, 64) as offset:
                value = builder.load(builder.inttoptr(builder.add(source, offset), vector), align=64)
                store = builder.store(value, builder.inttoptr(builder.add(target, offset), vector), align=64)
                store.set_metadata("nontemporal", builder.module.add_metadata([I32(1)]))
            with rest:
                copy = declared(builder.module, "llvm.memcpy.p0.p0.i64", ir.VoidType(), [byte, byte, I64, I1])
                builder.call(copy, [builder.inttoptr(target, byte), builder.inttoptr(source, byte), nbytes, I1(0)])


def _fetch(builder: ir.IRBuilder, wanted: ir.Value, address: ir.Value, nbytes: ir.Value) -> None:
    byte = I8.as_pointer()
    prefetch = declared(builder.module, "llvm.prefetch.p0", ir.VoidType(), [byte, I32, I32, I32])
    with for_steps(builder, builder.mul(nbytes, wanted), 64) as offset:
        line = builder.inttoptr(builder.add(address, offset), byte)
        builder.call(prefetch, [line, I32(0), I32(2), I32(1)])


def _drain(builder: ir.IRBuilder, wanted: ir.Value) -> None:
    with builder.if_then(builder.icmp_signed(">", wanted, I64(0))):
        if X86:
            builder.call(declared(builder.module, "llvm.x86.sse.sfence", ir.VoidType(), []), [])
        else:
            builder.fence("release")


stream = emitted(4, _stream)
"""`stream(wanted, target, source, nbytes)` copies, if wanted is 1 and not 0, whole aligned cache lines past the caches,
so that no line is read before it is written; other pieces it just copies. The source is aligned to lines."""
fetch = emitted(3, _fetch)
"""`fetch(wanted, address, nbytes)` has memory brought into the cache, meanwhile."""
drain = emitted(1, _drain)
"""`drain(wanted)` waits until what was streamed can be read by other threads."""


@intrinsic
def either(typing, wanted, x, y):
    """`either(wanted, x, y)` is x where wanted is 1, and y where it is 0; of integers."""

    def codegen(context, builder, signature, values):
        return builder.select(builder.icmp_signed("!=", values[0], I64(0)), *values[1:])

    return types.intp(types.intp, types.intp, types.intp), codegen
