import numpy as np
import pytest

from layerkit import ops
from layerkit.errors import ShapeError


@pytest.mark.parametrize(("function", "q"), [(ops.quantile, 2.0), (ops.quantile, [0.5, -0.1]), (ops.percentile, 101)])
def test_shares_lie_in_their_range(function, q):
    with pytest.raises(ValueError, match=r"q lies from 0 to 1 \(a percentile's from 0 to 100\); got the shares"):
        function(np.arange(5.0), q)


def test_no_elements_have_no_median():
    with pytest.raises(ShapeError, match=r"no elements have no quantile: got shape \(0,\) with axis None"):
        ops.median(np.ones((0,)))
