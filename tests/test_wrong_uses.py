"""What people read after a wrong use: the layer (or loss, metric, optimizer), the argument, what it got and expects.

A row is what is done wrong, the exception, and parts of its text with its notes. Constructors name the whole call,
calls name the layer by its path, whether they are eager, symbolic or in `fit`.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable

import pytest

from layerkit import layers, ops
from layerkit.errors import ShapeError
from layerkit.layers import Dense, Input
from layerkit.models import Sequential
from tests.wrong_uses import layer_rows, model_rows, optimizer_rows, range_rows
from tests.wrong_uses.model_rows import fit, net
from tests.wrong_uses.rows import f

WRONG_USES = [*layer_rows.ROWS, *optimizer_rows.ROWS, *model_rows.ROWS, *range_rows.ROWS]
NAMES = [f"{at}-{row[1].__name__}" for at, row in enumerate(WRONG_USES)]


def text_of(error: BaseException) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


@pytest.mark.parametrize(("use", "kind", "parts"), WRONG_USES, ids=NAMES)
def test_says_where_what_and_what_is_expected(use: Callable, kind: type[BaseException], parts: tuple[str, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error" if kind is UserWarning else "ignore")
        with pytest.raises(kind) as caught:
            use()
    text = text_of(caught.value)
    missing = [part for part in parts if part not in text]
    assert not missing, f"{inspect.getsource(use) if use.__name__ == '<lambda>' else use}: {missing} not in:\n{text}"


def test_weights_of_another_architecture(tmp_path: object) -> None:
    other = Sequential([Input((4,)), Dense(5, name="head")], name="net")
    other.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ValueError) as caught:
        net().load_weights(tmp_path / "w.weights.h5")
    for part in ("'head'", "'kernel'", "(4, 3)", "(4, 5)", "skip_mismatch"):
        assert part in str(caught.value)


def test_files_that_are_none(tmp_path: object) -> None:
    wrong = tmp_path / "wrong.weights.h5"
    wrong.write_text("hello")
    with pytest.raises(ValueError, match=r"wrong.weights.h5.*not an HDF5 file.*hello"):
        net().load_weights(wrong)
    with pytest.raises(OSError, match="none.weights.h5"):
        net().load_weights(tmp_path / "none.weights.h5")
    with pytest.raises(ValueError, match=r"\.weights\.h5.*m\.txt"):
        net().save_weights(tmp_path / "m.txt")


def test_paths_in_all_ways_to_call() -> None:
    """A layer in a layer in a model says its whole path eagerly, on symbolic tensors and in a compiled step."""

    class Block(layers.Layer):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)
            self.inner = Dense(2, name="inner")

        def call(self, x: object) -> object:
            return self.inner(x) + ops.ones((2, 5))

    def made() -> Sequential:
        model = Sequential([Block(name="block")], name="outer")
        model.compile("sgd", "mse")
        return model

    for use in (lambda: made()(f(2, 3)), lambda: made()(Input((3,))), lambda: fit(made(), f(2, 3), f(2, 2))):
        with pytest.raises(ShapeError) as caught:
            use()
        assert "block" in text_of(caught.value) and "outer" in text_of(caught.value)
