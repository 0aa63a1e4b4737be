"""StringLookup: strings to indices of a vocabulary, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from layerkit.dtypes import STRING, floatx
from layerkit.graph.operation import Spec
from layerkit.graph.tensor import Shape, Tensor
from layerkit.layers.preprocessing.adapting import batches
from layerkit.layers.preprocessing.encoding import encode_rows, encoded_shape
from layerkit.layers.preprocessing.fingerprints import hash_buckets
from layerkit.layers.preprocessing.lookup import IndexLookup
from layerkit.layers.preprocessing.strings import OfStrings, integer_tensor, string_array, string_tensor

__all__ = ["StringLookup"]

LEFT_OUT = -1
"""The index of a term that leaves no trace in an encoded output."""


class StringLookup(IndexLookup):
    """Strings to integers, by a vocabulary that is given or found by `adapt`.

    It takes arrays, lists and tensors of strings, also those of a model's `Input(dtype="string")`. The host looks them
    up, before the compiled part of a step runs.

    Args:
        max_tokens: the largest size of the vocabulary, with the special tokens.
        num_oov_indices: how many indices there are for strings outside of the vocabulary. With several a hash chooses;
            with none such strings are an error.
        mask_token: the string of index 0; in other output modes than "int" it leaves no trace.
        oov_token: what `invert` gives for indices outside of the vocabulary.
        vocabulary: the strings, or the path of a file with one on each line.
        idf_weights: a weight for each, for "tf_idf".
        invert: whether to go from integers to strings: the output is a tensor of strings, of which `predict` makes an
            array of `str` objects.
        output_mode: "int", "one_hot", "multi_hot", "count" or "tf_idf".
        pad_to_max_tokens: whether vectors are `max_tokens` wide, however many tokens there are.
        sparse: not supported; True raises NotImplementedError.
        encoding: of bytes.
        name: its name.
        salt: one or two integers that key the hash.
        **kwargs: `trainable` and the like.

    >>> layer = StringLookup(vocabulary=["a", "b"])
    >>> layer(np.array([["b", "z"]])).tolist()
    [[2, 0]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        object.__setattr__(self, "encoding", encoding)
        super().__init__(
            max_tokens=max_tokens,
            num_oov_indices=num_oov_indices,
            mask_token=mask_token,
            oov_token=oov_token,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            invert=invert,
            output_mode=output_mode,
            pad_to_max_tokens=pad_to_max_tokens,
            sparse=sparse,
            name=name,
            salt=salt,
            **kwargs,
        )

    def _keep_tokens(self, tokens: list[str]) -> None:
        super()._keep_tokens(tokens)
        table = {token: self._token_start + at for at, token in enumerate(tokens)}
        if self.mask_token is not None:
            table[self.mask_token] = 0 if self.output_mode == "int" else LEFT_OUT
        object.__setattr__(self, "_table", table)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Make the vocabulary of the data's strings: the most frequent first.

        Args:
            data: an array or list of strings, a `PyDataset`, or an iterable of batches. Everything earlier is
                forgotten.
            steps: how many batches to take.

        Raises ValueError where the vocabulary was given to the constructor.
        """
        self.reset_state()
        for batch in batches(data, self, steps, lists_are_batches=False):
            # Of one array each entry is a document; of a batch with one axis the batch is, as in Keras.
            rows = string_array(batch, self, self.encoding)
            self._count_rows(rows[:, None] if batch is data and rows.ndim == 1 else rows)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count more strings [documents, tokens], or those of one document [tokens]."""
        self._count_rows(string_array(data, self, self.encoding))

    def _count_rows(self, rows: np.ndarray) -> None:
        self._count(rows.reshape(-1, rows.shape[-1] if rows.ndim > 1 else rows.size).tolist())

    def _prepared(self, inputs: Any) -> Any:
        return integer_tensor(inputs, self) if self.invert else string_tensor(inputs, self, self.encoding)

    @property
    def compute_dtype(self) -> str:
        """What it is called on: "string", or with `invert` its dtype."""
        return super().compute_dtype if self.invert else STRING

    def call(self, inputs: Tensor) -> Tensor:
        """The indices, int64 of the inputs' shape, or vectors; with `invert` strings."""
        return OfStrings(self)(inputs)

    def spec_of_strings(self, x: Tensor) -> Spec:
        """Of indices or vectors; with `invert` of strings."""
        if self.invert:
            return x.shape, STRING
        return self.encoded_spec(x.shape)

    def encoded_spec(self, shape: Shape) -> Spec:
        """Shape and dtype of what `encoded` gives for indices of a shape."""
        depth = 0 if self.output_mode == "int" else self._expected_depth
        dtype = floatx() if self.output_mode == "tf_idf" else "int64"
        return encoded_shape(shape, self.output_mode, depth), dtype

    def of_strings(self, x: np.ndarray) -> np.ndarray:
        """The indices or vectors of strings; with `invert` the strings of indices."""
        self._require_vocabulary()
        if self.invert:
            return self._strings_of(x)
        terms = string_array(x, self, self.encoding)
        return self.encoded(np.array(self.indices_of(terms.ravel().tolist()), np.int64).reshape(terms.shape))

    def indices_of(self, terms: Sequence[str]) -> list[int]:
        """The index of each string of a list; `LEFT_OUT` for masked ones where the output is encoded."""
        table, unknown = self._table, None
        if self.num_oov_indices == 1:
            unknown = self._oov_start
        found = [table.get(term, unknown) for term in terms]
        if unknown is not None or None not in found:
            return found
        places = [at for at, index in enumerate(found) if index is None]
        if self.num_oov_indices == 0:
            self._refuse_unknown([terms[at] for at in places])
        key = None if self.salt is None else tuple(self.salt)
        buckets = hash_buckets([terms[at] for at in places], self.num_oov_indices, key)
        for at, bucket in zip(places, buckets.tolist(), strict=True):
            found[at] = self._oov_start + bucket
        return found

    def encoded(self, indices: np.ndarray) -> np.ndarray:
        """Indices [..., tokens] as the output mode has them."""
        if self.output_mode != "tf_idf":
            return encode_rows(indices, self.output_mode, self._depth, "int64")
        return encode_rows(indices, "count", self._depth, floatx()) * self._weights()

    def _strings_of(self, indices: np.ndarray) -> np.ndarray:
        terms = np.empty(self.vocabulary_size() + 1, object)
        terms[:] = [*self.get_vocabulary(), self.oov_token]
        inside = (indices >= 0) & (indices < self.vocabulary_size())
        return terms[np.where(inside, indices, self.vocabulary_size())]
