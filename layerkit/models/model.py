"""Model: layers with training, saving and a summary."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, Self

from layerkit.errors import NotBuiltError, shortened, unknown_name
from layerkit.layers.layer import Layer
from layerkit.models.state_tree import StateTree
from layerkit.models.summary import print_summary
from layerkit.serialization import deserialize_keras_object, serialize_keras_object
from layerkit.training.trainer import Trainer


class Model(Trainer, StateTree, Layer, kind="layer", module="keras", registered=False):
    """Layers that are trained together.

    `Model(inputs, outputs)` makes a functional model of the calls between symbolic tensors. A subclass makes its
    layers in `__init__` and uses them in `call`.

    >>> class Small(Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.dense = Dense(1)
    ...     def call(self, inputs):
    ...         return self.dense(inputs)
    """

    _functional: ClassVar[type[Model] | None] = None  # set by functional.py, which builds on this class
    _locks = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """`Model(inputs, outputs)` is a functional model."""
        if cls is Model and _is_functional_call(args, kwargs):
            return super().__new__(cls._functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        functional = Model._functional
        if _is_functional_call(args, kwargs) and not isinstance(self, functional):
            # `super().__init__(inputs, outputs)` in a subclass: it becomes a functional model.
            type(self).__bases__ = tuple(functional if base is Model else base for base in type(self).__bases__)
            functional.__init__(self, *args, **kwargs)
            return
        if args:
            raise TypeError(f"{type(self).__name__}() takes keyword arguments, or inputs and outputs; got {args!r}.")
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation. A subclass states its own."""
        raise NotImplementedError(f"Model {type(self).__name__} does not have a `call()` method implemented.")

    @property
    def layers(self) -> list[Layer]:
        """Its layers, in the order in which they were found."""
        return self._flatten_layers(include_self=False, recursive=False)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or number. Raises ValueError where there is none."""
        if (name is None) == (index is None):
            raise ValueError(
                f"Provide either a layer name or a layer index at `get_layer`; got name={name!r}, index={index!r}."
            )
        if index is not None:
            if not isinstance(index, int):
                raise TypeError(
                    f"`index` of `get_layer` must be an integer, got {index!r}. Names are passed as `name`."
                )
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers "
                    f"(model {self.name!r})."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        error = unknown_name("layer", name, [layer.name for layer in self.layers])
        error.add_note(f"In model {self.name!r}.")
        raise error

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: tuple[str, str] | None = None,
    ) -> None:
        """Print a table of the layers, their output shapes and their numbers of weights.

        Args:
            line_length: the table's width.
            positions: where its columns end, as shares of the width.
            print_fn: takes the text in place of standard output.
            expand_nested: whether the layers of inner models are listed.
            show_trainable: whether a column says which layers are trained.
            layer_range: names (or regular expressions) of the first and the last layer to list.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def reset_metrics(self) -> None:
        """Start its metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    # Saving.

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the whole model to a file (`.keras` or `.h5`)."""
        if zipped is not None:
            kwargs["zipped"] = zipped
        _saving("save_model")(self, filepath, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Write the weights to a `.weights.h5` file. It is one file: with max_shard_size NotImplementedError."""
        _saving("save_weights")(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Take the weights from a file."""
        _saving("load_weights")(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def __reduce__(self) -> tuple:
        return _saving("reduce_model")(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        make, arguments = self.__reduce__()
        memo[id(self)] = made = make(*arguments)
        return made

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The model of a config; `Model` itself makes functional models of theirs."""
        if cls is Model and {"layers", "input_layers", "output_layers"} <= config.keys():
            return Model._functional.from_config(config, custom_objects)
        return super().from_config(config, custom_objects)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture (without weights) as JSON, for `model_from_json`."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    def count_params(self) -> int:
        """The number of elements of its weights."""
        if not self.built:
            raise NotBuiltError(f"Model {self.name!r} isn't built: call it on data, or `build(input_shape)`.")
        return super().count_params()


_saving_functions: dict[str, Callable] = {}


def provide_saving(**functions: Callable) -> None:
    """Set what `save`, `save_weights` and `load_weights` do; the package of file formats calls it."""
    _saving_functions.update(functions)


def _saving(name: str) -> Callable:
    if name not in _saving_functions:
        raise RuntimeError(f"`{name}` needs the file formats: import layerkit.saving first (`import layerkit` does).")
    return _saving_functions[name]


def _is_functional_call(args: tuple, kwargs: dict[str, Any]) -> bool:
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Model:
    """The model, with new weights, of what `to_json` gave."""
    try:
        config = json.loads(json_string)
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"model_from_json: `json_string` must be the JSON text that `to_json` gave, got {shortened(json_string)}: "
            f"{error}"
        ) from error
    return deserialize_keras_object(config, custom_objects)


__all__ = ["Model", "model_from_json", "provide_saving"]
