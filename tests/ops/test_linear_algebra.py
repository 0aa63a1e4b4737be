"""Linear algebra, Fourier transforms, segments and distributions: identities, batches, and the errors' texts."""

from __future__ import annotations

import numpy as np
import pytest

from layerkit import ops, random
from layerkit.errors import DtypeError, GraphError, ShapeError
from layerkit.graph.gradients import gradients
from layerkit.graph.graph import trace
from layerkit.layers import Input
from layerkit.models import Model
from layerkit.tracing import compile_function

RNG = np.random.default_rng(5)
SQUARE = RNG.normal(size=(2, 3, 4, 4))
SYMMETRIC = SQUARE @ np.swapaxes(SQUARE, -1, -2) + np.eye(4)
KEY = np.array([3, 4], np.uint32)


def close(found: object, expected: object, tolerance: float = 1e-10) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=tolerance, atol=tolerance)


def test_determinants_and_inverses():
    close(ops.det(SQUARE), np.linalg.det(SQUARE))
    sign, logarithm = ops.slogdet(SQUARE)
    close(sign * ops.exp(logarithm), ops.det(SQUARE))
    close(ops.logdet(SYMMETRIC), np.log(np.linalg.det(SYMMETRIC)))
    close(ops.matmul(ops.inv(SQUARE), SQUARE), np.broadcast_to(np.eye(4), SQUARE.shape))


@pytest.mark.parametrize("upper", [False, True])
def test_the_cholesky_factor_multiplies_to_the_matrix(upper: bool):
    factor = ops.cholesky(SYMMETRIC, upper=upper)
    other = ops.swapaxes(factor, -1, -2)
    close(ops.matmul(other, factor) if upper else ops.matmul(factor, other), SYMMETRIC)
    close(factor, np.triu(factor) if upper else np.tril(factor))
    close(ops.cholesky_inverse(factor, upper=upper), np.linalg.inv(SYMMETRIC))


def test_factors_multiply_to_the_matrix():
    w, v = ops.eigh(SYMMETRIC)
    close(ops.matmul(v * w[..., None, :], ops.swapaxes(v, -1, -2)), SYMMETRIC)
    for x in (SQUARE, SQUARE[..., :3], SQUARE[..., :3, :]):
        for full in (False, True):
            u, s, vh = (one.numpy() for one in ops.svd(x, full_matrices=full))
            count = s.shape[-1]
            close(u[..., :count] * s[..., None, :] @ vh[..., :count, :], x)
            assert u.shape[-1] == (x.shape[-2] if full else count)
        close(ops.svd(x, compute_uv=False), np.linalg.svd(x, compute_uv=False))
        for mode in ("reduced", "complete"):
            q, r = ops.qr(x, mode)
            close(ops.matmul(q, r), x)
            close(
                ops.matmul(ops.swapaxes(q, -1, -2), q), np.broadcast_to(np.eye(q.shape[-1]), (2, 3, *q.shape[-1:] * 2))
            )


def test_eig_gives_real_eigenvalues_or_says_why_not():
    w, v = ops.eig(SYMMETRIC)
    close(np.matmul(SYMMETRIC, v), v * w[..., None, :])
    with pytest.raises(ValueError, match="complex eigenvalues; it gives real ones only"):
        ops.eig([[0.0, 1.0], [-1.0, 0.0]])


@pytest.mark.parametrize("shape", [(4, 4), (2, 3, 4, 4), (5, 3), (3, 5)])
def test_lu_factors_multiply_to_the_exchanged_rows(shape: tuple[int, ...]):
    x = RNG.normal(size=shape)
    lu, pivots = (one.numpy() for one in ops.lu_factor(x))
    m, n = shape[-2:]
    flat = (x.reshape(-1, m, n), lu.reshape(-1, m, n), pivots.reshape(-1, min(m, n)))
    for one, factors, exchanges in zip(*flat, strict=True):
        for row, pivot in enumerate(exchanges):
            one[[row, pivot]] = one[[pivot, row]]
        lower = np.tril(factors, -1)[:, : min(m, n)] + np.eye(m, min(m, n))
        close(lower @ np.triu(factors)[: min(m, n)], one)


def test_solutions_solve():
    for b in (RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3, 4, 5))):
        x = ops.solve(SQUARE, b)
        assert x.shape == b.shape
        close(SQUARE @ x.numpy().reshape(2, 3, 4, -1), b.reshape(2, 3, 4, -1))
        for lower in (False, True):
            triangle = np.tril(SYMMETRIC) if lower else np.triu(SYMMETRIC)
            x = ops.solve_triangular(SYMMETRIC, b, lower=lower)
            close(triangle @ x.numpy().reshape(2, 3, 4, -1), b.reshape(2, 3, 4, -1))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
def test_least_squares_and_pseudo_inverses(shape: tuple[int, int]):
    a, b = RNG.normal(size=shape), RNG.normal(size=(shape[0], 2))
    close(ops.lstsq(a, b), np.linalg.lstsq(a, b, rcond=None)[0])
    close(ops.lstsq(a, b[:, 0]), np.linalg.lstsq(a, b[:, 0], rcond=None)[0])
    close(ops.pinv(a), np.linalg.pinv(a))


def test_rank_counts_singular_values():
    x = np.stack([np.diag([1.0, 1e-3, 0.0]), np.diag([0.0, 0.0, 0.0]), np.eye(3)])
    ranks = ops.matrix_rank(x)
    assert (ranks.tolist(), ranks.dtype) == ([2, 0, 3], "int32")
    assert ops.matrix_rank(x, tol=0.01).tolist() == [1, 0, 3]


def test_integers_become_floats_and_halves_are_refused():
    assert ops.det(np.eye(2, dtype="int32")).dtype == "float32"
    with pytest.raises(DtypeError, match="computed in float32 or float64"):
        ops.inv(np.eye(2, dtype="float16"))


def test_wrong_shapes_are_named():
    rectangle = np.ones((2, 3), "float32")
    for function in (ops.det, ops.slogdet, ops.logdet, ops.inv, ops.cholesky, ops.cholesky_inverse, ops.eigh, ops.eig):
        with pytest.raises(ShapeError, match="has to be square"):
            function(rectangle)
    for function in (ops.det, ops.svd, ops.qr, ops.lu_factor):
        with pytest.raises(ShapeError, match="at least 2 axes"):
            function(np.ones(3, "float32"))
    for function in (ops.pinv, ops.matrix_rank):
        with pytest.raises(ShapeError, match=r"takes matrices \[..., m, n\]; got shape \(3,\)"):
            function(np.ones(3, "float32"))
    with pytest.raises(ShapeError, match="ops.solve: a has 4 rows and b 3"):
        ops.solve(SQUARE, np.ones((2, 3, 3)))
    with pytest.raises(ShapeError, match=r"ops.solve takes a \[..., m, n\] and b"):
        ops.solve(SQUARE, np.ones(4))
    with pytest.raises(ShapeError, match="ops.lstsq takes one matrix"):
        ops.lstsq(SQUARE, SQUARE)
    with pytest.raises(ValueError, match="mode is 'reduced' or 'complete'; got 'raw'"):
        ops.qr(SQUARE, mode="raw")


def test_singular_and_indefinite_matrices_are_refused():
    with pytest.raises(np.linalg.LinAlgError, match="ops.inv: singular matrix"):
        ops.inv(np.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        ops.cholesky(-np.eye(2))


def test_factors_that_are_not_unique_have_no_gradient():
    with pytest.raises(GraphError, match="full_matrices=False"):
        trace(lambda x: gradients([ops.svd(x)[0]], [x]), [((3, 5), "float32")])
    with pytest.raises(GraphError, match="mode='reduced' has one"):
        trace(lambda x: gradients([ops.qr(x, "complete")[0]], [x]), [((5, 3), "float32")])


def test_singular_values_have_a_gradient_with_full_matrices():
    x = RNG.normal(size=(3, 5))
    (found,) = compile_function(lambda x: gradients([ops.svd(x)[1]], [x])).run(x)
    u, _, vh = np.linalg.svd(x, full_matrices=False)
    close(found, u @ vh)


def test_the_namespace_holds_the_same_functions():
    assert all(getattr(ops.linalg, name) is getattr(ops, name) for name in ops.linalg.__all__)


def test_a_functional_model_computes_inverses():
    x = Input((3, 3))
    model = Model(x, ops.linalg.inv(x))
    close(
        model.predict(SYMMETRIC[0, :, :3, :3].astype("float32"), verbose=0),
        np.linalg.inv(SYMMETRIC[0, :, :3, :3]),
        1e-4,
    )


def test_fourier_transforms_are_numpys():
    z = RNG.normal(size=(2, 5, 6)) + 1j * RNG.normal(size=(2, 5, 6))
    pair = (z.real, z.imag)
    for function, numpys in ((ops.fft, np.fft.fft), (ops.fft2, np.fft.fft2), (ops.ifft2, np.fft.ifft2)):
        real, imaginary = function(pair)
        close(real.numpy() + 1j * imaginary.numpy(), numpys(z))
    for length in (None, 4, 9):
        real, imaginary = ops.rfft(z.real, length)
        close(real.numpy() + 1j * imaginary.numpy(), np.fft.rfft(z.real, length))
        close(ops.irfft(pair, length), np.fft.irfft(z, length))
    assert ops.fft((z.real.astype("float32"), z.imag.astype("float32")))[0].dtype == "float32"


@pytest.mark.parametrize("center", [True, False])
def test_the_inverse_short_time_transform_inverts(center: bool):
    x = RNG.normal(size=(2, 64))
    pair = ops.stft(x, 12, 4, 16, window="hamming", center=center)
    assert pair[0].shape == (2, 1 + (64 + (0 if not center else 16) - 16) // 4, 9)
    inside = slice(2, -2)  # the window has zeros at its ends
    close(ops.istft(pair, 12, 4, 16, window="hamming", center=center)[:, inside], x[:, inside])
    assert ops.istft(pair, 12, 4, 16, length=40, center=center).shape == (2, 40)


def test_sequences_are_windows():
    assert ops.extract_sequences(np.arange(7), 3, 2).tolist() == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]


def test_the_errors_of_fourier_transforms():
    x = np.ones(8, "float32")
    with pytest.raises(ValueError, match="takes a tuple of two tensors, real and imaginary; got ndarray"):
        ops.fft(x)
    with pytest.raises(ShapeError, match="have to have the same shape"):
        ops.fft((x, x[:4]))
    with pytest.raises(DtypeError, match="takes float tensors"):
        ops.fft((np.arange(3), np.arange(3)))
    with pytest.raises(ValueError, match="fft_length has to be at least sequence_length; got 4 and 6"):
        ops.stft(x, 6, 2, 4)
    with pytest.raises(ValueError, match="window is 'hann', 'hamming', weights or None; got 'box'"):
        ops.stft(x, 4, 2, 4, window="box")
    with pytest.raises(ShapeError, match=r"the window has to have shape \(4,\)"):
        ops.stft(x, 4, 2, 4, window=np.ones(3))
    with pytest.raises(ShapeError, match="a sequence of 8 elements is shorter than a window of 9"):
        ops.extract_sequences(x, 9, 1)


def test_fourier_transforms_of_unknown_length():
    assert ops.stft(Input((None,)), 4, 2, 4)[0].shape == (None, None, 3)


def test_segments_that_are_empty_have_the_neutral_element():
    data, ids = np.array([3.0, -1.0, 2.0]), [0, 0, 2]
    assert ops.segment_min(data, ids).tolist() == [-1, np.inf, 2]
    assert ops.segment_prod(data, ids, num_segments=4).tolist() == [-3, 1, 2, 1]
    assert ops.segment_min(np.array([3, 1], "int32"), [0, 0], num_segments=2).tolist() == [1, np.iinfo("int32").max]


def test_the_gradient_of_products_with_zeros():
    ids = np.array([0, 0, 1, 1, 1, 2, 2], "int32")
    (found,) = compile_function(lambda x: gradients([ops.segment_prod(x, ids, 3)], [x])).run(
        np.array([2.0, 3.0, 0.0, 4.0, 5.0, 0.0, 0.0])
    )
    assert found.tolist() == [3, 2, 20, 0, 0, 0, 0]


COUNT = 100_000


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        *((lambda a=a: random.gamma((COUNT,), a, "float64", seed=1), a, a) for a in (0.05, 0.5, 1.0, 7.0, 1e4)),
        *(
            (
                lambda a=a, b=b: random.beta((COUNT,), a, b, "float64", seed=2),
                a / (a + b),
                a * b / ((a + b) ** 2 * (a + b + 1)),
            )
            for a, b in ((0.5, 0.5), (2.0, 5.0), (0.01, 0.02), (300.0, 100.0))
        ),
        *(
            (lambda n=n, p=p: random.binomial((COUNT,), n, p, "float64", seed=3), n * p, n * p * (1 - p))
            for n, p in ((1, 0.3), (16, 0.5), (17, 0.01), (1000, 0.9), (10**7, 0.2))
        ),
    ],
)
def test_means_and_variances_of_distributions(draw: object, mean: float, variance: float):
    x = draw().numpy()
    assert abs(x.mean() - mean) < 5 * np.sqrt(variance / COUNT)
    assert abs(x.var() / variance - 1) < 0.1


def test_binomials_of_certain_and_impossible_trials():
    drawn = random.binomial((4,), [0, 5, 40, 1000], [0.5, 1.0, 0.0, 1.0], seed=1)
    assert drawn.tolist() == [0, 5, 0, 1000]


def test_parameters_without_a_distribution_give_nan():
    assert np.isnan(random.gamma((3,), [-1.0, np.inf, np.nan], seed=1)).all()
    assert np.isnan(random.beta((2,), [1.0, -1.0], [0.0, 1.0], seed=1)).all()
    assert np.isnan(random.binomial((4,), [-1.0, 3.0, 3.0, np.inf], [0.5, 1.5, np.nan, 0.5], seed=1)).all()


def test_an_element_depends_on_its_own_parameters_alone():
    few = ops.random_gamma((5,), KEY, [0.3, 1.0, 2.0, 0.5, 9.0], "float64").numpy()
    more = ops.random_gamma((7,), KEY, [0.3, 5.0, 2.0, 0.5, 9.0, 1.0, 1.0], "float64").numpy()
    same = [0, 2, 3, 4]
    np.testing.assert_array_equal(few[same], more[same])


def test_a_compiled_step_draws_what_eager_code_draws():
    def step(key: object) -> list:
        return [
            ops.random_gamma((3, 4), key, 0.7),
            ops.random_beta((3, 4), key, 0.7, np.arange(1.0, 5)),
            ops.random_binomial((3, 4), key, 50, 0.3),
        ]

    for found, expected in zip(compile_function(step).run(KEY), step(KEY), strict=True):
        np.testing.assert_array_equal(np.array(found), expected.numpy())


def test_a_generator_moves_on_inside_a_step():
    generator = random.SeedGenerator(5)
    step = compile_function(lambda: [random.gamma((8,), 2.0, seed=generator)])
    first, second = np.array(step.run()[0]), np.array(step.run()[0])
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, random.gamma((8,), 2.0, seed=random.SeedGenerator(5)))


def test_the_errors_of_distributions():
    with pytest.raises(ShapeError, match=r"alpha of shape \(3,\) does not broadcast to shape \(2,\)"):
        random.gamma((2,), [1.0, 2.0, 3.0])
    with pytest.raises(DtypeError, match="are floats; got dtype='int32'"):
        random.binomial((2,), 3, 0.5, dtype="int32")
