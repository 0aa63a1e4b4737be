"""Laws that every optimizer keeps, found through the registry."""

import json
import sys

import numpy as np
import pytest

from layerkit import optimizers
from layerkit.graph import Variable
from layerkit.registry import registry
from layerkit.tracing import CompiledFunction, compile_function
from tests.samples.optimizers import SAMPLES

each = pytest.mark.parametrize("sample", SAMPLES, ids=str)
TARGET = np.array([[1.0, -2.0], [0.5, 3.0]], "float32")


def test_every_class_has_a_sample():
    # Classes of examples in docstrings, where those run too, are in no module.
    defined = [cls for cls in registry("optimizer").things() if hasattr(sys.modules[cls.__module__], cls.__name__)]
    assert not set(defined) - {sample.cls for sample in SAMPLES}


def start():
    return [Variable(np.zeros((2, 2), "float32"), name="v"), Variable(np.ones(3, "float32"), name="w")]


def descend(optimizer, variables, steps=40):
    for _ in range(steps):
        optimizer.apply([variables[0].numpy() - TARGET, variables[1].numpy()], variables)


@each
def test_it_descends(sample):
    variables = start()
    descend(sample.make(), variables)
    assert np.abs(variables[0].numpy() - TARGET).sum() < 0.7 * np.abs(TARGET).sum()
    assert np.abs(variables[1].numpy()).sum() < 2.5


@each
def test_no_gradient_of_one_variable_warns_and_skips_it(sample):
    optimizer, variables = sample.make(), start()
    if not sample.wraps:
        optimizer.weight_decay = None
    with pytest.warns(UserWarning, match="does not depend on the variables w: they are not trained"):
        optimizer.apply([np.ones((2, 2), "float32"), None], variables)
    np.testing.assert_array_equal(variables[1].numpy(), np.ones(3))
    with pytest.raises(ValueError, match=r"No gradient was found for any variable \(v, w\)"):
        optimizer.apply([None, None], variables)


@each
def test_the_update_of_an_element_is_its_own(sample):
    """An element's new value depends on that element alone, so that updates fuse."""
    if not sample.elementwise:
        pytest.skip("it looks at the whole variable")
    one, other = sample.make(), sample.make()
    a, b = start(), start()
    gradient = np.array([[0.3, -0.2], [0.1, 0.4]], "float32")
    changed = gradient.copy()
    changed[1, 1] = 5.0
    for _ in range(3):
        one.apply([gradient, a[1].numpy()], a)
        other.apply([changed, b[1].numpy()], b)
    same = np.array([[True, True], [True, False]])
    np.testing.assert_array_equal(a[0].numpy()[same], b[0].numpy()[same])
    np.testing.assert_array_equal(a[1].numpy(), b[1].numpy())


@each
def test_scalars_of_the_step_are_computed_once(sample):
    """More variables add updates of their own shape, and no scalar operation."""
    if not sample.elementwise or sample.wraps:
        pytest.skip("each variable or each optimizer has scalars of its own")

    def scalar_nodes(count):
        optimizer = sample.make()
        variables = [Variable(np.ones(3, "float32"), name=f"v{index}") for index in range(count)]
        compiled = CompiledFunction(lambda *grads: optimizer.apply(list(grads), variables), interpret=True)
        grads = [np.ones(3, "float32")] * count
        compiled.run(*grads)
        graph = compiled.traced(tuple(grads), grads).graph
        return sum(node.outputs[0].shape == () for node in graph.nodes)

    assert scalar_nodes(4) == scalar_nodes(1)


@each
def test_state_goes_through_a_store(sample):
    one, other = sample.make(), sample.make()
    a, b = start(), start()
    descend(one, a, 5)
    store = {}
    one.save_own_variables(store)
    other.build(b)
    other.load_own_variables(store)
    for variable, value in zip(b, a, strict=True):
        variable.assign(value.numpy())
    descend(one, a, 5)
    descend(other, b, 5)
    for variable, value in zip(b, a, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value.numpy())


@each
def test_rate_is_set_without_tracing_again(sample):
    optimizer, variables = sample.make(), start()
    if sample.cls is optimizers.Ftrl:
        pytest.skip("Ftrl divides by its rate")
    if not sample.rests or sample.cls is optimizers.MultiOptimizer:
        pytest.skip("it moves without a rate, or has none")
    step = compile_function(lambda a, b: optimizer.apply([a, b], variables), interpret=True)
    grads = [np.ones((2, 2), "float32"), np.ones(3, "float32")]
    step.run(*grads)
    optimizer.learning_rate = 0.0
    before = [variable.numpy() for variable in variables]
    step.run(*grads)
    moved = "momentum" in sample.arguments
    for variable, value in zip(variables, before, strict=True):
        assert moved or (variable.numpy() == value).all()
    assert float(np.asarray(optimizer.learning_rate)) == 0.0


@each
def test_config_round_trip(sample):
    optimizer = sample.make(name="here", **({} if sample.wraps else {"clipnorm": 1.0}))
    text = json.dumps(optimizers.serialize(optimizer))
    again = optimizers.deserialize(json.loads(text))
    assert type(again) is type(optimizer)
    assert json.dumps(optimizers.serialize(again)) == text
    if not sample.wraps:
        assert type(optimizers.get(sample.cls.__name__.lower())) is sample.cls
