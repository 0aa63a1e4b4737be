"""Floor 8: helpers that Keras has under `keras.utils`."""

from layerkit.config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from layerkit.data import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight
from layerkit.dtypes import standardize_dtype
from layerkit.serialization import (
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from layerkit.utils import bounding_boxes, legacy
from layerkit.utils.arrays import normalize, to_categorical
from layerkit.utils.datasets_from_directories import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
)
from layerkit.utils.feature_space import FeatureSpace
from layerkit.utils.files import get_file
from layerkit.utils.images import array_to_img, img_to_array, load_img, save_img
from layerkit.utils.named_values import Config
from layerkit.utils.plot_model import model_to_dot, plot_model
from layerkit.utils.progbar import Progbar
from layerkit.utils.sequences import pad_sequences
from layerkit.utils.session import clear_session, set_random_seed
from layerkit.utils.tensors import get_source_inputs, is_keras_tensor
from layerkit.utils.timeseries import split_dataset, timeseries_dataset_from_array

CustomObjectScope = custom_object_scope
Sequence = PyDataset

__all__ = [
    "Config", "CustomObjectScope", "FeatureSpace", "Progbar", "PyDataset", "Sequence", "array_to_img",
    "audio_dataset_from_directory", "bounding_boxes", "clear_session", "custom_object_scope",
    "deserialize_keras_object", "disable_interactive_logging", "enable_interactive_logging", "get_custom_objects",
    "get_file", "get_registered_name", "get_registered_object", "get_source_inputs", "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled", "is_keras_tensor", "legacy", "load_img", "model_to_dot", "normalize",
    "pack_x_y_sample_weight", "pad_sequences", "plot_model", "register_keras_serializable", "save_img",
    "serialize_keras_object", "set_random_seed", "split_dataset", "standardize_dtype", "text_dataset_from_directory",
    "timeseries_dataset_from_array", "to_categorical", "unpack_x_y_sample_weight",
]  # fmt: skip
