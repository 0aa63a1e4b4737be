"""The gradient by a tape on eager arrays is that of the traced graph, for every row of an operation."""

from __future__ import annotations

import numpy as np
import pytest

import layerkit
from layerkit import ops
from layerkit.dtypes import is_float
from layerkit.graph.interpreter import Interpreter
from layerkit.graph.tensor import Tensor
from tests.laws.test_operations import gradient_graph, outputs_of, weights_of
from tests.samples.operations import SAMPLES, Sample

TOLERANCE = 1e-12


def float_inputs(sample: Sample) -> list[np.ndarray]:
    return [x.astype("float64") if x.dtype.kind == "f" else x for x in sample.inputs("float64")]


def gradients_by_tape(sample: Sample, arrays: list[np.ndarray]) -> list[np.ndarray]:
    tensors = [Tensor.of(array) for array in arrays]
    watched = [x for x in tensors if is_float(x.dtype)]
    with layerkit.GradientTape() as tape:
        tape.watch(watched)
        y = [one for one in outputs_of(sample.operation, tensors) if is_float(one.dtype)]
        weighted = [ops.sum(one * weights_of(one.shape, one.dtype, at)) for at, one in enumerate(y)]
        total = ops.sum(ops.stack(weighted)) if weighted else None
    if total is None or not watched:
        return [np.zeros_like(x.numpy()) for x in watched]
    found = tape.gradient(total, watched)
    return [np.zeros_like(x.numpy()) if g is None else g.numpy() for x, g in zip(watched, found, strict=True)]


ROWS = [sample for sample in SAMPLES if sample.exact]


@pytest.mark.parametrize("sample", ROWS, ids=str)
def test_the_tape_gives_the_traced_gradient(sample: Sample):
    arrays = float_inputs(sample)
    traced = Interpreter(gradient_graph(lambda *x: outputs_of(sample.operation, x), arrays)).run(arrays)
    taped = gradients_by_tape(sample, arrays)
    assert len(taped) == len(traced)
    for found, expected in zip(taped, traced, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
