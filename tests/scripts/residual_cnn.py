"""A small residual network of blocks that are layers of their own, with batch normalization."""

import keras
from keras import layers
from keras.regularizers import l2
from made_data import shapes

keras.utils.set_random_seed(1)


@keras.saving.register_keras_serializable(package="scripts")
class ResidualBlock(layers.Layer):
    def __init__(self, filters, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.strides = strides
        self.conv1 = layers.Conv2D(
            filters, 3, strides, padding="same", use_bias=False, kernel_initializer="he_normal",
            kernel_regularizer=l2(1e-4),
        )  # fmt: skip
        self.bn1 = layers.BatchNormalization(momentum=0.9)
        self.conv2 = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")
        self.bn2 = layers.BatchNormalization(momentum=0.9)
        self.shortcut = layers.Conv2D(filters, 1, strides) if strides > 1 else None

    def call(self, inputs, training=None):
        x = keras.activations.relu(self.bn1(self.conv1(inputs), training=training))
        x = self.bn2(self.conv2(x), training=training)
        shortcut = inputs if self.shortcut is None else self.shortcut(inputs)
        return keras.activations.relu(x + shortcut)

    def get_config(self):
        config = super().get_config()
        config.update({"filters": self.filters, "strides": self.strides})
        return config


x, y = shapes(1000)
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]

inputs = keras.Input(shape=x.shape[1:])
h = layers.Rescaling(1.0 / 127.5, offset=-1)(inputs)
h = layers.Conv2D(12, 3, padding="same", activation="relu")(h)
h = ResidualBlock(12)(h)
h = ResidualBlock(24, strides=2)(h)
h = ResidualBlock(24)(h)
h = layers.GlobalAveragePooling2D()(h)
outputs = layers.Dense(4, activation="softmax")(h)
model = keras.Model(inputs, outputs)
model.summary()

model.compile(
    loss="sparse_categorical_crossentropy",
    optimizer=keras.optimizers.SGD(learning_rate=0.03, momentum=0.9, nesterov=True),
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=32, epochs=7, verbose=2, validation_data=(x_test, y_test))
model.save("residual.h5")
again = keras.models.load_model("residual.h5")
print(again.evaluate(x_test, y_test, verbose=0)[1])
