"""Files of weights looked at and edited, without a model."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from layerkit.saving.errors import SavedFileError
from layerkit.saving.hdf5_reading import Group, open_hdf5
from layerkit.saving.hdf5_writing import new_hdf5, write_array
from layerkit.saving.inspection import file_format
from layerkit.saving.json_text import LARGEST, parse_json
from layerkit.saving.weights_h5 import saveables

_VARS = "vars"
_DEEPEST = 64
_MOST_EXPANSION = 100  # Keras stores weights in archives uncompressed; what claims more than this is refused
_SMALL = 1 << 20  # bytes; below this an archive may claim what it likes
_RULE = "─" * 21

Tree = dict[str, Any]
"""Objects by their names; in them their weights by theirs ("0", "1", ...): arrays."""


class KerasFileEditor:
    """A file of weights to look at, compare with a model, edit, and save under another name.

    Objects are layers, the optimizer, and what holds some of them; their paths are like "layers/dense_2".

    Args:
        filepath: a `.weights.h5` file of layerkit or Keras 3, or a `.keras` archive of Keras 3.

    Attributes:
        weights_dict: the content: dictionaries of objects, at whose ends are arrays.
        object_metadata: "/path" of an object -> {"name": its own name}.
        config: of an archive, the model's configuration; None for others.
        metadata: of an archive, with which version of Keras it was saved, and when; None for others.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it has another ending.
        SavedFileError: it is damaged, of another layout, or holds what is not read (links, data in other files).

    >>> editor = KerasFileEditor("model.weights.h5")  # doctest: +SKIP
    >>> editor.rename_object("dense_2", "head")  # doctest: +SKIP
    >>> editor.save("edited.weights.h5")  # doctest: +SKIP
    """

    def __init__(self, filepath: str | os.PathLike) -> None:
        self.filepath = os.fspath(filepath)
        self.metadata: dict[str, Any] | None = None
        self.config: dict[str, Any] | None = None
        self.model = None
        self.object_metadata: dict[str, dict[str, str]] = {}
        if self.filepath.endswith(".keras"):
            with _archive(self.filepath) as archive:
                self.config = parse_json(_member_text(archive, "config.json"), f"The config of {self.filepath!r}")
                self.metadata = parse_json(_member_text(archive, "metadata.json"), f"Metadata of {self.filepath!r}")
                with _weights_of(archive) as root:
                    self.weights_dict = self._read(root)
        elif self.filepath.endswith(".weights.h5"):
            with open_hdf5(self.filepath) as root:
                self.weights_dict = self._read(root)
        else:
            raise ValueError(
                f"Invalid filename: expected a `.keras` `.weights.h5` extension. Received: filepath={self.filepath}"
            )
        print(f"Keras model file '{self.filepath}'")
        if self.metadata is not None:
            version, date = (self.metadata.get(name) for name in ("keras_version", "date_saved"))
            print(f"Saved with Keras {version} - date: {date}")

    def _read(self, root: Group) -> Tree:
        if file_format(root) != "weights":
            raise SavedFileError(
                f"{self.filepath!r} is no `.weights.h5` file of Keras 3: it holds {root.names()[:10]}. Load a legacy "
                "file into its model, and save that by `save_weights`."
            )
        return self._read_object(root, "", 0)

    def _read_object(self, group: Group, path: str, depth: int) -> Tree:
        """Weights and objects of a group; objects without any weights are left out."""
        if depth > _DEEPEST:
            raise SavedFileError(f"Cannot load {self.filepath!r}: at {path!r}: groups lie more than {_DEEPEST} deep.")
        tree: Tree = {}
        for name in group.names():
            if name != _VARS:
                below = self._read_object(group.group(name), f"{path}/{name}", depth + 1)
                if below:
                    tree[name] = below
                continue
            own = group.group(_VARS)
            tree.update({number: own.array(number).read() for number in own.names()})
            called = own.text("name")
            if called is not None:
                self.object_metadata[path] = {"name": called}
        return tree

    def summary(self) -> None:
        """Print the objects and the shapes of their weights."""
        print("Weights structure")
        for line in self._lines(self.weights_dict, "  ", "", is_top=True):
            print(line)

    def _lines(self, tree: Tree, indent: str, path: str, is_top: bool = False) -> Iterator[str]:
        for number, (name, value) in enumerate(tree.items()):
            is_last = number == len(tree) - 1
            start = f"{indent}{'> ' if is_top and number == 0 else '└─ ' if is_last else '├─ '}{name}"
            if not isinstance(value, dict):
                yield f"{start}: shape={np.shape(value)}, dtype={np.asarray(value).dtype}"
                continue
            called = self.object_metadata.get(f"{path}/{name}", {}).get("name")
            yield start if called is None else f"{start} ('{called}')"
            yield from self._lines(value, indent + ("    " if is_last else "│   "), f"{path}/{name}")

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print where the file and a model differ in objects, weights and shapes.

        Returns:
            "status": "success" or "error", "error_count": how many differences, "match_count": how many weights fit.
        """
        print("Running comparison")
        matches, differences = _compare(self.weights_dict, _weights_of_model(reference_model), "")
        for line in differences:
            print(line)
        print(_RULE)
        count = sum(line.startswith("...") for line in differences)
        if count == 0:
            print("Comparison successful: saved file is compatible with the reference model")
            print(f"    Found {matches} matching weight{'s' * (matches != 1)}")
        else:
            print(f"Found {count} error{'s' * (count != 1)}: saved file is not compatible with the reference model")
        return {"status": "error" if count else "success", "error_count": count, "match_count": matches}

    # Editing

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Give an object another name.

        Args:
            object_name: its path, or its name where no other object has it.
            new_name: the new name, without a path.

        Raises ValueError: the object is not there or the name is not unique, or the new name is taken or a path.
        """
        if "/" in new_name:
            raise ValueError(
                "Argument `target_name` should be a leaf name, not a full path name. "
                f"Received: target_name='{new_name}'"
            )
        _check_name(new_name)
        parent, path = self._find(object_name)
        if new_name in parent:
            raise ValueError(f"'{new_name}' is there already, beside '{object_name}': delete or rename it first.")
        above, _, name = path.rpartition("/")
        parent[new_name] = parent.pop(name)
        moved = {f"{above}/{new_name}{place.removeprefix(path)}": self.object_metadata.pop(place)
                 for place in self._places_of(path)}  # fmt: skip
        self.object_metadata.update(moved)

    def delete_object(self, object_name: str) -> None:
        """Take an object and all below it out, by its path, or by its name where no other object has it.

        Raises ValueError: it is not there, or its name is not unique.
        """
        parent, path = self._find(object_name)
        del parent[path.rpartition("/")[2]]
        for place in self._places_of(path):
            del self.object_metadata[place]

    def add_object(self, object_path: str, weights: Mapping[str, Any]) -> None:
        """Add an object, or give one that is there other weights.

        Args:
            object_path: where, as "layers/dense_2".
            weights: names, usually "0", "1" and so on, and arrays.

        Raises ValueError: what it should lie in is not there, or the weights are not a dictionary of arrays.
        """
        checked = _checked(weights)
        above, _, name = object_path.rpartition("/")
        _check_name(name)
        parent = self.weights_dict
        for part in above.split("/") if above else ():
            if not isinstance(parent.get(part), dict):
                raise ValueError(f"Path '{above}' not found in model.")
            parent = parent[part]
        parent[name] = checked

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Take a weight out of an object. Raises ValueError where one of them is not there."""
        found = self._object(object_name)
        if weight_name not in found:
            raise ValueError(f"Weight {weight_name} not found in object {object_name}. Weights found: {list(found)}")
        del found[weight_name]

    def add_weights(self, object_name: str, weights: Mapping[str, Any]) -> None:
        """Add weights to an object, or replace some. Raises ValueError as `add_object` does."""
        checked = _checked(weights)
        self._object(object_name).update(checked)

    def _object(self, object_name: str) -> Tree:
        parent, path = self._find(object_name)
        found = parent[path.rpartition("/")[2]]
        if not isinstance(found, dict):
            raise ValueError(f"'{object_name}' is a weight, not an object.")
        return found

    def _find(self, object_name: str) -> tuple[Tree, str]:
        """What an object lies in, and its "/path"."""
        if "/" in object_name:
            above, _, name = object_name.strip("/").rpartition("/")
            parent: Any = self.weights_dict
            for part in above.split("/") if above else ():
                parent = parent.get(part) if isinstance(parent, dict) else None
            if not isinstance(parent, dict) or name not in parent:
                raise ValueError(f"Path '{object_name}' not found in model.")
            return parent, f"/{object_name.strip('/')}"
        found = list(_places(self.weights_dict, object_name, ""))
        if len(found) > 1:
            raise ValueError(
                f"Name '{object_name}' occurs more than once in the model; try passing a complete path: "
                f"{', '.join(path for _, path in found[:10])}"
            )
        if not found:
            raise ValueError(
                f"Source name '{object_name}' does not appear in the model. Use `editor.summary()` to list all objects."
            )
        return found[0]

    def _places_of(self, path: str) -> list[str]:
        return [place for place in self.object_metadata if place == path or place.startswith(f"{path}/")]

    # Saving

    def save(self, filepath: str | os.PathLike) -> None:
        """Save what there is now. The file appears whole: at the path is the old file or the new one.

        Raises:
            ValueError: the ending is not `.weights.h5`.
            OSError: the file cannot be written; the old one is unchanged.
        """
        path = os.fspath(filepath)
        if not path.endswith(".weights.h5"):
            raise ValueError(
                f"Invalid `filepath` argument: expected a `.weights.h5` extension. Received: filepath={path}"
            )
        with new_hdf5(path) as file:
            file.create_group(_VARS)  # by which a model without a list of layers is known
            self._write_object(file, self.weights_dict, "")

    def resave_weights(self, filepath: str | os.PathLike) -> None:
        """The same as `save`."""
        self.save(filepath)

    def _write_object(self, group: Any, tree: Tree, path: str) -> None:
        for name, value in self.object_metadata.get(path, {}).items():
            group.require_group(_VARS).attrs[name] = value
        for name, value in tree.items():
            if not isinstance(value, dict):
                write_array(group.require_group(_VARS), name, np.asarray(value))
            elif value:
                self._write_object(group.create_group(name), value, f"{path}/{name}")


# Trees


def _checked(weights: Any) -> Tree:
    """Weights as arrays. Raises ValueError where they are not."""
    if not isinstance(weights, Mapping):
        raise ValueError(
            "Argument `weights` should be a dict where keys are weight names (usually '0', '1', etc.) and values are "
            f"NumPy arrays. Received: type(weights)={type(weights)}"
        )
    checked: Tree = {}
    for name, value in weights.items():
        _check_name(name)
        array = value if isinstance(value, Mapping) else np.asarray(value)
        if isinstance(array, np.ndarray) and array.dtype.kind not in "fiub":
            raise ValueError(f"Weight '{name}' should be an array of numbers. Received: dtype={array.dtype}")
        checked[name] = _checked(array) if isinstance(array, Mapping) else array
    return checked


def _check_name(name: Any) -> None:
    if not isinstance(name, str) or not name or "/" in name or name in (".", "..", _VARS):
        raise ValueError(f"A name of an object or a weight is a text without '/', not '{_VARS}'. Received: {name!r}")


def _places(tree: Tree, name: str, path: str) -> Iterator[tuple[Tree, str]]:
    """Everything of a name: what it lies in, and its path."""
    if name in tree:
        yield tree, f"{path}/{name}"
    for below, value in tree.items():
        if isinstance(value, dict):
            yield from _places(value, name, f"{path}/{below}")


def _weights_of_model(model: Any) -> Tree:
    """The tree of a model's own weights, by the paths at which a file has them."""
    tree: Tree = {}
    for path, thing in saveables(model):
        store: Tree = {}
        thing.save_own_variables(store)
        if store:
            place = tree
            for part in path.split("/") if path else ():
                place = place.setdefault(part, {})
            place.update({str(name): store[name] for name in sorted(store)})
    return tree


def _compare(saved: Tree, reference: Tree, path: str) -> tuple[int, list[str]]:
    """How many weights fit, and lines about what differs; each difference's first line begins with dots."""
    matches, lines = 0, []
    for name, expected in reference.items():
        here = f"{path}/{name}"
        if name not in saved:
            lines += _missing(here, expected, "reference model", "saved file")
        elif isinstance(expected, dict) and isinstance(saved[name], dict):
            below, further = _compare(saved[name], expected, here)
            matches += below
            lines += further
        elif isinstance(expected, dict) or isinstance(saved[name], dict):
            lines.append(f"...{here} is an object on one side and a weight on the other")
        elif np.shape(saved[name]) != np.shape(expected):
            lines += [
                f"...Weight shape mismatch for {here}",
                f"    In reference model: shape={np.shape(expected)}",
                f"    In saved file: shape={np.shape(saved[name])}",
            ]
        else:
            matches += 1
    for name in saved:
        if name not in reference:
            lines += _missing(f"{path}/{name}", saved[name], "saved file", "reference model")
    return matches, lines


def _missing(path: str, value: Any, there: str, elsewhere: str) -> list[str]:
    kind = "Object" if isinstance(value, dict) else "Weight"
    lines = [f"...{kind} {path} present in {there}, missing from {elsewhere}"]
    if isinstance(value, dict):
        lines.append(f"    In {there}, {path} contains the following keys: {list(value)}")
    return lines


# Archives


@contextmanager
def _archive(path: str) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except OSError:
        raise
    except Exception as error:  # what is damaged may fail to parse in any way
        raise _damaged(path, error) from error
    with archive:
        try:
            yield archive
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise _damaged(path, error) from error


def _damaged(path: str, error: Exception) -> SavedFileError:
    return SavedFileError(f"Cannot load {path!r}: the archive is damaged ({type(error).__name__}: {error}).")


def _member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    if name not in archive.namelist():
        raise SavedFileError(
            f"Cannot load {archive.filename!r}: it has no {name}, but {archive.namelist()[:10]}. (Weights in several "
            "files, or in another format than HDF5, are not read.)"
        )
    member = archive.getinfo(name)
    if member.flag_bits & 1:
        raise SavedFileError(f"Cannot load {archive.filename!r}: {name} is encrypted.")
    if member.file_size > max(_SMALL, _MOST_EXPANSION * member.compress_size):
        raise SavedFileError(
            f"Cannot load {archive.filename!r}: {name} claims {member.file_size} bytes, but only "
            f"{member.compress_size} are stored."
        )
    return member


def _member_text(archive: zipfile.ZipFile, name: str) -> str:
    member = _member(archive, name)
    if member.file_size > LARGEST:
        raise SavedFileError(f"Cannot load {archive.filename!r}: {name} has more than {LARGEST} bytes.")
    try:
        return archive.read(member).decode()
    except UnicodeDecodeError as error:
        raise SavedFileError(f"Cannot load {archive.filename!r}: {name} is not text ({error}).") from error


@contextmanager
def _weights_of(archive: zipfile.ZipFile) -> Iterator[Group]:
    """The root of the weights in an archive, which HDF5 reads from a file of their own."""
    member = _member(archive, "model.weights.h5")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.weights.h5")
        with archive.open(member) as source, open(path, "wb") as target:
            shutil.copyfileobj(source, target)
        with open_hdf5(path, shown=f"{archive.filename}/{member.filename}") as root:
            yield root
