"""Convolutions, pooling, cropping, noise and wrappers: outputs, gradients, state, configs, as of attention's layers.

TensorFlow has few operations with channels first on a CPU: record with `--alone`, on JAX.
"""

from typing import Any

from .attention_layers import FIRST, IMAGES, STEPS, VOLUMES, Row, _row, cases_of

CONVOLVED = {"filters": 3, "kernel_size": 3}
SEPARABLE = {**CONVOLVED, "depth_multiplier": 2}
DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3, "name": "inside"}}

ROWS: list[Row] = [
    *(
        _row(kind, {**CONVOLVED, **more}, shapes)
        for kind, shapes in (("Conv3D", VOLUMES), ("Conv1DTranspose", STEPS), ("Conv2DTranspose", IMAGES))
        for more in (
            {},
            {"padding": "same", "activation": "relu"},
            {"strides": 2, "use_bias": False},
            {"kernel_size": 2, **FIRST},
        )
    ),
    _row("Conv3D", {"filters": 4, "kernel_size": [2, 1, 3], "groups": 2, "padding": "same"}, VOLUMES),
    _row("Conv3D", {**CONVOLVED, "kernel_size": 2, "dilation_rate": 2}, VOLUMES),
    _row("Conv1DTranspose", {**CONVOLVED, "strides": 3, "padding": "same", "output_padding": 1}, STEPS),
    _row("Conv2DTranspose", {**CONVOLVED, "kernel_size": [2, 3], "dilation_rate": 2}, IMAGES),
    _row("DepthwiseConv1D", {"kernel_size": 3}, STEPS),
    _row("DepthwiseConv1D", {"kernel_size": 2, "strides": 2, "padding": "same", "depth_multiplier": 2}, STEPS),
    _row("DepthwiseConv1D", {"kernel_size": 2, "dilation_rate": 2, "activation": "tanh"}, STEPS),
    *(
        _row(kind, {**SEPARABLE, **more}, shapes)
        for kind, shapes in (("SeparableConv1D", STEPS), ("SeparableConv2D", IMAGES))
        for more in ({}, {"padding": "same", "strides": 2}, {"use_bias": False, "activation": "relu"})
    ),
    *(
        _row(f"{kind}Pooling{rank}D", more, shapes)
        for kind in ("Max", "Average")
        for rank, shapes in ((1, STEPS), (3, VOLUMES))
        for more in ({"pool_size": 2}, {"pool_size": 3, "strides": 1, "padding": "same"}, {"pool_size": 2, **FIRST})
    ),
    *(
        _row(f"Global{kind}Pooling{rank}D", more, shapes)
        for kind in ("Max", "Average")
        for rank, shapes in ((1, STEPS), (3, VOLUMES))
        for more in ({}, {"keepdims": True}, FIRST)
    ),
    _row("Dot", {"axes": 1}, ((3, 4), (3, 4))),
    _row("Dot", {"axes": -1, "normalize": True}, ((3, 4), (3, 4))),
    _row("Dot", {"axes": [2, 1]}, ((2, 3, 4), (2, 4, 5))),
    _row("ZeroPadding1D", {"padding": [1, 2]}, STEPS),
    _row("ZeroPadding1D", {"padding": 2, **FIRST}, STEPS),
    _row("Cropping1D", {"cropping": [1, 2]}, STEPS),
    _row("Cropping2D", {"cropping": [[1, 0], [2, 1]]}, IMAGES),
    _row("Cropping2D", {"cropping": 1, **FIRST}, IMAGES),
    _row("UpSampling1D", {"size": 3}, STEPS),
    *(
        _row(kind, {"rate": 0.3}, shapes, {"training": False})
        for kind, shapes in (("SpatialDropout1D", STEPS), ("SpatialDropout2D", IMAGES), ("GaussianDropout", STEPS))
    ),
    _row("GaussianNoise", {"stddev": 0.3}, STEPS, {"training": False}),
    _row("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, STEPS),
    *(
        _row("BatchNormalization", {"renorm": True, **more}, STEPS, {"training": training})
        for training in (True, False)
        for more in (
            {},
            {"renorm_clipping": {"rmin": 0.9, "rmax": 1.1, "dmax": 0.1}, "renorm_momentum": 0.8},
            {"center": False, "scale": False, "axis": 1},
        )
    ),
    _row("SpectralNormalization", {"layer": DENSE}, ((4, 5),)),
    _row("SpectralNormalization", {"layer": DENSE, "power_iterations": 3}, ((4, 5),), {"training": True}),
]


def make() -> list[dict[str, Any]]:
    """Every row as a case; one that this backend cannot run holds its name and the error."""
    return cases_of(ROWS)
