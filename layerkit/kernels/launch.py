"""What a compiler needs to know of a kernel, without Numba: its name, its arguments, its units of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# What a row of a plan does whose first number is no kernel's address.
ENTER, NEXT, BREAK, SWITCH, JUMP = 1, 2, 3, 4, 5
CONTROL_CODES = 16


@dataclass(frozen=True)
class Kernel:
    """Names a kernel: a function of a module in this folder, or of generated source.

    With `constants` the function is a factory: it is called with them and returns the kernel.
    """

    module: str
    function: str
    constants: tuple[tuple[str, object], ...] = ()
    source: str | None = None


class Buffer:
    """Memory that a plan gives an address: of a graph's tensor, a Variable, a constant or scratch."""

    __slots__ = ("array", "name", "nbytes")

    def __init__(self, nbytes: int, name: str = "", array: np.ndarray | None = None) -> None:
        self.nbytes = nbytes
        self.name = name
        self.array = array  # memory that exists already: a Variable's or a constant's

    def __repr__(self) -> str:
        return f"<Buffer {self.name} {self.nbytes} bytes>"


class Slide(Buffer):
    """The part of an operand that a turn of a loop sees.

    It begins `start` elements of the operand's dtype behind the operand's first, and moves by `step` elements a turn.
    """

    __slots__ = ("base", "start", "step")

    def __init__(self, base: Operand, start: int, step: int) -> None:
        super().__init__(base.buffer.nbytes, f"turn of {base.buffer.name}")
        self.base = base
        self.start = start
        self.step = step


def root(buffer: Buffer) -> Buffer:
    """The buffer that a slide moves along, or the buffer itself."""
    while isinstance(buffer, Slide):
        buffer = buffer.base.buffer
    return buffer


@dataclass(frozen=True)
class Operand:
    """An array that a kernel reads or writes: a strided view of a buffer.

    `strides` count elements; `offset` counts elements from the start of the buffer.
    """

    buffer: Buffer
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    dtype: np.dtype

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie in C order without gaps."""
        return self.strides == contiguous_strides(self.shape) or self.size <= 1


@dataclass(frozen=True)
class Scratch:
    """Temporary memory for one operation; `per_worker`: each worker has its own `nbytes` behind the last's."""

    nbytes: int
    per_worker: bool = False
    name: str = "scratch"


@dataclass(frozen=True)
class Launch:
    """One instruction: a kernel, its arguments, its units, and how few units are worth a thread of their own.

    An argument is an int, an Operand (its address), or a Scratch (its address; the same object given to
    several launches of one operation is the same memory). `companions` are kernels that the operation needs for other
    sizes: they are compiled with it, so that a new size compiles nothing.
    """

    kernel: Kernel
    args: Sequence[int | Operand | Scratch]
    units: int
    grain: int
    companions: Sequence[Kernel] = ()


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """The strides, in elements, of a C-ordered array."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def serial_grain(work_per_unit: float, worth: float = 80_000.0) -> int:
    """Units that make a piece worth handing to another thread.

    Args:
        work_per_unit: a unit's work in elements touched (or multiply-adds / 8).
        worth: the least work of a piece; about 2 us of one core.
    """
    return max(1, int(np.ceil(worth / max(work_per_unit, 1e-9))))
