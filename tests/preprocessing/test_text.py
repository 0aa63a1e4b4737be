"""The preprocessing of earlier Keras versions, against values of Keras 3.15's `keras.src.legacy`."""

import json

import numpy as np
import pytest

from layerkit.preprocessing import sequence, text
from layerkit.utils import pad_sequences

TEXTS = ["The cat sat on the mat.", "The dog sat on the log!", "Dogs and cats living together"]


def fitted(**arguments: object) -> text.Tokenizer:
    tokenizer = text.Tokenizer(**arguments)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


def test_words_have_numbers_by_frequency() -> None:
    tokenizer = fitted()
    assert list(tokenizer.word_index.items())[:5] == [("the", 1), ("sat", 2), ("on", 3), ("cat", 4), ("mat", 5)]
    assert tokenizer.texts_to_sequences(["the cat flies", "log mat"]) == [[1, 4], [7, 5]]
    assert tokenizer.sequences_to_texts([[1, 4, 99]]) == ["the cat"]
    assert (tokenizer.document_count, tokenizer.word_counts["the"], tokenizer.word_docs["the"]) == (3, 4, 2)
    assert tokenizer.index_docs[1] == 2


def test_unknown_words_and_a_limit() -> None:
    tokenizer = fitted(num_words=4, oov_token="<OOV>")
    assert tokenizer.texts_to_sequences(["the cat sat", "a"]) == [[2, 1, 3], [1]]
    assert tokenizer.sequences_to_texts([[2, 9, 3]]) == ["the <OOV> sat"]
    assert fitted(num_words=3).texts_to_sequences(["the cat sat"]) == [[1, 2]]


def test_characters_lists_and_analyzers() -> None:
    assert fitted(char_level=True).texts_to_sequences(["tat"]) == [[2, 4, 2]]
    assert fitted().texts_to_sequences([["The", "cat"]]) == [[1, 4]]
    assert fitted(analyzer=lambda one: one.split()).texts_to_sequences(["The mat."]) == [[1, 6]]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("binary", [0, 1, 1, 0]),
        ("count", [0, 2, 1, 0]),
        ("freq", [0, 2 / 3, 1 / 3, 0]),
        ("tfidf", [0, (1 + np.log(2)) * np.log(1 + 3 / 3), np.log(1 + 3 / 3), 0]),
    ],
)
def test_matrix(mode: str, expected: list) -> None:
    np.testing.assert_allclose(fitted(num_words=4).texts_to_matrix(["the sat the"], mode), [expected])


def test_json_as_keras_writes_it() -> None:
    tokenizer = fitted(num_words=9, oov_token="?")
    config = json.loads(tokenizer.to_json())["config"]
    assert json.loads(config["index_word"])["1"] == "?"
    again = text.tokenizer_from_json(tokenizer.to_json())
    assert again.get_config() == tokenizer.get_config()
    again.fit_on_texts(["a new text"])
    assert again.document_count == 4


def test_hashes() -> None:
    assert text.hashing_trick("the cat the dog", 50, "md5") == [43, 32, 43, 2]
    assert all(1 <= number < 10 for number in text.one_hot("some words of a text", 10))
    assert text.text_to_word_sequence("A,b c", lower=False, split=",") == ["A", "b c"]


def test_errors() -> None:
    with pytest.raises(ValueError, match="`mode` must be one of binary, count, tfidf, freq. Received: mode='tf'"):
        fitted().texts_to_matrix(["a"], "tf")
    with pytest.raises(ValueError, match="specify a dimension"):
        text.Tokenizer().texts_to_matrix(["a"])
    with pytest.raises(TypeError, match="unrecognized keyword arguments"):
        text.Tokenizer(words=3)


def test_pad_sequences() -> None:
    rows = [[1], [2, 3], [4, 5, 6], []]
    assert pad_sequences(rows).tolist() == [[0, 0, 1], [0, 2, 3], [4, 5, 6], [0, 0, 0]]
    assert pad_sequences(rows, 2, padding="post", truncating="post").tolist() == [[1, 0], [2, 3], [4, 5], [0, 0]]
    assert pad_sequences(rows, 0).shape == (4, 0)
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="-").tolist() == [["-", "a"], ["b", "c"]]
    assert pad_sequences([np.ones((2, 3)), np.ones((1, 3))], dtype="float32").shape == (2, 2, 3)
    assert sequence.pad_sequences is pad_sequences


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2],), "Found 1 at position 0"),
        (([[1]], 2, "int32", "left"), "`padding` must be 'pre' or 'post'. Received: padding='left'"),
        (([["a"]], 2, "int32", "pre", "pre", "x"), "Use `dtype=object`"),
        (([np.ones((2, 3)), np.ones((1, 2))],), r"position 1 have shape \(2,\), those before it \(3,\)"),
    ],
)
def test_pad_sequences_refuses(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pad_sequences(*arguments)
