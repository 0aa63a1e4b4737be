"""Layers that prepare data: numbers, categories, text and sound."""

from layerkit.layers.preprocessing.audio import *
from layerkit.layers.preprocessing.hashing import *
from layerkit.layers.preprocessing.integer_lookup import *
from layerkit.layers.preprocessing.numeric import *
from layerkit.layers.preprocessing.pipeline import *
from layerkit.layers.preprocessing.string_lookup import *
from layerkit.layers.preprocessing.text import *
