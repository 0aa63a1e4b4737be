"""A plan: the table of instructions with its memory, ready to run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from layerkit.kernels.launch import Buffer, Launch, Operand, Scratch
from layerkit.runtime import workers
from layerkit.runtime.assembly import Assembly
from layerkit.runtime.host_steps import run_segments
from layerkit.runtime.kernel_cache import prepare
from layerkit.runtime.steps import Step, every_step
from layerkit.runtime.thread_count import get_num_threads

ALIGNMENT = 64


def aligned_bytes(nbytes: int) -> np.ndarray:
    """Uninitialised memory that starts at a cache line."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes]


class Plan:
    """Steps in order over one arena, ready to run.

    Args:
        steps: launches, calls to the host, loops and choices.
        memory: the array of each buffer.
        scratch: the address of each Scratch of the launches.
        keep: what must live as long as the plan (arena, constants).
        threads: how many workers the scratch has room for.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        memory: dict[Buffer, np.ndarray],
        scratch: dict[int, int],
        keep: Sequence[object],
        threads: int,
    ) -> None:
        self.launches = [step for step in every_step(steps) if isinstance(step, Launch)]
        needed = [kernel for launch in self.launches for kernel in (launch.kernel, *launch.companions)]
        prepare([*workers.KERNELS, *needed])
        assembly = Assembly(steps, memory, scratch)
        self.table, self.arguments, self.segments = assembly.table, assembly.arguments, assembly.segments
        self._places = assembly.places
        self.keep = [*keep, *memory.values(), *assembly.keep]
        self.parallel = any(launch.units > launch.grain for launch in self.launches)
        self.threads = threads
        team = workers.team()
        self._walk_args = np.array([self.table.ctypes.data, team.state.ctypes.data, threads], np.int64)
        self._alone_state = np.zeros(workers.STATE_BYTES // 8, np.int64)
        self._alone_args = np.array([self.table.ctypes.data, self._alone_state.ctypes.data, 1], np.int64)

    def places(self, buffer: Buffer) -> tuple[np.ndarray, np.ndarray]:
        """Which arguments hold an address in a buffer, and how far behind its start: to let it lie elsewhere."""
        found = np.array(self._places.get(buffer, []), np.int64).reshape(-1, 2)
        return found[:, 0].copy(), found[:, 1].copy()

    def run(self) -> None:
        """Run every instruction. The caller holds the plan for itself meanwhile."""
        team = workers.team()
        # Scratch was laid out for so many workers as there were when the plan was made.
        fits = 1 < team.threads <= self.threads
        if self.parallel and fits and team.busy.acquire(blocking=False):
            try:
                self._walk_args[1], self._walk_args[2] = team.state.ctypes.data, team.threads
                run_segments(self.segments, partial(team.walk, self._walk_args.ctypes.data))
            finally:
                team.busy.release()
        else:
            run_segments(self.segments, partial(team.walk_alone, self._alone_args.ctypes.data))


def run_launches(launches: Sequence[Launch], arrays: dict[Buffer, np.ndarray]) -> Plan:
    """Run launches over the given memory; for trying and testing kernels. Gives the plan, to run again."""
    scratch, keep = {}, []
    threads = get_num_threads()
    for launch in launches:
        for argument in launch.args:
            if isinstance(argument, Scratch) and id(argument) not in scratch:
                memory = aligned_bytes(argument.nbytes * (threads if argument.per_worker else 1))
                keep.append(memory)
                scratch[id(argument)] = memory.ctypes.data
    plan = Plan(launches, arrays, scratch, [*keep, launches], threads)
    plan.run()
    return plan


def operand_of(array: np.ndarray, name: str = "") -> Operand:
    """An operand over an array's memory, strides in elements; for trying and testing kernels."""
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return Operand(Buffer(array.nbytes, name, array), array.shape, strides, 0, array.dtype)
