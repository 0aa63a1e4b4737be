"""A plan: the table of instructions with its memory, ready to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from layerkit.kernels.launch import Buffer, Launch, Operand, Scratch
from layerkit.runtime import workers
from layerkit.runtime.kernel_cache import address_of, prepare
from layerkit.runtime.thread_count import get_num_threads

ALIGNMENT = 64


def aligned_bytes(nbytes: int) -> np.ndarray:
    """Uninitialised memory that starts at a cache line."""
    memory = np.empty(nbytes + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + nbytes]


class Plan:
    """Instructions and calls to the host, in order, over one arena.

    Args:
        steps: Launches, and host calls (functions without arguments) that run between native segments.
        addresses: the address of each buffer.
        scratch: the address of each Scratch of the launches.
        keep: arrays that must live as long as the plan (arena, constants).
    """

    def __init__(
        self,
        steps: Sequence[Launch | Callable[[], None]],
        addresses: dict[Buffer, int],
        scratch: dict[int, int],
        keep: Sequence[object],
        threads: int,
    ) -> None:
        self.keep = list(keep)
        self.launches = [step for step in steps if isinstance(step, Launch)]
        arguments: list[int] = []
        starts = []
        self._places: dict[Buffer, list[tuple[int, int]]] = {}
        for launch in self.launches:
            starts.append(len(arguments))
            for argument in launch.args:
                if isinstance(argument, Operand):
                    offset = argument.offset * argument.dtype.itemsize
                    self._places.setdefault(argument.buffer, []).append((len(arguments), offset))
                    argument = addresses[argument.buffer] + offset
                elif isinstance(argument, Scratch):
                    argument = scratch[id(argument)]
                arguments.append(int(argument))
        self.arguments = np.array(arguments or [0], np.int64)
        base = self.arguments.ctypes.data
        needed = [kernel for launch in self.launches for kernel in (launch.kernel, *launch.companions)]
        prepare([*workers.KERNELS, *needed])
        self.table = np.array(
            [
                [address_of(launch.kernel), base + 8 * start, launch.units, launch.grain]
                for launch, start in zip(self.launches, starts, strict=True)
            ],
            np.int64,
        ).reshape(-1, 4)
        self.parallel = bool((self.table[:, 2] > self.table[:, 3]).any())
        self.threads = threads
        self.segments = self._segments(steps)
        team = workers.team()
        self._walk_args = np.array([self.table.ctypes.data, team.state.ctypes.data, threads], np.int64)
        self._alone_state = np.zeros(workers.STATE_BYTES // 8, np.int64)
        self._alone_args = np.array([self.table.ctypes.data, self._alone_state.ctypes.data, 1], np.int64)

    @staticmethod
    def _segments(steps: Sequence[Launch | Callable[[], None]]) -> list[tuple[int, int] | Callable[[], None]]:
        segments: list = []
        first = count = 0
        for step in steps:
            if isinstance(step, Launch):
                count += 1
                continue
            if count > first:
                segments.append((first, count))
                first = count
            segments.append(step)
        if count > first:
            segments.append((first, count))
        return segments

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
                self._run(team.walk, self._walk_args.ctypes.data)
            finally:
                team.busy.release()
        else:
            self._run(team.walk_alone, self._alone_args.ctypes.data)

    def _run(self, walk: Callable[[int, int, int], None], arguments: int) -> None:
        for segment in self.segments:
            if isinstance(segment, tuple):
                walk(arguments, *segment)
            else:
                segment()


def run_launches(launches: Sequence[Launch], arrays: dict[Buffer, np.ndarray]) -> Plan:
    """Run launches over the given memory; for trying and testing kernels. Gives the plan, to run again."""
    addresses = {buffer: array.ctypes.data for buffer, array in arrays.items()}
    scratch, keep = {}, list(arrays.values())
    threads = get_num_threads()
    for launch in launches:
        for argument in launch.args:
            if isinstance(argument, Scratch) and id(argument) not in scratch:
                memory = aligned_bytes(argument.nbytes * (threads if argument.per_worker else 1))
                keep.append(memory)
                scratch[id(argument)] = memory.ctypes.data
    plan = Plan(launches, addresses, scratch, [*keep, launches], threads)
    plan.run()
    return plan


def operand_of(array: np.ndarray, name: str = "") -> Operand:
    """An operand over an array's memory, strides in elements; for trying and testing kernels."""
    strides = tuple(stride // array.itemsize for stride in array.strides)
    return Operand(Buffer(array.nbytes, name, array), array.shape, strides, 0, array.dtype)
