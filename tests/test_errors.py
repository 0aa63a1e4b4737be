import pytest

from layerkit import errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.ShapeError, ValueError),
        (errors.DtypeError, TypeError),
        (errors.UnknownNameError, ValueError),
        (errors.NotBuiltError, ValueError),
        (errors.NotCompiledError, ValueError),
        (errors.GraphError, ValueError),
    ],
)
def test_every_error_is_the_builtin_kind_that_keras_raises(error, builtin):
    assert issubclass(error, builtin)


def test_unknown_name_proposes_the_nearest_names():
    error = errors.unknown_name("optimizer", "AdmW", ["sgd", "adam", "AdamW"])
    assert isinstance(error, errors.UnknownNameError)
    assert str(error).startswith("Unknown optimizer 'AdmW'. Did you mean 'AdamW'")
    assert str(error).endswith("Known names: AdamW, adam, sgd.")


def test_unknown_name_without_a_near_one():
    assert str(errors.unknown_name("loss", "zzz", ["mse"])) == "Unknown loss 'zzz'. Known names: mse."


def test_unknown_name_of_the_wrong_type_and_of_an_empty_registry():
    assert str(errors.unknown_name("loss", 3, [])) == (
        "Unknown loss 3. Expected a name (str), got int. None is registered."
    )


def test_unknown_name_lists_a_bounded_number_of_names():
    text = str(errors.unknown_name("op", "x", [f"name_{i:02}" for i in range(30)]))
    assert text.endswith("name_19, ... (30 in all).")


def test_the_innermost_layer_is_noted_once():
    error = ValueError("bad")
    assert errors.add_layer_path(error, "model/dense") is error
    errors.add_layer_path(error, "model")
    assert error.__notes__ == ["In layer 'model/dense'."]
