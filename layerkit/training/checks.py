"""Checks of data and arguments before a step runs, with messages for people."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from layerkit import losses, tree
from layerkit.dtypes import STRING, tensor_dtype
from layerkit.errors import DtypeError, NotBuiltError, ShapeError
from layerkit.graph import Tensor
from layerkit.losses import Loss, LossFunctionWrapper
from layerkit.losses.loss import same_shape

LABEL_LOSSES = (losses.SparseCategoricalCrossentropy,)


def unknown_arguments(method: str, unknown: dict[str, Any], function: Callable) -> TypeError:
    """The error for arguments that a method does not have, with the nearest ones that it has."""
    known = [name for name in inspect.signature(function).parameters if name not in ("self", "unknown")]
    message = f"{method}() has no argument {', '.join(map(repr, unknown))}."
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        if near:
            message += f" Did you mean {near[0]!r}?"
    return TypeError(f"{message} It takes {', '.join(known)}.")


def check_batch(model: Any, x: Any, y: Any, sample_weight: Any, adapter: Any = None) -> None:
    """Run the model on tensors with the batch's shapes and no values, which builds it, and check the targets.

    Args:
        model: the model.
        x: a batch's inputs.
        y: its targets, or None.
        sample_weight: its weights, or None.
        adapter: the source of the batch; where it holds arrays, all labels are checked and not just the batch's.

    Raises:
        NotBuiltError: there are no inputs to build the model by.
        ShapeError, ValueError: inputs or targets do not fit.
    """
    if x is None:
        raise NotBuiltError(f"Model {model.name!r} got no inputs: `x` is None.")
    if _only_steps(model):
        return
    y_pred = _predictions(model, x)
    made = model._compilation
    if made is None or y is None:
        if made is not None and made.loss is not None and _inherits(model, "compute_loss"):
            _require_targets(model, y)
        return
    if made.loss is not None:
        if _inherits(model, "train_step"):
            _refuse_strings(y)
        if not made.loss.built:
            made.loss.build(y, y_pred)
        _check_targets(made.loss, x, y, y_pred, adapter)
    if made.metrics is not None and not made.metrics.built:
        made.metrics.build(_symbolic(y), y_pred)


def _refuse_strings(y: Any) -> None:
    for path, target in tree.flatten_with_path(y):
        if target is not None and tensor_dtype(target.dtype) == STRING:
            raise DtypeError(
                f"`{tree.path_text('y', path)}` holds strings, which no loss compares: turn them into class numbers "
                "first, with StringLookup or a dictionary."
            )


def _predictions(model: Any, x: Any) -> Any:
    """The outputs as tensors without values, for a batch of any size; kept until inputs of other shapes come."""
    key = [(path, array.shape[1:], array.dtype) for path, array in tree.flatten_with_path(x) if array is not None]
    if model._checked is not None and model._checked[0] == key:
        return model._checked[1]
    build_model(model, x)
    outputs = model.compute_output_spec(_symbolic(x), training=False)
    outputs = tree.map_structure(lambda y: Tensor((None, *y.shape[1:]) if y.shape else (), y.dtype), outputs)
    object.__setattr__(model, "_checked", (key, outputs))
    return outputs


def _only_steps(model: Any) -> bool:
    """Whether it has no `call` and steps of its own instead, as generators with their discriminators have."""
    return _inherits(model, "call") and not _inherits(model, "train_step")


def build_model(model: Any, x: Any) -> None:
    """Build a model of one input by the shape of a batch; others build their layers when they are called."""
    if model.built or tree.is_nested(x):
        return
    if tensor_dtype(x.dtype) == STRING:
        model.compute_output_spec(Tensor((None, *x.shape[1:]), STRING))  # a shape alone would not say that it is texts
    else:
        model.build((None, *x.shape[1:]))


def _symbolic(structure: Any) -> Any:
    return tree.map_structure(
        lambda array: None if array is None else Tensor(array.shape, tensor_dtype(array.dtype)), structure
    )


def _require_targets(model: Any, y: Any) -> None:
    if not _inherits(model, "train_step"):
        return
    raise ValueError(
        f"Model {model.name!r} was compiled with a loss, but there are no targets: pass `y`, or batches of (x, y)."
    )


def _inherits(model: Any, method: str) -> bool:
    """Whether it has the method that the library's base class of models has."""
    base = next(cls for cls in type(model).__mro__[::-1] if "_functional" in vars(cls))
    return getattr(type(model), method) is getattr(base, method)


def _check_targets(compiled: Any, x: Any, y: Any, y_pred: Any, adapter: Any) -> None:
    targets, predictions = compiled.pairs(y, y_pred)
    whole = _whole_targets(compiled, x, y, y_pred, adapter)
    for part in compiled.parts:
        target, predicted = targets[part.index], predictions[part.index]
        where = f"the output {part.name!r}" if len(compiled.parts) > 1 else "the output"
        if _is_sparse(part.loss):
            _check_labels(whole[part.index], predicted, where)
        _check_shapes(part.loss, target, predicted, where)


def _whole_targets(compiled: Any, x: Any, y: Any, y_pred: Any, adapter: Any) -> list[Any]:
    """All targets where they lie in memory, else the batch's."""
    arrays = getattr(adapter, "arrays", None)
    if arrays is not None:
        # The arrays of x come first in the flat list, then those of y.
        skipped = sum(leaf is not None for leaf in tree.flatten(x))
        rest = iter(arrays[skipped:])
        y = tree.map_structure(lambda _: next(rest), y, none_is_leaf=False)
    return compiled.pairs(y, y_pred)[0]


def _is_sparse(loss: Loss) -> bool:
    function = getattr(loss, "fn", None)
    return isinstance(loss, LABEL_LOSSES) or function is losses.sparse_categorical_crossentropy


def _check_labels(labels: Any, predicted: Any, where: str) -> None:
    if not isinstance(labels, np.ndarray) or labels.size == 0 or predicted.shape[-1] is None:
        return
    classes = predicted.shape[-1]
    if labels.ndim == len(predicted.shape) and labels.shape[-1] not in (1,):
        return  # the check of shapes says more
    low, high = labels.min(), labels.max()
    if low < -1 or high >= classes:
        wrong = low if low < -1 else high
        raise ValueError(
            f"The labels in `y` must lie from 0 to {classes - 1}, since {where} has {classes} classes, but there is "
            f"{wrong}. The last layer needs {int(high) + 1} units for labels up to {int(high)}."
            if high >= classes
            else f"The labels in `y` must lie from 0 to {classes - 1}, but there is {wrong}."
        )


def _check_shapes(loss: Loss, target: Any, predicted: Any, where: str) -> None:
    """Losses of the library compare element by element, or class numbers with classes; others are not known."""
    if not isinstance(loss, LossFunctionWrapper) or not getattr(loss.fn, "__module__", "").startswith("layerkit."):
        return
    shape, given = tuple(predicted.shape), tuple(target.shape)
    if _is_sparse(loss):
        fits = same_shape(given, shape[:-1]) or same_shape(given, (*shape[:-1], 1))
        if not fits:
            mend = " For one-hot targets use categorical_crossentropy." if same_shape(given, shape) else ""
            raise ShapeError(
                f"`y` has shape {_shown(given)}, but the loss {loss.name!r} of {where} expects class numbers of "
                f"shape {_shown(shape[:-1])}.{mend}"
            )
        return
    if same_shape(given, shape) or same_shape((*given, 1), shape) or same_shape(given, (*shape, 1)):
        return
    integers = np.issubdtype(getattr(target, "dtype", np.float32), np.integer)
    labels = same_shape(given, shape[:-1]) or same_shape(given, (*shape[:-1], 1))
    mend = ""
    if labels and "categorical" in loss.name:
        mend = " For integer labels use sparse_categorical_crossentropy."
    elif labels and integers:
        mend = " If `y` holds class numbers use sparse_categorical_crossentropy."
    raise ShapeError(
        f"`y` has shape {_shown(given)}, but {where} has shape {_shown(shape)} and the loss {loss.name!r} compares "
        f"them element by element.{mend}"
    )


def _shown(shape: tuple) -> str:
    """A shape with `batch` for its first axis."""
    return "(" + ", ".join(["batch", *map(str, shape[1:])]) + ("," if len(shape) == 1 else "") + ")"
