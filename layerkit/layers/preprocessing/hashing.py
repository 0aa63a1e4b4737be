"""Hashing and HashedCrossing: strings and integers to buckets, without a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit import ops
from layerkit.dtypes import STRING, floatx
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Operation, Spec
from layerkit.graph.tensor import Tensor
from layerkit.layers.core import refuse
from layerkit.layers.preprocessing.encoding import encode, encode_rows, encoded_shape, output_mode_of, salt_of
from layerkit.layers.preprocessing.fingerprints import cross_buckets, fingerprints, hash_buckets
from layerkit.layers.preprocessing.strings import (
    HostLayer,
    OfStrings,
    holds_strings,
    number_tensor,
    string_array,
    string_tensor,
)

__all__ = ["HashedCrossing", "Hashing"]


class HashIntegers(Operation):
    """The bucket of each integer, hashed as the text of its decimal digits: int64 of the input's shape. No gradient.

    `key`: None for FarmHash's fingerprint, or the two numbers of SipHash's key.
    """

    buckets: int
    key: tuple[int, int] | None = None

    def infer(self, x: Tensor) -> Spec:
        """int64 of the input's shape."""
        if not x.dtype.startswith(("int", "uint")):
            raise DtypeError(f"integers are hashed; got dtype {x.dtype}.")
        return x.shape, "int64"

    def reference(self, x: np.ndarray) -> np.ndarray:
        """Each different integer is hashed once."""
        different, places = np.unique(x, return_inverse=True)
        buckets = hash_buckets([str(number) for number in different.tolist()], self.buckets, self.key)
        return buckets[places].reshape(x.shape)

    def gradient(self, g: Tensor, y: Tensor, x: Tensor) -> list[None]:
        """None: integers have no gradient."""
        return [None]


class CrossIntegers(Operation):
    """The bucket of each combination of integers, all inputs of one shape: int64 of that shape. No gradient."""

    buckets: int

    def infer(self, *x: Tensor) -> Spec:
        """int64 of the inputs' shape."""
        return x[0].shape, "int64"

    def reference(self, *x: np.ndarray) -> np.ndarray:
        """TensorFlow's `sparse.cross_hashed`."""
        columns = [column.astype(np.int64).astype(np.uint64).ravel() for column in x]
        return cross_buckets(columns, self.buckets).reshape(x[0].shape)

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> list[None]:
        """None: integers have no gradient."""
        return [None] * len(x)


class Hashing(HostLayer):
    """Strings or integers to buckets by a hash, so that no vocabulary is needed; different ones may share a bucket.

    The buckets are those of Keras: FarmHash's fingerprint, or with `salt` SipHash-2-4.

    Args:
        num_bins: how many buckets there are, with that of `mask_value`.
        mask_value: what bucket 0 is kept for; None: nothing.
        salt: one or two integers that key the hash.
        output_mode: "int", "one_hot", "multi_hot" or "count".
        sparse: not supported; True raises NotImplementedError.
        **kwargs: `dtype`, which is "int64" by default where the output mode is "int", and a layer's further arguments.

    >>> Hashing(3)(np.array(["A", "B", "C"])).tolist()
    [1, 0, 1]
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else floatx()
        super().__init__(**kwargs)
        refuse(self, sparse=sparse)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                f"Hashing: `num_bins` cannot be `None` or non-positive values. Received: num_bins={num_bins}."
            )
        self.output_mode = output_mode_of("Hashing", output_mode, ("int", "one_hot", "multi_hot", "count"))
        if output_mode == "int" and self.compute_dtype not in ("int32", "int64"):
            raise ValueError(
                "Hashing: when `output_mode='int'`, `dtype` should be an integer type, 'int32' or 'int64'. Received: "
                f"dtype={self.compute_dtype}"
            )
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt = salt_of("Hashing", salt)
        self.sparse = sparse

    def _prepared(self, inputs: Any) -> Any:
        if holds_strings(inputs):
            return string_tensor(inputs, self)
        x = inputs if isinstance(inputs, Tensor) else number_tensor(inputs, self)
        if x.dtype == "bool":
            raise DtypeError(f"Hashing {self.name!r}: expected strings or integers, got dtype bool.")
        return x if x.dtype.startswith(("int", "uint")) else ops.cast(x, "int64")

    @property
    def _hashed_bins(self) -> int:
        return self.num_bins - 1 if self._masks else self.num_bins

    @property
    def _masks(self) -> bool:
        return self.mask_value is not None and self.num_bins > 1

    def call(self, inputs: Any) -> Tensor:
        """The buckets, or vectors."""
        if inputs.dtype == STRING:
            return OfStrings(self)(inputs)
        bins = HashIntegers(self._hashed_bins, self._key)(inputs)
        if self._masks:
            bins = ops.where(ops.equal(inputs, self.mask_value), 0, bins + 1)
        return encode(bins, self.output_mode, self.num_bins, self.compute_dtype)

    @property
    def _key(self) -> tuple[int, int] | None:
        return None if self.salt is None else tuple(self.salt)

    def spec_of_strings(self, x: Tensor) -> Spec:
        """Of buckets or vectors."""
        return encoded_shape(x.shape, self.output_mode, self.num_bins), self.compute_dtype

    def of_strings(self, x: np.ndarray) -> np.ndarray:
        """The buckets of strings, or vectors."""
        texts = string_array(x, self)
        bins = hash_buckets(texts.ravel().tolist(), self._hashed_bins, self._key).reshape(texts.shape)
        if self._masks:
            bins = np.where(texts == self.mask_value, 0, bins + 1)
        return encode_rows(bins, self.output_mode, self.num_bins, self.compute_dtype)


class HashedCrossing(HostLayer):
    """The combination of features to buckets by a hash: for (A, 1) another one than for (A, 2) or (B, 1), mostly.

    Args:
        num_bins: how many buckets there are.
        output_mode: "int" or "one_hot".
        sparse: not supported; True raises NotImplementedError.
        name: its name.
        dtype: of the output; "int64" by default where the output mode is "int".
        **kwargs: a layer's further arguments.

    It is called on a list or tuple of two or more features of strings or integers, each of shape (), [batch] or
    [batch, 1].

    >>> layer = HashedCrossing(num_bins=5)
    >>> layer((np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102]))).tolist()
    [1, 4, 1, 1, 3]
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, dtype="int64" if output_mode == "int" and dtype is None else dtype, **kwargs)
        refuse(self, sparse=sparse)
        self.output_mode = output_mode_of("HashedCrossing", output_mode, ("int", "one_hot"))
        if num_bins is None or num_bins <= 0:
            raise ValueError(f"HashedCrossing: `num_bins` must be positive. Received: num_bins={num_bins}")
        self.num_bins = num_bins
        self.sparse = sparse

    def _prepared(self, inputs: Any) -> list[Any]:
        where = f"HashedCrossing {self.name!r}"
        if not isinstance(inputs, list | tuple) or len(inputs) < 2:
            raise ValueError(f"{where}: it is called on a list or tuple of at least two features. Received: {inputs!r}")
        features = [
            string_tensor(one, self) if holds_strings(one) else number_tensor(one, self)
            if not isinstance(one, Tensor) else one
            for one in inputs
        ]  # fmt: skip
        shapes = [tuple(one.shape) for one in features]
        if len(shapes[0]) > 2 or (len(shapes[0]) == 2 and shapes[0][1] != 1) or len(set(shapes)) > 1:
            raise ShapeError(
                f"{where}: all features should have the same shape, (), [batch] or [batch, 1]. Received: {shapes}"
            )
        for one in features:
            if not one.dtype.startswith(("int", "uint", STRING)):
                raise DtypeError(f"{where}: features should be integers or strings. Received: dtype {one.dtype}")
        return features

    def call(self, inputs: Sequence[Any]) -> Tensor:
        """The buckets, or one-hot vectors of them."""
        with_strings = any(one.dtype == STRING for one in inputs)
        bins = OfStrings(self)(*inputs) if with_strings else CrossIntegers(self.num_bins)(*inputs)
        return encode(bins, self.output_mode, self.num_bins, self.compute_dtype)

    def spec_of_strings(self, *x: Tensor) -> Spec:
        """int64 of the features' shape."""
        return x[0].shape, "int64"

    def of_strings(self, *x: np.ndarray) -> np.ndarray:
        """The bucket of each combination."""
        return cross_buckets([_words(feature) for feature in x], self.num_bins).reshape(x[0].shape)


def _words(feature: np.ndarray) -> np.ndarray:
    """A feature as 64-bit words: integers themselves, strings by their fingerprints."""
    if feature.dtype.kind != "O":
        return feature.astype(np.int64).astype(np.uint64).ravel()
    return fingerprints(feature.ravel().tolist())
