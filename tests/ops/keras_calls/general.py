"""Calls of every family that grew with the package: activations, windows, indexing, contraction, searching, ..."""

from __future__ import annotations

import numpy as np

from tests.ops.keras_calls.calls import Calls

CALLS = Calls()
call, floats, positive = CALLS.add, CALLS.floats, CALLS.positive
probabilities, integers = CALLS.probabilities, CALLS.integers


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
    call("dot_product_attention", query, key, value, mask=CALLS.rng.random((2, 1, 3, 6)) < 0.6)
    call("dot_product_attention", query, key, value, bias=floats(2, 4, 3, 6), scale=0.3)
    call("dot_product_attention", key, key, value, is_causal=True)
    call("dot_product_attention", query, key[:, :, :2], value[:, :, :2])


def special() -> None:
    x, edges = floats(3, 4), np.array([1, -2, 0, -0.0, np.inf, -np.inf, np.nan], "float32")
    for name in ("cbrt", "erfc", "exp2", "fabs", "deg2rad", "rad2deg", "sinc"):
        call(name, x)
    for name in ("cbrt", "fabs", "isneginf", "isposinf", "nan_to_num", "deg2rad", "sinc"):
        call(name, edges)
    for name in ("exp2", "fabs", "deg2rad", "sinc", "nan_to_num", "signbit", "isposinf"):
        call(name, np.array([3, 0, -2], "int32"))
    call("nan_to_num", edges, nan=3.0, posinf=7.0, neginf=-7.0)
    call("signbit", edges)
    for name in ("hypot", "logaddexp", "logaddexp2", "fmod", "fmax", "fmin", "heaviside"):
        call(name, x, floats(4))
        call(name, np.array([[3], [-4]], "int32"), np.array([2, 5], "int32"))
    for name in ("fmax", "fmin", "heaviside", "logaddexp"):
        call(name, edges, edges[::-1])
    call("heaviside", edges, 0.5)
    call("hypot", np.array([3e30, 0, np.inf], "float32"), np.array([4e30, 0, 1], "float32"))
    call("ldexp", x, np.array([2, -3, 0, 5], "int32"))
    for name in ("gcd", "lcm"):
        call(name, np.array([[12], [-18]], "int32"), np.array([8, 27, 0], "int32"))
    call("saturate_cast", np.array([300.7, -5.0, 7.9], "float32"), "uint8")
    call("saturate_cast", np.array([300, -500, 7], "int32"), "int8")


def bits() -> None:
    a, b = integers(3, 4, high=1000) - 500, integers(4, high=1000)
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        call(name, a, b)
        call(name, np.array([True, False]), np.array([True, True]))
        call(name, a.astype("uint8"), b.astype("uint8"))
    for name in ("bitwise_invert", "bitwise_not"):
        call(name, a)
        call(name, np.array([True, False]))
        call(name, b.astype("uint8"))
    for name in ("left_shift", "bitwise_left_shift", "right_shift", "bitwise_right_shift"):
        call(name, a, np.array([0, 1, 5, 7], "int32"))
        call(name, a.astype("int8"), np.array([0, 1, 5, 7], "int8"))


def nan_reductions() -> None:
    x = floats(3, 4, 5)
    x[0, 1, 2:4] = x[1, 1:] = x[2, 3, 4] = np.nan
    for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd", "nanmedian"):
        call(name, x)
        call(name, x, axis=(0, 2))
        call(name, x, axis=1, keepdims=True)
        call(name, x, axis=-1)
    for name in ("nansum", "nanprod", "nanmax", "nanmean", "nanstd"):
        call(name, integers(3, 4, high=5), axis=0)
    for name in ("nanargmax", "nanargmin"):
        call(name, x)
        call(name, x, axis=2)
        call(name, x, axis=1, keepdims=True)
    for name in ("nancumsum", "nancumprod"):
        call(name, x, axis=1)
        call(name, x)
    call("nancumsum", integers(3, 4, high=5), axis=0)
    call("count_nonzero", integers(3, 4, high=3))
    call("count_nonzero", integers(3, 4, high=3), axis=1)
    call("ptp", x[0, :1])
    call("ptp", floats(3, 4, 5), axis=(0, 2), keepdims=True)
    call("ptp", integers(3, 4, high=9), axis=1)


def quantiles() -> None:
    x, shares = floats(3, 4, 5), np.array([0.1, 0.5, 0.75, 1.0], "float32")
    holes = x.copy()
    holes[0, 1, 2:4] = holes[1, 1:] = np.nan
    for axis in (None, 1, (0, 2)):
        call("median", x, axis=axis)
        call("median", x, axis=axis, keepdims=True)
        call("quantile", x, shares, axis=axis)
        call("quantile", x, 0.3, axis=axis, keepdims=True)
        call("nanquantile", holes, shares, axis=axis)
        call("nanpercentile", holes, shares * 100, axis=axis, keepdims=True)
        call("percentile", x, 30.0, axis=axis)
    for method in ("linear", "lower", "higher", "midpoint", "nearest"):
        call("quantile", x, shares, axis=1, method=method)
        call("nanquantile", holes, shares, axis=2, method=method)
    call("median", holes, axis=2)
    call("quantile", holes, shares, axis=2)
    call("median", integers(4, 6, high=9), axis=1)
    call("quantile", integers(4, 5, high=9), shares, axis=0)


def arrangement() -> None:
    x, m, v = floats(3, 4, 6), floats(4, 5), floats(7)
    for name in ("fliplr", "flipud"):
        call(name, x)
    for k in (0, 1, 2, 3, -1):
        call("rot90", x, k)
        call("rot90", x, k, axes=(2, 0))
    call("hsplit", x, 2)
    call("hsplit", v, [2, 5])
    call("vsplit", x, 3)
    call("dsplit", x, [1, 3])
    call("array_split", x, 4, axis=2)
    call("array_split", v, 3)
    call("dstack", [floats(3), floats(3)])
    call("dstack", [m, m])
    call("dstack", [x, x])
    call("append", m, v)
    call("append", m, floats(2, 5), axis=0)
    for offset in (0, 2, -1, 9):
        call("diagonal", m, offset)
    call("diagonal", x, 1, 2, 0)
    call("diagflat", m[:2, :2])
    call("diagflat", v, -2)
    call("diff", x)
    call("diff", x, 2, 0)
    call("diff", np.array([True, False, False]))
    call("kron", m, floats(2, 3))
    call("kron", v, m)
    call("kron", integers(2, 2, high=5), integers(3, high=5))
    call("cross", floats(4, 3), floats(4, 3))
    call("cross", floats(4, 2), floats(4, 2))
    call("cross", floats(4, 2), floats(4, 3))
    call("cross", floats(3, 4), floats(4, 3), axisa=0, axisc=0)
    call("cross", floats(5, 3, 4), floats(5, 3, 4), axis=1)
    call("inner", m, floats(3, 5))
    call("inner", v, v)
    call("inner", 2.0, m)
    call("inner", x, floats(2, 6))
    call("unravel_index", np.array([[5, 0], [23, -1]], "int32"), (2, 3, 4))
    call("unravel_index", np.array([5, 3], "int32"), (7,))
    call("select", [m > 1, m < 0], [m, m * 2], 5.0)
    whole = np.array([1, 2], "int32")
    call("select", [np.array([True, False]), np.array([True, True])], [whole, whole * 3])
    call("empty", (0, 3))
    call("empty", (0, 3), "int32")
    call("empty_like", np.zeros((2, 0), "float32"))
    for layout in ("channels_last", "channels_first"):
        call("depth_to_space", floats(2, 8, 4, 8), 2, layout)
        call("space_to_depth", floats(2, 6, 4, 2), 2, layout)


def sequences() -> None:
    call("logspace", 0.0, 2.0, 5)
    call("logspace", 0, 3, 4, endpoint=False, base=2)
    call("logspace", floats(3), floats(3), 4, axis=1)
    call("logspace", 0.0, 2.0, 3, dtype="int32")
    call("geomspace", 1.0, 1000.0, 4)
    call("geomspace", -1, -16, 4, endpoint=False)
    call("geomspace", positive(3), positive(3), 4, axis=-1)
    for length in (0, 1, 2, 9):
        for name in ("bartlett", "blackman", "hamming", "hanning"):
            call(name, length)
        call("kaiser", length, 8.6)
    call("kaiser", 6, 3)
    call("vander", floats(4))
    call("vander", floats(4), 2, increasing=True)
    call("vander", np.array([0, 2, 3], "int32"), 4)
    call("vander", floats(4), 0)
    y = floats(3, 4)
    call("trapezoid", y)
    call("trapezoid", y, dx=0.3, axis=0)
    call("trapezoid", y, np.array([0, 1, 3, 7], "float32"))
    call("trapezoid", y, floats(3, 4), axis=0)
    call("trapezoid", integers(3, 4, high=9))
    for mode in ("valid", "same", "full"):
        call("correlate", floats(7), floats(3), mode)
        call("correlate", floats(7), floats(4), mode)
        call("correlate", floats(3), floats(6), mode)
        call("correlate", integers(6, high=9), integers(3, high=9), mode)
    call("corrcoef", floats(3, 9))
    call("corrcoef", floats(5))
    call("cdist", floats(2, 3, 4), floats(2, 5, 4))
    call("psnr", floats(3, 4), floats(3, 4), 2.0)


def searching() -> None:
    ordered, x = np.sort(floats(9)), floats(3, 5)
    for side in ("left", "right"):
        call("searchsorted", ordered, x, side=side)
        call("searchsorted", np.array([1, 2, 2, 5], "int32"), np.array([2, 0, 9], "int32"), side=side)
    call("digitize", x, ordered)
    call("digitize", x, ordered[::-1].copy())
    call("digitize", np.array([1.0, 2.0, 0.0], "float32"), np.array([0.0, 1.0, 2.0], "float32"))
    whole = integers(4, 5, high=7)
    call("isin", whole, np.array([1, 5, 9], "int32"))
    call("isin", whole, np.array([[1], [5]], "int32"), invert=True)
    call("unique", whole)
    call("unique", whole, return_index=True, return_inverse=True, return_counts=True)
    call("unique", np.array([[1, 2], [0, 1], [1, 2]], "float32"), axis=0, return_inverse=True, return_counts=True)
    call("unique", np.array([3, 1, 3], "int32"), size=4)
    call("unique", np.array([3, 1, 3], "int32"), size=4, fill_value=-1, return_index=True, return_counts=True)
    call("unique", np.array([3, 1, 3, 2], "int32"), size=2, return_counts=True)
    call("bincount", whole[0])
    call("bincount", whole[0], minlength=9)
    call("bincount", whole[0], weights=floats(5))
    call("bincount", whole, minlength=7)
    call("bincount", whole, weights=floats(4, 5), minlength=7)
    call("histogram", x.ravel())
    call("histogram", x.ravel(), 4, (-1.0, 1.0))
    call("histogram", whole.ravel(), 7)
    call("histogram", np.ones(3, "float32"), 2)


def neighbours() -> None:
    call("nextafter", floats(3, 4), floats(4))
    call("nextafter", np.array([1, np.nan, 3], "float32"), np.array([np.inf, 0, 3], "float32"))


for _family in (
    activations, crossentropies, windows, normalization, indexing, arrays, contraction, special, bits, nan_reductions,
    quantiles, arrangement, sequences, searching, neighbours,
):  # fmt: skip
    _family()
