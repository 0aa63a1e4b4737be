"""Compiling in other processes: Numba holds one lock per process, so a second core helps only a second process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

from layerkit.kernels.launch import Kernel
from layerkit.runtime.thread_count import get_num_threads

MOST_PROCESSES = 4
WORTH_A_PROCESS = 1.5  # seconds of compiling; a process takes about half a second to import Numba
# Measured seconds to compile: for kernels of a family, and per thousand characters of generated source.
FAMILY_SECONDS = {
    "attention": 1.5,
    "matmul": 0.9,
    "convolution": 0.45,
    "depthwise": 0.4,
    "pooling": 0.4,
    "walker": 0.15,
    "reduction": 0.1,
    "copying": 0.25,
    "ctc": 0.35,
    "cumulative": 0.15,
    "indexing": 0.15,
    "sorting": 0.2,
    "sorting_networks": 0.25,
}
GENERATED_SECONDS = 0.06
COSTLY_SECONDS = {
    "exp_": 0.15, "log_": 0.15, "normal_": 0.1, "uniform_": 0.05, "tanh_": 0.15, "pow_": 0.3, "erf_": 0.2, "sin_": 0.2,
}  # fmt: skip


class Elsewhere:
    """Kernels that other processes are compiling."""

    def __init__(self, kernels: Sequence[Kernel], processes: Sequence[subprocess.Popen]) -> None:
        self.kernels = frozenset(kernels)
        self._processes = processes

    def wait(self) -> frozenset[Kernel]:
        """Wait until they are done, and give the kernels that they were asked for."""
        for process in self._processes:
            process.wait()
        return self.kernels


def seconds_of(kernel: Kernel) -> float:
    """About how long a kernel takes to compile."""
    if kernel.source is None:
        return FAMILY_SECONDS.get(kernel.module, 0.2)
    return GENERATED_SECONDS + sum(cost for name, cost in COSTLY_SECONDS.items() if name in kernel.source)


def compile_elsewhere(kernels: Sequence[Kernel]) -> Elsewhere:
    """Hand a share of the kernels to other processes, where that is worth it."""
    total = sum(map(seconds_of, kernels))
    others = min(get_num_threads(), MOST_PROCESSES, int(total / WORTH_A_PROCESS)) - 1
    if others < 1 or not sys.executable:
        return Elsewhere([], [])
    # The longest first, each to the process that has the least to do; this one has not to start.
    loads = [0.0] + [0.5] * others
    shares: list[list[Kernel]] = [[] for _ in loads]
    for kernel in sorted(kernels, key=seconds_of, reverse=True):
        least = loads.index(min(loads))
        loads[least] += seconds_of(kernel)
        shares[least].append(kernel)
    processes = [_start(share) for share in shares[1:]]
    started = [share for share, process in zip(shares[1:], processes, strict=True) if process is not None]
    return Elsewhere([kernel for share in started for kernel in share], [process for process in processes if process])


def _start(share: Sequence[Kernel]) -> subprocess.Popen | None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "layerkit.runtime.compile_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        with process.stdin as pipe:
            pipe.write(json.dumps([asdict(kernel) for kernel in share]).encode())
    except OSError:
        return None  # no process to be had: they are compiled here
    return process
