"""A layer as a pure function of its variables' values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layerkit.graph.scopes import call_with_values
from layerkit.graph.tensor import Tensor


class StatelessCalls:
    """The part of a layer that calls it without changing it."""

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple:
        """The outputs for given values of the variables, which stay as they are.

        Args:
            trainable_variables: the values of `layer.trainable_variables`.
            non_trainable_variables: the values of `layer.non_trainable_variables`.
            *args: the call's arguments.
            return_losses: whether the losses that the call adds are given too.
            **kwargs: the call's arguments by name.

        Returns:
            The outputs, the values of the non-trainable variables after the call, and the losses where asked for.

        >>> import numpy as np
        >>> from layerkit.layers import Dense
        >>> layer = Dense(1, use_bias=False)
        >>> layer.build((None, 2))
        >>> outputs, _ = layer.stateless_call([np.ones((2, 1))], [], np.array([[3.0, 4.0]]))
        >>> outputs.item()
        7.0
        """
        self._check_built("stateless_call")
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        values = [*trainable_variables, *non_trainable_variables]
        outputs, scope = call_with_values(
            variables, values, lambda: self(*args, **kwargs), f"Layer {(self._path or self.name)!r}", return_losses
        )
        changed = [scope.get_current_value(v) for v in self.non_trainable_variables]
        return (outputs, changed, self._losses_of(scope.losses, values)) if return_losses else (outputs, changed)

    def _losses_of(self, added: list[Tensor], values: Sequence[Any]) -> list[Tensor]:
        variables = [*self.trainable_variables, *self.non_trainable_variables]
        regularized = [v for v in self.trainable_variables if v.regularizer is not None]
        return added + [
            call_with_values(variables, values, lambda v=v: v.regularizer(v), f"Layer {(self._path or self.name)!r}")[0]
            for v in regularized
        ]

    def _check_built(self, method: str) -> None:
        if not self.built:
            raise ValueError(
                f"Layer {self.name!r} is not built, so it has no variables yet: call it or build it before {method}."
            )

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs' shapes and dtypes, as tensors without values."""
        return self.compute_output_spec(*args, **kwargs)

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Raises NotImplementedError: metrics are named in `compile`, or updated in `call`."""
        raise NotImplementedError(
            "Layer.add_metric does not exist in Keras 3. Name metrics in `model.compile(metrics=...)`, or make one in "
            "the layer's __init__ and update it in `call`."
        )
