"""Vectors of words from the words beside them: skip-grams with negative samples."""

import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import Dot, Embedding, Input, Reshape
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.sequence import make_sampling_table, skipgrams
from tensorflow.keras.preprocessing.text import Tokenizer

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
groups = [["apple", "pear", "plum", "grape"], ["car", "bus", "train", "bike"], ["red", "green", "blue", "pink"]]
texts = [" ".join(rng.choice(groups[i % 3], 8)) for i in range(240)]

tokenizer = Tokenizer()
tokenizer.fit_on_texts(texts)
V = len(tokenizer.word_index) + 1
table = make_sampling_table(V, sampling_factor=0.01)
print("words:", V - 1, "chance of the most frequent one:", table[1])

w_inputs = Input(shape=(1,), dtype="int32")
c_inputs = Input(shape=(1,), dtype="int32")
w = Embedding(V, 8, name="words")(w_inputs)
c = Embedding(V, 8, name="contexts")(c_inputs)
o = Dot(axes=2)([w, c])
o = Reshape((1,), input_shape=(1, 1))(o)
o = keras.layers.Activation("sigmoid")(o)
skip_gram = Model(inputs=[w_inputs, c_inputs], outputs=o)
skip_gram.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.02))

for epoch in range(4):
    loss = 0.0
    for i, doc in enumerate(tokenizer.texts_to_sequences(texts)):
        pairs, labels = skipgrams(doc, vocabulary_size=V, window_size=3, negative_samples=2.0, seed=i)
        if pairs:
            words, contexts = np.array(pairs, dtype="int32").T
            loss += skip_gram.train_on_batch([words[:, None], contexts[:, None]], np.array(labels))
    print("epoch", epoch, "loss", loss)

vectors = skip_gram.get_layer("words").get_weights()[0]
vectors = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
near = 0
for group in groups:
    for word in group:
        similar = vectors[1:] @ vectors[tokenizer.word_index[word]]
        best = [tokenizer.index_word[i + 1] for i in np.argsort(-similar)[1:4]]
        near += len(set(best) & set(group))
print("share of neighbours that are of the same group:")
print(near / 36)
