"""Pooling kernels against loops over windows."""

import numpy as np
import pytest

from layerkit.kernels import pooling_launch
from layerkit.runtime import kernel_cache
from layerkit.runtime.plan import operand_of, run_launches
from layerkit.runtime.thread_count import get_num_threads, set_num_threads

CASES = [
    # shape, pool, strides, padding
    ((2, 6, 8, 32), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((3, 7, 5, 17), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((2, 7, 5, 3), (2, 2), (2, 2), ((0, 1), (0, 1))),
    ((2, 7, 9, 19), (3, 3), (2, 2), ((1, 1), (1, 1))),
    ((1, 8, 6, 16), (3, 2), (1, 1), ((1, 1), (0, 1))),
    ((2, 9, 9, 5), (2, 3), (3, 4), ((0, 0), (1, 1))),
    ((1, 1, 1, 1), (1, 1), (1, 1), ((0, 0), (0, 0))),
    ((2, 4, 3, 2), (4, 3), (1, 1), ((0, 0), (0, 0))),
    ((2, 10, 1, 33), (3, 1), (2, 1), ((0, 0), (0, 0))),
    ((0, 4, 4, 3), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((2, 3, 3, 0), (2, 2), (2, 2), ((0, 0), (0, 0))),
    ((1, 3, 2, 4), (5, 5), (1, 1), ((0, 0), (0, 0))),
    ((1, 6, 6, 4), (2, 2), (2, 2), ((2, 2), (2, 2))),
]


def windows(shape, pool, strides, padding):
    """Output position and the slices of its window, cut to the image; none of an empty array."""
    if 0 in shape:
        return
    sizes = [(s + sum(p) - k) // d + 1 for s, p, k, d in zip(shape[1:3], padding, pool, strides, strict=True)]
    for oy in range(sizes[0]):
        for ox in range(sizes[1]):
            starts = [o * d - p[0] for o, d, p in zip((oy, ox), strides, padding, strict=True)]
            ends = [min(start + k, size) for start, k, size in zip(starts, pool, shape[1:3], strict=True)]
            yield oy, ox, *(slice(max(s, 0), max(e, 0)) for s, e in zip(starts, ends, strict=True))


def output_shape(shape, pool, strides, padding):
    sizes = [max(0, (s + sum(p) - k) // d + 1) for s, p, k, d in zip(shape[1:3], padding, pool, strides, strict=True)]
    return (shape[0], *sizes, shape[3])


def reference(x, pool, strides, padding, average):
    out = np.zeros(output_shape(x.shape, pool, strides, padding), x.dtype)
    for oy, ox, rows, columns in windows(x.shape, pool, strides, padding):
        window = x[:, rows, columns].reshape(x.shape[0], -1, x.shape[3])
        if window.shape[1] == 0:
            out[:, oy, ox] = 0 if average else -np.inf
        else:
            out[:, oy, ox] = window.mean(axis=1, dtype=np.float64) if average else window.max(axis=1)
    return out


def reference_gradient(x, g, pool, strides, padding, average):
    gx = np.zeros(x.shape, np.float64)
    for oy, ox, rows, columns in windows(x.shape, pool, strides, padding):
        window = x[:, rows, columns]
        cells = window.reshape(x.shape[0], -1, x.shape[3])
        if cells.shape[1] == 0:
            continue
        share = np.zeros(cells.shape)
        if average:
            share[:] = g[:, None, oy, ox] / cells.shape[1]
        else:
            np.put_along_axis(share, cells.argmax(axis=1)[:, None], g[:, None, oy, ox], axis=1)
        gx[:, rows, columns] += share.reshape(window.shape)
    return gx


def run(name, arrays, **options):
    operands = [operand_of(array) for array in arrays]
    launches = getattr(pooling_launch, name + "_launches")(*operands, **options)
    run_launches(launches, {operand.buffer: array for operand, array in zip(operands, arrays, strict=True)})
    return arrays[-1]


def pool_all(x, g, **options):
    """Outputs of the four kernels."""
    out = run("max_pool", [x, np.full(g.shape, 9, x.dtype)], **options)
    mean = run("average_pool", [x, np.full(g.shape, 9, x.dtype)], **options)
    gx = run("max_pool_gradient", [x, out, g, np.full(x.shape, 9, x.dtype)], **options)
    return out, mean, gx, run("average_pool_gradient", [g, np.full(x.shape, 9, x.dtype)], **options)


def sample(shape, dtype, pool, strides, padding):
    random = np.random.default_rng(0)
    x = random.integers(-4, 5, shape).astype(dtype)  # many windows have several maxima
    return x, random.normal(size=output_shape(shape, pool, strides, padding)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "pool", "strides", "padding"), CASES)
def test_against_loops(dtype, shape, pool, strides, padding):
    x, g = sample(shape, dtype, pool, strides, padding)
    out, mean, gx, mean_gx = pool_all(x, g, pool=pool, strides=strides, padding=padding)
    tolerance = {"rtol": 1e-6, "atol": 1e-6} if dtype == np.float32 else {"rtol": 1e-13, "atol": 1e-13}
    options = (pool, strides, padding)
    np.testing.assert_array_equal(out, reference(x, *options, average=False))
    np.testing.assert_allclose(mean, reference(x, *options, average=True), **tolerance)
    np.testing.assert_allclose(gx, reference_gradient(x, g, *options, average=False), **tolerance)
    np.testing.assert_allclose(mean_gx, reference_gradient(x, g, *options, average=True), **tolerance)


@pytest.mark.parametrize(("pool", "padding"), [((2, 2), ((0, 0), (0, 0))), ((3, 3), ((1, 1), (1, 1)))])
def test_not_a_number_spreads_to_its_windows_alone(pool, padding):
    x, g = sample((1, 6, 6, 20), np.float32, pool, (2, 2), padding)
    x[0, 2, 3, 7] = np.nan
    x[0, 3, 3, 7] = np.nan
    x[0, 0, 0, 3] = -np.inf
    out, mean, gx, _ = pool_all(x, g, pool=pool, strides=(2, 2), padding=padding)
    np.testing.assert_array_equal(out, reference(x, pool, (2, 2), padding, average=False))
    np.testing.assert_array_equal(np.isnan(mean), np.isnan(out))
    np.testing.assert_allclose(gx, reference_gradient(x, g, pool, (2, 2), padding, average=False), atol=1e-6)


@pytest.mark.parametrize(("shape", "pool", "strides", "padding"), CASES[:6])
def test_equal_bits_for_any_number_of_threads(shape, pool, strides, padding):
    shape = (5, shape[1] * 8, shape[2] * 8, shape[3])
    x, g = sample(shape, np.float32, pool, strides, padding)
    x += np.random.default_rng(1).normal(0, 1e-3, x.shape).astype(np.float32)
    before = get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            set_num_threads(threads)
            results.append(pool_all(x, g, pool=pool, strides=strides, padding=padding))
    finally:
        set_num_threads(before)
    for result in results[1:]:
        for first, other in zip(results[0], result, strict=True):
            np.testing.assert_array_equal(first, other)


def test_new_sizes_compile_nothing():
    options = {"pool": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
    pool_all(*sample((2, 6, 8, 32), np.float32, *options.values()), **options)
    compiled, loaded = kernel_cache.statistics.compiled, kernel_cache.statistics.loaded
    pool_all(*sample((3, 9, 5, 7), np.float32, *options.values()), **options)
    options["pool"] = (3, 3)
    pool_all(*sample((1, 9, 5, 6), np.float32, *options.values()), **options)
    assert (kernel_cache.statistics.compiled, kernel_cache.statistics.loaded) == (compiled, loaded)


def test_what_does_not_fit_is_said():
    x, out = operand_of(np.zeros((1, 4, 4, 2), np.float32)), operand_of(np.zeros((1, 3, 2, 2), np.float32))
    options = {"pool": (2, 2), "strides": (2, 2), "padding": ((0, 0), (0, 0))}
    with pytest.raises(ValueError, match=r"gives \(1, 2, 2, 2\), not \(1, 3, 2, 2\)"):
        pooling_launch.max_pool_launches(x, out, **options)
    with pytest.raises(ValueError, match="float32 or of float64"):
        pooling_launch.max_pool_launches(operand_of(np.zeros((1, 4, 4, 2), np.int32)), out, **options)
    with pytest.raises(ValueError, match="contiguous NHWC"):
        pooling_launch.average_pool_launches(
            operand_of(np.zeros((1, 4, 2, 4), np.float32).swapaxes(2, 3)), out, **options
        )
    with pytest.raises(ValueError, match="have to be positive"):
        pooling_launch.average_pool_launches(x, out, **(options | {"strides": (0, 2)}))
