"""Whatever users hold their data in, as arrays that can be sliced into batches."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.dtypes import TEXT_KINDS, texts_of
from layerkit.errors import DtypeError, ShapeError

NUMERIC_KINDS = "biuf"


class LazyArray:
    """Rows of an array that lies in a file, read when they are asked for and cast to `dtype`.

    It offers what `ArrayAdapter` uses of a NumPy array: `shape`, `dtype`, slices and `take`.
    """

    def __init__(self, source: Any, dtype: np.dtype, start: int = 0, stop: int | None = None):
        self.source = source
        self.dtype = dtype
        self.start = start
        self.stop = source.shape[0] if stop is None else stop

    @property
    def shape(self) -> tuple[int, ...]:
        """[rows, ...], as of an array."""
        return (self.stop - self.start, *self.source.shape[1:])

    def __len__(self) -> int:
        return self.stop - self.start

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        return np.ascontiguousarray(self.source[self.start + start : self.start + stop], dtype=self.dtype)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)

    def window(self, start: int, stop: int) -> LazyArray:
        """The rows `start..stop`, still unread."""
        return LazyArray(self.source, self.dtype, self.start + start, self.start + stop)

    def take(self, indices: np.ndarray, axis: int, out: np.ndarray, mode: str) -> np.ndarray:
        """Read rows into `out`; HDF5 wants them in increasing order. `axis` and `mode` as NumPy's, 0 and "clip"."""
        order = np.argsort(indices)
        out[order] = self.source[self.start + indices[order]]
        return out


def rows(array: np.ndarray | LazyArray, start: int, stop: int) -> np.ndarray | LazyArray:
    """The rows `start..stop` without copying or reading them."""
    return array.window(start, stop) if isinstance(array, LazyArray) else array[start:stop]


def as_arrays(data: Any, name: str, floatx: str = "float32") -> Any:
    """The same structure with an array [samples, ...] for each leaf.

    A list or tuple of numbers (nested or not) counts as one array, a list of arrays as several inputs.
    Floats of another width are cast to `floatx`, integers and booleans stay as they are. Texts (`str` or bytes, in an
    array of any width or in lists) become an array of objects.

    Args:
        data: an array, a DataFrame, an HDF5 data set, or lists, tuples and dictionaries of such.
        name: what errors call the data, for example `"x"`.
        floatx: dtype name of floating-point data.

    Raises:
        TypeError: a leaf is no array.
        DtypeError: a leaf holds neither numbers nor texts.
        ShapeError: a leaf has no axis of samples, or lists of numbers are ragged.
    """
    return _convert(data, name, np.dtype(floatx))


def _convert(data: Any, name: str, floatx: np.dtype) -> Any:
    if data is None:
        return None
    if isinstance(data, list | tuple) and _holds_numbers(data):
        return as_array(data, name, floatx)
    if tree.is_nested(data):
        leaves = _numbers_as_leaves(data)
        arrays = [
            None if leaf is None else as_array(leaf, tree.path_text(name, path), floatx)
            for path, leaf in tree.flatten_with_path(leaves)
        ]
        return tree.pack_sequence_as(leaves, arrays)
    return as_array(data, name, floatx)


class _Numbers:
    """Hides a list of numbers from `tree`."""

    def __init__(self, values: list | tuple):
        self.values = values


def _numbers_as_leaves(data: Any) -> Any:
    def hide(node: Any) -> Any:
        return _Numbers(node) if isinstance(node, list | tuple) and _holds_numbers(node) else None

    return tree.traverse(hide, data)


def _holds_numbers(data: Any) -> bool:
    while isinstance(data, list | tuple):
        if not data:
            return True
        data = data[0]
    return isinstance(data, numbers.Number | np.generic | str)


def as_array(data: Any, name: str, floatx: np.dtype) -> np.ndarray | LazyArray:
    """One array [samples, ...], C-contiguous, in native byte order; see `as_arrays`."""
    if isinstance(data, LazyArray):
        return data
    if isinstance(data, _Numbers):
        data = data.values
    if isinstance(data, list | tuple):
        data = _array_of_lists(data, name)
    elif _is_hdf5(data):
        if not _holds_texts(data.dtype):
            _checked(data, name)
        return LazyArray(data, _cast_dtype(data.dtype, floatx))
    elif hasattr(data, "tocsr") and not hasattr(data, "__array__"):
        raise TypeError(
            f"`{name}` is a sparse matrix ({type(data).__name__}), which is not supported: pass `{name}.toarray()`."
        )
    elif hasattr(data, "iloc") and hasattr(data, "to_numpy"):
        # pandas: a Series is one feature (or label) a sample, as in Keras
        data = data.to_numpy()
        data = data[:, None] if data.ndim == 1 else data
    elif not isinstance(data, np.ndarray):
        if not hasattr(data, "__array__"):
            raise TypeError(f"`{name}` must be an array, got {_described(data)}.")
        data = np.asarray(data)
    if data.dtype.kind in TEXT_KINDS:
        return np.ascontiguousarray(_texts(data, name))
    dtype = _cast_dtype(_checked(data, name).dtype, floatx)
    if isinstance(data, np.memmap) and data.dtype != dtype:
        return LazyArray(data, dtype)
    return np.ascontiguousarray(data, dtype=dtype)


def _texts(data: np.ndarray, name: str) -> np.ndarray:
    """Texts as an array of objects."""
    try:
        texts = texts_of(data)
    except DtypeError:
        _checked(data, name)
        raise
    if not texts.ndim:
        raise ShapeError(f"`{name}` is a single text; expected an array [samples, ...].")
    return texts


def _array_of_lists(data: list | tuple, name: str) -> np.ndarray:
    try:
        array = np.asarray(data)
        return np.asarray(data, object) if array.dtype.kind in TEXT_KINDS else array
    except ValueError as error:
        raise ShapeError(
            f"`{name}` is a list of lists of different lengths, not an array: pad them to one length "
            "(`utils.pad_sequences`)."
        ) from error


def _is_hdf5(data: Any) -> bool:
    return type(data).__module__.partition(".")[0] == "h5py" and hasattr(data, "shape")


def _holds_texts(dtype: np.dtype) -> bool:
    """Whether a data set's objects are texts, as HDF5 says in the dtype's metadata."""
    return dtype.kind == "O" and (dtype.metadata or {}).get("vlen") in (str, bytes)


def _cast_dtype(dtype: np.dtype, floatx: np.dtype) -> np.dtype:
    return floatx if dtype.kind == "f" else dtype.newbyteorder("=")


def _checked(array: Any, name: str) -> Any:
    """The array itself if it holds numbers and has an axis of samples."""
    if array.dtype.kind not in NUMERIC_KINDS:
        raise DtypeError(
            f"`{name}` has dtype {array.dtype}, but only real numbers, booleans and texts can be used. {_mend(array)}"
        )
    if len(array.shape) == 0:
        raise ShapeError(f"`{name}` is a single number; expected an array [samples, ...].")
    return array


def _mend(array: Any) -> str:
    kind = array.dtype.kind
    if kind in "OSUT":
        return (
            "An array of objects comes from rows of different lengths, a table of mixed columns, or texts of which "
            "some are missing (None, nan)."
        )
    if kind in "mM":
        return "Turn dates and times into numbers first."
    if kind == "c":
        return "Pass the real and the imaginary parts as two features."
    return "Turn its fields into separate arrays first."


def _described(data: Any) -> str:
    text = repr(data)
    return f"{text if len(text) <= 60 else text[:57] + '...'} of type {type(data).__name__}"


def number_of_samples(structures: dict[str, Any]) -> int:
    """The one length of the first axis of all arrays.

    Args:
        structures: argument name -> structure of arrays, or None.

    Raises:
        ShapeError: there are no samples, or the arrays disagree; each is named with its length.
    """
    lengths = {
        tree.path_text(name, path): int(array.shape[0])
        for name, structure in structures.items()
        for path, array in tree.flatten_with_path(structure)
        if array is not None
    }
    if not lengths:
        raise ShapeError(f"{_listed(structures)}: there is no array to take samples from.")
    if len(set(lengths.values())) > 1:
        stated = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        raise ShapeError(f"All arrays must have the same number of samples (length of the first axis): {stated}.")
    name, samples = next(iter(lengths.items()))
    if samples == 0:
        raise ShapeError(f"`{name}` has no samples: its first axis has length 0.")
    return samples


def _listed(structures: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name, structure in structures.items() if structure is not None) or "no data"
