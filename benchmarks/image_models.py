"""Image and signal models as they are trained on CPUs; `python -m benchmarks.images` times them.

`keras` is whichever package is timed: the scripts are the same for all. Each function returns the model, what compile
gets, and the shapes of a sample's input and target; a target of shape () is a label.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

Shape = tuple[int, ...]
Built = tuple[Any, dict[str, Any], Shape, Shape]
CLASSES = 10


def _classifier(keras: ModuleType, inputs: Any, features: Any) -> Built:
    outputs = keras.layers.Dense(CLASSES, activation="softmax")(features)
    options = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    return keras.Model(inputs, outputs), options, tuple(inputs.shape[1:]), ()


def lenet(keras: ModuleType) -> Built:
    """LeNet with relu and max pooling on 28 x 28."""
    layers = keras.layers
    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(6, 5, padding="same", activation="relu")(inputs)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(16, 5, activation="relu")(x)
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    x = layers.Dense(84, activation="relu")(layers.Dense(120, activation="relu")(x))
    return _classifier(keras, inputs, x)


def mnist(keras: ModuleType) -> Built:
    """Two convolutions, two poolings, two dense layers with dropout on 28 x 28."""
    layers = keras.layers
    inputs = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(inputs))
    x = layers.MaxPooling2D()(layers.Conv2D(64, 3, activation="relu")(x))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return _classifier(keras, inputs, layers.Dropout(0.5)(x))


def vgg(keras: ModuleType) -> Built:
    """Three pairs of convolutions with batch normalization, pooling and dropout on 32 x 32."""
    layers = keras.layers
    inputs = x = keras.Input((32, 32, 3))
    for filters in (32, 64, 128):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = layers.BatchNormalization()(x)
        x = layers.Dropout(0.25)(layers.MaxPooling2D()(x))
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    return _classifier(keras, inputs, layers.Dropout(0.5)(x))


def _mobilenet(keras: ModuleType, size: int, first_stride: int) -> Built:
    layers = keras.layers
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(32, 3, strides=first_stride, padding="same", use_bias=False)(inputs)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    for filters, strides in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)):
        x = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
        x = layers.Conv2D(filters, 1, use_bias=False)(x)
        x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    return _classifier(keras, inputs, layers.GlobalAveragePooling2D()(x))


def mobilenet32(keras: ModuleType) -> Built:
    """Five depthwise separable blocks of MobileNet on 32 x 32."""
    return _mobilenet(keras, 32, 1)


def mobilenet96(keras: ModuleType) -> Built:
    """Five depthwise separable blocks of MobileNet on 96 x 96, its first convolution with stride 2."""
    return _mobilenet(keras, 96, 2)


def xception(keras: ModuleType) -> Built:
    """Residual blocks of separable convolutions with overlapping max pooling on 64 x 64."""
    layers = keras.layers
    inputs = keras.Input((64, 64, 3))
    x = layers.Conv2D(32, 3, strides=2, padding="same")(inputs)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    for filters in (64, 128):
        y = x
        for _ in range(2):
            y = layers.SeparableConv2D(filters, 3, padding="same")(layers.Activation("relu")(y))
            y = layers.BatchNormalization()(y)
        y = layers.MaxPooling2D(3, strides=2, padding="same")(y)
        x = layers.add([y, layers.Conv2D(filters, 1, strides=2, padding="same")(x)])
    return _classifier(keras, inputs, layers.GlobalAveragePooling2D()(x))


def resnet(keras: ModuleType) -> Built:
    """ResNet-20's plan with two blocks a stage on 32 x 32: 16, 32 and 64 filters."""
    layers = keras.layers
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    for filters, first in ((16, 1), (32, 2), (64, 2)):
        for strides in (first, 1):
            y = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
            y = layers.ReLU()(layers.BatchNormalization()(y))
            y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
            y = layers.BatchNormalization()(y)
            if strides != 1:
                x = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides=strides, use_bias=False)(x))
            x = layers.ReLU()(layers.Add()([x, y]))
    return _classifier(keras, inputs, layers.GlobalAveragePooling2D()(x))


def unet(keras: ModuleType) -> Built:
    """U-Net with two levels, transposed convolutions and concatenations on 64 x 64."""
    layers = keras.layers

    def pair(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        return x

    inputs = keras.Input((64, 64, 3))
    first = pair(inputs, 16)
    second = pair(layers.MaxPooling2D()(first), 32)
    x = pair(layers.MaxPooling2D()(second), 64)
    for filters, skip in ((32, second), (16, first)):
        x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
        x = pair(layers.Concatenate()([x, skip]), filters)
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(x)
    return (
        keras.Model(inputs, outputs),
        {"optimizer": "adam", "loss": "binary_crossentropy", "metrics": ["accuracy"]},
        (64, 64, 3),
        (64, 64, 1),
    )


def autoencoder(keras: ModuleType) -> Built:
    """Convolutional autoencoder with pooling and upsampling on 28 x 28."""
    layers = keras.layers
    inputs = x = keras.Input((28, 28, 1))
    for filters in (32, 32):
        x = layers.MaxPooling2D(padding="same")(layers.Conv2D(filters, 3, activation="relu", padding="same")(x))
    for filters in (32, 32):
        x = layers.UpSampling2D()(layers.Conv2D(filters, 3, activation="relu", padding="same")(x))
    outputs = layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x)
    return (
        keras.Model(inputs, outputs),
        {"optimizer": "adam", "loss": "binary_crossentropy"},
        (28, 28, 1),
        (28, 28, 1),
    )


def _discriminator(keras: ModuleType) -> Any:
    layers = keras.layers
    inputs = x = keras.Input((28, 28, 1))
    for filters in (64, 128):
        x = layers.Conv2D(filters, 5, strides=2, padding="same")(x)
        x = layers.Dropout(0.3)(layers.LeakyReLU()(x))
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.Flatten()(x)))


def _adversary_options(keras: ModuleType) -> dict[str, Any]:
    return {"optimizer": keras.optimizers.Adam(2e-4, beta_1=0.5), "loss": "binary_crossentropy"}


def discriminator(keras: ModuleType) -> Built:
    """DCGAN's discriminator on 28 x 28: its half of a step."""
    return _discriminator(keras), _adversary_options(keras), (28, 28, 1), (1,)


def generator(keras: ModuleType) -> Built:
    """DCGAN's generator, trained through a frozen discriminator: the other half."""
    layers = keras.layers
    inputs = keras.Input((100,))
    x = layers.Dense(7 * 7 * 128, use_bias=False)(inputs)
    x = layers.Reshape((7, 7, 128))(layers.LeakyReLU()(layers.BatchNormalization()(x)))
    for filters, strides in ((64, 1), (32, 2)):
        x = layers.Conv2DTranspose(filters, 5, strides=strides, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh")(x)
    critic = _discriminator(keras)
    critic.trainable = False
    return keras.Model(inputs, critic(x)), _adversary_options(keras), (100,), (1,)


def vae(keras: ModuleType) -> Built:
    """Convolutional variational autoencoder on 28 x 28 with a sampling layer that adds the divergence as a loss."""
    layers, ops = keras.layers, keras.ops

    class Sampling(layers.Layer):
        def __init__(self, **options: Any):
            super().__init__(**options)
            self.seed_generator = keras.random.SeedGenerator(1)

        def call(self, inputs: Any) -> Any:
            mean, log_variance = inputs
            divergence = -0.5 * ops.sum(1 + log_variance - ops.square(mean) - ops.exp(log_variance), axis=1)
            self.add_loss(0.001 * ops.mean(divergence))
            noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
            return mean + ops.exp(0.5 * log_variance) * noise

    inputs = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 3, activation="relu", strides=2, padding="same")(inputs)
    x = layers.Conv2D(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
    x = Sampling()([layers.Dense(2)(x), layers.Dense(2)(x)])
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu")(x))
    x = layers.Conv2DTranspose(64, 3, activation="relu", strides=2, padding="same")(x)
    x = layers.Conv2DTranspose(32, 3, activation="relu", strides=2, padding="same")(x)
    outputs = layers.Conv2DTranspose(1, 3, activation="sigmoid", padding="same")(x)
    return (
        keras.Model(inputs, outputs),
        {"optimizer": "adam", "loss": "binary_crossentropy"},
        (28, 28, 1),
        (28, 28, 1),
    )


def siamese(keras: ModuleType) -> Built:
    """One tower of convolutions on both halves of a 28 x 56 image, compared by distance."""
    layers = keras.layers
    image = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D()(layers.Conv2D(32, 3, activation="relu")(image))
    x = layers.MaxPooling2D()(layers.Conv2D(64, 3, activation="relu")(x))
    tower = keras.Model(image, layers.Dense(64)(layers.GlobalAveragePooling2D()(x)))
    inputs = keras.Input((28, 56, 1))
    left = tower(layers.Cropping2D(((0, 0), (0, 28)))(inputs))
    right = tower(layers.Cropping2D(((0, 0), (28, 0)))(inputs))
    distance = keras.ops.abs(left - right)
    outputs = layers.Dense(1, activation="sigmoid")(distance)
    return keras.Model(inputs, outputs), {"optimizer": "adam", "loss": "binary_crossentropy"}, (28, 56, 1), (1,)


def volumes(keras: ModuleType) -> Built:
    """Two three-dimensional convolutions with pooling on 16 x 16 x 16."""
    layers = keras.layers
    inputs = keras.Input((16, 16, 16, 1))
    x = layers.MaxPooling3D()(layers.Conv3D(16, 3, activation="relu", padding="same")(inputs))
    x = layers.MaxPooling3D()(layers.Conv3D(32, 3, activation="relu", padding="same")(x))
    return _classifier(keras, inputs, layers.GlobalAveragePooling3D()(x))


def signals(keras: ModuleType) -> Built:
    """Three one-dimensional convolutions with batch normalization and pooling on 500 samples of 8 channels."""
    layers = keras.layers
    inputs = x = keras.Input((500, 8))
    for filters in (32, 64, 128):
        x = layers.Conv1D(filters, 7, padding="same")(x)
        x = layers.MaxPooling1D()(layers.ReLU()(layers.BatchNormalization()(x)))
    return _classifier(keras, inputs, layers.Dropout(0.3)(layers.GlobalAveragePooling1D()(x)))


def efficientnet(keras: ModuleType) -> Built:
    """Inverted bottlenecks with squeeze and excitation and swish on 32 x 32."""
    layers = keras.layers

    def normalized(x: Any, swish: bool = True) -> Any:
        x = layers.BatchNormalization()(x)
        return layers.Activation("swish")(x) if swish else x

    inputs = keras.Input((32, 32, 3))
    x = normalized(layers.Conv2D(16, 3, strides=1, padding="same", use_bias=False)(inputs))
    for filters, strides in ((16, 1), (24, 2), (24, 1), (40, 2)):
        skip, channels = x, x.shape[-1] * 4
        x = normalized(layers.Conv2D(channels, 1, use_bias=False)(x))
        x = normalized(layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x))
        scale = layers.Reshape((1, 1, channels))(layers.GlobalAveragePooling2D()(x))
        scale = layers.Dense(channels // 16, activation="swish")(scale)
        x = layers.Multiply()([x, layers.Dense(channels, activation="sigmoid")(scale)])
        x = normalized(layers.Conv2D(filters, 1, use_bias=False)(x), swish=False)
        if skip.shape[1:] == x.shape[1:]:
            x = layers.Add()([skip, x])
    return _classifier(keras, inputs, layers.GlobalAveragePooling2D()(x))


# Name -> (model, batch size of training).
IMAGE_MODELS: dict[str, tuple[Callable[[ModuleType], Built], int]] = {
    "lenet/32": (lenet, 32),
    "lenet/128": (lenet, 128),
    "mnist/32": (mnist, 32),
    "mnist/128": (mnist, 128),
    "vgg": (vgg, 32),
    "mobilenet32": (mobilenet32, 32),
    "mobilenet96": (mobilenet96, 16),
    "xception": (xception, 32),
    "resnet": (resnet, 32),
    "unet": (unet, 8),
    "autoencoder": (autoencoder, 128),
    "discriminator": (discriminator, 64),
    "generator": (generator, 64),
    "vae": (vae, 128),
    "siamese": (siamese, 64),
    "volumes": (volumes, 16),
    "signals": (signals, 32),
    "efficientnet": (efficientnet, 32),
}
