"""docs/compatibility.md says what the package has and has not."""

import doctest
import json
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS))  # the program is no module of the package

import compatibility  # noqa: E402

sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def recorded():
    return json.loads(compatibility.RECORDING.read_text())


@pytest.fixture(scope="module")
def modules(recorded):
    return compatibility.compare_all(recorded)


def test_the_page_is_up_to_date(modules, recorded):
    page = compatibility.write(modules, recorded)
    assert page == compatibility.PAGE.read_text(), "run `python docs/compatibility.py`"


def test_no_reason_is_given_for_a_name_that_exists(modules, recorded):
    idle = list(compatibility.idle_reasons(modules, recorded))
    assert idle == [], "take them out of layerkit/missing_names.py and run `python docs/compatibility.py`"


def test_an_idle_reason_is_found(modules, recorded):
    idle = list(compatibility.idle_reasons(modules, recorded, {"keras.layers.Dense": "?", "keras.layers.Nothing": "?"}))
    assert idle == [
        "keras.layers.Dense: layerkit has keras.layers.Dense",
        "keras.layers.Nothing: no missing name of Keras",
    ]


def test_the_example_runs():
    assert doctest.testmod(compatibility) == (0, 3)


def test_a_module_by_the_name_of_a_function_is_not_that_function():
    recorded = {"modules": {"keras.layers": {"Dense": ["units"], "reshaping": ["x"]}}}
    assert [module.missing for module in compatibility.compare_all(recorded)] == [["reshaping"]]


def test_listing_prints_missing_names_only(modules, capsys):
    assert compatibility.main(["--missing", "keras.ops"]) == 0
    (asked,) = [module for module in modules if module.name == "keras.ops"]
    assert capsys.readouterr().out.split() == asked.missing
    with pytest.raises(SystemExit):
        compatibility.main(["--missing", "keras.nothing"])


def test_checking_writes_nothing_and_fails_with_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(compatibility, "PAGE", tmp_path / "page.md")
    assert compatibility.main(["--check"]) == 1
    assert "run `python docs/compatibility.py`" in capsys.readouterr().err
    assert compatibility.main([]) == 0
    assert compatibility.main(["--check"]) == 0


@pytest.mark.parametrize(
    ("listed", "own", "found"),
    [
        (["x", "axis=-1"], lambda x, axis=-1, keepdims=False: 0, []),
        (["x", "axis=None"], lambda x, axis=-1: 0, ["the default of `axis` is -1, not None"]),
        (["x", "size=(2, 2)"], lambda x, size=2: 0, []),
        (["x", "flag=True"], lambda x, flag=1: 0, ["the default of `flag` is 1, not True"]),
        (["x", "y"], lambda y, x: 0, ["the order is (y, x), not (x, y)"]),
        (["x", "y=0"], lambda x, more=1, y=0: 0, ["`more` stands among Keras' arguments"]),
        (["x", "(kw)y=0"], lambda x, z, y=0: 0, ["`z` has to be given"]),
        (["x", "y=0"], lambda x, *, y=0: 0, ["`y` by name only"]),
        (["x"], lambda x, /: 0, ["`x` by place only"]),
        (["x", "*more", "**options"], lambda x: 0, ["no `*`", "no `**`"]),
        (["*args", "**kwargs"], lambda x: 0, []),
    ],
)
def test_signatures_are_compared(listed, own, found):
    assert compatibility.signature_differences(listed, compatibility.own_parameters(own)) == found


def test_options_of_a_constructor_are_those_of_its_base():
    class Base:
        def __init__(self, *, name=None, **options):
            pass

    class Own(Base):
        def __init__(self, rate=0.1, **options):
            super().__init__(**options)

    parameters = compatibility.constructor_or_function(Own)
    assert compatibility.signature_differences(["rate=0.1", "(kw)name=None"], parameters) == []
