"""HDF5 files read with distrust: groups and arrays of numbers, nothing that points elsewhere or claims too much."""

from __future__ import annotations

import contextlib
import errno
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from layerkit.saving.errors import SavedFileError
from layerkit.saving.integrity import verify_checksum

if TYPE_CHECKING:
    import h5py

LARGEST_TEXT = 64 << 20
"""Bytes of an attribute: the configuration of a model with a hundred thousand layers has less."""

_DEEPEST = 64  # groups in groups
_MOST_EXPANSION = 1100  # deflate reaches 1032; an array that claims more has no data behind it
_SMALL = 1 << 20  # bytes; below this an empty claim does no harm
_NUMBERS = "fiub"


@contextlib.contextmanager
def open_hdf5(path: str, shown: str | None = None) -> Iterator[Group]:
    """The root group of a file, which messages call `shown` where it is a copy of something.

    Raises:
        FileNotFoundError: there is no such file.
        SavedFileError: it is not an HDF5 file, is damaged or cut off.
    """
    import h5py

    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, "There is no such file to load from", path)
    if os.path.isdir(path):
        raise SavedFileError(
            f"Cannot load {path!r}: it is a folder. (TensorFlow's SavedModel format is not supported.)"
        )
    verify_checksum(path)
    try:
        file = h5py.File(path, "r")
    except PermissionError:
        raise
    except Exception as error:
        raise SavedFileError(f"Cannot load {(shown or path)!r}: {_why_not_open(path, error)}") from error
    try:
        yield Group(file, shown or path, "")
    finally:
        file.close()


def _why_not_open(path: str, error: Exception) -> str:
    with open(path, "rb") as file:
        start = file.read(8)
    if not start:
        return "the file is empty."
    if "truncated" in str(error):
        return "the file is cut off: it was not copied or written to its end."
    if start[:4] == b"PK\x03\x04":
        return "it is a zip archive (as `.keras` files are), not an HDF5 file."
    if start != b"\x89HDF\r\n\x1a\n":
        return f"it is not an HDF5 file (it begins with {start!r})."
    return f"the HDF5 file is damaged ({error})."


class Group:
    """A group of a file, read with the checks of this module. Errors name the file and the path in it."""

    def __init__(self, group: h5py.Group, file: str, path: str) -> None:
        self._group = group
        self.file = file
        self.path = path

    @contextlib.contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Whatever h5py raises while it parses becomes one error for people."""
        try:
            yield
        except SavedFileError:
            raise
        except Exception as error:
            raise self._refused(what, f"it is damaged ({type(error).__name__}: {error}).") from error

    def _refused(self, what: str, why: str) -> SavedFileError:
        return SavedFileError(f"Cannot load {self.file!r}: at {what or '/'!r}: {why}")

    def _below(self, name: str) -> str:
        return f"{self.path}/{name}".strip("/")

    def names(self) -> list[str]:
        """The names in this group."""
        with self._reading(self.path):
            return list(self._group.keys())

    def has(self, name: str) -> bool:
        """Whether the group has something of this name (a path with slashes is followed by hard links only)."""
        return self._find(name) is not None

    def _find(self, path: str) -> Any:
        import h5py

        found, done = self._group, self.path
        for name in path.split("/"):
            with self._reading(f"{done}/{name}".strip("/")):
                if not isinstance(found, h5py.Group) or name in ("", "."):
                    return None
                link = found.get(name, getlink=True)
            done = f"{done}/{name}".strip("/")
            if link is None:
                return None
            if not isinstance(link, h5py.HardLink):
                raise self._refused(done, f"it is a link elsewhere ({type(link).__name__}), which is not followed.")
            with self._reading(done):
                found = found[name]
        return found

    def group(self, path: str) -> Group:
        """The group at a path. Raises SavedFileError where there is none."""
        import h5py

        found = self._find(path)
        if found is None:
            raise self._refused(self._below(path), "the group is missing.")
        if not isinstance(found, h5py.Group):
            raise self._refused(self._below(path), "a group is expected, but something else is there.")
        return Group(found, self.file, self._below(path))

    def array(self, path: str) -> StoredArray:
        """The array at a path, not read yet. Raises SavedFileError where there is none that is safe to read."""
        import h5py

        found, where = self._find(path), self._below(path)
        if found is None:
            raise self._refused(where, "the array is missing.")
        if not isinstance(found, h5py.Dataset):
            raise self._refused(where, "an array is expected, but something else is there.")
        with self._reading(where):
            self._check(found, where)
            return StoredArray(self, found, where)

    def _check(self, dataset: h5py.Dataset, where: str) -> None:
        if dataset.external:
            raise self._refused(where, "its data lie in another file, which is not read.")
        if dataset.is_virtual:
            raise self._refused(where, "it is a virtual dataset, made of other files, which are not read.")
        if dataset.dtype.kind not in _NUMBERS or dataset.dtype.subdtype is not None:
            raise self._refused(where, f"it holds {dataset.dtype}, not numbers.")
        if dataset.shape is None:
            raise self._refused(where, "it is empty (it has no shape).")
        claimed = math.prod(dataset.shape) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        if claimed > _SMALL and claimed > _MOST_EXPANSION * stored:
            raise self._refused(where, f"shape {dataset.shape} claims {claimed} bytes, but only {stored} are stored.")

    def arrays(self, skip: tuple[str, ...] = ()) -> list[StoredArray]:
        """All arrays in this group and the groups below it, but for the named ones at its top."""
        import h5py

        found: list[StoredArray] = []
        waiting: list[tuple[Group, int]] = [(self, 0)]
        while waiting:
            group, depth = waiting.pop()
            if depth > _DEEPEST:
                raise self._refused(group.path, f"groups lie more than {_DEEPEST} deep.")
            below = []
            for name in group.names():
                if depth == 0 and name in skip:
                    continue
                if isinstance(group._find(name), h5py.Group):
                    below.append((group.group(name), depth + 1))
                else:
                    found.append(group.array(name))
            waiting.extend(reversed(below))
        return found

    # Attributes

    def _attribute(self, name: str) -> Any:
        """The value of an attribute, None where it is not there."""
        what = f"{self.path or '/'}@{name}"
        with self._reading(what):
            if name not in self._group.attrs:
                return None
            attribute = self._group.attrs.get_id(name)
            if math.prod(attribute.shape or ()) * attribute.dtype.itemsize > LARGEST_TEXT:
                raise self._refused(what, f"the attribute has more than {LARGEST_TEXT} bytes.")
            return self._group.attrs[name]

    def text(self, name: str) -> str | None:
        """An attribute that is a text, None where it is not there."""
        value = self._attribute(name)
        if value is None:
            return None
        with self._reading(f"{self.path or '/'}@{name}"):
            if isinstance(value, bytes):
                value = value.decode()
            if not isinstance(value, str):
                raise TypeError(f"a text is expected, not {type(value).__name__}")
        if len(value) > LARGEST_TEXT:
            raise self._refused(f"{self.path or '/'}@{name}", f"the attribute has more than {LARGEST_TEXT} bytes.")
        return value

    def text_list(self, name: str) -> list[str] | None:
        """An attribute that is a list of names, put together from its pieces; None where it is not there."""
        first = self._attribute(name)
        pieces = [] if first is None else [first]
        while first is None and (piece := self._attribute(f"{name}{len(pieces)}")) is not None:
            pieces.append(piece)
        if not pieces:
            return None
        with self._reading(f"{self.path or '/'}@{name}"):
            return [n.decode() if isinstance(n, bytes) else str(n) for piece in pieces for n in np.asarray(piece).flat]

    def numbers(self, name: str) -> np.ndarray | None:
        """An attribute that is a list of integers, None where it is not there."""
        value = self._attribute(name)
        if value is None:
            return None
        with self._reading(f"{self.path or '/'}@{name}"):
            return np.asarray(value, np.int64).reshape(-1)


class StoredArray:
    """An array in a file that has passed the checks: its shape and dtype are known, its values are not read yet."""

    def __init__(self, group: Group, dataset: h5py.Dataset, path: str) -> None:
        self._group = group
        self._dataset = dataset
        self.path = path
        self.shape: tuple[int, ...] = tuple(dataset.shape)
        self.dtype: np.dtype = dataset.dtype

    def read(self) -> np.ndarray:
        """The values. Raises SavedFileError where they are damaged."""
        with self._group._reading(self.path):
            return np.asarray(self._dataset[()])
