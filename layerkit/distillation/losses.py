"""What a student's outputs or features are to have in common with its teacher's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from layerkit import losses, ops, tree
from layerkit.graph.tensor import Tensor
from layerkit.serialization import (
    Configurable,
    custom_object_scope,
    deserialize_keras_object,
    serialize_keras_object,
)


class DistillationLoss(Configurable, kind="distillation", module="keras.distillation", registered=False):
    """How far a student is from its teacher: a subclass defines `compute_loss`.

    >>> class Distance(DistillationLoss):
    ...     def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
    ...         return ops.mean(ops.abs(teacher_outputs - student_outputs))
    >>> Distance().compute_loss(np.ones(2), np.zeros(2)).item()
    1.0
    """

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """The loss of a batch, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} does not define `compute_loss`.")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raises ValueError where the outputs have different structures."""
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raises ValueError for models that it does not fit; it fits all unless a subclass says otherwise."""


class _OfStructures(DistillationLoss, registered=False):
    """A loss for each output, in the structure of the outputs; None leaves one out."""

    def _set_loss(self, loss: Any) -> None:
        self.loss = as_losses(loss)
        if all(one is None for one in tree.flatten(self.loss)):
            raise ValueError(
                f"The `loss` argument of `{type(self).__name__}` must contain at least one non-`None` value."
            )

    def _total(self, of_output: Callable, teacher_outputs: Any, student_outputs: Any) -> Tensor:
        """The sum of what a function gives for the losses that are there and their outputs."""
        found = tree.map_structure(
            lambda loss, *outputs: None if loss is None else of_output(loss, *outputs),
            self.loss,
            teacher_outputs,
            student_outputs,
        )
        return ops.sum(ops.stack([value for value in tree.flatten(found) if value is not None]))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        return {**super().get_config(), "loss": serialize_keras_object(self.loss)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """What `get_config` gave."""
        with custom_object_scope(custom_objects or {}):
            return cls(**config)


def as_losses(given: Any) -> Any:
    """Losses by their names or configurations, in lists and dictionaries."""
    if isinstance(given, str):
        return losses.get(given)
    if isinstance(given, dict):
        if "class_name" not in given:
            return {name: as_losses(one) for name, one in given.items()}
        if given["class_name"] == "function":  # among the losses: metrics have the same names
            return losses.get(given["config"])
        return deserialize_keras_object(given, kind="loss")
    return type(given)(map(as_losses, given)) if isinstance(given, list | tuple) else given


class LogitsDistillation(_OfStructures):
    """The distance of a student's logits from its teacher's, softened by a temperature.

    Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", https://arxiv.org/abs/1503.02531. The
    Kullback-Leibler divergence takes the softmax of both, and is multiplied by the temperature's square.

    Args:
        temperature: what logits are divided by.
        loss: a name, a loss, a function of (teacher's, student's), or a structure of these as the outputs have it,
            with None for outputs that do not count.

    >>> LogitsDistillation(2.0, "mse").compute_loss(np.array([[2.0, 4.0]]), np.array([[2.0, 2.0]])).item()
    0.5
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        self._set_loss(loss)
        if not isinstance(temperature, int | float):
            raise ValueError(f"temperature must be a number, got {type(temperature)}")
        if temperature <= 0:
            raise ValueError(f"temperature must be positive, got {temperature}.")
        self.temperature = temperature

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """The loss of a batch's logits, [N, ..., C] each."""
        return self._total(self._of_output, teacher_outputs, student_outputs)

    def _of_output(self, loss: Any, teacher: Any, student: Any) -> Tensor:
        teacher, student = (ops.divide(x, self.temperature) for x in (teacher, student))
        if loss is losses.kl_divergence or isinstance(loss, losses.KLDivergence):
            return ops.mean(loss(ops.softmax(teacher), ops.softmax(student))) * self.temperature**2
        return ops.mean(loss(teacher, student))


class FeatureDistillation(_OfStructures):
    """The distance of what a student's layer gives from what a layer of its teacher gives.

    Romero et al., "FitNets", https://arxiv.org/abs/1412.6550.

    Args:
        loss: a name, a loss, a function of (teacher's, student's), or a structure of these as the layers' outputs have
            it, with None for outputs that do not count.
        teacher_layer_name: of the teacher's layer; None: its outputs.
        student_layer_name: of the student's layer; None: its outputs.

    >>> FeatureDistillation("mae").compute_loss(np.array([[2.0, 4.0]]), np.array([[2.0, 2.0]])).item()
    1.0
    """

    def __init__(
        self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None
    ) -> None:
        self._set_loss(loss)
        self.teacher_layer_name, self.student_layer_name = teacher_layer_name, student_layer_name

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raises ValueError where a named layer is not there, or cannot be found as a class computes a model."""
        if self.teacher_layer_name is None and self.student_layer_name is None:
            return
        named = (("teacher", teacher, self.teacher_layer_name), ("student", student, self.student_layer_name))
        subclassed = [role for role, model, _ in named if getattr(model, "inputs", None) is None]
        if subclassed:
            raise ValueError(
                "FeatureDistillation with specific layer names requires Functional or Sequential models. The "
                f"{' and '.join(subclassed)} model(s) appear to be subclassed (no symbolic inputs/outputs). Leave the "
                "layer names out to distill final outputs only, or use LogitsDistillation."
            )
        for role, model, name in named:
            if name is not None:
                try:
                    model.get_layer(name=name)
                except ValueError as error:
                    raise ValueError(f"In {role} model: {error}") from error

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raises ValueError where outputs and losses have different structures."""
        super().validate_outputs(teacher_outputs, student_outputs)
        try:
            tree.assert_same_structure(self.loss, teacher_outputs)
        except ValueError as error:
            raise ValueError(
                f"FeatureDistillation: the losses' structure is not that of the outputs: {error}"
            ) from error

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """The loss of a batch's features."""
        return self._total(lambda loss, *features: ops.mean(loss(*features)), teacher_outputs, student_outputs)
