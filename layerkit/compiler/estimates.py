"""Estimates: how many operations a node takes and how many bytes it moves, from its operation and its shapes alone.

They are for reading and comparing, in the units of the literature: a multiply-add is two operations, and what a product
or a convolution takes is counted as its definition says, whatever way the kernel computes it. Sizes that are not known
(None) count as 1, so a model's graph without a batch size is estimated for one sample.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from layerkit.graph.control import Branch, Control, Loop
from layerkit.graph.graph import Graph
from layerkit.graph.node import Node
from layerkit.graph.operation import Composite, Elementwise, Operation, Reduction, View
from layerkit.graph.tensor import Tensor

Rule = Callable[[Operation, Sequence[Tensor], Sequence[Tensor]], int]
"""From an operation, its inputs and its outputs to its operations."""

# What a call in a scalar expression counts, next to 1 for each +, -, *, /, comparison and choice: about the arithmetic
# of its polynomial in kernels/vector_math.py for float32; a random number takes its share of twenty rounds.
WEIGHTS = {
    "absolute": 1, "cast": 1, "ceil": 1, "floor": 1, "maximum": 1, "minimum": 1, "round": 1, "sign": 1, "trunc": 1,
    "floor_divide": 3, "mod": 4, "rsqrt": 5, "sqrt": 4,
    "exp": 12, "expm1": 16, "log": 14, "log10": 15, "log1p": 18, "log2": 15, "pow": 40,
    "sigmoid": 15, "softplus": 32, "tanh": 18, "erf": 20, "erfc": 30,
    "arccos": 16, "arccosh": 24, "arcsin": 16, "arcsinh": 26, "arctan": 16, "arctan2": 22, "arctanh": 20,
    "cos": 20, "cosh": 16, "sin": 20, "sinh": 18, "tan": 26,
    "random_bits": 50, "uniform": 54, "normal": 95, "truncated_normal": 98, "scaled": 2,
}  # fmt: skip
OTHER_FUNCTION = 10

MOVES = {
    "Concatenate", "GetItem", "Pad", "SliceGradient", "Stack", "TakeAlongAxis", "TakeRows", "UpdateRows",
}  # fmt: skip
"""Operations that only move elements."""

PICKS = {"GetItem", "TakeAlongAxis", "TakeRows"}
"""Operations that read of their first input only as much as they give."""


def elements(tensor: Tensor) -> int:
    """The number of elements, with 1 for sizes that are not known."""
    return math.prod(1 if size is None else size for size in tensor.shape)


def nbytes(tensor: Tensor) -> int:
    """The bytes of a tensor's elements, each counted once where a view repeats them.

    >>> from layerkit import ops
    >>> nbytes(Tensor((10, 3), "float32")), nbytes(ops.BroadcastTo((10, 3))(Tensor((3,), "float32")))
    (120, 12)
    """
    count = elements(tensor)
    while tensor.node is not None and isinstance(tensor.node.operation, View):
        tensor = tensor.node.inputs[0]
        count = min(count, elements(tensor))
    return count * np.dtype(tensor.dtype).itemsize


def operations_of(node: Node) -> int:
    """About how many operations a node takes.

    >>> from layerkit import ops
    >>> y = ops.MatMul()(Tensor((32, 20), "float32"), Tensor((20, 64), "float32"))
    >>> operations_of(y.node) == 2 * 32 * 64 * 20
    True
    """
    operation, inputs, outputs = node.operation, node.inputs, node.outputs
    name = type(operation).__name__
    if name in RULES:
        return RULES[name](operation, inputs, outputs)
    if isinstance(operation, View) or name in MOVES:
        return 0
    if isinstance(operation, Elementwise):
        return weight(operation.scalar) * elements(outputs[0])
    if isinstance(operation, Reduction):
        return elements(inputs[0])
    if isinstance(operation, Composite):
        return sum(map(operations_of, _expansion(operation, inputs)))
    if isinstance(operation, Control):
        return _inside(operation, operations_of)
    return max(map(elements, (*inputs, *outputs)), default=0)


def bytes_of(node: Node) -> int:
    """The bytes that a node reads and writes when it runs by itself; a view moves none."""
    operation = node.operation
    if isinstance(operation, View):
        return 0
    if isinstance(operation, Control):
        return _inside(operation, bytes_of)
    written = sum(map(nbytes, node.outputs))
    unread = getattr(operation, "shape_only", ())
    read = {id(x): nbytes(x) for at, x in enumerate(node.inputs) if at not in unread}
    if type(operation).__name__ in PICKS:
        read[id(node.inputs[0])] = min(read[id(node.inputs[0])], written)
    return sum(read.values()) + written


def subgraphs_of(operation: object) -> dict[str, Graph]:
    """The graphs inside an operation of control flow by their role, none for others."""
    return operation.subgraphs() if isinstance(operation, Control) else {}


def _inside(operation: Control, estimate: Callable[[Node], int]) -> int:
    """What all turns of a loop take together, or the dearest branch; one turn where their number is not known."""
    each = [sum(map(estimate, graph.nodes)) for graph in operation.subgraphs().values()]
    if isinstance(operation, Branch):
        return max(each)
    return sum(each) * (operation.turns or 0 if isinstance(operation, Loop) else 1)


@functools.cache
def weight(scalar: str) -> int:
    """The operations of a scalar expression.

    >>> weight("a + b"), weight("maximum(a, zero)"), weight("a")
    (1, 1, 0)
    """
    count = 0
    for part in ast.walk(ast.parse(scalar, mode="eval")):
        if isinstance(part, (ast.BinOp, ast.IfExp, ast.UnaryOp)):
            count += 1
        elif isinstance(part, ast.Compare):
            count += len(part.ops)
        elif isinstance(part, ast.BoolOp):
            count += len(part.values) - 1
        elif isinstance(part, ast.Call):
            count += WEIGHTS.get(getattr(part.func, "id", ""), OTHER_FUNCTION)
    return count


def _expansion(operation: Composite, inputs: Sequence[Tensor]) -> list[Node]:
    scratch = Graph()
    with scratch.recording():
        operation.expand(*inputs)
    return scratch.nodes


def _product(operation: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    return 2 * elements(outputs[0]) * (inputs[0].shape[-1] or 1) + _epilogue(operation, inputs, outputs)


def _epilogue(operation: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    """A bias and an activation take an operation for each element of the output."""
    return elements(outputs[0]) * ((len(inputs) > 2) + (getattr(operation, "activation", None) is not None))


def _taps(shape: Sequence[int | None], depthwise: bool) -> int:
    """How many products an element of the convolution's output sums up, from the filters' shape."""
    return math.prod(shape[: -2 if depthwise else -1])


def _convolution(depthwise: bool) -> Rule:
    """Filters are [*kernel, C / groups, F], and [*kernel, C, M] in a depthwise convolution."""

    def rule(operation: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        taps = _taps(inputs[1].shape, depthwise)
        return 2 * elements(outputs[0]) * taps + _epilogue(operation, inputs, outputs)

    return rule


def _input_gradient(depthwise: bool) -> Rule:
    return lambda operation, inputs, outputs: 2 * elements(inputs[0]) * _taps(inputs[1].shape, depthwise)


def _filter_gradient(depthwise: bool) -> Rule:
    return lambda operation, inputs, outputs: 2 * elements(inputs[1]) * _taps(outputs[0].shape, depthwise)


def _pooling(pooled: Callable[[Sequence[Tensor], Sequence[Tensor]], Tensor]) -> Rule:
    """Each element of the pooled tensor takes one operation for each place of its window."""
    return lambda operation, inputs, outputs: elements(pooled(inputs, outputs)) * math.prod(operation.pool)


def _sorting(operation: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    x = inputs[0]
    axis = getattr(operation, "axis", -1)
    length = (x.shape[axis] or 1) if x.ndim and isinstance(axis, int) else elements(x)
    return elements(x) * max(1, math.ceil(math.log2(max(length, 1))))


def _contraction(operation: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    """A multiply-add for each point of the space of all axes."""
    sizes = {
        name: size or 1
        for x, axes in zip(inputs, (operation.a_axes, operation.b_axes), strict=True)
        for name, size in zip(axes, x.shape, strict=True)
    }
    return 2 * math.prod(sizes.values())


def _fourier(factor: float) -> Rule:
    """Transforms of n points: Cooley and Tukey's 5 n log2(n) operations, half of it where one side is real."""

    def rule(operation: Operation, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
        x = max(*inputs, *outputs, key=elements)
        length = math.prod(size or 1 for size in x.shape[x.ndim - getattr(operation, "axes", 1) :])
        return round(factor * elements(x) * max(1.0, math.log2(max(length, 1))))

    return rule


def _cubic(factor: float) -> Rule:
    """Factorisations of n x n matrices: Golub and Van Loan, Matrix Computations, 4th edition, tables of flop counts."""
    return lambda operation, inputs, outputs: round(factor * elements(inputs[0]) * (inputs[0].shape[-1] or 1))


RULES: dict[str, Rule] = {
    "MatMul": _product,
    "DenseProduct": _product,
    "Conv": _convolution(depthwise=False),
    "ConvBiasActivation": _convolution(depthwise=False),
    "ConvInputGradient": _input_gradient(depthwise=False),
    "ConvFilterGradient": _filter_gradient(depthwise=False),
    "DepthwiseConv": _convolution(depthwise=True),
    "DepthwiseConvInputGradient": _input_gradient(depthwise=True),
    "DepthwiseConvFilterGradient": _filter_gradient(depthwise=True),
    "MaxPool": _pooling(lambda inputs, outputs: outputs[0]),
    "MaxPoolGradient": _pooling(lambda inputs, outputs: inputs[1]),
    "MaxPoolPick": _pooling(lambda inputs, outputs: inputs[1]),
    "AveragePool": _pooling(lambda inputs, outputs: outputs[0]),
    "AveragePoolGradient": _pooling(lambda inputs, outputs: inputs[0]),
    "ScatterAddRows": lambda operation, inputs, outputs: elements(inputs[0]),
    "ArgPartition": _sorting,
    "ArgSort": _sorting,
    "Sort": _sorting,
    "TopK": _sorting,
    "SearchSorted": lambda operation, inputs, outputs: (
        elements(outputs[0]) * max(1, math.ceil(math.log2(max(elements(inputs[0]), 1))))
    ),
    "Contraction": _contraction,
    "Fourier": _fourier(5),
    "RealFourier": _fourier(2.5),
    "InverseRealFourier": _fourier(2.5),
    "Cholesky": _cubic(1 / 3),
    "LUFactor": _cubic(2 / 3),
    "QR": _cubic(4 / 3),
    "Determinant": _cubic(2 / 3),
    "SlogDet": _cubic(2 / 3),
    "Inverse": _cubic(2),
    "Solve": _cubic(2 / 3),
    "SolveTriangular": lambda operation, inputs, outputs: elements(outputs[0]) * (inputs[0].shape[-1] or 1),
    "Eigh": _cubic(9),
    "Eig": _cubic(25),
    "SVD": _cubic(22),
    "PseudoInverse": _cubic(24),
    "RandomGamma": lambda operation, inputs, outputs: 500 * elements(outputs[0]),
    "RandomBeta": lambda operation, inputs, outputs: 1000 * elements(outputs[0]),
    "RandomBinomial": lambda operation, inputs, outputs: 1000 * elements(outputs[0]),
}
"""Rules by the operation's name, where its kind does not say enough."""
