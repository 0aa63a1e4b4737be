"""Activations on a grid that reaches large magnitudes, with the gradient of sum(output * r)."""

from typing import Any

import keras
import numpy as np

from .layer_samples import ACTIVATIONS
from .running import generator, gradients, normal, plain

GRID = np.array(
    [
        [0.0, -1e-6, 1e-6, -0.01, 0.01, -0.1, 0.1, 0.25],
        [-0.25, 0.499, -0.499, 0.75, -0.75, 0.999, -0.999, 1.25],
        [-1.25, 1.5, -1.5, 2.0, -2.0, 2.4, -2.4, 2.9],
        [-2.9, 3.1, -3.1, 4.5, -4.5, 5.9, -5.9, 6.1],
        [8.0, -8.0, 12.0, -12.0, 17.0, -17.0, 30.0, -30.0],
        [50.0, -50.0, 87.0, -87.0, 100.0, -100.0, 1000.0, -1000.0],
    ],
    "float32",
)
SPECIAL = np.array([[np.nan, np.inf, -np.inf, -0.0], [1.0, -1.0, 0.5, 2.0]], "float32")
VARIATIONS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"threshold": 1.0}),
    ("relu", {"negative_slope": 0.2, "max_value": 3.0, "threshold": 0.5}),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("elu", {"alpha": 0.5}),
    ("celu", {"alpha": 0.5}),
    ("gelu", {"approximate": True}),
    ("softmax", {"axis": 0}),
    ("log_softmax", {"axis": 0}),
    ("glu", {"axis": 0}),
    ("squareplus", {"b": 2}),
    ("threshold", {"threshold": 0.5, "default_value": 20.0}),
    ("hard_shrink", {"threshold": 1.0}),
    ("soft_shrink", {"threshold": 1.0}),
    ("sparsemax", {"axis": 0}),
]


def make() -> list[dict[str, Any]]:
    """Every built-in name with its defaults, then the variations of arguments."""
    defaults = {"threshold": {"threshold": 1.0, "default_value": 0.0}}
    found = []
    for index, (name, kwargs) in enumerate([(name, defaults.get(name, {})) for name in ACTIVATIONS] + VARIATIONS):
        function = getattr(keras.activations, name)
        r = normal(generator(name, "r"), *np.shape(plain(function(GRID, **kwargs))))
        value, _ = gradients(lambda x, function=function, kwargs=kwargs: function(x, **kwargs), [GRID])
        _, (gradient,) = gradients(lambda x, function=function, kwargs=kwargs, r=r: function(x, **kwargs) * r, [GRID])
        found.append(
            {
                "name": f"{name}-{index:02d}",
                "function": name,
                "kwargs": kwargs,
                "x": GRID,
                "value": value,
                "r": r,
                "gradient": gradient,
                "special": SPECIAL,
                "special_value": plain(function(keras.ops.convert_to_tensor(SPECIAL), **kwargs)),
                "serialized": keras.activations.serialize(function),
            }
        )
    return found
