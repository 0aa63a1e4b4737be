"""The model zoo: known architectures, one file per family, built from layerkit's public names alone.

There is no model here yet.
"""
