"""Hashes of strings that stay the same everywhere: FarmHash's 64-bit fingerprint and SipHash-2-4, in NumPy.

They are what TensorFlow's `strings.to_hash_bucket_fast` and `to_hash_bucket_strong` use, so that hashed features of
layerkit and of Keras fall into the same buckets. Strings of one length are hashed together: each step of an algorithm
is one operation on an array of 64-bit words, one word a string.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Words = np.ndarray
"""Array [strings] of uint64."""

_K0, _K1, _K2 = np.uint64(0xC3A5C85C97CB3127), np.uint64(0xB492B66FBE98F273), np.uint64(0x9AE16A3B2F90404F)
_CONCATENATION = np.uint64(0xC6A4A7935BD1E995)
_CROSS_KEY = 956888297470
"""The key that TensorFlow starts a cross of features with, unless told another."""


def hash_buckets(strings: Sequence[str | bytes], buckets: int, key: tuple[int, int] | None = None) -> np.ndarray:
    """The bucket, from 0 to `buckets - 1`, of each string [strings]: int64 [strings].

    Args:
        strings: texts, hashed by their UTF-8 bytes, or bytes.
        buckets: how many buckets there are.
        key: the two numbers that SipHash is keyed with; None: FarmHash's fingerprint.

    >>> hash_buckets(["a", "b", ""], 100).tolist()
    [39, 22, 63]
    """
    hashed = _hash_by_length(strings, fingerprint64 if key is None else lambda rows: siphash24(rows, key))
    return (hashed % np.uint64(buckets)).astype(np.int64)


def fingerprints(strings: Sequence[str | bytes]) -> Words:
    """FarmHash's fingerprint of each string [strings]: uint64 [strings]."""
    return _hash_by_length(strings, fingerprint64)


def cross_buckets(columns: Sequence[Words], buckets: int) -> np.ndarray:
    """The bucket of each combination of features, given as fingerprints or integers [rows] each: int64 [rows]."""
    hashed = np.full(len(columns[0]), _CROSS_KEY, np.uint64)
    for column in columns:
        hashed = _concatenated(hashed, column)
    return (hashed % np.uint64(buckets)).astype(np.int64)


def _hash_by_length(strings: Sequence[str | bytes], algorithm: Callable[[np.ndarray], Words]) -> Words:
    encoded = [text.encode() if isinstance(text, str) else bytes(text) for text in strings]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    hashed = np.empty(len(encoded), np.uint64)
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        joined = b"".join([encoded[place] for place in places])
        hashed[places] = algorithm(np.frombuffer(joined, np.uint8).reshape(len(places), length))
    return hashed


def _word(rows: np.ndarray, start: int, size: int = 8) -> Words:
    """The little-endian number of `size` bytes that lies at `start` in each row."""
    part = np.ascontiguousarray(rows[:, start : start + size])
    return part.view(f"<u{size}")[:, 0].astype(np.uint64)


def _rotated(x: Words, right: int) -> Words:
    return (x >> np.uint64(right)) | (x << np.uint64(64 - right))


def _mixed(x: Words) -> Words:
    return x ^ (x >> np.uint64(47))


def _joined(u: Words, v: Words, factor: Words | np.uint64) -> Words:
    """FarmHash's reduction of 128 bits to 64."""
    a = _mixed((u ^ v) * factor)
    return _mixed((v ^ a) * factor) * factor


def _concatenated(first: Words, second: Words) -> Words:
    """TensorFlow's fingerprint of two fingerprints."""
    mixed = (first ^ _CONCATENATION) ^ (_mixed(second * _CONCATENATION) * _CONCATENATION)
    return _mixed(_mixed(mixed * _CONCATENATION) * _CONCATENATION)


def fingerprint64(rows: np.ndarray) -> Words:
    """FarmHash's `Fingerprint64` ("farmhashna") of strings of one length, as bytes [strings, length].

    After the description in https://github.com/google/farmhash.
    """
    length = rows.shape[1]
    if length <= 16:
        return _fingerprint_to_16(rows, length)
    if length <= 32:
        return _fingerprint_to_32(rows, length)
    return _fingerprint_to_64(rows, length) if length <= 64 else _fingerprint_long(rows, length)


def _factor(length: int) -> np.uint64:
    return np.uint64((int(_K2) + 2 * length) % 2**64)


def _fingerprint_to_16(rows: np.ndarray, length: int) -> Words:
    if length >= 8:
        factor = _factor(length)
        a, b = _word(rows, 0) + _K2, _word(rows, length - 8)
        return _joined(_rotated(b, 37) * factor + a, (_rotated(a, 25) + b) * factor, factor)
    if length >= 4:
        first = np.uint64(length) + (_word(rows, 0, 4) << np.uint64(3))
        return _joined(first, _word(rows, length - 4, 4), _factor(length))
    if length > 0:
        first, middle, last = (rows[:, at].astype(np.uint64) for at in (0, length >> 1, length - 1))
        y, z = first + (middle << np.uint64(8)), np.uint64(length) + (last << np.uint64(2))
        return _mixed(y * _K2 ^ z * _K0) * _K2
    return np.full(len(rows), _K2)


def _fingerprint_to_32(rows: np.ndarray, length: int) -> Words:
    factor = _factor(length)
    a, b = _word(rows, 0) * _K1, _word(rows, 8)
    c, d = _word(rows, length - 8) * factor, _word(rows, length - 16) * _K2
    return _joined(_rotated(a + b, 43) + _rotated(c, 30) + d, a + _rotated(b + _K2, 18) + c, factor)


def _fingerprint_to_64(rows: np.ndarray, length: int) -> Words:
    factor = _factor(length)
    a, b = _word(rows, 0) * _K2, _word(rows, 8)
    c, d = _word(rows, length - 8) * factor, _word(rows, length - 16) * _K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _joined(y, a + _rotated(b + _K2, 18) + c, factor)
    e, f = _word(rows, 16) * factor, _word(rows, 24)
    g, h = (y + _word(rows, length - 32)) * factor, (z + _word(rows, length - 24)) * factor
    return _joined(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, factor)


def _weak_pair(rows: np.ndarray, start: int, a: Words, b: Words) -> tuple[Words, Words]:
    """FarmHash's weak hash of the 32 bytes from `start`, with two seeds."""
    w, x, y, z = (_word(rows, start + offset) for offset in (0, 8, 16, 24))
    a = a + w
    b = _rotated(b + a + z, 21)
    total = a + x + y
    return total + z, b + _rotated(total, 44) + a


def _fingerprint_long(rows: np.ndarray, length: int) -> Words:
    seed = np.full(len(rows), 81, np.uint64)
    y = seed * _K1 + np.uint64(113)
    z = _mixed(y * _K2 + np.uint64(113)) * _K2
    x = seed * _K2 + _word(rows, 0)
    v = w = (np.zeros_like(seed), np.zeros_like(seed))
    one = np.uint64(1)
    for start in range(0, (length - 1) // 64 * 64, 64):
        x, y, z, v, w = _round(rows, start, (x, y, z, v, w), _K1, one)
    factor = _K1 + ((z & np.uint64(0xFF)) << one)
    v, w = _fed(v, w, np.uint64((length - 1) & 63))
    x, y, z, v, w = _round(rows, length - 64, (x, y, z, v, w), factor, np.uint64(9))
    first = _joined(v[0], w[0], factor) + _mixed(y) * _K0 + z
    return _joined(first, _joined(v[1], w[1], factor) + x, factor)


def _fed(v: tuple[Words, Words], w: tuple[Words, Words], rest: np.uint64) -> tuple[tuple, tuple]:
    """The length of the last block, fed into the state."""
    fed = w[0] + rest
    first = v[0] + fed
    return (first, v[1]), (fed + first, w[1])


def _round(rows: np.ndarray, start: int, state: tuple, factor: Words | np.uint64, weight: np.uint64) -> tuple:
    """The state after the 64 bytes from `start`."""
    x, y, z, v, w = state
    x = _rotated(x + y + v[0] + _word(rows, start + 8), 37) * factor
    y = _rotated(y + v[1] + _word(rows, start + 48), 42) * factor
    x = x ^ w[1] * weight
    y = y + v[0] * weight + _word(rows, start + 40)
    z = _rotated(z + w[0], 33) * factor
    v = _weak_pair(rows, start, v[1] * factor, x + w[0])
    w = _weak_pair(rows, start + 32, z + w[1], y + _word(rows, start + 16))
    return z, y, x, v, w


def siphash24(rows: np.ndarray, key: tuple[int, int]) -> Words:
    """SipHash-2-4 of strings of one length, as bytes [strings, length], under a key of two 64-bit numbers.

    After Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
    """
    count, length = rows.shape
    start = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    state = [np.full(count, word ^ (key[at % 2] % 2**64), np.uint64) for at, word in enumerate(start)]
    padded = np.zeros((count, length // 8 * 8 + 8), np.uint8)
    padded[:, :length] = rows
    padded[:, -1] = length % 256
    for at in range(0, padded.shape[1], 8):
        word = _word(padded, at)
        state[3] = state[3] ^ word
        state = _sip_round(_sip_round(state))
        state[0] = state[0] ^ word
    state[2] = state[2] ^ np.uint64(0xFF)
    for _ in range(4):
        state = _sip_round(state)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_round(state: list[Words]) -> list[Words]:
    a, b, c, d = state
    a = a + b
    b = _rotated(b, 64 - 13) ^ a
    a = _rotated(a, 32)
    c = c + d
    d = _rotated(d, 64 - 16) ^ c
    a = a + d
    d = _rotated(d, 64 - 21) ^ a
    c = c + b
    b = _rotated(b, 64 - 17) ^ c
    return [a, b, _rotated(c, 32), d]
