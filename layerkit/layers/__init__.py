"""Floor 6: the layers."""

from layerkit.layers.activation import *
from layerkit.layers.convolutional import *
from layerkit.layers.core import *
from layerkit.layers.dtype_policy import *
from layerkit.layers.input_spec import *
from layerkit.layers.layer import *
from layerkit.layers.merging import *
from layerkit.layers.normalization import *
from layerkit.layers.pooling import *
from layerkit.layers.preprocessing import *
from layerkit.layers.regularization import *
from layerkit.layers.reshaping import *
from layerkit.namespaces import public_names

__all__ = public_names(globals())
