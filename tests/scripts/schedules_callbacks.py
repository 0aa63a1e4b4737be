"""Learning-rate schedules and callbacks: what they change is watched by a callback of the script's own."""

import keras
import numpy as np
from keras import layers
from keras.callbacks import Callback, CSVLogger, LearningRateScheduler, ReduceLROnPlateau, TerminateOnNaN
from made_data import houses

keras.utils.set_random_seed(2)
x, y = houses(seed=5)
x = (x - x.mean(axis=0)) / x.std(axis=0)
y = y - y.mean()


class Rates(Callback):
    """Writes down the learning rate and the loss of every epoch."""

    def on_train_begin(self, logs=None):
        self.rates, self.losses, self.batches = [], [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        self.rates.append(float(np.array(self.model.optimizer.learning_rate)))
        self.losses.append(logs.get("loss"))


def build(optimizer):
    model = keras.Sequential()
    model.add(layers.Dense(48, input_dim=8, activation="relu", kernel_initializer="he_uniform"))
    model.add(layers.Dense(48, activation="elu"))
    model.add(layers.Dense(1))
    model.compile(loss="mean_squared_error", optimizer=optimizer, metrics=["mae"])
    return model


def step_decay(epoch, lr):
    return lr * 0.5 if epoch and epoch % 4 == 0 else lr


rates = Rates()
model = build(keras.optimizers.SGD(learning_rate=0.01, momentum=0.8))
model.fit(x, y, epochs=9, verbose=0, callbacks=[LearningRateScheduler(step_decay), rates, TerminateOnNaN()])
print("step decay:", rates.rates)
np.testing.assert_allclose(rates.rates, [0.01] * 4 + [0.005] * 4 + [0.0025], rtol=1e-6)

schedule = keras.optimizers.schedules.ExponentialDecay(0.01, decay_steps=100, decay_rate=0.9, staircase=True)
model = build(keras.optimizers.Adam(learning_rate=schedule))
model.fit(x, y, epochs=5, verbose=0, callbacks=[rates])
print("exponential decay:", rates.rates, "batches:", rates.batches)
np.testing.assert_allclose(float(np.array(schedule(250))), 0.01 * 0.9**2, rtol=1e-5)

warm = keras.optimizers.schedules.CosineDecay(1e-3, decay_steps=500, warmup_target=1e-2, warmup_steps=60)
model = build(keras.optimizers.AdamW(learning_rate=warm, weight_decay=1e-4))
model.fit(x, y, epochs=10, verbose=0, validation_split=0.2, callbacks=[rates])
print("warm-up and cosine:", rates.rates)

plateau = ReduceLROnPlateau(monitor="val_loss", factor=0.3, patience=2, min_lr=1e-5, verbose=1)
model = build(keras.optimizers.RMSprop(learning_rate=0.02))
history = model.fit(
    x, y, epochs=25, verbose=0, validation_split=0.2, callbacks=[plateau, rates, CSVLogger("log.csv", append=False)]
)
print("plateaus:", sorted(set(rates.rates), reverse=True))
print("lines of the log:", len(open("log.csv").readlines()))
print(min(history.history["val_mae"]))
