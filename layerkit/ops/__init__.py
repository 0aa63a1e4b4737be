"""Every operation: a class each, and the functions of Keras' `keras.ops` over them."""

from layerkit.namespaces import public_names
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

__all__ = public_names(globals())
# What the modules import for themselves came with their own names.
for _name in {name for name in globals() if not name.startswith("_")} - set(__all__):
    if not getattr(globals()[_name], "__name__", "").startswith(f"{__name__}."):  # its modules stay
        del globals()[_name]
