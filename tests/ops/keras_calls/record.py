"""Records what Keras gives: `python -m tests.ops.keras_calls.record FAMILY...`, with a Python that has Keras 3.15.

The backend is the one that KERAS_BACKEND names.
"""

import importlib
import sys
from operator import attrgetter
from pathlib import Path

import keras
import numpy as np

for family in sys.argv[1:]:
    recorded = {}
    for number, (name, args, kwargs) in enumerate(
        importlib.import_module(f"tests.ops.keras_calls.{family}").CALLS.made
    ):
        given = attrgetter(name)(keras.ops)(*args, **kwargs)
        for at, one in enumerate(given if isinstance(given, (tuple, list)) else [given]):
            recorded[f"{number}_{at}"] = keras.ops.convert_to_numpy(one)
    np.savez_compressed(Path(__file__).with_name(f"{family}.npz"), **recorded)
