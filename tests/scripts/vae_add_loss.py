"""A variational autoencoder whose divergence is a loss that a layer adds."""

import keras
from keras import layers, ops
from made_data import digits

original_dim = 144
intermediate_dim = 64
latent_dim = 4
keras.utils.set_random_seed(0)


class KLDivergenceLayer(layers.Layer):
    """Gives its input on and adds the divergence from the standard normal distribution to the loss."""

    def __init__(self, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        self.weight = weight
        self.seed_generator = keras.random.SeedGenerator(3)

    def call(self, inputs):
        mu, log_var = inputs
        divergence = -0.5 * ops.sum(1 + log_var - ops.square(mu) - ops.exp(log_var), axis=-1)
        self.add_loss(self.weight * ops.mean(divergence))
        noise = keras.random.normal(ops.shape(mu), seed=self.seed_generator)
        return mu + ops.exp(log_var / 2) * noise

    def get_config(self):
        return {**super().get_config(), "weight": self.weight}


def nll(y_true, y_pred):
    """The cross entropies of all pixels."""
    return ops.sum(keras.losses.binary_crossentropy(y_true[..., None], y_pred[..., None]), axis=-1)


x = keras.Input(shape=(original_dim,))
h = layers.Dense(intermediate_dim, activation="relu")(x)
z_mu = layers.Dense(latent_dim)(h)
z_log_var = layers.Dense(latent_dim)(h)
z = KLDivergenceLayer()([z_mu, z_log_var])
decoder = keras.Sequential(
    [
        layers.Dense(intermediate_dim, input_dim=latent_dim, activation="relu"),
        layers.Dense(original_dim, activation="sigmoid"),
    ]
)
vae = keras.Model(inputs=x, outputs=decoder(z))
vae.compile(optimizer="rmsprop", loss=nll)

(x_train, _), (x_test, _) = digits(1500, 200, size=12)
x_train = x_train.reshape(-1, original_dim) / 255.0
x_test = x_test.reshape(-1, original_dim) / 255.0
vae.fit(x_train, x_train, shuffle=True, epochs=20, batch_size=50, validation_data=(x_test, x_test), verbose=2)
print("drawn:", decoder.predict(keras.random.normal((5, latent_dim), seed=1), verbose=0).shape)
print(vae.evaluate(x_test, x_test, verbose=0))
