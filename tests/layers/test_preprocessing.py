"""Layers that prepare data: data of every kind, states in files, errors by their text."""

import json
from pathlib import Path

import numpy as np
import pytest

import layerkit
from layerkit import layers, ops
from layerkit.data import PyDataset
from layerkit.serialization import deserialize_keras_object, serialize_keras_object
from layerkit.tracing import compile_function

WORDS = np.array([["a", "b", "a"], ["c", "a", "b"], ["d", "a", "c"], ["b", "b", "b"]])


class Batches(PyDataset):
    def __init__(self, data: np.ndarray) -> None:
        super().__init__()
        self.data = data

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple:
        return self.data[2 * index : 2 * index + 2], np.zeros(2)


def _ways(data: np.ndarray) -> list:
    return [data, Batches(data), (data[at : at + 2] for at in (0, 2))]


def test_normalization_adapts_to_data_of_every_kind() -> None:
    x = np.random.default_rng(0).normal(3, 2, (4, 5)).astype("float32")
    for data in [*_ways(x), [x[:1], x[1:]], ops.convert_to_tensor(x)]:
        layer = layers.Normalization()
        layer.adapt(data)
        np.testing.assert_allclose(layer(x), (x - x.mean(0)) / x.std(0), rtol=1e-5, atol=1e-5)
    assert [variable.name for variable in layer.weights] == ["mean", "variance", "count"]
    layer.adapt(x * 0 + 7)  # what was there is forgotten
    np.testing.assert_array_equal(layer.mean, np.full((1, 5), 7))


def test_lookups_adapt_to_data_of_every_kind() -> None:
    for data in [*_ways(WORDS), WORDS.tolist(), WORDS.astype("S"), WORDS.astype(object)]:
        layer = layers.StringLookup()
        layer.adapt(data)
        assert layer.get_vocabulary() == ["[UNK]", "b", "a", "c", "d"]
    numbers = np.array([[5, 5], [7, 5], [7, 9], [9, 9]])
    for data in [*_ways(numbers), numbers.tolist()]:
        layer = layers.IntegerLookup()
        layer.adapt(data)
        assert layer.get_vocabulary() == [-1, 9, 5, 7]
    texts = np.array(["a b", "b c", "b", "a"])
    for data in _ways(texts):
        layer = layers.TextVectorization()
        layer.adapt(data)
        assert layer.get_vocabulary(include_special_tokens=False) == ["b", "a", "c"]


def test_steps_say_how_many_batches_count() -> None:
    layer = layers.StringLookup()
    layer.adapt((row for row in WORDS), steps=1)
    assert layer.get_vocabulary() == ["[UNK]", "a", "b"]
    bins = layers.Discretization(num_bins=2)
    bins.adapt((np.array([1.0, 2.0]) * step for step in (1, 100)), steps=1)
    assert bins.bin_boundaries[0] < 3


def test_discretization_finds_quantiles() -> None:
    x = np.random.default_rng(0).normal(size=10000)
    layer = layers.Discretization(num_bins=4)
    layer.adapt([x[:5000], x[5000:]])
    np.testing.assert_allclose(layer.bin_boundaries, np.quantile(x, [0.25, 0.5, 0.75]), atol=0.05)


def test_integers_are_looked_up_and_hashed_in_a_compiled_model() -> None:
    ids = layers.Input((3,), dtype="int64")
    looked_up = layers.IntegerLookup(vocabulary=[5, 7], num_oov_indices=2)(ids)
    hashed = layers.Hashing(6)(ids)
    x = layers.Embedding(10, 2)(looked_up) + layers.Embedding(6, 2)(hashed)
    model = layerkit.Model(ids, layers.Dense(1)(layers.Flatten()(x)))
    model.compile("sgd", "mse")
    data = np.array([[5, 7, 9], [1, 2, 5]] * 4)
    model.fit(data, np.ones(8), verbose=0)
    np.testing.assert_allclose(model.predict(data, verbose=0), model(data), rtol=1e-5)
    again = deserialize_keras_object(json.loads(json.dumps(serialize_keras_object(model))))
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(data), model(data))


@pytest.mark.parametrize("mode", ["int", "multi_hot", "one_hot", "count"])
def test_compiled_integer_lookup_is_eager(mode: str) -> None:
    layer = layers.IntegerLookup(vocabulary=[3, -8], output_mode=mode, mask_token=0, num_oov_indices=2)
    data = np.array([[3, 0, -8], [4, 5, -1]])
    np.testing.assert_array_equal(compile_function(layer)(data), layer(data))


def test_an_unknown_integer_ends_a_compiled_step() -> None:
    layer = layers.IntegerLookup(vocabulary=[3], num_oov_indices=0, name="ids")
    with pytest.raises(ValueError, match=r"IntegerLookup 'ids': .* found OOV values \[8\], consider setting"):
        compile_function(layer)(np.array([3, 8]))


def test_vocabulary_from_a_file_and_back(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("a\nb c\nü\n", encoding="utf-8")
    layer = layers.StringLookup(vocabulary=str(path))
    assert layer(["ü", "b c", "x"]).tolist() == [3, 2, 0]
    learned = layers.StringLookup(mask_token="")
    learned.adapt(["ü", "a"])
    learned.save_assets(tmp_path)
    again = layers.StringLookup(mask_token="")
    again.load_assets(tmp_path)
    assert again.get_vocabulary() == learned.get_vocabulary() == ["", "[UNK]", "ü", "a"]
    back = layers.StringLookup(vocabulary=again.get_vocabulary(), mask_token="", invert=True)
    assert back(np.array([[2, 1, 0, 99]])).tolist() == [["ü", "[UNK]", "", "[UNK]"]]


def test_what_a_layer_learned_is_in_its_config_and_it_can_learn_again() -> None:
    layer = layers.TextVectorization(output_mode="tf_idf", ngrams=(1, 2))
    layer.adapt(["a b", "b c"])
    again = layers.TextVectorization.from_config(json.loads(json.dumps(layer.get_config())))
    np.testing.assert_array_equal(again(["a b", "x"]), layer(["a b", "x"]))
    other = layers.StringLookup()
    other.adapt(["q"])
    other = layers.StringLookup.from_config(other.get_config())
    other.adapt(["r", "s"])
    assert other.get_vocabulary() == ["[UNK]", "s", "r"]


def test_functions_standardize_and_split() -> None:
    layer = layers.TextVectorization(
        standardize=np.char.lower, split=lambda texts: [text.split("-") for text in texts], vocabulary=["a", "b"]
    )
    assert layer(["A-B", "b"]).tolist() == [[2, 3], [3, 0]]


def test_pipeline_of_texts() -> None:
    text = layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=3)
    pipeline = layers.Pipeline([text, layers.CategoryEncoding(4, "count")])
    assert pipeline(np.array(["a b b"])).tolist() == [[0, 0, 1, 2]]
    again = layers.Pipeline.from_config(json.loads(json.dumps(pipeline.get_config())))
    assert again(np.array(["a b b"])).tolist() == [[0, 0, 1, 2]]
    dropping = layers.Pipeline([layers.Dropout(0.999, seed=1)])
    assert np.count_nonzero(dropping(np.ones((3, 4)), training=False)) == 12


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: layers.StringLookup(vocabulary=["a", "b", "a"]), ValueError, r"repeated terms are: \['a'\]"),
        (lambda: layers.StringLookup(vocabulary=["a", "", "b"], mask_token=""), ValueError, "reserved mask_token=''"),
        (lambda: layers.StringLookup(vocabulary=[]), ValueError, "cannot set an empty vocabulary"),
        (lambda: layers.StringLookup(vocabulary=[1, 2]), TypeError, "must be strings. Received: 1 of type int"),
        (lambda: layers.StringLookup(vocabulary=["a", "b"], max_tokens=2), ValueError, "size is 3; `max_tokens` is 2"),
        (lambda: layers.StringLookup(vocabulary="no/such.txt"), ValueError, "'no/such.txt' does not exist"),
        (lambda: layers.StringLookup(output_mode="hot"), ValueError, "must be one of 'int', .* output_mode='hot'"),
        (lambda: layers.StringLookup(invert=True, output_mode="count"), ValueError, "must be 'int' when `invert`"),
        (
            lambda: layers.StringLookup(sparse=True, output_mode="count"),
            NotImplementedError,
            "doesn't support `sparse`",
        ),
        (lambda: layers.StringLookup(pad_to_max_tokens=True), ValueError, "`max_tokens` must be set"),
        (lambda: layers.StringLookup(idf_weights=[1.0]), ValueError, "only be set if `output_mode` is 'tf_idf'"),
        (
            lambda: layers.StringLookup(vocabulary=["a"], output_mode="tf_idf"),
            ValueError,
            "`idf_weights` must be set if `output_mode` is 'tf_idf'",
        ),
        (lambda: layers.StringLookup(name="s")(["a"]), ValueError, "StringLookup 's' has no vocabulary yet"),
        (
            lambda: layers.StringLookup(vocabulary=["a"])(np.ones(3)),
            TypeError,
            "expected strings, got 1.0 of type float",
        ),
        (
            lambda: layers.StringLookup(vocabulary=["a"])([["a"], ["b", "c"]]),
            ValueError,
            "lists have different lengths",
        ),
        (lambda: layers.StringLookup(vocabulary=["a"])(layers.Input((1,))), TypeError, "got a tensor of dtype float32"),
        (lambda: layers.StringLookup(vocabulary=["a"]).adapt(["a"]), ValueError, "cannot adapt a layer after setting"),
        (lambda: layers.StringLookup().adapt(iter(())), ValueError, "received an empty iterable"),
        (lambda: layers.StringLookup.from_config({"vocabulary": "/etc/passwd"}), ValueError, "Loading reads no files"),
        (lambda: layers.IntegerLookup(vocabulary=[1], salt=3), ValueError, "only be used when `oov_method='farmhash'`"),
        (lambda: layers.IntegerLookup(vocabulary=[1])(np.ones(2)), TypeError, "expected integers, got dtype float64"),
        (lambda: layers.TextVectorization(ragged=True), NotImplementedError, "doesn't support `ragged`; got True"),
        (lambda: layers.TextVectorization(ngrams="two"), ValueError, "`ngrams` must be None, an integer, or a tuple"),
        (lambda: layers.TextVectorization(split="comma"), ValueError, "`split` must be one of 'whitespace'"),
        (
            lambda: layers.TextVectorization(output_mode="count", output_sequence_length=3),
            ValueError,
            "must not be set if `output_mode` is not 'int'",
        ),
        (lambda: layers.TextVectorization(vocabulary=["a"])([["a", "b"]]), ValueError, r"Received: shape \(1, 2\)"),
        (lambda: layers.Hashing(0), ValueError, "`num_bins` cannot be `None` or non-positive"),
        (lambda: layers.Hashing(3, salt="x"), ValueError, "`salt` must be an integer, or a tuple of 2 integers"),
        (lambda: layers.Hashing(3, dtype="float32"), ValueError, "`dtype` should be an integer type"),
        (lambda: layers.HashedCrossing(3)([np.ones(2, int)]), ValueError, "at least two features"),
        (lambda: layers.HashedCrossing(3)([np.ones(2, int), np.ones(3, int)]), ValueError, "the same shape"),
        (lambda: layers.HashedCrossing(3)([np.ones(2), np.ones(2)]), TypeError, "integers or strings. Received: dtype"),
        (lambda: layers.Normalization(mean=1.0), ValueError, "both `mean` and `variance` must be set"),
        (lambda: layers.Normalization(axis=3).adapt(np.ones((2, 2))), ValueError, r"range \[-ndim, ndim\)"),
        (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(np.ones(2)), ValueError, "would not change"),
        (lambda: layers.Normalization().adapt(3), TypeError, "takes an array, a PyDataset or an iterable"),
        (lambda: layers.Normalization().adapt([np.ones((2, 2)), np.ones((2, 3))]), ValueError, "was built for rank 2"),
        (lambda: layers.Discretization(num_bins=2)(np.ones(2)), ValueError, "has no boundaries yet"),
        (lambda: layers.Discretization([0.0]).adapt(np.ones(2)), ValueError, "`bin_boundaries` were given"),
        (lambda: layers.Discretization(), ValueError, "set either `num_bins` or `bin_boundaries`"),
        (lambda: layers.CategoryEncoding(), ValueError, "`num_tokens` must be set"),
        (
            lambda: layers.CategoryEncoding(3)(np.ones((2, 2), int), count_weights=np.ones((2, 2))),
            ValueError,
            "`count_weights` is only used where",
        ),
        (lambda: layers.STFTSpectrogram(mode="phase"), ValueError, "`mode` must be one of 'log'"),
        (lambda: layers.STFTSpectrogram(window="round"), ValueError, "Unknown `window` 'round': known are"),
        (lambda: layers.MelSpectrogram(fft_length=8, sequence_length=9), ValueError, "greater than or equal to"),
        (lambda: layers.Pipeline([3]), TypeError, "`layers` must be layers; got 3"),
    ],
)
def test_errors(make: object, error: type, text: str) -> None:
    with pytest.raises(error, match=text):
        make()
