"""Counter-based random numbers in NumPy: the reference of `random.py`, which gives the same bits.

Threefry-2x32 with 13 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011;
13 is the fewest that pass all of TestU01's BigCrush): a function of a key and a counter, so element i of a stream
depends on the key and on i alone, not on what was drawn before, by whom, or on which thread.
"""

from __future__ import annotations

import numpy as np

ROUNDS = 13
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = 0x1BD11BDA  # Skein's constant; with it an all-zero key still mixes


def threefry2x32(
    key: tuple[int, int], counter0: np.ndarray, counter1: np.ndarray, rounds: int = ROUNDS
) -> tuple[np.ndarray, np.ndarray]:
    """The cipher: two uint32 words for each pair of counter words [n], [n].

    >>> [hex(word[0]) for word in threefry2x32((0, 0), np.zeros(1, np.uint32), np.zeros(1, np.uint32))]
    ['0x9d1c5ec6', '0x8bd50731']
    """
    k0, k1 = np.uint32(key[0]), np.uint32(key[1])
    keys = (k0, k1, np.uint32(PARITY) ^ k0 ^ k1)
    x0, x1 = np.asarray(counter0, np.uint32) + keys[0], np.asarray(counter1, np.uint32) + keys[1]
    for i in range(rounds):
        rotation = np.uint32(ROTATIONS[i % 8])
        x0 = x0 + x1
        x1 = (x1 << rotation | x1 >> np.uint32(32 - rotation)) ^ x0
        if i % 4 == 3:
            s = i // 4 + 1
            x0 = x0 + keys[s % 3]
            # Added in Python's integers: NumPy warns when a scalar wraps around.
            x1 = x1 + np.uint32(int(keys[(s + 1) % 3]) + s & 0xFFFFFFFF)
    return x0, x1


def random_bits(key: tuple[int, int], start: int, count: int) -> np.ndarray:
    """Words start .. start + count of the key's stream, uint32 [count].

    Args:
        key: two words of 32 bits.
        start: index of the first word, of up to 64 bits.
        count: how many words.

    >>> random_bits((0, 0), 0, 1)
    array([2635882182], dtype=uint32)
    """
    return random_bits_pair(key, start, count)[0]


def random_bits_pair(key: tuple[int, int], start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Both words of the counters start .. start + count, uint32 [count] each; the first are `random_bits`."""
    index = np.arange(count, dtype=np.uint64) + np.uint64(start)
    low, high = (index & np.uint64(0xFFFFFFFF)).astype(np.uint32), (index >> np.uint64(32)).astype(np.uint32)
    return threefry2x32(key, low, high)


def uniform_float32(bits: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) of the top 24 bits of uint32 words, float32."""
    return (bits >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def uniform_float64(bits0: np.ndarray, bits1: np.ndarray) -> np.ndarray:
    """Numbers in [0, 1) of 53 bits: the top 27 of one uint32 word, then the top 26 of another; float64."""
    high, low = (bits0 >> np.uint32(5)).astype(np.float64), (bits1 >> np.uint32(6)).astype(np.float64)
    return (high * 2.0**26 + low) * 2.0**-53
