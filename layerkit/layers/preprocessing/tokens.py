"""From texts to lists of tokens: standardizing, splitting and n-grams, as TensorFlow's string operations do it."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence

PUNCTUATION = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
_LOWER = dict(zip(map(ord, string.ascii_uppercase), string.ascii_lowercase, strict=True))
_STRIP = dict.fromkeys(map(ord, PUNCTUATION))
TABLES = {"lower": _LOWER, "strip_punctuation": _STRIP, "lower_and_strip_punctuation": _LOWER | _STRIP}
"""What `str.translate` does for each way of standardizing. Only ASCII letters become lower case, as in TensorFlow."""

_WORDS = re.compile(r"[^ \t\n\v\f\r]+").findall


def standardized(texts: Sequence[str], way: str) -> list[str]:
    """The texts in lower case, without punctuation, or both.

    >>> standardized(["Don't, É!"], "lower_and_strip_punctuation")
    ['dont É']
    """
    table = TABLES[way]
    return [text.translate(table) for text in texts]


def split(texts: Sequence[str], way: str) -> list[list[str]]:
    """The tokens of each text: its words (between ASCII white space) or its characters.

    >>> split(["a bc", ""], "whitespace")
    [['a', 'bc'], []]
    """
    return [_WORDS(text) for text in texts] if way == "whitespace" else [list(text) for text in texts]


def with_ngrams(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> list[list[str]]:
    """The n-grams of each row, all of the first width, then of the next; tokens are joined by blanks.

    >>> with_ngrams([["a", "b", "c"]], (1, 2))
    [['a', 'b', 'c', 'a b', 'b c']]
    """
    return [[" ".join(row[at : at + width]) for width in widths for at in range(len(row) - width + 1)] for row in rows]
