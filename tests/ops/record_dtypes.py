"""Records the result dtypes of Keras, with a Python that has Keras 3.15, TensorFlow and JAX, in two steps:

    KERAS_BACKEND=tensorflow python -m tests.ops.record_dtypes
    KERAS_BACKEND=jax python -m tests.ops.record_dtypes

TensorFlow first: on other backends Keras' symbolic rules give 32 bits where operands have 64. A call is disputed where
the rule says one thing and TensorFlow's arrays another (or refuse). JAX's arrays settle it, in 64 bits (without
JAX_ENABLE_X64 it has none); the 64 bits that it then gives to what had no such operand are its default, and become 32.
A call that is refused is recorded as "-".
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np

from tests.ops.dtype_calls import ARRAYS, BINARY, OPERANDS, PYTHON, UNARY, dtypes_of, load, shape_of

REFUSED, DISPUTED = "-", "?"
FILE = Path(__file__).with_name("dtypes.json")
Answer = Callable[[str, Callable, tuple[str, ...]], str]


def symbolic(name: str, dtype: str) -> Any:
    """An operand without values."""
    return PYTHON[dtype] if dtype in PYTHON else keras.KerasTensor(shape_of(name), dtype)


def array(name: str, dtype: str) -> Any:
    """An operand with values."""
    return PYTHON[dtype] if dtype in PYTHON else keras.ops.convert_to_tensor(np.ones(shape_of(name)), dtype)


def result(maker: Callable, name: str, call: Callable, operands: tuple[str, ...]) -> str:
    """The dtype that Keras gives."""
    try:
        return dtypes_of(call(keras.ops, *(maker(name, dtype) for dtype in operands)))
    except Exception:  # whatever a backend raises is a refusal
        return REFUSED


def answer(name: str, call: Callable, operands: tuple[str, ...]) -> str:
    """The answer of rule and arrays."""
    if all(dtype in PYTHON for dtype in operands):
        return REFUSED
    by_rule, by_array = (result(maker, name, call, operands) for maker in (symbolic, array))
    return by_rule if by_rule == by_array else DISPUTED


def settle(name: str, call: Callable, operands: tuple[str, ...]) -> str:
    """The answer of arrays alone."""
    given = result(array, name, call, operands)
    if not {"int64", "uint32", "float64"} & set(operands):
        given = given.replace("int64", "int32")
    return given if "float64" in operands else given.replace("float64", "float32")


def record(ask: Answer, known: dict | None = None) -> dict:
    """The tables of all functions; with known answers only what is disputed is asked."""

    def one(kind: str, name: str, call: Callable, operands: tuple[str, ...]) -> str:
        before = known[kind][name][operands] if known else DISPUTED
        return ask(name, call, operands) if before == DISPUTED else before

    unary = {name: ", ".join(one("unary", name, call, (a,)) for a in ARRAYS) for name, call in UNARY.items()}
    binary = {
        name: {a: ", ".join(one("binary", name, call, (a, b)) for b in OPERANDS) for a in OPERANDS}
        for name, call in BINARY.items()
    }
    return {"unary": _shared(unary), "binary": _shared(binary)}


def _shared(tables: dict[str, Any]) -> list[dict]:
    """Functions of equal answers under one table."""
    names: dict[str, list[str]] = {}
    for name, table in tables.items():
        names.setdefault(json.dumps(table), []).append(name)
    return [{"functions": ", ".join(of), "results": json.loads(table)} for table, of in names.items()]


if __name__ == "__main__":
    tensorflow = keras.backend.backend() == "tensorflow"
    FILE.write_text(json.dumps(record(answer) if tensorflow else record(settle, load()), indent=1) + "\n")
