"""Every class of the registries has recorded outputs of real Keras, or a reason to have none."""

from collections.abc import Iterator
from typing import Any

import pytest

from layerkit.registry import registry
from tests.recordings.loader import FAMILIES, cases

WITHOUT = {
    "layer": {
        "Wrapper": "computes nothing",
        "Lambda": "computes what it is given",
        "Pipeline": "calls layers that are recorded",
        "RandomColorJitter": "calls layers that are recorded",
        "RandomElasticTransform": "all of it is chance: tests/layers/test_image_layers.py",
        "FeatureSpace": "calls layers that are recorded: tests/utils/test_feature_space.py",
        "Sequential": "its layers are recorded",
        "Functional": "its layers are recorded",
        "InputLayer": "computes nothing",
        "GroupedQueryAttention": "recorded under its public name, GroupQueryAttention",
    },
    "loss": {"LossFunctionWrapper": "computes what it is given"},
}


def _classes(recorded: Any) -> Iterator[str]:
    """The classes that a nest of recordings names."""
    if isinstance(recorded, dict):
        for name in ("class", "class_name", "layer", "histogram"):
            if isinstance(recorded.get(name), str):
                yield recorded[name]
    if isinstance(recorded, dict | list):
        for part in recorded.values() if isinstance(recorded, dict) else recorded:
            yield from _classes(part)


@pytest.mark.parametrize("kind", ["layer", "loss", "metric", "optimizer", "initializer", "regularizer", "constraint"])
def test_every_class_is_recorded(kind: str) -> None:
    recorded = {name for family in FAMILIES for name in _classes(cases(family))}
    there = {cls.__name__ for cls in registry(kind).things() if isinstance(cls, type)}
    assert there - recorded - WITHOUT.get(kind, {}).keys() == set()
