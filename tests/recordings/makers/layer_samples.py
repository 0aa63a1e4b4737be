"""Which layers are recorded: class, constructor arguments, input shapes and call arguments of each case."""

from typing import Any

ACTIVATIONS = (
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear "
    "log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
    "sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold"
).split()


def _of(class_: str, *shape: int, **kwargs: Any) -> dict[str, Any]:
    return {"class": class_, "shapes": [shape], "kwargs": kwargs}


def _called(sample: dict[str, Any], **call: Any) -> dict[str, Any]:
    return {**sample, "call": call}


def _merged(class_: str, *shapes: tuple[int, ...], **kwargs: Any) -> dict[str, Any]:
    return {"class": class_, "shapes": list(shapes), "kwargs": kwargs}


DENSE = [
    _of("Dense", 4, 5, units=3),
    _of("Dense", 4, 5, units=7, use_bias=False),
    _of("Dense", 4, 5, units=6, activation="relu"),
    _of("Dense", 4, 5, units=6, activation="softmax"),
    _of("Dense", 2, 3, 5, units=4, activation="tanh"),
    _of("Dense", 2, 3, 2, 5, units=4),
    _of("Dense", 1, 1, units=1, activation="sigmoid"),
    _of("Dense", 3, 17, units=33, activation="gelu", kernel_initializer="he_normal", bias_initializer="ones"),
    _of("Dense", 4, 5, units=3, kernel_regularizer={"class_name": "L2", "config": {"l2": 0.01}}, activation="elu"),
]

CONV = [
    _of("Conv2D", 2, 6, 7, 3, filters=4, kernel_size=3),
    _of("Conv2D", 2, 6, 7, 3, filters=4, kernel_size=3, padding="same"),
    _of("Conv2D", 2, 6, 7, 3, filters=4, kernel_size=3, strides=2),
    _of("Conv2D", 2, 7, 6, 3, filters=4, kernel_size=3, strides=2, padding="same"),
    _of("Conv2D", 2, 7, 8, 3, filters=5, kernel_size=[2, 3], strides=[2, 1], padding="same", activation="relu"),
    _of("Conv2D", 2, 8, 9, 3, filters=4, kernel_size=3, dilation_rate=2),
    _of("Conv2D", 2, 8, 9, 3, filters=4, kernel_size=3, dilation_rate=[1, 2], padding="same"),
    _of("Conv2D", 2, 6, 6, 4, filters=6, kernel_size=3, groups=2, padding="same"),
    _of("Conv2D", 2, 6, 6, 4, filters=8, kernel_size=3, groups=4, use_bias=False),
    _of("Conv2D", 2, 5, 5, 3, filters=6, kernel_size=1, use_bias=False),
    _of("Conv2D", 2, 6, 6, 3, filters=6, kernel_size=1, strides=2, use_bias=False),
    _of("Conv2D", 1, 9, 9, 1, filters=8, kernel_size=5, activation="tanh"),
    _of("Conv2D", 1, 4, 4, 16, filters=16, kernel_size=3, padding="same", activation="relu"),
    _of("Conv2D", 2, 3, 3, 2, filters=2, kernel_size=4, padding="same"),
    _of("Conv2D", 2, 3, 6, 7, filters=4, kernel_size=3, padding="same", data_format="channels_first"),
    _of("Conv2D", 2, 3, 7, 6, filters=4, kernel_size=3, strides=2, data_format="channels_first", activation="relu"),
    _of("Conv1D", 2, 9, 3, filters=4, kernel_size=3),
    _of("Conv1D", 2, 9, 3, filters=4, kernel_size=3, padding="same", strides=2),
    _of("Conv1D", 2, 9, 3, filters=4, kernel_size=3, padding="causal"),
    _of("Conv1D", 2, 9, 3, filters=4, kernel_size=2, padding="causal", dilation_rate=2, activation="relu"),
    _of("Conv1D", 2, 9, 4, filters=6, kernel_size=3, groups=2, use_bias=False),
    _of("Conv1D", 2, 9, 3, filters=4, kernel_size=3, dilation_rate=3),
    _of("DepthwiseConv2D", 2, 6, 7, 3, kernel_size=3),
    _of("DepthwiseConv2D", 2, 6, 7, 3, kernel_size=3, padding="same", depth_multiplier=2),
    _of("DepthwiseConv2D", 2, 7, 7, 4, kernel_size=3, strides=2, padding="same", use_bias=False),
    _of("DepthwiseConv2D", 2, 8, 8, 3, kernel_size=[3, 2], dilation_rate=2, activation="relu"),
    _of("DepthwiseConv2D", 2, 3, 6, 7, kernel_size=3, data_format="channels_first"),
]

POOLING = [
    _of(class_, 2, 6, 7, 3, **kwargs)
    for class_ in ("MaxPooling2D", "AveragePooling2D")
    # AveragePooling2D has no default pool_size.
    for kwargs in (
        {} if class_ == "MaxPooling2D" else {"pool_size": 2},
        {"pool_size": 3},
        {"pool_size": 3, "strides": 1},
        {"pool_size": 3, "strides": 2, "padding": "same"},
        {"pool_size": [2, 3], "strides": [1, 2], "padding": "same"},
        {"pool_size": 2, "padding": "same"},
        {"pool_size": 2, "strides": 3},
        {"data_format": "channels_first", "pool_size": [2, 1]},
    )
]
POOLING += [
    _of(class_, 2, 4, 5, 3, **kwargs)
    for class_ in ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
    for kwargs in ({}, {"keepdims": True}, {"data_format": "channels_first"})
]

SHAPING = [
    _of("Flatten", 2, 3, 4),
    _of("Flatten", 2, 3, 4, 5, data_format="channels_first"),
    _of("Flatten", 3),
    _of("Flatten", 2, 3, 4, 5),
    _of("Reshape", 2, 3, 4, target_shape=[12]),
    _of("Reshape", 2, 3, 4, target_shape=[2, -1]),
    _of("Reshape", 2, 12, target_shape=[-1, 2, 2]),
    _of("Permute", 2, 3, 4, dims=[2, 1]),
    _of("Permute", 2, 3, 4, 5, dims=[3, 1, 2]),
    _of("Permute", 2, 3, 4, 5, dims=[1, 3, 2]),
    _of("RepeatVector", 2, 3, n=1),
    _of("RepeatVector", 2, 3, n=4),
    _of("ZeroPadding2D", 2, 3, 4, 2),
    _of("ZeroPadding2D", 2, 3, 4, 2, padding=2),
    _of("ZeroPadding2D", 2, 3, 4, 2, padding=[1, 3]),
    _of("ZeroPadding2D", 2, 3, 4, 2, padding=[[1, 0], [2, 3]]),
    _of("ZeroPadding2D", 2, 3, 4, 2, padding=[[1, 0], [0, 2]], data_format="channels_first"),
    _of("UpSampling2D", 2, 3, 4, 2),
    _of("UpSampling2D", 2, 3, 4, 2, size=[3, 2]),
    _of("UpSampling2D", 2, 3, 4, 2, size=2, data_format="channels_first"),
    _of("UpSampling2D", 2, 3, 4, 2, size=2, interpolation="bilinear"),
    _of("UpSampling2D", 2, 3, 4, 2, size=2, interpolation="bicubic"),
    _of("Identity", 2, 3),
    _of("Rescaling", 2, 3, 4, scale=1 / 127.5, offset=-1.0),
    _of("Rescaling", 2, 3, 4, scale=2.0),
    _of("Rescaling", 2, 3, 4, scale=[0.5, 1.0, 2.0, 4.0], offset=[0.0, 1.0, 2.0, 3.0]),
    {"class": "Embedding", "shapes": [(3, 4)], "below": 7, "kwargs": {"input_dim": 7, "output_dim": 5}},
    {"class": "Embedding", "shapes": [(6,)], "below": 3, "kwargs": {"input_dim": 3, "output_dim": 2}},
    {
        "class": "Embedding",
        "shapes": [(2, 3, 2)],
        "below": 5,
        "kwargs": {"input_dim": 5, "output_dim": 4, "mask_zero": True, "embeddings_initializer": "glorot_uniform"},
    },
    _called(_of("Dropout", 2, 3, rate=0.5), training=False),
    _called(_of("Dropout", 2, 3, 4, rate=0.2, noise_shape=[2, 1, 4], seed=7), training=False),
    _called(_of("Dropout", 2, 3, rate=0.0), training=True),
]

BATCH_NORMALIZATION = [
    _called(_of("BatchNormalization", *shape, **kwargs), training=training)
    for training in (True, False)
    for shape, kwargs in (
        ((6, 4), {}),
        ((3, 4, 5, 3), {}),
        ((3, 4, 5, 3), {"momentum": 0.9, "epsilon": 1e-5}),
        ((3, 4, 5), {"axis": 1}),
        ((3, 4, 5), {"center": False}),
        ((3, 4, 5), {"scale": False, "epsilon": 0.1}),
        ((3, 4, 5), {"center": False, "scale": False, "momentum": 0.5}),
    )
]
BATCH_NORMALIZATION += [
    _called(_of("BatchNormalization", 6, 4, trainable=False), training=True),
    _called({**_of("BatchNormalization", 8, 3), "scale": 100}, training=True),
]

LAYER_NORMALIZATION = [
    _of("LayerNormalization", 3, 5),
    _of("LayerNormalization", 2, 3, 5),
    _of("LayerNormalization", 2, 3, 5, axis=[1, 2]),
    _of("LayerNormalization", 2, 3, 5, axis=1, epsilon=1e-5),
    _of("LayerNormalization", 2, 3, 5, center=False),
    _of("LayerNormalization", 2, 3, 5, scale=False),
    _of("LayerNormalization", 2, 3, 5, center=False, scale=False, epsilon=0.1),
    _of("LayerNormalization", 2, 3, 5, 4, axis=[-1, 1]),
]

# All but the one whose arguments have no defaults.
ACTIVATION = [{**_of("Activation", 3, 6, activation=name), "scale": 3} for name in ACTIVATIONS if name != "threshold"]
ACTIVATION += [
    {**_of(class_, 2, 3, 4, **kwargs), "scale": 3}
    for class_, variations in {
        "ReLU": (
            {},
            {"max_value": 2.0},
            {"negative_slope": 0.1},
            {"threshold": 1.0},
            {"max_value": 3.0, "negative_slope": 0.2, "threshold": 0.5},
        ),
        "LeakyReLU": ({}, {"negative_slope": 0.1}, {"negative_slope": 0.0}),
        "ELU": ({}, {"alpha": 0.5}, {"alpha": 2.0}),
        "PReLU": ({}, {"shared_axes": [1]}, {"shared_axes": [1, 2]}, {"alpha_initializer": "ones"}),
        "Softmax": ({}, {"axis": 1}, {"axis": [1, 2]}),
    }.items()
    for kwargs in variations
]

MERGE = [
    _merged(class_, *shapes)
    for class_ in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
    for shapes in (
        ((2, 3), (2, 3)),
        ((2, 3, 4), (2, 1, 4)),
        ((2, 3, 4), (2, 4)),
        ((2, 3), (2, 3), (2, 3)),
    )
    if class_ != "Subtract" or len(shapes) == 2
]
MERGE += [
    _merged("Concatenate", (2, 3), (2, 4)),
    _merged("Concatenate", (2, 3, 4), (2, 1, 4), axis=1),
    _merged("Concatenate", (2, 3, 4), (1, 3, 4), axis=0),
    _merged("Concatenate", (2, 3, 4, 1), (2, 3, 4, 2), (2, 3, 4, 3), axis=-1),
]

SAMPLES: list[dict[str, Any]] = [
    *DENSE,
    *CONV,
    *POOLING,
    *SHAPING,
    *BATCH_NORMALIZATION,
    *LAYER_NORMALIZATION,
    *ACTIVATION,
    *MERGE,
]
