"""Layers that prepare and vary images: sizes, motions, colours, mixtures."""

from layerkit.layers.image_preprocessing.box_counts import *
from layerkit.layers.image_preprocessing.colors import *
from layerkit.layers.image_preprocessing.effects import *
from layerkit.layers.image_preprocessing.geometry import *
from layerkit.layers.image_preprocessing.histograms import *
from layerkit.layers.image_preprocessing.mixing import *
from layerkit.layers.image_preprocessing.policies import *
from layerkit.layers.image_preprocessing.sizes import *
from layerkit.namespaces import public_names

__all__ = public_names(globals())
