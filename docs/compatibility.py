"""Write docs/compatibility.md: Keras' public names and signatures (docs/keras_api.json) against layerkit's.

python docs/compatibility.py                      write the page
python docs/compatibility.py --check              fail if the page is not what would be written
python docs/compatibility.py --missing keras.ops  print the names of a module that layerkit has not
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))  # the package next to this folder, not an installed one
from layerkit.missing_names import REASONS, reason_of  # noqa: E402

PAGE, RECORDING = (FOLDER / name for name in ("compatibility.md", "keras_api.json"))
INTRODUCTION = """\
# Compatibility with Keras {version}

Written by `python docs/compatibility.py`, which compares the public names and signatures of Keras {version}
with those of layerkit, as they are imported. Do not edit it; tests/test_compatibility.py compares it with the package.
What behaves differently under the same name is told in [differences](guide/differences.md).

A signature differs where a call that is valid for Keras would not be for layerkit, or would mean something else: an
argument is missing, stands in another place, or has another default. Arguments that layerkit has in addition, after
Keras', do not count, and 1 is as good a default as (1, 1) where a number stands for all axes.
"""
NO_REASON = "Not there yet"


# Names


@dataclass
class Module:
    """Keras' names of a module, or the methods of a class, against layerkit's."""

    name: str
    total: int = 0
    missing: list[str] = field(default_factory=list)
    differences: dict[str, list[str]] = field(default_factory=dict)


def compare_all(recorded: dict) -> list[Module]:
    """All modules of the recording, and the classes whose methods it has."""
    compared = []
    for module, names in recorded["modules"].items():
        own = find(module)
        here = Module(module, len(names))
        classes = []
        for name, entry in names.items():
            thing = getattr(own, name, None)
            if not callable(thing):  # a module may have the name too
                here.missing.append(name)
                continue
            listed = entry["init"] if isinstance(entry, dict) else entry
            if isinstance(entry, dict):  # what goes to the base is compared by its name
                listed = [one for one in listed if not one.startswith("*")]
            found = signature_differences(listed, constructor_or_function(thing)) if listed else []
            if found:
                here.differences[name] = found
            if isinstance(entry, dict) and "methods" in entry:
                classes.append(compare_methods(f"{module}.{name}", entry["methods"], thing))
        compared += [here, *classes]
    return [one for one in compared if one.total]


def compare_methods(name: str, methods: dict[str, list[str]], cls: type) -> Module:
    """The methods of a class."""
    here = Module(name, len(methods))
    for method, listed in methods.items():
        own = getattr(cls, method, None)
        if own is None:
            here.missing.append(method)
        elif found := signature_differences(
            listed, drop_first(own) if inspect.isfunction(own) else own_parameters(own)
        ):
            here.differences[method] = found
    return here


def find(name: str) -> object | None:
    """The module of layerkit for one of Keras'."""
    try:
        return importlib.import_module(name.replace("keras", "layerkit", 1))
    except ModuleNotFoundError:
        return None


# Signatures

REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def own_parameters(function: Callable) -> list[inspect.Parameter]:
    """The parameters of a function of layerkit."""
    return list(inspect.signature(function).parameters.values())


def drop_first(function: Callable) -> list[inspect.Parameter]:
    """The parameters of a method without `self`."""
    return own_parameters(function)[1:]


def constructor_or_function(thing: Callable) -> list[inspect.Parameter]:
    """The parameters of a call of a function or a class; `**kwargs` of a constructor are those of its base's."""
    if not inspect.isclass(thing):
        return own_parameters(thing)
    parameters: list[inspect.Parameter] = []
    for base in thing.__mro__:
        if "__init__" not in vars(base):
            continue
        names = {one.name for one in parameters}
        rest = [one for one in drop_first(base.__init__) if one.name not in names]
        named = [one for one in rest if one.kind not in REST]
        if parameters:  # they go through **kwargs, by name; what the base has to be given, the class gives it itself
            named = [one.replace(kind=one.KEYWORD_ONLY) for one in named if one.default is not one.empty]
        parameters += named
        if len(named) == len(rest):
            break
    return parameters


def signature_differences(listed: list[str], own: list[inspect.Parameter]) -> list[str]:
    """What is wrong with layerkit's parameters for calls that Keras takes, in words.

    >>> own = own_parameters(lambda x, axis=-1, keepdims=False: x)
    >>> signature_differences(["x", "axis=-1"], own)
    []
    >>> signature_differences(["x", "axis=None", "where=None"], own)
    ['the default of `axis` is -1, not None', 'no `where`']
    """
    if set(listed) <= {"*args", "**kwargs"}:
        return []
    by_name = {one.name: one for one in own if one.kind not in REST}
    named = [one for one in listed if not one.startswith("*")]
    names = [one.removeprefix("(kw)").partition("=")[0] for one in named]
    found = []
    for name, one in zip(names, named, strict=True):
        if name not in by_name:
            found.append(f"no `{name}`")
        else:
            found += default_difference(name, one.partition("=")[2], by_name[name])
    by_place = [name for name, one in zip(names, named, strict=True) if not one.startswith("(kw)")]
    found += place_differences([name for name in by_place if name in by_name], own)
    found += [f"no `{one}`" for one in ("*", "**") if has_rest(listed, one) and not takes_rest(own, one)]
    needed = [n for n, one in by_name.items() if one.default is one.empty and n not in names]
    if not has_rest(listed, "*"):
        found += [f"`{name}` has to be given" for name in needed]
    return found


def has_rest(listed: list[str], stars: str) -> bool:
    """Whether Keras takes any arguments by place ("*") or by name ("**")."""
    return any(one.startswith(stars) and not one.startswith(f"{stars}*") for one in listed)


def takes_rest(own: list[inspect.Parameter], stars: str) -> bool:
    """Whether layerkit does."""
    return any(one.kind == (one.VAR_POSITIONAL if stars == "*" else one.VAR_KEYWORD) for one in own)


def default_difference(name: str, text: str, own: inspect.Parameter) -> list[str]:
    """A default against Keras', of which the text is known ("" for none)."""
    if not text:
        return []  # one that Keras has not is extra
    if own.default is own.empty:
        return [f"`{name}` has to be given, not {text}"]
    given = own.default.__name__ if callable(own.default) else repr(own.default)
    return [] if same_value(given, text) else [f"the default of `{name}` is {given}, not {text}"]


def same_value(a: str, b: str) -> bool:
    """Whether two defaults mean the same: 1 and 1.0 do, a list and a tuple, and 1 and (1, 1), a size for each axis."""
    if a == b:
        return True
    try:
        x, y = ast.literal_eval(a), ast.literal_eval(b)
    except (ValueError, SyntaxError):
        return False
    if isinstance(x, list | tuple) and isinstance(y, list | tuple):
        return list(x) == list(y)
    if isinstance(x, int) and isinstance(y, tuple):
        return {x} == set(y)
    return x == y and isinstance(x, bool) == isinstance(y, bool)


def place_differences(names: list[str], own: list[inspect.Parameter]) -> list[str]:
    """Where arguments that Keras takes by place, in this order, are not taken so."""
    places = [one.name for one in own if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    found = [f"`{name}` by name only" for name in names if name not in places]
    both = [name for name in names if name in places]
    kept = [name for name in places if name in both]
    if kept != both:
        return [*found, f"the order is ({', '.join(kept)}), not ({', '.join(both)})"]
    until = max((places.index(name) for name in both), default=0)
    extra = [name for name in places[:until] if name not in both]
    found += [f"`{name}` stands among Keras' arguments" for name in extra]
    unnamed = {one.name for one in own if one.kind == one.POSITIONAL_ONLY}
    return found + [f"`{name}` by place only" for name in names if name in unnamed]


# Reasons


def told_reason(name: str) -> str:
    """Why a name is missing, as the package says it to who asks for it."""
    reason = reason_of(name)
    return NO_REASON if reason is None else f"{reason[:1].upper()}{reason[1:]}"


def idle_reasons(modules: list[Module], recorded: dict, reasons: dict[str, str] = REASONS) -> Iterator[str]:
    """Patterns that match a name that is there, or no name of Keras, with that said."""
    missing = {f"{module.name}.{name}" for module in modules for name in module.missing}
    missing |= {module.name for module in modules if len(module.missing) == module.total}
    known = missing | {f"{module}.{name}" for module, names in recorded["modules"].items() for name in names}
    for pattern in reasons:
        matched = fnmatch.filter(known, pattern)
        if not matched:
            yield f"{pattern}: no missing name of Keras"
        yield from (f"{pattern}: layerkit has {name}" for name in sorted(set(matched) - missing))


# The page


def table(modules: list[Module]) -> Iterator[str]:
    """A row for each module."""
    yield "| module or class | Keras' names | there | missing | other signatures |"
    yield "|---|---:|---:|---:|---:|"
    total = Module("all", 0)
    for module in modules:
        yield row(module)
        total.total += module.total
        total.missing += module.missing
        total.differences |= {f"{module.name}.{name}": one for name, one in module.differences.items()}
    yield row(total)


def row(module: Module) -> str:
    """Its row in the table."""
    missing = len(module.missing)
    numbers = (module.total, module.total - missing, missing, len(module.differences))
    return f"| {module.name} | {' | '.join(map(str, numbers))} |"


def missing_names(modules: list[Module]) -> Iterator[str]:
    """The missing names by reason: the modules of which all are, then those of the others, module by module."""
    whole = [module for module in modules if len(module.missing) == module.total]
    yield "### Whole modules\n"
    yield from by_reason({module.name: told_reason(f"{module.name}.") for module in whole})
    for module in modules:
        if module.missing and module not in whole:
            yield f"### {module.name}\n"
            yield from by_reason({name: told_reason(f"{module.name}.{name}") for name in module.missing})


def by_reason(names: dict[str, str]) -> Iterator[str]:
    """An item for each reason, with its names; those without one last."""
    for reason in sorted(set(names.values()), key=lambda reason: (reason == NO_REASON, reason)):
        yield f"- {reason}: {', '.join(f'`{name}`' for name in names if names[name] == reason)}."
    yield ""


def other_signatures(modules: list[Module]) -> Iterator[str]:
    """What differs in the signatures of each module."""
    for module in modules:
        if module.differences:
            yield f"### Signatures of {module.name}\n"
            texts = {name: "; ".join(found) for name, found in module.differences.items()}
            for text in dict.fromkeys(texts.values()):
                yield f"- {', '.join(f'`{name}`' for name in texts if texts[name] == text)}: {text}."
            yield ""


def write(modules: list[Module], recorded: dict) -> str:
    """The page."""
    parts = [INTRODUCTION.format(version=recorded["version"]), *table(modules)]
    parts += ["\n## Missing names\n", *missing_names(modules)]
    differences = list(other_signatures(modules))
    parts += ["## Other signatures\n", *differences] if differences else ["No signature differs.\n"]
    return "\n".join(parts).rstrip() + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write, check or list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the page is up to date")
    parser.add_argument("--missing", metavar="MODULE", help="print the missing names of a module of Keras")
    options = parser.parse_args(arguments)
    recorded = json.loads(RECORDING.read_text())
    modules = compare_all(recorded)
    if options.missing:
        asked = [module for module in modules if module.name == options.missing]
        if not asked:
            parser.error(f"Keras has no module {options.missing}; it has {', '.join(m.name for m in modules)}")
        print(*asked[0].missing, sep="\n")
        return 0
    page = write(modules, recorded)
    if not options.check:
        PAGE.write_text(page)
        return 0
    if PAGE.exists() and PAGE.read_text() == page:
        return 0
    print(f"{PAGE.name} is not up to date: run `python docs/compatibility.py`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
