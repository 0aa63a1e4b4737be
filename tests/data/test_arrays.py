import h5py
import numpy as np
import pytest

from layerkit.data import get_adapter, split_validation
from layerkit.data.arrays import ArrayAdapter
from layerkit.errors import DtypeError, ShapeError


def rng(seed=0):
    return np.random.default_rng(seed)


def seen(adapter, epoch=0, start=0):
    """The first column of x of every batch."""
    return [np.asarray(x).reshape(len(x), -1)[:, 0].tolist() for x, _, _ in adapter.batches(epoch, start)]


@pytest.fixture
def numbers():
    return np.arange(10, dtype="float32")[:, None]


class Series:
    """What pandas offers, as far as the adapter uses it."""

    iloc = property(lambda self: self)

    def __init__(self, values):
        self.values = np.asarray(values)

    def to_numpy(self):
        return self.values


def test_order_is_kept_and_the_last_batch_is_partial(numbers):
    adapter = get_adapter(numbers, numbers[:, 0], batch_size=4)
    assert (adapter.num_batches, adapter.batch_size, adapter.num_samples) == (3, 4, 10)
    assert seen(adapter) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert seen(adapter, start=2) == [[8, 9]]


def test_batches_without_shuffling_are_views(numbers):
    x, y, weight = next(get_adapter(numbers).batches())
    assert np.shares_memory(x, numbers)
    assert y is None
    assert weight is None


def test_batch_size_is_32_or_made_by_the_steps():
    x = np.zeros((100, 1), "float32")
    assert get_adapter(x).batch_size == 32
    assert get_adapter(x, steps_per_epoch=7).batch_size == 15


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_shuffling_is_a_function_of_seed_and_epoch(numbers, shuffle):
    one, two = (get_adapter(numbers, batch_size=4, shuffle=shuffle, rng=rng(7)) for _ in range(2))
    first, second = seen(one, 0), seen(one, 1)
    assert first != second
    assert seen(two, 1) == second  # whether or not epoch 0 was read
    assert seen(two, 1, start=1) == second[1:]
    assert sorted(sum(first, [])) == list(range(10))
    assert seen(get_adapter(numbers, batch_size=4, shuffle=shuffle, rng=rng(8)), 1) != second


def test_shuffling_inside_batches_keeps_their_members(numbers):
    adapter = get_adapter(numbers, batch_size=4, shuffle="batch", rng=rng())
    assert [sorted(batch) for batch in seen(adapter)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_shuffling_leaves_the_global_generator_alone(numbers):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    seen(get_adapter(numbers, shuffle=True))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_x_and_y_and_weights_are_shuffled_alike(numbers):
    adapter = get_adapter(numbers, numbers * 2, np.arange(10.0), batch_size=3, shuffle=True, rng=rng())
    for x, y, weight in adapter.batches():
        assert (y == 2 * x).all()
        assert (weight == x[:, 0]).all()


def test_a_shuffled_epoch_allocates_no_batch(numbers):
    adapter = get_adapter(numbers, batch_size=5, shuffle=True)
    first, second = (batch for batch in adapter.batches())
    assert first is second


def test_selections_are_copied_into_given_buffers(numbers):
    for shuffle in (False, True):
        adapter = ArrayAdapter(numbers, numbers[:, 0], batch_size=4, shuffle=shuffle, rng=rng())
        buffers = [np.zeros((4, 1), "float32"), np.zeros(4, "float32")]
        copied = []
        for selection in adapter.selections():
            adapter.copy_batch(selection, buffers)
            size = len(range(10)[selection]) if isinstance(selection, slice) else len(selection)
            copied.append(buffers[0][:size, 0].tolist())
            assert buffers[1][:size].tolist() == copied[-1]
        assert copied == seen(adapter)


def test_floats_become_floatx_and_integers_stay():
    x, y, _ = next(get_adapter(np.zeros((2, 1)), np.zeros(2, "int64")).batches())
    assert (x.dtype, y.dtype) == ("float32", "int64")
    assert next(get_adapter(np.zeros((2, 1), "float16"), floatx="float64").batches())[0].dtype == "float64"
    assert next(get_adapter(np.zeros(2, ">i4")).batches())[0].dtype == np.dtype("=i4")
    assert next(get_adapter(np.zeros(2, "bool")).batches())[0].dtype == "bool"


def test_arrays_become_contiguous():
    assert next(get_adapter(np.zeros((3, 4), "float32").T).batches())[0].flags.c_contiguous


def test_lists_of_numbers_are_arrays_and_lists_of_arrays_are_inputs(numbers):
    x, y, _ = next(get_adapter([[1.0, 2.0], [3.0, 4.0]], [0, 1]).batches())
    assert (x.shape, x.dtype, y.tolist()) == ((2, 2), "float32", [0, 1])
    x, y, _ = next(get_adapter([numbers, {"a": numbers, "b": numbers[:, 0]}], (numbers, None), batch_size=3).batches())
    assert isinstance(x, list)
    assert x[1]["b"].tolist() == [0, 1, 2]
    assert y[1] is None


@pytest.mark.parametrize("shuffle", [False, True])
def test_nested_inputs_keep_their_structure(numbers, shuffle):
    adapter = get_adapter({"b": numbers, "a": [numbers + 1]}, batch_size=4, shuffle=shuffle, rng=rng())
    for x, _, _ in adapter.batches():
        assert list(x) == ["b", "a"]
        assert (x["a"][0] == x["b"] + 1).all()


def test_pandas_series_are_columns_and_frames_are_arrays():
    x, y, _ = next(get_adapter(Series([[1.0, 2.0], [3.0, 4.0]]), Series([1, 2])).batches())
    assert (x.shape, y.shape) == ((2, 2), (2, 1))


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_hdf5_data_sets_are_read_in_slices(tmp_path, numbers, shuffle):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        data = file.create_dataset("x", data=numbers.astype("float64"))
        adapter = get_adapter(data, numbers, batch_size=4, shuffle=shuffle, rng=rng())
        assert seen(adapter) == seen(get_adapter(numbers, batch_size=4, shuffle=shuffle, rng=rng()))
        for x, y, _ in adapter.batches(1):
            assert x.dtype == "float32"
            assert (x == y).all()


@pytest.mark.parametrize("shuffle", [False, True])
def test_columns_of_texts(tmp_path, shuffle):
    texts = [f"text {i}" for i in range(10)]
    with h5py.File(tmp_path / "data.h5", "w") as file:
        stored = file.create_dataset("texts", data=texts)
        for data in (texts, np.array(texts), np.array(texts, object), Series(np.array(texts, object)), stored):
            adapter = get_adapter({"text": data}, np.arange(10), batch_size=4, shuffle=shuffle, rng=rng())
            for x, y, _ in adapter.batches():
                assert x["text"].dtype == object
                found = [text.decode() if isinstance(text, bytes) else text for text in x["text"].ravel().tolist()]
                assert found == [texts[i] for i in y.tolist()]


def test_memory_maps_of_another_dtype_are_cast_by_the_batch(tmp_path):
    data = np.memmap(tmp_path / "data", "float64", "w+", shape=(6, 2))
    data[:] = np.arange(12).reshape(6, 2)
    adapter = get_adapter(data, batch_size=4)
    assert not isinstance(adapter.arrays[0], np.ndarray)
    assert seen(adapter) == [[0, 2, 4, 6], [8, 10]]


def test_class_weight_weighs_samples():
    adapter = get_adapter(np.zeros((4, 1)), [0, 1, 2, 1], class_weight={1: 3.0, 2: 0.5}, batch_size=4)
    assert next(adapter.batches())[2].tolist() == [1, 3, 0.5, 3]
    one_hot = np.eye(3)[[0, 1, 2]]
    assert next(get_adapter(np.zeros(3), one_hot, class_weight={0: 2}).batches())[2].tolist() == [2, 1, 1]
    assert next(get_adapter(np.zeros(2), [[1.0], [0.0]], class_weight={0: 2}).batches())[2].tolist() == [1, 2]


def test_one_sample_weight_serves_all_outputs(numbers):
    _, _, weight = next(get_adapter(numbers, {"a": numbers, "b": numbers}, np.arange(10)).batches())
    assert weight["a"].tolist() == weight["b"].tolist() == list(range(10))


def test_validation_split_takes_the_end(numbers):
    (x, y, weight), (val_x, val_y, val_weight) = split_validation(numbers, numbers[:, 0], None, 0.25)
    assert (x[:, 0].tolist(), val_x[:, 0].tolist()) == (list(range(7)), [7, 8, 9])
    assert (len(y), len(val_y), weight, val_weight) == (7, 3, None, None)
    assert np.shares_memory(val_x, numbers)


def test_validation_split_of_hdf5_reads_nothing_yet(tmp_path, numbers):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        data = file.create_dataset("x", data=numbers)
        (x, _, _), (val_x, _, _) = split_validation(data, None, None, 0.3)
        assert seen(get_adapter(val_x, batch_size=2)) == [[7, 8], [9]]
        assert sorted(sum(seen(get_adapter(x, shuffle=True)), [])) == list(range(7))


GOOD = np.zeros((4, 2), "float32")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"x": np.zeros((0, 3))}, ShapeError, "`x` has no samples: its first axis has length 0"),
        ({"x": []}, ShapeError, "`x` has no samples"),
        ({"x": None}, ShapeError, "no data: there is no array to take samples from"),
        ({"x": [GOOD, GOOD[:3]], "y": GOOD}, ShapeError, r"`x\[0\]` has 4, `x\[1\]` has 3, `y` has 4"),
        ({"x": {"a": GOOD}, "y": [0, 1]}, ShapeError, r"`x\['a'\]` has 4, `y` has 2"),
        ({"x": 3.0}, TypeError, "`x` must be an array, got 3.0 of type float"),
        ({"x": [GOOD, object()]}, TypeError, r"`x\[1\]` must be an array, got <object"),
        ({"x": np.float32(1)}, ShapeError, "`x` is a single number"),
        ({"x": ["a", None]}, DtypeError, "`x` has dtype object, but only real .* texts of which some are missing"),
        ({"x": ["a", 1]}, DtypeError, "`x` has dtype object"),
        ({"x": np.array("a")}, ShapeError, "`x` is a single text"),
        ({"x": GOOD, "y": ["a"] * 4, "class_weight": {0: 1}}, DtypeError, "its labels are strings"),
        ({"x": GOOD, "y": np.array([None] * 4)}, DtypeError, "`y` has dtype object"),
        ({"x": np.zeros(2, "M8[s]")}, DtypeError, "Turn dates and times into numbers"),
        ({"x": np.zeros(2, "complex64")}, DtypeError, "the real and the imaginary parts"),
        ({"x": np.zeros(2, "i4,f4")}, DtypeError, "Turn its fields into separate arrays"),
        ({"x": [[1, 2], [3]]}, ShapeError, "`x` is a list of lists of different lengths"),
        ({"x": GOOD, "y": GOOD, "sample_weight": np.ones(3)}, ShapeError, "`sample_weight` has 3"),
        ({"x": GOOD, "sample_weight": np.ones(4)}, ValueError, "`sample_weight` was passed without `y`"),
        ({"x": GOOD, "y": GOOD, "sample_weight": [np.ones(4)]}, ValueError, "`sample_weight` is nested"),
        ({"x": GOOD, "y": [GOOD] * 2, "sample_weight": GOOD}, ShapeError, "one weight a sample"),
        ({"x": GOOD, "y": [GOOD] * 2, "sample_weight": [np.ones(4)]}, ValueError, "nested like `y`"),
        ({"x": GOOD, "y": [0.5] * 4, "class_weight": {0: 1}}, DtypeError, "labels have fractions"),
        ({"x": GOOD, "y": [GOOD], "class_weight": {0: 1}}, ValueError, "single output"),
        ({"x": GOOD, "class_weight": {0: 1}}, ValueError, "single output"),
        ({"x": GOOD, "y": [0] * 4, "class_weight": [1, 2]}, ValueError, "must be a dictionary"),
        ({"x": GOOD, "y": [0] * 4, "class_weight": {"cat": 2}}, ValueError, "map class numbers to weights"),
        (
            {"x": GOOD, "y": [0] * 4, "class_weight": {0: 1}, "sample_weight": np.ones(4)},
            ValueError,
            "at the same time",
        ),
        ({"x": GOOD, "batch_size": 0}, ValueError, "`batch_size` must be a positive integer or None, got 0"),
        ({"x": GOOD, "batch_size": 2.5}, ValueError, "got 2.5"),
        ({"x": GOOD, "steps_per_epoch": True}, ValueError, "`steps_per_epoch` must be a positive integer"),
        ({"x": GOOD, "shuffle": "yes"}, ValueError, "`shuffle` must be True, False or 'batch', got 'yes'"),
    ],
)
def test_errors_say_what_is_wrong_and_where(arguments, error, text):
    with pytest.raises(error, match=text):
        get_adapter(**arguments)


def test_sparse_matrices_are_refused():
    class Sparse:
        shape, dtype = (2, 2), np.dtype("float32")

        def tocsr(self):
            return self

    with pytest.raises(TypeError, match=r"`x` is a sparse matrix \(Sparse\).*pass `x.toarray\(\)`"):
        get_adapter(Sparse())


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(0, "between 0 and 1, got 0"), (1.5, "got 1.5"), (0.99, "the training part would be empty")],
)
def test_validation_split_out_of_range(fraction, text):
    with pytest.raises(ValueError, match=text):
        split_validation(GOOD, None, None, fraction)


def test_a_generator_cannot_be_split():
    with pytest.raises(TypeError, match="`x` must be an array") as caught:
        split_validation((x for x in [GOOD]), None, None, 0.5)
    assert "pass `validation_data`" in caught.value.__notes__[0]
