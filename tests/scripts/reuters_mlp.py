"""Topics of short texts by a network on a bag of words."""

import numpy as np
from made_data import news
from tensorflow import keras
from tensorflow.keras.layers import Activation, Dense, Dropout
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.text import Tokenizer

max_words = 500
batch_size = 32
epochs = 6

keras.utils.set_random_seed(3)
texts, labels = news()
split = int(0.8 * len(texts))

tokenizer = Tokenizer(num_words=max_words, oov_token="<unknown>")
tokenizer.fit_on_texts(texts[:split])
print("Found %s unique words." % len(tokenizer.word_index))
x_train = tokenizer.sequences_to_matrix(tokenizer.texts_to_sequences(texts[:split]), mode="binary")
x_test = tokenizer.texts_to_matrix(texts[split:], mode="binary")

num_classes = int(np.max(labels)) + 1
y_train = keras.utils.to_categorical(labels[:split], num_classes)
y_test = keras.utils.to_categorical(labels[split:], num_classes)
print("x_train shape:", x_train.shape, "y_train shape:", y_train.shape)

model = Sequential()
model.add(Dense(128, input_shape=(max_words,)))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(num_classes))
model.add(Activation("softmax"))

model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=batch_size, epochs=epochs, verbose=1, validation_split=0.1)
score = model.evaluate(x_test, y_test, batch_size=batch_size, verbose=1)
print("Test score:", score[0])
print("Test accuracy:")
print(score[1])
