"""Configurations: an object's constructor arguments, to and from Keras 3's JSON format.

Defining a class registers it, and its constructor's arguments are its config: `Configurable` notes them when an
instance is made, so no class needs a `get_config` of its own. Nothing that a file names is imported or run: a name is
looked up in the registries, among the registered classes, and among those passed in `custom_objects`.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType
from typing import Any, ClassVar, Self

import numpy as np

from layerkit.errors import UnknownNameError, note_constructor, refuse_unknown
from layerkit.registry import Registry, all_registries, registry, snake_case

_PACKAGE = __name__.partition(".")[0]
_FUNCTIONS = (FunctionType, BuiltinFunctionType, np.ufunc)
_registered: dict[str, Any] = {}  # "package>name" -> class or function
_registered_names: dict[Any, str] = {}
_local = threading.local()


class Configurable:
    """A class whose constructor arguments are its config.

    Class keywords:
        kind: the registry in which it and its subclasses stand; inherited.
        module: the module under which Keras exports it; inherited.
        aliases: further names for strings.
        registered: whether strings and files can name it (a base class can not).
        registered_name: what Keras writes under "registered_name" for it.
    """

    _kind: ClassVar[str] = ""
    _module: ClassVar[str] = ""
    _registered_name: ClassVar[str | None] = None
    _signature: ClassVar[inspect.Signature | None] = None
    _not_in_config: ClassVar[tuple[str, ...]] = ()
    """Arguments that a config leaves out: those that don't outlive the constructor."""
    _arguments: tuple[tuple, dict] = ((), {})

    def __init_subclass__(
        cls,
        kind: str | None = None,
        module: str | None = None,
        aliases: tuple[str, ...] = (),
        registered: bool = True,
        registered_name: str | None = None,
        **kwargs: object,
    ) -> None:
        super().__init_subclass__(**kwargs)
        if kind is not None:
            cls._kind = kind
        if module is not None:
            cls._module = module
        cls._registered_name = registered_name
        cls._signature = None
        if "__init__" in cls.__dict__ and is_own(cls):
            cls.__init__ = _explained(cls.__init__)
        if registered and is_own(cls) and not cls.__name__.startswith("_"):
            for name in (cls.__name__, snake_case(cls.__name__), *aliases):
                registry(cls._kind).add(name, cls)

    def __new__(cls, *args: object, **kwargs: object) -> Self:
        """Note the arguments, which `get_config` gives."""
        made = super().__new__(cls)
        object.__setattr__(made, "_arguments", (args, kwargs))
        return made

    @classmethod
    def _constructor(cls) -> inspect.Signature:
        if "_signature" not in cls.__dict__ or cls._signature is None:
            signature = inspect.signature(cls.__init__)
            cls._signature = signature.replace(parameters=list(signature.parameters.values())[1:])
        return cls._signature

    def _given(self) -> dict[str, Any]:
        """The constructor's arguments by name, with defaults; those that `**kwargs` caught among them."""
        args, kwargs = self._arguments
        bound = self._constructor().bind(*args, **kwargs)
        bound.apply_defaults()
        given: dict[str, Any] = {}
        for name, parameter in bound.signature.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                given.update(bound.arguments[name])
            elif parameter.kind is parameter.VAR_POSITIONAL or parameter.kind is parameter.POSITIONAL_ONLY:
                if bound.arguments[name] not in ((), parameter.default):
                    raise NotImplementedError(
                        f"{type(self).__name__} was made with positional-only or variadic arguments, which a config "
                        "can't name: give it a `get_config()` and a `from_config()` of its own."
                    )
            else:
                given[name] = bound.arguments[name]
        return given

    def _config_value(self, name: str, given: Any) -> Any:
        """What a constructor argument is in the config.

        layerkit's own classes keep each argument, in its standard form, in the attribute of its name; of a user's class
        only what was passed is known.
        """
        return getattr(self, name, given) if is_own(type(self)) else given

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as JSON can hold them."""
        return {
            name: serialize_argument(self._config_value(name, given))
            for name, given in self._given().items()
            if name not in self._not_in_config
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        """Make an object from its config. Raises TypeError for arguments that the constructor doesn't take."""
        if "get_config" not in _user_methods(cls):
            config = {name: _deserialize_argument(value, custom_objects) for name, value in config.items()}
        try:
            return cls(**config)
        except TypeError as error:
            error.add_note(f"While making a {cls.__name__} from the config {config}.")
            raise


def _explained(init: Callable) -> Callable:
    """A constructor whose errors note the outermost call that led to them, with its arguments."""

    @functools.wraps(init)
    def explained(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except (TypeError, ValueError) as error:
            note_constructor(error, type(self).__name__, *self._arguments)
            raise

    return explained


def _user_methods(cls: type) -> set[str]:
    """The names that classes outside of layerkit define among a class's bases."""
    return {name for base in cls.__mro__ if base is not object and not is_own(base) for name in vars(base)}


def is_own(cls: type) -> bool:
    """Whether layerkit defines this class."""
    return cls.__module__.partition(".")[0] == _PACKAGE


def serialize_argument(value: Any) -> Any:
    """A constructor argument for a config. A function of layerkit becomes its name, as Keras writes activations."""
    if isinstance(value, _FUNCTIONS):
        name = _own_function_name(value)
        if name is not None:
            return name
    return serialize_keras_object(value)


def _own_function_name(function: Callable) -> str | None:
    name = getattr(function, "__name__", None)
    known = any(table.get(name) is function for table in all_registries())
    return name if known else None


def _deserialize_argument(value: Any, custom_objects: Mapping[str, Any] | None) -> Any:
    return (
        deserialize_keras_object(value, custom_objects) if isinstance(value, dict) and "class_name" in value else value
    )


def serialize_keras_object(obj: Any) -> Any:
    """An object as JSON can hold it: Keras 3's `{"module", "class_name", "config", "registered_name"}`.

    Numbers, strings and None stay; containers are walked; arrays, bytes and slices have Keras' special forms.
    Raises TypeError for an object without `get_config()`.
    """
    if obj is None or isinstance(obj, str | bool | int | float):
        return obj
    if isinstance(obj, list | tuple):
        values = [serialize_keras_object(item) for item in obj]
        return tuple(values) if isinstance(obj, tuple) else values
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {"class_name": "__numpy__", "config": {"value": obj.tolist(), "dtype": obj.dtype.name}}
    if isinstance(obj, np.dtype):
        return obj.name
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, slice):
        parts = {name: serialize_keras_object(getattr(obj, name)) for name in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if isinstance(obj, _FUNCTIONS):
        return _serialize_function(obj)
    if isinstance(obj, type):
        name = get_registered_name(obj)
        return {"module": obj.__module__, "class_name": "type", "config": name, "registered_name": name}
    if not hasattr(obj, "get_config"):
        raise TypeError(f"Cannot serialize {obj!r} of type {type(obj).__name__}: it has no `get_config()`.")
    return _serialize_instance(obj)


def _serialize_function(function: Callable) -> dict[str, Any]:
    name = _registered_names.get(function) or getattr(function, "__name__", "")
    if name == "<lambda>":
        raise ValueError(
            "A lambda can't be saved, since loading it would run code from a file. Define a function and "
            "decorate it with "
            "@layerkit.saving.register_keras_serializable()."
        )
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


def _serialize_instance(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    name = _registered_names.get(cls)
    if name is not None:
        module, registered_name = None, name
    elif is_own(cls) and isinstance(obj, Configurable):
        module, registered_name = cls._module, cls._registered_name
    else:
        module, registered_name = cls.__module__, cls.__name__
    made = {
        "module": module,
        "class_name": cls.__name__,
        "config": obj.get_config(),
        "registered_name": registered_name,
    }
    for part in ("build", "compile"):
        if hasattr(obj, f"get_{part}_config"):
            extra = getattr(obj, f"get_{part}_config")()
            if extra is not None:
                made[f"{part}_config"] = serialize_keras_object(extra)
    return made


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    kind: str | None = None,
    **kwargs: Any,
) -> Any:
    """The object that `serialize_keras_object` wrote.

    Args:
        config: the serialized form.
        custom_objects: name -> class or function, for what is neither layerkit's nor registered.
        safe_mode: accepted as Keras has it; nothing that a file names is ever run, so there is no other mode.
        kind: for a plain string, the kind of thing that it names; without it a string stays.
        **kwargs: `module_objects`, further classes and functions by name, after `custom_objects`.

    Raises UnknownNameError for a class that is not known, with what to do.
    """
    module_objects = kwargs.pop("module_objects", None)
    refuse_unknown("deserialize_keras_object", kwargs)
    if module_objects:
        custom_objects = {**module_objects, **(custom_objects or {})}
        if kind is None and isinstance(config, str):  # as written by Keras 2: a function's name
            return custom_objects.get(config, config)
    if not safe_mode:
        raise ValueError(
            "safe_mode=False is not supported: layerkit never runs code from a file. Pass `custom_objects`."
        )
    if kind is not None and isinstance(config, str):
        return find_object(config, kind, custom_objects)
    if isinstance(config, list | tuple):
        values = [deserialize_keras_object(item, custom_objects) for item in config]
        return tuple(values) if isinstance(config, tuple) else values
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: deserialize_keras_object(value, custom_objects) for key, value in config.items()}
    return _deserialize_object(config, custom_objects, kind)


def _deserialize_object(config: dict[str, Any], custom_objects: Mapping[str, Any] | None, kind: str | None) -> Any:
    name, inner = config["class_name"], config["config"]
    if name in ("__numpy__", "__tensor__"):
        return np.array(inner["value"], dtype=inner["dtype"])
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__bytes__":
        return inner["value"].encode()
    if name == "__slice__":
        return slice(inner["start"], inner["stop"], inner["step"])
    if name == "__lambda__":
        raise ValueError(
            "The file holds a Python lambda as byte code, and layerkit never runs code from a file. Define the "
            "function "
            "in your program, decorate it with @register_keras_serializable(), and save the model with it."
        )
    if name == "function":
        return find_object(inner, None, custom_objects)
    if name == "type":
        return find_object(inner, None, custom_objects)
    cls = _find_class(config, custom_objects, kind)
    if not hasattr(cls, "from_config"):
        raise TypeError(f"{cls!r}, which {name!r} names, has no `from_config()`.")
    with custom_object_scope(custom_objects or {}):
        made = cls.from_config(inner)
        if config.get("build_config") and hasattr(made, "build_from_config"):
            made.build_from_config(config["build_config"])
        if config.get("compile_config") and hasattr(made, "compile_from_config"):
            made.compile_from_config(config["compile_config"])
    return made


def _find_class(config: dict[str, Any], custom_objects: Mapping[str, Any] | None, kind: str | None) -> Any:
    name, registered_name, module = config["class_name"], config.get("registered_name"), config.get("module") or ""
    for key in (registered_name, name):
        found = _passed_in(key, custom_objects) if key else None
        if found is not None:
            return found
    own = module.partition(".")[0] in ("", "keras", "tf_keras", _PACKAGE)
    if own or (kind is not None and not module):
        for table in _tables(module, kind):
            if name in table:
                return table.find(name)
    raise UnknownNameError(
        f"Unknown class {registered_name or name!r}"
        + (f" (of module {module!r})" if module else "")
        + ". layerkit imports nothing that a file names: pass it in `custom_objects={"
        + f"{name!r}: {name}"
        + "}`, or decorate the class with @layerkit.saving.register_keras_serializable()"
        + (f" of package {registered_name.partition('>')[0]!r}" if registered_name and ">" in registered_name else "")
        + " before loading."
    )


def _tables(module: str, kind: str | None) -> list[Registry]:
    """The registries to look in, the one that the module's name speaks of first."""
    if kind is not None:
        return [registry(kind)]
    # Keras' modules have the names of the kinds: "keras.layers", "keras.src.optimizers.adam".
    named = [table for table in all_registries() if table.kind.split()[0] in module]
    return named + [table for table in all_registries() if table not in named]


def find_object(name: str, kind: str | None, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The class or function of a name: passed in, registered, or of layerkit (of one kind, or with None of any).

    Raises UnknownNameError, with the nearest names.
    """
    found = _passed_in(name, custom_objects)
    if found is not None:
        return found
    if kind is not None:
        return registry(kind).find(name)
    for table in all_registries():
        if name in table:
            return table.find(name)
    raise UnknownNameError(
        f"Unknown function {name!r}: pass it in `custom_objects={{{name!r}: {name}}}`, or decorate it with "
        "@layerkit.saving.register_keras_serializable() before loading."
    )


def _passed_in(name: str, custom_objects: Mapping[str, Any] | None) -> Any | None:
    for table in (custom_objects or {}, *reversed(_scopes()), _global_custom_objects, _registered):
        if name in table:
            return table[name]
    # "package>name" is also found by its plain name where it was passed in.
    plain = name.rpartition(">")[2] if isinstance(name, str) else name
    for table in (custom_objects or {}, *reversed(_scopes()), _global_custom_objects):
        if plain in table:
            return table[plain]
    return None


_global_custom_objects: dict[str, Any] = {}


def _scopes() -> list[Mapping[str, Any]]:
    if not hasattr(_local, "scopes"):
        _local.scopes = []
    return _local.scopes


def get_custom_objects() -> dict[str, Any]:
    """The table of custom classes and functions for the whole program; change it in place."""
    return _global_custom_objects


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Names inside resolve to these classes and functions first.

    >>> with custom_object_scope({"twice": lambda x: 2 * x}):
    ...     find_object("twice", "activation")(2)
    4
    """
    _scopes().append(custom_objects)
    try:
        yield
    finally:
        _scopes().pop()


CustomObjectScope = custom_object_scope


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Decorator: files may name this class or function, as `package>name`.

    Raises ValueError for a class without `get_config()`.
    """

    def decorate(thing: Any) -> Any:
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"Cannot register {thing.__name__}: a class needs a `get_config()` to be saved.")
        registered_name = f"{package}>{name or thing.__name__}"
        _registered[registered_name] = thing
        _registered_names[thing] = registered_name
        return thing

    return decorate


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function is registered, or its plain name."""
    return _registered_names.get(obj) or getattr(obj, "__name__", str(obj))


def get_registered_object(
    name: str, custom_objects: Mapping[str, Any] | None = None, module_objects: Mapping[str, Any] | None = None
) -> Any | None:
    """The class or function registered under a name, or None."""
    found = _passed_in(name, custom_objects)
    return found if found is not None else (module_objects or {}).get(name)


def get_object(kind: str, identifier: Any, make: bool = True) -> Any:
    """What the `get()` of a kind gives for an identifier: None, a name, a config, a class or an object.

    Args:
        kind: the registry.
        identifier: what the user wrote.
        make: whether a class becomes an instance made without arguments.

    Raises UnknownNameError for a name, and TypeError for something that can't be one.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        found = deserialize_keras_object(identifier, kind=kind)
    elif isinstance(identifier, str):
        found = find_object(identifier, kind)
    else:
        found = identifier
    if make and isinstance(found, type):
        found = found()
    if not callable(found):
        raise TypeError(f"Could not interpret {identifier!r} of type {type(identifier).__name__} as {_article(kind)}.")
    return found


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
