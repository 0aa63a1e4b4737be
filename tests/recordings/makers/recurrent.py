"""Recurrent layers and wrappers: outputs and states, with masks and initial states, and gradients of all of them."""

from typing import Any

import keras
import numpy as np
from keras import layers as L

from .running import as_json, generator, gradients, normal, plain

STEPS, IMAGES = (3, 6, 4), (2, 4, 6, 5, 3)
L2 = keras.regularizers.L2


def _variants(kind: str, **more: Any) -> dict[str, dict[str, Any]]:
    """The options that all recurrent layers have, of one class."""
    options = {
        "plain": {},
        "sequences": {"return_sequences": True},
        "state": {"return_state": True},
        "both": {"return_sequences": True, "return_state": True},
        "backwards": {"go_backwards": True, "return_sequences": True, "return_state": True},
        "no_bias": {"use_bias": False},
        "activations": {"activation": "relu" if kind == "SimpleRNN" else "softsign", "bias_initializer": "ones"},
        "unrolled": {"unroll": True, "return_sequences": True},
        "zero_output": {"zero_output_for_mask": True, "return_sequences": True, "return_state": True},
    }
    return {f"{kind}-{name}": {"class": kind, "kwargs": {"units": 5, **more, **kwargs}} for name, kwargs in
            options.items()}  # fmt: skip


def _samples() -> dict[str, dict[str, Any]]:
    found = {**_variants("SimpleRNN"), **_variants("LSTM"), **_variants("GRU")}
    before = {"units": 5, "reset_after": False, "return_sequences": True, "return_state": True}
    found["GRU-before"] = {"class": "GRU", "kwargs": before}
    found["GRU-before_no_bias"] = {"class": "GRU", "kwargs": {**before, "use_bias": False}}
    found["LSTM-recurrent_activation"] = {"class": "LSTM", "kwargs": {"units": 4, "recurrent_activation":
                                          "hard_sigmoid", "unit_forget_bias": False}}  # fmt: skip
    kwargs = {"units": 3, "kernel_regularizer": L2(0.1), "recurrent_constraint": "non_neg", "dropout": 0.2,
              "recurrent_dropout": 0.3, "seed": 3, "activity_regularizer": "l1"}  # fmt: skip
    for kind in ("SimpleRNN", "LSTM", "GRU"):
        found[f"{kind}-regularized"] = {"class": kind, "kwargs": kwargs}
    return found


def _made() -> dict[str, tuple[keras.Layer, tuple[int, ...]]]:
    made = {name: (getattr(L, one["class"])(**one["kwargs"]), STEPS) for name, one in _samples().items()}
    all_of = {"return_sequences": True, "return_state": True}
    made["RNN-lstm"] = L.RNN(L.LSTMCell(5), **all_of), STEPS
    made["RNN-stacked"] = L.RNN([L.LSTMCell(5), L.GRUCell(3), L.SimpleRNNCell(4)], **all_of), STEPS
    made["RNN-stacked_backwards"] = L.RNN([L.GRUCell(5), L.LSTMCell(3)], go_backwards=True), STEPS
    for mode in ("concat", "sum", "ave", "mul", None):
        made[f"Bidirectional-{mode}"] = L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode=mode), STEPS
    made["Bidirectional-last"] = L.Bidirectional(L.GRU(4)), STEPS
    made["Bidirectional-state"] = L.Bidirectional(L.LSTM(4, **all_of)), STEPS
    made["Bidirectional-state_none"] = L.Bidirectional(L.GRU(4, return_state=True), merge_mode=None), STEPS
    backward = L.LSTM(3, go_backwards=True, activation="relu")
    made["Bidirectional-other"] = L.Bidirectional(L.GRU(4), backward_layer=backward), STEPS
    made["TimeDistributed-dense"] = L.TimeDistributed(L.Dense(5, activation="tanh")), STEPS
    made["TimeDistributed-conv"] = L.TimeDistributed(L.Conv2D(2, 3)), IMAGES
    made["TimeDistributed-lstm"] = L.TimeDistributed(L.LSTM(2)), (2, 3, 4, 3)
    for name, kwargs in {
        "plain": {}, "all": {**all_of, "padding": "same", "strides": 2}, "dilated": {"dilation_rate": 2, **all_of},
        "backwards": {"go_backwards": True, "return_sequences": True, "use_bias": False},
        "channels_first": {"data_format": "channels_first", "padding": "same"},
    }.items():  # fmt: skip
        shape = (2, 4, 3, 6, 5) if name == "channels_first" else IMAGES
        made[f"ConvLSTM2D-{name}"] = L.ConvLSTM2D(2, 2, **kwargs), shape
    made["ConvLSTM1D-all"] = L.ConvLSTM1D(3, 3, padding="same", **all_of), (2, 4, 6, 3)
    made["ConvLSTM3D-plain"] = L.ConvLSTM3D(2, 2), (2, 3, 4, 3, 4, 2)
    return made


def _masks(name: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """Rows that end early, one with a hole, one that is masked whole; for every layer over plain steps."""
    if len(shape) != 3 or name.startswith("TimeDistributed"):
        return None
    return np.array([[1, 1, 1, 1, 0, 0], [1, 1, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]], bool)


def _call(name: str, layer: keras.Layer, inputs: list, mask: np.ndarray | None) -> list:
    given = {} if mask is None else {"mask": mask}
    if len(inputs) > 1:
        given["initial_state"] = inputs[1:]
    return keras.tree.flatten(layer(inputs[0], **given))


def _case(name: str, layer: keras.Layer, shape: tuple[int, ...], masked: bool, started: bool) -> dict[str, Any]:
    rng = generator(name, masked, started)
    inputs = [normal(rng, *shape)]
    layer(inputs[0])
    layer.set_weights([normal(rng, *v.shape) * np.float32(0.5) for v in layer.weights])
    mask = _masks(name, shape) if masked else None
    if started:
        forward = getattr(layer, "forward_layer", layer)
        sizes = keras.tree.flatten(forward.state_size) * (2 if forward is not layer else 1)
        inputs += [normal(rng, shape[0], n) for n in sizes]
    outputs = plain(_call(name, layer, inputs, mask))
    r = [normal(rng, *y.shape) for y in outputs]

    def weighted(*arrays: Any) -> Any:
        state = [*zip(layer.trainable_variables, arrays[len(inputs) :], strict=True)]
        state += [(variable, variable.value) for variable in layer.non_trainable_variables]
        with keras.StatelessScope(state_mapping=state):
            outputs = _call(name, layer, list(arrays[: len(inputs)]), mask)
            return sum(keras.ops.sum(y * one) for y, one in zip(outputs, r, strict=True))

    _, found = gradients(weighted, [*inputs, *plain(layer.trainable_variables)])
    return {
        "name": f"{name}{'-masked' * masked}{'-started' * started}",
        "layer": as_json(keras.saving.serialize_keras_object(layer)),
        "inputs": inputs,
        "mask": mask,
        "weights": layer.get_weights(),
        "weight_paths": [variable.path for variable in layer.weights],
        "outputs": outputs,
        "r": r,
        "gradients": found,
        "computed_shape": as_json(layer.compute_output_shape(shape)),
    }


def make() -> list[dict[str, Any]]:
    """Each sample plain, and those over steps with a mask and with initial states too."""
    found = []
    keras.utils.clear_session()
    for name, (layer, shape) in _made().items():
        steps = _masks(name, shape) is not None
        ways = [(False, False)]
        if steps:
            ways.append((True, False))
            if not name.startswith("RNN-stacked") and name != "Bidirectional-other":
                ways.append((False, True))
        for masked, started in ways:
            try:
                found.append(_case(name, layer, shape, masked, started))
            except Exception as error:  # whatever the backend raises: record.py takes the other's result
                suffix = f"{'-masked' * masked}{'-started' * started}"
                found.append({"name": f"{name}{suffix}", "failed": f"{type(error).__name__}: {error}"[:300]})
    return found
