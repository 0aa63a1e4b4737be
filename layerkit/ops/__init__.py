"""Every operation: a class each, and the functions of Keras' `keras.ops` over them."""

from layerkit.namespaces import public_names
from layerkit.ops import linalg
from layerkit.ops.arrangement import *
from layerkit.ops.arrays import *
from layerkit.ops.attention import *
from layerkit.ops.bitwise import *
from layerkit.ops.comparison import *
from layerkit.ops.contraction import *
from layerkit.ops.control_flow import *
from layerkit.ops.convolution import *
from layerkit.ops.decompositions import *
from layerkit.ops.deferred import defer_all
from layerkit.ops.differentiation import *
from layerkit.ops.distributions import *
from layerkit.ops.elementwise import *
from layerkit.ops.fourier import *
from layerkit.ops.indexing import *
from layerkit.ops.matrix_product import *
from layerkit.ops.nan import *
from layerkit.ops.neural import *
from layerkit.ops.normalization import *
from layerkit.ops.pooling import *
from layerkit.ops.quantiles import *
from layerkit.ops.random import *
from layerkit.ops.reduction import *
from layerkit.ops.searching import *
from layerkit.ops.segments import *
from layerkit.ops.sequences import *
from layerkit.ops.shape import *
from layerkit.ops.solving import *
from layerkit.ops.special import *
from layerkit.ops.trigonometry import *

defer_all(globals())
# The functions of the namespace note their calls as well.
vars(linalg).update({_name: globals()[_name] for _name in linalg.__all__})

__all__ = public_names(globals())
# What the modules import for themselves came with their own names.
for _name in {name for name in globals() if not name.startswith("_")} - set(__all__):
    if not getattr(globals()[_name], "__name__", "").startswith(f"{__name__}."):  # its modules stay
        del globals()[_name]
