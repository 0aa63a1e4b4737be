"""Elementary functions, fused chains and rows: layerkit's kernels against NumPy, the memory and hand-written kernels.

    python -m benchmarks.elementwise            about two minutes
    python -m benchmarks.elementwise --quick    small arrays beyond the cache, few rounds: does it run?

Three tables, each a comparison of programs that ran in turn in this process; medians, and ratios of medians:
    functions   exp, log, tanh, sigmoid, erf on one core against NumPy (erf: SciPy), arrays of 4,096 in the cache and of
                some hundred MB beyond it
    chain       eight elementwise operations, which are one kernel, against `np.copyto` of the same bytes, on 1 and 2
                threads: the copy is what the memory gives
    rows        softmax, GELU, layer normalization and log-sum-exp written by a user in primitive operations, against a
                kernel of the same written by hand with the same elementary functions
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from layerkit import ops
from layerkit.kernels.launch import Kernel, Launch
from layerkit.runtime.plan import Plan, operand_of, run_launches
from layerkit.runtime.thread_count import available_cores, set_num_threads
from layerkit.tracing import CompiledFunction

try:
    from scipy.special import erf as scipy_erf
except ImportError:  # compared with it where it is installed
    scipy_erf = None

IN_CACHE, REPEATS = 4096, 64
DTYPES = ("float32", "float64")


def in_turn(programs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each program; they run one after the other in every round."""
    samples: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            start = time.perf_counter()
            program()
            if turn:  # the first one warms up
                samples[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in samples.items()}


# Functions


def _sigmoid(x: np.ndarray, out: np.ndarray) -> None:
    np.negative(x, out=out)
    np.exp(out, out=out)
    out += 1
    np.divide(1, out, out=out)


PEERS: dict[str, Callable] = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "sigmoid": _sigmoid}
if scipy_erf is not None:
    PEERS["erf"] = scipy_erf


def function_kernel(name: str, dtype: str) -> Kernel:
    """One loop over one function."""
    source = "\n".join(
        [
            "from layerkit.kernels.scalar import *",
            "def kernel(args, lo, hi, worker):",
            f"    x, out = {dtype}_at(args[0]), {dtype}_at(args[1])",
            "    for i in range(hi):",
            f"        out[i] = {name}_{dtype}(x[i])",
        ]
    )
    return Kernel("benchmark", "kernel", source=source)


def function_plan(name: str, x: np.ndarray, out: np.ndarray, repeats: int) -> Plan:
    """The function of x, several times in one native call, so that entering it does not count."""
    operands = [operand_of(x), operand_of(out)]
    launch = Launch(function_kernel(name, x.dtype.name), operands, x.size, x.size)
    return run_launches([launch] * repeats, {operand.buffer: operand.buffer.array for operand in operands})


def functions_table(beyond: int, rounds: int) -> list[list[str]]:
    """A row for each function, dtype and size: nanoseconds an element, and the ratio."""
    rows = [["function", "dtype", "elements", "layerkit ns", "peer ns", "peer / layerkit"]]
    random = np.random.default_rng(0)
    for dtype in DTYPES:
        for size, repeats, times in ((IN_CACHE, REPEATS, rounds), (beyond, 1, max(2, rounds // 10))):
            x = random.normal(0, 2, size).astype(dtype)
            out = np.empty_like(x)
            for name, peer in PEERS.items():
                given = np.exp(x) if name == "log" else x
                plan = function_plan(name, given, out, repeats)

                def compared(peer=peer, given=given, repeats=repeats, out=out) -> None:
                    for _ in range(repeats):
                        peer(given, out=out)

                seconds = in_turn({"layerkit": plan.run, "peer": compared}, times)
                ours, theirs = (seconds[who] / repeats / size * 1e9 for who in ("layerkit", "peer"))
                rows.append([name, dtype, f"{size:,}", f"{ours:.3f}", f"{theirs:.3f}", f"{theirs / ours:.2f}"])
    return rows


# A chain


def chain(x):
    """Eight elementwise operations."""
    return ops.minimum(ops.maximum(ops.abs(x * 1.5 - 0.25) * x + 0.5, -3.0), 3.0) * 0.125


def copies(x: np.ndarray, out: np.ndarray, threads: int, pool: ThreadPoolExecutor) -> Callable[[], object]:
    """`np.copyto` in as many pieces as there are threads; NumPy lets go of the interpreter's lock meanwhile."""
    pieces = list(zip(np.array_split(x, threads), np.array_split(out, threads), strict=True))
    if threads == 1:
        return lambda: np.copyto(out, x)
    return lambda: list(pool.map(lambda piece: np.copyto(piece[1], piece[0]), pieces))


def chain_table(beyond: int, rounds: int) -> list[list[str]]:
    """GB/s of reading the input and writing the output, the chain's and the copy's."""
    rows = [["chain of 8", "threads", "kernels", "chain GB/s", "copy GB/s", "chain / copy"]]
    x = np.random.default_rng(0).normal(size=beyond).astype("float32")
    out = np.zeros_like(x)
    for threads in range(1, min(2, available_cores()) + 1):
        set_num_threads(threads)
        compiled = CompiledFunction(chain)
        compiled.run(x)
        ours = compiled.traced((x,), [x]).executable.plan
        with ThreadPoolExecutor(threads) as pool:
            programs = {"chain": ours.run, "copy": copies(x, out, threads, pool)}
            seconds = in_turn(programs, rounds)
        rate = {name: 2 * x.nbytes / taken / 1e9 for name, taken in seconds.items()}
        ratio = f"{rate['chain'] / rate['copy']:.2f}"
        rows.append(
            ["float32", str(threads), str(len(ours.launches)), f"{rate['chain']:.1f}", f"{rate['copy']:.1f}", ratio]
        )
    set_num_threads(available_cores())
    return rows


# Rows


def softmax(x):
    """Of the last axis."""
    e = ops.exp(x - ops.max(x, -1, keepdims=True))
    return e / ops.sum(e, -1, keepdims=True)


def gelu(x):
    """The approximation by tanh."""
    return 0.5 * x * (1.0 + ops.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def layer_norm(x):
    """Of the last axis."""
    centred = x - ops.mean(x, -1, keepdims=True)
    return centred / ops.sqrt(ops.mean(centred * centred, -1, keepdims=True) + 1e-3)


def log_sum_exp(x):
    """Of the last axis."""
    largest = ops.max(x, -1, keepdims=True)
    return ops.log(ops.sum(ops.exp(x - largest), -1)) + ops.squeeze(largest, -1)


BY_HAND = {
    softmax: """
        largest = float32(-inf)
        for j in range(n):
            largest = maximum(largest, x[j])
        total = float32(0)
        for j in range(n):
            e = exp_float32(x[j] - largest)
            out[j] = e
            total = total + e
        scale = float32(1) / total
        for j in range(n):
            out[j] = out[j] * scale
""",
    gelu: """
        for j in range(n):
            v = x[j]
            inner = float32(0.7978845608) * (v + float32(0.044715) * v * v * v)
            out[j] = float32(0.5) * v * (float32(1) + tanh_float32(inner))
""",
    layer_norm: """
        total = float32(0)
        for j in range(n):
            total = total + x[j]
        mean = total / float32(n)
        squares = float32(0)
        for j in range(n):
            centred = x[j] - mean
            squares = squares + centred * centred
        scale = rsqrt_float32(squares / float32(n) + float32(0.001))
        for j in range(n):
            out[j] = (x[j] - mean) * scale
""",
    log_sum_exp: """
        largest = float32(-inf)
        for j in range(n):
            largest = maximum(largest, x[j])
        total = float32(0)
        for j in range(n):
            total = total + exp_float32(x[j] - largest)
        out[0] = largest + log_float32(total)
""",
}


def by_hand(function: Callable, x: np.ndarray, out: np.ndarray) -> Plan:
    """The kernel that is written by hand, over the rows of x."""
    source = f"""from layerkit.kernels.scalar import *

def kernel(args, lo, hi, worker):
    n = args[2]
    for row in range(lo, hi):
        x = float32_at(args[0] + 4 * row * n)
        out = float32_at(args[1] + 4 * row * args[3])
{BY_HAND[function]}"""
    rows, width = x.shape
    operands = [operand_of(x), operand_of(out)]
    launch = Launch(Kernel("benchmark", "kernel", source=source), [*operands, width, out.size // rows], rows, rows)
    return run_launches([launch], {operand.buffer: operand.buffer.array for operand in operands})


def rows_table(shape: tuple[int, int], rounds: int) -> list[list[str]]:
    """A row for each function: milliseconds on one thread, and the ratio."""
    rows = [["from primitives", "shape", "kernels", "layerkit ms", "by hand ms", "layerkit / by hand"]]
    set_num_threads(1)
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    for function in BY_HAND:
        compiled = CompiledFunction(function)
        found = compiled(x).numpy()
        ours = compiled.traced((x,), [x]).executable.plan  # its run alone: Python's 3 us of a call do not count
        out = np.zeros_like(found)
        plan = by_hand(function, x, out)
        if not np.allclose(out, found, rtol=1e-4, atol=1e-5):
            raise AssertionError(f"{function.__name__}: the two programs do not compute the same")
        seconds = in_turn({"layerkit": ours.run, "by hand": plan.run}, rounds)
        ratio = f"{seconds['layerkit'] / seconds['by hand']:.2f}"
        times = [f"{seconds[who] * 1e3:.3f}" for who in ("layerkit", "by hand")]
        rows.append([function.__name__, "x".join(map(str, shape)), str(len(ours.launches)), *times, ratio])
    set_num_threads(available_cores())
    return rows


def text_of(rows: list[list[str]]) -> str:
    """A table of aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def main() -> None:
    """Measure and print the three tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.elementwise", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rounds", type=int, default=60, help="rounds of the short programs (default 60)")
    parser.add_argument("--megabytes", type=int, default=256, help="size of an array beyond the cache (default 256)")
    parser.add_argument("--tables", default="functions,chain,rows", help="comma separated (default: all)")
    parser.add_argument("--quick", action="store_true", help="16 MB, 5 rounds")
    options = parser.parse_args()
    rounds, nbytes = (5, 16 << 20) if options.quick else (options.rounds, options.megabytes << 20)
    tables = {
        "functions": lambda: functions_table(nbytes // 8, rounds),
        "chain": lambda: chain_table(nbytes // 4, max(3, rounds // 4)),
        "rows": lambda: rows_table((256, 512), rounds) + rows_table((2048, 1000), rounds)[1:],
    }
    for name in options.tables.split(","):
        one_core = name == "functions" and hasattr(os, "sched_setaffinity")
        cores = os.sched_getaffinity(0) if one_core else set()
        if one_core:
            os.sched_setaffinity(0, {min(cores)})
        print(text_of(tables[name]()), end="\n\n", flush=True)
        if one_core:
            os.sched_setaffinity(0, cores)


if __name__ == "__main__":
    main()
