"""Data types: their names, the default float type, and promotion.

Promotion is the lattice of JAX ("NumPy's, but an integer with a float keeps the float's width"), which Keras follows:
https://docs.jax.dev/en/latest/type_promotion.html. A Python number is weak: it takes the other operand's type.
"""

from __future__ import annotations

import functools

import numpy as np

from layerkit.errors import DtypeError

_PARENTS = {
    "bool": ("weak int",),
    "weak int": ("int8", "uint8"),
    "int8": ("int16",),
    "uint8": ("int16", "uint16"),
    "int16": ("int32",),
    "uint16": ("int32", "uint32"),
    "int32": ("int64",),
    "uint32": ("int64", "uint64"),
    "int64": ("weak float",),
    "uint64": ("weak float",),
    "weak float": ("float16",),
    "float16": ("float32",),
    "float32": ("float64", "complex64"),
    "float64": ("complex128",),
    "complex64": ("complex128",),
    "complex128": (),
}
ALLOWED = tuple(name for name in _PARENTS if not name.startswith("weak"))
STRING = "string"
"""The dtype of tensors of texts: arrays of objects, each a `str` or `bytes`. No operation computes with them."""
TEXT_KINDS = "OSUT"
"""The kinds of NumPy's dtypes whose arrays may hold texts."""
_PYTHON = {bool: "bool", int: "weak int", float: "weak float", complex: "complex64"}
_ALIASES = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "int": "int32",
    "boolean": "bool",
    "bool_": "bool",
}

_floatx = "float32"


def floatx() -> str:
    """The default float type, "float32" unless set otherwise."""
    return _floatx


def set_floatx(value: str) -> None:
    """Make "float32" or "float64" the default float type."""
    global _floatx
    if value not in ("float32", "float64"):
        raise ValueError(f"floatx is 'float32' or 'float64'; got {value!r}.")
    _floatx = value


@functools.cache
def _standardize(dtype: object) -> str:
    if isinstance(dtype, str) and dtype in _ALIASES:
        return _ALIASES[dtype]
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in ALLOWED:
        raise DtypeError(f"dtype {dtype!r} is not one of {', '.join(ALLOWED)}.")
    return name


def standardize_dtype(dtype: object) -> str:
    """The name of a dtype given as a name, a NumPy dtype, a Python type or None (the default float type).

    >>> standardize_dtype(int)
    'int64'
    """
    if dtype is None:
        return _floatx
    # A NumPy dtype equals the Python type that it corresponds to, so only types themselves are looked up.
    if isinstance(dtype, type) and dtype in _PYTHON:
        return {int: "int64", float: _floatx, bool: "bool", complex: complex_of(_floatx)}[dtype]
    return _standardize(dtype)


def tensor_dtype(dtype: object) -> str:
    """The name of a tensor's dtype: as `standardize_dtype` has it, or "string" (also of arrays of objects)."""
    if getattr(dtype, "kind", "") == "O" or (isinstance(dtype, str) and dtype == STRING):
        return STRING
    return standardize_dtype(dtype)


def array_dtype(dtype: str) -> np.dtype:
    """The dtype of the array that a tensor of a dtype holds: objects for "string".

    >>> array_dtype("string"), array_dtype("int32")
    (dtype('O'), dtype('int32'))
    """
    return np.dtype(object if dtype == STRING else dtype)


def texts_of(array: np.ndarray) -> np.ndarray:
    """An array of texts (objects, `str`, bytes) as the array of a tensor of dtype "string": [...], of objects.

    Raises DtypeError where an element is no text.
    """
    if array.dtype.kind != "O":
        return array.astype(object)
    for kind in set(map(type, array.ravel().tolist())):
        if not issubclass(kind, str | bytes):
            raise DtypeError(f"an array of objects with an element of type {kind.__name__}: expected texts or numbers.")
    return array


def is_float(dtype: str) -> bool:
    """Whether a dtype's name is one of a float type."""
    return dtype.startswith("float")


def is_complex(dtype: str) -> bool:
    """Whether a dtype's name is one of a complex type."""
    return dtype.startswith("complex")


def is_inexact(dtype: str) -> bool:
    """Whether a dtype's name is one of a float or a complex type."""
    return is_float(dtype) or is_complex(dtype)


def complex_of(dtype: str) -> str:
    """The complex type whose parts hold the numbers of a float type.

    >>> complex_of("float32")
    'complex64'
    """
    return "complex128" if dtype == "float64" else "complex64"


def real_of(dtype: str) -> str:
    """The type of a complex type's parts; of another type the type itself.

    >>> real_of("complex64"), real_of("int32")
    ('float32', 'int32')
    """
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


def is_int(dtype: str) -> bool:
    """Whether a dtype's name is one of an integer type (bool is not)."""
    return "int" in dtype


@functools.cache
def _ancestors(name: str) -> frozenset[str]:
    return frozenset([name]).union(*(_ancestors(parent) for parent in _PARENTS[name]))


@functools.cache
def _join(names: tuple[str, ...]) -> str:
    if STRING in names:
        if names == (STRING,):
            return STRING
        raise DtypeError("strings and numbers have no dtype in common.")
    common = frozenset.intersection(*(_ancestors(name) for name in names))
    # The join is the common ancestor whose own ancestors are all of the common ones.
    return next(name for name in common if _ancestors(name) == common)


def result_type(*dtypes: object) -> str:
    """The dtype of an operation on operands of these dtypes; `int`, `float`, `bool` stand for Python numbers.

    >>> result_type("int64", "float32"), result_type("float32", float), result_type("uint8", "int8")
    ('float32', 'float32', 'int16')
    """
    names = tuple(
        dict.fromkeys(_PYTHON[d] if isinstance(d, type) and d in _PYTHON else tensor_dtype(d) for d in dtypes)
    )
    joined = _join(names) if names else _floatx
    if joined == "weak float":
        return _floatx
    if joined == "weak int":
        return "int32"
    return joined


def dtype_of(value: object) -> object:
    """What `result_type` takes for a value: its dtype's name, or the Python type of a plain number."""
    if type(value) in _PYTHON:
        return type(value)
    return value.dtype if isinstance(value.dtype, str) else tensor_dtype(value.dtype)
