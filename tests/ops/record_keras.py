"""Records what the calls in keras_cases.py give: run it with a Python that has Keras (3.15, any backend)."""

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
