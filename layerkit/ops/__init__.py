"""Every operation: a class each, and the functions of Keras' `keras.ops` over them."""

from layerkit.ops.convolution import *
from layerkit.ops.elementwise import *
from layerkit.ops.indexing import *
from layerkit.ops.linalg import *
from layerkit.ops.nn import *
from layerkit.ops.normalization import *
from layerkit.ops.pooling import *
from layerkit.ops.random import *
from layerkit.ops.reduction import *
from layerkit.ops.shape import *
