"""Models as estimators of scikit-learn: classifier, regressor and transformer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np

from layerkit.models.cloning import clone_model
from layerkit.models.model import Model
from layerkit.utils.extras import optional_module

try:
    from sklearn import get_config
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    # The names are there without it, so that one can look at them; making an estimator says what is missing.
    BaseEstimator = object
    ClassifierMixin, RegressorMixin, TransformerMixin = (type("Mixin", (), {}) for _ in range(3))


class ModelEstimator(BaseEstimator):
    """What the estimators have in common: a model that is made or cloned by each `fit`.

    Attributes:
        model_: the fitted model.
        history_: the History that `model.fit` gave.
        n_features_in_: the number of columns seen by `fit`.
    """

    _several_targets = True

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        optional_module("sklearn", "scikit-learn>=1.6", "sklearn", type(self).__name__)
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    @property
    def epoch_(self) -> int:
        """The number of epochs trained, as `initial_epoch` and `epochs` of the last `fit` count them; 0 before it."""
        epochs = self.history_.epoch if hasattr(self, "history_") else []
        return epochs[-1] + 1 if epochs else 0

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train the model.

        Args:
            X: inputs (samples, features).
            y: targets (samples,) or (samples, outputs).
            **kwargs: arguments of `Model.fit`, before those of `fit_kwargs`.

        Raises:
            ValueError: inputs or targets that scikit-learn's checks refuse.
            RuntimeError: the model is not compiled.
            TypeError: `model` is neither a model nor a function that makes one.
        """
        X, y = validate_data(self, X, y, multi_output=self._several_targets)
        targets = self._encode(y)
        model = self._make_model(X, targets)
        self.history_ = model.fit(X, targets, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The predictions (samples,) or (samples, outputs), in the shape that the targets had.

        Raises NotFittedError before `fit`, and ValueError for other features than it saw.
        """
        return self._decode(self._outputs(X))

    def set_fit_request(self, **kwargs: bool | str | None) -> Self:
        """Say which metadata `fit` asks for: `name=alias` with True, False, None or another name.

        Raises RuntimeError where scikit-learn's metadata routing is not enabled.
        """
        if not get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                "set_fit_request is only available when metadata routing is enabled: call "
                "sklearn.set_config(enable_metadata_routing=True)."
            )
        requests = self.get_metadata_routing()
        for param, alias in kwargs.items():
            requests.fit.add_request(param=param, alias=alias)
        self._metadata_request = requests
        return self

    def __sklearn_clone__(self) -> Self:
        """A new estimator of the same arguments. A model is shared: `fit` trains a clone of it.

        With `warm_start`, where `fit` trains the model itself, it is copied.
        """
        model = self.model
        if self.warm_start and isinstance(model, Model):
            model = _new_like(model)
            if self.model.built and model.built:
                model.set_weights(self.model.get_weights())
        return type(self)(model, self.warm_start, self.model_kwargs, self.fit_kwargs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # the first weights are random
        tags.target_tags.multi_output = self._several_targets
        return tags

    def _make_model(self, X: np.ndarray, targets: np.ndarray) -> Model:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            model = self.model if self.warm_start else _new_like(self.model)
        elif callable(self.model):
            model = self.model(X=X, y=targets, **(self.model_kwargs or {}))
        else:
            model = self.model
        if not isinstance(model, Model):
            raise TypeError(
                f"{type(self).__name__}: `model` must be a compiled Model or a function of X and y that gives one, "
                f"got {model!r} of type {type(model).__name__}."
            )
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError(
                f"{type(self).__name__}: given model needs to be compiled, and have a loss and an optimizer. Call "
                f"`compile(optimizer, loss)` on {model.name!r} first."
            )
        return model

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False)
        # No progress bar for each of a search's hundred predictions, where `fit` was told to be quiet.
        verbose = (self.fit_kwargs or {}).get("verbose", "auto")
        return self.model_.predict(X, verbose=verbose)

    def _encode(self, y: np.ndarray) -> np.ndarray:
        """The targets as the model is trained on them, with an axis of outputs."""
        _target_type(y)
        self._target_ndim = y.ndim
        return y[:, None] if y.ndim == 1 else y

    def _decode(self, outputs: np.ndarray) -> np.ndarray:
        """The model's outputs in the shape of the targets."""
        if self._target_ndim == 1 and outputs.ndim == 2 and outputs.shape[1] == 1:
            return outputs[:, 0]
        return outputs


class SKLearnClassifier(ClassifierMixin, ModelEstimator):
    """A model as a classifier of scikit-learn, trained on one-hot targets.

    Args:
        model: a compiled model, of which each `fit` trains a clone with new weights; or a function called as
            `model(X=X, y=y, **model_kwargs)` that gives a compiled one. Its outputs are a score for each class.
        warm_start: go on with the model and the weights of the last `fit`, and train the given model itself.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of `Model.fit`; those given to the estimator's `fit` come first.

    Attributes:
        model_: the fitted model.
        history_: the History that `model.fit` gave.
        classes_: the classes (classes,), sorted: the columns of the one-hot targets.

    Raises ImportError without scikit-learn.

    Example::

        def make(X, y, width=16):
            model = Sequential([Input((X.shape[1],)), Dense(width, "relu"), Dense(y.shape[1], "softmax")])
            model.compile("adam", "categorical_crossentropy")
            return model

        scores = cross_val_score(SKLearnClassifier(make, fit_kwargs={"epochs": 5, "verbose": 0}), X, y)
    """

    _several_targets = False

    def decision_function(self, X: Any) -> np.ndarray:
        """The model's outputs (samples, classes).

        Raises NotFittedError before `fit`.
        """
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # no model trains well on all of scikit-learn's checks
        return tags

    def _encode(self, y: np.ndarray) -> np.ndarray:
        kind = _target_type(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Only binary and multiclass target types are supported. Target type: {kind}")
        self.classes_ = np.unique(y)
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        return (y[:, None] == self.classes_).astype("float32")

    def _decode(self, outputs: np.ndarray) -> np.ndarray:
        if outputs.ndim != 2 or outputs.shape[1] != len(self.classes_):
            raise ValueError(
                f"SKLearnClassifier: the model gives outputs of shape {outputs.shape}, expected (samples, "
                f"{len(self.classes_)}): a score for each of the classes, also where there are two."
            )
        return self.classes_[outputs.argmax(axis=1)]


class SKLearnRegressor(RegressorMixin, ModelEstimator):
    """A model as a regressor of scikit-learn.

    Args:
        model: a compiled model, of which each `fit` trains a clone with new weights; or a function called as
            `model(X=X, y=y, **model_kwargs)` that gives a compiled one.
        warm_start: go on with the model and the weights of the last `fit`, and train the given model itself.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of `Model.fit`; those given to the estimator's `fit` come first.

    Attributes:
        model_: the fitted model.
        history_: the History that `model.fit` gave.

    Raises ImportError without scikit-learn.

    Example::

        model = Sequential([Input((10,)), Dense(20, "relu"), Dense(1)])
        model.compile("adam", "mse")
        pipeline = make_pipeline(StandardScaler(), SKLearnRegressor(model, fit_kwargs={"epochs": 5}))
        pipeline.fit(X, y)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, ModelEstimator):
    """A model as a transformer of scikit-learn: a step of a pipeline whose result is the model's output.

    Args:
        model: a compiled model, of which each `fit` trains a clone with new weights; or a function called as
            `model(X=X, y=y, **model_kwargs)` that gives a compiled one.
        warm_start: go on with the model and the weights of the last `fit`, and train the given model itself.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of `Model.fit`; those given to the estimator's `fit` come first.

    Attributes:
        model_: the fitted model.
        history_: the History that `model.fit` gave.

    Raises ImportError without scikit-learn.

    Example::

        encoder = SKLearnTransformer(autoencoder, fit_kwargs={"epochs": 5})
        features = encoder.fit(X, X).transform(X)
    """

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs for the inputs (samples, features).

        Raises NotFittedError before `fit`.
        """
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # a model computes in its own
        return tags


def _new_like(model: Model) -> Model:
    """A clone with new weights, compiled as the model is (`clone_model` leaves that out)."""
    made = clone_model(model)
    if model.compiled and not made.compiled:
        made.compile_from_config(model.get_compile_config())
    return made


def _target_type(y: np.ndarray) -> str:
    """What scikit-learn takes targets for. Raises ValueError where it knows no name for them."""
    found = type_of_target(y)
    if found == "unknown":
        raise ValueError(f"Unknown label type for data: {y!r}")
    return found
