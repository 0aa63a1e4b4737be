"""Building: what goes around a layer's `build` method, and which shapes it is given."""

from __future__ import annotations

import inspect
from typing import Any

from layerkit import tree
from layerkit.graph.graph import Graph


def recording_build(build: Any) -> Any:
    """A `build` method that works in the layer's scope, notes the shapes and marks the layer as built."""
    signature = inspect.signature(build)

    def recording(self: Any, *args: Any, **kwargs: Any) -> None:
        if self._building:  # a subclass's build calls its base's
            build(self, *args, **kwargs)
            return
        arguments = signature.bind(self, *args, **kwargs).arguments
        shapes = {name: as_shape(shape) for name, shape in list(arguments.items())[1:]}
        object.__setattr__(self, "_building", True)
        try:
            # What is made here belongs to no trace, also where a call inside one builds.
            with self._scope(), Graph.recording(None):
                build(self, **shapes)
        finally:
            object.__setattr__(self, "_building", False)
        object.__setattr__(self, "_build_shapes", shapes)
        self._mark_built()

    recording.__name__, recording.__doc__, recording.__wrapped__ = "build", build.__doc__, build
    return recording


def as_shape(shape: Any) -> Any:
    """A shape, or structure of shapes, with tuples for shapes (files have lists)."""
    if shape is None:
        return None
    return tree.map_shape_structure(lambda sizes: tuple(None if n is None else int(n) for n in sizes), shape)


def former_batch_shape(
    arguments: dict[str, Any], input_shape: Any, input_dim: int | None
) -> tuple[int | None, ...] | None:
    """The shape of a model's input that its first layer was given, as Keras 2 has it; None where it was not.

    Args:
        arguments: of the layer's constructor; `batch_input_shape`, `batch_size` and `input_length` are taken out.
        input_shape: without the batch's axis.
        input_dim: the size of the last axis; with `input_length` of the one before it too.
    """
    whole = arguments.pop("batch_input_shape", None)
    if whole is not None:
        return tuple(whole)
    if input_shape is None and input_dim is not None:
        length = (arguments.pop("input_length"),) if "input_length" in arguments else ()
        input_shape = (*length, input_dim)
    if input_shape is None:
        return None
    return arguments.pop("batch_size", None), *input_shape


def aligned_shapes(layer: Any, shapes: dict[str, Any]) -> dict[str, Any]:
    """The arguments for `build`: the first shape where it takes one, else by the names of `call`'s arguments."""
    parameters = inspect.signature(layer.build).parameters.values()
    names = [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    if len(names) == 1:
        return {names[0]: next(iter(shapes.values()), None)}
    taken = layer._signature_of_call().names
    for name in names:
        if not name.endswith("_shape") or name.removesuffix("_shape") not in taken:
            raise ValueError(
                "For a `build()` method with more than one argument, all arguments should have a `_shape` "
                "suffix and match an argument from `call()`, "
                f"as in `build(self, foo_shape, bar_shape)`. For layer {type(layer).__name__!r}, `build()` has "
                f"the argument {name!r} and `call()` has {list(taken)}."
            )
    return {name: shapes[name] for name in names if name in shapes}
