import csv

import numpy as np
import pytest

from layerkit.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from layerkit.errors import UnknownNameError


class Optimizer:
    def __init__(self, rate=1.0, name="sgd"):
        self.learning_rate = rate
        self.name = name


class Metric:
    def __init__(self, name, direction=None, metrics=()):
        self.name = name
        self._direction = direction
        self.metrics = metrics


class Model:
    """As much of a model as callbacks use; its weights are the number of the epoch trained last."""

    def __init__(self, metrics=()):
        self.stop_training = False
        self.optimizer = Optimizer()
        self.metrics = metrics
        self.weights = None
        self.saved = []

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        (self.weights,) = weights

    def save(self, path, overwrite):
        self.saved.append(str(path))

    save_weights = save


def run(callback, values, name="val_loss", model=None, steps=0, interrupt=None):
    """A training loop with a given value of one metric for each epoch."""
    model = model or Model()
    model.stop_training = False
    callbacks = CallbackList([callback], add_history=True, model=model, epochs=len(values), steps=steps, verbose=0)
    callbacks.on_train_begin()
    for epoch, value in enumerate(values):
        if epoch == interrupt:
            callbacks.on_train_interrupted(KeyboardInterrupt())
            return model
        callbacks.on_epoch_begin(epoch)
        for batch in range(steps):
            callbacks.on_train_batch_begin(batch)
            callbacks.on_train_batch_end(batch, {"loss": value})
        model.weights = epoch
        callbacks.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    callbacks.on_train_end()
    return model


def epochs_run(model):
    return len(model.history.epoch)


class TestCallbackList:
    def test_history_and_progress_are_added_once(self):
        history = History()
        callbacks = CallbackList([history], add_history=True, add_progbar=True)
        assert callbacks.history is history
        assert [type(callback) for callback in callbacks.callbacks] == [History, ProgbarLogger]

    def test_the_model_gets_the_history_and_callbacks_get_model_and_params(self):
        model, callback = Model(), Callback()
        callbacks = CallbackList(callback, add_history=True, model=model, epochs=3)
        assert model.history is callbacks.history
        assert callback.model is model
        assert callback.params == {"epochs": 3}

    @pytest.mark.parametrize(
        ("callback", "needed"),
        [
            (History(), False),
            (EarlyStopping(), False),
            (TerminateOnNaN(), True),
            (LambdaCallback(on_epoch_end=print), False),
            (LambdaCallback(on_train_batch_end=print), True),
            (LambdaCallback(on_batch_begin=print), True),
            (CallbackList([History()]), False),
            (CallbackList([TerminateOnNaN()]), True),
        ],
    )
    def test_batch_hooks_are_known_to_be_needed(self, callback, needed):
        assert CallbackList([callback]).has_train_batch_hooks is needed

    def test_hooks_of_test_and_predict_batches(self):
        callbacks = CallbackList([LambdaCallback(on_test_batch_end=print)])
        assert (callbacks.has_test_batch_hooks, callbacks.has_predict_batch_hooks) == (True, False)

    def test_every_hook_reaches_every_callback(self):
        hooks = [name for name in vars(Callback) if name.startswith("on_")]
        seen = []
        functions = {hook: lambda *args, hook=hook, **kwargs: seen.append(hook) for hook in hooks}
        callbacks = CallbackList([LambdaCallback(**functions), LambdaCallback(**functions)])
        for hook in hooks:
            getattr(callbacks, hook)(*([0] if "batch" in hook or "epoch" in hook else [{}]))
        assert seen == [hook for hook in hooks for _ in range(2)]

    def test_old_names_of_batch_hooks(self):
        seen = []
        callbacks = CallbackList([LambdaCallback(on_batch_end=lambda batch, logs: seen.append((batch, logs)))])
        callbacks.on_train_batch_end(3, {"loss": 1})
        assert seen == [(3, {"loss": 1})]

    def test_what_is_no_callback(self):
        with pytest.raises(TypeError, match="got the class History: did you forget its parentheses"):
            CallbackList([History])
        with pytest.raises(TypeError, match=r"Expected a callback \(a subclass of `Callback`\), got int"):
            CallbackList([3])

    def test_an_interrupt_reaches_all_callbacks_even_if_one_fails(self):
        seen = []

        def fail(error):
            raise OSError("disk full")

        error = KeyboardInterrupt()
        CallbackList(
            [LambdaCallback(on_train_interrupted=fail), LambdaCallback(on_train_interrupted=seen.append)]
        ).on_train_interrupted(error)
        assert seen == [error]
        assert "disk full" in error.__notes__[0]


class TestHistory:
    def test_records_epochs(self):
        history = run(Callback(), [3.0, 1.0, 2.0]).history
        assert history.epoch == [0, 1, 2]
        assert history.history == {"val_loss": [3.0, 1.0, 2.0]}
        assert history.params["epochs"] == 3
        assert history.best_epoch() == 1
        assert history.best_epoch(mode="max") == 0

    def test_best_epoch_leaves_nan_out(self):
        history = run(Callback(), [float("nan"), 2.0, 2.0]).history
        assert history.best_epoch() == 1
        with pytest.raises(KeyError, match="No 'acc' in the history, which has val_loss"):
            history.best_epoch("acc")
        with pytest.raises(ValueError, match="must be 'min' or 'max'"):
            history.best_epoch(mode="auto")
        with pytest.raises(ValueError, match="are NaN"):
            run(Callback(), [float("nan")]).history.best_epoch()


class TestEarlyStopping:
    @pytest.mark.parametrize(
        ("arguments", "values", "epochs"),
        [
            ({"patience": 2}, [5, 4, 4, 4, 4], 4),
            ({"patience": 0}, [5, 6, 7], 2),
            ({"patience": 1, "min_delta": 0.5}, [5, 4.8, 4.6], 2),
            ({"patience": 1, "mode": "max"}, [1, 2, 1, 3], 3),
            ({"patience": 2, "start_from_epoch": 2}, [1, 2, 3, 4, 5, 6], 5),
            ({"patience": 2, "baseline": 1.0}, [5, 4, 3, 3], 4),
            ({"patience": 1}, [float("nan"), 3, 2, 1], 4),
        ],
    )
    def test_stops_when_patience_is_used_up(self, arguments, values, epochs):
        assert epochs_run(run(EarlyStopping(**arguments), values)) == epochs

    @pytest.mark.parametrize("values", [[3, 1, 2, 2, 2], [3, 1, 2]])
    def test_best_weights_are_restored_whether_or_not_it_stopped(self, values):
        callback = EarlyStopping(patience=3, restore_best_weights=True)
        assert run(callback, values).weights == 1
        assert callback.best_epoch == 1
        assert run(callback, [3, 2, 1]).weights == 2  # earlier training is forgotten

    def test_best_weights_are_restored_when_training_is_interrupted(self):
        assert run(EarlyStopping(patience=9, restore_best_weights=True), [3, 1, 2, 2], interrupt=3).weights == 1

    def test_weights_stay_without_being_asked(self):
        assert run(EarlyStopping(patience=1), [3, 1, 2]).weights == 2

    def test_what_it_prints(self, capsys):
        run(EarlyStopping(patience=1, restore_best_weights=True, verbose=1), [1, 2])
        assert capsys.readouterr().out == (
            "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
        )

    def test_a_missing_metric_is_a_warning_that_lists_what_there_is(self):
        with pytest.warns(UserWarning, match="metric `val_loss` which is not available. Available metrics are: loss"):
            run(EarlyStopping(), [1], name="loss")


class TestMode:
    @pytest.mark.parametrize(
        ("monitor", "metrics", "epochs"),
        [
            ("val_accuracy", (), 3),
            ("head_loss", (), 2),
            ("val_score", (Metric("score", "up"),), 3),
            ("score", (Metric("compiled", metrics=(Metric("score", "down"),)),), 2),
        ],
    )
    def test_auto_asks_the_metric_and_then_the_name(self, monitor, metrics, epochs):
        model = run(EarlyStopping(monitor, patience=1), [1, 2, 1], name=monitor, model=Model(metrics))
        assert epochs_run(model) == epochs

    def test_auto_fails_for_an_unknown_metric(self):
        with pytest.raises(ValueError, match="EarlyStopping callback received monitor='score', but whether"):
            run(EarlyStopping("score"), [1], name="score")

    def test_an_unknown_mode_is_a_warning(self):
        with pytest.warns(UserWarning, match="EarlyStopping mode 'maximum' is unknown"):
            assert EarlyStopping(mode="maximum").mode == "auto"


class TestModelCheckpoint:
    def test_saves_each_epoch_under_its_name(self, tmp_path):
        path = str(tmp_path / "deep" / "{epoch:02d}-{val_loss:.1f}.h5")
        model = run(ModelCheckpoint(path), [3, 1])
        assert [name[-9:] for name in model.saved] == ["01-3.0.h5", "02-1.0.h5"]
        assert (tmp_path / "deep").is_dir()

    def test_saves_the_best_only(self, capsys):
        model = run(ModelCheckpoint("{epoch}.h5", save_best_only=True, verbose=1), [3.0, 4.0, 1.0])
        assert model.saved == ["1.h5", "3.h5"]
        assert "Epoch 2: val_loss did not improve from 3.00000" in capsys.readouterr().out

    def test_threshold_of_the_first_save(self):
        callback = ModelCheckpoint("{epoch}.h5", save_best_only=True, initial_value_threshold=2.0)
        assert run(callback, [3.0, 1.0]).saved == ["2.h5"]

    def test_saves_by_batches_across_epochs(self):
        callback = ModelCheckpoint("{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3)
        assert run(callback, [1, 1], steps=4).saved == ["1-3.weights.h5", "2-2.weights.h5"]

    def test_best_by_batches(self):
        callback = ModelCheckpoint("{batch}.h5", "loss", save_best_only=True, save_freq=1)
        assert run(callback, [1.0], steps=2).saved == ["1.h5"]

    @pytest.mark.parametrize(
        ("arguments", "text"),
        [
            ({"filepath": "a.txt"}, "must end in `.keras` or `.h5`. Received: filepath=a.txt"),
            ({"filepath": "a.keras", "save_weights_only": True}, "must end in `.weights.h5`"),
            ({"filepath": "a.h5", "save_freq": "batch"}, "Unrecognized save_freq: 'batch'"),
            ({"filepath": "a.h5", "save_freq": 0}, "Unrecognized save_freq: 0"),
        ],
    )
    def test_bad_arguments(self, arguments, text):
        with pytest.raises(ValueError, match=text):
            ModelCheckpoint(**arguments)

    def test_errors_of_paths(self, tmp_path):
        with pytest.raises(KeyError, match="no value for acc; there are epoch, val_loss"):
            run(ModelCheckpoint("{acc}.h5"), [1])
        (tmp_path / "a.h5").mkdir()
        with pytest.raises(OSError, match="specify a non-directory filepath"):
            run(ModelCheckpoint(tmp_path / "a.h5"), [1])


class TestLearningRates:
    def test_schedules_of_one_and_two_arguments(self):
        for schedule in (lambda epoch: 1.0 / (epoch + 1), lambda epoch, rate: rate / (epoch + 1)):
            model = run(LearningRateScheduler(schedule), [1, 1])
            assert model.optimizer.learning_rate == 0.5
            assert model.history.history["learning_rate"] == [1.0, 0.5]

    def test_an_error_inside_a_schedule_is_not_hidden(self):
        with pytest.raises(TypeError, match="unsupported operand"):
            run(LearningRateScheduler(lambda epoch, rate: rate + "x"), [1])

    def test_a_schedule_has_to_give_a_number(self):
        with pytest.raises(ValueError, match="should be a float. Got: None"):
            run(LearningRateScheduler(lambda epoch: None), [1])

    def test_several_optimizers(self):
        model = Model()
        model.optimizer = type("Multi", (), {})()
        model.optimizer.optimizers = [Optimizer(1.0, "a"), Optimizer(2.0, "b")]
        run(LearningRateScheduler(lambda epoch, rate: rate / 2), [1], model=model)
        assert model.history.history == {"val_loss": [1], "learning_rate_a": [0.5], "learning_rate_b": [1.0]}

    def test_an_optimizer_without_a_learning_rate(self):
        model = Model()
        model.optimizer = object()
        with pytest.raises(ValueError, match='must have a "learning_rate" attribute, object has none'):
            run(LearningRateScheduler(lambda epoch: 1.0), [1], model=model)

    @pytest.mark.parametrize(
        ("arguments", "rates"),
        [
            ({"patience": 2}, [1, 1, 0.1, 0.1, 0.01]),
            ({"patience": 1, "cooldown": 2}, [1, 0.1, 0.1, 0.01, 0.01]),
            ({"patience": 1, "min_lr": 0.05, "factor": 0.5}, [1, 0.5, 0.25, 0.125, 0.0625]),
        ],
    )
    def test_reduce_on_plateau(self, arguments, rates):
        model = Model()
        seen = []
        callback = ReduceLROnPlateau(**arguments)
        watch = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.optimizer.learning_rate))
        run(CallbackList([callback, watch]), [1] * 5, model=model)
        np.testing.assert_allclose(seen, rates)

    def test_reduce_on_plateau_stops_at_the_least_rate(self, capsys):
        model = run(ReduceLROnPlateau(patience=1, factor=0.1, min_lr=0.05, verbose=1), [1] * 5)
        assert model.optimizer.learning_rate == 0.05
        assert capsys.readouterr().out.count("reducing") == 2

    def test_reduce_refuses_a_factor_of_one(self):
        with pytest.raises(ValueError, match="`factor` must be a number in \\[0, 1\\), got factor=1.0"):
            ReduceLROnPlateau(factor=1.0)


class TestCSVLogger:
    def test_rows_and_appending(self, tmp_path):
        path = tmp_path / "log.csv"
        run(CSVLogger(path), [2.0, 1.0], name="loss")
        run(CSVLogger(path, append=True), [0.5], name="loss")
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
        assert [(row["epoch"], row["loss"], row["val_loss"]) for row in rows] == [
            ("0", "2.0", "NA"),
            ("1", "1.0", "NA"),
            ("0", "0.5", "NA"),
        ]

    def test_separator_and_lists(self, tmp_path):
        run(CSVLogger(tmp_path / "log.csv", separator=";"), [np.array([1, 2])])
        assert (tmp_path / "log.csv").read_text().splitlines() == ["epoch;val_loss", '0;"""[1, 2]"""']

    def test_the_file_is_closed_when_training_is_interrupted(self, tmp_path):
        callback = CSVLogger(tmp_path / "log.csv")
        run(callback, [1, 2], interrupt=1)
        assert callback.csv_file is None


class TestTerminateOnNaN:
    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_stops(self, value, capsys):
        assert epochs_run(run(TerminateOnNaN(), [1.0, value, 1.0], steps=1)) == 2
        assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"

    def test_raises(self):
        with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0. Loss value: nan"):
            run(TerminateOnNaN(raise_error=True), [float("nan")], steps=1)


class TestLambdaCallback:
    def test_unknown_hooks_and_values(self):
        with pytest.raises(
            UnknownNameError, match="Unknown hook of a callback 'on_epoch_ends'. Did you mean 'on_epoch_end'"
        ):
            LambdaCallback(on_epoch_ends=print)
        with pytest.raises(TypeError, match="`on_train_end` must be a function, got 3"):
            LambdaCallback(on_train_end=3)


def test_hooks_get_a_dictionary_where_there_are_no_logs():
    given = []
    callback = LambdaCallback(
        on_train_begin=given.append,
        on_epoch_begin=lambda epoch, logs: given.append(logs),
        on_train_batch_begin=lambda batch, logs: given.append(logs),
    )
    callbacks = CallbackList([callback], model=Model())
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_train_batch_begin(0)
    assert given == [{}, {}, {}]
