"""Loops and conditions over tensors: scan, map, while_loop, fori_loop, cond, switch.

On arrays they are Python's own loops and conditions, so a debugger goes through them. In a traced function the body is
traced once, and the plan runs it as often as it takes: neither the trace nor the plan grows with the number of turns.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Sequence
from typing import Any

from layerkit import tree
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.body import Body, enclose
from layerkit.graph.control import Branch, Control, Loop, While
from layerkit.graph.graph import current_graph
from layerkit.graph.operation import as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.ops.elementwise import cast
from layerkit.ops.shape import stack, zeros


def scan(
    f: Callable, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int | bool = 1
) -> tuple[Any, Any]:
    """Carry a value along the first axis of tensors, and stack what each turn gives.

    Args:
        f: takes the carried value and a slice of xs (None without xs); gives the new carried value, of the same
            structure, shapes and dtypes, and a result (None for none).
        init: the first carried value, a tensor or a structure of tensors.
        xs: a tensor [length, ...] or a structure of them.
        length: the number of turns, needed without xs.
        reverse: begin at the end of xs; results stay at the places of their slices.
        unroll: accepted as Keras has it; it changes no result, and there is nothing to unroll here.

    Returns:
        The last carried value, and the results stacked [length, ...].

    Raises:
        TypeError: f cannot be called, or does not give a pair.
        ValueError, ShapeError, DtypeError: xs have different lengths, or f changes what is carried.

    >>> import numpy as np
    >>> total, sums = scan(lambda total, x: (total + x, total + x), np.float32(0), np.arange(4, dtype="float32"))
    >>> total.item(), sums.tolist()
    (6.0, [0.0, 1.0, 3.0, 6.0])
    """
    _check_callable("scan", f=f)
    init, xs = _tensors(init), _tensors(xs)
    turns = _turns("scan", _leaves(xs), length)
    carried, scanned = _leaves(init), _leaves(xs)

    def turn(*flat: Tensor) -> tuple[list[Tensor], Any]:
        given = f(_packed(init, flat[: len(carried)]), _packed(xs, flat[len(carried) :]))
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise TypeError(f"ops.scan: f has to give a carried value and a result; it gave {type(given).__name__}.")
        return _carried_on("scan", init, given[0]), _tensors(given[1])

    of_a_turn = [*(Tensor(x.shape, x.dtype) for x in carried), *(Tensor(x.shape[1:], x.dtype) for x in scanned)]
    if _traced(carried + scanned):
        body = Body(turn, of_a_turn)
        variables = body.assigned
        taken = enclose([body], variables, [variables])
        loop = Loop(body.graph, len(variables) + len(carried), len(scanned), turns, bool(reverse))
        given = _apply(loop, variables, [*carried, *scanned, *taken])
        return _packed(init, given[: len(carried)]), _packed(body.structure[1], given[len(carried) :])

    results = []
    last = carried
    for at in reversed(range(turns)) if reverse else range(turns):
        last, result = turn(*last, *(x[at] for x in scanned))
        results.append(result)
    if not turns:
        _, given = Body(turn, of_a_turn).structure
        return init, tree.map_structure(lambda y: None if y is None else zeros((0, *y.shape), y.dtype), given)
    if reverse:
        results.reverse()
    return _packed(init, last), tree.map_structure(lambda *y: None if y[0] is None else stack(y), *results)


def map(f: Callable, xs: Any) -> Any:  # noqa: A001
    """Apply a function to each slice along the first axis, and stack the results.

    Args:
        f: takes a slice of xs and gives a tensor or a structure of tensors.
        xs: a tensor [length, ...] or a structure of them.

    >>> import numpy as np
    >>> map(lambda x: x * x, np.array([1, 2, 3])).tolist()
    [1, 4, 9]
    """
    _check_callable("map", f=f)
    return scan(lambda nothing, x: (nothing, f(x)), (), xs)[1]


def vectorized_map(function: Callable, elements: Any) -> Any:
    """Apply a function to each slice along the first axis, and stack the results, as `map` does.

    The slices are taken one by one inside one native call; the operations of `function` are not widened over them.
    """
    _check_callable("vectorized_map", function=function)
    return map(function, elements)


def fori_loop(lower: Any, upper: Any, body_fun: Callable, init_val: Any) -> Any:
    """Carry a value through body_fun(i, value) for i from lower to upper - 1.

    Args:
        lower: the first index, an integer or an integer scalar.
        upper: the index behind the last one.
        body_fun: takes the index (int32) and the carried value; gives the new one, of the same structure.
        init_val: the first value, a tensor or a structure of tensors.

    The gradient is there where both bounds are known when the function is traced.

    >>> fori_loop(0, 4, lambda i, total: total + i, 0).item()
    6
    """
    _check_callable("fori_loop", body_fun=body_fun)
    first, last = _number(lower), _number(upper)
    if first is None or last is None:
        start = (as_tensor(lower), _tensors(init_val))
        end = as_tensor(upper)
        return while_loop(lambda i, _: i < end, lambda i, value: (i + 1, body_fun(i, value)), start)[1]
    turns = max(last - first, 0)
    start = (as_tensor(first, "int32"), init_val)
    return scan(lambda at, _: ((at[0] + 1, body_fun(at[0], at[1])), None), start, length=turns)[0][1]


def while_loop(
    cond: Callable,
    body: Callable,
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """Carry values through a body as long as a condition holds.

    Args:
        cond: takes the values (a tuple's or list's as arguments of their own) and gives a boolean scalar.
        body: takes the same and gives the new values, of the same structure, shapes and dtypes.
        loop_vars: the first values.
        maximum_iterations: the most turns.

    There is no gradient: use `fori_loop` or `scan` where one is needed.

    >>> import numpy as np
    >>> [x.item() for x in while_loop(lambda i, x: x < 100, lambda i, x: (i + 1, x * 2), (np.int32(0), np.float32(3)))]
    [6, 192.0]
    """
    _check_callable("while_loop", cond=cond, body=body)
    several = isinstance(loop_vars, (tuple, list))
    values = _tensors(loop_vars)
    carried = _leaves(values)

    def call(function: Callable, flat: Sequence[Tensor]) -> Any:
        given = _packed(values, flat)
        return function(*given) if several else function(given)

    def turn(*flat: Tensor) -> list[Tensor]:
        given = call(body, flat)
        if several:
            given = type(loop_vars)(given if isinstance(given, (tuple, list)) else [given])
        return _carried_on("while_loop", values, given)

    def goes_on(*flat: Tensor) -> Tensor:
        given = as_tensor(call(cond, flat))
        if given.size != 1:
            raise ShapeError(f"ops.while_loop: cond has to give a scalar; it gave shape {given.shape}.")
        return cast(given, "bool")

    limit = None if maximum_iterations is None else max(operator.index(maximum_iterations), 0)
    if _traced(carried):
        bodies = [Body(goes_on, carried), Body(turn, carried)]
        variables = list(dict.fromkeys(v for one in bodies for v in one.assigned))
        taken = enclose(bodies, variables, [(), variables])
        loop = While(bodies[0].graph, bodies[1].graph, len(variables) + len(carried), limit)
        return _packed(values, _apply(loop, variables, [*carried, *taken]))
    turns = 0
    while (limit is None or turns < limit) and bool(goes_on(*carried)):
        carried = turn(*carried)
        turns += 1
    return _packed(values, carried)


def cond(pred: Any, true_fn: Callable, false_fn: Callable) -> Any:
    """What one of two functions gives, by a boolean scalar; only the chosen one runs.

    Args:
        pred: a boolean scalar, or a number (true where it is not 0).
        true_fn: takes nothing and gives tensors.
        false_fn: takes nothing and gives the same structure, of the same shapes and dtypes.

    >>> import numpy as np
    >>> x = np.float32(3)
    >>> cond(x > 2, lambda: x * 2, lambda: x).item()
    6.0
    """
    _check_callable("cond", true_fn=true_fn, false_fn=false_fn)
    if not isinstance(pred, (bool, int, float)):
        pred = as_tensor(pred)
        if pred.size != 1:
            raise ShapeError(f"ops.cond: pred has to be a scalar; got shape {pred.shape}.")
        if pred.symbolic:
            return _choice("cond", cast(cast(pred, "bool"), "int32"), [false_fn, true_fn], ["false_fn", "true_fn"])
    return _tensors(true_fn() if bool(pred) else false_fn())


def switch(index: Any, branches: Sequence[Callable], *operands: Any) -> Any:
    """What one of several functions gives of the operands; only the chosen one runs.

    Args:
        index: an integer scalar, cut to the range of branches.
        branches: functions of the operands, which give the same structure of the same shapes and dtypes.
        *operands: tensors, or structures of them.

    >>> import numpy as np
    >>> switch(1, [lambda x: x + 1, lambda x: x * 10], np.float32(3)).item()
    30.0
    """
    branches = list(branches)
    if not branches:
        raise ValueError("ops.switch: branches is empty; give at least one function.")
    _check_callable("switch", **{f"branches[{at}]": branch for at, branch in enumerate(branches)})
    operands = _tensors(operands)
    chosen = _number(index)
    if chosen is not None:
        return _tensors(branches[min(max(chosen, 0), len(branches) - 1)](*operands))
    names = [f"branches[{at}]" for at in range(len(branches))]
    return _choice("switch", cast(index, "int32"), [lambda one=one: one(*operands) for one in branches], names)


def _choice(name: str, index: Tensor, functions: Sequence[Callable], names: Sequence[str]) -> Any:
    bodies = [Body(lambda one=one: _tensors(one()), []) for one in functions]
    first = bodies[0]
    for body, called in zip(bodies[1:], names[1:], strict=True):
        try:
            tree.assert_same_structure(first.structure, body.structure)
        except ValueError as error:
            raise ValueError(f"ops.{name}: {names[0]} and {called} give different structures. {error}") from None
        for a, b in zip(first.graph.outputs, body.graph.outputs, strict=True):
            _check_alike(f"ops.{name}: {names[0]} and {called} have to give the same", a, b)
    variables = list(dict.fromkeys(v for body in bodies for v in body.assigned))
    taken = enclose(bodies, (), [variables] * len(bodies))
    if not first.graph.outputs:
        return first.structure
    branch = Branch(tuple(body.graph for body in bodies))
    given = branch.as_list(branch(_scalar(index), *taken))
    for variable, value in zip(variables, given, strict=False):
        variable.assign(value)
    return _packed(first.structure, given[len(variables) :])


def _apply(loop: Control, variables: Sequence[Variable], inputs: Sequence[Tensor]) -> list[Tensor]:
    """Apply a loop that carries variables too, and assign what it gives for them; gives the other outputs."""
    if not loop.outputs:
        return []
    given = loop.as_list(loop(*(variable.value for variable in variables), *inputs))
    for variable, value in zip(variables, given, strict=False):
        variable.assign(value)
    return given[len(variables) :]


def _traced(tensors: Sequence[Tensor]) -> bool:
    return current_graph() is not None or any(x.symbolic for x in tensors)


def _tensors(structure: Any) -> Any:
    return tree.map_structure(as_tensor, structure, none_is_leaf=False)


def _leaves(structure: Any) -> list[Tensor]:
    return [x for x in tree.flatten(structure) if x is not None]


def _packed(structure: Any, flat: Sequence[Tensor]) -> Any:
    given = iter(flat)
    return tree.map_structure(lambda x: None if x is None else next(given), structure)


def _scalar(x: Tensor) -> Tensor:
    if x.size != 1:
        raise ShapeError(f"ops.switch: index has to be a scalar; got shape {x.shape}.")
    return x if not x.shape else x[(0,) * x.ndim]


def _number(value: Any) -> int | None:
    """An integer that is known now, else None."""
    if isinstance(value, (Tensor, Variable)):
        value = as_tensor(value)
        return None if value.symbolic else int(value)
    return operator.index(value)


def _check_callable(name: str, **functions: Any) -> None:
    for argument, function in functions.items():
        if not callable(function):
            raise TypeError(f"ops.{name}: {argument} has to be a function; got {type(function).__name__}.")


def _turns(name: str, scanned: Sequence[Tensor], length: int | None) -> int | None:
    lengths = {} if length is None else {"length": operator.index(length)}
    for at, x in enumerate(scanned):
        if not x.ndim:
            raise ShapeError(f"ops.{name}: xs have to have an axis to go along; number {at} is a scalar.")
        lengths[f"xs number {at}, {x.dtype}{list(x.shape)}"] = x.shape[0]
    if not lengths:
        raise ValueError(f"ops.{name}: give xs, or length for a loop without them.")
    if len({n for n in lengths.values() if n is not None}) > 1:
        listed = ", ".join(f"{what}: {n}" for what, n in lengths.items())
        raise ShapeError(f"ops.{name}: all of xs have to have the same length; got {listed}.")
    return next((n for n in lengths.values() if n is not None), None)


def _carried_on(name: str, before: Any, after: Any) -> list[Tensor]:
    """The flat new carried value. Raises where it is not like the one before."""
    after = _tensors(after)
    try:
        tree.assert_same_structure(before, after)
    except ValueError as error:
        raise ValueError(f"ops.{name}: the carried value changes its structure. {error}") from None
    for a, b in zip(_leaves(before), _leaves(after), strict=True):
        _check_alike(f"ops.{name}: a carried value has to keep", a, b)
    return _leaves(after)


def _check_alike(text: str, a: Tensor, b: Tensor) -> None:
    both = f"got {a.dtype}{list(a.shape)} and then {b.dtype}{list(b.shape)}."
    if len(a.shape) != len(b.shape) or builtins.any(
        m != n and None not in (m, n) for m, n in zip(a.shape, b.shape, strict=True)
    ):
        raise ShapeError(f"{text} shape; {both}")
    if a.dtype != b.dtype:
        raise DtypeError(f"{text} dtype; {both} Cast one of them.")
