"""Ratings of films by the product of vectors of users and films, with biases."""

import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import Add, Dot, Embedding, Flatten, Input, Lambda
from tensorflow.keras.models import Model
from tensorflow.keras.regularizers import l2

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
num_users, num_movies, n = 120, 80, 5000
tastes, films = rng.normal(size=(num_users, 3)), rng.normal(size=(num_movies, 3))
popularity = rng.normal(0, 0.5, num_movies)
users, movies = rng.integers(0, num_users, n), rng.integers(0, num_movies, n)
scores = (tastes[users] * films[movies]).sum(axis=-1) * 0.7 + popularity[movies] + rng.normal(0, 0.2, n)
ratings = np.clip(3 + scores, 0.5, 5).astype("float32")
print("users:", num_users, "films:", num_movies, "ratings from", ratings.min(), "to", ratings.max())

embedding_size = 5
user = Input(shape=(1,), name="user")
movie = Input(shape=(1,), name="movie")


def vectors(x, count, size, name):
    e = Embedding(count, size, embeddings_initializer="he_normal", embeddings_regularizer=l2(1e-6), name=name)(x)
    return Flatten()(e)


dot = Dot(axes=1)([
    vectors(user, num_users, embedding_size, "user_vectors"),
    vectors(movie, num_movies, embedding_size, "movie_vectors"),
])  # fmt: skip
x = Add()([dot, vectors(user, num_users, 1, "user_bias"), vectors(movie, num_movies, 1, "movie_bias")])
x = Lambda(lambda t: keras.activations.sigmoid(t) * 5.5)(x)
model = Model([user, movie], x)
model.summary()
model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(0.01), metrics=["mae"])

cut = int(0.9 * n)
history = model.fit(
    [users[:cut], movies[:cut]], ratings[:cut], batch_size=64, epochs=12, verbose=2,
    validation_data=([users[cut:], movies[cut:]], ratings[cut:]),
)  # fmt: skip
watched = movies[users == 7]
others = np.setdiff1d(np.arange(num_movies), watched)
predicted = model.predict([np.full(len(others), 7), others], verbose=0).flatten()
print("recommended to user 7:", others[predicted.argsort()[-5:][::-1]])
print(history.history["val_mae"][-1])
