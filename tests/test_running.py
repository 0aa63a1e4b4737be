"""Scripts that import keras or tensorflow.keras run on layerkit, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = {
    "keras": """
        import sys
        import numpy as np
        import keras
        from keras import layers, ops
        from keras.models import Sequential
        import keras.backend as K
        assert sys.argv[1:] == ["--epochs", "2"], sys.argv
        model = Sequential([keras.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(1)])
        model.compile("adam", "mse")
        model.fit(np.ones((8, 3)), np.ones(8), epochs=int(sys.argv[2]), verbose=0)
        assert K.mean(ops.ones(3)) == 1
        print(keras.__version__, keras.backend.backend(), isinstance(model, keras.Model))
    """,
    "tensorflow": """
        import numpy as np
        import tensorflow as tf
        from tensorflow import keras
        from tensorflow.keras.layers import Dense
        from tensorflow.keras import backend as K
        tf.random.set_seed(1)
        model = tf.keras.Sequential([tf.keras.layers.Input((3,)), Dense(1)])
        with tf.GradientTape() as tape:
            loss = K.sum(model(np.ones((2, 3), "float32")))
        assert len(tape.gradient(loss, model.trainable_variables)) == 2
        assert keras.layers.Dense is Dense
        print("same", tf.__version__)
    """,
}


def run(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    lines = code.strip("\n").splitlines()
    script = folder / "script.py"
    script.write_text("\n".join(line[8:] for line in lines))
    return subprocess.run(
        [sys.executable, "-m", "layerkit", "run", str(script), *arguments], capture_output=True, text=True, cwd=folder
    )


def test_a_script_for_keras(tmp_path: Path):
    done = run(SCRIPTS["keras"], tmp_path, "--epochs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["3.15.0", "layerkit", "True"]


def test_a_script_for_tensorflow_keras(tmp_path: Path):
    done = run(SCRIPTS["tensorflow"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "same"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "import tensorflow as tf; tf.data.Dataset.range(3)",
            "This script uses tensorflow.data, which is TensorFlow's",
        ),
        ("import tensorflow as tf; tf.image.resize(1, 2)", "This script uses tensorflow.image, which is"),
        ("import tensorflow as tf; tf.random.gamma((3,), 1)", "This script uses tensorflow.random.gamma, which is"),
        ("import keras.layers; keras.Dens", "keras is layerkit here, which has no layerkit.Dens"),
    ],
)
def test_what_is_not_there_says_so(tmp_path: Path, line: str, text: str):
    done = run(f"        {line}", tmp_path)
    assert done.returncode == 1
    assert text in done.stderr


def test_a_script_that_is_not_there(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "layerkit", "run", "nowhere.py"], capture_output=True, text=True, cwd=tmp_path
    )
    assert "There is no script 'nowhere.py'" in done.stderr


def test_keras_that_was_imported_before_stays(tmp_path: Path):
    (tmp_path / "keras.py").write_text("")
    code = "import keras, layerkit; layerkit.install_as_keras()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert "keras was imported already" in done.stderr


def test_modules_of_earlier_versions(tmp_path: Path):
    code = """
        import keras, keras.src
        from keras.engine.topology import Layer
        from keras.layers.advanced_activations import LeakyReLU
        from keras.layers.convolutional import Conv2D
        from keras.layers.core import Activation, Dense
        from keras.legacy.saving import serialize_keras_object
        from keras.src.saving.saving_lib import load_model
        from keras.utils import np_utils
        from keras.utils.np_utils import to_categorical
        from tensorflow.keras.layers.experimental.preprocessing import Rescaling
        assert keras.layers.Dense is Dense and keras.src.layers.Dense is Dense and keras.version() == keras.__version__
        assert serialize_keras_object(Dense(2, name="a"))["class_name"] == "Dense"
        print(np_utils.to_categorical([1]).tolist())
    """
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[[0.0, 1.0]]"


def test_applications_fail_where_they_are_called(tmp_path: Path):
    code = """
        import keras
        from keras.applications import VGG16
        table = {"B0": keras.applications.efficientnet.EfficientNetB0}
        VGG16(weights=None)
    """
    done = run(code, tmp_path)
    assert done.returncode == 1
    assert "NotImplementedError: keras.applications.VGG16: layerkit has no models of keras.applications" in done.stderr


def test_names_of_keras_2(tmp_path: Path):
    code = """
        import keras
        from keras.constraints import maxnorm
        from keras.engine import InputSpec, Layer
        from keras.engine.base_layer import Layer as Base
        from keras.engine.training import Model
        from keras.initializers import normal
        from keras.layers import CuDNNLSTM, recurrent
        from keras.losses import mse, kullback_leibler_divergence
        from keras.metrics import MAE
        from keras.optimizers import adam
        from tensorflow.keras.optimizers.legacy import SGD
        assert Layer is Base is keras.layers.Layer and Model is keras.Model and SGD is keras.optimizers.SGD
        assert recurrent.LSTM is CuDNNLSTM is keras.layers.LSTM and adam is keras.optimizers.Adam
        assert mse is keras.losses.mean_squared_error and maxnorm is keras.constraints.max_norm
        print(MAE.__name__, adam(lr=0.5).learning_rate.numpy())
    """
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["mean_absolute_error", "0.5"]


def test_functions_of_tensorflow_around_keras(tmp_path: Path):
    code = """
        import tensorflow as tf
        x = tf.constant([[3.0, 4.0], [1.0, 0.0]])
        assert tf.math.l2_normalize(x, axis=1).numpy().tolist()[1] == [1.0, 0.0]
        assert tf.reduce_mean(tf.square(x), name="loss").numpy() == 6.5 and tf.reduce_mean([1, 2]).dtype == "int32"
        assert tf.argmax(x).numpy().tolist() == [0, 0] and tf.argmax(x, axis=1).dtype == tf.int64
        assert [part.shape for part in tf.split(x, [1, 1], axis=1)] == [(2, 1), (2, 1)]
        assert tf.zeros((tf.shape(x)[0], 3)).shape == (2, 3) and tf.range(1, 6, 2).numpy().tolist() == [1, 3, 5]
        assert tf.matmul(x, x, transpose_b=True)[0, 0] == 25 and tf.cast(2.7, tf.int32) == 2
        assert tf.random.uniform((4,), maxval=3, dtype=tf.int32).dtype == "int32"
        kernel = tf.ones((2, 2, 1, 1))
        assert tf.nn.conv2d(tf.ones((1, 4, 4, 1)), kernel, strides=[1, 2, 2, 1], padding="VALID").shape == (1, 2, 2, 1)
        v = tf.Variable(initial_value=tf.random_normal_initializer()(shape=(2,), dtype="float32"), trainable=True)
        @tf.function(jit_compile=True)
        def slope(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(v * x)
            return tape.gradient(loss, v)
        print(slope(tf.constant([2.0, 3.0])).numpy().tolist())
    """
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[2.0, 3.0]"
