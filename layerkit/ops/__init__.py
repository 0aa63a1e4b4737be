"""Every operation: a class each, and the functions of Keras' `keras.ops` over them."""

from layerkit.namespaces import public_names
from layerkit.ops import image, linalg, nn, numpy
from layerkit.ops.adaptive_pooling import *
from layerkit.ops.arrangement import *
from layerkit.ops.arrays import *
from layerkit.ops.associative_scan import *
from layerkit.ops.attention import *
from layerkit.ops.bitwise import *
from layerkit.ops.comparison import *
from layerkit.ops.complex_numbers import *
from layerkit.ops.contraction import *
from layerkit.ops.control_flow import *
from layerkit.ops.convolution import *
from layerkit.ops.ctc import *
from layerkit.ops.cumulative import *
from layerkit.ops.decompositions import *
from layerkit.ops.deferred import defer_all
from layerkit.ops.differentiation import *
from layerkit.ops.distributions import *
from layerkit.ops.elementwise import *
from layerkit.ops.fourier import *
from layerkit.ops.getting import *
from layerkit.ops.indexing import *
from layerkit.ops.matrix_product import *
from layerkit.ops.nan import *
from layerkit.ops.neural import *
from layerkit.ops.normalization import *
from layerkit.ops.padding import *
from layerkit.ops.pooling import *
from layerkit.ops.quantiles import *
from layerkit.ops.random import *
from layerkit.ops.rearranging import *
from layerkit.ops.reduction import *
from layerkit.ops.scattering import *
from layerkit.ops.searching import *
from layerkit.ops.segments import *
from layerkit.ops.sequences import *
from layerkit.ops.shape import *
from layerkit.ops.solving import *
from layerkit.ops.sorting import *
from layerkit.ops.special import *
from layerkit.ops.trigonometry import *
from layerkit.ops.unfolding import *

defer_all(globals())
defer_all(vars(image))
# The functions of the namespaces note their calls as well.
vars(linalg).update({_name: globals()[_name] for _name in linalg.__all__})
for _namespace in (nn, numpy):
    _namespace.__all__ = [_name for _name in _namespace.NAMES if _name in globals()]
    vars(_namespace).update({_name: globals()[_name] for _name in _namespace.__all__})

__all__ = public_names(globals())
# What the modules import for themselves came with their own names.
for _name in {name for name in globals() if not name.startswith("_")} - set(__all__):
    if not getattr(globals()[_name], "__name__", "").startswith(f"{__name__}."):  # its modules stay
        del globals()[_name]
