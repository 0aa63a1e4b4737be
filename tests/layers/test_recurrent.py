"""Recurrent layers: one loop in the plan, lengths, masks, states, dropout, cells of a user's, files, errors."""

import json
from pathlib import Path

import numpy as np
import pytest

import layerkit as keras
from layerkit import layers, ops
from layerkit.errors import ShapeError
from layerkit.runtime.kernel_cache import statistics
from layerkit.runtime.steps import HostCall, Launch, Repeat, every_step
from layerkit.tracing import compile_function

SAMPLES = Path(__file__).parents[1] / "saving" / "samples"
rng = np.random.default_rng(0)
KINDS = [layers.SimpleRNN, layers.LSTM, layers.GRU]
each_kind = pytest.mark.parametrize("kind", KINDS)


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype("float32")


class MinimalRNNCell(keras.Layer):
    """The cell of Keras' documentation."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )

    def call(self, inputs, states):
        prev_output = states[0]
        h = ops.matmul(inputs, self.kernel)
        output = h + ops.matmul(prev_output, self.recurrent_kernel)
        return output, [output]


def steps_of_plan(layer, x, **call):
    compiled = compile_function(lambda x: layer(x, **call))
    compiled(x)
    return compiled.traced((x,), [x]).executable.program.steps


class TestPlan:
    @each_kind
    def test_one_loop_without_host_calls_and_copies(self, kind):
        layer = kind(8)
        steps = steps_of_plan(layer, normal(4, 6, 3))
        (loop,) = [step for step in steps if isinstance(step, Repeat)]
        assert not [step for step in every_step(steps) if isinstance(step, HostCall)]
        inside = [step for step in loop.steps if isinstance(step, Launch)]
        assert sum(step.kernel.module == "matmul" for step in inside) == 1  # the product with the inputs is outside
        assert not any(step.kernel.module == "copying" for step in inside)

    @each_kind
    def test_the_plan_does_not_grow_with_the_steps(self, kind):
        layer = kind(3, return_sequences=True)
        sizes = {len(list(every_step(steps_of_plan(layer, normal(2, length, 3))))) for length in (10, 1000)}
        assert len(sizes) == 1

    def test_ragged_lengths_compile_nothing_after_the_first(self):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.Input((None,)),
                layers.Embedding(20, 6, mask_zero=True),
                layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
                layers.GRU(4),
                layers.Dense(1),
            ]
        )
        model.compile(keras.optimizers.Adam(0.01), "mse")
        compiled = []
        for length in (9, 5, 12, 7):
            x = rng.integers(1, 20, (8, length))
            for row, kept in zip(x, rng.integers(1, length + 1, 8), strict=True):
                row[kept:] = 0
            model.train_on_batch(x, normal(8, 1))
            model.predict_on_batch(x)
            compiled.append(statistics.compiled)
        assert len(set(compiled)) == 1


class TestMasks:
    @each_kind
    def test_a_masked_end_is_a_shorter_sequence(self, kind):
        layer = kind(4, return_sequences=True, return_state=True)
        x = normal(2, 6, 3)
        mask = np.arange(6) < 4
        outputs, *states = layer(x, mask=np.stack([mask, mask]))
        shorter, *expected = layer(x[:, :4])
        np.testing.assert_allclose(outputs[:, :4], shorter, rtol=1e-6)
        np.testing.assert_allclose(outputs[:, 5], shorter[:, -1], rtol=1e-6)
        for state, one in zip(states, expected, strict=True):
            np.testing.assert_allclose(state, one, rtol=1e-6)

    def test_masks_go_on_with_all_steps_only(self):
        x = layers.Masking()(normal(2, 3, 2))
        assert layers.GRU(2)(x).mask is None
        y, state = layers.GRU(2, return_sequences=True, return_state=True)(x)
        np.testing.assert_array_equal(y.mask, x.mask)
        assert state.mask is None
        both = layers.Bidirectional(layers.GRU(2, return_sequences=True), merge_mode=None)(x)
        assert all(y.mask is not None for y in both)

    def test_an_output_that_is_no_state(self):
        class Doubling(MinimalRNNCell):
            def call(self, inputs, states):
                output, states = super().call(inputs, states)
                return ops.concatenate([output, output * 2], -1), states

        x, mask = normal(2, 4, 3), np.array([[1, 1, 0, 1], [0, 1, 0, 0]], bool)
        layer = layers.RNN(Doubling(2), return_sequences=True)
        y = np.asarray(layer(x, mask=mask))
        assert y.shape == (2, 4, 4)
        np.testing.assert_array_equal(y[0, 2], y[0, 1])
        np.testing.assert_array_equal(y[1, 0], 0)
        np.testing.assert_array_equal(y[1, 2:], y[1, [1, 1]])
        last = layers.RNN(layer.cell)
        np.testing.assert_array_equal(last(x, mask=mask), y[:, -1])
        np.testing.assert_allclose(compile_function(lambda x, m: last(x, mask=m))(x, mask), y[:, -1], rtol=1e-5)
        zeroed = layers.RNN(layer.cell, return_sequences=True, zero_output_for_mask=True)(x, mask=mask)
        np.testing.assert_array_equal(zeroed, np.where(mask[..., None], y, 0))


class TestStates:
    @each_kind
    def test_two_halves_are_the_whole(self, kind):
        x = normal(3, 8, 2)
        layer = kind(4, return_state=True)
        whole, *_ = layer(x)
        _, *states = layer(x[:, :5])
        np.testing.assert_allclose(layer(x[:, 5:], initial_state=states)[0], whole, rtol=1e-5, atol=1e-6)

    @each_kind
    def test_stateful(self, kind):
        x = normal(3, 8, 2)
        layer = kind(4, stateful=True)
        whole = layer(x)
        layer.reset_state()
        layer(x[:, :5])
        np.testing.assert_allclose(layer(x[:, 5:]), whole, rtol=1e-5, atol=1e-6)
        layer.reset_states()
        compiled = compile_function(lambda x: layer(x))
        compiled(x[:, :5])
        np.testing.assert_allclose(compiled(x[:, 5:]), whole, rtol=1e-5, atol=1e-6)
        assert len(layer.weights) == 3  # the states are none

    def test_stateful_in_fit_and_in_both_directions(self):
        model = keras.Sequential(
            [keras.Input((5, 2), batch_size=4), layers.Bidirectional(layers.LSTM(3, stateful=True)), layers.Dense(1)]
        )
        model.compile("sgd", "mse")
        layer = model.layers[0]
        model.fit(normal(8, 5, 2), normal(8, 1), batch_size=4, shuffle=False, verbose=0)
        assert len(layer.states) == 4
        assert all(np.any(state.numpy()) for state in layer.states)
        layer.reset_state()
        assert not any(np.any(state.numpy()) for state in layer.states)
        with pytest.raises(AttributeError, match="Layer must be stateful"):
            layers.Bidirectional(layers.LSTM(3)).reset_state()

    def test_encoder_and_decoder(self):
        source, target = keras.Input((None, 3)), keras.Input((None, 2))
        _, *states = layers.LSTM(4, return_state=True)(source)
        outputs = layers.LSTM(4, return_sequences=True)(target, initial_state=states)
        model = keras.Model([source, target], layers.TimeDistributed(layers.Dense(2))(outputs))
        assert model.output_shape == (None, None, 2)
        model.compile("adam", "mse")
        model.fit([normal(4, 5, 3), normal(4, 6, 2)], normal(4, 6, 2), verbose=0)
        assert model.predict([normal(2, 3, 3), normal(2, 7, 2)], verbose=0).shape == (2, 7, 2)


class TestDropout:
    @each_kind
    def test_one_mask_for_all_steps(self, kind):
        """With a state that has no weight, equal steps give equal outputs; other calls have other masks."""
        layer = kind(6, dropout=0.5, seed=3, return_sequences=True, recurrent_initializer="zeros")
        x = np.repeat(normal(3, 1, 8), 5, axis=1)
        y = np.asarray(layer(x, training=True))
        assert np.any(y != np.asarray(layer(x)))
        if kind is layers.SimpleRNN:
            np.testing.assert_array_equal(y, np.repeat(y[:, :1], 5, axis=1))
        assert np.any(y != np.asarray(layer(x, training=True)))
        again = kind.from_config(layer.get_config())
        again(x)
        again.set_weights(layer.get_weights())
        if kind is not layers.SimpleRNN or "seed" in layer.get_config():
            np.testing.assert_array_equal(again(x, training=True), y)

    @each_kind
    @pytest.mark.parametrize("options", [{"dropout": 0.4}, {"recurrent_dropout": 0.4}, {"implementation": 1}])
    def test_compiled_draws_what_eager_does(self, kind, options):
        x = normal(3, 5, 4)
        eager, traced = (kind(3, seed=1, name="same", return_sequences=True, **options) for _ in range(2))
        eager(x), traced(x)
        traced.set_weights(eager.get_weights())
        compiled = compile_function(lambda x: traced(x, training=True))
        for _ in range(2):
            np.testing.assert_allclose(compiled(x), eager(x, training=True), rtol=1e-5, atol=1e-6)

    def test_in_stacked_cells_and_convolutions(self):
        cells = [layers.LSTMCell(3, dropout=0.5, seed=1), layers.GRUCell(2, recurrent_dropout=0.5, seed=2)]
        stacked = layers.RNN(cells)
        x = normal(2, 4, 3)
        assert np.any(np.asarray(stacked(x, training=True)) != np.asarray(stacked(x)))
        layer = layers.ConvLSTM1D(2, 2, dropout=0.5, recurrent_dropout=0.2, seed=1)
        x = normal(2, 3, 4, 2)
        assert np.any(np.asarray(layer(x, training=True)) != np.asarray(layer(x)))

    def test_a_loop_of_ones_own(self):
        cell = layers.LSTMCell(3, dropout=0.5, seed=1)
        states, x = cell.get_initial_state(2), ops.ones((2, 8))
        mask = cell.get_dropout_mask(x)
        cell(x, states, training=True)
        assert cell.get_dropout_mask(x) is mask
        cell.reset_dropout_mask()
        assert np.any(np.asarray(cell.get_dropout_mask(x)) != np.asarray(mask))
        compiled = compile_function(lambda x: cell(x, states, training=True)[0])
        compiled(x), compiled(x)
        cell.reset_dropout_mask()
        assert cell(x, states, training=True)[0].shape == (2, 3)


class TestCells:
    def test_the_documented_minimal_cell(self):
        x = keras.Input((None, 5))
        assert layers.RNN(MinimalRNNCell(32))(x).shape == (None, 32)
        y = layers.RNN([MinimalRNNCell(8), MinimalRNNCell(16)], return_sequences=True)(x)
        assert y.shape == (None, None, 16)
        model = keras.Model(x, layers.Dense(1)(y))
        model.compile("sgd", "mse")
        model.fit(normal(4, 6, 5), normal(4, 6, 1), verbose=0)
        names = [model.layers[1].name, model.layers[1].cell.name, model.layers[1].cell.cells[0].name]
        assert model.layers[1].weights[1].path == "/".join([*names, "recurrent_kernel"])

    def test_other_shapes_of_cells(self):
        class Plain:
            """No layer, a state of its own making, `training`."""

            state_size, output_size = 3, 1

            def get_initial_state(self, batch_size=None):
                return ops.ones((batch_size, 3))

            def call(self, inputs, states):
                new = states[0] * 0.5 + ops.sum(inputs, -1, keepdims=True)
                return ops.sum(new, -1, keepdims=True), new

        class Training(keras.Layer):
            state_size = [2]

            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.inner = layers.Dense(2, use_bias=False, kernel_initializer="ones")

            def call(self, inputs, states, training=False):
                y = self.inner(inputs) * (10.0 if training else 1.0)
                return y, [y + states[0]]

        x = np.ones((2, 3, 2), "float32")
        np.testing.assert_allclose(layers.RNN(Plain())(x), [[3 * (0.125 + 0.5 + 1 + 2)]] * 2)
        layer = layers.RNN(Training(), return_state=True)
        layer.build((None, None, 2))
        assert len(layer.weights) == 1
        y, state = layer(x, training=True)
        np.testing.assert_allclose(y, np.full((2, 2), 20.0))
        np.testing.assert_allclose(state, np.full((2, 2), 60.0))
        compiled = compile_function(lambda x: layer(x))
        np.testing.assert_allclose(compiled(x)[1], np.full((2, 2), 6.0))

    def test_a_subclass_with_a_call_of_its_own(self):
        class Louder(layers.GRUCell):
            def call(self, inputs, states, training=False):
                output, states = super().call(inputs, states, training)
                return output * 2, states

        x, cell = normal(2, 4, 3), Louder(3)
        layer = layers.RNN(cell, return_sequences=True)
        plain = layers.GRU(3, return_sequences=True)
        y, _ = layer(x), plain(x)
        plain.set_weights(layer.get_weights())
        np.testing.assert_allclose(y, np.asarray(plain(x)) * 2, rtol=1e-6)

    def test_bidirectional_of_a_cell_that_nobody_registered(self):
        layer = layers.Bidirectional(layers.RNN(UnitsCell(3)))
        assert layer(normal(2, 4, 2)).shape == (2, 6)
        assert layer.forward_layer.cell is not layer.backward_layer.cell


class UnitsCell(MinimalRNNCell):
    def get_config(self):
        return {**super().get_config(), "units": self.units}


class TestTimeDistributed:
    def test_moving_averages_step_by_step(self):
        """As in Keras: each step is a batch of its own."""
        x = normal(6, 3, 2)
        layer, expected = layers.TimeDistributed(layers.BatchNormalization()), layers.BatchNormalization()
        y = layer(x, training=True)
        for step in range(3):
            np.testing.assert_allclose(y[:, step], expected(x[:, step], training=True), rtol=1e-4, atol=1e-5)
        for ours, one in zip(layer.layer.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_allclose(ours, one, rtol=1e-5)

    def test_masks_go_to_the_layer(self):
        class Masked(keras.Layer):
            def call(self, inputs, mask=None):
                return ops.where(ops.expand_dims(mask, -1), inputs, -1.0)

        x, mask = normal(2, 3, 2), np.array([[1, 0, 1], [1, 1, 0]], bool)
        y = layers.TimeDistributed(Masked())(x, mask=mask)
        np.testing.assert_array_equal(y, np.where(mask[..., None], x, -1))
        inner = layers.TimeDistributed(layers.LSTM(2))
        x, mask = normal(2, 3, 4, 5), rng.random((2, 3, 4)) > 0.3
        y = np.asarray(inner(x, mask=mask))
        np.testing.assert_allclose(y[:, 1], inner.layer(x[:, 1], mask=mask[:, 1]), rtol=1e-5, atol=1e-6)

    def test_wrong_uses(self):
        with pytest.raises(ValueError, match="Argument `layer` of TimeDistributed has to be a layer"):
            layers.TimeDistributed(3)
        with pytest.raises(ShapeError, match=r"at least 3 axes.*got shape \(2, 3\)"):
            layers.TimeDistributed(layers.Dense(2))(normal(2, 3))
        with pytest.raises(ShapeError, match=r"those of the input, \(2, 3\); got mask shape \(2, 4\)"):
            layers.TimeDistributed(layers.LSTM(2))(normal(2, 3, 4, 5), mask=np.ones((2, 4), bool))


class TestFiles:
    def test_keras_files(self):
        """Embedding(mask_zero), Bidirectional(LSTM), GRU, which Keras trained for a step and predicted with."""
        arrays = dict(np.load(SAMPLES / "lstm_masked.npz"))
        x = next(value for name, value in arrays.items() if name.startswith("x/"))
        expected = next(value for name, value in arrays.items() if name.startswith("pred1/"))
        model = keras.models.load_model(SAMPLES / "lstm_masked.h5", compile=False)
        np.testing.assert_allclose(model(x), expected, rtol=1e-5, atol=1e-6)
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        model.load_weights(SAMPLES / "lstm_masked.weights.h5")
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("ending", ["h5", "weights.h5"])
    def test_round_trip(self, ending, tmp_path):
        def made():
            return keras.Sequential(
                [
                    keras.Input((4, 6, 2)),
                    layers.ConvLSTM1D(3, 2, return_sequences=True),
                    layers.TimeDistributed(layers.Flatten()),
                    layers.Bidirectional(layers.GRU(3, return_sequences=True), merge_mode="ave"),
                    layers.RNN([layers.LSTMCell(4), layers.SimpleRNNCell(3)]),
                ]
            )

        model, x = made(), normal(2, 4, 6, 2)
        y = model.predict(x, verbose=0)
        path = tmp_path / f"model.{ending}"
        if ending == "h5":
            model.save(path)
            again = keras.models.load_model(path)
        else:
            model.save_weights(path)
            again = made()
            again.load_weights(path)
        np.testing.assert_array_equal(again.predict(x, verbose=0), y)

    def test_legacy_arguments(self):
        layer = layers.LSTM(3, implementation=1)
        assert layer.cell.implementation == 1
        assert "implementation" not in layer.get_config()
        assert json.loads(json.dumps(layer.get_config()))["units"] == 3


class TestErrors:
    @each_kind
    def test_shapes(self, kind):
        layer = kind(4, name="here")
        with pytest.raises(
            ShapeError, match="layer 'here' is incompatible with the layer: expected ndim=3, found ndim=2"
        ):
            layer(normal(2, 3))
        layer(normal(2, 5, 3))
        states = [normal(3, 4)] * len(layer.state_size)
        with pytest.raises(
            ShapeError, match=r"'here': `initial_state` has to be . tensor.*\(2, 4\).*got . of.*\(3, 4\)"
        ):
            layer(normal(2, 5, 3), initial_state=states)
        with pytest.raises(ShapeError, match=r"'here': `initial_state` has to be .*; got 3 of"):
            layer(normal(2, 5, 3), initial_state=[normal(2, 4)] * 3)
        with pytest.raises(ShapeError, match=r"'here': `mask` has to have the shape \(2, 5\).*got \(2, 4\)"):
            layer(normal(2, 5, 3), mask=np.ones((2, 4), bool))
        with pytest.raises(ValueError, match="`units` must be a positive integer, got units=0"):
            kind(0)
        with pytest.raises(ShapeError, match="needs the size of its input's last axis; got shape"):
            kind(2)(keras.Input((None, None)))

    def test_the_path_of_the_layer(self):
        model = keras.Sequential([keras.Input((5, 3)), layers.LSTM(4, name="inner")], name="outer")
        with pytest.raises(ValueError) as caught:
            model.layers[0](normal(2, 5, 3), mask=np.ones((2, 4), bool))
        assert "inner" in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])

    def test_stateful(self):
        with pytest.raises(ValueError, match=r"`stateful=True` the batch size must be fixed.*\(None, 5, 3\)"):
            layers.GRU(2, stateful=True)(keras.Input((5, 3)))
        layer = layers.GRU(2, stateful=True)
        layer(normal(2, 5, 3))
        with pytest.raises(ShapeError, match="Expected batch size: 2. Received batch size: 3"):
            layer(normal(3, 5, 3))

    def test_cudnn(self):
        assert layers.LSTM(2, use_cudnn=False)(normal(1, 2, 3)).shape == (1, 2)
        with pytest.raises(ValueError, match="use_cudnn=True was specified, but there is no cuDNN"):
            layers.GRU(2, use_cudnn=True)(normal(1, 2, 3))
        with pytest.raises(ValueError, match="Expected one of {'auto', True, False}. Received: use_cudnn='yes'"):
            layers.LSTM(2, use_cudnn="yes")

    def test_cells(self):
        with pytest.raises(ValueError, match="Argument `cell` should have a `call` method. Received: cell=3"):
            layers.RNN(3)
        with pytest.raises(ValueError, match="should have a `state_size` attribute"):
            layers.RNN(layers.Dense(3))
        with pytest.raises(ValueError, match="All cells must have a `state_size`"):
            layers.RNN([layers.LSTMCell(3), layers.Dense(2)])
        with pytest.raises(ValueError, match="at least one cell"):
            layers.StackedRNNCells([])

        class Forgetful(MinimalRNNCell):
            def call(self, inputs, states):
                return states[0], []

        with pytest.raises(ValueError, match="was given 1 states and gave 0"):
            layers.RNN(Forgetful(2))(normal(1, 2, 3))

    def test_bidirectional(self):
        with pytest.raises(ValueError, match="Invalid merge mode. Received: merge_mode='max'"):
            layers.Bidirectional(layers.LSTM(2), merge_mode="max")
        with pytest.raises(ValueError, match="`layer` of Bidirectional has to be a layer. Received: 'lstm'"):
            layers.Bidirectional("lstm")
        with pytest.raises(ValueError, match="different `go_backwards` values"):
            layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2))
        with pytest.raises(ValueError, match="same value for attribute 'return_sequences', got False for the forward"):
            layers.Bidirectional(
                layers.LSTM(2), backward_layer=layers.LSTM(2, go_backwards=True, return_sequences=True)
            )
        with pytest.raises(ValueError, match="as many states for each direction; got 3 in all"):
            layers.Bidirectional(layers.LSTM(2))(normal(1, 2, 3), initial_state=[normal(1, 2)] * 3)

    def test_convolutional(self):
        with pytest.raises(ShapeError, match="2 spatial axes and channels, all of known size; got shape"):
            layers.ConvLSTM2D(2, 2)(keras.Input((3, None, 4, 1)))
        with pytest.raises(ValueError, match="`padding` must be one of .valid., .same."):
            layers.ConvLSTM1D(2, 2, padding="causal")
        with pytest.raises(ValueError, match="strides > 1"):
            layers.ConvLSTM2D(2, 2, strides=2, dilation_rate=2)


def test_weights_to_start_with():
    given = [w + 1 for w in _built().get_weights()]
    layer = layers.Bidirectional(layers.GRU(3), weights=given)
    layer(normal(2, 4, 2))
    for ours, one in zip(layer.get_weights(), given, strict=True):
        np.testing.assert_array_equal(ours, one)


def _built():
    layer = layers.Bidirectional(layers.GRU(3))
    layer(normal(2, 4, 2))
    return layer
