"""Small helpers: bars, configs, tensors, where messages go."""

import logging
import pickle

import numpy as np
import pytest

from layerkit import Input, utils
from layerkit.config import say


def test_a_bar_of_ones_own(capsys):
    bar = utils.Progbar(3, verbose=2, unit_name="file", stateful_metrics=["size"])
    bar.update(1, [("loss", 4.0), ("size", 1)])
    bar.update(3, [("loss", 1.0), ("size", 2)])
    line = capsys.readouterr().out
    assert line.startswith("3/3 files - ")
    assert line.endswith("/file - loss: 2.0000 - size: 2.0000\n") or line.endswith("/file - loss: 2.0000 - size: 2\n")
    bar = utils.Progbar(None, verbose=0, stateless_metrics=["loss"])
    bar.add(2, [("loss", 2.0), ("rate", 5.0)])
    bar.add(2, [("loss", 4.0), ("rate", 7.0)])
    assert bar.values == {"loss": 3.0, "rate": 7.0}
    with pytest.raises(ValueError, match="Only one of `stateful_metrics` and `stateless_metrics`"):
        utils.Progbar(3, stateful_metrics=[], stateless_metrics=[])


def test_messages_go_to_the_logger(capsys, caplog):
    assert utils.is_interactive_logging_enabled()
    utils.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, "layerkit"):
            say("hello")
            utils.Progbar(1, verbose=2).add(1)
        assert not utils.is_interactive_logging_enabled()
    finally:
        utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert caplog.messages[0] == "hello"
    assert caplog.messages[1].startswith("1/1 steps")


def test_config():
    config = utils.Config(rate=0.1)
    config["steps"] = 2
    del config.rate
    assert (list(config), len(config), config.to_json()) == (["steps"], 1, '{"steps": 2}')
    with pytest.raises(AttributeError, match="The config has no value 'step'. Did you mean 'steps'?"):
        config.step  # noqa: B018
    config.freeze()
    for change in (lambda: setattr(config, "steps", 3), lambda: config.pop("steps")):
        with pytest.raises(ValueError, match="frozen"):
            change()
    again = pickle.loads(pickle.dumps(config))
    assert again == config
    assert again.frozen
    config.unfreeze()
    config.steps = 3
    assert config.as_dict() == {"steps": 3}


def test_source_inputs():
    a, b, c = Input((2,)), Input((2,)), Input((2,))
    assert [id(x) for x in utils.get_source_inputs((b + a) * (a - b) + 1.0)] == [id(b), id(a)]
    assert [id(x) for x in utils.get_source_inputs(c)] == [id(c)]
    array = np.ones(2)
    assert utils.get_source_inputs(array) is array
    assert not utils.is_keras_tensor(array)
    assert utils.standardize_dtype("float64") == "float64"
