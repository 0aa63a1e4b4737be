"""FeatureSpace: columns of a table to one vector, or a dictionary of vectors, for each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from layerkit import layers, ops
from layerkit.data import PyDataset
from layerkit.dtypes import floatx
from layerkit.errors import NotBuiltError
from layerkit.graph.tensor import Tensor
from layerkit.layers.preprocessing.encoding import encode, one_of
from layerkit.layers.preprocessing.lookup import IndexLookup
from layerkit.layers.preprocessing.strings import HostLayer, holds_strings
from layerkit.registry import auto_name
from layerkit.serialization import Configurable, deserialize_keras_object

_MODULE = "keras.src.layers.preprocessing.feature_space"
ADAPTED_BY = 32
"""How many rows of a table a feature is adapted to at once, as in Keras: the boundaries of bins depend on it."""


class Cross(Configurable, kind="feature space part", module=_MODULE):
    """A combination of features that is a feature itself.

    Args:
        feature_names: whose.
        crossing_dim: to how many buckets it is hashed.
        output_mode: "one_hot" or "int".
    """

    def __init__(self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> None:
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = one_of("Cross", "output_mode", output_mode, ("int", "one_hot"))

    @property
    def name(self) -> str:
        """The features' names, joined."""
        return "_X_".join(self.feature_names)


class Feature(Configurable, kind="feature space part", module=_MODULE):
    """A column: its dtype, the layer that prepares it, and how it stands in the output.

    Args:
        dtype: "float32", "int32" or "string".
        preprocessor: a layer.
        output_mode: "float", "one_hot" or "int".
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype
        self.preprocessor = deserialize_keras_object(preprocessor)
        self.output_mode = one_of("Feature", "output_mode", output_mode, ("int", "one_hot", "float"))


class FeatureSpace(HostLayer):
    """The preparation of a table's columns, and of combinations of them, in one object.

    Args:
        features: column name -> a feature: one that the class methods make, or the name of one of them.
        output_mode: "concat" (one vector for each row) or "dict".
        crosses: combinations of features: tuples of names, or what `FeatureSpace.cross` makes.
        crossing_dim: to how many buckets combinations are hashed.
        hashing_dim: to how many buckets "string_hashed" and "integer_hashed" hash.
        num_discretization_bins: how many bins "float_discretized" has.
        name: its name.

    It is called on a dictionary of columns [rows] or [rows, 1], NumPy arrays or lists, or of single values.

    >>> space = FeatureSpace({"size": "float_normalized", "kind": "string_categorical"})
    >>> space.adapt({"size": [1.0, 3.0], "kind": ["a", "b"]})
    >>> space({"size": [3.0], "kind": ["b"]}).tolist()
    [[0.0, 1.0, 0.0, 1.0]]
    """

    def __init__(
        self,
        features: dict[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        if not features:
            raise ValueError("FeatureSpace: the `features` argument cannot be None or empty.")
        self.output_mode = one_of("FeatureSpace", "output_mode", output_mode, ("dict", "concat"))
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {key: self._feature_of(key, value) for key, value in features.items()}
        self.crosses = [self._cross_of(cross) for cross in crosses or ()]
        self.preprocessors = {key: feature.preprocessor for key, feature in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses
        }
        self._encoded: Any = None

    # Features. Keras' names for them, which hide the built-in `float` inside of the class alone.

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """A combination of features."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A column prepared by a layer of your own."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return Feature("float32", layers.Identity(name=_named("float", name)), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """Numbers times `scale` plus `offset`."""
        return Feature("float32", layers.Rescaling(scale, offset, name=_named("float_rescaled", name)), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers of mean 0 and variance 1."""
        return Feature("float32", layers.Normalization(axis=-1, name=_named("float_normalized", name)), "float")

    @classmethod
    def float_discretized(
        cls, num_bins: int | None, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Which of `num_bins` bins a number falls in."""
        layer = layers.Discretization(bin_boundaries, num_bins, name=_named("float_discretized", name))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Integers by a vocabulary."""
        layer = layers.IntegerLookup(max_tokens, num_oov_indices, name=_named("integer_categorical", name))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Strings by a vocabulary."""
        layer = layers.StringLookup(max_tokens, num_oov_indices, name=_named("string_categorical", name))
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Strings by a hash."""
        return Feature("string", layers.Hashing(num_bins, name=_named("string_hashed", name)), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Integers by a hash."""
        return Feature("int32", layers.Hashing(num_bins, name=_named("integer_hashed", name)), output_mode)

    def _feature_of(self, key: str, value: Any) -> Feature:
        made = deserialize_keras_object(value) if isinstance(value, dict) else value
        if isinstance(made, Feature):
            return made
        arguments = {
            "float": {}, "float_normalized": {}, "float_rescaled": {}, "integer_categorical": {},
            "string_categorical": {}, "float_discretized": {"num_bins": self.num_discretization_bins},
            "integer_hashed": {"num_bins": self.hashing_dim}, "string_hashed": {"num_bins": self.hashing_dim},
        }  # fmt: skip
        one_of("FeatureSpace", f"features[{key!r}]", value, tuple(arguments))
        return getattr(self, value)(name=key, **arguments[value])

    def _cross_of(self, value: Any) -> Cross:
        made = deserialize_keras_object(value) if isinstance(value, dict) else value
        if not isinstance(made, Cross):
            if not self.crossing_dim:
                raise ValueError("FeatureSpace: with `crosses`, `crossing_dim` should be specified as well.")
            made = Cross(made, self.crossing_dim)
        unknown = [key for key in made.feature_names if key not in self.features]
        if unknown:
            raise ValueError(
                f"FeatureSpace: `crosses` names features that are not in `features`: {unknown}. Received: {value!r}"
            )
        return made

    # State.

    def adapt(self, dataset: Any) -> None:
        """Adapt the features' layers to a table: a dictionary of columns, a `PyDataset` or an iterable of such batches.

        Raises ValueError where a column is missing or the data are of another kind.
        """
        tables = list(self._tables(dataset))
        for key, layer in self.preprocessors.items():
            if _can_adapt(layer):
                layer.adapt(batch for table in tables for batch in self._slices(table, key))
        self._encoded = None

    def _tables(self, dataset: Any) -> Iterator[dict[str, Any]]:
        if isinstance(dataset, dict):
            dataset = [dataset]
        elif isinstance(dataset, PyDataset):
            dataset = (dataset[at] for at in range(len(dataset)))
        if not isinstance(dataset, Iterable):
            raise ValueError(
                f"FeatureSpace {self.name!r}: adapt() takes a dictionary of columns or an iterable of such. Received: "
                f"{type(dataset).__name__}"
            )
        for batch in dataset:
            table = batch[0] if isinstance(batch, tuple) else batch
            if not isinstance(table, dict):
                raise ValueError(
                    f"FeatureSpace {self.name!r}: adapt() takes dictionaries of columns. Received: "
                    f"{type(table).__name__}"
                )
            yield table

    def _slices(self, table: dict[str, Any], key: str) -> Iterator[np.ndarray]:
        column = _column(self._found(table, key))
        for start in range(0, len(column), ADAPTED_BY):
            yield column[start : start + ADAPTED_BY]

    def _found(self, table: dict[str, Any], key: str) -> Any:
        if key not in table:
            raise ValueError(
                f"FeatureSpace {self.name!r}: the column {key!r} is missing. Received columns {list(table)}, expected "
                f"{list(self.features)}"
            )
        return table[key]

    def _require_adapted(self) -> None:
        waiting = [key for key, layer in self.preprocessors.items() if _can_adapt(layer) and not _is_adapted(layer)]
        if waiting:
            raise NotBuiltError(
                f"FeatureSpace {self.name!r}: call `adapt(dataset)` before it is used: the features {waiting} have "
                "learned nothing yet."
            )

    # Computing.

    def __call__(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Prepare a table; of a dictionary of single values the result has no axis of rows."""
        self._require_adapted()
        if not isinstance(data, dict):
            raise ValueError(
                f"FeatureSpace {self.name!r}: it can only be called with a dict. Received: {type(data).__name__}"
            )
        single = all(np.ndim(data[key]) == 0 for key in self.features if key in data)
        outputs = super().__call__(data, *args, **kwargs)
        if not single:
            return outputs
        if isinstance(outputs, dict):
            return {key: ops.squeeze(value, 0) for key, value in outputs.items()}
        return ops.squeeze(outputs, 0)

    def _prepared(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {key: _column(self._found(inputs, key)) for key in self.features}

    def call(self, inputs: dict[str, Any]) -> Any:
        """The vectors [rows, ...], floats: joined, or by the features' names."""
        prepared = {key: self._prepare(key, x) for key, x in inputs.items()}
        crossed = {
            cross.name: self.crossers[cross.name]([prepared[key] for key in cross.feature_names])
            for cross in self.crosses
        }
        specs = {**self.features, **{cross.name: cross for cross in self.crosses}}
        outputs = {
            key: self._encode(key, specs[key].output_mode, x)
            for part in (prepared, crossed)
            for key, x in sorted(part.items())
        }
        return outputs if self.output_mode == "dict" else ops.concatenate(list(outputs.values()), axis=-1)

    def _prepare(self, key: str, x: Any) -> Any:
        if self.features[key].dtype == "float32":
            x = ops.cast(x, floatx())
        return self.preprocessors[key](x)

    def _encode(self, key: str, mode: str, x: Any) -> Any:
        if mode == "one_hot":
            if not x.dtype.startswith("int"):
                raise ValueError(
                    f"Feature {key!r} has `output_mode='one_hot'`, so its layer should return integers. Instead it "
                    f"returns dtype {x.dtype}."
                )
            return encode(x, "multi_hot", self._width(key), floatx())
        if self.output_mode == "concat" and not x.dtype.startswith("float"):
            raise ValueError(
                f"Cannot concatenate features because feature {key!r} has not been encoded (it has dtype {x.dtype}). "
                "Consider using `output_mode='dict'`."
            )
        return x

    def _width(self, key: str) -> int:
        layer = self.preprocessors[key] if key in self.preprocessors else self.crossers[key]
        if isinstance(layer, IndexLookup):
            return layer.vocabulary_size()
        if isinstance(layer, layers.Discretization):
            return len(layer.bin_boundaries) + 1
        for name in ("num_bins", "num_tokens"):
            if hasattr(layer, name):
                return getattr(layer, name)
        raise ValueError(
            f"Feature {key!r} has `output_mode='one_hot'`, but how many values {type(layer).__name__} gives is not "
            "known. Try `output_mode='int'`."
        )

    # For functional models.

    def get_inputs(self) -> dict[str, Tensor]:
        """A symbolic input for each column, of strings too."""
        self._require_adapted()
        if not hasattr(self, "_inputs_of_columns"):
            made = {key: layers.Input((1,), dtype=feature.dtype, name=key) for key, feature in self.features.items()}
            object.__setattr__(self, "_inputs_of_columns", made)
        return dict(self._inputs_of_columns)

    def get_encoded_features(self) -> Any:
        """What it computes of `get_inputs()`, as symbolic tensors.

        They may be the inputs of a model that is trained on prepared data, and lead from the columns to the outputs of
        the model that predicts.
        """
        self._require_adapted()
        if self._encoded is None:
            object.__setattr__(self, "_encoded", self(self.get_inputs()))
        return self._encoded

    def build(self, input_shape: Any = None) -> None:
        """Nothing: the features' layers are built when they adapt or are called."""

    def get_build_config(self) -> None:
        """Nothing."""


def _named(kind: str, name: str | None) -> str:
    return f"{name or auto_name(kind)}_preprocessor"


def _can_adapt(layer: Any) -> bool:
    if isinstance(layer, IndexLookup):
        return not layer._pinned
    if isinstance(layer, layers.Normalization):
        return layer.input_mean is None
    if isinstance(layer, layers.Discretization):
        return layer.num_bins is not None
    if isinstance(layer, layers.TextVectorization):
        return not layer._lookup_layer._pinned
    return hasattr(layer, "adapt")


def _is_adapted(layer: Any) -> bool:
    if isinstance(layer, IndexLookup):
        return layer._tokens is not None
    if isinstance(layer, layers.TextVectorization):
        return layer._lookup_layer._tokens is not None
    return layer.bin_boundaries is not None if isinstance(layer, layers.Discretization) else layer.built


def _column(values: Any) -> Any:
    """A column as an array or tensor [rows, ...] of at least two axes."""
    if isinstance(values, Tensor):
        return ops.expand_dims(values, -1) if len(values.shape) == 1 else values
    array = np.asarray(values, object) if holds_strings(values) else np.asarray(values)
    if array.dtype.kind == "O" and not holds_strings(array.ravel()[:1].tolist()):
        array = np.array(array.tolist())
    return array.reshape(-1, 1) if array.ndim < 2 else array
