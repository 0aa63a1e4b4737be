from layerkit.losses import BinaryCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy


def test_lists_of_numbers_are_arrays():
    probabilities = [[0.1, 0.9], [0.6, 0.4]]
    assert abs(SparseCategoricalCrossentropy()([1, 0], probabilities).item() - 0.308093) < 1e-5
    assert MeanSquaredError()([1.0, 2.0], [1.0, 3.0]).item() == 0.5
    assert BinaryCrossentropy()([[0, 1], [1, 0]], probabilities).shape == ()
