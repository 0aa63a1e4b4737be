"""TextVectorization: texts to sequences of integers, or to vectors of their words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from layerkit.dtypes import STRING
from layerkit.errors import ShapeError
from layerkit.graph.operation import Spec
from layerkit.graph.tensor import Shape, Tensor
from layerkit.layers.core import refuse
from layerkit.layers.preprocessing.adapting import batches
from layerkit.layers.preprocessing.encoding import one_of, output_mode_of
from layerkit.layers.preprocessing.lookup import VocabularyLayer
from layerkit.layers.preprocessing.string_lookup import LEFT_OUT, StringLookup
from layerkit.layers.preprocessing.strings import OfStrings, string_array, string_tensor
from layerkit.layers.preprocessing.tokens import TABLES, split, standardized, with_ngrams

__all__ = ["TextVectorization"]


class TextVectorization(VocabularyLayer):
    """Texts to integers: standardize, split in tokens, make n-grams, look the tokens up.

    It takes arrays, lists and tensors of strings, also those of a model's `Input(dtype="string")`: the host turns them
    into integers before the compiled part of a step runs. Index 0 is padding and 1 is for tokens outside of the
    vocabulary; vectors have no place for padding.

    Args:
        max_tokens: the largest size of the vocabulary, with the special tokens.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", None, or a function of an array of
            strings.
        split: "whitespace", "character", None (texts are tokens), or a function of an array of strings [texts] that
            returns a list of tokens for each.
        ngrams: None, n for n-grams of 1 to n tokens, or a tuple of their sizes.
        output_mode: "int", "multi_hot", "count" or "tf_idf".
        output_sequence_length: to how many tokens texts are cut and padded, with "int"; None: the longest's. (In a
            model each other length is a plan of its own, so fit is faster with a length.)
        pad_to_max_tokens: whether vectors are `max_tokens` wide, however many tokens there are.
        vocabulary: the tokens, or the path of a file with one on each line.
        idf_weights: a weight for each, for "tf_idf".
        sparse, ragged: not supported; True raises NotImplementedError.
        encoding: of bytes.
        name: its name.
        **kwargs: `trainable` and the like.

    >>> layer = TextVectorization(output_sequence_length=4)
    >>> layer.adapt(["The cat sat.", "The dog!"])
    >>> layer(["the cat", "a dog sat"]).tolist()
    [[2, 5, 0, 0], [1, 4, 3, 0]]
    """

    _not_in_config = ("has_input_vocabulary", "vocabulary_size")

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable | None = "lower_and_strip_punctuation",
        split: str | Callable | None = "whitespace",
        ngrams: int | Sequence[int] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        known = {key: kwargs.pop(key) for key in ("vocabulary_size", "has_input_vocabulary") if key in kwargs}
        kwargs.pop("dtype", None)  # as a lookup's
        super().__init__(name=name, **kwargs)
        kind = type(self).__name__
        refuse(self, sparse=sparse, ragged=ragged)
        if not callable(standardize):
            one_of(kind, "standardize", standardize, (*TABLES, None))
        if not callable(split):
            one_of(kind, "split", split, ("whitespace", "character", None))
        self.standardize, self.split = standardize, split
        self.output_mode = output_mode_of(kind, output_mode, ("int", "multi_hot", "count", "tf_idf"))
        self.ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        self._widths = tuple(range(1, self.ngrams + 1)) if isinstance(self.ngrams, int) else self.ngrams
        if self._widths is not None and not (
            isinstance(self._widths, tuple) and all(isinstance(width, int) for width in self._widths)
        ):
            raise ValueError(f"{kind}: `ngrams` must be None, an integer, or a tuple of integers. Received: {ngrams!r}")
        self.output_sequence_length = output_sequence_length
        self._check_length()
        self.encoding = encoding
        self.sparse, self.ragged = sparse, ragged
        lookup = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=self.output_mode,
            encoding=encoding,
            name=self.name,
            **known,
        )
        lookup._part_of = type(self).__name__
        # Not a sublayer: its state is saved as this layer's own, as Keras does.
        object.__setattr__(self, "_lookup_layer", lookup)
        self.max_tokens, self.pad_to_max_tokens = max_tokens, pad_to_max_tokens

    def _check_length(self) -> None:
        length, kind = self.output_sequence_length, type(self).__name__
        if isinstance(length, int) and length <= 0:
            raise ValueError(
                f"{kind}: `output_sequence_length` must be None or a positive integer. Received: "
                f"output_sequence_length={length!r}"
            )
        if self.output_mode == "int" and not (length is None or isinstance(length, int)):
            raise ValueError(
                f"{kind}: `output_sequence_length` must be None or an integer when `output_mode` is 'int'. Received: "
                f"output_sequence_length={length!r}"
            )
        if self.output_mode != "int" and length is not None:
            raise ValueError(
                f"{kind}: `output_sequence_length` must not be set if `output_mode` is not 'int'. Received: "
                f"output_sequence_length={length!r} and output_mode={self.output_mode!r}"
            )

    # The vocabulary.

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The tokens in the order of their indices, with the special ones or without."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many indices there are, with the special ones."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary and, with "tf_idf", the weights of its tokens; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Make the vocabulary of the data's texts: the most frequent tokens first.

        Args:
            data: an array or list of texts, a `PyDataset`, or an iterable of batches. Everything earlier is forgotten.
            batch_size: accepted as Keras has it, which does not look at it.
            steps: how many batches to take.

        Raises ValueError where the vocabulary was given to the constructor.
        """
        self.reset_state()
        for batch in batches(data, self, steps, lists_are_batches=False):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the data seen by `update_state`."""
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of more texts."""
        texts = string_array(data, self, self.encoding)
        self._lookup_layer._count(self._rows(texts[None] if texts.ndim == 0 else texts))

    def finalize_state(self) -> None:
        """Make the vocabulary of the texts seen so far."""
        self._lookup_layer.finalize_state()

    # Computing.

    def _prepared(self, inputs: Any) -> Tensor:
        return string_tensor(inputs, self, self.encoding)

    @property
    def compute_dtype(self) -> str:
        """What it is called on: "string"."""
        return STRING

    def _check_shape(self, shape: Shape) -> None:
        if self.split is not None and len(shape) > 1 and (len(shape) > 2 or shape[-1] not in (1, None)):
            raise ShapeError(
                f"TextVectorization {self.name!r}: to split texts, the input must have one axis, or a second one of "
                f"size 1. Received: shape {shape}"
            )

    def _rows(self, texts: np.ndarray) -> list[list[str]]:
        """The tokens of each text of an array [texts] or [texts, 1]; with no splitting of [texts, tokens] too."""
        self._check_shape(texts.shape)
        if self.split is not None and texts.ndim > 1:
            texts = texts[:, 0]
        flat = self._standardized(texts)
        if self.split is None:
            rows = [[text] for text in flat] if texts.ndim < 2 else np.reshape(flat, (-1, texts.shape[-1])).tolist()
        elif callable(self.split):
            rows = [[str(token) for token in row] for row in self.split(np.array(flat, str))]
        else:
            rows = split(flat, self.split)
        return rows if self._widths is None else with_ngrams(rows, self._widths)

    def _standardized(self, texts: np.ndarray) -> list[str]:
        if self.standardize is None:
            return texts.ravel().tolist()
        if not callable(self.standardize):
            return standardized(texts.ravel().tolist(), self.standardize)
        changed = np.asarray(self.standardize(texts.astype(str)))
        if changed.shape != texts.shape:
            raise ShapeError(
                f"TextVectorization {self.name!r}: the function `standardize` must return an array of the shape that "
                f"it got, {texts.shape}; it returned shape {changed.shape}."
            )
        return string_array(changed, self, self.encoding).ravel().tolist()

    def call(self, inputs: Tensor) -> Tensor:
        """int64 [texts, tokens], padded with 0; or vectors [texts, vocabulary]. Of one text without the first axis."""
        return OfStrings(self)(inputs)

    def spec_of_strings(self, x: Tensor) -> Spec:
        """Of indices or vectors. How many tokens the longest text has is not known."""
        self._check_shape(x.shape)
        batch = x.shape[:1] if self.split is not None else x.shape[: max(1, x.ndim - 1)]
        return self._lookup_layer.encoded_spec((*batch, self.output_sequence_length))

    def of_strings(self, inputs: np.ndarray) -> np.ndarray:
        """The indices or vectors of texts."""
        lookup = self._lookup_layer
        lookup._require_vocabulary()
        inputs = string_array(inputs, self, self.encoding)
        rows = [lookup.indices_of(row) for row in self._rows(inputs[None] if inputs.ndim == 0 else inputs)]
        length = self.output_sequence_length
        if length is None:
            length = max(map(len, rows), default=0)
        indices = np.full((len(rows), length), 0 if self.output_mode == "int" else LEFT_OUT, np.int64)
        for place, row in zip(indices, rows, strict=True):
            place[: len(row)] = row[:length]
        if self.split is None and inputs.ndim > 2:
            indices = indices.reshape(*inputs.shape[:-1], length)
        return lookup.encoded(indices[0] if inputs.ndim == 0 else indices)

    # Saving.

    def _config_value(self, name: str, given: Any) -> Any:
        if name in ("vocabulary", "idf_weights"):
            return self._lookup_layer._config_value(name, given)
        return super()._config_value(name, given)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, the vocabulary as it is now, and its size."""
        inner = self._lookup_layer.get_config()
        extra = {name: inner[name] for name in ("vocabulary_size", "has_input_vocabulary") if name in inner}
        return {**super().get_config(), **extra}

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of "tf_idf" in a store."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of "tf_idf" from a store."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str | Path) -> None:
        """Write the vocabulary to a file `vocabulary.txt` in a folder."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str | Path) -> None:
        """Read the vocabulary that `save_assets` wrote."""
        self._lookup_layer.load_assets(dir_path)
