import numpy as np
import pytest

from .loader import FAMILIES, cases


def _arrays(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [array for part in value for array in _arrays(part)]
    return [value] if isinstance(value, np.ndarray) else []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_case_has_a_name_of_its_own_and_none_failed(family):
    found = cases(family)
    assert len({case["name"] for case in found}) == len(found) > 3
    assert not [case["name"] for case in found if "failed" in case]
    assert any(_arrays(case) for case in found)


def test_a_changed_array_stays_changed_only_in_that_call():
    cases("regularizers")[0]["x"][:] = 7
    assert not (cases("regularizers")[0]["x"] == 7).any()


def test_an_unknown_family_is_named():
    with pytest.raises(ValueError, match="No recordings of 'layer'; there are layers, losses"):
        cases("layer")
