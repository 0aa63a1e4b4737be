"""Loops over all points of a map as one, and what they do beyond the cache: write past it."""

from __future__ import annotations

import functools
from pathlib import Path

from layerkit.kernels.launch import Launch, Scratch

BLOCK = 1024
STREAMED = 512
AHEAD = 1536  # points that are read before they are needed; 512 and 1,536 were the best of blocks to 4,096
_UNKNOWN_CACHE = 32 << 20


@functools.cache
def last_level_cache() -> int:
    """Bytes of the last cache before the memory; 32 MiB where the system does not tell."""
    sizes = []
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = file.read_text().strip()
        if text.endswith("K") and text[:-1].isdigit():
            sizes.append(int(text[:-1]) << 10)
    return max(sizes, default=_UNKNOWN_CACHE)


class FlatLoops:
    """The flat form of the map, for the generator of fused kernels to inherit."""

    def _flat_map(self, fresh: list[int]) -> list[Launch]:
        """All points in one loop; where they do not fit the cache, a loop for each block, whose results are streamed.

        A block's results are then left in scratch and copied from there past the cache, and inputs are asked for ahead.
        Ordinary stores read the line first that they write, 3 bytes moved for 2: 0.55 of the speed of a copy. Streaming
        gives 0.75 of it, and asking ahead, for the memory is idle while a block is computed, 0.87.
        """
        size, operands = self.inner[0], self._all()
        nbytes = sum(one.operand.size * one.operand.dtype.itemsize for one in operands)
        self.lines += [
            f"start = lo * {BLOCK}",
            f"stop = min(hi * {BLOCK}, n)",
            f"beyond = {self.arg(int(nbytes > last_level_cache()))}",
            f"step = {self.arg(STREAMED if nbytes > last_level_cache() else max(size, 1))}",
        ]
        self._prologue()
        widths = {at: operands[at].operand.dtype.itemsize for at in fresh}
        for at, width in widths.items():
            scratch = Scratch(STREAMED * width, per_worker=True, name="block")
            self.lines.append(f"b{at} = {self.arg(scratch)} + worker * {STREAMED * width}")
        self.lines += [
            f"for block in range(either(beyond, (hi - lo) * {BLOCK // STREAMED}, 1)):",
            "    base = start + block * step",
            "    count = min(step, stop - base)",
        ]
        for at, width in widths.items():
            self.lines.append(f"    r{at} = {self.addresses[at]} + base * {width}")
            self.lines.append(f"    y{at} = {operands[at].operand.dtype.name}_at(either(beyond, b{at}, r{at}))")
        for at, one in enumerate(self.inputs):
            if not one.whole and self.inner[1][at] == 1:
                width = one.operand.dtype.itemsize
                ahead = f"{self.addresses[at]} + {AHEAD * width} + base * {width}"
                self.lines.append(f"    fetch(beyond, {ahead}, count * {width})")
        self.lines.append("    for j in range(count):")
        self.blockwise = set(fresh)
        self._points("        ", "(base + j)", self._stored(self.group.nodes), flat=True)
        for at, width in widths.items():
            self.lines.append(f"    stream(beyond, r{at}, b{at}, count * {width})")
        self.lines.append("drain(beyond)")
        return [self._launch(-(-size // BLOCK), BLOCK)] if size else []

    def _fresh(self) -> list[int]:
        """The outputs that lie one element after the other, in memory that the kernel does not read."""
        operands = self._all()
        read = {one.operand.buffer for one in self.inputs}
        places = range(len(self.inputs), len(operands))
        return [at for at in places if self.inner[1][at] == 1 and operands[at].operand.buffer not in read]
