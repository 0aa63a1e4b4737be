"""Data for the scripts of this folder: made by NumPy from a seed, with something in it to learn."""

import numpy as np

# The bars of a seven-segment digit: top, upper left and right, middle, lower left and right, bottom.
SEGMENTS = [
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
]


def draw_digit(label, size, rng):
    """One picture [size, size] in 0 to 255: the digit at a place and of a brightness by chance, with noise."""
    picture = rng.integers(0, 50, (size, size))
    height, width = size // 2 + rng.integers(0, size // 5), size // 3 + rng.integers(0, size // 6)
    top, left = rng.integers(1, size - height - 1), rng.integers(1, size - width - 1)
    bottom, right, middle = top + height, left + width, top + height // 2
    thick = max(1, size // 12)
    ink = rng.integers(140, 256)
    bars = [
        (top, top + thick, left, right), (top, middle, left, left + thick), (top, middle, right - thick, right),
        (middle, middle + thick, left, right), (middle, bottom, left, left + thick),
        (middle, bottom, right - thick, right), (bottom - thick, bottom, left, right),
    ]  # fmt: skip
    for (a, b, c, d), on in zip(bars, SEGMENTS[label]):
        if on == "1":
            picture[a:b, c:d] = ink
    return picture


def digits(train=2000, test=500, size=28, seed=0):
    """(x_train, y_train), (x_test, y_test) as keras.datasets.mnist.load_data gives them, smaller."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, train + test).astype("uint8")
    pictures = np.stack([draw_digit(label, size, rng) for label in labels]).astype("uint8")
    return (pictures[:train], labels[:train]), (pictures[train:], labels[train:])


def reviews(train=1500, test=400, words=1000, seed=0):
    """Reviews as lists of word numbers (1 the start, 2 an unknown word) with sentiments 0 or 1, as of imdb.

    Words 10 to 59 are kind and 60 to 109 are not; word 3 ("not") turns the one that follows.
    """
    rng = np.random.default_rng(seed)

    def review(label):
        text = list(rng.integers(110, words, rng.integers(15, 70)))
        for _ in range(rng.integers(2, 6)):
            turned = rng.random() < 0.15
            kind = (label == 1) != turned
            word = rng.integers(10, 60) if kind else rng.integers(60, 110)
            place = rng.integers(0, len(text))
            text[place:place] = [3, word] if turned else [word]
        return [1, *(int(word) for word in text)]

    labels = rng.integers(0, 2, train + test)
    texts = np.empty(train + test, dtype=object)
    texts[:] = [review(label) for label in labels]
    return (texts[:train], labels[:train]), (texts[train:], labels[train:])


def news(count=1200, topics=6, seed=0):
    """Texts of made words, each on a topic, and the topics' numbers."""
    rng = np.random.default_rng(seed)
    syllables = ["ba", "ke", "lo", "mi", "nu", "ra", "so", "ti", "ve", "zu"]
    vocabulary = [a + b + c for a in syllables for b in syllables for c in syllables[:5]]
    rng.shuffle(vocabulary)
    own = np.array(vocabulary[: topics * 20]).reshape(topics, 20)
    common = np.array(vocabulary[topics * 20 :])
    labels = rng.integers(0, topics, count)
    texts = []
    for label in labels:
        text = [*rng.choice(own[label], rng.integers(3, 6)), *rng.choice(common, 25), *rng.choice(own.ravel(), 3)]
        rng.shuffle(text)
        texts.append(" ".join(text).capitalize() + ".")
    return texts, labels


def shapes(count=1200, size=16, seed=0):
    """Colour pictures [n, size, size, 3] in 0 to 255 of a disk, a square, a cross or stripes, and which it is."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    rows, columns = np.mgrid[:size, :size]
    pictures = []
    for label in labels:
        y, x = rng.integers(size // 3, size - size // 3, 2)
        r = rng.integers(size // 5, size // 3 + 1)
        dy, dx = abs(rows - y), abs(columns - x)
        mask = [
            dy**2 + dx**2 <= r**2,
            (dy < r) & (dx < r),
            ((dy < 2) & (dx <= r)) | ((dx < 2) & (dy <= r)),
            (dy <= r) & (dx <= r) & (rows % 3 == 0),
        ][label]
        picture = rng.normal(60, 25, (size, size, 3)) + mask[..., None] * rng.uniform(60, 180, 3)
        pictures.append(picture.clip(0, 255))
    return np.stack(pictures).astype("float32"), labels.astype("int32")


def houses(count=1200, seed=0):
    """Eight columns of very different sizes, and a price that depends on them, as of boston_housing."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(count, 8))
    price = 22 + 4 * z[:, 0] - 3 * z[:, 1] + 2 * z[:, 2] * z[:, 3] + 2 * np.tanh(2 * z[:, 4]) + rng.normal(0, 1, count)
    scale = np.array([1, 10, 100, 0.1, 5, 50, 1000, 0.01])
    offset = np.array([3, 50, -20, 0.5, 0, 600, 2000, 1])
    return (z * scale + offset).astype("float32"), price.astype("float32")
