from __future__ import annotations

import numpy as np
import pytest

from layerkit import ops, random
from layerkit.errors import ShapeError
from layerkit.graph.gradients import gradients
from layerkit.tracing import compile_function

KEY = np.array([3, 4], np.uint32)


def test_an_integer_seed_always_draws_the_same():
    np.testing.assert_array_equal(random.normal((4, 5), seed=7), random.normal((4, 5), seed=7))
    assert not np.array_equal(random.normal((4, 5), seed=7), random.normal((4, 5), seed=8))


def test_a_generator_goes_on():
    generator = random.SeedGenerator(7)
    first, second = (random.uniform((8,), seed=generator).numpy() for _ in range(2))
    assert not np.array_equal(first, second)
    again = random.SeedGenerator.from_config(generator.get_config())
    np.testing.assert_array_equal(random.uniform((8,), seed=again), first)


def test_a_generator_goes_on_in_a_compiled_function_as_outside():
    inside, outside = random.SeedGenerator(7), random.SeedGenerator(7)
    draw = compile_function(lambda x: x + random.uniform((8,), seed=inside))
    for _ in range(3):
        np.testing.assert_array_equal(draw(np.zeros(8, "float32")), random.uniform((8,), seed=outside))
    np.testing.assert_array_equal(inside.state, outside.state)


def test_set_seed_makes_everything_unseeded_predictable():
    def draws() -> list[np.ndarray]:
        random.set_seed(5)
        return [random.uniform((3,)).numpy(), random.normal((3,), seed=random.SeedGenerator()).numpy()]

    for a, b in zip(draws(), draws(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_seeds_of_other_kinds_are_refused():
    with pytest.raises(ValueError, match="seed has to be an integer; got 'a'"):
        random.SeedGenerator("a")
    with pytest.raises(ValueError, match="seed is an integer, a SeedGenerator or None; got 1.5"):
        random.uniform((2,), seed=1.5)


def test_a_key_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match="a key is two words of dtype uint32"):
        ops.RandomUniform((3,))(np.zeros(3, np.uint32))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distributions_have_their_moments(dtype: str):
    count = 100_000
    uniform = random.uniform((count,), 2, 4, dtype, seed=1).numpy()
    assert uniform.dtype == dtype
    assert 2 <= uniform.min() and uniform.max() < 4
    assert abs(uniform.mean() - 3) < 0.01
    normal = random.normal((count,), 1, 2, dtype, seed=1).numpy()
    assert normal.dtype == dtype
    assert abs(normal.mean() - 1) < 0.03
    assert abs(normal.std() - 2) < 0.03
    truncated = random.truncated_normal((count,), 0, 1, dtype, seed=1).numpy()
    assert np.abs(truncated).max() <= 2
    assert abs(truncated.std() - 0.8796) < 0.01


def test_integers_reach_both_ends_and_no_further():
    drawn = random.randint((10_000,), -2, 3, seed=1).numpy()
    assert drawn.dtype == "int32"
    assert set(drawn.tolist()) == {-2, -1, 0, 1, 2}
    wide = random.randint((1000,), 0, 2**31 - 1, seed=1).numpy()
    assert wide.min() >= 0
    assert wide.max() > 2**30


def test_an_empty_range_of_integers_is_refused():
    with pytest.raises(ValueError, match="minval has to be below maxval by at most"):
        random.randint((2,), 3, 3)


def test_categories_come_with_their_probabilities():
    drawn = random.categorical(np.log([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]).astype("float32"), 20_000, seed=2).numpy()
    for row, expected in zip(drawn, ([0.1, 0.2, 0.7], [0.6, 0.3, 0.1]), strict=True):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / row.size, expected, atol=0.02)


def test_shuffling_keeps_the_slices():
    x = np.arange(30).reshape(5, 6)
    shuffled = random.shuffle(x, axis=1, seed=3).numpy()
    assert not np.array_equal(shuffled, x)
    np.testing.assert_array_equal(np.sort(shuffled[0]), x[0])
    np.testing.assert_array_equal(shuffled - shuffled[:1], x - x[:1])


def test_dropout_keeps_the_expected_sum():
    dropped = ops.dropout(np.ones(100_000, "float32"), 0.3, KEY).numpy()
    np.testing.assert_allclose(np.unique(dropped), [0, 1 / 0.7], rtol=1e-6)
    assert abs(dropped.mean() - 1) < 0.01


def test_dropout_shares_the_mask_along_axes_of_noise_shape():
    dropped = ops.dropout(np.ones((4, 50, 3), "float32"), 0.5, KEY, noise_shape=(None, 1, 3)).numpy()
    np.testing.assert_array_equal(dropped, np.broadcast_to(dropped[:, :1], dropped.shape))


def test_dropout_of_nothing_and_of_all():
    x = np.arange(3, dtype="float32")
    np.testing.assert_array_equal(ops.dropout(x, 0, KEY), x)
    np.testing.assert_array_equal(ops.dropout(x, 1, KEY), 0 * x)
    with pytest.raises(ValueError, match="the rate of dropout is from 0 to 1; got 1.5"):
        ops.dropout(x, 1.5, KEY)


def test_the_backward_pass_drops_what_the_forward_pass_dropped():
    def step(x: object, key: object) -> list:
        y = ops.dropout(x, 0.5, key)
        return [y, *gradients([y], [x])]

    y, gx = compile_function(step).run(np.ones((7, 33), "float32"), KEY)
    np.testing.assert_array_equal(y, gx)
    assert 0 < (y == 0).mean() < 1


def test_erfinv_inverts_erf():
    x = np.linspace(-0.9999, 0.9999, 1001).astype("float32")
    np.testing.assert_allclose(ops.erf(ops.erfinv(x)), x, rtol=3e-6, atol=1e-7)
