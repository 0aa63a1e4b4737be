"""Lookups in a vocabulary: from terms to indices and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from layerkit.dtypes import floatx
from layerkit.errors import NotBuiltError
from layerkit.layers.core import refuse
from layerkit.layers.preprocessing.encoding import one_of, output_mode_of, salt_of
from layerkit.layers.preprocessing.strings import HostLayer
from layerkit.layers.preprocessing.vocabulary import (
    TokenCounts,
    check_terms,
    plain_terms,
    read_vocabulary,
    write_vocabulary,
)

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
ASSET = "vocabulary.txt"


class VocabularyLayer(HostLayer, registered=False):
    """A layer whose state is a vocabulary: it stands in the config, and there is nothing to build."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The layer of a config. Raises ValueError for a path as its vocabulary: loading reads no other file."""
        if isinstance(config.get("vocabulary"), str):
            raise ValueError(
                f"{cls.__name__}: the config names a vocabulary file, {config['vocabulary']!r}. Loading reads no files "
                "but the one that is loaded: make the layer and call `set_vocabulary(path)`."
            )
        return super().from_config(config, custom_objects)

    def get_build_config(self) -> dict[str, Any]:
        """Nothing: it has no variables."""
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Nothing, but that it is built."""
        self._mark_built()


class IndexLookup(VocabularyLayer, registered=False):
    """What StringLookup and IntegerLookup have in common: the vocabulary, its specials, and the state of `adapt`.

    The vocabulary is [mask token (with "int" only), out-of-vocabulary token for each of their indices, tokens].
    Keyword arguments: `oov_method` ("floormod" or "farmhash": how integers get one of several out-of-vocabulary
    indices), and what Keras writes in configs.
    """

    _term_kind: ClassVar[type] = str
    _part_of = ""  # the class of the layer whose name it bears
    _not_in_config = ("has_input_vocabulary", "vocabulary_size", "oov_method")

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        name: str | None = None,
        salt: Any = None,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("dtype", None)  # as in Keras, where configs say "string" or a float type for it
        super().__init__(name=name, **kwargs)
        refuse(self, sparse=sparse)
        kind = type(self).__name__
        self.output_mode = output_mode_of(kind, output_mode, MODES)
        self.oov_method = one_of(kind, "oov_method", oov_method, ("floormod", "farmhash"))
        self.salt = salt_of(kind, salt)
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.sparse = sparse
        self.pad_to_max_tokens = pad_to_max_tokens
        self._check_arguments(idf_weights)
        self._tokens: list[Any] | None = None
        self._idf: np.ndarray | None = None
        self._pinned = vocabulary is not None if has_input_vocabulary is None else bool(has_input_vocabulary)
        self._frozen_size = vocabulary_size if vocabulary is None else None
        self._counts = TokenCounts()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check_arguments(self, idf_weights: Any) -> None:
        kind = type(self).__name__
        if self.max_tokens is not None and self.max_tokens <= 1:
            raise ValueError(
                f"{kind}: if set, `max_tokens` must be greater than 1. Received: max_tokens={self.max_tokens}"
            )
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError(f"{kind}: if `pad_to_max_tokens` is True, `max_tokens` must be set. Received: None")
        if self.num_oov_indices < 0:
            raise ValueError(
                f"{kind}: `num_oov_indices` must be greater than or equal to 0. Received: "
                f"num_oov_indices={self.num_oov_indices}"
            )
        if self.invert and self.output_mode != "int":
            raise ValueError(
                f"{kind}: `output_mode` must be 'int' when `invert` is true. Received: output_mode={self.output_mode!r}"
            )
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise ValueError(
                f"{kind}: `idf_weights` should only be set if `output_mode` is 'tf_idf'. Received: "
                f"idf_weights={idf_weights!r} and output_mode={self.output_mode!r}"
            )

    # The vocabulary.

    @property
    def _where(self) -> str:
        return f"{self._part_of or type(self).__name__} {self.name!r}"

    @property
    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    @property
    def _special(self) -> list[Any]:
        return [self.mask_token] * self._oov_start + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The terms in the order of their indices, with the mask and out-of-vocabulary tokens or without."""
        return (self._special if include_special_tokens else []) + list(self._tokens or [])

    def vocabulary_size(self) -> int:
        """How many indices there are, with those of the mask and out-of-vocabulary tokens."""
        return len(self._tokens or []) + self._token_start

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary; a layer that has one given can't be adapted.

        Args:
            vocabulary: the terms (list, tuple, array), with all the special tokens first or with none, or the path of
                a text file with a term on each line.
            idf_weights: a weight for each term, where the output mode is "tf_idf". Where `vocabulary` leaves out the
                special tokens, these weigh the average.

        Raises:
            ValueError: terms repeat or are reserved, there are none or more than `max_tokens`, there is no such file,
                or weights are missing, too many, or of no use.
            TypeError: terms are of another type.
        """
        self._check_weights(vocabulary, idf_weights)
        if isinstance(vocabulary, str | Path):
            terms: Any = read_vocabulary(vocabulary, getattr(self, "encoding", "utf-8"), self._where)
            vocabulary = terms if self._term_kind is str else [int(term) for term in terms]
        terms = plain_terms(vocabulary, self._term_kind, self._where, getattr(self, "encoding", "utf-8"))
        special = self._special
        has_special = terms[: self._token_start] == special
        tokens = terms[self._token_start :] if has_special else terms
        reserved = {"mask_token": self.mask_token, "oov_token": self.oov_token if self.invert else None}
        check_terms(tokens, special, reserved, self._where)
        size = self._token_start + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"{self._where}: attempted to set a vocabulary larger than the maximum vocab size. Received "
                f"vocabulary size is {size}; `max_tokens` is {self.max_tokens}."
            )
        self._freeze_size(size)
        if idf_weights is not None:
            weights = self._checked_weights(idf_weights, len(terms))
            self._idf = weights if has_special else self._with_special(weights)
        self._keep_tokens(tokens)

    def _check_weights(self, vocabulary: Any, idf_weights: Any) -> None:
        if self.output_mode != "tf_idf":
            if idf_weights is not None:
                raise ValueError(
                    f"{self._where}: `idf_weights` should only be set if `output_mode` is 'tf_idf'. Received: "
                    f"output_mode={self.output_mode!r} and idf_weights={idf_weights!r}"
                )
        elif isinstance(vocabulary, str | Path):
            raise ValueError(f"{self._where}: `output_mode='tf_idf'` does not support a vocabulary from a file.")
        elif idf_weights is None:
            raise ValueError(f"{self._where}: `idf_weights` must be set if `output_mode` is 'tf_idf'.")

    def _checked_weights(self, idf_weights: Any, terms: int) -> np.ndarray:
        weights = np.asarray(idf_weights, floatx())
        if weights.shape != (terms,):
            raise ValueError(
                f"{self._where}: `idf_weights` must be the same length as vocabulary, with one axis. Received "
                f"idf_weights of shape {weights.shape} for {terms} terms."
            )
        return weights

    def _with_special(self, weights: np.ndarray) -> np.ndarray:
        average = weights.mean() if weights.size else 0
        return np.concatenate([np.full(self._token_start, average, weights.dtype), weights])

    def _freeze_size(self, size: int) -> None:
        """Note the size of the vocabulary, which can't change where it is the width of the output."""
        fixed = self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed and self._frozen_size is not None and size != self._frozen_size:
            raise RuntimeError(
                f"{self._where}: with `output_mode={self.output_mode!r}` and `pad_to_max_tokens=False` the vocabulary "
                f"size cannot be changed. Old vocab size is {self._frozen_size}, new vocab size is {size}."
            )
        self._frozen_size = size

    def _keep_tokens(self, tokens: list[Any]) -> None:
        # Kept past the tracking of attributes: a vocabulary may be long, and holds no state of layers.
        object.__setattr__(self, "_tokens", tokens)

    # Adapting.

    def reset_state(self) -> None:
        """Forget the data seen by `update_state`."""
        self._counts = TokenCounts()

    def _count(self, rows: Any) -> None:
        if self._pinned:
            raise ValueError(
                f"{self._where}: cannot adapt a layer after setting a static vocabulary via the `vocabulary` argument."
            )
        self._counts.add(rows)

    def finalize_state(self) -> None:
        """Make the vocabulary of the data seen so far: the most frequent tokens first."""
        if self._pinned or not self._counts.tokens:
            return
        tokens = self._counts.ranked(without=(self.mask_token, self.oov_token))
        if self.max_tokens is not None:
            tokens = tokens[: max(self.max_tokens - self._token_start, 0)]
        self._freeze_size(self._token_start + len(tokens))
        if self.output_mode == "tf_idf":
            self._idf = self._with_special(self._counts.inverse_frequencies(tokens).astype(floatx()))
        self._keep_tokens(tokens)
        self.reset_state()

    # Looking up.

    @property
    def _depth(self) -> int:
        return self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()

    @property
    def _expected_depth(self) -> int:
        """How wide vectors will be. Raises NotBuiltError where neither the vocabulary nor its size is known."""
        if self._tokens is None and not self.pad_to_max_tokens:
            if self._frozen_size is None:
                self._require_vocabulary()
            return self._frozen_size
        return self._depth

    def _require_vocabulary(self) -> None:
        if self._tokens is None:
            raise NotBuiltError(
                f"{self._where} has no vocabulary yet: pass `vocabulary` when it is made, or call `adapt(data)` or "
                "`set_vocabulary(terms)` before it is used."
            )

    def _weights(self) -> np.ndarray:
        """The weights of "tf_idf", as long as the output is wide."""
        weights = np.zeros(self._depth, floatx())
        weights[: len(self._idf)] = self._idf
        return weights

    def _refuse_unknown(self, unknown: Sequence[Any]) -> None:
        if len(unknown):
            listed = ", ".join(repr(term) for term in unknown[:10])
            raise ValueError(
                f"{self._where}: when `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
                f"[{listed}], consider setting `num_oov_indices=1`."
            )

    # Saving. A config holds the vocabulary, so that a layer that was adapted is whole in any format.

    def _config_value(self, name: str, given: Any) -> Any:
        if name == "vocabulary":
            return None if self._tokens is None else self.get_vocabulary()
        if name == "idf_weights":
            return None if self._idf is None else self._idf.tolist()
        return super()._config_value(name, given)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, the vocabulary as it is now, and its size."""
        config = super().get_config()
        config.update(oov_method=self.oov_method, vocabulary_size=self._frozen_size)
        if self._tokens is not None and not self._pinned:
            config["has_input_vocabulary"] = False  # so that it can be adapted again
        return config

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of "tf_idf" in a store."""
        if self.output_mode == "tf_idf" and self._idf is not None:
            store["idf_weights"] = self._weights()

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of "tf_idf" from a store."""
        if self.output_mode == "tf_idf" and "idf_weights" in store.keys():
            weights = np.asarray(store["idf_weights"], floatx())
            self._idf = weights if self._tokens is None else weights[: self.vocabulary_size()]

    def save_assets(self, dir_path: str | Path) -> None:
        """Write the vocabulary to a file `vocabulary.txt` in a folder."""
        if not self._pinned:
            write_vocabulary(Path(dir_path) / ASSET, self.get_vocabulary())

    def load_assets(self, dir_path: str | Path) -> None:
        """Read the vocabulary that `save_assets` wrote, unless there is one already."""
        if self._tokens is not None:
            return
        terms: Any = read_vocabulary(Path(dir_path) / ASSET, "utf-8", self._where)
        terms = terms if self._term_kind is str else [int(term) for term in terms]
        weights = None if self._idf is None else self._idf[: len(terms)]
        if terms[self._token_start :]:
            self.set_vocabulary(terms, weights)
