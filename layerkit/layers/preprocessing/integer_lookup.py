"""IntegerLookup: integers to indices of a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit import ops
from layerkit.dtypes import floatx
from layerkit.graph.operation import Operation, Spec
from layerkit.graph.tensor import Tensor
from layerkit.layers.preprocessing.adapting import batches
from layerkit.layers.preprocessing.encoding import encode
from layerkit.layers.preprocessing.hashing import HashIntegers
from layerkit.layers.preprocessing.lookup import IndexLookup
from layerkit.layers.preprocessing.strings import integer_tensor

__all__ = ["IntegerLookup"]

LEFT_OUT = -1
"""The index of an integer that leaves no trace in an encoded output."""


class FindInSorted(Operation):
    """The value that stands beside each key in a table of sorted keys, or `default`.

    Inputs: x of integers, keys and values [n], int64; output: int64 of x's shape. No gradient.
    """

    default: int

    def infer(self, x: Tensor, keys: Tensor, values: Tensor) -> Spec:
        """int64 of x's shape."""
        return x.shape, "int64"

    def reference(self, x: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
        """A binary search."""
        places = np.minimum(np.searchsorted(keys, x), len(keys) - 1)
        return np.where(keys[places] == x, values[places], np.int64(self.default))

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> list[None]:
        """None: integers have no gradient."""
        return [None, None, None]


class RequireNone(Operation):
    """Its input; raises ValueError with the second input's elements where the first is -1 (a step that meets one ends).

    Inputs: indices and x of one shape; output: the indices. `where` is what the error names.
    """

    where: str

    def infer(self, indices: Tensor, x: Tensor) -> Spec:
        """As the indices."""
        return indices.shape, indices.dtype

    def reference(self, indices: np.ndarray, x: np.ndarray) -> np.ndarray:
        """The check."""
        unknown = x[indices == LEFT_OUT]
        if unknown.size:
            listed = ", ".join(map(str, unknown[:10].tolist()))
            raise ValueError(
                f"{self.where}: when `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
                f"[{listed}], consider setting `num_oov_indices=1`."
            )
        return indices.copy()

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> list[None]:
        """None: integers have no gradient."""
        return [None, None]


class IntegerLookup(IndexLookup):
    """Integers to indices, by a vocabulary that is given or found by `adapt`. It may be part of a compiled model.

    Args:
        max_tokens: the largest size of the vocabulary, with the special tokens.
        num_oov_indices: how many indices there are for integers outside of the vocabulary, chosen by `oov_method`;
            with none such integers are an error.
        mask_token: the integer of index 0; in other output modes than "int" it leaves no trace.
        oov_token: what `invert` gives for indices outside of the vocabulary.
        vocabulary: the integers, or the path of a file with one on each line.
        vocabulary_dtype: "int64".
        idf_weights: a weight for each, for "tf_idf".
        invert: whether to go from indices to integers.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        sparse: not supported; True raises NotImplementedError.
        pad_to_max_tokens: whether vectors are `max_tokens` wide, however many tokens there are.
        oov_method: "floormod" (the remainder) or "farmhash" (a hash).
        salt: one or two integers that key the hash.
        name: its name.
        **kwargs: `trainable` and the like.

    >>> IntegerLookup(vocabulary=[12, 36])(np.array([36, 7, 12])).tolist()
    [2, 0, 1]
    """

    _term_kind = int

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(
                "IntegerLookup: only `vocabulary_dtype='int64'` is supported. Received: "
                f"vocabulary_dtype={vocabulary_dtype!r}"
            )
        if salt is not None and oov_method != "farmhash":
            raise ValueError(
                "IntegerLookup: `salt` can only be used when `oov_method='farmhash'`. Received: "
                f"oov_method={oov_method!r}"
            )
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            sparse=sparse,
            pad_to_max_tokens=pad_to_max_tokens,
            oov_method=oov_method,
            name=name,
            salt=salt,
            **kwargs,
        )
        self.vocabulary_dtype = vocabulary_dtype

    def _keep_tokens(self, tokens: list[int]) -> None:
        super()._keep_tokens(tokens)
        indices = {token: self._token_start + at for at, token in enumerate(tokens)}
        if self.mask_token is not None:
            indices[self.mask_token] = 0 if self.output_mode == "int" else self._masked
        keys = sorted(indices)
        table = np.array([keys, [indices[key] for key in keys]], np.int64)
        object.__setattr__(self, "_table", (table[0], table[1]))

    @property
    def _masked(self) -> int:
        """An index past the output's end, which leaves no trace and isn't taken for an unknown integer."""
        return np.iinfo(np.int32).max

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the vocabulary of the data's integers: the most frequent first.

        Args:
            data: an array or list of integers, a `PyDataset`, or an iterable of batches. Everything earlier is
                forgotten.
            steps: how many batches to take.

        Raises ValueError where the vocabulary was given to the constructor.
        """
        self.reset_state()
        for batch in batches(data, self, steps, lists_are_batches=False):
            rows = integer_tensor(batch, self).numpy()
            self._count_rows(rows[:, None] if batch is data and rows.ndim == 1 else rows)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count more integers [documents, tokens], or those of one document [tokens]."""
        self._count_rows(integer_tensor(data, self).numpy())

    def _count_rows(self, rows: np.ndarray) -> None:
        self._count(rows.reshape(-1, rows.shape[-1] if rows.ndim > 1 else rows.size).tolist())

    def _prepared(self, inputs: Any) -> Tensor:
        return integer_tensor(inputs, self)

    def call(self, inputs: Tensor) -> Tensor:
        """The indices, int64 of the inputs' shape, or vectors; with `invert` the integers."""
        self._require_vocabulary()
        if self.invert:
            terms = np.array(self.get_vocabulary(), np.int64)
            return FindInSorted(int(self.oov_token))(inputs, np.arange(len(terms)), terms)
        unknown = self._oov_start if self.num_oov_indices == 1 else LEFT_OUT
        indices = FindInSorted(unknown)(inputs, *self._table)
        if self.num_oov_indices == 0:
            indices = RequireNone(self._where)(indices, inputs)
        elif self.num_oov_indices > 1:
            indices = ops.where(ops.equal(indices, LEFT_OUT), self._bucket(inputs) + self._oov_start, indices)
        if self.output_mode != "tf_idf":
            return encode(indices, self.output_mode, self._depth, "int64")
        return encode(indices, "count", self._depth, floatx()) * self._weights()

    def _bucket(self, inputs: Tensor) -> Tensor:
        if self.oov_method == "farmhash":
            return HashIntegers(self.num_oov_indices, None if self.salt is None else tuple(self.salt))(inputs)
        return ops.mod(ops.cast(inputs, "int64"), self.num_oov_indices)
