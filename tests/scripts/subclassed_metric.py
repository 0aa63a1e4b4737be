"""A subclassed model with a metric and a loss of the script's own."""

import keras
import numpy as np
from keras import layers, ops
from made_data import shapes

keras.utils.set_random_seed(9)


class MacroRecall(keras.metrics.Metric):
    """The mean over the classes of the share of each that was found."""

    def __init__(self, num_classes, name="macro_recall", **kwargs):
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.found = self.add_weight(name="found", shape=(num_classes,), initializer="zeros")
        self.seen = self.add_weight(name="seen", shape=(num_classes,), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = ops.cast(ops.reshape(y_true, (-1,)), "int32")
        right = ops.cast(ops.equal(y_true, ops.cast(ops.argmax(y_pred, axis=-1), "int32")), "float32")
        hot = ops.one_hot(y_true, self.num_classes)
        self.found.assign_add(ops.sum(hot * right[:, None], axis=0))
        self.seen.assign_add(ops.sum(hot, axis=0))

    def result(self):
        return ops.mean(self.found / ops.maximum(self.seen, 1.0))


class SmoothedCrossentropy(keras.losses.Loss):
    def __init__(self, smoothing=0.1, name="smoothed_crossentropy"):
        super().__init__(name=name)
        self.smoothing = smoothing

    def call(self, y_true, y_pred):
        hot = ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), ops.shape(y_pred)[-1])
        return keras.losses.categorical_crossentropy(hot, y_pred, label_smoothing=self.smoothing)


class MiniNet(keras.Model):
    def __init__(self, num_classes):
        super().__init__()
        self.convolutions = [layers.Conv2D(f, 3, strides=2, activation="relu", padding="same") for f in (16, 32)]
        self.norm = layers.LayerNormalization()
        self.pool = layers.Flatten()
        self.dropout = layers.Dropout(0.2)
        self.classifier = layers.Dense(num_classes, activation="softmax")

    def call(self, inputs, training=False):
        x = inputs / 255.0
        for convolution in self.convolutions:
            x = convolution(x)
        x = self.dropout(self.norm(self.pool(x)), training=training)
        return self.classifier(x)


x, y = shapes(1000, seed=4)
model = MiniNet(4)
model.compile("adam", loss=SmoothedCrossentropy(0.05), metrics=["accuracy", MacroRecall(4)])
model.fit(x[:800], y[:800], epochs=10, batch_size=32, validation_data=(x[800:], y[800:]), verbose=2)
model.summary()
results = model.evaluate(x[800:], y[800:], verbose=0, return_dict=True)
recall = np.mean([np.mean(np.argmax(model.predict(x[800:], verbose=0), -1)[y[800:] == k] == k) for k in range(4)])
print("by hand:", float(recall), "by the metric:", results["macro_recall"])
np.testing.assert_allclose(recall, results["macro_recall"], atol=1e-4)
print(results["macro_recall"])
