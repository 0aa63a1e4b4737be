"""Distiller: a student model that learns from targets and from a teacher model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from layerkit import ops, tree
from layerkit.distillation.losses import DistillationLoss, as_losses
from layerkit.graph.tensor import Tensor
from layerkit.metrics import Mean
from layerkit.models import Functional, Model
from layerkit.serialization import deserialize_keras_object, serialize_keras_object

FINAL = "final_output"


class Distiller(Model, kind="distillation", module="keras.distillation"):
    """Trains a student by its targets and by how near it comes to a teacher, which stays as it is.

    The total loss is w * (student's loss) + (1 - w) * (sum of the weighted distillation losses). As in Keras, sample
    weights do not count.

    Args:
        teacher: a trained model; it is frozen.
        student: the model that learns; `distiller.student` is to be used on its own afterwards.
        distillation_losses: a `DistillationLoss`, or several.
        distillation_loss_weights: a factor for each; None: 1.
        student_loss_weight: w, from 0 to 1.
        name: of the model.
        kwargs: of Model.

    Raises ValueError for what are no models, for models whose inputs or outputs differ in shape or dtype, and for other
    weights.

    >>> from layerkit import Sequential, distillation, layers
    >>> teacher, student = (Sequential([layers.Input((2,)), layers.Dense(3)]) for _ in range(2))
    >>> distiller = Distiller(teacher, student, distillation.LogitsDistillation(temperature=2.0))
    >>> distiller.compile("sgd", loss="mse")
    >>> sorted(distiller.fit(np.ones((4, 2)), np.ones((4, 3)), verbose=0).history)
    ['distillation_loss', 'loss', 'student_loss', 'total_loss']
    """

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: DistillationLoss | Sequence[DistillationLoss],
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        if not isinstance(student_loss_weight, int | float):
            raise ValueError(f"student_loss_weight must be a number, got {type(student_loss_weight)}")
        if not 0 <= student_loss_weight <= 1:
            raise ValueError(f"student_loss_weight must be between 0.0 and 1.0, got {student_loss_weight}")
        if distillation_losses is None:
            raise ValueError(
                "'distillation_losses' cannot be `None`: pass a distillation loss (LogitsDistillation, "
                "FeatureDistillation) or a list of them."
            )
        several = list(distillation_losses) if isinstance(distillation_losses, list | tuple) else [distillation_losses]
        weights = [1.0] * len(several) if distillation_loss_weights is None else list(distillation_loss_weights)
        if len(weights) != len(several):
            raise ValueError(
                f"Number of distillation_loss_weights ({len(weights)}) must match number of distillation_losses "
                f"({len(several)})"
            )
        for loss in several:
            loss.validate_model_compatibility(teacher, student)
        self.teacher, self.student = teacher, student
        self.distillation_losses, self.distillation_loss_weights = several, weights
        self.student_loss_weight = student_loss_weight
        self._teacher_feature_extractor = _extractor(teacher, several, "teacher_layer_name")
        self._student_feature_extractor = _extractor(student, several, "student_layer_name")
        teacher.trainable = False
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """Say how the student is trained.

        Args:
            optimizer: a name or an optimizer.
            loss: of the student and the targets: a name, a loss or a function, or a structure of them as the outputs
                have it.
            metrics: a list of names or metrics of the student.
            kwargs: of `Model.compile`.

        Raises ValueError without a loss and for metrics that are no list.
        """
        if loss is None:
            raise ValueError("'loss' cannot be `None`.")
        if metrics is not None and not isinstance(metrics, list | tuple):
            raise ValueError(f"metrics must be a list or tuple, got {type(metrics)}")
        object.__setattr__(self, "_student_loss", as_losses(loss))  # untracked: a list stays one
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, the student's loss among them."""
        config = super().get_compile_config()
        return {**config, "loss": serialize_keras_object(self._student_loss)} if config else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Call `compile` with what `get_compile_config` gave. Keras' own files have no loss: then it warns."""
        if config.get("loss") is None:
            super().compile_from_config(config)
            return
        rest = {name: deserialize_keras_object(value) for name, value in config.items() if name != "loss"}
        self.compile(loss=config["loss"], **rest)
        if self.built:
            self.optimizer.build(self.trainable_variables)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """What `get_config` gave."""
        given = [deserialize_keras_object(one, custom_objects) for one in config["distillation_losses"]]
        return super().from_config({**config, "distillation_losses": given}, custom_objects)

    def call(self, inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """What the student says."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Tensor:
        """The total loss of a batch."""
        if y_pred is None:
            y_pred = self(x, training=training)
        share = self.student_loss_weight
        of_student = self._loss_of_student(y, y_pred) if share > 0 and y is not None else 0.0
        of_teacher = self._loss_of_distillation(x, y_pred) if share < 1 else 0.0
        total = ops.add(ops.multiply(share, of_student), ops.multiply(1.0 - share, of_teacher))
        self.student_loss_tracker.update_state(of_student)
        self.distillation_loss_tracker.update_state(of_teacher)
        self.total_loss_tracker.update_state(total)
        return total

    def _loss_of_student(self, y: Any, y_pred: Any) -> Tensor:
        values = tree.map_structure(
            lambda loss, target, found: None if loss is None else loss(target, found), self._student_loss, y, y_pred
        )
        flat = [value for value in tree.flatten(values) if value is not None]
        return ops.mean(ops.sum(ops.stack(flat), axis=0) if len(flat) > 1 else flat[0])

    def _loss_of_distillation(self, x: Any, y_pred: Any) -> Tensor | float:
        of_student = {FINAL: y_pred}
        if self._student_feature_extractor is not None:
            of_student = {**self._student_feature_extractor(x, training=True), FINAL: y_pred}
        if self._teacher_feature_extractor is not None:
            of_teacher = self._teacher_feature_extractor(x, training=False)
        else:
            of_teacher = {FINAL: self.teacher(x, training=False)}
        total: Tensor | float = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            outputs = (
                of_teacher[getattr(loss, "teacher_layer_name", None) or FINAL],
                of_student[getattr(loss, "student_layer_name", None) or FINAL],
            )
            loss.validate_outputs(*outputs)
            value = loss.compute_loss(*outputs)
            if tuple(getattr(value, "shape", ())):
                raise ValueError(
                    f"Distillation loss {type(loss).__name__} returned a non-scalar loss with shape {value.shape}. The "
                    "compute_loss method must return a scalar tensor."
                )
            total = ops.add(total, ops.multiply(weight, value))
        return total


def _extractor(model: Model, losses: list[DistillationLoss], attribute: str) -> Functional | None:
    """A model of the outputs and of the layers that losses name; None where they name none."""
    names = dict.fromkeys(name for loss in losses if (name := getattr(loss, attribute, None)))
    if not names:
        return None
    final = model.outputs if len(model.outputs) > 1 else model.outputs[0]
    outputs = {FINAL: final, **{name: model.get_layer(name=name).output for name in names}}
    return Functional(model.inputs, outputs, name=f"{model.name}_multi_feature_extractor")


def _check_models(teacher: Any, student: Any) -> None:
    """Raises ValueError for what are no models, and for inputs and outputs of different shapes or dtypes."""
    for role, model in (("Teacher", teacher), ("Student", student)):
        if not isinstance(model, Model):
            raise ValueError(f"{role} must be a keras.Model, got {type(model)}")
    for what in ("input", "output"):
        ours, theirs = (getattr(model, f"{what}s", None) for model in (teacher, student))
        if ours is not None and theirs is not None:
            tree.map_structure(lambda x, y, what=what: _check_alike(x, y, what), ours, theirs)


def _check_alike(teacher: Tensor, student: Tensor, what: str) -> None:
    shapes = f"Teacher: {teacher.shape}, Student: {student.shape}."
    if len(teacher.shape) != len(student.shape):
        raise ValueError(f"Teacher and student {what} shapes have different dimensions. {shapes}")
    if any(None not in (a, b) and a != b for a, b in zip(teacher.shape, student.shape, strict=True)):
        raise ValueError(f"Teacher and student {what} shapes are incompatible. {shapes} All dimensions must match.")
    if teacher.dtype != student.dtype:
        raise ValueError(
            f"Teacher and student {what} dtypes must match. Teacher: {teacher.dtype}, Student: {student.dtype}."
        )
