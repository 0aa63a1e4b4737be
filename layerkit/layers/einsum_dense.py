"""EinsumDense: a product of the input and a kernel by Einstein's notation."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from layerkit import activations, constraints, initializers, ops, regularizers
from layerkit.errors import ShapeError
from layerkit.graph.tensor import Shape, Tensor
from layerkit.graph.variable import Variable
from layerkit.initializers import VarianceScaling
from layerkit.layers.core import refuse
from layerkit.layers.input_spec import InputSpec
from layerkit.layers.lora import LowRankAdapted

__all__ = ["EinsumDense"]

_EQUATION = re.compile(
    r"(?P<left>\.\.\.)?(?P<input>[a-zA-Z]+)(?P<right>\.\.\.)?,(?P<kernel>[a-zA-Z]+)->"
    r"(?P<left_too>\.\.\.)?(?P<output>[a-zA-Z]+)(?P<right_too>\.\.\.)?"
)


@dataclass(frozen=True)
class _Equation:
    """The names of the axes of `input,kernel->output`, and on which side an ellipsis stands for more of them."""

    text: str
    input: str
    kernel: str
    output: str
    ellipsis: str

    @classmethod
    def of(cls, text: str) -> _Equation:
        """Read an equation. Raises ValueError for one that is not of the three forms."""
        found = _EQUATION.fullmatch(text.replace(" ", ""))
        left, right = (found["left"], found["right"]) if found else (None, None)
        if found is None or (left, right) != (found["left_too"], found["right_too"]) or (left and right):
            raise ValueError(
                f"EinsumDense: invalid einsum equation {text!r}. Equations must be in the form [X],[Y]->[Z], "
                "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
            )
        ellipsis = "left" if left else "right" if right else ""
        equation = cls(text, found["input"], found["kernel"], found["output"], ellipsis)
        for name in equation.output:
            if name not in equation.input + equation.kernel:
                raise ValueError(f"EinsumDense: axis {name!r} of {text!r}'s output is none of the input or kernel.")
        for name in equation.kernel:
            if name not in equation.input + equation.output:
                raise ValueError(f"EinsumDense: axis {name!r} of {text!r}'s kernel is none of the input or output.")
        return equation

    def more(self, input_shape: Shape) -> int:
        """How many axes the ellipsis stands for. Raises ShapeError where the input has too few, or too many."""
        count = len(input_shape) - len(self.input)
        if count < 0 or (count > 0 and not self.ellipsis):
            raise ShapeError(
                f"EinsumDense: {self.text!r} takes inputs of {len(self.input)} axes"
                f"{' or more' * bool(self.ellipsis)}; got shape {tuple(input_shape)}."
            )
        return count

    def output_shape(self, input_shape: Shape, given: Sequence[int | None]) -> Shape:
        """The output's shape: the batch size, what an ellipsis stands for, and the sizes that were given."""
        more = self.more(input_shape)
        shape = [input_shape[0], *given]
        if self.ellipsis == "left":
            shape[1:1] = input_shape[1:more]
            shape = shape if more else list(given)
        elif more:
            shape += input_shape[len(input_shape) - more :]
        if len(shape) != len(self.output) + more:
            raise ShapeError(
                f"EinsumDense: the output of {self.text!r} has {len(self.output) + more} axes for an input of shape "
                f"{tuple(input_shape)}; output_shape={tuple(given)} with the batch axis has {len(shape)}."
            )
        sizes = self.sizes(self.input, input_shape, more)
        offset = more if self.ellipsis == "left" else 0
        for place, name in enumerate(self.output, offset):
            if name not in sizes:
                continue
            if shape[place] is not None and sizes[name] is not None and shape[place] != sizes[name]:
                raise ShapeError(
                    f"EinsumDense: axis {name!r} of {self.text!r} has size {sizes[name]} in the input, of shape "
                    f"{tuple(input_shape)}, but {shape[place]} in the output, of shape {tuple(shape)}."
                )
            shape[place] = sizes[name] if shape[place] is None else shape[place]
        return tuple(shape)

    def sizes(self, names: str, shape: Shape, more: int) -> dict[str, int | None]:
        """The size of each named axis."""
        own = shape[more:] if self.ellipsis == "left" else shape[: len(names)]
        return dict(zip(names, own, strict=True))

    @property
    def is_matrix_product(self) -> bool:
        """Whether the last axes of the input meet the first of the kernel, whose others are the last of the output."""
        count = sum(name not in self.output for name in self.input)
        batch, summed, own = self.input[:-count], self.input[-count:], self.kernel[count:]
        plain = count > 0 and self.ellipsis != "right" and len(set(self.input)) == len(self.input)
        return plain and bool(own) and self.kernel == summed + own and self.output == batch + own


class EinsumDense(LowRankAdapted):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: `[X],[Y]->[Z]`, `...[X],[Y]->...[Z]` or `[X]...,[Y]->[Z]...`: the axes of input, kernel and output.
        output_shape: the output's sizes without the batch axis and what an ellipsis stands for; None for sizes of the
            input.
        activation: name or function; None for none.
        bias_axes: the axes of the output for which there is a bias; None for no bias.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, kernel_constraint, bias_constraint: of the weights.
        lora_rank, lora_alpha: of a low-rank correction that is trained in the kernel's place; see `enable_lora`.
        gptq_unpacked_column_size, quantization_config: not supported; raise NotImplementedError.

    >>> EinsumDense("abc,cd->abd", output_shape=(None, 64), bias_axes="d").compute_output_shape((None, 10, 32))
    (None, 10, 64)
    """

    _not_in_config = (*LowRankAdapted._not_in_config, "gptq_unpacked_column_size")

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        refuse(self, gptq_unpacked_column_size=gptq_unpacked_column_size, quantization_config=quantization_config)
        self._set_lora(lora_rank, lora_alpha)
        self.equation = equation
        self._parsed = _Equation.of(equation)
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        for name in bias_axes or "":
            if name not in self._parsed.output:
                raise ValueError(
                    f"EinsumDense: bias_axes={bias_axes!r} names {name!r}, which is no axis of the output of "
                    f"{equation!r}."
                )
        self.bias_axes = bias_axes
        self.activation = activations.get(activation)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make kernel and bias."""
        equation = self._parsed
        more = equation.more(input_shape)
        inputs = equation.sizes(equation.input, input_shape, more)
        outputs = equation.sizes(equation.output, equation.output_shape(input_shape, self.partial_output_shape), more)
        sizes = {**inputs, **outputs}
        unknown = [name for name in equation.kernel if sizes[name] is None]
        if unknown:
            raise ShapeError(
                f"EinsumDense {self.name!r} needs the size of axis {unknown[0]!r} of {self.equation!r} for its kernel; "
                f"got input shape {input_shape}, output_shape={self.partial_output_shape}."
            )
        self.input_spec = InputSpec(ndim=len(input_shape))
        self._kernel = self.add_weight(
            shape=tuple(sizes[name] for name in equation.kernel),
            initializer=self._initializer_of_kernel(),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.bias_axes:
            self.bias = self.add_weight(
                shape=self._bias_shape(outputs, more),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        self._adapt_if_wanted()

    def _initializer_of_kernel(self) -> Any:
        """The kernel's initializer, which knows which axes are the inputs' and which the outputs'."""
        given, equation = self.kernel_initializer, self._parsed
        if not isinstance(given, VarianceScaling) or None not in (given.input_axes, given.output_axes):
            return given
        of_output = [at for at, name in enumerate(equation.kernel) if name in equation.output]
        of_input = [at for at, name in enumerate(equation.kernel) if name not in equation.output]
        return type(given).from_config(
            {**given.get_config(), "seed": given.seed, "input_axes": of_input, "output_axes": of_output}
        )

    def _bias_shape(self, outputs: dict[str, int | None], more: int) -> tuple[int | None, ...]:
        output = self._parsed.output
        first = min(output.index(name) for name in self.bias_axes)
        own = tuple(outputs[name] if name in self.bias_axes else 1 for name in output[first:])
        return own if self._parsed.ellipsis == "left" else (*own, *(1,) * more)

    @property
    def kernel(self) -> Variable | Tensor:
        """What inputs are multiplied with. Raises AttributeError before the layer is built."""
        return self._merged_weight()

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        """The product, the bias and the activation."""
        if self._parsed.is_matrix_product:
            return self.activation(self._matrix_product(inputs))
        x = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            x = ops.add(x, self.bias)
        return self.activation(x)

    def _matrix_product(self, inputs: Tensor) -> Tensor:
        """The product of two matrices that the equation amounts to, in whose kernel the bias is added on the way."""
        kernel = self.kernel
        count = sum(name not in self._parsed.output for name in self._parsed.input)
        summed, own = kernel.shape[:count], kernel.shape[count:]
        rows, columns = math.prod(summed), math.prod(own)
        lead = inputs.shape[: inputs.ndim - count]
        if tuple(inputs.shape[inputs.ndim - count :]) != tuple(summed):
            raise ShapeError(
                f"EinsumDense {self.name!r}: the last {count} axes of the input are summed over with the kernel's "
                f"first, {tuple(summed)}; got input shape {inputs.shape}."
            )
        x = ops.matmul(ops.reshape(inputs, (*lead, rows)), ops.reshape(kernel, (rows, columns)))
        flat_bias = self.bias is not None and self.bias.shape == own
        if flat_bias:
            x = ops.add(x, ops.reshape(self.bias, (columns,)))
        x = ops.reshape(x, (*lead, *own))
        return x if self.bias is None or flat_bias else ops.add(x, self.bias)

    def get_config(self) -> dict[str, Any]:
        """The arguments; Keras writes the activity regularizer also where there is none."""
        return {"activity_regularizer": None, **super().get_config(), "output_shape": self.partial_output_shape}
