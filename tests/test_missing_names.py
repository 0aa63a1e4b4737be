"""Names of Keras that are missing for good say why wherever they are asked for; to Python they are as other ones."""

import inspect
import re
import subprocess
import sys

import pytest

import layerkit
from layerkit import layers
from layerkit.missing_names import MissingModuleError, explanation


class Own(layerkit.Model):
    """A model with a method by such a name."""

    def call(self, x):
        return x

    def export(self, path):
        return path


@pytest.mark.parametrize(
    ("owner", "name", "told"),
    [
        (layers, "TFSMLayer", "layerkit.layers.TFSMLayer is not there: it wraps a model of another framework;"),
        (layerkit, "quantizers", "layerkit.quantizers is not there: there is no quantization;"),
        (layerkit, "distribution", "layerkit.distribution is not there: a model runs on the cores of one machine;"),
        (layerkit, "applications", "layerkit.applications is not there: they wait for layerkit_models"),
        (layerkit, "export", "layerkit.export is not there: there is no export to other frameworks;"),
        (layerkit, "RematScope", "layerkit.RematScope is not there: a compiled step stores no more"),
        (layerkit.callbacks, "OrbaxCheckpoint", "its files are those of a JAX library; use `ModelCheckpoint`"),
        (layerkit.dtype_policies, "QuantizedDTypePolicy", "there is no quantization;"),
        (layerkit.Model, "export", "Model.export is not there: there is no export to other frameworks;"),
        (layerkit.Sequential(), "quantize", "Sequential.quantize is not there: there is no quantization;"),
        (layers.Dense(2), "quantized_call", "Dense.quantized_call is not there: there is no quantization;"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_who_asks_reads_why(owner, name, told):
    with pytest.raises(AttributeError, match=re.escape(told)):
        getattr(owner, name)
    assert not hasattr(owner, name)
    assert getattr(owner, name, 3) == 3
    if inspect.ismodule(owner):
        assert name not in dir(owner)


@pytest.mark.parametrize(
    ("line", "kind", "told"),
    [
        ("from layerkit.layers import TFSMLayer", ImportError, "it wraps a model of another framework"),
        ("from layerkit import quantizers", MissingModuleError, "there is no quantization"),
        ("import layerkit.applications", MissingModuleError, "they wait for layerkit_models"),
        (
            "from layerkit.applications.resnet50 import ResNet50",
            MissingModuleError,
            "they wait for layerkit_models",
        ),
        ("from layerkit import nothing", ImportError, "cannot import name 'nothing' from 'layerkit'"),
        ("import layerkit.nothing", ModuleNotFoundError, "No module named 'layerkit.nothing'"),
    ],
)
def test_imports_say_why(line, kind, told):
    with pytest.raises(kind, match=told) as raised:
        exec(line)
    assert raised.type is kind


def test_other_names_are_missing_as_ever():
    with pytest.raises(AttributeError, match=r"^module 'layerkit\.layers' has no attribute 'Densee'$") as raised:
        layers.Densee  # noqa: B018
    assert (raised.value.name, raised.value.obj) == ("Densee", layers)  # from these Python suggests Dense
    assert explanation("layerkit.layers.Densee") is None


def test_own_methods_and_attributes_by_these_names():
    assert Own().export("here") == "here"
    model = layerkit.Sequential()
    model.quantize = 3
    assert model.quantize == 3


def test_scripts_for_keras_read_it_too():
    code = """
import layerkit
layerkit.install_as_keras()
import keras
for line in ("from keras.layers import TFSMLayer", "keras.layers.TFSMLayer", "import keras.quantizers"):
    try:
        exec(line)
    except (ImportError, AttributeError) as error:
        print(type(error).__name__, error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    wrapper = "layerkit.layers.TFSMLayer is not there: it wraps a model of another framework"
    assert found[0].startswith(f"ImportError {wrapper}")
    assert found[1].startswith(f"AttributeError keras.layers is layerkit here: {wrapper}")
    assert found[2].startswith("MissingModuleError layerkit.quantizers is not there: there is no quantization")
