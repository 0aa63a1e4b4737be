"""Weights alone: paths, what does not fit, and skipping it."""

import h5py
import numpy as np
import pytest
from saved_models import Scale, assert_same, compiled, small, state, two_headed

from layerkit.layers import Dense, Input, Layer
from layerkit.models import Model, Sequential
from layerkit.saving import SavedFileError, load_model, save_weights


def _paths(path):
    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, thing: found.append(name) if isinstance(thing, h5py.Dataset) else None)
    return sorted(found)


def _plain(*units, inputs=6):
    return Sequential([Input((inputs,)), *[Dense(u) for u in units]])


def test_weights_and_optimizer_come_back(tmp_path, data):
    path = tmp_path / "model.weights.h5"
    model, other = small(), small()
    model.fit(*data, verbose=0)
    model.save_weights(path)
    other.load_weights(path)
    assert_same(model.get_weights(), other.get_weights())
    assert_same([v.numpy() for v in model.optimizer.variables], [v.numpy() for v in other.optimizer.variables])


def test_paths_of_a_functional_model(tmp_path):
    two_headed().save_weights(tmp_path / "m.weights.h5")
    weights = [path for path in _paths(tmp_path / "m.weights.h5") if not path.startswith("optimizer")]
    assert weights == [
        f"layers/{layer}/vars/{number}"
        for layer in ("dense", "dense_1", "dense_2", "sequential/layers/dense")
        for number in (0, 1)
    ]


class Mixed(Model):
    def __init__(self):
        super().__init__()
        self.zebra = Dense(1)
        self.ape = Dense(2)
        self.blocks = [Scale(), [Scale()], {"key": Dense(2)}]
        self.same = self.ape

    def call(self, inputs):
        x = self.blocks[2]["key"](self.blocks[1][0](self.blocks[0](self.ape(inputs))))
        return self.zebra(x)


def test_paths_of_attributes_are_keras_ones(tmp_path):
    model = Mixed()
    model(np.zeros((1, 3), "float32"))
    model.save_weights(tmp_path / "m.weights.h5")
    # What Keras 3.15.1 writes for the same class.
    assert _paths(tmp_path / "m.weights.h5") == [
        "ape/vars/0", "ape/vars/1", "blocks/container/scale/vars/0", "blocks/container_1/dense/vars/0",
        "blocks/container_1/dense/vars/1", "blocks/scale/vars/0", "layers/dense/vars/0", "layers/dense/vars/1",
    ]  # fmt: skip


class Keeper(Layer):
    """A layer that keeps its variable under a name of its own."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs):
        return inputs * self.scale

    def save_own_variables(self, store):
        store["half"] = self.scale.numpy() / 2

    def load_own_variables(self, store):
        assert list(store.keys()) == ["half"]
        self.scale.assign(store["half"] * 2)


def test_layers_with_own_ways_to_save(tmp_path):
    path = tmp_path / "m.weights.h5"
    model, other = Sequential([Input((2,)), Keeper()]), Sequential([Input((2,)), Keeper()])
    model.set_weights([np.array([3.0, 4.0])])
    model.save_weights(path)
    assert _paths(path) == ["layers/keeper/vars/half"]
    other.load_weights(path)
    assert_same(model.get_weights(), other.get_weights())


def _load(model, path, **options):
    before = state(model)
    with pytest.raises(SavedFileError) as caught:
        model.load_weights(path, **options)
    assert_same(state(model), before)
    return str(caught.value)


def test_all_misfits_are_in_one_message(tmp_path):
    path = tmp_path / "m.weights.h5"
    _plain(5, 4, 3, 2).save_weights(path)
    text = _load(_plain(5, 7, 3), path)
    assert "does not fit the model in 4 places, so nothing was loaded" in text
    assert "(layers/dense_1): 'kernel' has shape (5, 7) in the model, (5, 4) in the file (layers/dense_1/vars" in text
    assert "(layers/dense_1): 'bias' has shape (7,) in the model, (4,) in the file" in text
    assert "(layers/dense_2): 'kernel' has shape (7, 3)" in text
    assert "layers/dense_3: the file has 2 variables here ((3, 2), (2,)), the model has no such layer." in text
    assert "skip_mismatch=True" in text
    text = _load(_plain(5, 4, 3, 2, 1), path)
    assert "the model has 2 variables (kernel (2, 1), bias (1,)), the file 0 (none)." in text


def test_skip_mismatch_loads_what_fits_and_says_what_did_not(tmp_path):
    path = tmp_path / "m.weights.h5"
    saved, other = _plain(5, 4), _plain(5, 7)
    saved.save_weights(path)
    before = other.get_weights()
    with pytest.warns(UserWarning, match=r"does not fit the model in 2 places; these were skipped:\n  - layer 'dense"):
        other.load_weights(path, skip_mismatch=True)
    assert_same(other.get_weights(), saved.get_weights()[:2] + before[2:])


def test_misfits_of_legacy_files(tmp_path):
    path = tmp_path / "m.h5"
    saved = Sequential([Input((6,)), Dense(5, name="a"), Dense(4, name="b")])
    saved.save(path)
    text = _load(Sequential([Input((6,)), Dense(5, name="a"), Dense(3, name="c")]), path)
    assert "layer 'c' ('b' in the file): 'kernel' has shape (5, 3) in the model, (5, 4) in the file" in text
    longer = Sequential([Input((6,)), Dense(5, name="a"), Dense(4, name="c"), Dense(1, name="d")])
    for options in ({}, {"skip_mismatch": True}):
        text = _load(longer, path, **options)
        assert "the model has 3 layers with weights (a, c, d), the file 2." in text
        assert "layer 'd': the file has no layer of this name for its weights kernel (4, 1), bias (1,)." in text
        assert "layer 'b': it is in the file ((5, 4), (4,)), but not in the model." in text


def test_by_name(tmp_path):
    path = tmp_path / "m.h5"
    saved = Sequential([Input((6,)), Dense(5, name="a"), Dense(4, name="b")])
    saved.save(path)
    other = Sequential([Input((6,)), Dense(5, name="new"), Dense(5, name="other"), Dense(4, name="b")])
    before = other.get_weights()
    other.load_weights(path, by_name=True)
    assert_same(other.get_weights(), before[:4] + saved.get_weights()[2:])
    saved.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match="`by_name` is for legacy"):
        other.load_weights(tmp_path / "m.weights.h5", by_name=True)


def test_an_optimizer_that_does_not_fit_starts_anew(tmp_path, data):
    path = tmp_path / "m.weights.h5"
    model, other = small(), small(optimizer="sgd")
    model.fit(*data, verbose=0)
    model.save_weights(path)
    with pytest.warns(
        UserWarning, match="The state of the optimizer was not loaded .* starts anew: it has 2 variables"
    ):
        other.load_weights(path)
    assert_same(model.get_weights(), other.get_weights())
    assert int(other.optimizer.iterations) == 0


def test_other_dtypes_in_the_file_are_converted_but_not_to_integers(tmp_path):
    path = tmp_path / "m.weights.h5"
    model = compiled(_plain(2))
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        for name in ("layers/dense/vars/0", "optimizer/vars/0"):
            value = np.full(file[name].shape, 1.5, "float64")
            del file[name]
            file[name] = value
    with pytest.warns(UserWarning, match="'iteration' is of int64 in the model, of float64 in the file"):
        model.load_weights(path)
    assert (model.get_weights()[0] == 1.5).all()


def test_a_model_that_is_not_built(tmp_path):
    model = Sequential([Dense(1)], name="later")
    for call in (model.save, lambda path: model.save_weights(tmp_path / "m.weights.h5")):
        with pytest.raises(ValueError, match="You are saving a model that has not yet been built: 'later'"):
            call(tmp_path / "m.h5")
    with pytest.raises(ValueError, match="You are loading weights into a model that has not yet been built"):
        model.load_weights(tmp_path / "m.weights.h5")


def test_file_names_choose_the_format(tmp_path):
    model = _plain(1)
    with pytest.raises(ValueError, match=r"Models are saved to `.h5` or `.hdf5` files.*Received: filepath=m.onnx"):
        model.save("m.onnx")
    with pytest.raises(ValueError, match=r"The `.keras` format is not there yet"):
        model.save("m.keras")
    with pytest.raises(ValueError, match=r"Models are loaded from"):
        load_model("m.pt")
    with pytest.raises(ValueError, match=r"holds weights only, no model"):
        load_model("m.weights.h5")
    with pytest.raises(ValueError, match=r"use `save_weights`"):
        model.save("m.weights.h5")
    with pytest.raises(ValueError, match=r"must end in `.weights.h5`. Received: filepath=m.npz"):
        model.save_weights("m.npz")
    with pytest.raises(ValueError, match=r"`objects_to_skip` is for `.weights.h5` files"):
        save_weights(model, "m.h5", objects_to_skip=[model.layers[0]])
    with pytest.raises(ValueError, match=r"Weights are loaded from"):
        model.load_weights("m.npz")
    with pytest.raises(ValueError, match="`zipped` is an option of the `.keras` format"):
        model.save("m.h5", zipped=True)
    (tmp_path / "other.h5").write_bytes(b"")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(SavedFileError, match=r"holds no weights of Keras or layerkit: at its root is \['data'\]"):
        model.load_weights(tmp_path / "other.h5")
    with pytest.raises(SavedFileError, match="has no model_config: it holds nothing known"):
        load_model(tmp_path / "other.h5")


def test_objects_to_skip_are_neither_written_nor_loaded(tmp_path):
    whole, part = tmp_path / "whole.weights.h5", tmp_path / "part.weights.h5"
    model, other = _plain(5, 4), _plain(5, 4)
    save_weights(model, whole)
    save_weights(model, part, objects_to_skip=[model.layers[0]])
    assert _paths(part) == ["layers/dense_1/vars/0", "layers/dense_1/vars/1"]
    for path in (whole, part):
        other = _plain(5, 4)
        before = other.layers[0].get_weights()
        other.load_weights(path, objects_to_skip=[other.layers[0]])
        assert_same(other.layers[0].get_weights(), before)
        assert_same(other.layers[1].get_weights(), model.layers[1].get_weights())


def test_arguments_that_cannot_be_honoured(tmp_path):
    model, path = _plain(5), tmp_path / "m.weights.h5"
    for save in (model.save_weights, lambda *args, **kwargs: save_weights(model, *args, **kwargs)):
        with pytest.raises(NotImplementedError, match="doesn't support `max_shard_size`.* Leave it out"):
            save(path, max_shard_size=0.5)
    assert not path.exists()
    model.save_weights(path, max_shard_size=None)
    with pytest.raises(NotImplementedError, match="several files, which are not read. Load them in Keras"):
        model.load_weights(tmp_path / "m.weights.json")
    for call in (lambda: save_weights(model, path, foo=1), lambda: model.load_weights(path, foo=1)):
        with pytest.raises(TypeError, match="unexpected keyword arguments: foo"):
            call()
    legacy = tmp_path / "m.h5"
    with pytest.warns(UserWarning, match="`save_format` is deprecated"):
        model.save(legacy, save_format="h5")
    with pytest.raises(ValueError, match="`objects_to_skip` is for `.weights.h5` files"):
        model.load_weights(legacy, objects_to_skip=[model.layers[0]])
    with pytest.raises(TypeError, match="unexpected keyword arguments: foo"):
        model.save(legacy, foo=1)


@pytest.mark.parametrize("rank", [None, 2], ids=["frozen", "low rank"])
def test_what_is_frozen_inside_a_model_stays_frozen(tmp_path, rank):
    inputs = Input((3,))
    first = Dense(4, lora_rank=rank, name="first")
    model = Model(inputs, Dense(2)(first(inputs)))
    if rank is None:
        first.trainable = False
    model.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5")
    assert [v.trainable for v in again.weights] == [v.trainable for v in model.weights]
    assert [layer.trainable for layer in again.layers] == [layer.trainable for layer in model.layers]


def test_a_trained_inner_model_is_written_whole_and_read_without_its_optimizer(tmp_path):
    class Listing(Dense):
        @property
        def fresh(self):
            return [[self.units], [self.units]]  # lists that nobody keeps

    def nested(inner):
        x = Input((3,))
        return Model(x, inner(Listing(3)(x)))

    inner, other = (Sequential([Input((3,)), Dense(3), Dense(2)]) for _ in range(2))
    inner.compile("adam", "mse")
    inner.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    path, model = tmp_path / "model.weights.h5", nested(other)
    nested(inner).save_weights(path)
    assert sum("/optimizer/vars/" in name for name in _paths(path)) == 10
    model.load_weights(path)
    assert_same(inner.get_weights(), other.get_weights())


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5"])
def test_names_of_keras_2_give_its_layout(tmp_path, name):
    saved, read = _plain(5, 4), _plain(5, 4)
    saved.save_weights(tmp_path / name)
    with h5py.File(tmp_path / name) as file:
        assert [one.decode() for one in file.attrs["layer_names"]] == [layer.name for layer in saved.layers]
    read.load_weights(tmp_path / name)
    for expected, got in zip(saved.get_weights(), read.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)
