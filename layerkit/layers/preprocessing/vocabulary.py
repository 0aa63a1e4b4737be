"""Vocabularies: what a lookup layer is given, learns, keeps and writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def read_vocabulary(path: str | Path, encoding: str, layer: str) -> list[str]:
    """The terms of a text file, one a line. Raises ValueError where there is no such file."""
    if "://" in str(path) or not Path(path).is_file():
        raise ValueError(f"{layer}: the vocabulary file {str(path)!r} does not exist.")
    return _lines(Path(path), encoding)


def _lines(path: Path, encoding: str) -> list[str]:
    # Only line feeds end a term: a term may hold any other character that Python's `splitlines` splits at.
    lines = path.read_bytes().decode(encoding).replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def write_vocabulary(path: Path, terms: Iterable[Any]) -> None:
    """Write the terms, one a line, as UTF-8."""
    path.write_bytes("\n".join(map(str, terms)).encode())


def plain_terms(vocabulary: Any, kind: type, layer: str, encoding: str = "utf-8") -> list[Any]:
    """The terms of a list, tuple or array as Python strings (kind `str`) or integers (kind `int`).

    Raises TypeError for terms of another type, and ValueError where there are none.
    """
    if vocabulary is None or isinstance(vocabulary, str | bytes) or np.ndim(vocabulary) != 1:
        raise ValueError(
            f"{layer}: `vocabulary` must be a path or a list of terms with one axis. Received: {vocabulary!r}"
        )
    terms = vocabulary.tolist() if hasattr(vocabulary, "tolist") else list(vocabulary)
    if not terms:
        raise ValueError(f"{layer}: cannot set an empty vocabulary. Received: vocabulary={vocabulary!r}")
    return [_plain(term, kind, layer, encoding) for term in terms]


def _plain(term: Any, kind: type, layer: str, encoding: str) -> Any:
    if isinstance(term, bytes):
        term = term.decode(encoding)
    if isinstance(term, np.generic):
        term = term.item()
    if kind is int and isinstance(term, float) and term.is_integer():
        term = int(term)
    if not isinstance(term, kind) or isinstance(term, bool):
        wanted = "strings" if kind is str else "integers"
        raise TypeError(
            f"{layer}: the terms of a vocabulary must be {wanted}. Received: {term!r} of type {type(term).__name__}"
        )
    return str(term) if kind is str else int(term)


def check_terms(tokens: Sequence[Any], special: Sequence[Any], reserved: dict[str, Any], layer: str) -> None:
    """Raise ValueError for repeated tokens, and for reserved ones (argument name -> token) among them."""
    repeated = [token for token, count in Counter(tokens).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{layer}: the passed vocabulary has at least one repeated term. Please uniquify your dataset. The "
            f"repeated terms are: {repeated}"
        )
    known = set(tokens)
    for name, token in reserved.items():
        if token is not None and token in known:
            raise ValueError(
                f"{layer}: found the reserved {name}={token!r} at an unexpected place in `vocabulary` (index "
                f"{list(tokens).index(token)} of the tokens). A vocabulary need not hold the mask and "
                f"out-of-vocabulary tokens; either leave them all out, or put them first, as {list(special)}."
            )


class TokenCounts:
    """How often each token was seen, and in how many documents: what `adapt` gathers.

    >>> counts = TokenCounts()
    >>> counts.add([["a", "b", "a"], ["b"]])
    >>> counts.ranked(), counts.documents, counts.documents_with["a"]
    (['b', 'a'], 2, 1)
    """

    def __init__(self) -> None:
        self.tokens: Counter = Counter()
        self.documents_with: Counter = Counter()
        self.documents = 0

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Count the tokens of documents."""
        for row in rows:
            self.tokens.update(row)
            self.documents_with.update(set(row))
            self.documents += 1

    def ranked(self, without: Iterable[Any] = ()) -> list[Any]:
        """The tokens, the most frequent first; of equally frequent ones the last by the alphabet first."""
        left_out = set(without)
        counted = [(count, token) for token, count in self.tokens.items() if token not in left_out]
        return [token for _, token in sorted(counted, reverse=True)]

    def inverse_frequencies(self, tokens: Sequence[Any]) -> np.ndarray:
        """log(1 + documents / (1 + documents with the token)) of each token: float64 [tokens]."""
        found = np.array([self.documents_with[token] for token in tokens], "float64")
        return np.log(1 + self.documents / (1 + found))
