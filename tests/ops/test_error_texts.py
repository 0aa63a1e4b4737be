"""What a wrong call says: the function that users called, shapes or dtypes, the argument; eagerly and traced alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layerkit import ops, tree
from layerkit.errors import DtypeError, ShapeError, explain_call
from layerkit.graph.graph import trace


def f(*shape: int) -> np.ndarray:
    return np.ones(shape, "float32")


def i(*shape: int) -> np.ndarray:
    return np.ones(shape, "int32")


Wrong = tuple[str, tuple, dict[str, Any], type[Exception], tuple[str, ...]]
NO_BROADCAST = ("do not broadcast", "(2, 3)", "(4,)", "x1=float32[2, 3]", "x2=float32[4]")
NO_AXIS = ("axis 2 is out of range", "2 axes", "x=float32[2, 3]")

WRONG: list[Wrong] = [
    # Shapes that do not broadcast.
    *((name, (f(2, 3), f(4)), {}, ShapeError, NO_BROADCAST)
      for name in ("add", "subtract", "multiply", "divide", "maximum", "power", "mod", "less", "equal", "arctan2")),
    ("logical_and", (f(2) > 0, f(3) > 0), {}, ShapeError, ("do not broadcast", "x1=bool[2]", "x2=bool[3]")),
    ("isclose", (f(2), f(3)), {}, ShapeError, ("do not broadcast", "(2,)", "(3,)", "x2=float32[3]")),
    ("where", (f(2) > 0, f(3), f(3)), {}, ShapeError, ("do not broadcast", "condition=bool[2]", "x1=float32[3]")),
    ("clip", (f(2), f(3), 1.0), {}, ShapeError, ("do not broadcast", "x=float32[2]", "x_min=float32[3]", "x_max=1.0")),
    ("broadcast_to", (f(2, 3), (3, 3)), {}, ShapeError, ("(2, 3)", "shape=(3, 3)", "axis -2")),
    ("average", (f(2, 3),), {"axis": 0, "weights": f(3)}, ShapeError, ("x=float32[2, 3]", "weights=float32[3]")),
    # Products.
    ("matmul", (f(2, 3), f(4, 5)), {}, ShapeError, ("(2, 3)", "(4, 5)", "size 3", "size 4", "x1=float32[2, 3]")),
    ("matmul", (f(2, 2, 3), f(3, 3, 4)), {}, ShapeError, ("do not broadcast", "(2, 2, 3)", "(3, 3, 4)")),
    ("dot", (f(2, 3), f(4, 5)), {}, ShapeError, ("axis 1 of x1", "(2, 3)", "axis 0 of x2", "(4, 5)")),
    ("tensordot", (f(2, 3), f(4, 5)), {"axes": 1}, ShapeError, ("axis 1 of x1", "(2, 3)", "(4, 5)")),
    ("cross", (f(2, 4), f(2, 4)), {}, ShapeError, ("vectors of 2 or 3 components", "4")),
    ("einsum", ("ij,jk->ik", f(2, 3), f(4, 5)), {}, ShapeError, ("'j'", "(2, 3)", "(4, 5)", "ij,jk->ik")),
    ("einsum", ("ij,jk->iz", f(2, 3), f(3, 5)), {}, ValueError, ("'z'", "ij,jk->iz")),
    ("solve", (f(3, 3), f(4, 1)), {}, ShapeError, ("(3, 3)", "(4, 1)")),
    ("cholesky", (f(2, 3),), {}, ShapeError, ("square", "float32[2, 3]")),
    # Axes.
    *((name, (f(2, 3),), {"axis": 2}, ShapeError, (*NO_AXIS, "axis=2"))
      for name in ("sum", "mean", "max", "any", "var", "logsumexp", "argmax", "softmax", "log_softmax", "cumsum",
                   "sort", "argsort", "flip", "squeeze", "median", "nansum", "unstack", "normalize")),
    ("sum", (f(2, 3),), {"axis": (0, 0)}, ShapeError, ("names an axis twice", "axis=(0, 0)")),
    ("mean", (f(2, 3),), {"axis": -3}, ShapeError, ("axis -3 is out of range", "x=float32[2, 3]")),
    ("roll", (f(2, 3), 1), {"axis": 2}, ShapeError, (*NO_AXIS, "shift=1")),
    ("repeat", (f(2, 3), 2), {"axis": 2}, ShapeError, NO_AXIS),
    ("take", (f(2, 3), i(2)), {"axis": 2}, ShapeError, NO_AXIS),
    ("split", (f(2, 3), 2), {"axis": 2}, ShapeError, NO_AXIS),
    ("moments", (f(2, 3), 2), {}, ShapeError, (*NO_AXIS, "axes=2")),
    ("expand_dims", (f(2, 3), 4), {}, ShapeError, ("axis 4 is out of range", "x=float32[2, 3]", "axis=4")),
    ("swapaxes", (f(2, 3), 0, 2), {}, ShapeError, (*NO_AXIS, "axis1=0", "axis2=2")),
    ("transpose", (f(2, 3), (0, 2)), {}, ShapeError, (*NO_AXIS, "axes=(0, 2)")),
    ("transpose", (f(2, 3), (0,)), {}, ShapeError, ("not an order of the 2 axes", "axes=(0,)", "x=float32[2, 3]")),
    ("moveaxis", (f(2, 3), 2, 0), {}, ShapeError, (*NO_AXIS, "source=2", "destination=0")),
    ("moveaxis", (f(2, 3), (0, 1), (0,)), {}, ShapeError, ("source (0, 1)", "places (0,)")),
    ("squeeze", (f(2, 3), 1), {}, ShapeError, ("size 3", "only axes of size 1", "axis=1")),
    ("trace", (f(2),), {}, ShapeError, ("two axes", "(2,)")),
    ("one_hot", (i(3), 4), {"axis": 3}, ShapeError, ("axis 3 is out of range", "x=int32[3]")),
    ("concatenate", ([f(2, 3), f(2, 3)],), {"axis": 2}, ShapeError, ("axis 2 is out of range", "float32[2, 3]")),
    ("stack", ([f(2), f(2)],), {"axis": 3}, ShapeError, ("axis 3 is out of range", "float32[2]")),
    # Sizes.
    ("concatenate", ([f(2, 3), f(3, 4)],), {"axis": 0}, ShapeError,
     ("all sizes but those of axis 0", "xs=[float32[2, 3], float32[3, 4]]")),
    ("concatenate", ([],), {}, ShapeError, ("nothing to concatenate",)),
    ("stack", ([f(2, 3), f(3, 2)],), {}, ShapeError, ("have to be equal", "x=[float32[2, 3], float32[3, 2]]")),
    ("vstack", ([f(2, 3), f(2, 4)],), {}, ShapeError, ("xs=[float32[2, 3], float32[2, 4]]",)),
    ("split", (f(4, 3), 3), {}, ShapeError, ("size 4", "3 equal parts", "indices_or_sections=3")),
    ("reshape", (f(2, 3), (4, 2)), {}, ShapeError, ("6 elements", "(2, 3)", "newshape=(4, 2)")),
    ("reshape", (f(2, 3), (-1, -1)), {}, ShapeError, ("only one size", "newshape=(-1, -1)")),
    ("pad", (f(2, 3), ((1, 1),) * 3), {}, ShapeError, ("pad_width", "2 axes")),
    ("diag", (f(2, 2, 2),), {}, ShapeError, ("a vector or a matrix", "(2, 2, 2)")),
    ("glu", (f(2, 3),), {}, ShapeError, ("even", "(2, 3)")),
    ("top_k", (f(2, 3), 5), {}, ShapeError, ("k=5", "x=float32[2, 3]")),
    ("take_along_axis", (f(4, 3), i(2)), {"axis": 1}, ShapeError, ("x=float32[4, 3]", "indices=int32[2]")),
    ("segment_sum", (f(4, 3), i(3)), {"num_segments": 2}, ShapeError, ("data=float32[4, 3]", "segment_ids=int32[3]")),
    ("scatter", (i(2, 2), f(3), (4, 4)), {}, ShapeError, ("values have to have shape (2,)", "shape (2, 2)", "(3,)")),
    ("in_top_k", (i(3), f(2, 4), 1), {}, ShapeError, ("targets [N]", "(3,) and (2, 4)")),
    ("conv", (f(1, 8, 8, 3), f(3, 3, 4, 2)), {}, ShapeError, ("3 input channels", "(3, 3, 4, 2)", "4")),
    ("depthwise_conv", (f(1, 8, 8, 3), f(3, 3, 4, 1)), {}, ShapeError, ("4 channels", "kernel=float32[3, 3, 4, 1]")),
    ("max_pool", (f(1, 2, 2, 1), (3, 3)), {}, ShapeError, ("window", "pool_size=(3, 3)", "inputs=float32[1, 2, 2, 1]")),
    ("categorical_crossentropy", (f(2, 3), f(2, 4)), {}, ShapeError, ("(2, 3)", "(2, 4)", "target", "output")),
    ("layer_normalization", (f(2, 3), f(4)), {}, ShapeError, ("gamma", "(3,)", "(4,)")),
    ("batch_normalization", (f(2, 3), f(4), f(4), -1), {}, ShapeError, ("mean", "(3,)", "(4,)")),
    # Dtypes and values.
    ("add", ("a", f(2)), {}, DtypeError, ("takes no strings", "x1='a'", "x2=float32[2]")),
    ("multiply", (None, f(2)), {}, DtypeError, ("NoneType", "x1=None")),
    ("exp", (["a", "b"],), {}, DtypeError, ("takes no strings", "x=['a', 'b']")),
    ("cast", (f(2), "floaty"), {}, DtypeError, ("'floaty'", "float32", "dtype='floaty'")),
    ("zeros", ((2,), "floot"), {}, DtypeError, ("'floot'", "dtype='floot'")),
    ("bitwise_and", (f(2), i(2)), {}, DtypeError, ("integers and bools", "x=float32[2]", "y=int32[2]")),
    ("left_shift", (f(2), 1), {}, DtypeError, ("integers", "float32", "y=1")),
    ("gcd", (f(2), f(2)), {}, DtypeError, ("integers", "x1=float32[2]")),
    ("ldexp", (f(2), f(2)), {}, DtypeError, ("integers as exponents", "float32")),
    ("one_hot", (i(3), -1), {}, ValueError, ("num_classes", "-1", "x=int32[3]")),
    ("conv", (f(1, 8, 8, 3), f(3, 3, 3, 2)), {"padding": "sam"}, ValueError, ("'sam'", "'valid' or 'same'")),
    ("meshgrid", (f(2), f(2)), {"indexing": "zz"}, ValueError, ("'xy' or 'ij'", "'zz'")),
    ("quantile", (f(3), 2.0), {}, ValueError, ("from 0 to 1", "q=2.0")),
]  # fmt: skip


def call_name(wrong: Wrong) -> str:
    return f"{wrong[0]}-{'-'.join(wrong[4])}"[:60]


@pytest.mark.parametrize("wrong", WRONG, ids=call_name)
def test_the_text_names_function_shapes_and_argument(wrong: Wrong):
    name, args, kwargs, kind, words = wrong
    with pytest.raises(kind) as eager:
        getattr(ops, name)(*args, **kwargs)
    text = str(eager.value)
    assert text.startswith(f"ops.{name}"), text
    for word in words:
        assert word in text
    assert traced_text(wrong) == text


def traced_text(wrong: Wrong) -> str:
    """What the call says when it is traced with its arrays as inputs."""
    name, args, kwargs, kind, _ = wrong
    arrays = [x for x in tree.flatten((args, kwargs)) if isinstance(x, np.ndarray)]

    def function(*symbolic: object) -> list:
        rest = iter(symbolic)
        a, k = tree.map_structure(lambda x: next(rest) if isinstance(x, np.ndarray) else x, (args, kwargs))
        return [getattr(ops, name)(*a, **k)]

    with pytest.raises(kind) as raised:
        trace(function, [(x.shape, x.dtype.name) for x in arrays])
    return str(raised.value)


def test_calls_of_the_python_function_stay_as_python_says_it():
    with pytest.raises(TypeError, match=r"^add\(\) missing 1 required positional argument: 'x2'$"):
        ops.add(1)


def test_the_traceback_reaches_where_it_was_raised():
    with pytest.raises(ShapeError) as raised:
        ops.sum(f(2, 3), 5)
    assert raised.traceback[-1].name == "normalize_axes"


def test_errors_of_given_functions_stay():
    error = ValueError("text")
    assert explain_call(error, ops.add, (f, 2), {}) is error


def test_an_error_of_its_own_kind_stays():
    class OtherError(ValueError):
        pass

    error = OtherError("text")
    assert explain_call(error, ops.add, (1, 2), {}) is error
