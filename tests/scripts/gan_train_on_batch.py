"""A GAN in the old way: a stacked model whose discriminator is frozen, and train_on_batch."""

import numpy as np
from tensorflow.keras.layers import BatchNormalization, Dense, Dropout, Input, LeakyReLU
from tensorflow.keras.models import Model, Sequential
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.utils import set_random_seed

set_random_seed(3)
latent_dim = 8
data_dim = 2


def real_points(n):
    """Points around a ring of radius 2."""
    angle = np.random.uniform(0, 2 * np.pi, n)
    ring = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return (ring + np.random.normal(0, 0.05, (n, 2))).astype("float32")


def build_generator():
    model = Sequential()
    model.add(Dense(32, input_dim=latent_dim))
    model.add(LeakyReLU(negative_slope=0.2))
    model.add(BatchNormalization(momentum=0.8))
    model.add(Dense(32))
    model.add(LeakyReLU(negative_slope=0.2))
    model.add(Dense(data_dim))
    noise = Input(shape=(latent_dim,))
    return Model(noise, model(noise))


def build_discriminator():
    model = Sequential()
    model.add(Input((data_dim,)))
    model.add(Dense(48))
    model.add(LeakyReLU(negative_slope=0.2))
    model.add(Dropout(0.1))
    model.add(Dense(48))
    model.add(LeakyReLU(negative_slope=0.2))
    model.add(Dense(1, activation="sigmoid"))
    return model


discriminator = build_discriminator()
discriminator.compile(loss="binary_crossentropy", optimizer=Adam(0.002, beta_1=0.5), metrics=["accuracy"])
generator = build_generator()
z = Input(shape=(latent_dim,))
discriminator.trainable = False
combined = Model(z, discriminator(generator(z)))
combined.compile(loss="binary_crossentropy", optimizer=Adam(0.002, beta_1=0.5))

batch_size = 64
valid, fake = np.ones((batch_size, 1)), np.zeros((batch_size, 1))
for epoch in range(700):
    noise = np.random.normal(0, 1, (batch_size, latent_dim)).astype("float32")
    gen_points = generator.predict_on_batch(noise)
    discriminator.trainable = True
    d_loss_real = discriminator.train_on_batch(real_points(batch_size), valid)
    d_loss_fake = discriminator.train_on_batch(gen_points, fake)
    discriminator.trainable = False
    noise = np.random.normal(0, 1, (batch_size, latent_dim)).astype("float32")
    g_loss = combined.train_on_batch(noise, valid)
    if epoch % 100 == 0:
        print("%d [D loss: %.3f, acc.: %.1f%%] [G loss: %.3f]" % (epoch, d_loss_fake[0], 100 * d_loss_fake[1], g_loss))

points = generator.predict(np.random.normal(0, 1, (500, latent_dim)), verbose=0)
print("mean distance to the ring:")
print(float(np.mean(np.abs(np.linalg.norm(points, axis=-1) - 2))))
