"""Regularizers: the penalty of a weight and its gradient."""

from typing import Any

import keras

from .running import as_json, generator, gradients, normal

REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]


def make() -> list[dict[str, Any]]:
    """Every regularizer on a matrix, and on a kernel of a convolution where it takes one."""
    found = []
    for index, (class_, kwargs) in enumerate(REGULARIZERS):
        shapes = [(4, 5)] if class_ == "OrthogonalRegularizer" else [(4, 5), (3, 3, 2, 4), (6,)]
        for shape in shapes:
            regularizer = getattr(keras.regularizers, class_)(**kwargs)
            x = normal(generator(class_, index, shape), *shape)
            value, (gradient,) = gradients(regularizer, [x])
            found.append(
                {
                    "name": f"{class_}-{len(found):02d}",
                    "class": class_,
                    "kwargs": kwargs,
                    "x": x,
                    "value": value,
                    "gradient": gradient,
                    "config": as_json(regularizer.get_config()),
                    "serialized": as_json(keras.regularizers.serialize(regularizer)),
                }
            )
    for name in ("l1", "l2", "l1l2", "L1", "orthogonal_regularizer"):
        found.append(
            {"name": f"string-{name}", "class": name, "config": as_json(keras.regularizers.get(name).get_config())}
        )
    return found
