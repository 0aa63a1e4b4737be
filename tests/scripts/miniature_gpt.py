"""A causal Transformer that predicts the next token, with beginnings written on by a callback."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(0)
vocab_size, maxlen, embed_dim, num_heads, feed_forward_dim = 10, 12, 32, 2, 48


class TransformerBlock(layers.Layer):
    def __init__(self, embed_dim, num_heads, ff_dim, rate=0.0):
        super().__init__()
        self.att = layers.MultiHeadAttention(num_heads, embed_dim // num_heads)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation="gelu"), layers.Dense(embed_dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)

    def call(self, inputs):
        attention_output = self.att(inputs, inputs, use_causal_mask=True)
        out1 = self.layernorm1(inputs + attention_output)
        return self.layernorm2(out1 + self.ffn(out1))


class PositionalEmbedding(layers.Layer):
    """Embeddings of tokens plus waves of their places."""

    def __init__(self, length, vocab_size, dim):
        super().__init__()
        self.tokens = layers.Embedding(vocab_size, dim)
        angles = np.arange(length)[:, None] / 100 ** (np.arange(dim)[None] // 2 * 2 / dim)
        self.waves = np.where(np.arange(dim) % 2 == 0, np.sin(angles), np.cos(angles)).astype("float32")

    def call(self, x):
        return self.tokens(x) + self.waves[: ops.shape(x)[1]]


class TextGenerator(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        tokens = [3, 4]
        while len(tokens) < 8:
            start = np.array([tokens + [0] * (maxlen - len(tokens))])
            tokens.append(int(np.argmax(self.model.predict(start, verbose=0)[0, len(tokens) - 1])))
        print("generated:", tokens)


inputs = layers.Input(shape=(maxlen,), dtype="int32")
x = PositionalEmbedding(maxlen, vocab_size, embed_dim)(inputs)
x = TransformerBlock(embed_dim, num_heads, feed_forward_dim)(x)
x = TransformerBlock(embed_dim, num_heads, feed_forward_dim)(x)
model = keras.Model(inputs=inputs, outputs=layers.Dense(vocab_size)(x))
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.004), loss=loss_fn, metrics=["accuracy"])

# Each token is the sum of the two before it, modulo the size of the vocabulary.
rng = np.random.default_rng(0)
data = rng.integers(0, vocab_size, (1200, maxlen + 1))
for t in range(2, maxlen + 1):
    data[:, t] = (data[:, t - 1] + data[:, t - 2]) % vocab_size
model.fit(data[:1000, :-1], data[:1000, 1:], batch_size=32, epochs=12, verbose=2, callbacks=[TextGenerator()])
predictions = np.argmax(model.predict(data[1000:, :-1], verbose=0), axis=-1)
print(float(np.mean(predictions[:, 1:] == data[1000:, 2:])))
