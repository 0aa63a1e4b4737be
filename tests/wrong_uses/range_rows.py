"""Arguments out of range, or of the wrong kind: all is told when the object is made."""

from __future__ import annotations

from collections.abc import Callable

from layerkit import callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers
from layerkit.errors import ShapeError
from layerkit.layers import Input
from layerkit.optimizers import schedules
from tests.wrong_uses.rows import Row, f

NAN = float("nan")

OUT_OF_RANGE: list[tuple[Callable, dict[str, object], str]] = [
    # What is made; the arguments, the wrong one last; what is expected instead.
    (layers.BatchNormalization, {"momentum": 1.5}, "between 0 and 1"),
    (layers.BatchNormalization, {"epsilon": -1e-3}, "at least 0"),
    (layers.LayerNormalization, {"epsilon": NAN}, "at least 0"),
    (layers.GroupNormalization, {"epsilon": -1}, "at least 0"),
    (layers.RMSNormalization, {"epsilon": -1}, "at least 0"),
    (layers.ReLU, {"max_value": -1}, "at least 0 or None"),
    (layers.ELU, {"alpha": NAN}, "finite"),
    (layers.GaussianDropout, {"rate": 1}, "[0, 1)"),
    (layers.UpSampling1D, {"size": 0}, "positive integer"),
    (layers.RepeatVector, {"n": 0}, "positive integer"),
    (layers.Reshape, {"target_shape": (-2, 3)}, "integer of at least -1"),
    (layers.DepthwiseConv1D, {"kernel_size": 2, "depth_multiplier": -1}, "positive integer"),
    (layers.SeparableConv1D, {"kernel_size": 2, "filters": -1}, "positive integer"),
    (layers.Conv2D, {"filters": 2, "kernel_size": 2, "dilation_rate": -1}, "positive integer"),
    (layers.ConvLSTM1D, {"kernel_size": 2, "filters": 0}, "positive integer"),
    (layers.MultiHeadAttention, {"num_heads": 2, "key_dim": 2, "dropout": 1.5}, "between 0 and 1"),
    (layers.MultiHeadAttention, {"num_heads": 2, "key_dim": 2, "value_dim": 0}, "positive integer or None"),
    (layers.Embedding, {"input_dim": 3, "output_dim": -1}, "positive integer"),
    (layers.Dense, {"units": 2, "lora_rank": 0}, "positive integer or None"),
    (layers.Resizing, {"height": 2, "width": 2, "interpolation": "linear"}, "'bilinear'"),
    (layers.MixUp, {"alpha": -0.5}, "above 0"),
    (layers.AugMix, {"num_chains": 0}, "positive integer"),
    (layers.RandAugment, {"num_ops": -1}, "non-negative integer"),
    (layers.STFTSpectrogram, {"frame_length": 0}, "positive integer"),
    (layers.MelSpectrogram, {"num_mel_bins": 0}, "positive integer"),
    (losses.Huber, {"delta": 0}, "above 0"),
    (losses.BinaryCrossentropy, {"label_smoothing": 1.5}, "(-inf, 1]"),
    (losses.CategoricalCrossentropy, {"label_smoothing": NAN}, "(-inf, 1]"),
    (losses.BinaryFocalCrossentropy, {"gamma": -1}, "at least 0"),
    (losses.CategoricalFocalCrossentropy, {"gamma": -1}, "at least 0"),
    (losses.Tversky, {"alpha": NAN}, "finite"),
    (losses.CategoricalGeneralizedCrossEntropy, {"q": 1}, "(0, 1)"),
    (metrics.AUC, {"summation_method": "middle"}, "'interpolation'"),
    (metrics.TopKCategoricalAccuracy, {"k": 0}, "positive integer"),
    (metrics.Precision, {"top_k": 0}, "positive integer or None"),
    (metrics.Recall, {"class_id": -1}, "non-negative integer or None"),
    (metrics.MeanIoU, {"num_classes": 0}, "positive integer"),
    (metrics.IoU, {"num_classes": 2, "target_class_ids": (0, 2)}, "from 0 to num_classes - 1 = 1"),
    (metrics.CategoricalCrossentropy, {"label_smoothing": 2}, "(-inf, 1]"),
    (metrics.SensitivityAtSpecificity, {"specificity": 0.5, "num_thresholds": 0}, "positive integer"),
    (optimizers.Adam, {"beta_1": 1.0}, "(-1, 1)"),
    (optimizers.Adam, {"beta_2": 1.5}, "[0, 1)"),
    (optimizers.Nadam, {"beta_2": 1}, "[0, 1)"),
    (optimizers.Adamax, {"epsilon": -1}, "at least 0"),
    (optimizers.RMSprop, {"rho": 1.1}, "between 0 and 1"),
    (optimizers.RMSprop, {"momentum": -0.1}, "between 0 and 1"),
    (optimizers.Adagrad, {"initial_accumulator_value": -1}, "at least 0"),
    (optimizers.Adadelta, {"rho": NAN}, "between 0 and 1"),
    (optimizers.Adafactor, {"clip_threshold": 0}, "above 0"),
    (optimizers.Ftrl, {"learning_rate_power": 0.5}, "[-inf, 0]"),
    (optimizers.Lion, {"beta_2": 2}, "between 0 and 1"),
    (optimizers.Lamb, {"beta_1": 1}, "(-1, 1)"),
    (optimizers.Muon, {"ns_steps": -1}, "non-negative integer"),
    (optimizers.SGD, {"use_ema": True, "ema_momentum": 1.5}, "between 0 and 1"),
    (optimizers.SGD, {"loss_scale_factor": 0}, "above 0 or None"),
    (schedules.CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": 0}, "above 0"),
    (schedules.CosineDecayRestarts, {"initial_learning_rate": 0.1, "first_decay_steps": 9, "t_mul": 0}, "above 0"),
    (schedules.PolynomialDecay, {"initial_learning_rate": 0.1, "decay_steps": 9, "power": NAN}, "finite"),
    (initializers.RandomNormal, {"stddev": -0.1}, "at least 0"),
    (initializers.RandomUniform, {"minval": NAN}, "finite"),
    (initializers.Orthogonal, {"gain": NAN}, "finite"),
    (regularizers.L1L2, {"l1": -0.1}, "at least 0"),
    (constraints.MaxNorm, {"max_value": -1}, "at least 0"),
    (constraints.MinMaxNorm, {"rate": 2}, "between 0 and 1"),
    (callbacks.EarlyStopping, {"patience": NAN}, "a number"),
    (callbacks.ReduceLROnPlateau, {"factor": -0.5}, "[0, 1)"),
]  # fmt: skip

WRONG_KIND: list[tuple[Callable, dict[str, object], str]] = [
    (layers.Dense, {"units": "3"}, "positive integer"),
    (layers.Dropout, {"rate": "half"}, "between 0 and 1"),
    (layers.LSTM, {"units": 2, "dropout": "0.1"}, "a number"),
    (layers.MaxPooling2D, {"pool_size": "2"}, "tuple of 2 of them"),
    (layers.Softmax, {"axis": "rows"}, "an integer"),
    (layers.Concatenate, {"axis": 0.5}, "an integer"),
    (losses.Huber, {"delta": None}, "above 0"),
    (losses.Dice, {"axis": "rows"}, "an integer"),
    (metrics.AUC, {"num_thresholds": 10.5}, "integer of at least 2"),
    (optimizers.Adam, {"epsilon": None}, "at least 0"),
    (schedules.ExponentialDecay, {"decay_steps": 9, "decay_rate": 0.9, "initial_learning_rate": "0.1"}, "finite"),
    (constraints.UnitNorm, {"axis": "rows"}, "tuple of them"),
    (callbacks.EarlyStopping, {"monitor": 3}, "name of a loss or metric"),
    (callbacks.ReduceLROnPlateau, {"patience": "3"}, "a number"),
]  # fmt: skip


def row(make: Callable, arguments: dict[str, object], expected: str, kind: type[Exception]) -> Row:
    name = list(arguments)[-1]
    parts = (make.__name__, f"`{name}`", expected, f"got {name}={arguments[name]!r}")
    return lambda: make(**arguments), kind, parts


ROWS: list[Row] = [
    *(row(*one, ValueError) for one in OUT_OF_RANGE),
    *(row(*one, kind) for one in WRONG_KIND for kind in (ValueError, TypeError)),
    # Axes are known when the input's shape is.
    (lambda: layers.MultiHeadAttention(2, 4, attention_axes=(9,), name="mha")(f(2, 3, 4), f(2, 3, 4)), ShapeError,
     ("'mha'", "`attention_axes`", "from -3 to 2", "got attention_axes=(9,)", "(2, 3, 4)")),
    (lambda: layers.Cropping2D(3, name="crop")(Input((4, 4, 1))), ShapeError,
     ("'crop'", "`cropping`", "(None, 4, 4, 1)", "((3, 3), (3, 3))")),
]  # fmt: skip
