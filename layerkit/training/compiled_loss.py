"""The losses that `compile` got, bound to the model's outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from layerkit import losses, ops, tree
from layerkit.dtypes import floatx
from layerkit.graph import Tensor
from layerkit.losses import Loss, LossFunctionWrapper
from layerkit.metrics import Mean
from layerkit.ops.reduction import size_constant
from layerkit.registry import snake_case
from layerkit.training.outputs import Outputs

CROSSENTROPY = ("crossentropy", "ce")


def label_kind(y_true: Any, y_pred: Any) -> str:
    """What "accuracy" and "crossentropy" stand for, by the shapes: binary, sparse or categorical."""
    if y_pred.shape[-1] == 1:
        return "binary"
    if len(y_true.shape) < len(y_pred.shape) or (y_true.shape[-1] == 1 and y_pred.shape[-1] > 1):
        return "sparse"
    return "categorical"


def standardize_loss(identifier: Any, y_true: Any, y_pred: Any) -> Loss | None:
    """A loss object for what the user wrote; "crossentropy" is chosen by the shapes."""
    if identifier is None:
        return None
    if isinstance(identifier, str) and identifier.lower() in CROSSENTROPY:
        prefix = {"binary": "binary_", "sparse": "sparse_categorical_", "categorical": "categorical_"}
        found = losses.get(prefix[label_kind(y_true, y_pred)] + "crossentropy")
    else:
        found = losses.get(identifier)
    if isinstance(found, Loss):
        return found
    name = identifier if isinstance(identifier, str) else snake_case(getattr(found, "__name__", type(found).__name__))
    wrapped = LossFunctionWrapper(found, name=name)
    # A function of class numbers gets them as they are.
    wrapped.casts_targets = found is not losses.sparse_categorical_crossentropy
    return wrapped


@dataclass
class OutputLoss:
    """The loss of one output: its place, its weight, and its mean over batches where there are several losses."""

    index: int
    loss: Loss
    weight: float | None
    name: str
    tracker: Mean | None = None


class CompiledLoss:
    """The weighted sum of the outputs' losses.

    Args:
        loss: a loss, or losses by output; None leaves an output out.
        loss_weights: numbers by output.
        output_names: gives the names of the model's outputs, where it has names; called when the outputs are known.

    Raises:
        UnknownNameError: no loss has a name.
        ValueError: the weights are no numbers or containers of them.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: Callable[[], Sequence[str] | None] | None = None
    ):
        if loss_weights is not None and not isinstance(loss_weights, list | tuple | dict | float | int):
            raise ValueError(
                f"`loss_weights` must be a number, or a list or dictionary of numbers by output, got {loss_weights!r}."
            )
        for part in tree.flatten(loss) if not _is_loss(loss) else [loss]:
            if isinstance(part, str) and part.lower() not in CROSSENTROPY:
                losses.get(part)  # an unknown name is better told now than when training starts
        self._loss = loss
        self._loss_weights = loss_weights
        self._output_names = output_names
        self._outputs: Outputs | None = None
        self.parts: list[OutputLoss] = []

    @property
    def built(self) -> bool:
        """Whether the losses are bound to outputs."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[Mean]:
        """The mean of each loss, where there are several."""
        return [part.tracker for part in self.parts if part.tracker is not None]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Bind the losses to the outputs.

        Raises:
            ValueError: a loss or weight is for no output; the message lists the outputs.
        """
        outputs = Outputs(y_pred, self._output_names() if self._output_names else None)
        found = self._bound(self._loss, "`loss`", outputs)
        weights = [None] * outputs.count
        if isinstance(self._loss_weights, float | int):
            weights = [self._loss_weights] * outputs.count
        elif self._loss_weights is not None:
            weights = outputs.bind(self._loss_weights, "`loss_weights`", _is_number)
        targets = bind_targets(outputs, y_true, found)
        predictions = outputs.predictions(y_pred)
        self.parts = []
        for index in self._order(outputs):
            if found[index] is None:
                continue
            loss = standardize_loss(found[index], targets[index], predictions[index])
            self.parts.append(OutputLoss(index, loss, weights[index], str(outputs.names[index] or loss.name)))
        if len(self.parts) > 1:
            for part in self.parts:
                part.tracker = Mean(name=f"{part.name}_loss")
        self._given = found
        self._outputs = outputs

    @staticmethod
    def _bound(loss: Any, what: str, outputs: Outputs) -> list[Any]:
        if _is_loss(loss):
            return [loss] * outputs.count
        return outputs.bind(loss, what, _is_loss)

    def _order(self, outputs: Outputs) -> list[int]:
        """The order of a dictionary of losses where the outputs are one too, else that of the outputs."""
        if isinstance(self._loss, dict) and outputs.keys is not None and set(self._loss) <= set(outputs.names):
            return [outputs.names.index(name) for name in self._loss]
        return list(range(outputs.count))

    def pairs(self, y_true: Any, y_pred: Any) -> tuple[list[Any], list[Any]]:
        """The targets and the predictions of each output; None where an output without a loss has no target."""
        return bind_targets(self._outputs, y_true, self._given), self._outputs.predictions(y_pred)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor | None:
        """The total loss; the trackers of several losses are updated on the way. None where no output has a loss."""
        if not self.built:
            self.build(y_true, y_pred)
        outputs = self._outputs
        targets, predictions = self.pairs(y_true, y_pred)
        weights = bind_weights(outputs, sample_weight, self._given)
        total = None
        for part in self.parts:
            predicted = predictions[part.index]
            value = ops.cast(part.loss(targets[part.index], predicted, weights[part.index]), floatx())
            if part.tracker is not None:
                samples = size_constant(predicted.shape[0] if predicted.ndim else 1, floatx())
                part.tracker.update_state(value, sample_weight=samples)
            if part.weight is not None:
                value = value * float(part.weight)
            total = value if total is None else total + value
        return total


def bind_targets(outputs: Outputs, y_true: Any, losses_given: list[Any]) -> list[Any]:
    """A target for each output; where some outputs have no loss, targets for the others will do."""
    with_loss = [index for index, loss in enumerate(losses_given) if loss is not None]
    if isinstance(y_true, list | tuple) and len(y_true) == len(with_loss) < outputs.count:
        spread = dict(zip(with_loss, y_true, strict=True))
        return [spread.get(index) for index in range(outputs.count)]
    bound = outputs.bind(y_true, "`y`", _is_array)
    missing = [outputs.names[index] or index for index in with_loss if bound[index] is None]
    if missing:
        raise ValueError(f"`y` has no targets for the output {', '.join(map(repr, missing))}, which has a loss.")
    return bound


def bind_weights(outputs: Outputs, sample_weight: Any, losses_given: list[Any] | None = None) -> list[Any]:
    """Sample weights for each output; one array is for all of them."""
    if sample_weight is None or not tree.is_nested(sample_weight):
        return [sample_weight] * outputs.count
    if losses_given is not None:
        with_loss = [index for index, loss in enumerate(losses_given) if loss is not None]
        if isinstance(sample_weight, list | tuple) and len(sample_weight) == len(with_loss) < outputs.count:
            spread = dict(zip(with_loss, sample_weight, strict=True))
            return [spread.get(index) for index in range(outputs.count)]
    return outputs.bind(sample_weight, "`sample_weight`", _is_array)


def _is_array(value: Any) -> bool:
    return not tree.is_nested(value)


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _is_loss(value: Any) -> bool:
    return not tree.is_nested(value) or (isinstance(value, dict) and "class_name" in value)
