"""Compiled kernels: in memory, on disk, or compiled now.

The disk cache keeps relocatable object code, which LLVM loads without Numba: a process that finds all its
kernels there never imports Numba. A file is named by the hash of all that decides its content.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Iterable
from pathlib import Path

from layerkit.kernels.launch import Kernel
from layerkit.runtime.compile_elsewhere import compile_elsewhere


class CompileStatistics:
    """Counts of this process: kernels compiled, kernels loaded from disk, seconds spent in either."""

    def __init__(self) -> None:
        self.compiled = 0
        self.loaded = 0
        self.seconds = 0.0


statistics = CompileStatistics()
_addresses: dict[Kernel, int] = {}
_engines: list = []  # LLVM frees the code of an engine that is collected
_lock = threading.RLock()


def address_of(kernel: Kernel) -> int:
    """The address of a kernel's machine code; loads or compiles it the first time."""
    found = _addresses.get(kernel)
    if found is None:
        with _lock:
            found = _addresses.get(kernel)
            if found is None:
                start = time.perf_counter()
                found = _addresses[kernel] = _load(kernel)
                statistics.seconds += time.perf_counter() - start
    return found


def kernels_in_use() -> bool:
    """Whether this process has loaded or compiled any kernel."""
    return bool(_addresses)


def cache_folder() -> Path:
    """`$LAYERKIT_CACHE`, or `layerkit` in the XDG cache folder."""
    named = os.environ.get("LAYERKIT_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "layerkit"


def prepare(kernels: Iterable[Kernel]) -> None:
    """Have the machine code of these kernels at hand.

    Where many have to be compiled, other processes take their share.
    """
    missing = [kernel for kernel in dict.fromkeys(kernels) if kernel not in _addresses]
    if not missing:
        return
    with _lock:
        start = time.perf_counter()
        missing = [kernel for kernel in missing if kernel not in _addresses and not _path(kernel).exists()]
        # Through the disk cache the others' work comes here.
        elsewhere = compile_elsewhere(missing if _cache_writable() else [])
        for kernel in missing:
            if kernel not in elsewhere.kernels:
                _addresses[kernel] = _load(kernel)
        # What the others failed at is found missing, and compiled here, when its address is asked for.
        statistics.compiled += sum(_path(kernel).exists() for kernel in elsewhere.wait())
        statistics.loaded -= len(elsewhere.kernels)
        statistics.seconds += time.perf_counter() - start


def _cache_writable() -> bool:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def compile_to_disk(kernel: Kernel) -> None:
    """Compile a kernel into the disk cache."""
    _store(_path(kernel), _compile(kernel))


def _symbol(kernel: Kernel) -> str:
    return "layerkit_" + hashlib.sha256(f"{_environment()}|{kernel!r}".encode()).hexdigest()[:40]


def _path(kernel: Kernel) -> Path:
    return cache_folder() / _environment()[:16] / f"{_symbol(kernel)}.o"


def _load(kernel: Kernel) -> int:
    path = _path(kernel)
    try:
        sealed = path.read_bytes()
    except OSError:
        sealed = b""
    code = sealed[32:]
    if sealed and hashlib.sha256(code).digest() == sealed[:32]:
        statistics.loaded += 1
    else:
        if sealed:
            warnings.warn(f"The cached kernel {path} is damaged; it is compiled again.", stacklevel=2)
        code = _compile(kernel)
        statistics.compiled += 1
        _store(path, code)
    return _link(code, _symbol(kernel))


def _compile(kernel: Kernel) -> bytes:
    from layerkit.kernels import abi  # Numba is imported when something is first compiled.

    function = abi.resolve(kernel.module, kernel.function, kernel.constants, kernel.source)
    return abi.compile_object(function, _symbol(kernel))


def _store(path: Path, code: bytes) -> None:
    content = hashlib.sha256(code).digest() + code
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        _warn_unwritable(str(path.parent), str(error))


@functools.cache
def _warn_unwritable(folder: str, reason: str) -> None:
    warnings.warn(
        f"Compiled kernels cannot be kept in {folder} ({reason}): they are compiled again in every process. "
        "Set LAYERKIT_CACHE to a folder that can be written.",
        stacklevel=2,
    )


def _link(code: bytes, symbol: str) -> int:
    llvm, machine = _llvm()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return engine.get_function_address(symbol)


@functools.cache
def _llvm():
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm, lambda: llvm.Target.from_default_triple().create_target_machine()


@functools.cache
def _environment() -> str:
    """Hash of what decides a kernel's code beside the kernel: sources, versions, processor."""
    from importlib.metadata import version  # takes as long to import as the rest of this module's imports together

    llvm, _ = _llvm()
    digest = hashlib.sha256()
    for path in sorted((Path(__file__).parent.parent / "kernels").glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    features = llvm.get_host_cpu_features().flatten()
    for part in (version("numba"), version("llvmlite"), llvm.get_host_cpu_name(), features):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()
