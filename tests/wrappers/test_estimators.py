"""Models as estimators of scikit-learn, by its own checks and by what its users do."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

import layerkit as keras
from layerkit.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

sklearn = pytest.importorskip("sklearn", minversion="1.6")
from sklearn.base import clone, is_classifier, is_regressor  # noqa: E402 - after the line that skips
from sklearn.exceptions import NotFittedError  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
CLASSES = np.array(["low", "middle", "high"])[np.digitize(X[:, 0], [-0.5, 0.5])]
LINE = X @ [1.0, -2.0, 0.5, 0.0]

# What scikit-learn asks for and no model gives: the same bits from two fits (the first weights are random), good
# scores after one epoch, float64 predictions, one column of scores for two classes.
EXPECTED = {
    "check_classifier_data_not_an_array", "check_classifiers_classes", "check_classifiers_one_label_sample_weights",
    "check_classifiers_train", "check_fit_idempotent", "check_methods_sample_order_invariance",
    "check_methods_subset_invariance", "check_regressor_data_not_an_array", "check_regressor_multioutput",
    "check_regressors_int", "check_regressors_train", "check_sample_weight_equivalence_on_dense_data",
    "check_supervised_y_2d", "check_transformer_data_not_an_array", "check_transformer_general",
}  # fmt: skip


def network(features, outputs, width=8, activation=None, loss="mse"):
    model = keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(outputs, activation, name="last"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), loss)
    return model


def classifying(X, y, width=8):
    return network(X.shape[1], y.shape[1], width, "softmax", "categorical_crossentropy")


def regressing(X, y):
    return network(X.shape[1], y.shape[1])


QUIET = {"epochs": 30, "batch_size": 16, "verbose": 0}


def classifier(**kwargs):
    return SKLearnClassifier(classifying, **{"fit_kwargs": QUIET, **kwargs})


@pytest.mark.parametrize(
    ("kind", "make"),
    [(SKLearnClassifier, classifying), (SKLearnRegressor, regressing), (SKLearnTransformer, regressing)],
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks(kind, make):
    results = check_estimator(kind(make, fit_kwargs={"epochs": 1, "verbose": 0}), on_fail=None)
    failed = {one["check_name"]: one["exception"] for one in results if one["status"] == "failed"}
    assert {name: error for name, error in failed.items() if name not in EXPECTED} == {}
    assert sum(one["status"] == "passed" for one in results) > 30


def test_a_pipeline_is_cross_validated():
    keras.utils.set_random_seed(1)
    scores = cross_val_score(make_pipeline(StandardScaler(), classifier()), X, CLASSES, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.6


def test_a_search_sets_the_functions_arguments():
    search = GridSearchCV(classifier(), {"model_kwargs": [{"width": 2}, {"width": 6}]}, cv=2).fit(X, CLASSES)
    assert search.best_params_["model_kwargs"]["width"] in (2, 6)


def test_classes_come_back_as_they_were_given():
    fitted = classifier().fit(X, CLASSES)
    assert fitted.classes_.tolist() == ["high", "low", "middle"]
    assert set(fitted.predict(X)) <= set(CLASSES)
    scores = fitted.decision_function(X)
    assert scores.shape == (90, 3)
    assert np.array_equal(fitted.predict(X), fitted.classes_[scores.argmax(axis=1)])
    assert (fitted.epoch_, len(fitted.history_.history["loss"])) == (30, 30)


def test_a_regressor_keeps_the_shape_of_its_targets():
    keras.utils.set_random_seed(1)
    fitted = SKLearnRegressor(network(4, 1), fit_kwargs=QUIET).fit(X, LINE)
    assert fitted.predict(X).shape == (90,)
    assert fitted.score(X, LINE) > 0.8
    both = SKLearnRegressor(regressing, fit_kwargs=QUIET).fit(X, np.stack([LINE, -LINE], axis=1))
    assert both.predict(X).shape == (90, 2)


def test_a_transformer_is_a_step():
    encoder = SKLearnTransformer(network(4, 1), fit_kwargs={"epochs": 1, "verbose": 0})
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(X, (LINE > 0).astype(int))
    assert pipeline[0].transform(X).shape == (90, 1)
    assert pipeline.predict(X).shape == (90,)


def test_a_model_is_cloned_and_compiled_alike():
    model = network(4, 1)
    before = model.get_weights()
    fitted = SKLearnRegressor(model, fit_kwargs=QUIET).fit(X, LINE)
    assert fitted.model_ is not model
    assert float(fitted.model_.optimizer.learning_rate) == np.float32(0.02)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_warm_start_goes_on():
    model = network(4, 1)
    estimator = SKLearnRegressor(model, warm_start=True, fit_kwargs={**QUIET, "epochs": 1})
    estimator.fit(X, LINE).fit(X, LINE)
    assert estimator.model_ is model
    assert int(model.optimizer.iterations) == 12
    copied = clone(estimator).model
    assert copied is not model
    np.testing.assert_array_equal(copied.get_weights()[0], model.get_weights()[0])


def test_a_clone_has_all_arguments_and_no_fit():
    original = classifier(model_kwargs={"width": 3}).fit(X, CLASSES)
    copied = clone(original)
    assert copied.get_params() == original.get_params()
    with pytest.raises(NotFittedError):
        copied.predict(X)
    assert is_classifier(copied)
    assert is_regressor(SKLearnRegressor(regressing))


def test_arguments_of_fit_come_first_and_change_nothing():
    given = {"epochs": 3, "verbose": 0}
    fitted = SKLearnRegressor(regressing, fit_kwargs=given).fit(X, LINE, epochs=1, sample_weight=np.ones(90))
    assert (fitted.epoch_, given) == (1, {"epochs": 3, "verbose": 0})


def test_a_fitted_estimator_is_pickled():
    fitted = SKLearnRegressor(network(4, 1), fit_kwargs=QUIET).fit(X, LINE)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))


def test_metadata_is_requested_for_fit():
    with pytest.raises(RuntimeError, match="enable_metadata_routing=True"):
        classifier().set_fit_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator = classifier().set_fit_request(sample_weight=True)
        assert estimator.get_metadata_routing().fit.requests == {"sample_weight": True}


def test_errors_say_what_is_wrong():
    with pytest.raises(RuntimeError, match="needs to be compiled"):
        SKLearnRegressor(keras.Sequential([keras.layers.Dense(1)])).fit(X, LINE)
    with pytest.raises(TypeError, match="must be a compiled Model or a function"):
        SKLearnRegressor("mse").fit(X, LINE)
    with pytest.raises(ValueError, match="Only binary and multiclass target types are supported"):
        classifier().fit(X, LINE)
    with pytest.raises(ValueError, match="only one class is present"):
        classifier().fit(X, np.ones(90, int))
    wrong = SKLearnClassifier(lambda X, y: network(4, 1, loss=lambda y, output: output), fit_kwargs={"verbose": 0})
    with pytest.raises(ValueError, match=r"outputs of shape \(90, 1\), expected \(samples, 3\)"):
        wrong.fit(X, CLASSES).predict(X)


def test_without_scikit_learn_only_making_one_fails():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import layerkit\n"
        "from layerkit.wrappers import SKLearnClassifier\n"
        "try: SKLearnClassifier(None)\n"
        "except ImportError as error: print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "SKLearnClassifier needs scikit-learn" in found.stdout
    assert "pip install layerkit[sklearn]" in found.stdout


def test_scikit_learn_is_not_imported_before_it_is_used():
    code = "import sys, layerkit; layerkit.wrappers; print('sklearn' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
