"""A checksum behind the end of a file, so that damage is seen before HDF5 parses what is damaged.

HDF5 itself checks little: on a flipped bit it may read wrong numbers, or loop for ever. It ignores what stands behind
its own end of a file, so other programs read these files as ever; one that changes a file drops the checksum with it.
"""

from __future__ import annotations

import io
import struct
import zlib

from layerkit.saving.errors import SavedFileError

_TRAILER = struct.Struct("<8sQI")  # mark, length of the content, its CRC-32
_MARK = b"LKCRC32\n"
_PIECE = 1 << 20


def append_checksum(file: io.FileIO) -> None:
    """Put the checksum of all its content at the end of a file."""
    length = file.seek(0, io.SEEK_END)
    trailer = memoryview(_TRAILER.pack(_MARK, length, _checksum(file, length)))
    file.seek(length)
    while trailer:
        trailer = trailer[file.write(trailer) :]


def verify_checksum(path: str) -> None:
    """Raise SavedFileError where the content is not what its checksum says; a file without one passes."""
    with open(path, "rb", buffering=0) as file:
        end = file.seek(0, io.SEEK_END)
        if end < _TRAILER.size:
            return
        file.seek(end - _TRAILER.size)
        mark, length, expected = _TRAILER.unpack(file.read(_TRAILER.size))
        if mark != _MARK:
            return
        if length != end - _TRAILER.size or _checksum(file, length) != expected:
            raise SavedFileError(
                f"Cannot load {path!r}: the file is damaged, its content does not have the checksum it was saved with."
            )


def _checksum(file: io.FileIO, length: int) -> int:
    file.seek(0)
    value = 0
    while length > 0 and (piece := file.read(min(length, _PIECE))):
        value = zlib.crc32(piece, value)
        length -= len(piece)
    return value
