"""Running what was written for Keras: `import keras` and `from tensorflow import keras` give layerkit."""

from __future__ import annotations

import importlib
import importlib.util
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from layerkit.missing_names import MissingModuleError, explanation

KERAS = "layerkit"
TENSORFLOW_VERSION = "2.0.0+layerkit"

# Other ways by which scripts reach the same packages.
_PREFIXES = {
    "tensorflow.keras": "keras", "tensorflow.python.keras": "keras", "tensorflow.compat.v1.keras": "keras",
    "tensorflow.compat.v2.keras": "keras", "tf_keras": "keras", "keras.api": "keras", "keras._tf_keras.keras": "keras",
    "keras.src.saving.saving_lib": "keras.saving", "keras.src": "keras", "keras.objectives": "keras.losses",
    "keras.optimizers.experimental": "keras.optimizers", "keras.optimizers.legacy": "keras.optimizers",
}  # fmt: skip

# Modules of Keras 1 and 2, whose classes and functions their package has by now.
_FORMER_MODULES = {
    "layers": (
        "advanced_activations", "convolutional", "convolutional_recurrent", "core", "cudnn_recurrent", "embeddings",
        "experimental.preprocessing", "local", "merge", "noise", "normalization", "pooling", "recurrent", "wrappers",
    ),
    "utils": ("data_utils", "generic_utils", "io_utils", "layer_utils", "np_utils", "vis_utils"),
}  # fmt: skip
_PREFIXES |= {
    f"keras.{package}.{module}": f"keras.{package}"
    for package, modules in _FORMER_MODULES.items()
    for module in modules
}
_PREFIXES |= {"keras.layers.experimental": "keras.layers", "keras.engine.input_layer": "keras.layers"}
_PREFIXES |= {
    f"keras.engine{module}": "keras"
    for module in ("", ".base_layer", ".network", ".sequential", ".topology", ".training")
}

# Names of Keras 2 in modules that are still there, and what their objects are called today.
_SHORT_LOSSES = {
    short: whole
    for whole, names in {
        "mean_squared_error": "mse MSE", "mean_absolute_error": "mae MAE", "log_cosh": "logcosh",
        "mean_absolute_percentage_error": "mape MAPE", "mean_squared_logarithmic_error": "msle MSLE",
        "kl_divergence": "kld KLD kullback_leibler_divergence",
    }.items()
    for short in names.split()
}  # fmt: skip
_FORMER_NAMES = {
    "constraints": {"maxnorm": "max_norm", "nonneg": "non_neg", "unitnorm": "unit_norm"},
    "initializers": {"normal": "random_normal", "one": "ones", "uniform": "random_uniform", "zero": "zeros"},
    "layers": {"CuDNNGRU": "GRU", "CuDNNLSTM": "LSTM"},
    "losses": _SHORT_LOSSES,
    "metrics": _SHORT_LOSSES,
    "optimizers": {name.lower(): name for name in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam")},
}

# What scripts take of TensorFlow around their Keras code; loaded by the first script that does.
_TENSORFLOW_NAMES = "layerkit.tensorflow_names"

_APPLICATIONS = "keras.applications"
_APPLICATION_FUNCTIONS = ("preprocess_input", "decode_predictions")


class _Alias(ModuleType):
    """A module that has what another one has."""

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        self.__dict__["_target"] = target
        self.__path__: list[str] = []
        self.__all__ = list(getattr(target, "__all__", ())) or [one for one in dir(target) if not one.startswith("_")]
        if target.__name__ == KERAS:
            self.__version__ = _keras_version()
            self.version = _keras_version
            self.applications = _Applications("keras.applications")
            self.__all__.append("applications")

    def __getattr__(self, name: str) -> Any:
        target = self.__dict__["_target"]
        former = f"{_today(self.__name__)}.{name}"
        if former in _PREFIXES:
            return importlib.import_module(former)
        names = _FORMER_NAMES.get(target.__name__.removeprefix(f"{KERAS}."), {})
        try:
            return getattr(target, names.get(name, name))
        except AttributeError:
            reason = explanation(f"{target.__name__}.{name}")
            raise AttributeError(
                f"{self.__name__} is layerkit here: {reason}"
                if reason
                else f"{self.__name__} is layerkit here, which has no {target.__name__}.{name}: "
                "docs/compatibility.md lists what is missing."
            ) from None

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_target"])


class _TensorFlow(ModuleType):
    """`tensorflow` where there is none: its keras, and the few names around it that have a counterpart."""

    __version__ = TENSORFLOW_VERSION

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        whole = f"{self.__name__}.{name}"
        inside = whole.removeprefix("tensorflow.")
        if whole in _PREFIXES or any(one.startswith(f"{whole}.") for one in _PREFIXES):
            return importlib.import_module(whole)
        names = importlib.import_module(_TENSORFLOW_NAMES).NAMES
        if inside in names:
            return names[inside]
        if any(one.startswith(f"{inside}.") for one in names):
            return _TensorFlow(whole)
        raise AttributeError(
            f"This script uses {whole}, which is TensorFlow's and not Keras'. It runs with layerkit as keras, without "
            "TensorFlow: use keras.ops and keras.random in its place, or install TensorFlow and run it there."
        )


class _Applications(ModuleType):
    """`keras.applications`: packages list its models in tables when they are imported, so a call is what fails."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        whole = f"{self.__name__}.{name}"
        if name.islower() and self.__name__ == _APPLICATIONS and name not in _APPLICATION_FUNCTIONS:
            return importlib.import_module(whole)

        def missing(*args: Any, **kwargs: Any) -> None:
            raise NotImplementedError(f"{whole}: layerkit has no models of {_APPLICATIONS} and no weights of theirs.")

        return missing


class _Finder(MetaPathFinder, Loader):
    """Resolves the names of Keras' packages to layerkit's."""

    def __init__(self, tensorflow: bool) -> None:
        self._roots = ("keras", "tf_keras", *(("tensorflow",) if tensorflow else ()))

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._roots or self._target(fullname) is None:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        target = self._target(spec.name)
        if target == "tensorflow":
            return _TensorFlow(spec.name)
        if target == _APPLICATIONS:
            return _Applications(_today(spec.name))
        return _Alias(spec.name, importlib.import_module(target))

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: the module is whole when it is made."""

    @staticmethod
    def _target(fullname: str) -> str | None:
        """The module that a name stands for, "tensorflow" or "keras.applications" for what stands in, or None."""
        name = _today(fullname)
        if name == _APPLICATIONS or name.startswith(f"{_APPLICATIONS}."):
            return _APPLICATIONS
        if name == "tensorflow" or any(one.startswith(f"{name}.") for one in _PREFIXES if one.startswith("tensorflow")):
            return "tensorflow"
        if name == "keras._tf_keras":
            return KERAS
        if name.partition(".")[0] != "keras":
            return None
        target = KERAS + name.removeprefix("keras")
        parent, _, last = target.rpartition(".")
        if not parent:
            return target
        try:
            if importlib.util.find_spec(target) is not None:
                return target
        except MissingModuleError:
            raise
        except ModuleNotFoundError:
            return None
        return None


def _today(fullname: str) -> str:
    """The name by which a module of Keras is reached today."""
    for prefix, stands_for in sorted(_PREFIXES.items(), key=lambda one: -len(one[0])):
        if fullname == prefix or fullname.startswith(f"{prefix}."):
            return _today(stands_for + fullname[len(prefix) :])
    return fullname


def _keras_version() -> str:
    """The version of Keras whose names are followed, which packages look at: the first two parts are Keras'."""
    return "3.15.0"


_installed: _Finder | None = None


def install_as_keras() -> None:
    """Make `import keras`, `from keras.layers import ...` and, without TensorFlow, `tensorflow.keras` layerkit.

    Call it before anything imports keras. Raises RuntimeError where that has happened.

    >>> install_as_keras()
    >>> import keras
    >>> keras.layers.Dense.__module__
    'layerkit.layers.core'
    """
    global _installed
    if _installed is not None:
        return
    loaded = sys.modules.get("keras")
    if loaded is not None and not isinstance(loaded, _Alias):
        raise RuntimeError("keras was imported already; call layerkit.install_as_keras() before anything imports it.")
    tensorflow = "tensorflow" not in sys.modules and importlib.util.find_spec("tensorflow") is None
    _installed = _Finder(tensorflow)
    sys.meta_path.insert(0, _installed)


def run(arguments: Sequence[str]) -> None:
    """Run a script, `[path, argument, ...]`, with layerkit in the place of Keras, as `python path argument ...` does.

    Raises FileNotFoundError where there is no such script.
    """
    path = Path(arguments[0])
    if not path.is_file():
        raise FileNotFoundError(f"There is no script {str(path)!r}.")
    install_as_keras()
    before = sys.argv, sys.path[0]
    sys.argv, sys.path[0] = list(arguments), str(path.resolve().parent)
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv, sys.path[0] = before
