"""One row or more for each operation: the operation and makers of its inputs, away from kinks and ties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from layerkit import ops
from layerkit.graph.operation import Elementwise, Operation
from tests.samples import attention, complex_and_unfolding, contraction, control, ctc, hashing, indexing, linear_algebra

Maker = Callable[[np.random.Generator, str], np.ndarray]


@dataclass(frozen=True)
class Sample:
    """An operation with makers of its inputs.

    Attributes:
        operation: an instance.
        makers: for each input a function of a random generator and a float dtype.
        exact: whether its gradient is that of its reference (StopGradient's is not).
        twice: whether its gradient's gradient is checked too.
    """

    operation: Operation
    makers: tuple[Maker, ...]
    exact: bool = True
    twice: bool = True

    def inputs(self, dtype: str, seed: int = 0) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [maker(rng, dtype) for maker in self.makers]

    def __str__(self) -> str:
        shapes = ",".join("x".join(map(str, x.shape)) or "scalar" for x in self.inputs("float32"))
        return f"{self.operation!r}[{shapes}]"


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> Maker:
    """Distinct floats, well apart, in random order; none is 0."""

    def make(rng: np.random.Generator, dtype: str) -> np.ndarray:
        count = int(np.prod(shape))
        steps = (np.arange(count) + rng.uniform(0.2, 0.8)) / max(count, 1)
        return rng.permutation(low + (high - low) * steps).reshape(shape).astype(dtype)

    return make


def positive(*shape: int) -> Maker:
    return floats(*shape, low=0.3, high=3.0)


def ascending(count: int) -> Maker:
    return lambda _, dtype: np.linspace(-2, 2, count).astype(dtype)


def integers(*shape: int, low: int = 0, high: int = 5, dtype: str = "int32") -> Maker:
    return lambda rng, _: rng.integers(low, high, shape).astype(dtype)


def distinct(*shape: int, high: int = 5) -> Maker:
    """Indices of which none repeats along the last axis."""
    return lambda rng, _: rng.permuted(np.broadcast_to(np.arange(high), (*shape[:-1], high)), axis=-1)[
        ..., : shape[-1]
    ].astype("int32")


def every_index(count: int, high: int = 5) -> Maker:
    """Indices in random order, each of which occurs."""
    return lambda rng, _: rng.permutation(np.arange(count) % high).astype("int32")


def bools(*shape: int) -> Maker:
    return lambda rng, _: rng.random(shape) < 0.5


def key() -> Maker:
    return lambda rng, _: rng.integers(0, 2**32, 2, dtype=np.uint32)


ONE = ((0,), (1,), (3, 5, 7), (2, 1, 33))
TWO = (((0, 3), (1, 3)), ((1,), (1,)), ((3, 1, 5), (4, 1)), ((2, 9), (2, 9)))


def unary(operation: Elementwise, maker: Callable[..., Maker] = floats, **options: object) -> list[Sample]:
    return [Sample(operation, (maker(*shape),), **options) for shape in ONE]


def binary(operation: Elementwise, *makers: Callable[..., Maker], **options: object) -> list[Sample]:
    first, second = makers or (floats, lambda *shape: floats(*shape, low=-1.9, high=2.2))
    return [Sample(operation, (first(*a), second(*b)), **options) for a, b in TWO]


def _elementwise() -> list[Sample]:
    rows: list[Sample] = []
    for smooth in (
        ops.Negative, ops.Square, ops.Exp, ops.Expm1, ops.Sin, ops.Cos, ops.Tanh, ops.Erf, ops.Sigmoid, ops.Softplus,
        ops.Absolute, ops.Sign, ops.Floor, ops.Ceil, ops.Round, ops.Trunc, ops.Relu, ops.Isnan, ops.Isfinite,
    ):  # fmt: skip
        rows += unary(smooth())
    for of_positive in (ops.Log, ops.Log1p, ops.Log2, ops.Log10, ops.Sqrt, ops.Rsqrt):
        rows += unary(of_positive(), positive)
    rows += unary(ops.Tan(), lambda *shape: floats(*shape, low=-1.2, high=1.2))
    for bounded in (ops.Arcsin, ops.Arccos, ops.Arctanh):
        rows += unary(bounded(), lambda *shape: floats(*shape, low=-0.9, high=0.9))
    for smooth in (ops.Arctan, ops.Sinh, ops.Cosh, ops.Arcsinh):
        rows += unary(smooth())
    rows += unary(ops.Arccosh(), lambda *shape: floats(*shape, low=1.2, high=3.0))
    rows += binary(ops.Arctan2(), positive, floats)
    rows += unary(ops.Cbrt()) + unary(ops.Erfc()) + unary(ops.Signbit()) + binary(ops.Hypot())
    rows += binary(ops.NextAfter(), exact=False)  # its steps of a last place are noise to differences
    rows += unary(ops.StopGradient(), exact=False)
    rows += unary(ops.Cast("float64"), twice=False)
    rows += unary(ops.Cast("int32"))
    rows += unary(ops.LogicalNot(), bools)
    rows += unary(ops.IndexAlong(0))
    rows += [Sample(ops.IndexAlong(1), (floats(2, 3, 5),)), Sample(ops.IndexAlong(2), (floats(2, 3, 5),))]
    for smooth in (ops.Add, ops.Subtract, ops.Multiply, ops.Maximum, ops.Minimum):
        rows += binary(smooth())
    for compare in (ops.Less, ops.LessEqual, ops.Greater, ops.GreaterEqual, ops.Equal, ops.NotEqual):
        rows += binary(compare())
        rows += binary(compare(), integers, integers)
    rows += binary(ops.Divide(), floats, positive)
    rows += binary(ops.Power(), positive, floats)
    for whole in (ops.FloorDivide, ops.Mod):
        rows += binary(
            whole(), lambda *shape: floats(*shape, low=0.1, high=0.9), lambda *shape: floats(*shape, low=1.1, high=2)
        )
        rows += binary(whole(), lambda *shape: integers(*shape, low=-9, high=9), lambda *shape: integers(*shape, low=1))
    for logical in (ops.LogicalAnd, ops.LogicalOr, ops.LogicalXor):
        rows += binary(logical(), bools, bools)
    for of_bits in (ops.BitwiseAnd, ops.BitwiseOr, ops.BitwiseXor, ops.Gcd, ops.Lcm):
        rows += binary(of_bits(), integers, lambda *shape: integers(*shape, low=-9, high=9))
    rows += unary(ops.BitwiseInvert(), lambda *shape: integers(*shape, low=-9, high=9))
    for shift in (ops.LeftShift, ops.RightShift):
        rows += binary(shift(), lambda *shape: integers(*shape, low=-9, high=9), integers)
    rows += [
        Sample(ops.Where(), (bools(3, 1, 5), floats(4, 1), floats(5))),
        Sample(ops.Where(), (bools(0), floats(1), floats(0))),
    ]
    return rows


def _reductions() -> list[Sample]:
    rows: list[Sample] = []
    for kind in (ops.Sum, ops.Max, ops.Min):
        for axes, shape in (((0,), (7,)), ((1,), (3, 5)), ((0,), (33, 5)), ((0, 1, 2), (2, 3, 5)), ((1,), (2, 3, 5))):
            rows.append(Sample(kind(axes), (floats(*shape),)))
    rows += [Sample(ops.Sum((0,)), (floats(0, 3),)), Sample(ops.Sum((1,)), (floats(0, 3),))]
    rows += [Sample(ops.Sum((0, 1)), (integers(300, 70),)), Sample(ops.Max((1,)), (integers(4, 6),))]
    rows += [Sample(ops.Prod((1,)), (positive(3, 5),)), Sample(ops.Prod((0,)), (positive(4, 2),))]
    for kind in (ops.ArgMax, ops.ArgMin):
        rows += [
            Sample(kind(1), (floats(4, 7),)),
            Sample(kind(0), (floats(4, 7),)),
            Sample(kind(2), (integers(2, 3, 5),)),
        ]
    return rows


def _shapes() -> list[Sample]:
    x = floats(2, 3, 5)
    return [
        Sample(ops.Reshape((5, 6)), (x,)),
        Sample(ops.Reshape((-1, 3)), (x,)),
        Sample(ops.Transpose((2, 0, 1)), (x,)),
        Sample(ops.BroadcastTo((4, 3, 5)), (floats(3, 1),)),
        Sample(ops.Slice((0, 2, 4), (2, 1, 3), (1, 1, -2)), (x,)),
        Sample(ops.SliceGradient((1, 0), (1, 2), (4, 7)), (floats(2, 3),)),
        Sample(ops.Concatenate(1), (floats(2, 3), floats(2, 1), floats(2, 4))),
        Sample(ops.Stack(1), (floats(2, 3), floats(2, 3))),
        Sample(ops.Pad(((1, 0), (0, 2))), (floats(2, 3),)),
        Sample(ops.MatMul(), (floats(3, 5), floats(5, 4))),
        Sample(ops.MatMul(), (floats(2, 1, 3, 5), floats(4, 5, 1))),
        Sample(ops.MatMul(), (floats(2, 3, 5), floats(5, 4))),
        Sample(ops.MatMul(), (floats(0, 5), floats(5, 4))),
    ]


def _nn() -> list[Sample]:
    rows: list[Sample] = []
    for kind in (ops.Softmax, ops.LogSoftmax, ops.LogSumExp):
        rows += [
            Sample(kind(1), (floats(3, 7),)),
            Sample(kind(0), (floats(5, 3),)),
            Sample(kind(1), (floats(2, 1, 3),)),
        ]
    rows += [
        Sample(ops.Moments((0,)), (floats(6, 3),)),
        Sample(ops.Moments((0, 1, 2)), (floats(2, 3, 4, 5),)),
        Sample(ops.Moments((0, 2)), (floats(3, 2, 5),)),
        Sample(ops.BatchNormalization(1, 1e-3), (floats(6, 3), floats(3), positive(3), floats(3), floats(3))),
        Sample(ops.BatchNormalization(1, 1e-3), (floats(2, 3, 4), floats(3), positive(3), floats(3), floats(3))),
        Sample(ops.LayerNormalization((1,), 1e-3), (floats(4, 7), floats(7), floats(7))),
        Sample(ops.LayerNormalization((1, 2), 1e-3), (floats(2, 3, 4), floats(3, 4), floats(3, 4))),
        Sample(ops.LayerNormalization((1,), 1e-3), (floats(2, 3, 4), floats(1, 3, 1), floats(1, 3, 1))),
    ]
    return rows


# rank, size, kernel, strides, padding, dilation
WINDOWS = (
    ((7,), (3,), (1,), ((1, 1),), (1,)),
    ((8,), (3,), (2,), ((0, 1),), (1,)),
    ((9,), (2,), (1,), ((2, 0),), (2,)),
    ((5, 6), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((7, 6), (3, 2), (2, 2), ((0, 1), (0, 0)), (1, 1)),
    ((6, 7), (2, 3), (1, 1), ((0, 0), (0, 0)), (2, 2)),
    ((4, 4), (1, 1), (2, 2), ((0, 0), (0, 0)), (1, 1)),
    ((3, 4, 5), (2, 2, 3), (1, 2, 1), ((0, 1), (0, 0), (1, 1)), (1, 1, 1)),
)


def _pixels(
    size: Sequence[int], kernel: Sequence[int], strides: Sequence[int], padding: Sequence, dilation: Sequence
) -> tuple:
    return tuple(
        (n + sum(p) - (k - 1) * d - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, strides, padding, dilation, strict=True)
    )


def _convolutions() -> list[Sample]:
    rows: list[Sample] = []
    for size, kernel, *window in WINDOWS:
        pixels = _pixels(size, kernel, *window)
        for groups in (1, 2):
            x, w, g = floats(2, *size, 4), floats(*kernel, 4 // groups, 6), floats(2, *pixels, 6)
            rows += [
                Sample(ops.Conv(*window, groups), (x, w)),
                Sample(ops.ConvInputGradient(*window, groups, size), (g, w)),
                Sample(ops.ConvFilterGradient(*window, groups, kernel), (x, g)),
            ]
        x, w, g = floats(2, *size, 3), floats(*kernel, 3, 2), floats(2, *pixels, 6)
        rows += [
            Sample(ops.DepthwiseConv(*window), (x, w)),
            Sample(ops.DepthwiseConvInputGradient(*window, size), (g, w)),
            Sample(ops.DepthwiseConvFilterGradient(*window, kernel), (x, g)),
        ]
    return rows


def _pools() -> list[Sample]:
    rows: list[Sample] = []
    for size, pool, strides, padding, dilation in WINDOWS:
        if any(d > 1 for d in dilation):
            continue
        window = (pool, strides, padding)
        g = floats(2, *_pixels(size, *window, dilation), 3)
        rows += [
            Sample(ops.MaxPool(*window), (floats(2, *size, 3),)),
            Sample(ops.AveragePool(*window), (floats(2, *size, 3),)),
            Sample(ops.AveragePoolGradient(*window, size), (g,)),
            _of_max_pool(ops.MaxPoolGradient(*window), size),
            _of_max_pool(ops.MaxPoolPick(*window), size),
        ]
    return rows


def _of_max_pool(operation: Operation, size: Sequence[int]) -> Sample:
    """x, MaxPool(x), and values in the shape of the one or the other."""
    window = (operation.pool, operation.strides, operation.padding)

    def x(_: np.random.Generator, dtype: str) -> np.ndarray:
        return floats(2, *size, 3)(np.random.default_rng(5), dtype)

    def pooled(rng: np.random.Generator, dtype: str) -> np.ndarray:
        return ops.MaxPool(*window).reference(x(rng, dtype))

    def values(rng: np.random.Generator, dtype: str) -> np.ndarray:
        like = x(rng, dtype) if isinstance(operation, ops.MaxPoolPick) else pooled(rng, dtype)
        return rng.normal(size=like.shape).astype(dtype)

    # x and y say only where; a difference in x would have to move y too.
    return Sample(operation, (x, pooled, values), exact=False)


def _indexing() -> list[Sample]:
    return [
        Sample(ops.TakeRows(), (floats(5, 3), integers(2, 4))),
        Sample(ops.TakeRows(), (floats(5), integers(7, dtype="int64"))),
        Sample(ops.TakeRows(), (floats(5, 3), integers(0))),
        Sample(ops.ScatterAddRows(5), (floats(2, 4, 3), integers(2, 4))),
        Sample(ops.ScatterAddRows(5), (floats(33, 20), integers(33))),
        Sample(ops.UpdateRows(), (floats(5, 3), distinct(2), floats(2, 3))),
        Sample(ops.TakeAlongAxis(1), (floats(3, 5), integers(3, 2))),
        Sample(ops.AddAlongAxis(1, 5), (floats(3, 2), integers(3, 2))),
        Sample(ops.ArgSort(1), (floats(3, 5),)),
        Sample(ops.TopK(2), (floats(3, 5),)),
        Sample(ops.SearchSorted(), (ascending(7), floats(3, 5))),
        Sample(ops.SearchSorted(right=True), (ascending(7), floats(3, 5))),
        Sample(ops.CumSum(1), (floats(3, 5),)),
        Sample(ops.CumSum(0, True), (floats(3, 5),)),
        Sample(ops.SegmentMax(5), (floats(9, 2), every_index(9))),
    ]


def _random() -> list[Sample]:
    return [
        Sample(ops.RandomBits((3, 5)), (key(),)),
        Sample(ops.RandomUniform((3, 5)), (key(),)),
        Sample(ops.RandomUniform((33,), "float64"), (key(),)),
        Sample(ops.RandomUniformLike(), (floats(3, 5), key())),
        Sample(ops.RandomUniformLike(), (floats(0), key())),
        *(
            Sample(draw((3, 35), dtype), (key(),))
            for draw in (ops.RandomNormal, ops.RandomTruncatedNormal)
            for dtype in ("float32", "float64")
        ),
        Sample(ops.Scaled(), (floats(3, 5), floats(5), floats())),
    ]


def _epilogues() -> list[Sample]:
    window = ((1, 1), ((1, 1), (1, 1)), (1, 1), 1)
    x, w, bias = floats(2, 5, 6, 4), floats(3, 3, 4, 6), floats(6)
    return [
        sample
        for activation in (None, "relu")
        for sample in (
            Sample(ops.DenseProduct(activation), (floats(3, 5), floats(5, 4), floats(4)), exact=False),
            Sample(ops.ConvBiasActivation(*window, activation), (x, w, bias), exact=False),
        )
    ]


SAMPLES: list[Sample] = [
    *_elementwise(), *_reductions(), *_shapes(), *_nn(), *_convolutions(), *_pools(), *_indexing(), *_random(),
    *_epilogues(),
]  # fmt: skip
SAMPLES += [
    Sample(*row)
    for family in (attention, linear_algebra, ctc, complex_and_unfolding, contraction, indexing, control, hashing)
    for row in family.rows()
]


def middle_row(name: str) -> Sample:
    """The middle one of an operation's rows, which for elementwise ones has several axes and broadcasts."""
    rows = [sample for sample in SAMPLES if type(sample.operation).__name__ == name]
    return rows[len(rows) // 2]
