"""Initializers: exact values where they are not random, else fans, limits and statistics of large draws."""

import math
from typing import Any

import keras
import numpy as np
from keras.src.initializers.random_initializers import compute_fans

from .running import as_json, plain

# Dense, Conv2D, DepthwiseConv2D and Conv1D kernels, Embedding, and the odd ranks.
SHAPES = ((784, 64), (64, 10), (3, 3, 32, 64), (3, 3, 64, 1), (5, 16, 32), (1000, 16), (4096,), (2, 3, 3, 16, 32))
NAMED = "GlorotUniform GlorotNormal HeNormal HeUniform LecunNormal LecunUniform".split()
SCALES = {"GlorotUniform": (1, "fan_avg"), "GlorotNormal": (1, "fan_avg"), "HeNormal": (2, "fan_in")}
SCALES |= {"HeUniform": (2, "fan_in"), "LecunNormal": (1, "fan_in"), "LecunUniform": (1, "fan_in")}
VARIANCE_SCALING = [
    {"scale": scale, "mode": mode, "distribution": distribution}
    for mode in ("fan_in", "fan_out", "fan_avg")
    for scale, distribution in ((1.0, "truncated_normal"), (2.0, "untruncated_normal"), (0.5, "uniform"))
]
RANDOM: list[tuple[str, dict[str, Any]]] = [
    ("RandomNormal", {}),
    ("RandomNormal", {"mean": 1.0, "stddev": 0.2}),
    ("RandomUniform", {}),
    ("RandomUniform", {"minval": 0.0, "maxval": 3.0}),
    ("TruncatedNormal", {}),
    ("TruncatedNormal", {"mean": 1.0, "stddev": 2.0}),
]
FIXED: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("Zeros", {}, (2, 3)),
    ("Ones", {}, (2, 3)),
    ("Constant", {}, (2, 3)),
    ("Constant", {"value": 0.3}, (2, 3)),
    ("Identity", {}, (3, 3)),
    ("Identity", {"gain": 0.5}, (2, 4)),
    ("STFT", {"side": "real", "window": "hann"}, (16, 1, 9)),
    ("STFT", {"side": "imag", "window": None, "scaling": "density", "periodic": True}, (8, 1, 5)),
]


def _expected(kwargs: dict[str, Any], fans: tuple[float, float]) -> dict[str, float]:
    """The documented limit (uniform) or standard deviation of the normal before truncation (normal)."""
    size = {"fan_in": fans[0], "fan_out": fans[1], "fan_avg": sum(fans) / 2}[kwargs["mode"]]
    variance = kwargs["scale"] / max(1.0, size)
    if kwargs["distribution"] == "uniform":
        return {"limit": math.sqrt(3 * variance)}
    truncation = 0.87962566103423978 if kwargs["distribution"] == "truncated_normal" else 1.0
    return {"stddev": math.sqrt(variance) / truncation}


def _case(class_: str, kwargs: dict[str, Any], shape: tuple[int, ...], expected: dict[str, float]) -> dict[str, Any]:
    initializer = getattr(keras.initializers, class_)(**kwargs, seed=1)
    values = plain(initializer(shape)).astype("float64")
    return {
        "class": class_,
        "kwargs": kwargs,
        "shape": list(shape),
        "fans": [float(fan) for fan in compute_fans(shape)],
        **expected,
        "sampled": {
            "mean": float(values.mean()),
            "stddev": float(values.std()),
            "minimum": float(values.min()),
            "maximum": float(values.max()),
        },
        "config": as_json(initializer.get_config()),
        "serialized": as_json(keras.initializers.serialize(initializer)),
    }


def _orthogonal(shape: tuple[int, ...], gain: float) -> dict[str, Any]:
    initializer = keras.initializers.Orthogonal(gain=gain, seed=1)
    matrix = plain(initializer(shape)).reshape(-1, shape[-1])
    matrix = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T
    case = _case("Orthogonal", {"gain": gain}, shape, {})
    # Which side is orthonormal, and to what multiple.
    return {**case, "gram_diagonal": float(np.diag(matrix.T @ matrix).mean())}


def make() -> list[dict[str, Any]]:
    """Fixed values (key "value"), then random ones (key "sampled"); names are the string forms Keras accepts."""
    found = []
    for class_, kwargs, shape in FIXED:
        initializer = getattr(keras.initializers, class_)(**kwargs)
        value = plain(initializer(shape))
        config = as_json(initializer.get_config())
        found.append({"class": class_, "kwargs": kwargs, "shape": list(shape), "value": value, "config": config})
    for shape in SHAPES:
        for class_ in NAMED:
            scale, mode = SCALES[class_]
            distribution = "uniform" if class_.endswith("Uniform") else "truncated_normal"
            full = {"scale": scale, "mode": mode, "distribution": distribution}
            found.append(_case(class_, {}, shape, _expected(full, compute_fans(shape))))
        for kwargs in VARIANCE_SCALING:
            found.append(_case("VarianceScaling", kwargs, shape, _expected(kwargs, compute_fans(shape))))
    found += [_case(class_, kwargs, (100, 50), {}) for class_, kwargs in RANDOM]
    found += [_orthogonal(shape, gain) for shape in ((6, 6), (8, 3), (3, 8), (3, 3, 2, 4)) for gain in (1.0, 2.0)]
    for index, case in enumerate(found):
        case["name"] = f"{case['class']}-{index:03d}"
    return found
