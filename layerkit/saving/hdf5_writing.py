"""HDF5 files written at once or not at all."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from layerkit.saving.atomic import replacing
from layerkit.saving.integrity import append_checksum

if TYPE_CHECKING:
    import h5py

HEADER_LIMIT = 64512
"""HDF5 keeps attributes in the object's header, which ends at 64 KiB; Keras splits longer ones at this many bytes."""


@contextlib.contextmanager
def new_hdf5(path: str) -> Iterator[h5py.File]:
    """An HDF5 file to fill, that takes the place of `path` when the block has ended; see `replacing`."""
    import h5py

    with replacing(path) as raw:
        kept = _ErrorKeepingFile(raw)
        try:
            with h5py.File(kept, "w") as file:
                yield file
        except Exception:
            kept.raise_error()  # what HDF5 says after a write failed is only its consequence
            raise
        kept.raise_error()
        append_checksum(raw)


class _ErrorKeepingFile:
    """The file that HDF5 writes to. The first error is kept and what is written after it is dropped.

    HDF5 itself does not recover from a failed write: closing the file fails as well, it stays open, and the process
    hangs or crashes when it ends.
    """

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self._error: OSError | None = None

    def raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: memoryview) -> int:
        count = self._raw.readinto(buffer) or 0
        if count < len(buffer):
            buffer[count:] = bytes(len(buffer) - count)
        return len(buffer)

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(size) or b""

    def write(self, data: memoryview) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self._error is None and done < len(view):
                done += self._raw.write(view[done:]) or 0
        except OSError as error:
            self._error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            if self._error is None:
                return self._raw.truncate(size)
        except OSError as error:
            self._error = error
        return size or 0

    def flush(self) -> None:
        """Nothing is buffered here."""


def write_array(group: h5py.Group, name: str, value: np.ndarray) -> None:
    """A dataset of a number type: contiguous and not compressed, as Keras writes them."""
    group.create_dataset(name, data=np.asarray(value, order="C"))


def write_names(group: h5py.Group, attribute: str, names: Iterable[str]) -> None:
    """A list of names as one attribute, or as several with numbers where it is longer than a header can hold.

    Raises:
        ValueError: a single name is too long.
    """
    encoded = [name.encode() for name in names]
    too_long = [name for name in encoded if len(name) > HEADER_LIMIT]
    if too_long:
        raise ValueError(f"Cannot save a name of more than {HEADER_LIMIT} bytes to HDF5: {too_long[0][:80]!r}...")
    array = np.asarray(encoded) if encoded else np.zeros(0)
    pieces = -(-array.nbytes // HEADER_LIMIT)
    if pieces <= 1:
        group.attrs[attribute] = array
        return
    while any(part.nbytes > HEADER_LIMIT for part in np.array_split(array, pieces)):
        pieces += 1
    for number, part in enumerate(np.array_split(array, pieces)):
        group.attrs[f"{attribute}{number}"] = part


def unique_paths(names: Iterable[str]) -> list[str]:
    """Paths of datasets in one group, as near to the names as HDF5 allows: no two the same, none a group of another.

    >>> unique_paths(["a/kernel", "a/kernel", "a"])
    ['a/kernel', 'a/kernel_1', 'a_1']
    """
    taken: set[str] = set()  # datasets
    folders: set[str] = set()
    made = []
    for name in names:
        path = base = "/".join(part for part in name.split("/") if part not in ("", ".")) or "variable"
        if any(parent in taken for parent in _parents(path)):
            path = base = base.replace("/", "_")
        number = 0
        while path in taken or path in folders:
            number += 1
            path = f"{base}_{number}"
        taken.add(path)
        folders.update(_parents(path))
        made.append(path)
    return made


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
