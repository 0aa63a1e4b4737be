"""Numba's compiler, cut down to what kernels need: types, and LLVM IR that is lowered and left at that.

Kernels are written in a small language: integers, floats, pointers, loops, branches, calls. Much of the time that Numba
takes for a function goes into what they do not have (closures, arrays, exceptions, reference counts), so those passes
are left out.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import llvmlite.binding as llvm
from numba.core import types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase
from numba.core.compiler_machinery import PassManager
from numba.core.cpu import CPUContext
from numba.core.typed_passes import (
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.types.functions import BaseFunction
from numba.core.untyped_passes import FixupArgs, IRProcessing, ReconstructSSA, TranslateByteCode

PASSES = (
    TranslateByteCode,
    FixupArgs,
    IRProcessing,
    ReconstructSSA,
    NopythonTypeInference,
    PreLowerStripPhis,
    NativeLowering,
    NoPythonBackend,
)


class KernelCompiler(CompilerBase):
    """Numba's compiler with the passes that the language of kernels needs."""

    def define_pipelines(self) -> list[PassManager]:
        """The only pipeline."""
        manager = PassManager("kernel")
        for one in PASSES:
            manager.add_pass(one, one.__name__)
        manager.finalize()
        return [manager]


@contextmanager
def lowering_only() -> Iterator[None]:
    """Inside, Numba lowers to LLVM IR and leaves it at that.

    Of its own accord it optimises the kernel and each function that the kernel calls twice over, and generates machine
    code for each: four fifths of the time to compile a kernel. Here everything is optimised once, after it is linked
    together.
    """

    def leave(library: JITCodeLibrary, module: llvm.ModuleRef) -> None:
        module.data_layout = library._codegen._data_layout

    def mark_final(library: JITCodeLibrary) -> None:
        library._finalized = True

    replacements = [
        (JITCodeLibrary, "_optimize_functions", leave),
        (JITCodeLibrary, "_optimize_final_module", lambda library: None),
        (JITCodeLibrary, "_finalize_final_module", mark_final),
        # Numba keys a function by its entry from Python, a built-in function object. These have none: any new one does.
        (CPUContext, "get_executable", lambda context, library, description, environment: [].append),
        (BaseFunction, "get_call_type", _remembered(BaseFunction.get_call_type)),
    ]
    before = [(owner, name, owner.__dict__.get(name)) for owner, name, _ in replacements]
    for owner, name, method in replacements:
        setattr(owner, name, method)
    collecting = gc.isenabled()
    gc.disable()  # a compiler makes many objects; looking through all of them again and again takes a tenth of the time
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        for owner, name, method in before:
            if method is None:
                delattr(owner, name)
            else:
                setattr(owner, name, method)


_signatures: dict[tuple, object] = {}


def _remembered(resolve: Callable) -> Callable:
    """Numba's choice of an implementation for types of arguments, which it makes anew for every `+`, remembered."""

    def get_call_type(function: BaseFunction, context, args: tuple, kws: dict):
        if kws or not all(isinstance(arg, types.Number | types.Boolean | types.Literal) for arg in args):
            return resolve(function, context, args, kws)
        key = function, args
        if key not in _signatures:
            _signatures[key] = resolve(function, context, args, kws)
        return _signatures[key]

    return get_call_type
