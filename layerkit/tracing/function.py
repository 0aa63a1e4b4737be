"""The decorator that compiles a Python function over tensors and Variables."""

from __future__ import annotations

import functools
import warnings
import weakref
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from layerkit import tree
from layerkit.compiler.inspection import Cost, Description, describe
from layerkit.dtypes import TEXT_KINDS, texts_of
from layerkit.graph.graph import Graph, current_graph
from layerkit.graph.tape import taping
from layerkit.graph.tensor import Tensor
from layerkit.tracing.compiled_function import CompiledFunction

NUMBERS_BEFORE_WARNING = 5


class TracedFunction:
    """A Python function that is traced once for each kind of arguments, and runs as a plan.

    Tensors and arrays are traced: the function is called again for another shape, dtype or structure of arguments,
    since its Python code may depend on them. All other arguments (numbers, strings, None, objects) are constants of the
    trace: it is called again for another value. Variables that it reads and assigns keep their place.

    Inside another traced function and while a GradientTape records on arrays it is an ordinary Python function.

    Attributes:
        python_function: the function as it was.
    """

    def __init__(self, python_function: Callable) -> None:
        if not callable(python_function):
            raise TypeError(f"layerkit.function compiles a function; got {type(python_function).__name__}.")
        self.python_function = python_function
        functools.update_wrapper(self, python_function)
        self._compiled = CompiledFunction(
            lambda args, kwargs: python_function(*args, **kwargs), name=getattr(python_function, "__name__", None)
        )
        self._bound: weakref.WeakKeyDictionary[object, TracedFunction] = weakref.WeakKeyDictionary()
        self._numbers: dict[Hashable, set] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it; gives what the function gives, tensors for tensors."""
        if current_graph() is not None or taping():
            return self.python_function(*args, **kwargs)
        given, leaves, key = self._signature(args, kwargs)
        return self._compiled.call(given, leaves, key)

    def __get__(self, instance: object, owner: type | None = None) -> TracedFunction:
        """The function of an object, where this is a method."""
        if instance is None:
            return self
        bound = self._bound.get(instance)
        if bound is None:
            method, own = self.python_function, weakref.proxy(instance)
            bound = self._bound[instance] = TracedFunction(functools.partial(method, own))
            functools.update_wrapper(bound, method)
        return bound

    def __repr__(self) -> str:
        return f"<layerkit function {getattr(self.python_function, '__qualname__', self.python_function)!s}>"

    @property
    def traces(self) -> int:
        """How often the Python function was called to be traced."""
        return self._compiled.traces

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """What was traced for such arguments; it is traced and compiled where it was not."""
        return self._traced(args, kwargs).graph

    def describe(self, *args: Any, **kwargs: Any) -> Description:
        """What the plan for such arguments does: nodes, kernels, operations, bytes. It has no part in strings."""
        traced = self._traced(args, kwargs)
        return describe(traced.numeric, traced.executable)

    def text(self, *args: Any, **kwargs: Any) -> str:
        """The plan for such arguments as a table."""
        return self.describe(*args, **kwargs).text()

    def dot(self, *args: Any, **kwargs: Any) -> str:
        """The plan for such arguments as Graphviz source."""
        return self.describe(*args, **kwargs).dot()

    def svg(self, *args: Any, **kwargs: Any) -> str:
        """The plan for such arguments as a picture."""
        return self.describe(*args, **kwargs).svg()

    def cost(self, *args: Any, **kwargs: Any) -> Cost:
        """Estimated operations and bytes of a run with such arguments, and the memory that the plan takes."""
        return self.describe(*args, **kwargs).cost

    def _traced(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        return self._compiled.traced(*self._signature(args, kwargs))

    def _signature(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, list, Hashable]:
        given = tree.map_structure(_as_argument, (args, kwargs))
        leaves = tree.flatten(given)
        key = _structure_key(given)
        self._count_numbers(key, leaves)
        return given, leaves, key

    def _count_numbers(self, key: Hashable, leaves: list) -> None:
        """Warn where the function is traced again and again for another number."""
        numbers = tuple(x for x in leaves if type(x) in (int, float))
        if not numbers:
            return
        seen = self._numbers.setdefault(key, set())
        if numbers not in seen:
            seen.add(numbers)
            if len(seen) == NUMBERS_BEFORE_WARNING:
                warnings.warn(
                    f"{self!r} was traced {NUMBERS_BEFORE_WARNING} times for other numbers ({numbers} the last time). "
                    "Plain numbers are constants of a trace: give those that change as arrays, as np.float32(x).",
                    stacklevel=4,
                )


def function(python_function: Callable | None = None) -> TracedFunction | Callable:
    """Compile a Python function over tensors and Variables; also as a decorator, `@layerkit.function`.

    Args:
        python_function: takes and gives tensors, or structures of them.

    Raises:
        TypeError: it cannot be called.

    >>> import numpy as np
    >>> from layerkit import ops
    >>> @function
    ... def norm(x):
    ...     return ops.sqrt(ops.sum(x * x))
    >>> norm(np.array([3, 4], "float32")).item()
    5.0
    """
    return function if python_function is None else TracedFunction(python_function)


def _as_argument(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.numpy()
    if isinstance(x, np.ndarray) and x.dtype.kind in TEXT_KINDS:
        return texts_of(x)  # whatever their width, they are one dtype
    return np.asarray(x) if isinstance(x, np.generic) else x


def _structure_key(structure: Any) -> Hashable:
    if isinstance(structure, dict):
        return (type(structure), *((key, _structure_key(value)) for key, value in structure.items()))
    if isinstance(structure, (tuple, list)):
        return (type(structure), *map(_structure_key, structure))
    return None
