"""The metrics that `compile` got, bound to the model's outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from layerkit import metrics as metrics_module
from layerkit import tree
from layerkit.metrics import MeanMetricWrapper, Metric
from layerkit.registry import registry, snake_case
from layerkit.training.compiled_loss import CROSSENTROPY, bind_weights, label_kind
from layerkit.training.outputs import Outputs

BY_SHAPE = ("accuracy", "acc", *CROSSENTROPY)


def standardize_metric(identifier: Any, y_true: Any, y_pred: Any) -> Metric:
    """A metric object for what the user wrote; "accuracy" and "crossentropy" are chosen by the shapes.

    A metric named by a string has that string as its name.
    """
    if identifier is None:
        raise ValueError("A metric must be a name, a metric or a function, got None.")
    if isinstance(identifier, str) and identifier.lower() in BY_SHAPE:
        prefix = {"binary": "Binary", "sparse": "SparseCategorical", "categorical": "Categorical"}
        suffix = "Accuracy" if identifier.lower().startswith("acc") else "Crossentropy"
        found = metrics_module.get(prefix[label_kind(y_true, y_pred)] + suffix)
    else:
        found = _named(identifier) if isinstance(identifier, str) else metrics_module.get(identifier)
    if not isinstance(found, Metric):
        name = identifier if isinstance(identifier, str) else _name_of(found)
        return MeanMetricWrapper(found, name=name)
    if isinstance(identifier, str):
        found.name = identifier
    return found


def _named(name: str) -> Metric | Callable:
    """The metric of a name, or the function where only a function has it. Raises UnknownNameError."""
    if name not in registry("metric"):
        for kind in ("metric function", "loss function"):
            if name in registry(kind):
                return registry(kind).find(name)
    return metrics_module.get(name)


def _name_of(function: Any) -> str:
    """A function's own name in lower case, as a key of the logs; that of an unnamed one is "lambda"."""
    return getattr(function, "name", None) or snake_case(getattr(function, "__name__", type(function).__name__))


class CompiledMetrics(Metric, registered=False):
    """All metrics of `compile`, as one metric.

    Args:
        metrics: metrics for a single output, or by output; sample weights do not count for them.
        weighted_metrics: the same, for metrics that sample weights count for.
        output_names: gives the names of the model's outputs, where it has names; called when the outputs are known.

    Raises:
        UnknownNameError: no metric has a name.
        ValueError: the metrics are in no container.
    """

    def __init__(
        self,
        metrics: Any = None,
        weighted_metrics: Any = None,
        output_names: Callable[[], Sequence[str] | None] | None = None,
    ):
        super().__init__(name="compile_metrics")
        for what, given in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            if given is not None and not isinstance(given, list | tuple | dict):
                raise ValueError(f"`{what}` must be a list, tuple or dictionary, got {given!r}: write [{given!r}].")
            for part in tree.flatten(given):
                if isinstance(part, str) and part.lower() not in BY_SHAPE:
                    _named(part)  # an unknown name is better told now than when training starts
        self._given = (metrics, weighted_metrics)
        self._output_names = output_names
        self._outputs: Outputs | None = None
        self._plain: list[list[Metric]] = []
        self._weighted: list[list[Metric]] = []

    @property
    def built(self) -> bool:
        """Whether the metrics are bound to outputs."""
        return self._outputs is not None

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, those that are weighted last."""
        return [metric for group in (*self._plain, *self._weighted) for metric in group]

    @property
    def variables(self) -> list[Any]:
        """The metrics' state."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Bind the metrics to the outputs.

        Raises:
            ValueError: a metric is for no output; the message lists the outputs.
        """
        outputs = Outputs(y_pred, self._output_names() if self._output_names else None)
        targets = outputs.bind(y_true, "`y`", lambda value: not tree.is_nested(value))
        predictions = outputs.predictions(y_pred)
        self._plain = self._bound("`metrics`", self._given[0], outputs, targets, predictions)
        self._weighted = self._bound("`weighted_metrics`", self._given[1], outputs, targets, predictions)
        self._outputs = outputs

    @staticmethod
    def _bound(what: str, given: Any, outputs: Outputs, targets: list, predictions: list) -> list[list[Metric]]:
        if not given:
            return [[] for _ in range(outputs.count)]
        if outputs.count == 1:
            if isinstance(given, dict):
                groups = outputs.bind(given, what, lambda value: not isinstance(value, dict))
            else:
                groups = [_flat(given)]
        else:
            groups = outputs.bind(given, what, _is_group)
        return [
            [standardize_metric(metric, y_true, y_pred) for metric in _flat(group)]
            for group, y_true, y_pred in zip(groups, targets, predictions, strict=True)
        ]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take a batch into account."""
        if not self.built:
            self.build(y_true, y_pred)
        outputs = self._outputs
        targets = outputs.bind(y_true, "`y`", lambda value: not tree.is_nested(value))
        predictions = outputs.predictions(y_pred)
        weights = bind_weights(outputs, sample_weight)
        for plain, weighted, target, predicted, weight in zip(
            self._plain, self._weighted, targets, predictions, weights, strict=True
        ):
            for metric in plain:
                metric.update_state(target, predicted)
            for metric in weighted:
                metric.update_state(target, predicted, sample_weight=weight)

    def reset_state(self) -> None:
        """Forget all batches."""
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Name -> value, by the names that Keras gives them.

        A name has the output's in front where there are several, and a number or `weighted_` where it stands twice.
        """
        results: dict[str, Any] = {}
        counts: dict[str, int] = {}
        for groups, weighted in ((self._plain, False), (self._weighted, True)):
            for index, group in enumerate(groups):
                prefix = f"{self._outputs.names[index]}_" if len(groups) > 1 and self._outputs.names[index] else ""
                for metric in group:
                    name = prefix + metric.name
                    if name in results and weighted:
                        name = f"{prefix}weighted_{metric.name}"
                    count = counts.get(name, 0)
                    counts[name] = count + 1
                    results[f"{name}_{count}" if count else name] = metric.result()
        return results


def _flat(group: Any) -> list[Any]:
    if group is None:
        return []
    if isinstance(group, list | tuple):
        return [metric for part in group for metric in _flat(part)]
    return [group]


def _is_group(value: Any) -> bool:
    """Whether a value is the metrics of one output: one, or a plain list of them."""
    if isinstance(value, dict):
        return "class_name" in value
    return not isinstance(value, list | tuple) or not any(isinstance(part, list | tuple | dict) for part in value)
