"""A training loop written out, with a tape, a compiled step and metrics."""

import time

import numpy as np
import tensorflow as tf
from made_data import digits
from tensorflow import keras

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = digits(2000, 400, size=16)
x_train = np.reshape(x_train, (-1, 256)).astype("float32") / 255
x_test = np.reshape(x_test, (-1, 256)).astype("float32") / 255

inputs = keras.Input(shape=(256,), name="digits")
x = keras.layers.Dense(96, activation="relu")(inputs)
x = keras.layers.Dropout(0.1)(x)
x = keras.layers.Dense(96, activation="relu")(x)
outputs = keras.layers.Dense(10, name="predictions")(x)
model = keras.Model(inputs=inputs, outputs=outputs)

optimizer = keras.optimizers.Adam(learning_rate=2e-3)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
train_acc_metric = keras.metrics.SparseCategoricalAccuracy()
val_acc_metric = keras.metrics.SparseCategoricalAccuracy()


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss_value = loss_fn(y, logits)
    grads = tape.gradient(loss_value, model.trainable_weights)
    optimizer.apply_gradients(zip(grads, model.trainable_weights))
    train_acc_metric.update_state(y, logits)
    return loss_value


@tf.function
def test_step(x, y):
    val_acc_metric.update_state(y, model(x, training=False))


batch_size = 40
for epoch in range(10):
    start_time = time.time()
    order = np.random.permutation(len(x_train))
    for step in range(len(x_train) // batch_size):
        rows = order[step * batch_size : (step + 1) * batch_size]
        loss_value = train_step(tf.constant(x_train[rows]), tf.constant(y_train[rows]))
    print("Epoch %d: loss %.4f, accuracy %.4f" % (epoch, float(loss_value), float(train_acc_metric.result())))
    train_acc_metric.reset_state()
    for start in range(0, len(x_test), batch_size):
        test_step(tf.constant(x_test[start : start + batch_size]), tf.constant(y_test[start : start + batch_size]))
    val_acc = val_acc_metric.result()
    val_acc_metric.reset_state()
    print("Validation acc: %.4f, time taken: %.2fs" % (float(val_acc), time.time() - start_time))
print(float(val_acc))
