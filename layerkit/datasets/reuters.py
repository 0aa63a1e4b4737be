"""Reuters: 11,228 news of 46 topics as lists of word numbers, of the collection Reuters-21578 (D. Lewis)."""

from __future__ import annotations

import json
from pathlib import Path

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
    split,
)
from layerkit.utils.files import get_file

TOPICS = (
    "cocoa", "grain", "veg-oil", "earn", "acq", "wheat", "copper", "housing", "money-supply", "coffee", "sugar",
    "trade", "reserves", "ship", "cotton", "carcass", "crude", "nat-gas", "cpi", "money-fx", "interest", "gnp",
    "meal-feed", "alum", "oilseed", "gold", "tin", "strategic-metal", "livestock", "retail", "ipi", "iron-steel",
    "rubber", "heat", "jobs", "lei", "bop", "zinc", "orange", "pet-chem", "dlr", "gas", "silver", "wpi", "hog", "lead",
)  # fmt: skip


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> tuple[Arrays, Arrays]:
    """Lists of word numbers with topics 0 to 45, for training and for the test; arguments as for `imdb.load_data`."""
    found = read_npz(download(path, "reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"))
    x, y = shuffled(seed, found["x"], found["y"])
    lists, y = shorter_than(maxlen, shifted(x, start_char, index_from), y)
    return split(as_objects(known_words(lists, num_words, skip_top, oov_char)), y, test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Each word's number, before `index_from` is added."""
    name = "reuters_word_index.json"
    found = get_file(path, origin=FOLDER + name, file_hash="4d44cc38712099c9e383dc6e5f11a921")
    return json.loads(Path(found).read_text())


def get_label_names() -> tuple[str, ...]:
    """The topics' names, in the order of their numbers."""
    return TOPICS
