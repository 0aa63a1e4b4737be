"""Constraints: what they make of a weight."""

from typing import Any

import keras

from .running import as_json, generator, normal, plain

CONSTRAINTS: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MaxNorm", {"max_value": 1.0, "axis": [0, 1, 2]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.0, "max_value": 2.0, "rate": 0.5, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1, 2]}),
]


def make() -> list[dict[str, Any]]:
    """Every constraint on a kernel of a convolution, and on a matrix where its axes are there."""
    found = []
    for class_, kwargs in CONSTRAINTS:
        for shape in [(3, 3, 2, 4)] if isinstance(kwargs.get("axis"), list) else [(4, 5), (3, 3, 2, 4)]:
            constraint = getattr(keras.constraints, class_)(**kwargs)
            name = f"{class_}-{len(found):02d}"
            w = normal(generator(name), *shape)
            found.append(
                {
                    "name": name,
                    "class": class_,
                    "kwargs": kwargs,
                    "w": w,
                    "value": plain(constraint(keras.ops.convert_to_tensor(w))),
                    "config": as_json(constraint.get_config()),
                }
            )
    return found
