"""Saving models and weights, and loading them: the functions that choose the format by the file's name."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from layerkit import optimizers
from layerkit.errors import UnknownNameError, refuse_unknown
from layerkit.saving import legacy_h5, weights_h5
from layerkit.saving.atomic import may_write
from layerkit.saving.errors import SavedFileError
from layerkit.saving.hdf5_reading import Group, open_hdf5
from layerkit.saving.hdf5_writing import new_hdf5
from layerkit.saving.inspection import file_format
from layerkit.saving.json_text import parse_json
from layerkit.saving.legacy_config import build_model, compile_config
from layerkit.saving.matching import Matching
from layerkit.serialization import custom_object_scope

_LEGACY = (".h5", ".hdf5")
_WEIGHTS = ".weights.h5"
_SHARDED = ".weights.json"


def save_model(
    model: Any,
    filepath: str | os.PathLike,
    overwrite: bool = True,
    zipped: bool | None = None,
    include_optimizer: bool = True,
    **kwargs: Any,
) -> None:
    """Save a model: architecture, weights, what `compile` was given, the states of optimizer and random generators.

    The file appears whole: whatever happens meanwhile, at the path is the old file or the new one.

    Args:
        model: a model that is built.
        filepath: ends in `.h5` or `.hdf5`.
        overwrite: False asks before a file is replaced, or raises where nobody can be asked.
        zipped: of Keras' `.keras` format; None here.
        include_optimizer: whether what `compile` was given and the optimizer's state are saved.
        **kwargs: `save_format`, of Keras 2, has no use beside the name's ending: a warning says so.

    Raises:
        TypeError: there are other arguments.
        ValueError: the ending is another one, or the model is not built.
        FileExistsError: the file exists, overwrite is False, and there is nobody to ask.
        OSError: the file cannot be written; the old one is unchanged.

    >>> save_model(model, "model.h5")  # doctest: +SKIP
    """
    path = _text(filepath)
    save_format = kwargs.pop("save_format", None)
    refuse_unknown("save_model", kwargs)
    if save_format:
        warnings.warn(
            f"save_model: `save_format` is deprecated and not used, the file's ending says the format: {path}. "
            f"Received: save_format={save_format!r}",
            stacklevel=2,
        )
    if path.endswith(_WEIGHTS):
        raise ValueError(
            f"`.weights.h5` files hold weights only: use `save_weights`, or another name. Received: {path}"
        )
    if not path.endswith(_LEGACY):
        raise _unknown_ending(path, "Models are saved to `.h5` or `.hdf5` files, weights alone to `.weights.h5` files")
    if zipped is not None:
        raise ValueError(f"`zipped` is an option of the `.keras` format; it does nothing for {path!r}.")
    _check_built(model, "saving")
    if may_write(path, overwrite):
        with new_hdf5(path) as file:
            legacy_h5.write_model(file, model, include_optimizer)


def load_model(
    filepath: str | os.PathLike,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,  # noqa: A002
    safe_mode: bool = True,
) -> Any:
    """The model that `save_model` (or Keras) wrote; it predicts, and trains on, as the saved one did.

    No code in the file is run and nothing it names is imported: its classes are layerkit's, registered, or passed in.

    Args:
        filepath: an `.h5` or `.hdf5` file.
        custom_objects: name -> class or function, for what is neither layerkit's nor registered.
        compile: whether the model is compiled with what it was compiled with, and the optimizer's state is loaded.
        safe_mode: True; there is no other mode.

    Raises:
        FileNotFoundError: there is no such file.
        UnknownNameError: it names a class that is not known.
        SavedFileError: it is damaged, not safe, or does not fit together.

    >>> model = load_model("model.h5")  # doctest: +SKIP
    """
    path = _text(filepath)
    if path.endswith(_WEIGHTS):
        raise ValueError(f"{path!r} holds weights only, no model: make the model, then `model.load_weights({path!r})`.")
    if not path.endswith(_LEGACY):
        raise _unknown_ending(path, "Models are loaded from `.h5` and `.hdf5` files")
    with open_hdf5(path) as root:
        legacy_h5.check_version(root)
        return _model_of(root, custom_objects, compile, safe_mode)


def _model_of(root: Group, custom_objects: Mapping[str, Any] | None, compiled: bool, safe_mode: bool) -> Any:
    text = root.text("model_config")
    if text is None:
        raise SavedFileError(
            f"{root.file!r} has no model_config: it holds {_described(root)}. Make the model and use `load_weights`."
        )
    config = parse_json(text, f"The model_config of {root.file!r}")
    model = build_model(config, custom_objects, safe_mode, root.file)
    if not model.built and not model.weights:
        raise SavedFileError(
            f"The model of {root.file!r} cannot be built: the file does not say the shape of its input. Make the model "
            "in your program, build it, and use `load_weights`."
        )
    matching = Matching(root.file)
    legacy_h5.match_layers(root.group("model_weights"), model, matching)
    if compiled and _compile(root, model, custom_objects):
        legacy_h5.match_optimizer_weights(root, model, matching)
    legacy_h5.match_state(root, model, matching)
    matching.finish()
    return model


def _described(root: Group) -> str:
    return {"unknown": "nothing known", "legacy model": "weights"}.get(file_format(root), "weights")


def _compile(root: Group, model: Any, custom_objects: Mapping[str, Any] | None) -> bool:
    """Compile a model as the file says. Whether it does."""
    text = root.text("training_config")
    if text is None:
        return False
    parsed = parse_json(text, f"The training_config of {root.file!r}")
    config = compile_config(parsed, root.file, own=root.text("layerkit_version") is not None)
    try:
        with custom_object_scope(custom_objects or {}):
            built_for = legacy_h5.optimized_variables(root, model)
            if built_for is not None:
                config["optimizer"] = optimizers.deserialize(config["optimizer"])
                config["optimizer"].build(built_for)
            model.compile_from_config(config)
    except Exception as error:
        if isinstance(error, UnknownNameError | ValueError | TypeError | KeyError):
            error.add_note(
                f"While compiling the model of {root.file!r} as it was saved. load_model(..., compile=False) gives the "
                "model without that, to predict or to be compiled anew."
            )
        raise
    return True


def save_weights(
    model: Any,
    filepath: str | os.PathLike,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Save the weights of a model, and its optimizer's state if it is compiled, as Keras 3 does.

    Args:
        model: a model that is built.
        filepath: ends in `.weights.h5`. Another name that ends in `.h5` or `.hdf5` gives a file of Keras 2's layout:
            the layers' weights without the optimizer's state.
        overwrite: False asks before a file is replaced, or raises where nobody can be asked.
        max_shard_size: not supported; raises NotImplementedError. A file may have any size, and appears whole.
        **kwargs: `objects_to_skip`, layers (or the optimizer) that are left out, with all that is below them.

    Raises:
        TypeError: there are other arguments.
        ValueError: the ending is another one, the model is not built, or `objects_to_skip` is for the other layout.
        FileExistsError: the file exists, overwrite is False, and there is nobody to ask.
        OSError: the file cannot be written; the old one is unchanged.
    """
    path = _text(filepath)
    skipped = kwargs.pop("objects_to_skip", None) or ()
    refuse_unknown("save_weights", kwargs)
    if max_shard_size is not None:
        raise NotImplementedError(
            "save_weights doesn't support `max_shard_size`: several files could not appear all at once. Leave it out: "
            f"a `.weights.h5` file may have any size. Got max_shard_size={max_shard_size!r}."
        )
    if not path.endswith(_LEGACY):
        raise ValueError(f"The filename must end in `.weights.h5`. Received: filepath={path}")
    legacy = not path.endswith(_WEIGHTS)
    if legacy and skipped:
        raise ValueError(f"`objects_to_skip` is for `.weights.h5` files; {path!r} would be of another layout.")
    _check_built(model, "saving")
    if may_write(path, overwrite):
        with new_hdf5(path) as file:
            if legacy:
                legacy_h5.write_layers(file, model)
            else:
                weights_h5.write_weights(file, model, skipped)


def load_weights(
    model: Any, filepath: str | os.PathLike, skip_mismatch: bool = False, by_name: bool = False, **kwargs: Any
) -> None:
    """Give a model the weights in a file: a `.weights.h5`, or a legacy `.h5` of weights or a whole model.

    Args:
        model: a model that is built.
        filepath: the file; which layout it has is seen from its content.
        skip_mismatch: whether what does not fit is left as it is, with a warning.
        by_name: for legacy files, whether layers are matched by their names and not by their order.
        **kwargs: `objects_to_skip`, for `.weights.h5` files: layers (or the optimizer) that stay as they are, with all
            that is below them.

    Raises:
        TypeError: there are other arguments.
        FileNotFoundError: there is no such file.
        ValueError: the model is not built, or an argument is for files of another kind.
        SavedFileError: the file is damaged or does not fit; all misfits are listed and no weight has changed.
    """
    path = _text(filepath)
    skipped = kwargs.pop("objects_to_skip", None) or ()
    refuse_unknown("load_weights", kwargs)
    if path.endswith(_SHARDED):
        raise NotImplementedError(
            f"{path!r} lists weights in several files, which are not read. Load them in Keras and save them as one: "
            "`model.save_weights('name.weights.h5')`."
        )
    if not path.endswith(_LEGACY):
        raise _unknown_ending(path, "Weights are loaded from `.weights.h5`, `.h5` and `.hdf5` files")
    _check_built(model, "loading weights into")
    with open_hdf5(path) as root:
        matching = Matching(path, skip_mismatch)
        layout = file_format(root)
        if layout == "unknown":
            raise SavedFileError(f"{path!r} holds no weights of Keras or layerkit: at its root is {root.names()[:10]}.")
        if layout == "weights":
            if by_name:
                raise ValueError(f"`by_name` is for legacy `.h5` files; {path!r} has no names of layers to go by.")
            weights_h5.match_weights(root, model, matching, skipped)
        elif skipped:
            raise ValueError(f"`objects_to_skip` is for `.weights.h5` files; {path!r} is of another layout.")
        else:
            group = root.group("model_weights") if layout == "legacy model" else root
            legacy_h5.match_layers(group, model, matching, by_name)
        matching.finish()


def _text(filepath: str | os.PathLike) -> str:
    path = os.fspath(filepath)
    return path.decode() if isinstance(path, bytes) else path


def _check_built(model: Any, what: str) -> None:
    if not model.built:
        raise ValueError(
            f"You are {what} a model that has not yet been built: {model.name!r}. Build it first by calling it on some "
            "data or by using `build()`."
        )


def _unknown_ending(path: str, what: str) -> ValueError:
    known = " (The `.keras` format is not there yet.)" if path.endswith(".keras") else ""
    return ValueError(f"{what}. Received: filepath={path}{known}")
