import threading
import time

import numpy as np
import pytest

from layerkit.data import EpochIterator, PyDataset, get_adapter, pack_x_y_sample_weight, unpack_x_y_sample_weight
from layerkit.data.prefetch import ordered_map


def batch(index, size=2):
    return np.full((size, 1), float(index)), np.full(size, index)


class Numbered(PyDataset):
    def __init__(self, length=5, fail_at=None, **kwargs):
        super().__init__(**kwargs)
        self.length = length
        self.fail_at = fail_at
        self.events = []

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index == self.fail_at:
            raise KeyError(f"no batch {index}")
        time.sleep(0.002 * (index % 2))  # threads finish out of order
        return batch(index)

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")


class Endless(Numbered):
    num_batches = None


def order(batches):
    return [int(y[0]) for _, y, _ in batches]


def test_pack_and_unpack():
    assert pack_x_y_sample_weight(1) == 1
    assert pack_x_y_sample_weight([1]) == ([1],)
    for packed, unpacked in [
        (1, (1, None, None)),
        ((1,), (1, None, None)),
        ([1, 2], (1, 2, None)),
        ((1, 2, 3), (1, 2, 3)),
    ]:
        assert unpack_x_y_sample_weight(packed) == unpacked
    assert pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    with pytest.raises(ValueError, match="found a tuple of 4 items"):
        unpack_x_y_sample_weight((1, 2, 3, 4))


def test_a_generator_is_read_on_by_the_next_epoch():
    epochs = EpochIterator(get_adapter(batch(i) for i in range(6)), steps_per_epoch=2)
    assert epochs.num_batches == 2
    assert [order(epochs.epoch(i)) for i in range(3)] == [[0, 1], [2, 3], [4, 5]]


def test_a_generator_that_ends_early_is_a_warning_and_an_empty_one_an_error():
    epochs = EpochIterator(get_adapter(batch(i) for i in range(3)), steps_per_epoch=2)
    assert order(epochs.epoch(0)) == [0, 1]
    with pytest.warns(UserWarning, match="ended after 1 of 2 steps"):
        assert order(epochs.epoch(1)) == [2]
    with pytest.raises(ValueError, match="no batch in epoch 3. A generator can be read only once"):
        list(epochs.epoch(2))


def test_iterables_are_read_anew():
    class Loader:
        def __iter__(self):
            return (batch(i) for i in range(3))

        def __len__(self):
            return 3

    adapter = get_adapter(Loader())
    assert adapter.num_batches == 3
    assert [order(adapter.batches(epoch)) for epoch in range(2)] == [[0, 1, 2]] * 2
    assert order(adapter.batches(0, start=1)) == [1, 2]


def test_arrays_with_steps_go_on_and_start_again():
    epochs = EpochIterator(get_adapter(np.zeros((8, 1)), np.arange(8), batch_size=2), steps_per_epoch=2)
    assert [order(epochs.epoch(i)) for i in range(3)] == [[0, 2], [4, 6], [0, 2]]
    assert order(epochs.epoch(1, start=1)) == [6]


def test_steps_beyond_the_data_end_the_epoch_with_a_warning():
    epochs = EpochIterator(get_adapter(np.zeros((4, 1)), np.arange(4), batch_size=2), steps_per_epoch=3)
    with pytest.warns(UserWarning, match="ended after 2 of 3 steps"):
        assert order(epochs.epoch(0)) == [0, 2]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_pydataset_batches_come_in_order(workers):
    dataset = Numbered(7, workers=workers, max_queue_size=2)
    epochs = EpochIterator(get_adapter(dataset))
    assert epochs.num_batches == 7
    assert [order(epochs.epoch(i)) for i in range(2)] == [list(range(7))] * 2
    assert dataset.events == ["begin", "end"] * 2


def test_pydataset_order_is_shuffled_by_seed_and_epoch():
    def adapter(seed):
        return get_adapter(Numbered(9), shuffle=True, rng=np.random.default_rng(seed))

    assert sorted(order(adapter(1).batches(0))) == list(range(9))
    assert order(adapter(1).batches(3)) == order(adapter(1).batches(3)) != order(adapter(1).batches(4))
    assert order(adapter(1).batches(3, start=4)) == order(adapter(1).batches(3))[4:]


@pytest.mark.parametrize("workers", [1, 2])
def test_endless_pydataset_goes_on(workers):
    epochs = EpochIterator(get_adapter(Endless(workers=workers, max_queue_size=3)), steps_per_epoch=2)
    assert [order(epochs.epoch(i)) for i in range(2)] == [[0, 1], [2, 3]]


@pytest.mark.parametrize("workers", [1, 3])
def test_errors_of_workers_keep_their_traceback(workers):
    batches = get_adapter(Numbered(5, fail_at=2, workers=workers)).batches()
    assert order([next(batches), next(batches)]) == [0, 1]
    with pytest.raises(KeyError, match="no batch 2") as caught:
        next(batches)
    assert any(entry.name == "__getitem__" and entry.path.name == "test_generators.py" for entry in caught.traceback)


def test_threads_end_when_the_reader_stops_and_the_queue_is_bounded():
    started = []
    before = threading.active_count()
    results = ordered_map(lambda i: started.append(i) or i, range(1000), workers=2, queue_size=4)
    assert [next(results), next(results)] == [0, 1]
    results.close()
    assert len(started) <= 6
    assert threading.active_count() == before


def test_dictionaries_and_lone_arrays_are_inputs():
    assert next(get_adapter(iter([{"a": np.zeros((2, 1))}])).batches())[0]["a"].dtype == "float32"
    assert next(get_adapter(iter([np.zeros((2, 1))])).batches())[1] is None


def test_class_weight_applies_to_batches():
    x, y, weight = next(get_adapter(Numbered(), class_weight={0: 4.0}).batches())
    assert weight.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ((1, 2, 3, 4), "found a tuple of 4 items"),
        ((np.zeros((2, 1)), np.zeros(3)), "`x` has 2, `y` has 3"),
        ((np.zeros((0, 1)),), "`x` has no samples"),
    ],
)
def test_a_bad_batch_names_its_source(item, text):
    with pytest.raises(ValueError, match=text) as caught:
        next(get_adapter(iter([item])).batches())
    assert caught.value.__notes__ == ["In a batch from the list_iterator passed as `x`."]


def test_arguments_that_do_not_fit():
    with pytest.raises(ValueError, match="`y` should not be passed where `x` is a Numbered"):
        get_adapter(Numbered(), y=np.zeros(3))
    with pytest.raises(ValueError, match="`sample_weight` should not be passed where `x` is a generator"):
        get_adapter((i for i in []), sample_weight=np.zeros(3))
    with pytest.raises(ValueError, match="no batches: its length is 0"):
        get_adapter(Numbered(0))
    with pytest.raises(NotImplementedError, match="`use_multiprocessing=True` is not supported"):
        Numbered(use_multiprocessing=True)
    with pytest.raises(ValueError, match="`max_queue_size` must be at least 1, got 0"):
        Numbered(max_queue_size=0)
    with pytest.raises(ValueError, match="`workers` must not be negative"):
        Numbered(workers=-1)


def test_pydataset_says_what_has_to_be_defined():
    with pytest.raises(NotImplementedError, match="must define `__len__` or the property `num_batches`"):
        _ = PyDataset().num_batches
    with pytest.raises(NotImplementedError, match="must define `__getitem__"):
        PyDataset()[0]
