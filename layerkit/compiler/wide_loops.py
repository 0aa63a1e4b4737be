"""Loops over so many rows as one that they are worth vectorising: 32 channels are two registers, 512 points are 32.

Rows can be strung together where each operand is a whole array, one value, or one row repeated. The repeated row is
laid into the worker's scratch as often as rows are taken as one.
"""

from __future__ import annotations

from layerkit.compiler.scalar_code import accumulated, identity, index_axis
from layerkit.kernels.launch import Launch, Scratch

WIDE = 512
PIECE_POINTS = 16_384
MOST_PIECES = 256


class WideLoops:
    """The wide forms of the map and the column loop, for the generator of fused kernels to inherit."""

    def _many_rows_as_one(self) -> bool:
        """Whether rows can be strung together: each operand is a whole array, one value, or one row repeated."""
        if len(self.outer) != 1 or self.group.row_axes or self.indexed_last or self.group.tail == "full":
            return False
        if any(index_axis(n) is not None for n in self.group.nodes):
            return False
        size = self.inner[0]
        for at, one in enumerate(self._all()):
            outer, inner = self.outer[0][1][at], self.inner[1][at]
            if not one.whole and (outer, inner) not in ((0, 0), (0, 1), (size, 1)):
                return False
        return True

    def _repeated_rows(self, width: int, times: int) -> None:
        """Each operand that is one row, as often as it takes to fill `width`, in the worker's scratch."""
        self.repeated = {
            at
            for at in range(len(self.inputs))
            if not self.inputs[at].whole and (self.outer[0][1][at], self.inner[1][at]) == (0, 1)
        }
        self.lines.append(f"times = {self.arg(times)}")
        for at in sorted(self.repeated):
            dtype = self.inputs[at].operand.dtype
            scratch = Scratch(width * dtype.itemsize, per_worker=True, name="repeated row")
            self.lines.append(f"y{at} = {dtype.name}_at({self.arg(scratch)} + worker * {self.arg(scratch.nbytes)})")
            self.lines += [
                "for time in range(times):",
                "    at = time * n",
                "    for j in range(n):",
                f"        y{at}[at + j] = p{at}[j]",
            ]

    def _wide_map(self) -> list[Launch]:
        rows, size = self._outer_rows(), self.inner[0]
        times = max(1, WIDE // max(size, 1))
        width = times * size
        self.lines += [f"width = {self.arg(width)}", f"total = {self.arg(rows * size)}"]
        self._repeated_rows(width, times)
        self._prologue()
        self.lines += [
            "for unit in range(lo, hi):",
            "    base = unit * width",
            "    count = min(width, total - base)",
            "    for j in range(count):",
        ]
        self._points("        ", "base + j", self._stored(self.group.nodes), wide=True)
        return [self._launch(-(-rows // times), width)] if rows * size else []

    def _wide_column(self) -> list[Launch]:
        rows, size = self._outer_rows(), self.inner[0]
        times = max(1, WIDE // max(size, 1))
        width, blocks = times * size, -(-rows // times)
        pieces = max(1, min(MOST_PIECES, rows * size // PIECE_POINTS, blocks))
        per = max(1, -(-blocks // pieces))
        pieces = max(1, -(-blocks // per))
        places = self._tail_places(pieces, size)
        self.lines += [
            f"width = {self.arg(width)}",
            f"total = {self.arg(rows * size)}",
            f"blocks = {self.arg(blocks)}",
            f"per = {self.arg(per)}",
        ]
        self._repeated_rows(width, times)
        self._prologue()
        for at, y in enumerate(self.tail_outputs):
            scratch = Scratch(width * y.dtype.itemsize, per_worker=True, name="accumulators")
            self.lines.append(f"a{at} = {y.dtype.name}_at({self.arg(scratch)} + worker * {self.arg(scratch.nbytes)})")
        tails = range(len(self.tails))
        self.lines += ["for piece in range(lo, hi):", "    for j in range(width):"]
        self.lines += [f"        a{at}[j] = {identity(self.tails[at])}" for at in tails]
        self.lines += [
            "    for block in range(piece * per, min(blocks, (piece + 1) * per)):",
            "        base = block * width",
        ]
        self.lines += ["        count = min(width, total - base)", "        for j in range(count):"]
        stored = self._stored([n for n in self.group.nodes if n not in self.tails])
        self._points("            ", "base + j", stored, tails=[f"a{at}[j]" for at in tails], wide=True)
        self.lines += ["    base = piece * n", "    for j in range(n):"]
        self.lines += [f"        t{at}[base + j] = a{at}[j]" for at in tails]
        self.lines += ["    for time in range(1, times):", "        at = time * n", "        for j in range(n):"]
        self.lines += [
            f"            t{at}[base + j] = {accumulated(self.tails[at], f't{at}[base + j]', f'a{at}[at + j]')}"
            for at in tails
        ]
        return [self._launch(pieces, max(1, rows * size // pieces)), *self._combine(places, pieces, size)]
