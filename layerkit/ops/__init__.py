"""Every operation: a class each, and the functions of Keras' `keras.ops` over them."""

from layerkit.ops.arrays import *  # noqa: F403
from layerkit.ops.attention import *  # noqa: F403
from layerkit.ops.comparison import *  # noqa: F403
from layerkit.ops.contraction import *  # noqa: F403
from layerkit.ops.convolution import *  # noqa: F403
from layerkit.ops.deferred import defer_all
from layerkit.ops.elementwise import *  # noqa: F403
from layerkit.ops.indexing import *  # noqa: F403
from layerkit.ops.linalg import *  # noqa: F403
from layerkit.ops.nn import *  # noqa: F403
from layerkit.ops.normalization import *  # noqa: F403
from layerkit.ops.pooling import *  # noqa: F403
from layerkit.ops.random import *  # noqa: F403
from layerkit.ops.reduction import *  # noqa: F403
from layerkit.ops.shape import *  # noqa: F403
from layerkit.ops.trigonometry import *  # noqa: F403

defer_all(globals())
