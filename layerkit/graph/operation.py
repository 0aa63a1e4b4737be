"""Operation: what a node does. One class per operation, registered by being defined.

A subclass states, in this order: its attributes, the shape and dtype rule (`infer`), the NumPy `reference`, the
`gradient` in terms of operations, and how it compiles. The kinds below say how: `Elementwise` by a scalar expression,
`Reduction` by what it accumulates, `View` by strides, `Composite` by other operations, `Kernelled` by launches of
kernels. A plain `Operation` has no kernel: a plan calls its reference between native segments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from layerkit.dtypes import (
    STRING,
    TEXT_KINDS,
    array_dtype,
    complex_of,
    dtype_of,
    floatx,
    is_complex,
    is_float,
    is_inexact,
    result_type,
    standardize_dtype,
    texts_of,
)
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph.graph import current_graph, current_path
from layerkit.graph.node import Node
from layerkit.graph.tape import note_application, taping
from layerkit.graph.tensor import SIZE_CONSTANT, Shape, Tensor

if TYPE_CHECKING:
    from layerkit.kernels.launch import Launch, Operand

Spec = tuple[Shape, str]
"""Shape and dtype of an output."""

REQUIRED = object()
_UNUSUAL = frozenset(["complex64", "complex128", STRING])
_NO_STRINGS = (
    "it takes no strings: make numbers of them with StringLookup, TextVectorization, Hashing or HashedCrossing first."
)
_NUMBERS = (int, float, bool, complex)
"""The types of plain numbers, which take an array's dtype."""

COSTLY = ("exp", "log", "pow", "tanh", "sigmoid", "softplus", "erf", "sin", "cos", "tan", "mod", "floor_divide")
"""Functions that cost more than reading a stored result again."""


class Operation:
    """A pure function of tensors.

    A subclass declares attributes as annotated class fields, with defaults; they are the constructor's arguments.
    Instances are immutable values: equal attributes make equal operations.

    >>> from layerkit import ops
    >>> ops.Transpose((1, 0)) == ops.Transpose(axes=(1, 0))
    True
    """

    registry: ClassVar[dict[str, type[Operation]]] = {}
    _fields: ClassVar[tuple[tuple[str, object], ...]] = ()
    outputs: ClassVar[int] = 1
    shape_only: ClassVar[tuple[int, ...]] = ()
    """Which inputs give only their shape, not their elements."""
    whole: ClassVar[tuple[int, ...]] = ()
    """Which inputs are not broadcast: the expression reads their elements as `b[0]`, `b[1]`."""
    takes_complex: ClassVar[bool] = False
    """Whether the reference and the gradient hold for complex numbers too: see `ops/complex_numbers.py`."""
    takes_strings: ClassVar[bool] = False
    """Whether it takes tensors of strings: such nodes run on the host, before or after the plan (tracing/stages.py)."""

    def __init_subclass__(cls, abstract: bool = False, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        own = {
            name: cls.__dict__.get(name, REQUIRED)
            for name, kind in cls.__dict__.get("__annotations__", {}).items()
            if "ClassVar" not in str(kind)
        }
        cls._fields = tuple({**dict(cls._fields), **own}.items())
        if not abstract:
            Operation.registry[cls.__name__] = cls

    def __init__(self, *args: object, **kwargs: object) -> None:
        name = type(self).__name__
        if len(args) > len(self._fields):
            raise TypeError(f"{name} takes {len(self._fields)} attributes, got {len(args)}")
        for (field, _), value in zip(self._fields, args, strict=False):
            setattr(self, field, value)
        for field, default in self._fields[len(args) :]:
            value = kwargs.pop(field, default)
            if value is REQUIRED:
                raise TypeError(f"{name} needs the attribute {field!r}")
            setattr(self, field, value)
        if kwargs:
            raise TypeError(f"{name} has no attribute {', '.join(map(repr, kwargs))}")

    def attributes(self) -> dict[str, object]:
        """The attributes by name."""
        return {field: getattr(self, field) for field, _ in self._fields}

    def _key(self) -> tuple:
        return (type(self), *(getattr(self, field) for field, _ in self._fields))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Operation) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        inside = ", ".join(f"{field}={getattr(self, field)!r}" for field, _ in self._fields)
        return f"{type(self).__name__}({inside})" if inside else type(self).__name__

    def infer(self, *x: Tensor) -> Spec | Sequence[Spec]:
        """Shape and dtype of the output (or of each). Raises ShapeError or DtypeError with what was expected."""
        raise NotImplementedError(f"{type(self).__name__} states no shape rule")

    def reference(self, *x: np.ndarray) -> np.ndarray | Sequence[np.ndarray]:
        """The outputs by NumPy. It is what runs eagerly, and what kernels are tested against."""
        raise NotImplementedError(f"{type(self).__name__} states no reference")

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> Sequence[Tensor | None]:
        """Gradient of each input (None: there is none), given the output's.

        With several outputs `g` and `y` are lists, and `g` has None where an output has no gradient.
        """
        raise GraphError(f"{type(self).__name__} has no gradient.")

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        """The inputs as tensors of the dtypes that it computes with."""
        return [as_tensor(x) for x in inputs]

    def __call__(self, *inputs: object) -> Tensor | list[Tensor]:
        """Apply: compute on arrays, or record a node where an input is symbolic."""
        try:
            tensors = self.prepare(inputs)
        except DtypeError:
            self._refuse_strings(inputs)
            raise
        try:
            if any(tensor.dtype in _UNUSUAL for tensor in tensors):
                self._check_unusual([tensor.dtype for tensor in tensors])
            if any(tensor._array is None for tensor in tensors):
                return self._record(tensors)
            return self._compute(tensors)
        except (ShapeError, DtypeError) as error:
            raise type(error)(self._locate(error, tensors)) from None

    def _check_unusual(self, dtypes: Sequence[str]) -> None:
        if not self.takes_complex and any(map(is_complex, dtypes)):
            raise DtypeError("it takes no complex numbers: give it their real and imaginary parts.")
        if not self.takes_strings and STRING in dtypes:
            raise DtypeError(_NO_STRINGS)

    def _refuse_strings(self, inputs: Sequence[object]) -> None:
        """Raise DtypeError where inputs that could not be prepared are strings."""
        if self.takes_strings:
            return
        tensors = [x if isinstance(x, Tensor) else as_tensor(x) for x in inputs]
        if any(tensor.dtype == STRING for tensor in tensors):
            raise DtypeError(self._locate(DtypeError(_NO_STRINGS), tensors))

    def _locate(self, error: Exception, tensors: Sequence[Tensor]) -> str:
        text = str(error)
        if text.startswith("Operation "):
            return text
        where = f" in layer {current_path()!r}" if current_path() else ""
        given = ", ".join(f"{tensor.dtype}{list(tensor.shape)}".replace("None", "?") for tensor in tensors)
        return f"Operation {self!r}{where}: {text} Got {given}."

    def specs(self, tensors: Sequence[Tensor]) -> list[Spec]:
        """Shape and dtype of each output, as a list."""
        inferred = self.infer(*tensors)
        return [inferred] if self.outputs == 1 else list(inferred)

    def _record(self, tensors: Sequence[Tensor]) -> Tensor | list[Tensor]:
        given = [Tensor(shape, dtype) for shape, dtype in self.specs(tensors)]
        node = Node(self, tensors, given, current_path())
        graph = current_graph()
        if graph is not None:
            graph.nodes.append(node)
            if graph.texts:
                self._read_texts(graph.texts, tensors, given)
        if taping():
            note_application(self, tensors, given, node.path)
        return given[0] if self.outputs == 1 else given

    def _read_texts(self, texts: dict[Tensor, np.ndarray], inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
        """Of texts that are known, the texts that it makes, or the shapes of what it makes."""
        known = [texts.get(x, x._array) for x in inputs]
        if any(array is None for array in known) or not any(x in texts for x in inputs):
            return
        found = self.reference(*known)
        for y, array in zip(outputs, [found] if self.outputs == 1 else found, strict=True):
            if y.dtype == STRING:
                texts[y] = array
            else:
                y.shape = np.shape(array)

    def _compute(self, tensors: Sequence[Tensor]) -> Tensor | list[Tensor]:
        specs = self.specs(tensors)
        given = self.reference(*(tensor._array for tensor in tensors))
        given = [given] if self.outputs == 1 else given
        arrays = [np.asarray(array, array_dtype(dtype)) for (_, dtype), array in zip(specs, given, strict=True)]
        sized = SIZE_CONSTANT if any(tensor.name == SIZE_CONSTANT for tensor in tensors) else None
        made = [
            Tensor(np.shape(array) if None in shape else shape, dtype, array, name=sized)
            for (shape, dtype), array in zip(specs, arrays, strict=True)
        ]
        if taping():
            note_application(self, tensors, made, current_path())
        return made[0] if self.outputs == 1 else made


class Elementwise(Operation, abstract=True):
    """Computes each element of the output from the elements of the inputs in its place, broadcast as NumPy does.

    Attributes of the class:
        scalar: the expression, in Python over `a, b, c` (the inputs), `i` (the flat index) and the functions of
            `kernels/vector_math.py` by their plain names; `{name}` stands for an attribute.
        result: "same" (the inputs' common dtype), "float" (integers become the default float type first), "bool".
    """

    scalar: ClassVar[str] = ""
    result: ClassVar[str] = "same"

    def prepare(self, inputs: Sequence[object]) -> list[Tensor]:
        """The inputs promoted to their common dtype."""
        if len(inputs) == 1 and isinstance(inputs[0], Tensor):
            dtype = inputs[0].dtype
        else:
            inputs = [x.value if hasattr(x, "assign") else x for x in inputs]
            inputs = [x if type(x) in _NUMBERS or isinstance(x, Tensor) else as_tensor(x) for x in inputs]
            dtype = result_type(*(dtype_of(x) for x in inputs))
        if self.result == "float" and not is_inexact(dtype):
            dtype = floatx()
        return [cast_to(as_tensor(x, dtype), dtype) for x in inputs]

    @property
    def costly(self) -> bool:
        """Whether computing it again costs more than storing and reading its result."""
        return self.scalar.startswith(COSTLY)

    def infer(self, *x: Tensor) -> Spec:
        """The broadcast shape."""
        return broadcast_shapes(*(t.shape for t in x)), "bool" if self.result == "bool" else x[0].dtype


class Reduction(Operation, abstract=True):
    """Accumulates over axes. `accumulate` is "sum", "max", "min" or "prod"; the output keeps its axes (with size 1)."""

    axes: tuple[int, ...]
    accumulate: ClassVar[str] = ""

    def infer(self, x: Tensor) -> Spec:
        """The shape with 1 at the axes."""
        return tuple(1 if axis in self.axes else size for axis, size in enumerate(x.shape)), x.dtype


class View(Operation, abstract=True):
    """Gives the same elements in another arrangement, without moving them where strides can say it."""

    def view(self, x: Operand, shape: tuple[int, ...]) -> Operand | None:
        """The output as a view of the input, or None where it has to be copied."""
        raise NotImplementedError


class Composite(Operation, abstract=True):
    """Compiles to other operations; its reference and its gradient are stated in closed form."""

    def expand(self, *x: Tensor) -> Tensor | Sequence[Tensor]:
        """The same function in terms of other operations."""
        raise NotImplementedError


class Kernelled(Operation, abstract=True):
    """Compiles to launches of kernels."""

    def supports(self, *x: Tensor) -> bool:
        """Whether kernels exist for these inputs; where not, the reference is called."""
        return all(is_float(t.dtype) and t.dtype != "float16" for t in x)

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        """The kernels to run, in order. Inputs are contiguous unless `strided` names them."""
        raise NotImplementedError

    strided: ClassVar[tuple[int, ...]] = ()
    """Which inputs may have any strides."""


def as_tensor(value: object, dtype: object = None) -> Tensor:
    """A tensor of a tensor, a Variable, an array, a number or nested lists.

    A plain number takes `dtype`; arrays and tensors keep theirs. Texts make a tensor of dtype "string".
    Raises DtypeError for other objects.
    """
    if isinstance(value, Tensor):
        return value
    if hasattr(value, "assign") and hasattr(value, "value"):
        return value.value
    if type(value) in _NUMBERS:
        return Tensor.of(np.asarray(value, standardize_dtype(dtype if dtype is not None else _default_of(value))))
    if isinstance(value, (list, tuple)) and any(isinstance(item, Tensor) for item in value):
        return Operation.registry["Stack"](0)(*value)
    array = np.asarray(value)
    if array.dtype == np.float64 and isinstance(value, (list, tuple)):
        array = array.astype(floatx())
    if array.dtype == np.complex128 and isinstance(value, (list, tuple)):
        array = array.astype(complex_of(floatx()))
    if array.dtype.kind in TEXT_KINDS:
        # Of a list with texts and numbers NumPy would make texts.
        return Tensor.of(texts_of(np.asarray(value, object) if isinstance(value, (list, tuple)) else array))
    if array.dtype.kind not in "biufc":
        raise DtypeError(f"{type(value).__name__} of dtype {array.dtype} is not numeric: expected numbers.")
    return Tensor.of(array)


def _default_of(value: object) -> str:
    kind = type(value)
    return "bool" if kind is bool else "int32" if kind is int else floatx() if kind is float else complex_of(floatx())


def cast_to(x: Tensor, dtype: str) -> Tensor:
    """The tensor in another dtype.

    Raises DtypeError for complex numbers where it is no complex one: only `ops.cast` drops imaginary parts.
    """
    if is_complex(x.dtype) and not is_complex(dtype):
        raise DtypeError(f"complex numbers are no {dtype}: take ops.real, ops.imag or ops.absolute of them.")
    return x if x.dtype == dtype else Operation.registry["Cast"](dtype)(x)


def broadcast_shapes(*shapes: Shape) -> Shape:
    """The shape that shapes broadcast to; an unknown size (None) takes the other's.

    >>> broadcast_shapes((None, 3), (1, 1), (3,))
    (None, 3)
    """
    result: list[int | None] = []
    rank = max((len(shape) for shape in shapes), default=0)
    for place in range(-rank, 0):
        sizes = {shape[place] for shape in shapes if len(shape) >= -place} - {1}
        known = sizes - {None}
        if len(known) > 1:
            raise ShapeError(
                f"shapes {', '.join(map(str, shapes))} do not broadcast: axis {place} has sizes {sorted(known)}."
            )
        result.append(known.pop() if known else None if sizes else 1)
    return tuple(result)


def _operator(name: str, swapped: bool = False):
    def method(self: Tensor, other: object) -> Tensor:
        if other is None or isinstance(other, (str, dict, set)):
            return NotImplemented
        operation = Operation.registry[name]()
        return operation(other, self) if swapped else operation(self, other)

    return method


def _unary(name: str):
    return lambda self: Operation.registry[name]()(self)


def install_operators(kind: type) -> None:
    """Give a class Python's operators as operations."""
    binary = {
        "add": "Add", "sub": "Subtract", "mul": "Multiply", "truediv": "Divide", "floordiv": "FloorDivide",
        "mod": "Mod", "pow": "Power", "matmul": "MatMul", "and": "LogicalAnd", "or": "LogicalOr", "xor": "LogicalXor",
    }  # fmt: skip
    for python, name in binary.items():
        setattr(kind, f"__{python}__", _operator(name))
        setattr(kind, f"__r{python}__", _operator(name, swapped=True))
    for python, name in {
        "lt": "Less",
        "le": "LessEqual",
        "gt": "Greater",
        "ge": "GreaterEqual",
        "eq": "Equal",
        "ne": "NotEqual",
    }.items():
        setattr(kind, f"__{python}__", _operator(name))
    for python, name in {"neg": "Negative", "abs": "Absolute", "invert": "LogicalNot"}.items():
        setattr(kind, f"__{python}__", _unary(name))
    kind.__hash__ = object.__hash__


install_operators(Tensor)
Tensor.__getitem__ = lambda self, key: Operation.registry["GetItem"].at(self, key)
