"""Pictures of models."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import layerkit
from layerkit import layers as L
from layerkit import utils
from layerkit.errors import NotBuiltError


def _model() -> layerkit.Model:
    encoder = layerkit.Sequential([L.Input((8, 8, 3)), L.Conv2D(4, 3, activation="relu"), L.Flatten()], name="encoder")
    left, right = L.Input((8, 8, 3), name="left"), L.Input((8, 8, 3), name="right")
    x = L.Concatenate()([encoder(left), encoder(right)])
    score = L.Dense(1, activation="sigmoid", name="score")(x)
    return layerkit.Model([left, right], [x + 1.0, score])


def _texts(path: Path) -> list[str]:
    root = ElementTree.fromstring(path.read_text())
    return [element.text for element in root.iter() if element.tag.endswith("text")]


def test_svg_has_a_box_for_each_call(tmp_path: Path) -> None:
    picture = utils.plot_model(_model(), tmp_path / "model.svg", show_shapes=True, show_layer_names=True)
    texts = _texts(tmp_path / "model.svg")
    assert texts.count("encoder (Sequential)") == 2
    assert "left (InputLayer)" in texts
    assert "Input shape: (None, 144), (None, 144)" in texts
    assert "Output shape: (None, 1)" in texts
    assert picture._repr_svg_() == (tmp_path / "model.svg").read_text()


def test_what_boxes_say(tmp_path: Path) -> None:
    path = tmp_path / "model.svg"
    utils.plot_model(_model(), path)
    assert not any("shape" in text or "(" in text for text in _texts(path))
    utils.plot_model(
        _model(), path, expand_nested=True, show_dtype=True, show_layer_activations=True, show_trainable=True
    )
    texts = _texts(path)
    assert texts.count("Conv2D") == 2
    assert texts.count("in encoder") == 6
    assert {"Activation: relu", "Activation: sigmoid", "Output dtype: float32", "Trainable: True"} <= set(texts)


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
def test_directions(tmp_path: Path, direction: str) -> None:
    model = layerkit.Sequential([L.Input((3,)), L.Dense(4), L.Dropout(0.5), L.Dense(2)])
    svg = utils.plot_model(model, tmp_path / "model.svg", show_shapes=True, rankdir=direction).data
    numbers = r'<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)" rx'
    boxes = [tuple(map(float, found)) for found in re.findall(numbers, svg)]
    assert len(boxes) == 4
    axis = 1 if direction in ("TB", "BT") else 0
    starts = [box[axis] for box in boxes]
    assert starts == sorted(starts, reverse=direction in ("BT", "RL"))
    by_place = sorted(boxes, key=lambda box: box[axis])
    for one, next_one in zip(by_place, by_place[1:], strict=False):
        assert one[axis] + one[axis + 2] < next_one[axis]
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    assert all(0 <= x and x + w <= width and 0 <= y and y + h <= height for x, y, w, h in boxes)


def test_graphviz_source(tmp_path: Path) -> None:
    dot = utils.model_to_dot(_model(), expand_nested=True, rankdir="LR", dpi=50, splines="curved")
    source = dot.to_string()
    assert source.startswith("digraph {")
    assert 'rankdir=LR; dpi=50; splines="curved"' in source
    assert 'subgraph "cluster_encoder"' in source
    assert source.count("->") == 10
    utils.plot_model(_model(), tmp_path / "model.dot", rankdir="LR")
    assert "rankdir=LR" in (tmp_path / "model.dot").read_text()
    assert utils.model_to_dot(_model(), subgraph=True).to_string().startswith('subgraph "cluster_')


def test_a_model_of_a_class_is_one_box(tmp_path: Path) -> None:
    class Own(layerkit.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.dense = L.Dense(2)

        def call(self, inputs: object) -> object:
            return self.dense(inputs)

    model = Own()
    with pytest.raises(NotBuiltError, match="'own' has not yet been built"):
        utils.plot_model(model, tmp_path / "own.svg")
    model(np.ones((1, 3), "float32"))
    utils.plot_model(model, tmp_path / "own.svg", show_layer_names=True)
    assert _texts(tmp_path / "own.svg") == ["own (Own)"]


def test_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cairosvg", None)
    with pytest.raises(ImportError, match=r"\.svg files need nothing\) needs cairosvg.*pip install layerkit\[plots\]"):
        utils.plot_model(_model(), tmp_path / "model.png")
    with pytest.raises(ValueError, match=r"writes \.svg, \.png, \.pdf and \.dot files"):
        utils.plot_model(_model(), tmp_path / "model.jpg")
    with pytest.raises(ValueError, match="`rankdir` is one of"):
        utils.plot_model(_model(), tmp_path / "model.svg", rankdir="up")
    with pytest.raises(ValueError, match="`layer_range` is no longer supported"):
        utils.model_to_dot(_model(), layer_range=["a", "b"])
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        utils.model_to_dot(_model(), depth=1)
