"""Random numbers: the published vectors, equal bits in the kernel and in NumPy, and plain statistics."""

import math

import numpy as np
import pytest

from layerkit.kernels import inverse_normal, threefry
from layerkit.kernels.launch import Kernel, Launch
from layerkit.runtime.plan import operand_of, run_launches

# Rounds, counter, key, result: from the known-answer tests that are published with Random123.
KNOWN = [
    (13, (0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x9D1C5EC6, 0x8BD50731)),
    (13, (0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0xFD36D048, 0x2D17272C)),
    (13, (0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xBA3E4725, 0xF27D669E)),
    (20, (0x00000000, 0x00000000), (0x00000000, 0x00000000), (0x6B200159, 0x99BA4EFE)),
    (20, (0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    (20, (0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]
SOURCE = """
from layerkit.kernels.abi import {dtype}_at
from layerkit.kernels.random import {function}
def kernel(args, lo, hi, worker):
    out = {dtype}_at(args[0] + {size} * lo)
    key0, key1, start = args[1], args[2], args[3] + lo
    for i in range(hi - lo):
        out[i] = {function}(key0, key1, start + i)
"""
KEYS = [(0, 0), (1, 2), (0xFFFFFFFF, 0x80000000), (0x13198A2E, 0x03707344)]


def draw(function, dtype, key, start, count):
    out = np.empty(count, dtype)
    source = SOURCE.format(function=function, dtype=out.dtype.name, size=out.itemsize)
    operand = operand_of(out)
    run_launches(
        [Launch(Kernel("generated", "kernel", source=source), [operand, *key, start], count, 1 << 40)],
        {operand.buffer: out},
    )
    return out


@pytest.mark.parametrize(("rounds", "counter", "key", "expected"), KNOWN)
def test_known_answers(rounds, counter, key, expected):
    words = threefry.threefry2x32(key, np.array([counter[0]], np.uint32), np.array([counter[1]], np.uint32), rounds)
    assert (int(words[0][0]), int(words[1][0])) == expected


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("start", "count"), [(0, 1), (0, 1000), (12345, 37), (2**32 - 5, 37), (2**40, 16)])
def test_kernel_gives_the_bits_of_numpy(key, start, count):
    np.testing.assert_array_equal(
        draw("random_bits", np.uint32, key, start, count), threefry.random_bits(key, start, count)
    )
    pair = threefry.random_bits_pair(key, start, count)
    np.testing.assert_array_equal(
        draw("uniform_float32", np.float32, key, start, count), threefry.uniform_float32(pair[0])
    )
    np.testing.assert_array_equal(
        draw("uniform_float64", np.float64, key, start, count), threefry.uniform_float64(*pair)
    )


def test_an_element_depends_on_key_and_index_alone():
    whole = threefry.random_bits((7, 8), 0, 100)
    np.testing.assert_array_equal(threefry.random_bits((7, 8), 60, 40), whole[60:])
    assert not np.array_equal(threefry.random_bits((7, 9), 0, 100), whole)


def test_uniform_numbers_are_in_the_unit_interval():
    extreme = np.array([0, 0xFFFFFFFF], np.uint32)
    assert threefry.uniform_float32(extreme).tolist() == [0.0, 1 - 2.0**-24]
    assert threefry.uniform_float64(extreme, extreme).tolist() == [0.0, 1 - 2.0**-53]


@pytest.mark.parametrize(("function", "dtype"), [("uniform_float32", np.float32), ("uniform_float64", np.float64)])
def test_statistics(function, dtype):
    count = 1_000_000
    x = draw(function, dtype, (3, 5), 0, count).astype(np.float64)
    assert abs(x.mean() - 0.5) < 4 * np.sqrt(1 / 12 / count)
    assert abs(x.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / count)
    counts = np.bincount((x * 256).astype(int), minlength=256)
    chi_squared = ((counts - count / 256) ** 2).sum() / (count / 256)
    assert abs(chi_squared - 255) < 5 * np.sqrt(2 * 255)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / np.sqrt(count)
    bits = draw("random_bits", np.uint32, (3, 5), 0, 100_000)
    ones = np.unpackbits(bits.view(np.uint8).reshape(-1, 4), axis=1).mean(axis=0)
    assert abs(ones - 0.5).max() < 5 * 0.5 / np.sqrt(bits.size)


NORMAL = ["normal", "truncated_normal"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NORMAL)
@pytest.mark.parametrize(("start", "count"), [(0, 0), (0, 1), (0, 300_001)])
def test_normal_numbers_are_the_bits_of_numpy(name, dtype, start, count):
    expected = inverse_normal.draw(name, (3, 5), count, dtype)
    np.testing.assert_array_equal(draw(f"{name}_{dtype}", dtype, (3, 5), start, count), expected)


def test_scaling_is_not_contracted():
    x = draw("normal_float32", np.float32, (1, 2), 0, 10_000)
    source = """
from layerkit.kernels.abi import float32_at
from layerkit.kernels.random import scaled_float32
def kernel(args, lo, hi, worker):
    x = float32_at(args[0] + 4 * lo)
    for i in range(hi - lo):
        x[i] = scaled_float32(x[i], x[0] + x[1], x[2])
"""
    out = x.copy()
    operand = operand_of(out)
    run_launches([Launch(Kernel("generated", "kernel", source=source), [operand], 1, 1)], {operand.buffer: out})
    assert out[0] == x[0] * (x[0] + x[1]) + x[2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tails_of_the_normal_distribution(dtype):
    """The smallest share of a tail that a word gives, and the middle, against the error function."""
    m = inverse_normal.Floats(dtype)
    least = -32 if dtype == "float32" else -54
    rest = np.exp2(np.linspace(least, -1, 500)).astype(dtype)
    z = inverse_normal.deviation(m, (1 - rest.astype("float64")).astype(dtype), rest)
    share = np.array([math.erfc(one / math.sqrt(2)) for one in z.astype("float64")])
    assert z[0] > (6.3 if dtype == "float32" else 8.2)
    # A relative error of z by e changes the tail's share by about z**2 e.
    np.testing.assert_allclose(share, rest, rtol=(1 + z[0] ** 2) * (6e-7 if dtype == "float32" else 5e-12))
    share = np.linspace(1e-6, 0.5, 500).astype(dtype)
    z = inverse_normal.deviation(m, share, 1 - share)
    found = [math.erf(one / math.sqrt(2)) for one in z.astype("float64")]
    np.testing.assert_allclose(found, share, rtol=5e-7 if dtype == "float32" else 5e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NORMAL)
def test_the_distribution_by_kolmogorov_and_smirnov(name, dtype):
    x = np.sort(inverse_normal.draw(name, (3, 5), 20_000, dtype).astype("float64"))
    cumulative = np.array([math.erf(one / math.sqrt(2)) for one in x]) / 2
    if name == "truncated_normal":
        cumulative /= inverse_normal.INSIDE
        assert -2 <= x[0] < -1.99
        assert 1.99 < x[-1] <= 2
    steps = np.arange(x.size + 1) / x.size
    distance = max(np.max(steps[1:] - 0.5 - cumulative), np.max(cumulative + 0.5 - steps[:-1]))
    assert distance < 1.36 / math.sqrt(x.size)  # which 95 of 100 keys keep
