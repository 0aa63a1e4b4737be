"""Reading downloaded data sets: archives of arrays, whose pickled parts may hold arrays, lists and numbers only."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from layerkit.utils.files import get_file

FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
"""Where Keras keeps its data sets; the hashes in this package are those that Keras 3 checks them by."""

Arrays = tuple[np.ndarray, np.ndarray]

_ALLOWED = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"), ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"), ("_codecs", "encode"),
}  # fmt: skip


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"a data set may hold arrays, lists and numbers only, not {module}.{name}.")
        return super().find_class(module, name)


def unpickled(file: BinaryIO, encoding: str = "ASCII") -> Any:
    """What a pickle holds. Raises pickle.UnpicklingError where it asks for anything but arrays, lists and numbers."""
    return _ArraysOnly(file, encoding=encoding).load()


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file, also of lists of different lengths."""
    found: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                found[name.removesuffix(".npy")] = _read_array(file)
    return found


def _read_array(file: BinaryIO) -> np.ndarray:
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(file)
    if dtype.hasobject:
        return unpickled(file).reshape(shape)
    flat = np.frombuffer(file.read(), dtype)
    return (flat.reshape(shape[::-1]).T if fortran_order else flat.reshape(shape)).copy()


def download(path: str, name: str, file_hash: str) -> str:
    """The path of a file of Keras' data sets, downloaded where it is not in the cache as `path`."""
    return get_file(path, origin=FOLDER + name, file_hash=file_hash)


def split(x: Any, y: Any, test_split: float) -> tuple[Arrays, Arrays]:
    """Training and test part. Raises ValueError for a share outside of [0, 1)."""
    if not 0 <= test_split < 1:
        raise ValueError(f"test_split is a share from 0 to 1 (1 excluded); got {test_split!r}.")
    count = int(len(x) * (1 - test_split))
    return (x[:count], y[:count]), (x[count:], y[count:])


def shuffled(seed: int, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Arrays in one random order, the same as Keras' for a seed."""
    order = np.arange(len(arrays[0]))
    np.random.RandomState(seed).shuffle(order)
    return tuple(array[order] for array in arrays)


def shifted(x: np.ndarray, start_char: int | None, index_from: int) -> list[list[int]]:
    """Lists of word numbers with `index_from` added, begun with `start_char`."""
    start = [] if start_char is None else [start_char]
    return [start + [word + index_from for word in words] for words in x]


def known_words(lists: list[list[int]], num_words: int | None, skip_top: int, oov_char: int | None) -> list[list[int]]:
    """The lists with numbers outside of [skip_top, num_words) replaced, or left out where `oov_char` is None.

    Without `num_words` the limit is the largest number, which is outside itself, as in Keras.
    """
    limit = num_words or max(map(max, lists))
    if oov_char is None:
        return [[word for word in words if skip_top <= word < limit] for words in lists]
    return [[word if skip_top <= word < limit else oov_char for word in words] for words in lists]


def shorter_than(maxlen: int | None, lists: list[list[int]], labels: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
    """The lists below a length, with their labels. Raises ValueError where none is left."""
    if not maxlen:
        return lists, labels
    kept = [at for at, words in enumerate(lists) if len(words) < maxlen]
    if not kept:
        raise ValueError(f"No sequence is shorter than maxlen={maxlen}: give a larger one.")
    return [lists[at] for at in kept], np.asarray(labels)[kept]


def as_objects(lists: list[list[int]]) -> np.ndarray:
    """An array of lists."""
    found = np.empty(len(lists), object)
    found[:] = lists
    return found
