"""Sequences, as `keras.preprocessing.sequence` has it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from layerkit.utils.sequences import pad_sequences

__all__ = ["make_sampling_table", "pad_sequences", "skipgrams"]

EULER = 0.577  # Keras' value of the Euler-Mascheroni constant


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The chance of each word to be kept, by its rank among the words from the most frequent on: float64 [size].

    Frequencies are taken to follow Zipf's law: that of rank r is about 1 / (r (log(r) + 0.577) + 1/2 - 1/(12 r)). A
    word of frequency f is kept with the chance min(1, sqrt(sampling_factor / f)), as Mikolov et al. have it
    (Distributed Representations of Words and Phrases, 2013). Rank 0, which stands for no word, is as rank 1.

    >>> make_sampling_table(4, sampling_factor=0.01).round(3).tolist()
    [0.1, 0.1, 0.173, 0.235]
    """
    rank = np.maximum(np.arange(size), 1)
    times_rarer = rank * (np.log(rank) + EULER) + 0.5 - 1 / (12 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * times_rarer))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: np.ndarray | None = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list]:
    """Pairs (word, word beside it) of a sequence, and pairs with words drawn at random, with their labels.

    Args:
        sequence: numbers of words; 0 stands for no word, and is in no pair.
        vocabulary_size: words are drawn from 1 to this number, less one.
        window_size: how far apart the words of a pair are at most.
        negative_samples: how many drawn pairs there are for each real one.
        shuffle: whether the pairs are put into a random order.
        categorical: whether labels are [0, 1] for real pairs and [1, 0] for drawn ones, in place of 1 and 0.
        sampling_table: the chance of each word to be kept (`make_sampling_table`), [vocabulary_size].
        seed: of all that is drawn; None: another one each time.

    >>> skipgrams([5, 2, 7], vocabulary_size=10, window_size=1, negative_samples=0, shuffle=False)
    ([[5, 2], [2, 5], [2, 7], [7, 2]], [1, 1, 1, 1])
    """
    generator = random.Random(seed)
    pairs = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < generator.random()):
            continue
        first = max(0, place - window_size)
        beside = [*sequence[first:place], *sequence[place + 1 : place + window_size + 1]]
        pairs += [[word, other] for other in beside if other]
    real, drawn = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels = [real] * len(pairs)
    if negative_samples > 0 and pairs:
        words = [word for word, _ in pairs]
        generator.shuffle(words)
        count = int(len(pairs) * negative_samples)
        pairs += [[words[n % len(words)], generator.randint(1, vocabulary_size - 1)] for n in range(count)]
        labels += [drawn] * count
    if shuffle:
        order = list(range(len(pairs)))
        generator.shuffle(order)
        pairs, labels = [pairs[n] for n in order], [labels[n] for n in order]
    return pairs, labels
