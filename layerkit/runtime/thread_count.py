"""How many threads a step uses."""

from __future__ import annotations

import functools
import os


@functools.cache
def available_cores() -> int:
    """Processor cores that this process may use: its affinity and its control group's quota, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        return cores
    return cores


_threads: int | None = None


def get_num_threads() -> int:
    """Threads that a step uses: what was set, else `$LAYERKIT_NUM_THREADS`, else the cores of this process."""
    if _threads is not None:
        return _threads
    named = os.environ.get("LAYERKIT_NUM_THREADS")
    if named is None:
        return available_cores()
    if not named.isdigit() or int(named) < 1:
        raise ValueError(f"LAYERKIT_NUM_THREADS is {named!r}; it has to be a whole number from 1.")
    return int(named)


def set_num_threads(threads: int) -> None:
    """Use this many threads from the next step on. Results do not depend on it."""
    global _threads
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads is {threads!r}; it has to be a whole number from 1.")
    _threads = threads
