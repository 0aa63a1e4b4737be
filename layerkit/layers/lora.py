"""Low-rank adaptation: a frozen weight and a small trainable correction of it (Hu et al., arXiv:2106.09685)."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from layerkit import initializers, ops
from layerkit.checks import check_integers, check_numbers
from layerkit.errors import NotBuiltError
from layerkit.graph.operation import cast_to
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.layer import Layer

__all__: list[str] = []


class LowRankAdapted(Layer, registered=False):
    """A layer whose main weight W [..., I, O] may become W + alpha / rank * A [..., I, rank] @ B [rank, O].

    A subclass keeps W in the attribute `_<adapted>`, calls `_set_lora` in `__init__` and `_adapt_if_wanted` at the end
    of `build`, and computes with the property of W's public name. Files hold the merged weight, as if there were no
    adaptation.
    """

    adapted: ClassVar[str] = "kernel"
    _not_in_config = ("lora_rank", "lora_alpha")

    def _set_lora(self, lora_rank: int | None, lora_alpha: float | None) -> None:
        check_integers(self, 1, optional=True, lora_rank=lora_rank)
        check_numbers(self, "(-inf, inf)", optional=True, lora_alpha=lora_alpha)
        self.lora_rank = lora_rank
        self.lora_alpha = lora_rank if lora_alpha is None else lora_alpha
        self.lora_enabled = False

    def _adapt_if_wanted(self) -> None:
        if self.lora_rank:
            self._add_lora(self.lora_rank, self.lora_alpha, "he_uniform", "zeros")

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the main weight and train a correction of low rank in its place.

        Args:
            rank: the correction's rank.
            lora_alpha: the correction counts `lora_alpha / rank` times; None: once.
            a_initializer: of the factor A.
            b_initializer: of the factor B; at zero the layer begins as it was.

        Raises NotBuiltError before the layer is built, ValueError where it is adapted already or has a constraint.
        """
        if not self.built:
            raise NotBuiltError(f"Layer {self.name!r}: cannot enable lora on a layer that isn't yet built.")
        if self.lora_enabled:
            raise ValueError(
                f"Layer {self.name!r}: lora is already enabled (rank {self.lora_rank}). This can only be done once "
                "per layer."
            )
        self._set_lora(rank, lora_alpha)
        self._add_lora(rank, self.lora_alpha, a_initializer, b_initializer)

    def _add_lora(self, rank: int, lora_alpha: float, a_initializer: Any, b_initializer: Any) -> None:
        weight = self._main_weight
        if weight.constraint is not None:
            raise ValueError(
                f"Layer {self.name!r}: lora is incompatible with {self.adapted} constraints. Remove the "
                f"`{self.adapted}_constraint` argument to enable it; got {weight.constraint!r}."
            )
        locked = self._locked
        object.__setattr__(self, "_locked", False)  # the one thing that is added to a layer after it is built
        try:
            for letter, shape, initializer in (
                ("a", (*weight.shape[:-1], int(rank)), a_initializer),
                ("b", (int(rank), weight.shape[-1]), b_initializer),
            ):
                name = f"lora_{self.adapted}_{letter}"
                added = self.add_weight(
                    shape=shape, initializer=initializers.get(initializer), regularizer=weight.regularizer, name=name
                )
                setattr(self, name, added)
        finally:
            object.__setattr__(self, "_locked", locked)
        weight.trainable = False
        self.lora_enabled = True

    @property
    def _main_weight(self) -> Variable:
        try:
            return self.__dict__[f"_{self.adapted}"]
        except KeyError:
            raise AttributeError(
                f"You must build the layer before accessing `{self.adapted}`: {type(self).__name__} {self.name!r}."
            ) from None

    @property
    def _lora_factors(self) -> tuple[Variable, Variable]:
        return getattr(self, f"lora_{self.adapted}_a"), getattr(self, f"lora_{self.adapted}_b")

    @property
    def _lora_scale(self) -> float:
        return self.lora_alpha / self.lora_rank

    def _merged_weight(self) -> Variable | Tensor:
        """The main weight itself, or with the correction added to it."""
        weight = self._main_weight
        if not self.lora_enabled:
            return weight
        return cast_to(weight + self._lora_scale * ops.matmul(*self._lora_factors), weight.dtype)

    def _stored_variables(self) -> list[Variable]:
        factors = {id(factor) for factor in self._lora_factors} if self.lora_enabled else set()
        return [v for v in self._trainable_variables + self._non_trainable_variables if id(v) not in factors]

    def save_own_variables(self, store: Any) -> None:
        """Put its variables in a store, the main weight with its correction merged into it."""
        for at, variable in enumerate(self._stored_variables()):
            value = self._merged_weight() if variable is self._main_weight else variable
            store[str(at)] = np.asarray(value)

    def load_own_variables(self, store: Any) -> None:
        """Take its variables from a store; a correction becomes zero, for it is merged in what a file holds."""
        if not self.lora_enabled:
            super().load_own_variables(store)
            return
        own = self._stored_variables()
        if len(store.keys()) != len(own):
            raise ValueError(
                f"Layer {self.name!r} expected {len(own)} variables ({', '.join(v.path for v in own)}), but the file "
                f"has {len(store.keys())} for it."
            )
        for at, variable in enumerate(own):
            variable.assign(np.asarray(store[str(at)]))
        for factor in self._lora_factors:
            factor.assign(np.zeros(factor.shape, factor.dtype))

    def get_config(self) -> dict[str, Any]:
        """The arguments; those of the adaptation where there is one."""
        adaptation = {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha} if self.lora_rank else {}
        return {**super().get_config(), **adaptation}
