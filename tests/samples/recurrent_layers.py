"""Rows of recurrent layers and wrappers for the laws of layers."""

from __future__ import annotations

from layerkit import layers as L

STEPS = ((2, 5, 3),)
ALL = {"return_sequences": True}


def rows() -> list[tuple]:
    """Tuples of class, arguments and shapes of the inputs."""
    return [
        (L.RNN, {"cell": L.GRUCell(3, name="inner"), **ALL}, STEPS),
        (L.SimpleRNN, {"units": 4, "activation": "sigmoid", **ALL}, STEPS),
        (L.SimpleRNN, {"units": 4, "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 1}, STEPS),
        (L.LSTM, {"units": 4}, STEPS),
        (L.LSTM, {"units": 3, "go_backwards": True, "dropout": 0.3, "recurrent_dropout": 0.2, "seed": 1, **ALL}, STEPS),
        (L.GRU, {"units": 4, **ALL}, STEPS),
        (L.GRU, {"units": 3, "reset_after": False, "use_bias": False, "kernel_regularizer": "l2"}, STEPS),
        (L.Bidirectional, {"layer": L.LSTM(3, **ALL, name="inner")}, STEPS),
        (L.Bidirectional, {"layer": L.GRU(3, name="inner"), "merge_mode": "mul"}, STEPS),
        (L.TimeDistributed, {"layer": L.Dense(4, name="inner")}, STEPS),
        (L.ConvLSTM1D, {"filters": 2, "kernel_size": 2, **ALL}, ((2, 3, 5, 2),)),
        (L.ConvLSTM2D, {"filters": 2, "kernel_size": 2, "strides": 2, "padding": "same"}, ((2, 3, 4, 5, 2),)),
        (L.ConvLSTM3D, {"filters": 1, "kernel_size": 2, **ALL}, ((1, 2, 3, 3, 2, 2),)),
    ]
