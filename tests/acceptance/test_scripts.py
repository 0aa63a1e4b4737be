"""Scripts written for Keras, in the spellings that public code has, run unchanged on layerkit.

Each prints a number as its last line; what Keras gives for it is in docs/guide/scripts.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "scripts"
QUICK = ("reuters_mlp", "text_vectorization", "multi_input_output")
AT_ONCE = 2
SECONDS = 240  # where a stuck script is ended, not a bound on its speed

# Accuracies and the like: at least this. Chance is 0.1 (digits), 0.25 (shapes) or 0.5 (reviews, pairs).
AT_LEAST = {
    "addition_seq2seq": 0.9, "anomaly_detection": 0.95, "custom_training_loop": 0.6, "feature_extraction": 0.6,
    "grid_search_wrapper": 0.65, "image_augmentation": 0.6, "image_data_generator": 0.65,
    "imdb_bidirectional_lstm": 0.7, "imdb_conv1d": 0.9, "imdb_lstm": 0.7, "knowledge_distillation": 0.7,
    "lstm_text_generation": 0.95, "miniature_gpt": 0.8, "mnist_cnn": 0.8, "mnist_mlp": 0.6, "mnist_siamese": 0.6,
    "multi_input_output": 0.95, "residual_cnn": 0.6, "reuters_mlp": 0.85, "structured_data": 0.85,
    "subclassed_metric": 0.6, "text_vectorization": 0.9, "transfer_learning": 0.5, "transformer_text": 0.65,
    "word2vec_skipgrams": 0.9,
}  # fmt: skip
# Losses and errors: at most this.
AT_MOST = {
    "collaborative_filtering": 0.35, "conv_lstm_frames": 0.3, "denoising_autoencoder": 0.045,
    "gan_train_on_batch": 0.6, "gan_train_step": 0.4, "schedules_callbacks": 1.4, "tabular_regression": 1.5,
    "timeseries_gru": 0.2, "vae_add_loss": 75, "variational_autoencoder": 75, "wide_deep": 4,
}  # fmt: skip
ALL = sorted([*AT_LEAST, *AT_MOST])


def run(name: str, folder: Path) -> subprocess.CompletedProcess:
    folder.mkdir()
    paths = [str(FOLDER.parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.run(
        [sys.executable, "-m", "layerkit", "run", str(FOLDER / f"{name}.py")],
        capture_output=True, text=True, cwd=folder, timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory):
    """The scripts that were asked for, at work two at a time."""
    wanted = [item.callspec.params["name"] for item in request.session.items if item.path == Path(__file__)
              and hasattr(item, "callspec")]  # fmt: skip
    folder = tmp_path_factory.mktemp("scripts")
    with ThreadPoolExecutor(AT_ONCE) as workers:
        started: dict[str, Future] = {name: workers.submit(run, name, folder / name) for name in wanted}
        yield started
        for future in started.values():
            future.cancel()


def parameters() -> list:
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in ALL]


@pytest.mark.parametrize("name", parameters())
@pytest.mark.timeout(900)
def test_a_script_learns(name: str, runs):
    done = runs[name].result()
    assert done.returncode == 0, done.stderr
    number = float(done.stdout.split()[-1])
    assert number >= AT_LEAST.get(name, number)
    assert number <= AT_MOST.get(name, number)


def test_every_script_is_here():
    assert ALL == sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "made_data")
    assert not [path.name for path in FOLDER.glob("*.py") if "layerkit" in path.read_text()]
