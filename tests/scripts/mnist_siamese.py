"""A siamese network: two digits are of one kind where their vectors are close."""

import random

import numpy as np
from made_data import digits
from tensorflow.keras import backend as K
from tensorflow.keras.layers import Dense, Dropout, Flatten, Input, Lambda
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import RMSprop
from tensorflow.keras.utils import set_random_seed

num_classes = 10
epochs = 10


def euclidean_distance(vects):
    x, y = vects
    sum_square = K.sum(K.square(x - y), axis=1, keepdims=True)
    return K.sqrt(K.maximum(sum_square, K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    square_pred = K.square(y_pred)
    margin_square = K.square(K.maximum(margin - y_pred, 0))
    return K.mean(y_true * square_pred + (1 - y_true) * margin_square)


def create_pairs(x, digit_indices):
    pairs, labels = [], []
    n = min([len(digit_indices[d]) for d in range(num_classes)]) - 1
    for d in range(num_classes):
        for i in range(n):
            pairs += [[x[digit_indices[d][i]], x[digit_indices[d][i + 1]]]]
            dn = (d + random.randrange(1, num_classes)) % num_classes
            pairs += [[x[digit_indices[d][i]], x[digit_indices[dn][i]]]]
            labels += [1, 0]
    return np.array(pairs), np.array(labels).astype("float32")[:, None]


def create_base_network(input_shape):
    input = Input(shape=input_shape)
    x = Flatten()(input)
    x = Dense(96, activation="relu")(x)
    x = Dropout(0.1)(x)
    x = Dense(48, activation="relu")(x)
    return Model(input, x)


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


set_random_seed(4)
(x_train, y_train), (x_test, y_test) = digits(3000, 400, size=14)
x_train, x_test = x_train.astype("float32") / 255, x_test.astype("float32") / 255
tr_pairs, tr_y = create_pairs(x_train, [np.where(y_train == i)[0] for i in range(num_classes)])
te_pairs, te_y = create_pairs(x_test, [np.where(y_test == i)[0] for i in range(num_classes)])

base_network = create_base_network(x_train.shape[1:])
input_a, input_b = Input(shape=x_train.shape[1:]), Input(shape=x_train.shape[1:])
processed_a, processed_b = base_network(input_a), base_network(input_b)
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)([processed_a, processed_b])
model = Model([input_a, input_b], distance)

model.compile(loss=contrastive_loss, optimizer=RMSprop(), metrics=[accuracy])
model.fit(
    [tr_pairs[:, 0], tr_pairs[:, 1]], tr_y, batch_size=64, epochs=epochs, verbose=2,
    validation_data=([te_pairs[:, 0], te_pairs[:, 1]], te_y),
)  # fmt: skip
y_pred = model.predict([te_pairs[:, 0], te_pairs[:, 1]])
print(float(np.mean((y_pred < 0.5) == te_y)))
