"""The parts of a Transformer that both text tasks use, as Keras' examples write them."""

import re
from pydoc_data.topics import topics

import keras
from keras import layers, ops


def pages():
    """The texts of Python's own reference that `help()` shows, a name and a text each: every Python has them."""
    return sorted(topics.items())


def words(text):
    return re.findall(r"[a-z_]+|[0-9]+|[^\sa-z0-9]", text.lower())


class TokenAndPositionEmbedding(layers.Layer):
    """Tokens int32 [batch, time] to vectors float32 [batch, time, units]."""

    def __init__(self, length, tokens, units, **kwargs):
        super().__init__(**kwargs)
        self.token_embedding = layers.Embedding(tokens, units)
        self.position_embedding = layers.Embedding(length, units)

    def call(self, x):
        return self.token_embedding(x) + self.position_embedding(ops.arange(x.shape[-1]))


class TransformerBlock(layers.Layer):
    """Attention and two dense layers, each after a layer normalization and around it a sum."""

    def __init__(self, heads, units, inner, causal=False, **kwargs):
        super().__init__(**kwargs)
        self.causal = causal
        self.norm = [layers.LayerNormalization(epsilon=1e-6), layers.LayerNormalization(epsilon=1e-6)]
        self.attention = layers.MultiHeadAttention(heads, units // heads)
        self.dense = keras.Sequential([layers.Dense(inner, activation="gelu"), layers.Dense(units)])

    def call(self, x):
        y = self.norm[0](x)
        x = x + self.attention(y, y, use_causal_mask=self.causal)
        return x + self.dense(self.norm[1](x))
