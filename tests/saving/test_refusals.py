"""Files that are damaged or hostile: one error for people, before anything was changed or run."""

import json
import pickle
import random

import h5py
import numpy as np
import pytest
from saved_models import Scale, assert_same, compiled, small, state

from layerkit.errors import UnknownNameError
from layerkit.layers import Dense, Input
from layerkit.models import Sequential
from layerkit.saving import SavedFileError, hdf5_reading, inspect, json_text, load_model

KERNEL = "model_weights/first/small/first/kernel"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "model.h5"
    model = small()
    model.optimizer.build(model.trainable_variables)
    model.save(path)
    return path


def _edit_config(path, edit, name="model_config"):
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs[name])
        edit(config)
        file.attrs[name] = json.dumps(config)


def _replace(path, make):
    """Put something else in the place of an array."""
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
        make(file)


def _soft(file):
    file[KERNEL] = h5py.SoftLink("/model_weights/last")


def _external_link(file):
    file[KERNEL] = h5py.ExternalLink("/etc/hostname", "/x")


def _external_storage(file):
    file.create_dataset(KERNEL, (6, 5), "f4", external=[("/etc/hostname", 0, 120)])


def _virtual(file):
    layout = h5py.VirtualLayout((6, 5), "f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (6, 5), "f4")
    file.create_virtual_dataset(KERNEL, layout)


def _texts(file):
    file.create_dataset(KERNEL, (6, 5), h5py.string_dtype())


def _opaque(file):
    file.create_dataset(KERNEL, data=np.zeros((6, 5), "V8"))


def _compound(file):
    file.create_dataset(KERNEL, data=np.zeros((6, 5), [("a", "f4")]))


def _reference(file):
    file.create_dataset(KERNEL, (6, 5), h5py.ref_dtype)


def _shape_bomb(file):
    file.create_dataset(KERNEL, (10**6, 10**6), "f8", chunks=(1000, 1000), compression="gzip")


def _no_shape(file):
    file.create_dataset(KERNEL, data=h5py.Empty("f4"))


def _group(file):
    file.create_group(KERNEL)


def _linked_group(file):
    file.move("model_weights/first", "model_weights/away")
    file["model_weights/first"] = h5py.SoftLink("/model_weights/away")


HOSTILE = [
    (_soft, "it is a link elsewhere .SoftLink."),
    (_external_link, "it is a link elsewhere .ExternalLink."),
    (_external_storage, "its data lie in another file"),
    (_virtual, "virtual dataset"),
    (_texts, "not numbers"),
    (_opaque, "not numbers"),
    (_compound, "not numbers"),
    (_reference, "not numbers"),
    (_shape_bomb, r"shape \(1000000, 1000000\) claims 8000000000000 bytes, but only 0 are stored"),
    (_no_shape, "it has no shape"),
    (_group, "an array is expected, but something else is there"),
    (lambda file: None, "the array is missing"),
    (_linked_group, "it is a link elsewhere .SoftLink."),
]


@pytest.mark.parametrize(("make", "message"), HOSTILE, ids=lambda x: getattr(x, "__name__", ""))
def test_what_is_no_plain_array_is_refused_by_its_path(path, make, message):
    _replace(path, make)
    with pytest.raises(SavedFileError, match=message) as caught:
        load_model(path)
    assert str(path) in str(caught.value)
    assert "model_weights/first" in str(caught.value)
    model = small()
    before = state(model)
    with pytest.raises(SavedFileError, match=message):
        model.load_weights(path)
    assert_same(state(model), before)


def test_another_shape_is_refused_before_reading(path, monkeypatch):
    _replace(path, lambda file: file.create_dataset(KERNEL, data=np.zeros((7, 5), "f4")))
    monkeypatch.setattr(hdf5_reading.StoredArray, "read", lambda self: pytest.fail("an array was read"))
    with pytest.raises(SavedFileError, match=r"layer 'first': 'kernel' has shape \(6, 5\) in the model, \(7, 5\)"):
        load_model(path)


def test_files_changed_by_other_programs_lose_the_checksum_and_load(path):
    with h5py.File(path, "r+") as file:
        file[KERNEL][0, 0] = 1e9
    assert load_model(path).get_weights()[0][0, 0] == np.float32(1e9)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"hello, world", "it is not an HDF5 file .it begins with b'hello, w'"),
        (b"PK\x03\x04" + bytes(50), "it is a zip archive"),
        (pickle.dumps({"a": 1}), "it is not an HDF5 file"),
    ],
)
def test_other_files(tmp_path, content, message):
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    with pytest.raises(SavedFileError, match=message):
        load_model(path)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no such file to load from.*missing.h5"):
        load_model(tmp_path / "missing.h5")
    (tmp_path / "folder.h5").mkdir()
    with pytest.raises(SavedFileError, match="it is a folder"):
        load_model(tmp_path / "folder.h5")


def test_files_that_are_cut_off(path):
    content = path.read_bytes()
    for length in range(1, len(content) - 20, len(content) // 23):
        path.write_bytes(content[:length])
        with pytest.raises(SavedFileError, match="cut off|damaged|not an HDF5"):
            load_model(path)


def test_flipped_bits_are_seen_before_hdf5_parses_them(path):
    content, model = path.read_bytes(), load_model(path)
    rng = random.Random(5)
    for place in [*range(len(content) - 20, len(content)), *(rng.randrange(len(content)) for _ in range(200))]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        if len(content) - 20 <= place < len(content) - 12:  # the mark of the checksum: it counts as one without
            assert_same(state(load_model(path)), state(model))
            continue
        with pytest.raises(SavedFileError, match="the file is damaged") as caught:
            load_model(path)
        assert str(path) in str(caught.value)


def test_damage_in_files_without_a_checksum_is_one_kind_of_error(path):
    """Arrays and names that HDF5 can parse but that mean something else."""
    content = path.read_bytes()[:-20]
    for name in (b"first", b"weight_names", b"model_weights", b"layer_names", b"kernel"):
        path.write_bytes(content.replace(name, name[::-1]))
        with pytest.raises(ValueError, match="model") as caught:
            load_model(path)
        assert str(path) in "".join([str(caught.value), *getattr(caught.value, "__notes__", [])])


def test_unknown_classes_say_how_to_pass_them(tmp_path):
    path = tmp_path / "model.h5"
    compiled(Sequential([Input((6,)), Scale(name="scale"), Dense(3)])).save(path)
    with pytest.raises(UnknownNameError, match="Unknown class 'Scale'.*custom_objects={'Scale': Scale}") as caught:
        load_model(path)
    assert f"While loading {str(path)!r}." in caught.value.__notes__


def test_an_unknown_optimizer_can_be_left_out(path):
    _edit_config(path, lambda config: config["optimizer_config"].update(class_name="Mine"), "training_config")
    with pytest.raises(UnknownNameError, match="Unknown class 'Mine'") as caught:
        load_model(path)
    assert "load_model(..., compile=False)" in "".join(caught.value.__notes__)
    assert not load_model(path, compile=False).compiled


@pytest.mark.parametrize(
    "entry",
    [
        {"module": "os", "class_name": "system", "config": "touch pwned", "registered_name": "system"},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://localhost/x"}},
        {"module": "builtins", "class_name": "eval", "config": {"source": "1/0"}},
        {"class_name": "subprocess.Popen", "config": {"args": "touch pwned"}},
        {"module": "layerkit.saving", "class_name": "load_model", "config": {"filepath": "x"}},
        {"class_name": "__lambda__", "config": {"code": "4wAAAA==", "defaults": None, "closure": None}},
    ],
    ids=lambda entry: entry["class_name"],
)
def test_nothing_that_a_file_names_is_imported_or_run(path, entry, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _edit_config(path, lambda config: config["config"]["layers"][1]["config"].update(activation=entry))
    with pytest.raises((UnknownNameError, ValueError), match="Unknown|never runs code|cannot be understood"):
        load_model(path)
    assert not (tmp_path / "pwned").exists()
    _edit_config(path, lambda config: config["config"]["layers"].__setitem__(1, entry))
    with pytest.raises((UnknownNameError, ValueError), match="Unknown|never runs code|cannot be understood"):
        load_model(path)


def test_safe_mode_cannot_be_switched_off(path):
    with pytest.raises(ValueError, match="safe_mode=False is not supported"):
        load_model(path, safe_mode=False)


def _set_text(path, text):
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The model_config of .* is not JSON"),
        ("[1]", "is not a JSON object but a list"),
        ('{"a": ' * 300 + "1" + "}" * 300, "nested more than 200 deep"),
        ('{"a": ' * 100_000 + "1" + "}" * 100_000, "nested more than 200 deep"),
        ('{"class_name": "Sequential"}', "does not have 'class_name' and 'config'"),
        ('{"class_name": "Sequential", "config": {}}', "cannot be understood"),
        ('{"class_name": "Sequential", "config": {"layers": [3]}}', "cannot be understood|Only instances"),
        ('{"class_name": "Adam", "config": {}}', "holds a Adam, not a model"),
    ],
)
def test_configurations_that_make_no_sense(path, text, message):
    _set_text(path, text)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_texts_have_a_limit(path, monkeypatch):
    monkeypatch.setattr(json_text, "LARGEST", 100)
    with pytest.raises(SavedFileError, match="more than 100 are not read"):
        load_model(path)
    monkeypatch.setattr(hdf5_reading, "LARGEST_TEXT", 50)
    with pytest.raises(SavedFileError, match="the attribute has more than 50 bytes"):
        load_model(path)


@pytest.mark.parametrize("name", ["model_config", "layer_names", "weight_names"])
def test_missing_attributes(path, name):
    with h5py.File(path, "r+") as file:
        group = {"layer_names": "model_weights", "weight_names": "model_weights/first"}.get(name, "/")
        del file[group].attrs[name]
    with pytest.raises(SavedFileError, match=f"{name}"):
        load_model(path)


def test_a_later_format_is_refused(path):
    with h5py.File(path, "r+") as file:
        file.attrs["layerkit_format"] = 99
    with pytest.raises(SavedFileError, match=r"was written by layerkit .*, whose format 99 .* Update layerkit"):
        load_model(path)


def test_a_model_without_the_shape_of_its_input(path):
    def forget(config):
        del config["config"]["layers"][0], config["config"]["build_input_shape"]

    _edit_config(path, forget)
    with pytest.raises(SavedFileError, match="cannot be built: the file does not say the shape of its input"):
        load_model(path)


def test_inspect_refuses_links_too(path):
    _replace(path, _external_link)
    with pytest.raises(SavedFileError, match="link elsewhere"):
        inspect(path)


def test_groups_in_a_circle_end(path):
    with h5py.File(path, "r+") as file:
        file["model_weights/first/again"] = file["model_weights"]
    with pytest.raises(SavedFileError, match="deep"):
        inspect(path)
    load_model(path)  # which goes by names and never sees it
