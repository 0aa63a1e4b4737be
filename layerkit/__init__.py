"""layerkit: a Keras-style modelling toolkit whose training step is one native call."""

__version__ = "0.1.0"
