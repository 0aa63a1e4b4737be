"""A wide and a deep part: crossed columns directly, the others through layers; two inputs."""

import numpy as np
from made_data import houses
from tensorflow import keras
from tensorflow.keras.layers import Concatenate, Dense, Input

keras.backend.clear_session()
keras.utils.set_random_seed(42)

x, y = houses(1500, seed=3)
mean, std = x[:1000].mean(axis=0), x[:1000].std(axis=0)
x = (x - mean) / std
X_train, X_valid, X_test = x[:1000], x[1000:1250], x[1250:]
y_train, y_valid, y_test = y[:1000], y[1000:1250], y[1250:]


class WideAndDeepModel(keras.Model):
    def __init__(self, units=30, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.hidden1 = Dense(units, activation=activation)
        self.hidden2 = Dense(units, activation=activation)
        self.main_output = Dense(1)
        self.aux_output = Dense(1)

    def call(self, inputs):
        input_A, input_B = inputs
        hidden1 = self.hidden1(input_B)
        hidden2 = self.hidden2(hidden1)
        concat = keras.layers.concatenate([input_A, hidden2])
        return self.main_output(concat), self.aux_output(hidden2)


input_A = Input(shape=[5], name="wide_input")
input_B = Input(shape=[6], name="deep_input")
hidden = Dense(30, activation="relu")(input_B)
hidden = Dense(30, activation="relu")(hidden)
output = Dense(1, name="output")(Concatenate()([input_A, hidden]))
model = keras.Model(inputs=[input_A, input_B], outputs=[output])
model.compile(loss="mse", optimizer=keras.optimizers.SGD(learning_rate=1e-3))
history = model.fit(
    (X_train[:, :5], X_train[:, 2:]), y_train, epochs=15, verbose=2,
    validation_data=((X_valid[:, :5], X_valid[:, 2:]), y_valid),
)  # fmt: skip
print("functional:", model.evaluate((X_test[:, :5], X_test[:, 2:]), y_test, verbose=0))

model = WideAndDeepModel(30, activation="relu")
model.compile(loss=["mse", "mse"], loss_weights=[0.9, 0.1], optimizer=keras.optimizers.Nadam(0.005))
model.fit(
    (X_train[:, :5], X_train[:, 2:]), (y_train, y_train), epochs=15, verbose=0,
    validation_data=((X_valid[:, :5], X_valid[:, 2:]), (y_valid, y_valid)),
)  # fmt: skip
y_pred_main, y_pred_aux = model.predict((X_test[:, :5], X_test[:, 2:]), verbose=0)
print(float(np.mean((y_pred_main[:, 0] - y_test) ** 2) ** 0.5))
