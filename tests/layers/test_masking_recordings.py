"""Masks through every layer against real Keras: the output's mask, its values, and the warning where a mask ends."""

import warnings

import numpy as np
import pytest

from layerkit import KerasTensor, layers
from tests.recordings.loader import cases


def _called(layer: layers.Layer, case: dict) -> KerasTensor:
    given = [layers.Masking()(x) for x in case["inputs"]]
    if case["together"] == "arguments":
        return layer(*given)
    return layer(given if case["together"] == "list" else given[0])


@pytest.mark.parametrize("case", cases("masking"), ids=lambda case: case["name"])
def test_masks(case: dict) -> None:
    layer = getattr(layers, case["class"])(**case["kwargs"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _called(layer, case)
        layer.set_weights(case["weights"])
        output = _called(layer, case)
    np.testing.assert_allclose(output, case["output"], rtol=1e-5, atol=1e-5)
    # Keras' GroupQueryAttention passes masks on to layers inside of it that say so.
    ends = case["ends"] and case["class"] != "GroupQueryAttention"
    assert any("does not support masking" in str(one.message) for one in caught) == ends
    if case["mask"] is None:
        assert output.mask is None
    else:
        np.testing.assert_array_equal(output.mask, case["mask"])
