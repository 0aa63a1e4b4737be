"""IMDB: 50,000 reviews of films as lists of word numbers, good or bad. A. Maas et al. (2011), ACL, P11-1015."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from layerkit.datasets.reading import (
    FOLDER,
    Arrays,
    as_objects,
    download,
    known_words,
    read_npz,
    shifted,
    shorter_than,
    shuffled,
)
from layerkit.errors import refuse_unknown
from layerkit.utils.files import get_file


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> tuple[Arrays, Arrays]:
    """Lists of word numbers with labels 0 and 1, for training and for the test. Frequent words have small numbers.

    Args:
        path: under which name the file is kept in `~/.keras/datasets`.
        num_words: words with a number from this on are replaced by `oov_char`.
        skip_top: as are words with a number below this one.
        maxlen: longer reviews are left out.
        seed: of the order.
        start_char: what each list begins with; None for nothing.
        oov_char: what words are replaced by; None leaves them out.
        index_from: what is added to the words' numbers.
        **kwargs: none; others raise TypeError. (Keras ignores them.)
    """
    refuse_unknown("imdb.load_data", kwargs)
    found = read_npz(download(path, "imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"))
    lists, labels = [], []
    for part in ("train", "test"):
        x, y = shuffled(seed, found[f"x_{part}"], found[f"y_{part}"])
        x, y = shorter_than(maxlen, shifted(x, start_char, index_from), y)
        lists.append(x)
        labels.append(y)
    words = known_words(lists[0] + lists[1], num_words, skip_top, oov_char)  # both know the same words
    count = len(lists[0])
    return (as_objects(words[:count]), labels[0]), (as_objects(words[count:]), labels[1])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Each word's number, before `index_from` is added."""
    name = "imdb_word_index.json"
    found = get_file(path, origin=FOLDER + name, file_hash="bfafd718b763782e994055a2d397834f")
    return json.loads(Path(found).read_text())
