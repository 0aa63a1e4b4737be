import io
import re
import subprocess
import sys

import pytest

from layerkit.callbacks import CallbackList, ProgbarLogger, Progress
from layerkit.callbacks import progress as progress_module


class Terminal(io.StringIO):
    def isatty(self):
        return True


def run(stream, steps=3, verbose=1, logs=None, total=None, **finish):
    progress = Progress(verbose, total or steps, epochs=2, stream=stream)
    progress.begin(1)
    for step in range(steps):
        progress.update(step + 1, logs)
    progress.finish(logs() if callable(logs) else logs, **finish)
    return stream.getvalue()


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_one_line_an_epoch_where_there_is_no_terminal(verbose):
    text = run(io.StringIO(), verbose=verbose, logs={"loss": 0.25, "accuracy": 1e-5, "seen": 3})
    time = r"[\d.]+ (us|ms|s)"
    assert re.fullmatch(
        rf"Epoch 2/2 - 3/3 steps - {time} - {time}/step - loss: 0.2500 - accuracy: 1.0000e-05 - seen: 3\n", text
    )


def test_silence():
    assert run(Terminal(), verbose=0) == ""


def test_compilation_is_told_apart():
    text = run(io.StringIO(), compiled_kernels=12, compile_seconds=1.25)
    assert text.endswith("0 us/step - compiled 12 kernels in 1.2 s\n")
    assert run(io.StringIO(), compiled_kernels=1, compile_seconds=0.1).endswith("compiled 1 kernel in 100 ms\n")


def test_values_are_asked_for_only_when_drawn(monkeypatch):
    asked = []

    def logs():
        asked.append(1)
        return {"loss": 1.0}

    run(Terminal(), steps=50, logs=logs)
    assert len(asked) < 5
    asked.clear()
    monkeypatch.setattr(progress_module, "SECONDS_BETWEEN_UPDATES", 0)
    text = run(Terminal(), steps=5, logs=logs)
    assert len(asked) == 6
    assert "4/5" in text
    assert "/step - loss: 1.0000" in text
    assert text.splitlines()[-1].endswith("loss: 1.0000")


def test_an_unknown_number_of_steps():
    progress = Progress(1, None, stream=(stream := io.StringIO()), label="Predict")
    progress.begin()
    progress.update(4)
    progress.finish()
    assert stream.getvalue().startswith("Predict - 4 steps - ")


def test_verbose_is_checked():
    with pytest.raises(ValueError, match="`verbose` must be 'auto', 0, 1 or 2, got 3"):
        Progress(3)


def test_a_bar_can_be_closed_at_any_time():
    progress = Progress(1, 3, stream=Terminal())
    progress.close()
    progress.begin()
    progress.close()
    progress.close()


def test_tqdm_is_imported_only_for_a_bar():
    code = "import sys, layerkit.callbacks, layerkit.data; sys.exit('tqdm' in sys.modules or 'h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_logger_shows_training_without_its_validation(capsys):
    callbacks = CallbackList([], add_progbar=True, verbose=1, epochs=1, steps=2)
    assert callbacks.has_train_batch_hooks
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_train_batch_end(0, {"loss": 1.0})
    callbacks.on_train_batch_end(1, {"loss": 0.5})
    callbacks.on_test_begin()
    callbacks.on_test_batch_end(0, {"loss": 9.0})
    callbacks.on_test_end({"loss": 9.0})
    callbacks.on_epoch_end(0, {"loss": 0.5})
    callbacks.on_train_end()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert re.match(r"Epoch 1/1 - 2/2 steps - .*/step - loss: 0.5000$", lines[0])


def test_logger_shows_evaluation_and_prediction(capsys):
    callbacks = CallbackList([ProgbarLogger()], verbose=2, steps=1)
    callbacks.on_test_begin()
    callbacks.on_test_batch_end(0, {"loss": 9.0})
    callbacks.on_test_end({"loss": 9.0})
    callbacks.on_predict_begin()
    callbacks.on_predict_batch_end(0, {"outputs": object()})
    callbacks.on_predict_end({"outputs": object()})
    evaluate, predict = capsys.readouterr().out.splitlines()
    assert evaluate.startswith("Evaluate - 1/1 steps")
    assert evaluate.endswith("loss: 9.0000")
    assert predict.startswith("Predict - 1/1 steps")
