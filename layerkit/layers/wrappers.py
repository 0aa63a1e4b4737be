"""Layers around layers: Wrapper, TimeDistributed, Bidirectional."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from layerkit import ops, tree
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.layers.core import Lambda
from layerkit.layers.layer import Layer
from layerkit.layers.recurrent_stacking import without_build
from layerkit.serialization import custom_object_scope, deserialize_keras_object, is_own, serialize_keras_object

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """The base of layers around another layer; it computes nothing itself.

    Args:
        layer: the layer inside.

    >>> from layerkit.layers import Dense
    >>> Wrapper(Dense(3)).layer.units
    3
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(f"Argument `layer` of {type(self).__name__} has to be a layer. Received: {layer!r}")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Of the inner layer's config and the other arguments."""
        return cls(**{**config, "layer": deserialize_keras_object(config["layer"], custom_objects)})


class TimeDistributed(Wrapper):
    """A layer applied to each step of sequences [N, T, ...].

    Args:
        layer: the layer; its weights are the same for all steps.

    A mask [N, T, ...] is passed to the layer step by step, if it takes one. Layers that treat each entry of a batch by
    itself are applied to all steps at once, others (with moving averages or random numbers, or a user's) to one step
    after the other, in one loop of the plan.

    >>> from layerkit.layers import Dense
    >>> TimeDistributed(Dense(4)).compute_output_shape((None, 10, 3))
    (None, 10, 4)
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layer for one step."""
        self._check_rank(input_shape)
        super().build((input_shape[0], *input_shape[2:]))

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Of the inner layer's config and the other arguments."""
        return super().from_config({**config, "layer": without_build(config["layer"])}, custom_objects)

    def _check_rank(self, shape: tuple[int | None, ...]) -> None:
        if len(shape) < 3:
            raise ShapeError(
                f"TimeDistributed {self.name!r}: the input has to have at least 3 axes (batch, steps, ...); got shape "
                f"{tuple(shape)}."
            )

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """The layer on each step."""
        self._check_rank(inputs.shape)
        if mask is not None and tuple(mask.shape[:2]) != tuple(inputs.shape[:2]):
            raise ShapeError(
                f"TimeDistributed {self.name!r}: the first two sizes of `mask` have to be those of the input, "
                f"{tuple(inputs.shape[:2])}; got mask shape {tuple(mask.shape)}."
            )
        signature = self.layer._signature_of_call()
        mask = mask if signature.has_mask else None
        phase = {"training": training} if signature.has_training else {}

        def step(x: Tensor, keep: Tensor | None) -> Any:
            return self.layer.call(x, **phase, **({} if keep is None else {"mask": keep}))

        with self.layer._scope():
            return self._at_once(step, inputs, mask) if _by_entry(self.layer) else self._in_turn(step, inputs, mask)

    def _at_once(self, step: Callable, inputs: Tensor, mask: Tensor | None) -> Any:
        """All steps as one batch [N * T, ...]."""
        axes = inputs.shape[:2]
        inside = [None if x is None else ops.reshape(x, (axes[0] * axes[1], *x.shape[2:])) for x in (inputs, mask)]
        return tree.map_structure(lambda y: ops.reshape(y, (*axes, *y.shape[1:])), step(*inside))

    def _in_turn(self, step: Callable, inputs: Tensor, mask: Tensor | None) -> Any:
        turned = (ops.swapaxes(inputs, 0, 1), None if mask is None else ops.swapaxes(mask, 0, 1))
        _, outputs = ops.scan(lambda nothing, x: (nothing, step(*x)), (), turned)
        return tree.map_structure(lambda y: ops.swapaxes(y, 0, 1), outputs)


def _by_entry(layer: Layer) -> bool:
    """Whether a layer is known to treat each entry of a batch by itself, with the same result in any batch."""
    return all(
        is_own(type(one))
        and not isinstance(one, Lambda)
        and not hasattr(one, "operations")  # a functional model may have any operation between its layers
        and not one._seed_generators
        and not one._non_trainable_variables
        for one in layer._flatten_layers()
    )


_RECURRENT = ("go_backwards", "return_sequences", "return_state", "stateful")
"""What Bidirectional asks of a layer."""


class Bidirectional(Layer):
    """A recurrent layer run along the steps in both directions.

    Args:
        layer: a recurrent layer, or one like it: with `go_backwards`, `return_sequences`, `return_state`, `stateful`.
        merge_mode: how the outputs of both directions are taken together: "sum", "mul", "ave", "concat", or None to
            give both.
        weights: values to start with, those of the forward layer first.
        backward_layer: the layer for the other direction; by default one like `layer`.

    The layers are new ones, with names that tell the direction. With `return_sequences` the outputs of masked steps
    are 0.

    >>> from layerkit.layers import LSTM
    >>> Bidirectional(LSTM(4, return_sequences=True)).compute_output_shape((None, 7, 3))
    (None, 7, 8)
    """

    _not_in_config = ("weights",)
    _merges = ("sum", "mul", "ave", "concat", None)

    def __init__(
        self,
        layer: Layer,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Layer | None = None,
        **kwargs: Any,
    ) -> None:
        for name, given in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(given, Layer) and not (name == "backward_layer" and given is None):
                raise ValueError(f"Argument `{name}` of Bidirectional has to be a layer. Received: {given!r}")
            missing = [attribute for attribute in _RECURRENT if given is not None and not hasattr(given, attribute)]
            if missing:
                raise ValueError(
                    f"Argument `{name}` of Bidirectional has to be a recurrent layer, with the attributes "
                    f"{', '.join(_RECURRENT)}. Received: {given!r}, which lacks {', '.join(missing)}"
                )
        if merge_mode not in self._merges:
            raise ValueError(
                f"Invalid merge mode. Received: merge_mode={merge_mode!r}. Merge mode should be one of {self._merges}."
            )
        super().__init__(**kwargs)
        self.forward_layer = _like(layer, f"forward_{layer.name.removeprefix('forward_')}")
        if backward_layer is None:
            name = f"backward_{layer.name.removeprefix('backward_')}"
            backward_layer = _like(layer, name, go_backwards=True)
        self.backward_layer = backward_layer
        for one in (self.forward_layer, self.backward_layer):
            if hasattr(layer, "use_cudnn"):  # which no config has
                one.use_cudnn = layer.use_cudnn
        self._check_layers()
        for one in (self.forward_layer, self.backward_layer):
            if getattr(one, "zero_output_for_mask", None) is not None:
                one.zero_output_for_mask = one.return_sequences
        self.merge_mode = merge_mode
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec
        object.__setattr__(self, "_first_weights", weights)

    def _check_layers(self) -> None:
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Forward layer and backward layer should have different `go_backwards` values. Received: "
                f"forward_layer.go_backwards={forward.go_backwards}, "
                f"backward_layer.go_backwards={backward.go_backwards}"
            )
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(forward, name) != getattr(backward, name):
                raise ValueError(
                    f"Forward layer and backward layer are expected to have the same value for attribute {name!r}, "
                    f"got {getattr(forward, name)!r} for the forward layer and {getattr(backward, name)!r} for the "
                    "backward layer."
                )

    def build(self, sequences_shape: tuple[int | None, ...], initial_state_shape: Any = None) -> None:
        """Build both layers."""
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._first_weights is not None:
            half = len(self._first_weights) // 2
            self.forward_layer.set_weights(self._first_weights[:half])
            self.backward_layer.set_weights(self._first_weights[half:])

    def call(
        self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool | None = None
    ) -> Tensor | tuple[Tensor, ...]:
        """Both layers, and their outputs taken together; behind them, with `return_state`, both layers' states."""
        states: tuple[Any, Any] = (None, None)
        if initial_state is not None:
            if len(initial_state) % 2:
                raise ValueError(
                    f"Bidirectional {self.name!r}: `initial_state` has to have as many states for each direction; got "
                    f"{len(initial_state)} in all."
                )
            half = len(initial_state) // 2
            states = (initial_state[:half], initial_state[half:])
        forward = self._one_way(self.forward_layer, sequences, states[0], mask, training)
        backward = self._one_way(self.backward_layer, sequences, states[1], mask, training)
        y, reverse = (forward[0], backward[0]) if self.return_state else (forward, backward)
        if self.return_sequences:
            reverse = ops.flip(reverse, 1)
        merged = self._merged(y, reverse)
        if not self.return_state:
            return merged
        return (*(merged if self.merge_mode is None else (merged,)), *forward[1:], *backward[1:])

    def _one_way(self, layer: Layer, sequences: Tensor, state: Any, mask: Any, training: bool | None) -> Any:
        signature = layer._signature_of_call()
        given = {"training": training} if signature.has_training else {}
        if signature.has_mask:
            given["mask"] = mask
        return layer(sequences, initial_state=state, **given)

    def _merged(self, y: Tensor, reverse: Tensor) -> Any:
        if self.merge_mode == "concat":
            return ops.concatenate([y, reverse], axis=-1)
        if self.merge_mode == "sum":
            return y + reverse
        if self.merge_mode == "ave":
            return (y + reverse) / 2
        if self.merge_mode == "mul":
            return y * reverse
        return (y, reverse)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The inputs' mask, for the outputs of all steps."""
        mask = next((one for one in tree.flatten(previous_mask) if one is not None), None)
        mask = mask if self.return_sequences else None
        outputs = [mask] if self.merge_mode else [mask, mask]
        if self.return_state:
            return [*outputs, *(None for _ in (*self.forward_layer.state_size, *self.backward_layer.state_size))]
        return outputs if len(outputs) > 1 else mask

    @property
    def states(self) -> tuple[Any, ...] | None:
        """The states that both layers keep, where they are stateful and built."""
        if self.forward_layer.states and self.backward_layer.states:
            return (*self.forward_layer.states, *self.backward_layer.states)
        return None

    def reset_state(self) -> None:
        """Set the states that stateful layers keep to 0. Raises AttributeError where they are not stateful."""
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """As `reset_state`."""
        self.reset_state()

    def _config_value(self, name: str, given: Any) -> Any:
        return self.forward_layer if name == "layer" else super()._config_value(name, given)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Of the layers' configs and the other arguments."""
        layers = {
            name: deserialize_keras_object(without_build(config[name]), custom_objects)
            for name in ("layer", "backward_layer")
            if config.get(name) is not None
        }
        return cls(**{**config, **layers})


def _like(layer: Layer, name: str, **changed: Any) -> Layer:
    """A new layer by the config of another one. Classes of a user's need not be registered for that."""
    made = serialize_keras_object(layer)
    made["config"] = {**made["config"], "name": name, **changed}
    made = without_build(made)
    inside = [layer, *layer._flatten_layers(), getattr(layer, "cell", layer)]
    with custom_object_scope({type(one).__name__: type(one) for one in inside if not is_own(type(one))}):
        return deserialize_keras_object(made)
