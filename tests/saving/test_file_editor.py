"""`KerasFileEditor` on files of layerkit and of Keras 3.15.1. Its lines are Keras'."""

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from layerkit import layers
from layerkit.models import Model, Sequential
from layerkit.saving import KerasFileEditor, SavedFileError

SAMPLES = Path(__file__).parent / "samples"
KERAS = SAMPLES / "seq_dense.weights.h5"


def small(units=16, compiled=False, further=False):
    made = [layers.Input((8,)), layers.Dense(units), layers.Dropout(0.1), layers.Dense(3)]
    model = Sequential([*made, layers.Dense(2)] if further else made)
    if compiled:
        model.compile("adam", "mse")
        model.optimizer.build(model.trainable_variables)
    return model


def archive(path, **members):
    """An archive as Keras makes them, with some of its members replaced."""
    content = {
        "metadata.json": '{"keras_version": "3.15.1", "date_saved": "2026-01-02@03:04:05"}',
        "config.json": '{"class_name": "Sequential"}',
        "model.weights.h5": KERAS.read_bytes(),
    }
    content.update({name.replace("__", "."): value for name, value in members.items()})
    with zipfile.ZipFile(path, "w") as file:
        for name, value in content.items():
            if value is not None:
                file.writestr(name, value)
    return str(path)


def test_summary(capsys):
    KerasFileEditor(KERAS).summary()
    assert (
        capsys.readouterr().out
        == f"""\
Keras model file '{KERAS}'
Weights structure
  > layers
  │   ├─ dense ('hidden')
  │   │   ├─ 0: shape=(8, 16), dtype=float32
  │   │   └─ 1: shape=(16,), dtype=float32
  │   └─ dense_1 ('out')
  │       ├─ 0: shape=(16, 3), dtype=float32
  │       └─ 1: shape=(3,), dtype=float32
  └─ optimizer ('adam')
      ├─ 0: shape=(), dtype=int64
      ├─ 1: shape=(), dtype=float32
      ├─ 2: shape=(8, 16), dtype=float32
      ├─ 3: shape=(8, 16), dtype=float32
      ├─ 4: shape=(16,), dtype=float32
      ├─ 5: shape=(16,), dtype=float32
      ├─ 6: shape=(16, 3), dtype=float32
      ├─ 7: shape=(16, 3), dtype=float32
      ├─ 8: shape=(3,), dtype=float32
      └─ 9: shape=(3,), dtype=float32
"""
    )


def test_layers_in_layers_are_there_too(tmp_path):
    editor = KerasFileEditor(SAMPLES / "lstm_masked.weights.h5")
    assert list(editor.weights_dict["layers"]) == ["bidirectional", "dense", "embedding", "gru"]  # Keras leaves out two
    assert editor.weights_dict["layers"]["gru"]["cell"]["1"].shape == (4, 12)
    assert editor.object_metadata["/layers/bidirectional/forward_layer"] == {"name": "forward_lstm"}
    editor.save(tmp_path / "same.weights.h5")
    with h5py.File(SAMPLES / "lstm_masked.weights.h5") as before, h5py.File(tmp_path / "same.weights.h5") as after:
        places = []
        before.visititems(lambda name, thing: places.append(name) if isinstance(thing, h5py.Dataset) else None)
        assert len(places) == 37
        for place in places:
            np.testing.assert_array_equal(before[place][()], after[place][()])
        assert after["layers/gru/vars"].attrs["name"] == "gru"


OPTIMIZER = [str(n) for n in range(10)]
MISSING = [
    "...Object /layers/dense_2 present in reference model, missing from saved file",
    "    In reference model, /layers/dense_2 contains the following keys: ['0', '1']",
]
COMPARISONS = [  # Keras counts some of these twice
    ({}, 1, 4, ["...Object /optimizer present in saved file, missing from reference model",
                f"    In saved file, /optimizer contains the following keys: {OPTIMIZER}"]),
    ({"compiled": True}, 0, 14, []),
    ({"units": 4, "compiled": True}, 9, 5, None),
    ({"compiled": True, "further": True}, 5, 14, [*MISSING, *[
        f"...Weight /optimizer/{n} present in reference model, missing from saved file" for n in range(10, 14)]]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "errors", "matches", "lines"), COMPARISONS)
def test_comparison(capsys, arguments, errors, matches, lines):
    editor = KerasFileEditor(KERAS)
    capsys.readouterr()
    status = "error" if errors else "success"
    found = editor.compare(small(**arguments))
    assert found == {"status": status, "error_count": errors, "match_count": matches}
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Running comparison"
    if lines is None:
        assert printed[1:4] == [
            "...Weight shape mismatch for /layers/dense/0",
            "    In reference model: shape=(8, 4)",
            "    In saved file: shape=(8, 16)",
        ]
        return
    assert printed[1 : 1 + len(lines)] == lines
    assert printed[1 + len(lines)] == "─" * 21
    if errors:
        assert printed[-1] == (
            f"Found {errors} error{'s' * (errors > 1)}: saved file is not compatible with the reference model"
        )
    else:
        assert printed[-1] == f"    Found {matches} matching weights"


def test_an_edited_file_is_loaded(tmp_path):
    path, edited = tmp_path / "a.weights.h5", tmp_path / "b.weights.h5"
    model = small(compiled=True)
    model.save_weights(path)
    editor = KerasFileEditor(str(path))
    assert editor.object_metadata["/layers/dense"] == {"name": model.layers[0].name}
    editor.delete_object("optimizer")
    editor.rename_object("dense_1", "dense_3")
    editor.add_object("layers/dense_1", {"0": np.full((16, 5), 2.0, "float32")})
    editor.add_weights("layers/dense_1", {"1": np.ones(5, "float32"), "2": np.ones(1)})
    editor.delete_weight("dense_1", "2")
    editor.add_object("layers/dense_2", {"0": np.ones((5, 16), "float32"), "1": np.zeros(16, "float32")})
    editor.resave_weights(str(edited))
    assert [name for name in tmp_path.iterdir() if name.suffix != ".h5"] == []
    deeper = Sequential([layers.Input((8,)), *[layers.Dense(n) for n in (16, 5, 16, 3)]])
    assert KerasFileEditor(edited).compare(deeper)["match_count"] == 8
    deeper.load_weights(edited)
    for given, expected in zip(deeper.get_weights()[:2] + deeper.get_weights()[6:], model.get_weights(), strict=True):
        np.testing.assert_array_equal(given, expected)
    assert (deeper.get_weights()[2] == 2).all()


class Attributes(Model):
    """A model whose layers are attributes, and that has a weight of its own."""

    def __init__(self):
        super().__init__()
        self.first, self.scale = layers.Dense(2), self.add_weight(shape=(2,), name="scale", initializer="ones")

    def call(self, x):
        return self.first(x) * self.scale


def test_a_model_without_a_list_of_layers(tmp_path):
    path = tmp_path / "a.weights.h5"
    model = Attributes()
    model(np.ones((1, 3), "float32"))
    model.save_weights(path)
    editor = KerasFileEditor(path)
    assert editor.compare(model) == {"status": "success", "error_count": 0, "match_count": 3}
    editor.add_object("first", {"0": np.zeros((3, 2), "float32"), "1": np.ones(2, "float32")})
    editor.delete_object("/0")
    editor.weights_dict["0"] = np.full(2, 5.0, "float32")
    editor.save(path)
    model.load_weights(path)
    np.testing.assert_array_equal(model(np.ones((1, 3), "float32")).numpy(), [[5, 5]])


def test_archives_of_keras(tmp_path, capsys):
    editor = KerasFileEditor(archive(tmp_path / "model.keras"))
    assert "Saved with Keras 3.15.1 - date: 2026-01-02@03:04:05" in capsys.readouterr().out
    assert (editor.config, editor.metadata["keras_version"]) == ({"class_name": "Sequential"}, "3.15.1")
    model = small(compiled=True)
    assert editor.compare(model)["status"] == "success"
    editor.save(tmp_path / "model.weights.h5")
    model.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], editor.weights_dict["layers"]["dense"]["0"])


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ("rename_object", ("nothing", "x"), "Source name 'nothing' does not appear in the model"),
        ("rename_object", ("layers/nothing", "x"), "Path 'layers/nothing' not found in model"),
        ("rename_object", ("layers/dense/0/x", "x"), "Path 'layers/dense/0/x' not found in model"),
        ("rename_object", ("dense", "a/b"), "should be a leaf name, not a full path name. Received: target_name='a/b'"),
        ("rename_object", ("dense", "dense_1"), "'dense_1' is there already, beside 'dense'"),
        ("rename_object", ("dense", "vars"), "a text without '/', not 'vars'"),
        ("delete_object", ("0",), "Name '0' occurs more than once in the model; try passing a complete path"),
        ("add_object", ("layers/x", [1]), "Argument `weights` should be a dict .* Received: .*list"),
        ("add_object", ("layers/x", {"0": ["a"]}), "Weight '0' should be an array of numbers. Received: dtype=<U1"),
        ("add_object", ("no/x", {"0": np.ones(2)}), "Path 'no' not found in model"),
        ("delete_weight", ("dense", "7"), r"Weight 7 not found in object dense. Weights found: \['0', '1'\]"),
        ("add_weights", ("dense", [1]), "Argument `weights` should be a dict"),
        ("add_weights", ("layers/dense/0", {"1": 1}), "'layers/dense/0' is a weight, not an object"),
        ("save", ("x.h5",), "Invalid `filepath` argument: expected a `.weights.h5` extension. Received: filepath=x.h5"),
    ],
)
def test_edits_that_cannot_be(change, arguments, message):
    editor = KerasFileEditor(KERAS)
    with pytest.raises(ValueError, match=message):
        getattr(editor, change)(*arguments)
    assert editor.compare(small(compiled=True))["status"] == "success"


def test_files_that_are_not_read(tmp_path):
    with pytest.raises(ValueError, match="expected a `.keras` `.weights.h5` extension. Received: filepath=x.h5"):
        KerasFileEditor("x.h5")
    for name in ("x.weights.h5", "x.keras"):
        with pytest.raises(FileNotFoundError):
            KerasFileEditor(tmp_path / name)
    small().save_weights(tmp_path / "linked.weights.h5")
    with h5py.File(tmp_path / "linked.weights.h5", "r+") as file:
        file["layers/dense/vars/9"] = h5py.ExternalLink("other.h5", "/x")
    legacy = tmp_path / "legacy.weights.h5"
    legacy.write_bytes((SAMPLES / "keras2_seq_dense.legacy_weights_only.h5").read_bytes())
    (tmp_path / "no.keras").write_bytes(b"no archive")
    broken = Path(archive(tmp_path / "broken.keras"))
    content, weights = broken.read_bytes(), KERAS.read_bytes()
    broken.write_bytes(content.replace(weights, weights[:-1] + b"x"))
    (tmp_path / "worse.keras").write_bytes(content.replace(b"config.json", b"\xae" * 11))
    for path, message in (
        (tmp_path / "linked.weights.h5", "it is a link elsewhere"),
        (legacy, "is no `.weights.h5` file of Keras 3"),
        (tmp_path / "no.keras", "the archive is damaged"),
        (broken, "the archive is damaged"),
        (tmp_path / "worse.keras", "Cannot load '.*worse.keras': "),
        (archive(tmp_path / "a.keras", model__weights__h5=None), "it has no model.weights.h5, but"),
        (archive(tmp_path / "b.keras", config__json="{"), "is not JSON"),
        (archive(tmp_path / "c.keras", config__json=b"\xff"), "config.json is not text"),
        (archive(tmp_path / "d.keras", model__weights__h5=b"x"), "d.keras/model.weights.h5': it is not an HDF5 file"),
    ):
        with pytest.raises(SavedFileError, match=message):
            KerasFileEditor(path)


def test_an_archive_that_claims_too_much(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("config.json", bytes(2 << 20))
    with pytest.raises(SavedFileError, match="config.json claims 2097152 bytes, but only"):
        KerasFileEditor(path)
