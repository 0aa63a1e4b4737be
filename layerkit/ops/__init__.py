"""Every operation: a class each, and the functions of Keras' `keras.ops` over them."""

from layerkit.ops.arrays import *
from layerkit.ops.attention import *
from layerkit.ops.comparison import *
from layerkit.ops.contraction import *
from layerkit.ops.convolution import *
from layerkit.ops.deferred import defer_all
from layerkit.ops.elementwise import *
from layerkit.ops.indexing import *
from layerkit.ops.linalg import *
from layerkit.ops.nn import *
from layerkit.ops.normalization import *
from layerkit.ops.pooling import *
from layerkit.ops.random import *
from layerkit.ops.reduction import *
from layerkit.ops.shape import *
from layerkit.ops.trigonometry import *

defer_all(globals())
