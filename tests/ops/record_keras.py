"""Records the results of the calls in keras_cases.py with the real Keras (3.15, any backend): run it with that Python."""

from pathlib import Path

import keras
import numpy as np
from keras_cases import CASES

recorded = {}
for number, (name, args, kwargs) in enumerate(CASES):
    given = getattr(keras.ops, name)(*args, **kwargs)
    given = given if isinstance(given, (tuple, list)) else [given]
    for at, one in enumerate(given):
        recorded[f"{number}_{at}"] = np.asarray(one)
np.savez_compressed(Path(__file__).with_name("keras_values.npz"), **recorded)
