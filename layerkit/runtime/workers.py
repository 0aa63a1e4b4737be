"""The threads that help the plan walker.

The helpers are Python threads that spend their time in native code with the GIL released. After a step they look for
work for about a millisecond more, so a training loop finds them awake; then they sleep in a lock. Unlike an OpenMP
runtime this needs nothing installed, survives a fork, and never waits for a helper that the machine has not scheduled.
"""

from __future__ import annotations

import ctypes
import os
import threading

import numpy as np

from layerkit.kernels.launch import Kernel
from layerkit.runtime.kernel_cache import address_of
from layerkit.runtime.thread_count import get_num_threads

STATE_BYTES = 256
SPINS = 20_000
KERNELS = (Kernel("walker", "walk"), Kernel("walker", "help_walk"))
CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


class Team:
    """The calling thread and its helpers."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.busy = threading.Lock()
        memory = np.zeros(STATE_BYTES // 8 + 8, np.int64)
        self.state = memory[(-memory.ctypes.data % 64) // 8 :]  # a cache line each for what threads contend for
        self._memory = memory
        self._walk = CALL(address_of(KERNELS[0]))
        self._asleep = [False] * (threads - 1)
        self._wake = [threading.Semaphore(0) for _ in range(threads - 1)]
        if threads > 1:
            self._help = CALL(address_of(KERNELS[1]))
            self._help_args = np.array([self.state.ctypes.data, SPINS], np.int64)
            for number in range(threads - 1):
                threading.Thread(
                    target=self._helper, args=(number,), daemon=True, name=f"layerkit-{number + 1}"
                ).start()

    def _helper(self, number: int) -> None:
        args = self._help_args.ctypes.data
        while True:
            self._help(args, 0, 0, number + 1)
            self._asleep[number] = True
            self._wake[number].acquire()

    def walk(self, arguments: int, first: int, last: int) -> None:
        """Run instructions first..last of the plan whose [table, state, threads] lie at address `arguments`."""
        for number, asleep in enumerate(self._asleep):
            if asleep:
                self._asleep[number] = False
                self._wake[number].release()
        self._walk(arguments, first, last, 0)

    def walk_alone(self, arguments: int, first: int, last: int) -> None:
        """Like `walk` without waking the helpers."""
        self._walk(arguments, first, last, 0)


_team: Team | None = None
_making = threading.Lock()


def team() -> Team:
    """The process' team, made when first asked for and again when the number of threads changed."""
    global _team
    threads = get_num_threads()
    found = _team
    if found is None or found.threads != threads:
        with _making:
            if _team is None or _team.threads != threads:
                _team = Team(threads)
            found = _team
    return found


def _forget_team() -> None:
    # A forked child has the parent's memory but not its threads.
    global _team, _making
    _team, _making = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_team)
