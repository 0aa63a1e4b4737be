"""Strings as inputs of models: the host turns them into numbers before the compiled part of a step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import layerkit
from layerkit import layers, ops
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph.tensor import Tensor
from layerkit.runtime.kernel_cache import statistics
from layerkit.utils import FeatureSpace, PyDataset

TEXTS = ["the cat sat", "the dog", "a cat and a dog", "no", "dog dog dog dog dog dog", "sat the"]
LABELS = np.array([1, 0, 1, 0, 0, 1], "float32")
WORDS = ["the", "cat", "dog", "sat", "a"]


def column(texts: list[str] = TEXTS) -> np.ndarray:
    return np.array(texts)[:, None]


def vectorization(**arguments: object) -> layers.TextVectorization:
    return layers.TextVectorization(vocabulary=WORDS, **{"output_sequence_length": 4, **arguments})


def classifier() -> list[layerkit.Layer]:
    return [
        layers.Embedding(7, 4),
        layers.Conv1D(3, 2, activation="relu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(1),
    ]


def end_to_end(shape: tuple[int, ...] = (1,)) -> layerkit.Model:
    layerkit.utils.set_random_seed(3)
    return layerkit.Sequential([layers.Input(shape, dtype="string"), vectorization(), *classifier()])


class Batches(PyDataset):
    """Pairs of texts and labels, two at a time."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> tuple:
        part = slice(2 * index, 2 * index + 2)
        return column()[part], LABELS[part]


# Predicting


@pytest.mark.parametrize(
    "data",
    [
        column(),
        column().astype(object),
        column().astype("<U80"),
        np.char.encode(column(), "utf-8"),
        np.array(TEXTS),
        TEXTS,
        [[text] for text in TEXTS],
        Tensor.of(np.array(TEXTS, object)),
    ],
    ids=["U", "object", "U80", "bytes", "one axis", "list", "list of lists", "tensor"],
)
def test_texts_come_in_many_forms(data: object) -> None:
    model = end_to_end()
    numbers = layerkit.Sequential(model.layers[1:])
    expected = numbers.predict(vectorization()(TEXTS).numpy(), verbose=0)
    np.testing.assert_array_equal(model.predict(data, verbose=0), expected)
    np.testing.assert_allclose(model(data).numpy(), expected, rtol=1e-5)
    np.testing.assert_array_equal(model.predict_on_batch(data), expected)


def test_a_wider_string_or_another_batch_compiles_nothing() -> None:
    model = end_to_end()
    model.compile("sgd", "mse")
    model.fit(column().astype("<U40"), LABELS, batch_size=6, verbose=0)
    compiled, step = statistics.compiled, model._step("train")._compiled
    traces = step.traces
    model.fit(column().astype("<U90"), LABELS, batch_size=6, verbose=0)
    model.fit(column(["x" * 300] * 6), LABELS, batch_size=6, verbose=0)
    assert step.traces == traces
    model.fit(column(), LABELS, batch_size=4, verbose=0)
    assert statistics.compiled == compiled


def test_a_length_that_the_texts_decide_is_a_plan_of_its_own() -> None:
    words = layerkit.Sequential([vectorization(output_sequence_length=None), layers.Embedding(7, 4)])
    for texts in (["a cat"], ["the dog sat"], ["a cat"], ["a dog sat the a the"]):
        expected = words.layers[1](words.layers[0](texts)).numpy()
        np.testing.assert_array_equal(words.predict(column(texts), verbose=0), expected)
    assert words._step("predict")._compiled.traces == 3
    assert words.output_shape == (None, None, 4)


def test_strings_may_come_out() -> None:
    indices = layers.Input((), dtype="int64")
    names = layers.StringLookup(vocabulary=["a", "b"], invert=True)
    y = names(ops.where(indices > 5, 0, indices))
    assert (y.shape, y.dtype) == ((None,), "string")
    found = layerkit.Model(indices, y).predict(np.array([1, 2, 9]), verbose=0)
    assert found.dtype == object and found.tolist() == ["a", "b", "[UNK]"]
    assert names(np.array([[2, 1]])).tolist() == [["b", "a"]]
    # Numbers of strings, strings of what a plan makes of them.
    x = layers.Input((1,), dtype="string")
    inside = layers.StringLookup(vocabulary=["a", "b"])(x)
    both = layerkit.Model(x, [names(3 - inside), inside + 1, x])
    swapped, plus, same = both.predict(np.array([["a"], ["b"]]), batch_size=1, verbose=0)
    assert swapped.tolist() == [["b"], ["a"]] and plus.tolist() == [[2], [3]] and same.tolist() == [["a"], ["b"]]


def test_strings_are_rearranged() -> None:
    x = layers.Input((2,), dtype="string")
    y = layers.Input((1,), dtype="string")
    joined = layers.Concatenate()([x, y])
    assert (joined.shape, joined.dtype) == ((None, 3), "string")
    lookup = layers.StringLookup(vocabulary=["a", "b", "c"])
    model = layerkit.Model([x, y], [lookup(joined), lookup(x[:, 1]), lookup(layers.Reshape((1, 2))(x))])
    whole, second, reshaped = model.predict([np.array([["a", "b"]]), np.array([["c"]])], verbose=0)
    assert (whole.tolist(), second.tolist(), reshaped.tolist()) == ([[1, 2, 3]], [2], [[[1, 2]]])


# Shapes


@pytest.mark.parametrize("shape", [(), (1,), (3,)])
@pytest.mark.parametrize(
    "make",
    [
        *(lambda mode=mode: layers.Hashing(4, output_mode=mode) for mode in ("int", "one_hot", "multi_hot", "count")),
        *(
            lambda mode=mode: layers.StringLookup(
                vocabulary=WORDS, output_mode=mode, idf_weights=[1.0] * 5 if mode == "tf_idf" else None
            )
            for mode in ("int", "one_hot", "multi_hot", "count", "tf_idf")
        ),
        *(
            lambda mode=mode: layers.TextVectorization(
                vocabulary=WORDS, output_mode=mode, idf_weights=[1.0] * 5 if mode == "tf_idf" else None
            )
            for mode in ("int", "multi_hot", "count", "tf_idf")
        ),
        vectorization,
        lambda: vectorization(split="character", ngrams=2),
        lambda: layers.TextVectorization(vocabulary=WORDS, split=None, output_mode="count"),
        lambda: layers.TextVectorization(vocabulary=WORDS, max_tokens=9, pad_to_max_tokens=True, output_mode="count"),
        lambda: layers.StringLookup(vocabulary=WORDS, num_oov_indices=3, mask_token="#"),
    ],
)
def test_the_symbolic_shape_is_the_real_one(make: object, shape: tuple[int, ...]) -> None:
    layer = make()
    if shape == (3,) and getattr(layer, "split", None) is not None:
        with pytest.raises(ShapeError, match="the input must have one axis, or a second one of size 1"):
            layer(layers.Input(shape, dtype="string"))
        return
    data = np.resize(np.array(["the", "cat", "z"]), (2, *shape))
    x = layers.Input(shape, dtype="string")
    y = layer(x)
    found = layerkit.Model(x, y).predict(data, verbose=0)
    np.testing.assert_array_equal(found, layer(data).numpy())
    assert y.dtype == found.dtype == layer(data).dtype and len(y.shape) == found.ndim
    assert all(wanted in (None, size) for wanted, size in zip(y.shape, found.shape, strict=True))
    assert None not in y.shape[1:] or getattr(layer, "output_sequence_length", 1) is None
    if layer.compute_dtype == "string":
        assert layer.compute_output_shape((None, *shape)) == y.shape


def test_features_of_strings_and_numbers_are_crossed() -> None:
    layer = layers.HashedCrossing(7)
    town, rooms = layers.Input((1,), dtype="string", name="town"), layers.Input((1,), dtype="int64", name="rooms")
    model = layerkit.Model({"town": town, "rooms": rooms}, layer([town, rooms * 2]))
    table = {"town": np.array([["A"], ["B"], ["A"]]), "rooms": np.array([[1], [1], [2]])}
    expected = layer([table["town"], table["rooms"] * 2])
    np.testing.assert_array_equal(model.predict(table, verbose=0), expected)


def test_a_layer_may_be_called_before_it_has_a_vocabulary() -> None:
    layer = layers.TextVectorization(output_sequence_length=2)
    x = layers.Input((1,), dtype="string")
    model = layerkit.Model(x, layer(x))
    with pytest.raises(ValueError, match="has no vocabulary yet"):
        model.predict(column(), verbose=0)
    layer.adapt(TEXTS)
    np.testing.assert_array_equal(model.predict(column(), verbose=0), layer(TEXTS))
    with pytest.raises(ValueError, match="has no vocabulary yet"):
        layers.StringLookup(output_mode="multi_hot")(x)


# Training


def test_the_same_weights_as_of_integers() -> None:
    strings, numbers = end_to_end(), layerkit.Sequential([layers.Input((4,), dtype="int64"), *classifier()])
    numbers.set_weights(strings.get_weights())
    histories = []
    for model, x in ((strings, column()), (numbers, vectorization()(TEXTS).numpy())):
        layerkit.utils.set_random_seed(1)
        model.compile("adam", "mse", metrics=["mae"])
        histories.append(model.fit(x, LABELS, batch_size=4, epochs=3, validation_split=0.3, verbose=0).history)
        histories[-1]["evaluate"] = model.evaluate(x, LABELS, verbose=0)
    assert histories[0] == histories[1]
    for a, b in zip(strings.get_weights(), numbers.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "data",
    [
        lambda: ((column()[i : i + 2], LABELS[i : i + 2]) for i in (0, 2, 4)),
        Batches,
        lambda: ((TEXTS[i : i + 2], LABELS[i : i + 2]) for i in (0, 2, 4)),
    ],
    ids=["generator", "PyDataset", "lists"],
)
def test_batches_of_texts(data: object) -> None:
    found, expected = end_to_end(), end_to_end()
    for model, arguments in ((found, {"x": data()}), (expected, {"x": column(), "y": LABELS, "batch_size": 2})):
        model.compile("sgd", "mse")
        model.fit(**arguments, shuffle=False, verbose=0)
    for a, b in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_steps_on_one_batch_and_eagerly() -> None:
    compiled, eager = end_to_end(), end_to_end()
    compiled.compile("sgd", "mse")
    eager.compile("sgd", "mse", run_eagerly=True)
    for model in (compiled, eager):
        model.train_on_batch(column(), LABELS[:, None])
    np.testing.assert_allclose(
        compiled.test_on_batch(column(), LABELS[:, None]), eager.test_on_batch(TEXTS, LABELS[:, None]), rtol=1e-5
    )


class Reader(layerkit.Model):
    """Reads texts in its `call`."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = vectorization()
        self.rest = classifier()

    def call(self, inputs: object) -> object:
        x = self.reading(inputs)
        for layer in self.rest:
            x = layer(x)
        return x


class OwnStep(Reader):
    """Has a step of its own, with labels that are strings."""

    def __init__(self) -> None:
        super().__init__()
        self.labels = layers.StringLookup(vocabulary=["yes"], num_oov_indices=1)

    def train_step(self, data: tuple) -> dict:
        x, y = data
        with layerkit.GradientTape() as tape:
            loss = ops.mean((ops.cast(self.labels(y), "float32") - self(x, training=True)[:, 0]) ** 2)
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"mistake": loss}


def test_subclassed_models() -> None:
    model = Reader()
    model.compile("adam", "mse")
    losses = model.fit(column(), LABELS, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    np.testing.assert_allclose(model(TEXTS).numpy(), model.predict(column(), verbose=0), rtol=1e-5)
    own = OwnStep()
    own.compile("adam", "mse")
    answers = np.where(LABELS > 0, "yes", "no")
    losses = own.fit(column(), answers, epochs=20, verbose=0).history["mistake"]
    assert losses[-1] < losses[0]


def test_columns_by_name() -> None:
    layerkit.utils.set_random_seed(1)
    age = layers.Input((1,), name="age")
    city = layers.Input((1,), dtype="string", name="city")
    encoded = layers.StringLookup(vocabulary=["rome", "oslo"], output_mode="one_hot")(city)
    y = layers.Dense(1)(layers.Concatenate()([age, ops.cast(encoded, "float32")]))
    model = layerkit.Model({"age": age, "city": city}, y)
    model.compile("sgd", "mse")
    table = {"age": np.ones((3, 1)), "city": np.array([["rome"], ["oslo"], ["kiel"]])}
    before = model.evaluate(table, np.ones(3), verbose=0)
    model.fit(table, np.ones(3), epochs=5, validation_data=(table, np.ones(3)), verbose=0)
    assert model.evaluate(table, np.ones(3), verbose=0) < before
    lists = {"age": [1.0, 1.0, 1.0], "city": ["rome", "oslo", "kiel"]}
    np.testing.assert_array_equal(model.predict(lists, verbose=0), model.predict(table, verbose=0))


def test_feature_spaces_train_end_to_end() -> None:
    table = {"size": np.array([1.0, 2.0, 3.0, 4.0]), "town": np.array(["a", "b", "a", "c"])}
    space = FeatureSpace(
        {"size": "float_normalized", "town": "string_categorical"}, crosses=[("town", "town")], output_mode="concat"
    )
    space.adapt(table)
    model = layerkit.Model(space.get_inputs(), layers.Dense(1)(space.get_encoded_features()))
    model.compile("adam", "mse")
    model.fit(table, LABELS[:4], epochs=2, verbose=0)
    again = layerkit.models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(table, verbose=0), model.predict(table, verbose=0))


# Models as a whole


def test_configs_files_and_summaries(tmp_path: Path) -> None:
    x = layers.Input((1,), dtype="string", name="text")
    inner = layerkit.Sequential([layers.Input((4,), dtype="int64"), *classifier()])
    inner.compile("adam", "mse")
    inner.fit(vectorization()(TEXTS).numpy(), LABELS, verbose=0)
    reading = layers.TextVectorization(output_sequence_length=4)
    reading.adapt(TEXTS)
    model = layerkit.Model(x, inner(reading(x)))
    expected = model.predict(column(), verbose=0)
    assert model.inputs[0].dtype == "string" and model.layers[0].get_config()["dtype"] == "string"
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "text (InputLayer)" in "\n".join(lines)

    clone = layerkit.models.clone_model(model)
    clone.set_weights(model.get_weights())
    rebuilt = layerkit.Model.from_config(model.get_config())
    model.save_weights(tmp_path / "model.weights.h5")
    rebuilt.load_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "model.h5")
    loaded = layerkit.models.load_model(tmp_path / "model.h5")
    for other in (clone, rebuilt, loaded):
        assert other.layers[1].get_vocabulary() == reading.get_vocabulary()
        np.testing.assert_array_equal(other.predict(column(), verbose=0), expected)


def test_a_sequential_model_learns_from_its_data_that_they_are_strings() -> None:
    for first in (vectorization(), layers.Hashing(7, output_mode="one_hot")):
        model = layerkit.Sequential([first, layers.Dense(2)])
        assert model.predict(column(), verbose=0).shape == (6, 2)
        assert model.inputs[0].dtype == "string"
    called = layerkit.Sequential([vectorization(), *classifier()])
    assert called(TEXTS).shape == (6, 1)


def test_compiled_functions_take_strings() -> None:
    read, traces = vectorization(), []
    factor = layerkit.Variable(np.float32(2.0))

    @layerkit.function
    def scaled(texts: object) -> object:
        traces.append(texts.dtype)
        factor.assign(factor + 1.0)
        return ops.cast(read(texts), "float32") * factor

    np.testing.assert_array_equal(scaled(np.array(["a cat"])), [[18, 9, 0, 0]])
    np.testing.assert_array_equal(scaled(np.array(["the dog sat"])), [[8, 16, 20, 0]])
    assert traces == ["string"]


# What can't be


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            lambda x: layers.Dense(2, name="d")(x),
            r"Operation MatMul in layer 'd': it takes no strings: .*string\[\?, 3\]",
        ),
        (lambda x: x + 1, "Operation Add: it takes no strings"),
        (lambda x: ops.cast(x, "float32"), "Operation Cast.* it takes no strings"),
        (lambda x: ops.concatenate([x, layers.Input((3,))]), "strings and numbers have no dtype in common"),
        (lambda x: layers.Dense(1, name="d")(np.array([["a"]])), "in layer 'd': it takes no strings"),
        (lambda x: vectorization()(layers.Input((1,))), "expected strings in a tensor of dtype 'string'"),
        (lambda x: layers.StringLookup(vocabulary=["a"], invert=True)(x), "expected integers, got dtype string"),
        (lambda x: layerkit.Model(x, x)(np.ones((2, 3))), "takes dtype string, but got float"),
    ],
)
def test_errors(use: object, message: str) -> None:
    with pytest.raises(DtypeError, match=message):
        use(layers.Input((3,), dtype="string"))


def test_a_length_of_texts_that_the_step_itself_makes_is_not_known() -> None:
    x = layers.Input((1,), dtype="int64")
    texts = layers.StringLookup(vocabulary=["a cat", "the dog sat"], invert=True)(x)
    model = layerkit.Model(x, vectorization(output_sequence_length=None)(texts))
    with pytest.raises(GraphError, match="a size depends on strings that the same step makes"):
        model.predict(np.array([[1], [2]]), verbose=0)


def test_errors_name_the_layer_of_texts():
    vectorizer = layers.TextVectorization(name="texts")
    with pytest.raises(Exception, match="^TextVectorization 'texts' has no vocabulary"):
        vectorizer(["a"])
    with pytest.raises(ValueError, match=r"TextVectorization 'texts': expected .* bytes in utf-8; got b'\\xff\\xfe'"):
        vectorizer([b"\xff\xfe"])
