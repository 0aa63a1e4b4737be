"""The namespace `ops.image`: operations on images, under their names in Keras' `keras.ops.image`.

They are made of other operations, so they compile and have gradients. Where Keras' backends differ, what JAX gives is
what is given here, unless the function's description says otherwise.
"""

from layerkit.ops.image.borders import crop_images, pad_images
from layerkit.ops.image.colors import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from layerkit.ops.image.elastic import elastic_transform
from layerkit.ops.image.filters import gaussian_blur, sobel_edges, ssim
from layerkit.ops.image.patches import extract_patches, extract_patches_3d
from layerkit.ops.image.resizing import resize, scale_and_translate
from layerkit.ops.image.transforms import affine_transform, map_coordinates, perspective_transform

__all__ = [
    "affine_transform", "crop_images", "elastic_transform", "extract_patches", "extract_patches_3d", "gaussian_blur",
    "hsv_to_rgb", "map_coordinates", "pad_images", "perspective_transform", "resize", "rgb_to_grayscale", "rgb_to_hsv",
    "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip
