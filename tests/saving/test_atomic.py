"""A save is whole or did not happen."""

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from saved_models import small

from layerkit.layers import Dense, Input
from layerkit.models import Sequential
from layerkit.saving import atomic, load_model, save_model

ROOT = Path(__file__).parents[2]


@pytest.fixture
def saved(tmp_path):
    """A saved model's path and bytes."""
    path = tmp_path / "model.h5"
    small().save(path)
    return path, path.read_bytes()


def _assert_untouched(saved):
    path, content = saved
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]
    load_model(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kills_at_any_moment_leave_a_whole_file(tmp_path):
    program = [sys.executable, str(Path(__file__).parent / "killing.py"), str(tmp_path), "50", "11"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    first, second, leftovers = map(int, done.stdout.split())
    assert first + second == 50
    assert first
    assert second
    assert leftovers, "no kill came in the middle of a save"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_disk_keeps_the_old_file(saved, monkeypatch, call):
    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(atomic.os, call, fail)
    message = r"Could not save \(Input/output error\); the file that was there is unchanged"
    with pytest.raises(OSError, match=message) as caught:
        small(units=9).save(saved[0])
    assert caught.value.errno == errno.EIO
    monkeypatch.undo()
    _assert_untouched(saved)


@pytest.mark.parametrize("limit", [0, 100, 5_000, 40_000, 300_000])
def test_a_full_disk_keeps_the_old_file(saved, limit):
    model = Sequential([Input((300,)), Dense(300)])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OSError, match="the file that was there is unchanged") as caught:
            model.save(saved[0])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG
    _assert_untouched(saved)


def test_nothing_is_left_where_there_was_no_file(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", fail)
    with pytest.raises(OSError, match=r"Could not save \(No space left on device\); no file was made"):
        small().save(tmp_path / "model.h5")
    assert os.listdir(tmp_path) == []


def test_an_interrupt_keeps_the_old_file(saved, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        small().save_weights(saved[0].parent / "model.weights.h5")
    _assert_untouched(saved)


def test_a_model_that_cannot_be_described_keeps_the_old_file(saved):
    class Odd(Dense):
        def get_config(self):
            return {**super().get_config(), "odd": object()}

    with pytest.raises(TypeError, match="Cannot serialize|JSON"):
        Sequential([Input((2,)), Odd(1)]).save(saved[0])
    _assert_untouched(saved)


def test_leftovers_of_dead_processes_go_and_others_stay(saved):
    path = saved[0]
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    dead = path.parent / f".model.h5.{atomic._host()}-{child.pid}-00.layerkit-tmp"
    own = path.parent / f".model.h5.{atomic._host()}-{os.getpid()}-00.layerkit-tmp"
    alive = path.parent / f".model.h5.{atomic._host()}-{os.getppid()}-00.layerkit-tmp"
    elsewhere = path.parent / f".model.h5.another_host-{child.pid}-00.layerkit-tmp"
    other_model = path.parent / f".other.h5.{atomic._host()}-{child.pid}-00.layerkit-tmp"
    for leftover in (dead, own, alive, elsewhere, other_model):
        leftover.write_bytes(b"")
    small().save(path)
    assert not dead.exists()
    assert not own.exists()
    assert alive.exists()
    assert elsewhere.exists()
    assert other_model.exists()


def test_overwrite_false_does_not_overwrite(saved, monkeypatch):
    path = saved[0]
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(FileExistsError, match="overwrite=False"):
        save_model(small(units=9), path, overwrite=False)
    weights = path.parent / "new.weights.h5"
    small().save_weights(weights, overwrite=False)
    with pytest.raises(FileExistsError, match="overwrite=False"):
        small().save_weights(weights, overwrite=False)
    weights.unlink()
    _assert_untouched(saved)


def test_a_person_is_asked(saved, monkeypatch):
    class Terminal:
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    answers = iter(["what?", "n", "y"])
    questions = []
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or next(answers))
    save_model(small(units=9), saved[0], overwrite=False)
    _assert_untouched(saved)
    assert len(questions) == 2
    assert "already exists - overwrite? [y/n]" in questions[0]
    save_model(small(units=9), saved[0], overwrite=False)
    assert load_model(saved[0]).get_layer("first").units == 9


def test_links_modes_and_folders(tmp_path):
    target = tmp_path / "real.h5"
    small().save(target)
    target.chmod(0o640)
    link = tmp_path / "link.h5"
    link.symlink_to(target)
    model = small(units=9)
    model.save(link)
    assert link.is_symlink()
    assert load_model(target).get_layer("first").units == 9
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    model.save(tmp_path / "a" / "b" / "new.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "a/b/new.h5").get_weights()[0], model.get_weights()[0])
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(IsADirectoryError, match="Cannot save to a path that is a folder"):
        model.save(tmp_path / "folder.h5")


def test_h5py_is_not_imported_with_the_package():
    code = "import sys, layerkit.saving; sys.exit('h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
