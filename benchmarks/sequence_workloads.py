"""Models of sequences, text, tables and recommendations; `keras` is whichever package is timed."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

Built = tuple[Any, dict[str, Any]]
WORDS, CATEGORIES, USERS = 20_000, 1_000, 20_000
CLASSES = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
YES_OR_NO = {"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy"]}
NUMBERS = {"optimizer": "adam", "loss": "mse"}


def text_average(keras: ModuleType) -> Built:
    """Word vectors, their mean, and two dense layers."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((200,), dtype="int32"),
            layers.Embedding(WORDS, 128),
            layers.GlobalAveragePooling1D(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return model, YES_OR_NO


def text_conv1d(keras: ModuleType) -> Built:
    """Word vectors, a convolution of 5 words, and its maximum over the text."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((200,), dtype="int32"),
            layers.Embedding(WORDS, 64),
            layers.Dropout(0.2),
            layers.Conv1D(128, 5, activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(64, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return model, YES_OR_NO


def text_lstm(keras: ModuleType) -> Built:
    """Masked word vectors and an LSTM of 64."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((80,), dtype="int32"),
            layers.Embedding(WORDS, 128, mask_zero=True),
            layers.LSTM(64),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return model, YES_OR_NO


def text_bilstm(keras: ModuleType) -> Built:
    """Two bidirectional LSTMs."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((100,), dtype="int32"),
            layers.Embedding(WORDS, 64),
            layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(32)),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    return model, YES_OR_NO


def forecast_gru(keras: ModuleType) -> Built:
    """Windows of 120 steps of 14 numbers, a GRU of 32."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((120, 14)), layers.GRU(32), layers.Dropout(0.2), layers.Dense(1)])
    return model, {"optimizer": "rmsprop", "loss": "mse", "metrics": ["mae"]}


def simple_rnn(keras: ModuleType) -> Built:
    """Two simple recurrent layers."""
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((50, 8)), layers.SimpleRNN(64, return_sequences=True), layers.SimpleRNN(32), layers.Dense(1)]
    )
    return model, NUMBERS


def conv_lstm(keras: ModuleType) -> Built:
    """Frames of 24 x 24 in, one frame out."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 24, 24, 1)),
            layers.ConvLSTM2D(16, 3, padding="same"),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    return model, {"optimizer": "adam", "loss": "mse"}


def transformer(keras: ModuleType, length: int = 128, width: int = 64, heads: int = 4) -> Built:
    """Word and position vectors, one encoder block, their mean."""
    layers = keras.layers
    words = keras.Input((length,), dtype="int32")
    positions = keras.ops.arange(length)
    x = layers.Embedding(WORDS, width)(words) + layers.Embedding(length, width)(positions)
    attended = layers.MultiHeadAttention(heads, width // heads)(x, x)
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(attended))
    dense = layers.Dense(width)(layers.Dense(2 * width, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(dense))
    x = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(x))
    return keras.Model(words, layers.Dense(2, activation="softmax")(x)), CLASSES


def transformer_small(keras: ModuleType) -> Built:
    """The script that most begin with: length 200, width 32, two heads."""
    return transformer(keras, 200, 32, 2)


def gpt_mini(keras: ModuleType) -> Built:
    """A causal language model: length 80, width 256, logits over 20,000 words."""
    layers = keras.layers
    words = keras.Input((80,), dtype="int32")
    x = layers.Embedding(WORDS, 256)(words) + layers.Embedding(80, 256)(keras.ops.arange(80))
    attended = layers.MultiHeadAttention(2, 128)(x, x, use_causal_mask=True)
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(attended))
    dense = layers.Dense(256)(layers.Dense(256, activation="relu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(x + layers.Dropout(0.1)(dense))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return keras.Model(words, layers.Dense(WORDS)(x)), {"optimizer": "adam", "loss": loss}


def seq2seq(keras: ModuleType) -> Built:
    """Characters to characters by two LSTMs of 128, the second one taught."""
    layers = keras.layers
    given, taught = keras.Input((20, 70)), keras.Input((30, 90))
    _, *state = layers.LSTM(128, return_state=True)(given)
    x = layers.LSTM(128, return_sequences=True)(taught, initial_state=state)
    return keras.Model([given, taught], layers.Dense(90, activation="softmax")(x)), {**CLASSES, "optimizer": "rmsprop"}


def tagging(keras: ModuleType) -> Built:
    """A class for each step."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((50, 32)),
            layers.TimeDistributed(layers.Dense(64, activation="relu")),
            layers.TimeDistributed(layers.Dense(64, activation="relu")),
            layers.TimeDistributed(layers.Dense(10, activation="softmax")),
        ]
    )
    return model, CLASSES


def wide_and_deep(keras: ModuleType) -> Built:
    """Twenty inputs: ten categories, each with its vectors, and ten numbers."""
    layers = keras.layers
    categories = [keras.Input((1,), dtype="int32", name=f"category{i}") for i in range(10)]
    numbers = [keras.Input((1,), name=f"number{i}") for i in range(10)]
    wide = [layers.Flatten()(layers.Embedding(CATEGORIES, 1)(x)) for x in categories]
    deep = [layers.Flatten()(layers.Embedding(CATEGORIES, 8)(x)) for x in categories]
    x = layers.Concatenate()([*deep, *numbers])
    x = layers.Dropout(0.2)(layers.Dense(64, activation="relu")(x))
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Concatenate()([x, *wide])
    return keras.Model([*categories, *numbers], layers.Dense(1, activation="sigmoid")(x)), YES_OR_NO


def mlp_batchnorm(keras: ModuleType) -> Built:
    """Dense layers with batch normalization and dropout."""
    layers = keras.layers
    parts = [keras.Input((32,))]
    for units in (128, 64):
        parts += [layers.Dense(units), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.2)]
    return keras.Sequential([*parts, layers.Dense(1, activation="sigmoid")]), YES_OR_NO


def factorization(keras: ModuleType) -> Built:
    """A rating is the product of a user's and an item's vector, and two biases."""
    layers = keras.layers
    user, item = keras.Input((1,), dtype="int32"), keras.Input((1,), dtype="int32")
    vectors = [layers.Flatten()(layers.Embedding(USERS, 50)(x)) for x in (user, item)]
    biases = [layers.Flatten()(layers.Embedding(USERS, 1)(x)) for x in (user, item)]
    return keras.Model([user, item], layers.Add()([layers.Dot(1)(vectors), *biases])), NUMBERS


def factorization_sgd(keras: ModuleType) -> Built:
    """The same with SGD."""
    return factorization(keras)[0], {"optimizer": keras.optimizers.SGD(0.01), "loss": "mse"}


def deep_fm(keras: ModuleType) -> Built:
    """Crosses of the fields' vectors (half the squared sum less the sum of squares) beside dense layers."""
    layers, ops = keras.layers, keras.ops
    fields = keras.Input((20,), dtype="int32")
    vectors = layers.Embedding(20 * CATEGORIES, 16)(fields)
    first = ops.sum(layers.Embedding(20 * CATEGORIES, 1)(fields), axis=1)
    total = ops.sum(vectors, axis=1)
    crosses = 0.5 * ops.sum(total * total - ops.sum(vectors * vectors, axis=1), axis=1, keepdims=True)
    x = layers.Flatten()(vectors)
    for units in (128, 64):
        x = layers.Dropout(0.2)(layers.Dense(units, activation="relu")(x))
    logit = layers.Add()([first, crosses, layers.Dense(1)(x)])
    return keras.Model(fields, layers.Activation("sigmoid")(logit)), YES_OR_NO


def autoencoder(keras: ModuleType) -> Built:
    """30-16-8-16-30 on rows of numbers."""
    layers = keras.layers
    parts = [layers.Dense(units, activation="relu") for units in (16, 8, 16)]
    return keras.Sequential([keras.Input((30,)), *parts, layers.Dense(30)]), NUMBERS


def with_optimizer(build: Callable[[ModuleType], Built], name: str) -> Callable[[ModuleType], Built]:
    """The same model with another optimizer of keras.optimizers."""

    def built(keras: ModuleType) -> Built:
        model, options = build(keras)
        return model, {**options, "optimizer": getattr(keras.optimizers, name)(1e-3)}

    return built


@dataclass(frozen=True)
class Integers:
    """An input or a target of whole numbers below `below`."""

    shape: tuple[int, ...]
    below: int

    def draw(self, rng: np.random.Generator, samples: int) -> np.ndarray:
        """An int32 array [samples, *shape]."""
        return rng.integers(0, self.below, (samples, *self.shape), dtype="int32")


@dataclass(frozen=True)
class Normal:
    """An input or a target of normal numbers."""

    shape: tuple[int, ...]

    def draw(self, rng: np.random.Generator, samples: int) -> np.ndarray:
        """A float32 array [samples, *shape]."""
        return rng.standard_normal((samples, *self.shape), dtype="float32")


Values = Integers | Normal


@dataclass(frozen=True)
class SequenceWorkload:
    """A model with what its data are; `build` returns the model and compile's arguments."""

    build: Callable[[ModuleType], Built]
    inputs: tuple[Values, ...]
    targets: Values
    batch_size: int
    steps: int

    def data(self, steps: int) -> tuple[Any, np.ndarray]:
        """Whole batches for that many steps: x (a list where there are several inputs) and y."""
        rng = np.random.default_rng(0)
        samples = self.batch_size * steps
        x = [values.draw(rng, samples) for values in self.inputs]
        return x[0] if len(x) == 1 else x, self.targets.draw(rng, samples)


_YES = Integers((1,), 2)
_TABLE = (Normal((32,)),)
_PAIR = (Integers((1,), USERS), Integers((1,), USERS))
_MIXED = (*[Integers((1,), CATEGORIES)] * 10, *[Normal((1,))] * 10)

SEQUENCES = {
    "text average": SequenceWorkload(text_average, (Integers((200,), WORDS),), _YES, 32, 20),
    "text average, AdamW": SequenceWorkload(
        with_optimizer(text_average, "AdamW"), (Integers((200,), WORDS),), _YES, 32, 20
    ),
    "text average, RMSprop": SequenceWorkload(
        with_optimizer(text_average, "RMSprop"), (Integers((200,), WORDS),), _YES, 32, 20
    ),
    "text conv1d": SequenceWorkload(text_conv1d, (Integers((200,), WORDS),), _YES, 32, 16),
    "text lstm, masked": SequenceWorkload(text_lstm, (Integers((80,), WORDS),), _YES, 32, 16),
    "text bilstm x 2": SequenceWorkload(text_bilstm, (Integers((100,), WORDS),), _YES, 32, 10),
    "forecast gru": SequenceWorkload(forecast_gru, (Normal((120, 14)),), Normal((1,)), 256, 8),
    "simple rnn x 2": SequenceWorkload(simple_rnn, (Normal((50, 8)),), Normal((1,)), 64, 20),
    "conv lstm": SequenceWorkload(conv_lstm, (Normal((8, 24, 24, 1)),), Normal((24, 24, 1)), 8, 8),
    "transformer 128 x 64": SequenceWorkload(transformer, (Integers((128,), WORDS),), Integers((1,), 2), 32, 10),
    "transformer 200 x 32": SequenceWorkload(transformer_small, (Integers((200,), WORDS),), Integers((1,), 2), 32, 10),
    "gpt mini": SequenceWorkload(gpt_mini, (Integers((80,), WORDS),), Integers((80,), WORDS), 16, 2),
    "seq2seq lstm": SequenceWorkload(seq2seq, (Normal((20, 70)), Normal((30, 90))), Integers((30,), 90), 64, 10),
    "tagging": SequenceWorkload(tagging, (Normal((50, 32)),), Integers((50,), 10), 32, 40),
    "wide and deep": SequenceWorkload(wide_and_deep, _MIXED, _YES, 128, 40),
    "mlp bn, batch 32": SequenceWorkload(mlp_batchnorm, _TABLE, _YES, 32, 100),
    "mlp bn, batch 256": SequenceWorkload(mlp_batchnorm, _TABLE, _YES, 256, 60),
    "mlp bn, batch 2048": SequenceWorkload(mlp_batchnorm, _TABLE, _YES, 2048, 20),
    "factorization, Adam": SequenceWorkload(factorization, _PAIR, Normal((1,)), 64, 40),
    "factorization, SGD": SequenceWorkload(factorization_sgd, _PAIR, Normal((1,)), 64, 40),
    "deep fm": SequenceWorkload(deep_fm, (Integers((20,), 20 * CATEGORIES),), _YES, 256, 40),
    "autoencoder": SequenceWorkload(autoencoder, (Normal((30,)),), Normal((30,)), 64, 100),
}
