"""Floor 8: data preparation as scripts of earlier Keras versions import it."""

from layerkit.preprocessing import image, sequence, text
from layerkit.utils import image_dataset_from_directory, text_dataset_from_directory, timeseries_dataset_from_array

__all__ = [
    "image", "image_dataset_from_directory", "sequence", "text", "text_dataset_from_directory",
    "timeseries_dataset_from_array",
]  # fmt: skip
