"""A model saved as JSON and weights, and the features of its inner layers."""

import numpy as np
from made_data import digits
from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras.layers import AveragePooling2D, Conv2D, Dense, Flatten, Input
from tensorflow.keras.models import Model, model_from_json

keras.utils.set_random_seed(0)
(x_train, y_train), (x_test, y_test) = digits(1200, 300, size=16)
x_train, x_test = x_train[..., None].astype("float32") / 255, x_test[..., None].astype("float32") / 255

inputs = Input(shape=(16, 16, 1))
x = Conv2D(12, 3, activation="relu", name="block1_conv")(inputs)
x = Conv2D(12, 3, strides=2, activation="relu", name="block2_conv")(x)
x = AveragePooling2D(2, strides=1, name="pool")(x)
x = Flatten()(x)
x = Dense(48, activation="relu", name="features")(x)
outputs = Dense(10, activation="softmax")(x)
model = Model(inputs, outputs)
model.compile(loss="sparse_categorical_crossentropy", optimizer=keras.optimizers.Adam(0.003), metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=7, validation_split=0.1, verbose=2)

with open("model.json", "w") as f:
    f.write(model.to_json())
model.save_weights("model.weights.h5")
with open("model.json") as f:
    again = model_from_json(f.read())
again.load_weights("model.weights.h5")
again.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["acc"])
print("read again:", again.evaluate(x_test, y_test, verbose=0))

layer_outputs = [layer.output for layer in again.layers[1:4]]
activation_model = Model(inputs=again.input, outputs=layer_outputs)
for name, activation in zip([layer.name for layer in again.layers[1:4]], activation_model.predict(x_test[:2])):
    print(name, activation.shape, "mean", float(activation.mean()))
print("parameters:", again.count_params(), sum(K.count_params(w) for w in again.trainable_weights))

extractor = keras.Model(again.input, again.get_layer("features").output)
train_features, test_features = extractor.predict(x_train, verbose=0), extractor.predict(x_test, verbose=0)
centres = np.stack([train_features[y_train == k].mean(axis=0) for k in range(10)])
nearest = np.linalg.norm(test_features[:, None] - centres[None], axis=-1).argmin(axis=1)
print(float(np.mean(nearest == y_test)))
