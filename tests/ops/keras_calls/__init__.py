"""Calls of `keras.ops` by family: each module lists calls, the .npz beside it has what Keras gave (see record.py)."""
