"""Data of strings, and what layers make of them: on the host, also where a compiled step calls the layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerkit.dtypes import STRING
from layerkit.errors import DtypeError, ShapeError
from layerkit.graph.operation import Operation, Spec
from layerkit.graph.tensor import Tensor
from layerkit.graph.variable import Variable
from layerkit.layers.layer import Layer


class HostLayer(Layer, registered=False):
    """A layer that takes strings as well: arrays and lists of them become tensors before `call` sees them."""

    _convert_inputs = False

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute on arrays (of strings where the class takes them), lists, and tensors."""
        return super().__call__(self._prepared(inputs), *args, **kwargs)

    def _prepared(self, inputs: Any) -> Any:
        """The inputs as `call` takes them. Raises DtypeError and ShapeError for data of another kind."""
        raise NotImplementedError(f"{type(self).__name__} does not say which data it takes.")

    def spec_of_strings(self, *x: Tensor) -> Spec:
        """Shape and dtype of what `of_strings` gives for arrays as these tensors hold; sizes may be None."""
        raise NotImplementedError(f"{type(self).__name__} states no shapes for strings.")

    def of_strings(self, *x: np.ndarray) -> np.ndarray:
        """The output for arrays of which one holds strings, or whose output does."""
        raise NotImplementedError(f"{type(self).__name__} does not compute on strings.")


class OfStrings(Operation):
    """What a layer makes of strings, or strings that it makes of numbers. It has no gradient."""

    layer: HostLayer
    takes_strings = True

    def infer(self, *x: Tensor) -> Spec:
        """As the layer says."""
        return self.layer.spec_of_strings(*x)

    def reference(self, *x: np.ndarray) -> np.ndarray:
        """As the layer computes."""
        return self.layer.of_strings(*x)

    def gradient(self, g: Tensor, y: Tensor, *x: Tensor) -> list[None]:
        """None: neither strings nor places in a vocabulary have a gradient."""
        return [None] * len(x)


def holds_strings(data: Any) -> bool:
    """Whether data are strings: a text, an array of texts, or lists that start with one."""
    while isinstance(data, list | tuple) and len(data):
        data = data[0]
    if isinstance(data, str | bytes):
        return True
    if isinstance(data, Tensor):
        return data.dtype == STRING
    if isinstance(data, Variable) or not hasattr(data, "dtype"):
        return False
    return getattr(data.dtype, "kind", "") in "OSUT"


def string_tensor(data: Any, layer: Layer, encoding: str = "utf-8") -> Tensor:
    """Data of strings as a tensor of dtype "string"; see `string_array`."""
    if isinstance(data, Tensor) and data.dtype == STRING:
        return data
    return Tensor.of(string_array(data, layer, encoding))


def string_array(data: Any, layer: Layer, encoding: str = "utf-8") -> np.ndarray:
    """Data of strings as an array of `str` objects of the same shape.

    Args:
        data: a text, an array of texts (dtype object, `str` or bytes), or lists of texts.
        layer: what errors name.
        encoding: of bytes.

    Raises:
        DtypeError: the data are numbers, or some element is no text.
        ShapeError: lists of different lengths.
        ValueError: bytes that are no text in the encoding.
    """
    where = f"{type(layer).__name__} {layer.name!r}"
    if isinstance(data, Variable) or (isinstance(data, Tensor) and data.dtype != STRING):
        raise DtypeError(
            f"{where}: expected strings in a tensor of dtype 'string', an array or a list, got a tensor of dtype "
            f"{data.dtype}."
        )
    array = np.asarray(data, object)
    flat = array.ravel().tolist()
    kinds = set(map(type, flat))
    if kinds <= {str, np.str_}:
        return array
    if kinds & {list, tuple, np.ndarray}:
        raise ShapeError(
            f"{where}: the input's lists have different lengths. Expected an array of strings: pad the rows with "
            "empty strings, or join each row to one text."
        )
    for kind in kinds:
        if not issubclass(kind, str | bytes):
            example = next(item for item in flat if type(item) is kind)
            raise DtypeError(
                f"{where}: expected strings, got {example!r} of type {kind.__name__}. Turn numbers into strings with "
                "`array.astype(str)`, and fill in what is missing."
            )
    texts = np.empty(len(flat), object)
    try:
        texts[:] = [item.decode(encoding) if isinstance(item, bytes) else item for item in flat]
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{where}: expected texts as strings, or as bytes in {encoding}; got {error.object!r}, which are none. "
            "Decode them before, or name their encoding where the layer takes `encoding`."
        ) from error
    return texts.reshape(array.shape)


def integer_tensor(data: Any, layer: Layer) -> Tensor:
    """Data of integers as a tensor. Raises DtypeError for floats, strings and the like."""
    x = data if isinstance(data, Tensor) else _tensor(data, layer)
    if not x.dtype.startswith(("int", "uint")):
        raise DtypeError(f"{type(layer).__name__} {layer.name!r}: expected integers, got dtype {x.dtype}.")
    return x


def _tensor(data: Any, layer: Layer) -> Tensor:
    if isinstance(data, Variable):
        return data.value
    array = np.asarray(data)
    if array.dtype.kind not in "biuf":
        raise DtypeError(
            f"{type(layer).__name__} {layer.name!r}: expected numbers, got an array of dtype {array.dtype}."
        )
    return Tensor.of(array)


number_tensor = _tensor
