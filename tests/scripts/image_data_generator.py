"""A network fed by an ImageDataGenerator, in the spelling of the older examples."""

from made_data import shapes
from tensorflow import keras
from tensorflow.keras.layers import Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.image import ImageDataGenerator

batch_size = 32
num_classes = 4
epochs = 14

keras.utils.set_random_seed(5)
x, y = shapes(800, seed=7)
x_train, x_test = x[:600], x[600:]
y_train = keras.utils.to_categorical(y[:600], num_classes)
y_test = keras.utils.to_categorical(y[600:], num_classes)

model = Sequential()
model.add(Conv2D(16, (3, 3), padding="same", input_shape=x_train.shape[1:]))
model.add(Activation("relu"))
model.add(Conv2D(16, (3, 3)))
model.add(Activation("relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(64))
model.add(Activation("relu"))
model.add(Dropout(0.2))
model.add(Dense(num_classes))
model.add(Activation("softmax"))
opt = keras.optimizers.RMSprop(learning_rate=0.001)
model.compile(loss="categorical_crossentropy", optimizer=opt, metrics=["accuracy"])

datagen = ImageDataGenerator(
    rescale=1.0 / 255,
    featurewise_center=False,
    horizontal_flip=True,
    vertical_flip=True,
    rotation_range=0,
    zoom_range=0.0,
)
datagen.fit(x_train)
plain = ImageDataGenerator(rescale=1.0 / 255)
model.fit(
    datagen.flow(x_train, y_train, batch_size=batch_size, seed=1),
    epochs=epochs,
    validation_data=plain.flow(x_test, y_test, batch_size=batch_size, shuffle=False),
    verbose=2,
)
scores = model.evaluate(x_test / 255.0, y_test, verbose=1)
print("Test loss:", scores[0])
print(scores[1])
