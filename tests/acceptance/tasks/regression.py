"""Regression on tables: scikit-learn's diabetes by five-fold cross-validation, or made data of house prices."""

import keras
import numpy as np
from keras import layers, regularizers
from reporting import Seconds, arguments, report, start_from

options = arguments(data="diabetes", batch=32)


def diabetes():
    """x float32 [442, 10], y float32 [442]: ten measures of patients and their disease a year later."""
    from sklearn.datasets import load_diabetes

    return load_diabetes(return_X_y=True)


def houses():
    """x [12000, 8], y [12000]: the price of a house by income, age, rooms and place, dearer near two cities."""
    rng = np.random.default_rng(options.seed)
    income, age = rng.gamma(4, 1, 12000), rng.uniform(1, 52, 12000)
    rooms = rng.gamma(9, 0.6, 12000)
    bedrooms, people, household = (
        rooms * rng.uniform(0.15, 0.3, 12000),
        rng.gamma(2, 700, 12000),
        rng.gamma(6, 0.5, 12000),
    )
    place = rng.uniform([32, -124], [42, -114], (12000, 2))
    near = sum(np.exp(-np.sum((place - city) ** 2, 1) / 2) for city in ([37.8, -122.4], [34.0, -118.2]))
    price = (
        0.45 * income * (1 + near) + 0.01 * age + 0.3 * np.log(rooms / household) + rng.normal(scale=0.25, size=12000)
    )
    return np.column_stack([income, age, rooms, bedrooms, people, household, place]), price


def made(x):
    scale = layers.Normalization()
    scale.adapt(x)
    if options.data == "diabetes":
        hidden = [layers.Dense(16, activation="relu", kernel_regularizer=regularizers.L2(0.02))]
    else:
        hidden = [layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu")]
    return keras.Sequential([keras.Input((x.shape[1],)), scale, *hidden, layers.Dense(1)])


x, y = {"diabetes": diabetes, "houses": houses}[options.data]()
x, y = x.astype("float32"), y.astype("float32")
folds, tested, epochs, rate = (5, 5, 40, 5e-3) if options.data == "diabetes" else (5, 1, 20, 3e-3)
fold = np.random.default_rng(options.seed).permutation(len(x)) % folds
predicted = np.full(len(x), np.nan, "float32")
seconds = Seconds()
for i in range(tested):
    here = fold == i
    mean, deviation = y[~here].mean(), y[~here].std()
    model = made(x[~here])
    start_from(model, options.initial and f"{options.initial}.{i}.weights.h5")
    model.compile(keras.optimizers.Adam(rate), "mse", metrics=["mae"])
    model.fit(x[~here], (y[~here] - mean) / deviation, options.batch, epochs, verbose=0, callbacks=[seconds])
    predicted[here] = model.predict(x[here], verbose=0)[:, 0] * deviation + mean
known = ~np.isnan(predicted)
error = predicted[known] - y[known]
report(seconds, r2=float(1 - error.var() / y[known].var()), mae=float(np.abs(error).mean()))
