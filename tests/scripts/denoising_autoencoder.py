"""A convolutional autoencoder that takes noise off pictures."""

import numpy as np
from made_data import digits
from tensorflow.keras.layers import Conv2D, Conv2DTranspose, Dense, Flatten, Input, Reshape
from tensorflow.keras.models import Model
from tensorflow.keras import backend as K
from tensorflow.keras.utils import set_random_seed

set_random_seed(1337)
image_size = 16
latent_dim = 24
layer_filters = [8, 16]

(x_train, _), (x_test, _) = digits(1200, 200, size=image_size)
x_train = np.reshape(x_train, [-1, image_size, image_size, 1]).astype("float32") / 255
x_test = np.reshape(x_test, [-1, image_size, image_size, 1]).astype("float32") / 255
np.random.seed(1337)
x_train_noisy = np.clip(x_train + np.random.normal(0.0, 0.4, x_train.shape), 0.0, 1.0)
x_test_noisy = np.clip(x_test + np.random.normal(0.0, 0.4, x_test.shape), 0.0, 1.0)

inputs = Input(shape=(image_size, image_size, 1), name="encoder_input")
x = inputs
for filters in layer_filters:
    x = Conv2D(filters=filters, kernel_size=3, strides=2, activation="relu", padding="same")(x)
shape = K.int_shape(x)
x = Flatten()(x)
latent = Dense(latent_dim, name="latent_vector")(x)
encoder = Model(inputs, latent, name="encoder")
encoder.summary()

latent_inputs = Input(shape=(latent_dim,), name="decoder_input")
x = Dense(shape[1] * shape[2] * shape[3])(latent_inputs)
x = Reshape((shape[1], shape[2], shape[3]))(x)
for filters in layer_filters[::-1]:
    x = Conv2DTranspose(filters=filters, kernel_size=3, strides=2, activation="relu", padding="same")(x)
outputs = Conv2DTranspose(filters=1, kernel_size=3, padding="same", activation="sigmoid", name="decoder_output")(x)
decoder = Model(latent_inputs, outputs, name="decoder")
decoder.summary()

autoencoder = Model(inputs, decoder(encoder(inputs)), name="autoencoder")
autoencoder.compile(loss="mse", optimizer="adam")
autoencoder.fit(x_train_noisy, x_train, validation_data=(x_test_noisy, x_test), epochs=10, batch_size=32, verbose=2)

x_decoded = autoencoder.predict(x_test_noisy)
print("noise before:", np.mean((x_test_noisy - x_test) ** 2))
print(float(np.mean((x_decoded - x_test) ** 2)))
