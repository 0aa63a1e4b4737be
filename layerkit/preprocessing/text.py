"""Text to integers, as Keras 1 and 2 had it; `layers.TextVectorization` is its successor."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["Tokenizer", "hashing_trick", "one_hot", "text_to_word_sequence", "tokenizer_from_json"]

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
MODES = ("binary", "count", "tfidf", "freq")
_TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
"""What a tokenizer has learned, each a text of JSON in its config."""


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """The words of a text.

    Args:
        input_text: the text.
        filters: characters that part words and are left out.
        lower: whether to turn it into lower case.
        split: what parts words.

    >>> text_to_word_sequence("The cat, the dog!")
    ['the', 'cat', 'the', 'dog']
    """
    text = input_text.lower() if lower else input_text
    text = text.translate(dict.fromkeys(map(ord, filters), split))
    return [word for word in text.split(split) if word]


def one_hot(
    input_text: str,
    n: int,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Each word's hash, from 1 to n - 1, by Python's `hash`: other numbers in each run of the program.

    See `hashing_trick` for the arguments, and with `hash_function="md5"` for numbers that stay.
    """
    return hashing_trick(input_text, n, hash, filters, lower, split, analyzer)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: str = FILTERS,
    lower: bool = True,
    split: str = " ",
    analyzer: Callable[[str], list[str]] | None = None,
) -> list[int]:
    """Each word's hash, from 1 to n - 1.

    Args:
        text: the text.
        n: the size of the space of hashes.
        hash_function: a function of a word, "md5", or None for Python's `hash`, which changes from run to run.
        filters: as of `text_to_word_sequence`.
        lower: as of `text_to_word_sequence`.
        split: as of `text_to_word_sequence`.
        analyzer: a function from a text to words, in their place.

    >>> hashing_trick("the cat the dog", 50, "md5")
    [43, 32, 43, 2]
    """
    if isinstance(hash_function, str) and hash_function != "md5":
        raise ValueError(
            f"hashing_trick: `hash_function` must be a function, 'md5' or None. Received: {hash_function!r}"
        )
    function = _md5 if hash_function == "md5" else hash_function or hash
    words = analyzer(text) if analyzer is not None else text_to_word_sequence(text, filters, lower, split)
    return [function(word) % (n - 1) + 1 for word in words]


def _md5(word: str) -> int:
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers for the words of texts, the most frequent first, from 1; 0 is kept for padding.

    Args:
        num_words: only words below this number are written; None for all.
        filters, lower, split: as of `text_to_word_sequence`.
        char_level: whether characters are the words.
        oov_token: the word, number 1, that stands for unknown ones, which are left out otherwise.
        analyzer: a function from a text to words.
        **kwargs: `document_count`, as configs have it.

    Attributes:
        word_index, index_word: word to number and back.
        word_counts: how often a word was seen, in the order of first seeing.
        word_docs, index_docs: in how many texts a word, by itself or its number, was seen.
        document_count: how many texts were seen.

    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(["the cat", "the dog"])
    >>> tokenizer.texts_to_sequences(["the dog the bird"])
    [[1, 3, 1]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        **kwargs: Any,
    ) -> None:
        self.document_count = kwargs.pop("document_count", 0)
        if kwargs:
            raise TypeError(f"Tokenizer: unrecognized keyword arguments {kwargs}")
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token, self.analyzer = char_level, oov_token, analyzer
        self.word_counts: dict[str, int] = {}
        self.word_docs: dict[str, int] = defaultdict(int)
        self.index_docs: dict[int, int] = defaultdict(int)
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    def _words(self, text: str | Sequence[str]) -> Sequence[str]:
        """The words of a text; a list holds words already."""
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [word.lower() for word in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Count the words of more texts, and number them anew."""
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1
        ranked = sorted(self.word_counts, key=lambda word: -self.word_counts[word])
        known = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = dict(zip(known, range(1, len(known) + 1), strict=True))
        self.index_word = {index: word for word, index in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences: Sequence[Iterable[int]]) -> None:
        """Count in how many sequences each number is: needed for `sequences_to_matrix` without texts."""
        self.document_count += len(sequences)
        for sequence in sequences:
            for index in set(sequence):
                self.index_docs[index] += 1

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """The numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """`texts_to_sequences`, one at a time."""
        for text in texts:
            found = (self._written(self.word_index.get(word)) for word in self._words(text))
            yield [index for index in found if index is not None]

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """The words of the numbers of each sequence, joined by blanks."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """`sequences_to_texts`, one at a time."""
        for sequence in sequences:
            found = (self._written(index if index in self.index_word else None) for index in sequence)
            yield " ".join([self.index_word[index] for index in found if index is not None])

    def _written(self, index: int | None) -> int | None:
        """The number itself, or that of `oov_token` (None without) for unknown words and those past `num_words`."""
        if index is None or (self.num_words and index >= self.num_words):
            return None if self.oov_token is None else self.word_index.get(self.oov_token)
        return index

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """A vector for each text; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Sequence[Sequence[int]], mode: str = "binary") -> np.ndarray:
        """A vector for each sequence: float64 [sequences, num_words].

        Args:
            sequences: lists of numbers; those past the matrix are left out.
            mode: "binary" (which occur), "count", "freq" (the share) or "tfidf".

        Raises ValueError for another mode, and where nothing was fitted that says the width or the documents.
        """
        if mode not in MODES:
            raise ValueError(f"Tokenizer: `mode` must be one of {', '.join(MODES)}. Received: mode={mode!r}")
        if not self.num_words and not self.word_index:
            raise ValueError("Tokenizer: specify a dimension (`num_words` argument), or fit on some text data first.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Tokenizer: fit the Tokenizer on some data before using tfidf mode.")
        width = self.num_words or len(self.word_index) + 1
        matrix = np.zeros((len(sequences), width))
        for row, sequence in zip(matrix, sequences, strict=True):
            for index, count in Counter(sequence).items():
                if index < width:
                    row[index] = self._weight(index, count, len(sequence), mode)
        return matrix

    def _weight(self, index: int, count: int, length: int, mode: str) -> float:
        if mode == "binary":
            return 1
        if mode == "count":
            return count
        if mode == "freq":
            return count / length
        return (1 + np.log(count)) * np.log(1 + self.document_count / (1 + self.index_docs.get(index, 0)))

    def get_config(self) -> dict[str, Any]:
        """The arguments and what was learned; an `analyzer` is not among them."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        return {name: getattr(self, name) for name in names} | {
            name: json.dumps(getattr(self, name)) for name in _TABLES
        }

    def to_json(self, **kwargs: Any) -> str:
        """The config as a text of JSON, which `tokenizer_from_json` reads; arguments go to `json.dumps`."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """The tokenizer that `to_json` wrote, also Keras'.

    >>> tokenizer = Tokenizer(num_words=5)
    >>> tokenizer.fit_on_texts(["a b a"])
    >>> tokenizer_from_json(tokenizer.to_json()).word_index
    {'a': 1, 'b': 2}
    """
    config = dict(json.loads(json_string)["config"])
    learned = {name: json.loads(config.pop(name)) for name in _TABLES}
    tokenizer = Tokenizer(**config)
    for name, table in learned.items():
        if name.startswith("index"):  # JSON has turned their keys into strings
            table = {int(index): value for index, value in table.items()}
        empty = getattr(tokenizer, name)
        empty.update(table)
    return tokenizer
