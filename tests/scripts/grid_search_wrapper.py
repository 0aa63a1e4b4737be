"""A search over hyper-parameters with a small wrapper in the manner of scikit-learn, by cross-validation."""

import itertools

import numpy as np
from made_data import digits
from tensorflow import keras
from tensorflow.keras.layers import Activation, Dense, Dropout
from tensorflow.keras.models import Sequential

try:
    from sklearn.model_selection import KFold
except ImportError:
    KFold = None

keras.utils.set_random_seed(0)


class KerasClassifier:
    """An estimator: fit, predict and score around a function that builds a model."""

    def __init__(self, build_fn, **parameters):
        self.build_fn = build_fn
        self.parameters = parameters

    def fit(self, x, y):
        parameters = dict(self.parameters)
        epochs, batch_size = parameters.pop("epochs", 5), parameters.pop("batch_size", 32)
        self.model = self.build_fn(**parameters)
        self.model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0)
        return self

    def predict(self, x):
        return np.argmax(self.model.predict(x, verbose=0), axis=-1)

    def score(self, x, y):
        return float(np.mean(self.predict(x) == y))


def make_model(dense_layer_sizes, dropout, optimizer="adam"):
    model = Sequential()
    model.add(keras.Input((100,)))
    for layer_size in dense_layer_sizes:
        model.add(Dense(layer_size))
        model.add(Activation("relu"))
    model.add(Dropout(dropout))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def folds(n, k):
    if KFold is not None:
        yield from KFold(k).split(np.zeros(n))
        return
    for part in np.array_split(np.arange(n), k):
        yield np.setdiff1d(np.arange(n), part), part


(x_train, y_train), (x_test, y_test) = digits(1200, 300, size=10)
x_train, x_test = x_train.reshape(-1, 100) / 255.0, x_test.reshape(-1, 100) / 255.0

results = []
for sizes, dropout in itertools.product([[64], [64, 64]], [0.1, 0.4]):
    scores = []
    for rows, held_out in folds(len(x_train), 2):
        model = KerasClassifier(make_model, dense_layer_sizes=sizes, dropout=dropout, epochs=10)
        scores.append(model.fit(x_train[rows], y_train[rows]).score(x_train[held_out], y_train[held_out]))
    results.append((np.mean(scores), sizes, dropout))
    print(sizes, dropout, scores)

best_score, sizes, dropout = max(results)
print("The parameters of the best model are:", sizes, dropout)
best = KerasClassifier(make_model, dense_layer_sizes=sizes, dropout=dropout, epochs=20).fit(x_train, y_train)
print(best.score(x_test, y_test))
