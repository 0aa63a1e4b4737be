"""A small student learns from the outputs of a larger teacher: compute_loss of its own."""

import keras
from keras import layers, ops
from made_data import digits

keras.utils.set_random_seed(0)


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.teacher = teacher
        self.student = student

    def compile(self, optimizer, metrics, student_loss_fn, distillation_loss_fn, alpha=0.1, temperature=3):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss_fn = student_loss_fn
        self.distillation_loss_fn = distillation_loss_fn
        self.alpha = alpha
        self.temperature = temperature

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False, training=True):
        teacher_pred = self.teacher(x, training=False)
        student_loss = self.student_loss_fn(y, y_pred)
        distillation_loss = self.distillation_loss_fn(
            ops.softmax(teacher_pred / self.temperature, axis=1), ops.softmax(y_pred / self.temperature, axis=1)
        ) * (self.temperature**2)
        return self.alpha * student_loss + (1 - self.alpha) * distillation_loss

    def call(self, x):
        return self.student(x)


def network(filters, name):
    return keras.Sequential(
        [
            keras.Input(shape=(16, 16, 1)),
            layers.Conv2D(filters, (3, 3), strides=(2, 2), padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.MaxPooling2D(pool_size=(2, 2), strides=(1, 1), padding="same"),
            layers.Conv2D(2 * filters, (3, 3), strides=(2, 2), padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(10),
        ],
        name=name,
    )


(x_train, y_train), (x_test, y_test) = digits(1500, 300, size=16)
x_train, x_test = x_train[..., None].astype("float32") / 255, x_test[..., None].astype("float32") / 255

teacher, student = network(24, "teacher"), network(8, "student")
student_scratch = keras.models.clone_model(student)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
teacher.compile(keras.optimizers.Adam(0.003), loss=loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
teacher.fit(x_train, y_train, epochs=8, verbose=2)
print("teacher:", teacher.evaluate(x_test, y_test, verbose=0)[1])

teacher.trainable = False
distiller = Distiller(student=student, teacher=teacher)
distiller.compile(
    optimizer=keras.optimizers.Adam(0.003),
    metrics=[keras.metrics.SparseCategoricalAccuracy()],
    student_loss_fn=loss,
    distillation_loss_fn=keras.losses.KLDivergence(),
    alpha=0.1,
    temperature=5,
)
distiller.fit(x_train, y_train, epochs=8, verbose=2)
student_scratch.compile(keras.optimizers.Adam(0.003), loss=loss, metrics=["accuracy"])
student_scratch.fit(x_train, y_train, epochs=8, verbose=0)
print("the student alone:", student_scratch.evaluate(x_test, y_test, verbose=0)[1])
print(distiller.evaluate(x_test, y_test, verbose=0, return_dict=True)["sparse_categorical_accuracy"])
