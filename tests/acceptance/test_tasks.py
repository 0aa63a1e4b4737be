"""Scripts written for Keras, run as they are, give the numbers that Keras gives: docs/tasks.md has both."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.scripts import MNIST

TASKS = Path(__file__).with_name("tasks")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
needs_mnist = pytest.mark.skipif(
    not MNIST.exists(), reason="set LAYERKIT_MNIST to the folder of MNIST's four .gz files"
)
needs_sklearn = pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="needs scikit-learn")


def run(script: str, *options: str) -> dict:
    """What a script reports in its last line."""
    command = [sys.executable, "-m", "layerkit", "run", str(TASKS / f"{script}.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["backend"] == "layerkit"
    return found


@needs_mnist
def test_residual_network():
    assert run("mnist_residual")["accuracy"] >= 0.991


@needs_mnist
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_recurrent_network(cell):
    assert run("mnist_recurrent", "--cell", cell)["accuracy"] >= 0.98


def test_text_classifier():
    assert run("text_classifier")["accuracy"] >= 0.68


def test_language_model():
    assert run("language_model")["perplexity"] <= 5.8


def test_losses_and_metrics_by_name():
    found = run("two_inputs")
    assert {"loss", "rate_loss", "kind_loss", "rate_mae", "kind_accuracy"} <= set(found)
    assert found["kind_accuracy"] >= 0.93
    assert found["rate_mae"] <= 0.13
    assert found["loss"] == pytest.approx(0.5 * found["rate_loss"] + found["kind_loss"], rel=1e-4)


@needs_sklearn
def test_regression_on_diabetes():
    assert run("regression")["r2"] >= 0.44


def test_regression_on_houses():
    assert run("regression", "--data", "houses")["r2"] >= 0.92
