"""The text of scalar computations in generated kernels."""

from __future__ import annotations

import re

import numpy as np

from layerkit.errors import unknown_name
from layerkit.graph.node import Node

ACCUMULATE = {
    "sum": "{acc} + {value}",
    "prod": "{acc} * {value}",
    "max": "maximum({acc}, {value})",
    "min": "minimum({acc}, {value})",
}
INTEGER_FORMS = {
    "floor_divide": "floor_divide_int",
    "mod": "mod_int",
    "floor": "same",
    "ceil": "same",
    "round": "same",
    "sign": "sign_int",
    "trunc": "same",
}
UNSIGNED_FORMS = {"floor_divide": "floor_divide_uint"}
GENERIC = {
    "random_bits",
    "maximum",
    "minimum",
    "absolute",
    "sign_int",
    "same",
    "floor_divide_int",
    "floor_divide_uint",
    "mod_int",
}
# The functions of kernels/vector_math.py and kernels/random.py, which are there for float32 and float64.
FLOAT_FUNCTIONS = {
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "ceil", "cos", "cosh", "erf", "erfc",
    "exp", "expm1", "floor", "floor_divide", "log", "log10", "log1p", "log2", "mod", "pow", "round", "rsqrt",
    "normal", "scaled", "sigmoid", "sign", "sin", "sinh", "softplus", "sqrt", "tan", "tanh", "trunc",
    "truncated_normal", "uniform",
}  # fmt: skip
TOKEN = re.compile(r"\{\w+\}|[A-Za-z_]\w*(?:\[\d\])?|\d+\.?\d*(?:e-?\d+)?")


def expression(node: Node, inputs: list[str], index: str, space: tuple[int, ...], last_axis: bool) -> str:
    """A node's scalar expression with names put in, functions of the right dtype, and typed constants.

    Args:
        node: an elementwise node.
        inputs: the names of its inputs' values.
        index: the flat index of the point.
        space: the shape of the iteration.
        last_axis: whether `j` counts along the last axis of the space.
    """
    operation, y = node.operation, node.outputs[0]
    dtype = y.dtype if y.dtype != "bool" or not node.inputs else node.inputs[0].dtype
    if type(operation).__name__ == "Cast":
        return f"{inputs[0]} != 0" if y.dtype == "bool" else f"{y.dtype}({inputs[0]})"
    if type(operation).__name__ == "IndexAlong":
        axis = operation.axis
        return "int32(j)" if last_axis and axis == len(space) - 1 else f"int32(({index}) // below{axis} % size{axis})"
    values = dict(zip("abc", inputs, strict=False))

    def put(match: re.Match) -> str:
        token = match.group()
        if token[0] == "{":
            value = getattr(operation, token[1:-1])
            return (
                f"{dtype}({value!r})" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
            )
        if "[" in token:
            return f"{values[token[0]]}{token[2]}"
        if token in values:
            return values[token]
        if token in ("if", "else", "not", "and", "or"):
            return token
        if token == "i":
            return f"({index})"
        if token[0].isdigit():
            return f"{dtype}({token})"
        if token == "zero":
            return f"{dtype}(0)"
        if not dtype.startswith("float"):
            token = UNSIGNED_FORMS.get(token, token) if dtype.startswith("uint") else token
            token = INTEGER_FORMS.get(token, token)
        if token in GENERIC:
            return token
        if token not in FLOAT_FUNCTIONS:
            raise unknown_name(f"function in the scalar expression of {operation!r}:", token, FLOAT_FUNCTIONS | GENERIC)
        return f"{token}_{dtype}"

    text = TOKEN.sub(put, operation.scalar)
    return f"{y.dtype}({text})" if y.dtype not in ("bool", "float32", "float64") else text


def identity(node: Node) -> str:
    """The value that a reduction starts from."""
    dtype = node.outputs[0].dtype
    kind = node.operation.accumulate
    if kind in ("sum", "prod"):
        return f"{dtype}({0 if kind == 'sum' else 1})"
    sign = "-" if kind == "max" else ""
    if dtype.startswith("float"):
        return f"{dtype}({sign}inf)"
    if dtype == "bool":
        return str(kind == "min")
    limits = np.iinfo(dtype)
    return f"{dtype}({limits.min if kind == 'max' else limits.max})"


def accumulated(node: Node, acc: str, value: str) -> str:
    """A reduction's accumulator after one more value."""
    text = ACCUMULATE[node.operation.accumulate].format(acc=acc, value=value)
    dtype = node.outputs[0].dtype
    return text if dtype.startswith("float") else f"{dtype}({text})"


def index_axis(node: Node) -> int | None:
    """The axis along which a node counts, if it does."""
    return node.operation.axis if type(node.operation).__name__ == "IndexAlong" else None
