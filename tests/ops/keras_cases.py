"""Calls of `keras.ops` whose results are recorded from Keras in keras_values.npz (by record_keras.py).

Inputs come from one generator in the order of the calls: new calls go to the end, or everything is recorded again.
"""

from __future__ import annotations

import numpy as np

_rng = np.random.default_rng(0)
CASES: list[tuple[str, tuple, dict]] = []


def call(name: str, *args: object, **kwargs: object) -> None:
    CASES.append((name, args, kwargs))


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    return (low + (high - low) * _rng.random(shape)).astype("float32")


def positive(*shape: int) -> np.ndarray:
    return floats(*shape, low=0.2)


def probabilities(*shape: int) -> np.ndarray:
    p = positive(*shape)
    return p / p.sum(-1, keepdims=True)


def integers(*shape: int, high: int) -> np.ndarray:
    return _rng.integers(0, high, shape).astype("int32")


def activations() -> None:
    x = floats(4, 5, low=-7, high=7)
    for name in (
        "celu", "elu", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu", "log_sigmoid",
        "log_softmax", "logsumexp", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
        "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh_shrink",
    ):  # fmt: skip
        call(name, x)
    call("gelu", x, approximate=False)
    call("elu", x, alpha=0.5)
    call("celu", x, alpha=0.7)
    call("leaky_relu", x, 0.1)
    call("threshold", x, 0.2, -1.0)
    call("glu", floats(3, 6))
    call("softmax", floats(2, 3, 4), axis=(1, 2))
    call("softmax", floats(2, 3, 4), axis=1)
    call("log_softmax", floats(2, 3, 4), axis=(0, 2))
    call("logsumexp", floats(2, 3, 4), axis=(0, 2))
    call("logsumexp", floats(2, 3, 4), axis=1, keepdims=True)


def crossentropies() -> None:
    p, t, z, labels = probabilities(5, 4), probabilities(5, 4), floats(5, 4), np.array([0, 3, 1, 2, 2])
    certain = np.eye(4, dtype="float32")
    for output, options in ((p, {}), (p * 3, {}), (z, {"from_logits": True})):
        call("categorical_crossentropy", t, output, **options)
        call("sparse_categorical_crossentropy", labels, output, **options)
        call("sparse_categorical_crossentropy", labels[:, None], output, **options)
    call("categorical_crossentropy", t, z, from_logits=True, axis=0)
    call("categorical_crossentropy", certain, certain)
    call("sparse_categorical_crossentropy", np.array([1, 1, 2, 3]), certain)
    call("sparse_categorical_crossentropy", np.array([[0, 1, 2], [1, 1, 0]]), floats(2, 3, 4), from_logits=True)
    call("binary_crossentropy", p, t)
    call("binary_crossentropy", p, z, from_logits=True)
    call("binary_crossentropy", np.array([0, 1, 1], "float32"), np.array([0, 0, 1], "float32"))
    call("one_hot", np.array([[0, 2], [1, -1]]), 3)
    call("one_hot", np.array([0, 2]), 3, axis=0)
    call("one_hot", np.array([0, 2]), 3, dtype="int32")
    call("multi_hot", np.array([0, 2]), 4)
    call("multi_hot", np.array([[0, 2], [1, 1]]), 4)


def windows() -> None:
    for kernel, strides, padding, dilation in (
        (3, 1, "same", 1), (3, 2, "same", 1), (2, 2, "valid", 1), (4, 1, "same", 1), (3, 1, "valid", 2),
        (3, 1, "same", 2), (5, 3, "same", 1),
    ):  # fmt: skip
        for size in ((8,), (7, 6), (5, 6, 5)):
            rank = len(size)
            x, taps, window = floats(2, *size, 4), (kernel,) * rank, (strides, padding, "channels_last", dilation)
            if dilation == 1:
                call("max_pool", x, kernel, strides, padding)
                call("average_pool", x, kernel, strides, padding)
            if rank == 3 and dilation == 1 and kernel > 3:
                continue
            call("conv", x, floats(*taps, 4, 3), *window)
            call("conv", x, floats(*taps, 2, 4), *window)
            call("conv_transpose", x, floats(*taps, 2, 4), strides, padding, None, "channels_last", dilation)
            if rank < 3:
                call("depthwise_conv", x, floats(*taps, 4, 2), *window)
                call("separable_conv", x, floats(*taps, 4, 2), floats(*(1,) * rank, 8, 3), *window)
    call("conv", floats(2, 4, 7, 6), floats(3, 3, 4, 3), 2, "same", "channels_first")
    for kernel, strides, padding, more in (
        (3, 2, "same", 1),
        (3, 2, "valid", 1),
        (2, 3, "valid", None),
        (4, 2, "same", 0),
        (1, 3, "same", None),
    ):
        call("conv_transpose", floats(2, 4, 5, 3), floats(kernel, kernel, 2, 3), strides, padding, more)


def normalization() -> None:
    x = floats(3, 4, 5)
    call("moments", x, (0, 1))
    call("moments", x, [1], keepdims=True)
    call("batch_normalization", x, floats(5), positive(5), -1, offset=floats(5), scale=floats(5), epsilon=0.01)
    call("batch_normalization", x, floats(4), positive(4), 1)
    call("layer_normalization", x, floats(5), floats(5))
    call("layer_normalization", x, axis=(1, 2))
    call("layer_normalization", x, floats(4), None, axis=1, epsilon=0.1)
    call("rms_normalization", x, floats(5))
    call("rms_normalization", x)
    for options in ({}, {"axis": 1, "order": 1}, {"order": 3}):
        call("normalize", x, **options)


def indexing() -> None:
    x, p, labels = floats(3, 4, 5), probabilities(5, 4), np.array([0, 3, 1, 2, 2])
    call("take", x, np.array([[1, 0], [3, 2]]), axis=1)
    call("take", x, np.array([1, -1]))
    call("take", x, 1, axis=2)
    call("take_along_axis", x, integers(3, 4, 2, high=5), axis=2)
    call("argsort", x, axis=1)
    call("sort", x, axis=0)
    call("sort", x, axis=None)
    call("top_k", x, 2)
    call("in_top_k", labels, p, 2)
    call("argmax", x, axis=1)
    call("argmax", x)
    for name in ("cumsum", "cumprod"):
        call(name, x, axis=1)
        call(name, x)
    call("segment_sum", floats(5, 3), labels, 4)
    call("segment_max", floats(5, 3), labels, 4)
    call("scatter", np.array([[0, 1], [2, 2], [0, 1]]), floats(3), (3, 4))
    call("scatter", np.array([[0], [2]]), floats(2, 4), (3, 4))
    call("scatter_update", x, np.array([[0, 1], [2, 3]]), floats(2, 5))
    call("scatter_update", x, np.array([[0], [2]]), floats(2, 4, 5))
    call("scatter_update", x, np.array([[0, 1], [2, 3]]), floats(2, 5), reduction="add")
    call("slice", x, (1, 0, 2), (1, 3, 2))
    call("slice_update", x, (1, 0, 2), floats(1, 3, 2))
    call("unstack", x, axis=1)
    call("get_item", x, (0, slice(1, 3)))


def arrays() -> None:
    x, m = floats(3, 4, 5), floats(4, 5)
    for args in ((5,), (1, 9, 2), (0.0, 1.0, 0.25)):
        call("arange", *args)
    call("linspace", 0, 1, 5)
    call("linspace", 0.0, 1.0, 5, endpoint=False)
    call("linspace", floats(3), floats(3), 4, axis=1)
    call("eye", 3, 4, 1)
    call("identity", 3, "int32")
    call("tri", 3, 4, 1)
    call("full_like", x, 2)
    call("tril", x, -1)
    call("triu", x, 1)
    for args in ((floats(3), 1), (floats(3), -2), (m, 1), (m, -1)):
        call("diag", *args)
    call("trace", x, 1, 1, 2)
    call("trace", x, 0, 2, 0)
    call("flip", x)
    call("flip", x, 1)
    call("roll", x, 2)
    call("roll", x, (1, 2), (0, 2))
    call("repeat", x, 2, axis=1)
    call("repeat", x, np.array([1, 0, 2]), axis=0)
    call("tile", x, 2)
    call("tile", m, (2, 1, 3))
    call("moveaxis", x, (0, 1), (1, 2))
    call("hstack", [floats(2, 3), floats(2, 1)])
    call("vstack", [floats(2), floats(2)])
    call("meshgrid", floats(3), floats(2))
    call("meshgrid", floats(3), floats(2), indexing="ij")
    call("nonzero", np.array([[1, 0], [2, 3]]))
    call("average", x, axis=1, weights=positive(4))
    edges = np.array([1, np.inf, -np.inf, np.nan], "float32")
    call("isclose", edges, edges, equal_nan=True)
    call("isinf", edges)
    call("divide_no_nan", floats(3), np.array([0, 1, 2], "float32"))
    for name in ("arcsin", "arccos", "arctan", "sinh", "cosh", "arcsinh", "arctanh"):
        call(name, floats(5, low=-0.9, high=0.9))
    call("arccosh", floats(5, low=1.1, high=3))
    call("arctan2", floats(3, 4), floats(4))
    call("erfinv", floats(20, low=-0.99, high=0.99))


def contraction() -> None:
    x, m = floats(3, 4, 5), floats(4, 5)
    call("dot", x, floats(2, 5, 3))
    call("dot", 3.0, m)
    call("vdot", m, m)
    call("outer", floats(3), floats(2))
    call("tensordot", x, floats(4, 5, 2))
    call("tensordot", x, floats(5, 3), ((2, 0), (0, 1)))
    for subscripts, *shapes in (
        ("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("...ij,jk->...ik", (2, 3, 4), (4, 5)),
        ("ij->ji", (4, 5)), ("ij->", (4, 5)), ("ii->i", (3, 3)), ("ii", (3, 3)), ("ij,jk", (2, 3), (3, 4)),
        ("btnh,bsnh->bnts", (2, 3, 4, 5), (2, 6, 4, 5)), ("i,j->ij", (2,), (3,)), ("ij,ij->i", (4, 5), (4, 5)),
        ("abc,cd,de->abe", (3, 4, 5), (5, 2), (2, 3)), ("i,i->", (3,), (3,)),
    ):  # fmt: skip
        call("einsum", subscripts, *(floats(*shape) for shape in shapes))
    call("norm", x)
    call("norm", m, axis=1)
    call("norm", m, ord=3, axis=1)
    call("norm", x, axis=(1, 2), ord=1)
    call("norm", x, axis=(0, 2), ord=np.inf, keepdims=True)
    query, key, value = floats(2, 3, 4, 5), floats(2, 6, 4, 5), floats(2, 6, 4, 5)
    call("dot_product_attention", query, key, value, mask=_rng.random((2, 1, 3, 6)) < 0.6)
    call("dot_product_attention", query, key, value, bias=floats(2, 4, 3, 6), scale=0.3)
    call("dot_product_attention", key, key, value, is_causal=True)
    call("dot_product_attention", query, key[:, :, :2], value[:, :, :2])


for _family in (activations, crossentropies, windows, normalization, indexing, arrays, contraction):
    _family()
