"""Methods of models by their names in Keras 2: those that `fit`, `evaluate` and `predict` have taken over."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from layerkit.graph.tensor import Tensor


class FormerMethods:
    """`fit_generator` and its like, mixed into models: each is called as its successor, with a warning."""

    def fit_generator(
        self,
        generator: Iterable[Any],
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: str | int = 1,
        callbacks: Sequence[Any] | None = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        class_weight: dict[int, float] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> Any:
        """Train on batches of a generator or data set: `fit` today, which takes them too as its `x`.

        The other arguments are those of `fit`; but `max_queue_size`, `workers` and `use_multiprocessing` are accepted
        as Keras has it. They were about the threads and processes that prepare batches; a `PyDataset` says so itself.
        """
        _warn("fit_generator", "fit")
        return self.fit(
            generator,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
        )

    def evaluate_generator(
        self,
        generator: Iterable[Any],
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: str | int = 0,
    ) -> Any:
        """Loss and metrics over batches of a generator: `evaluate` today. For the arguments see `fit_generator`."""
        _warn("evaluate_generator", "evaluate")
        return self.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def predict_generator(
        self,
        generator: Iterable[Any],
        steps: int | None = None,
        callbacks: Sequence[Any] | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: str | int = 0,
    ) -> Any:
        """Outputs for batches of a generator: `predict` today. For the arguments see `fit_generator`."""
        _warn("predict_generator", "predict")
        return self.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)

    def reset_states(self) -> None:
        """Set the states of stateful recurrent layers to zeros: `layer.reset_state()` of each today."""
        for layer in self._flatten_layers(include_self=False):
            if hasattr(layer, "reset_state"):
                layer.reset_state()

    def compiled_loss(
        self, y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Tensor:
        """The total loss of a batch, for a `train_step` of Keras 2: `compute_loss` today.

        Args:
            y: the targets.
            y_pred: the outputs.
            sample_weight: as `compute_loss` has it.
            regularization_losses: accepted as Keras has it; the losses of layers are in the total anyway.
        """
        _warn("compiled_loss", "compute_loss", "")
        loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)
        # As in Keras 2 this is where the "loss" of the logs comes from: such a train_step tells nobody else.
        self._compilation.loss_tracker.update_state(loss)
        return loss

    @property
    def compiled_metrics(self) -> FormerMetrics:
        """The metrics of `compile`, for a `train_step` of Keras 2 that updates them: `compute_metrics` today."""
        _warn("compiled_metrics", "compute_metrics", "")
        return FormerMetrics(self._update_metrics)

    @property
    def predict_classes(self) -> NoReturn:
        """Raises AttributeError: the classes are found from `predict`."""
        raise AttributeError(
            "Models have no `predict_classes` (Keras removed it). Use `model.predict(x).argmax(axis=-1)` where the "
            'last activation is a softmax, `(model.predict(x) > 0.5).astype("int32")` where it is a sigmoid.'
        )

    @property
    def predict_proba(self) -> NoReturn:
        """Raises AttributeError: `predict` gives the probabilities."""
        raise AttributeError("Models have no `predict_proba` (Keras removed it). Use `model.predict(x)`.")


class FormerMetrics:
    """What `model.compiled_metrics` gives."""

    def __init__(self, update: Callable[[Any, Any, Any], None]) -> None:
        self._update = update

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update the metrics with a batch."""
        self._update(y, y_pred, sample_weight)


def _warn(name: str, successor: str, because: str = ", which takes generators too") -> None:
    warnings.warn(f"`Model.{name}` is of Keras 2. Please use `Model.{successor}`{because}.", stacklevel=3)
