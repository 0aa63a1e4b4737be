"""One maker a family: `make()` runs Keras and returns the cases, arrays in place. Only `record.py` imports them."""
