"""Compiled Python functions: traced once for each input signature, run as a plan ever after."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

from layerkit import tree
from layerkit.compiler.compile import Executable
from layerkit.dtypes import STRING, tensor_dtype
from layerkit.graph.control import Control
from layerkit.graph.graph import Graph, trace
from layerkit.graph.interpreter import Interpreter
from layerkit.graph.operation import Kernelled, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.runtime.kernel_cache import kernels_in_use
from layerkit.runtime.thread_count import get_num_threads
from layerkit.tracing.stages import Stages, holds_strings

PLANS_KEPT = 32
INTERPRETED_RUNS = 2
INTERPRETED_WORK = 2_000_000


class CompiledFunction:
    """A function of tensors, compiled for each signature (shapes and dtypes) it is called with.

    Args:
        function: takes and gives structures (lists, tuples, dicts) of tensors; None and plain values may stand among
            the arguments and belong to the signature. It may read and assign Variables.
        name: for messages.
        interpret: run node by node on the NumPy references, without compiling.
        lazy: in a process that has no kernels yet, interpret a signature's first two runs where they take less than
            compiling would (some two million operations): a process that loads a model to predict one sample compiles
            nothing. The results differ from compiled ones by rounding.

    The least recently used plan goes when more than 32 are kept.
    """

    def __init__(
        self, function: Callable, name: str | None = None, interpret: bool = False, lazy: bool = False
    ) -> None:
        self.function = function
        self.interpret = interpret
        self.lazy = lazy
        self.name = name or getattr(function, "__name__", "function")
        self._kept: OrderedDict[Hashable, _Traced] = OrderedDict()
        self.traces = 0
        self._lock = threading.RLock()

    def __call__(self, *args: object) -> object:
        """Run on arrays; gives the structure that the function gives, of eager tensors with memory of their own."""
        return self.call(args, tree.flatten(args))

    def call(self, args: tuple, leaves: list, structure: Hashable = None) -> object:
        """Like a call of `args`, whose leaves are given, and a key of their structure where it may differ."""
        with self._lock:
            given = self._run(args, leaves, structure)
            return tree.map_structure(lambda x: Tensor.of(x.copy()) if isinstance(x, np.ndarray) else x, given)

    def run(self, *args: object) -> object:
        """Like a call, but gives arrays, which the next run of the same signature may overwrite."""
        with self._lock:
            return self._run(args, tree.flatten(args), None)

    def _run(self, args: tuple, leaves: list, structure: Hashable) -> object:
        return self.traced(args, leaves, structure).run([leaf for leaf in leaves if isinstance(leaf, np.ndarray)])

    def traced(self, args: tuple, leaves: list, structure: Hashable = None) -> _Traced | _TracedOfStrings:
        """What was compiled for the signature of these arguments; compiles it the first time."""
        # 1, 1.0 and True are equal, and not the same to a Python function.
        signature = [
            (leaf.shape, leaf.dtype.str) if isinstance(leaf, np.ndarray) else (type(leaf), leaf) for leaf in leaves
        ]
        key = (get_num_threads(), structure, *signature)
        try:
            found = self._kept.get(key)
        except TypeError:
            odd = next(leaf for leaf in leaves if not isinstance(leaf, (np.ndarray, Hashable)))
            raise TypeError(
                f"{self.name}: an argument of type {type(odd).__name__} is neither a tensor nor hashable, so what is "
                "compiled for it could not be found again. Give arrays, numbers, strings or objects that can be hashed."
            ) from None
        if found is None:
            self.traces += 1
            of_strings = any(isinstance(leaf, np.ndarray) and leaf.dtype.kind == "O" for leaf in leaves)
            found = self._kept[key] = (_TracedOfStrings if of_strings else _Traced)(self, args, leaves)
            while len(self._kept) > PLANS_KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found

    def forget(self) -> None:
        """Drop what was compiled: the next call traces again."""
        self._kept.clear()


class _Traced:
    """One signature's graph, ready to run.

    Attributes:
        graph: what was traced.
        numeric: the part of it that the plan runs: all, or what `stages` leave to it where there are strings.
        executable: runs `numeric`.
    """

    def __init__(self, owner: CompiledFunction, args: tuple, leaves: list) -> None:
        self.structure: object = None
        places = [at for at, leaf in enumerate(leaves) if isinstance(leaf, np.ndarray)]

        def flat(*placeholders: Tensor) -> list[Tensor]:
            filled = list(leaves)
            for at, placeholder in zip(places, placeholders, strict=True):
                filled[at] = placeholder
            self.structure = owner.function(*tree.pack_sequence_as(args, filled))
            self.results = tree.flatten(self.structure)
            return [as_tensor(result) for result in self.results if result is not None]

        specs = [(leaves[at].shape, tensor_dtype(leaves[at].dtype)) for at in places]
        texts = {i: leaves[at] for i, at in enumerate(places) if specs[i][1] == STRING}
        self.graph: Graph = trace(flat, specs, texts)
        self.stages = Stages(self.graph) if holds_strings(self.graph) else None
        self.numeric = self.stages.numeric if self.stages else self.graph
        idle = self.stages is not None and not self.stages.runs_numbers
        soon = owner.lazy and not idle and not kernels_in_use() and _work(self.numeric) < INTERPRETED_WORK
        self.interpreted_runs = INTERPRETED_RUNS if soon else 0
        interpret = owner.interpret or self.interpreted_runs or idle
        self.executable: Interpreter | Executable = Interpreter(self.numeric) if interpret else Executable(self.numeric)
        self.single = isinstance(self.structure, Tensor)

    def run(self, arrays: list[np.ndarray], early: list[np.ndarray] | None = None) -> object:
        """What the function gives for these arrays; `early` is what the stages make of them first, if known."""
        if self.stages is None:
            outputs = self.executable.run(arrays)
        else:
            outputs = self.stages.run(arrays, self.stages.before(arrays) if early is None else early, self.executable)
        if self.interpreted_runs:
            self.interpreted_runs -= 1
            if not self.interpreted_runs:
                self.executable = Executable(self.numeric)
        if self.single:
            return outputs[0]
        given = iter(outputs)
        return tree.pack_sequence_as(
            self.structure, [None if result is None else next(given) for result in self.results]
        )


class _TracedOfStrings:
    """A signature with strings: a trace for each of the shapes that texts lead to (the longest text's tokens, say)."""

    def __init__(self, owner: CompiledFunction, args: tuple, leaves: list) -> None:
        self._owner = owner
        self._places = [at for at, leaf in enumerate(leaves) if isinstance(leaf, np.ndarray)]
        self._leaves = [None if isinstance(leaf, np.ndarray) else leaf for leaf in leaves]
        self._args = tree.pack_sequence_as(args, self._leaves)
        self._kept = [_Traced(owner, args, leaves)]

    @property
    def graph(self) -> Graph:
        """That of the trace that ran last."""
        return self._kept[-1].graph

    @property
    def numeric(self) -> Graph:
        """That of the trace that ran last."""
        return self._kept[-1].numeric

    @property
    def executable(self) -> Interpreter | Executable:
        """That of the trace that ran last."""
        return self._kept[-1].executable

    def run(self, arrays: list[np.ndarray]) -> object:
        """What the function gives for these arrays."""
        latest = self._kept[-1]
        early = latest.stages.before(arrays)
        if latest.stages.fits(early):
            return latest.run(arrays, early)
        for at, known in enumerate(self._kept):
            if known.stages.like(latest.stages) and known.stages.fits(early):
                self._kept.append(self._kept.pop(at))
                return known.run(arrays, early)
        leaves = list(self._leaves)
        for at, array in zip(self._places, arrays, strict=True):
            leaves[at] = array
        self._owner.traces += 1
        self._kept.append(_Traced(self._owner, tree.pack_sequence_as(self._args, leaves), leaves))
        del self._kept[:-PLANS_KEPT]
        return self._kept[-1].run(arrays)


def _work(graph: Graph) -> float:
    """About how many operations a graph takes: elements touched, and the multiply-adds of products.

    A product of M x K and K x N takes M * N * K, which is the square root of the three sizes' product (and a lower
    bound for a convolution).
    """
    work = 0.0
    for node in graph.nodes:
        if isinstance(node.operation, Control):
            turns = getattr(node.operation, "turns", None) or 1
            work += turns * sum(map(_work, node.operation.subgraphs().values()))
            continue
        sizes = [x.size for x in (*node.inputs, *node.outputs)]
        work += math.sqrt(math.prod(sizes)) if isinstance(node.operation, Kernelled) else max(sizes, default=0)
    return work


def compile_function(function: Callable, name: str | None = None, interpret: bool = False) -> CompiledFunction:
    """Compile a function of tensors; it is traced when first called with each signature.

    >>> double = compile_function(lambda x: x * 2)
    >>> double(np.ones(2, "float32")).tolist()
    [2.0, 2.0]
    """
    return CompiledFunction(function, name, interpret)
