"""TensorBoard's event files: protocol buffers, written by hand, in TFRecord frames.

A frame is the record's length (uint64), its checksum, the record and its checksum; a record is an `Event` message. The
messages and their field numbers are TensorFlow's event.proto, summary.proto, tensor.proto and tensor_shape.proto; what
the tensors hold for each kind of chart is told by TensorBoard's plugins (scalars, histograms, images, graphs).
"""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from itertools import count
from typing import BinaryIO

import numpy as np

HISTOGRAM_BUCKETS = 30  # as many as TensorBoard's own summaries have
MOST_IMAGES = 3  # of one tensor

_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # DataType in types.proto
_TYPES = {"float32": _FLOAT, "float64": _DOUBLE}
_SCALARS, _TENSORS, _BLOBS = 1, 2, 3  # DataClass in summary.proto; 0 where it is not told
_numbers = count()  # tells apart the files that a process opens in one second


class EventFileWriter:
    """Adds events to a new file in a folder, which TensorBoard shows as one run.

    Args:
        directory: the folder, made where it is missing.
        suffix: the end of the file's name.

    Raises OSError where the folder or the file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, EventFileWriter(folder) as writer:
        ...     writer.scalar("loss", 0.25, step=3)
    """

    def __init__(self, directory: str | os.PathLike, suffix: str = ".v2") -> None:
        os.makedirs(directory, exist_ok=True)
        # The readers look for "tfevents" and take the files of a folder in the order of their names.
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}"
        self.path = os.path.join(directory, name + suffix)
        self._file: BinaryIO | None = open(self.path, "xb")
        self._write(_event(None, _bytes(3, b"brain.Event:2")))
        self.flush()

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A point of a curve, kept as float32."""
        self._summary(tag, "scalars", _SCALARS, _tensor(np.float32(value)), step)

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """How the elements of an array of numbers are distributed."""
        self._summary(tag, "histograms", _TENSORS, _tensor(histogram(values)), step)

    def images(self, tag: str, images: np.ndarray, step: int) -> None:
        """The first three of a batch of images (batch, height, width, channels), in grey, RGB or RGBA.

        Floats from 0 to 1 are the shades from black to white, what lies outside is cut off.
        """
        height, width = images.shape[1:3]
        pictures = [png(one) for one in shades(images[:MOST_IMAGES])]
        strings = [str(width).encode(), str(height).encode(), *pictures]
        self._summary(tag, "images", _BLOBS, _strings(strings, (len(strings),)), step)

    def keras_model(self, tag: str, text: str, step: int) -> None:
        """A model's JSON, of which TensorBoard draws the conceptual graph."""
        self._summary(tag, "graph_keras_model", 0, _strings([text.encode()], ()), step, content=b"1")

    def flush(self) -> None:
        """Hand what was written over to the system, for those who watch."""
        self._open_file().flush()

    def close(self) -> None:
        """Close the file; once more does nothing."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def __enter__(self) -> EventFileWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _open_file(self) -> BinaryIO:
        if self._file is None:
            raise ValueError(f"The event file {self.path} is closed.")
        return self._file

    def _summary(self, tag: str, plugin: str, data_class: int, tensor: bytes, step: int, content: bytes = b"") -> None:
        plugin_data = _bytes(1, plugin.encode()) + (_bytes(2, content) if content else b"")
        metadata = _bytes(1, plugin_data) + (_number(4, data_class) if data_class else b"")
        value = _bytes(1, tag.encode()) + _bytes(8, tensor) + _bytes(9, metadata)
        self._write(_event(step, _bytes(5, _bytes(1, value))))

    def _write(self, record: bytes) -> None:
        length = struct.pack("<Q", len(record))
        # One call, so that a process that dies leaves at most the last record cut short, which readers pass over.
        self._open_file().write(length + _checksum(length) + record + _checksum(record))


def histogram(values: np.ndarray, buckets: int = HISTOGRAM_BUCKETS) -> np.ndarray:
    """The (buckets, 3) float64 rows [left edge, right edge, count] of TensorBoard's histograms.

    Equal values are all in the last bucket, whose edges are that value. Elements that are not finite, which no bucket
    can hold, are left out.

    >>> histogram(np.array([0.0, 1.0, 4.0]), buckets=2)
    array([[0., 2., 2.],
           [2., 4., 1.]])
    """
    flat = np.asarray(values, "float64").ravel()
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return np.zeros((buckets, 3))
    low, high = flat.min(), flat.max()
    if low == high:
        counts = np.zeros(buckets)
        counts[-1] = flat.size
        return np.stack([np.full(buckets, low), np.full(buckets, low), counts], axis=1)
    edges = np.linspace(low, high, buckets + 1)
    counts = np.histogram(flat, edges)[0]
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


def shades(images: np.ndarray) -> np.ndarray:
    """Images as bytes (uint8): floats from 0 to 1 cover them all, integers by their highest bits, negative ones are 0.

    >>> shades(np.array([-1.0, 0.0, 0.5, 1.0, np.nan]))
    array([  0,   0, 127, 255,   0], dtype=uint8)
    """
    if images.dtype == bool:
        return images.astype("uint8") * np.uint8(255)
    if images.dtype.kind in "iu":
        top = np.iinfo(images.dtype).max
        return (np.maximum(images, 0) // ((top + 1) // 256 or 1)).astype("uint8")
    # The half makes the last shade as wide as the others (tf.image.convert_image_dtype).
    return np.clip(np.nan_to_num(images.astype("float32"), nan=0.0) * 255.5, 0, 255).astype("uint8")


def png(image: np.ndarray) -> bytes:
    """A PNG file of an image (height, width, channels) of bytes with 1 (grey), 3 (RGB) or 4 (RGBA) channels."""
    height, width, channels = image.shape
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = image.reshape(height, width * channels)
    unfiltered = np.concatenate([np.zeros((height, 1), "uint8"), rows], axis=1)  # 0: each row stands for itself
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(unfiltered.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _event(step: int | None, content: bytes) -> bytes:
    when = _key(1, 1) + struct.pack("<d", time.time())
    return when + (_number(2, step) if step else b"") + content


def _tensor(array: np.ndarray) -> bytes:
    """A TensorProto with the elements as they lie in memory."""
    array = np.asarray(array)
    content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return _number(1, _TYPES[array.dtype.name]) + _bytes(2, _shape(array.shape)) + _bytes(4, content)


def _strings(strings: list[bytes], shape: tuple[int, ...]) -> bytes:
    """A TensorProto of byte strings."""
    return _number(1, _STRING) + _bytes(2, _shape(shape)) + b"".join(_bytes(8, one) for one in strings)


def _shape(shape: tuple[int, ...]) -> bytes:
    return b"".join(_bytes(2, _number(1, size)) for size in shape)


# Protocol buffers: a field is a key (its number and the kind of its value) and the value.


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _number(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    """A field of bytes, a string or a message."""
    return _key(field, 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as their 64-bit complement."""
    value = int(value) % (1 << 64)
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


# Checksums: CRC-32C (Castagnoli), which zlib has not.


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The CRC-32C of bytes (RFC 3720, appendix B.4).

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    table = _CRC_TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _checksum(data: bytes) -> bytes:
    """The masked CRC-32C of TFRecord files, as a checksum of data that holds checksums is a poor one."""
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
