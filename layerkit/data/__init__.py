"""Data for `fit`, `evaluate` and `predict`: arrays, HDF5 data sets, generators and `PyDataset` as batches."""

from layerkit.data.adapter import Adapter, get_adapter
from layerkit.data.batch import class_weight_to_sample_weight, pack_x_y_sample_weight, unpack_x_y_sample_weight
from layerkit.data.epochs import EpochIterator
from layerkit.data.py_dataset import PyDataset
from layerkit.data.split import split_validation

__all__ = [
    "Adapter",
    "EpochIterator",
    "PyDataset",
    "class_weight_to_sample_weight",
    "get_adapter",
    "pack_x_y_sample_weight",
    "split_validation",
    "unpack_x_y_sample_weight",
]
