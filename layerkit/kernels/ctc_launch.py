"""Which kernels to launch for connectionist temporal classification; labels and lengths are int32."""

from __future__ import annotations

from layerkit.kernels.launch import Kernel, Launch, Operand, Scratch, serial_grain

STATE_WORK = 8  # a state of a step, with four elementary functions, in elements touched
SPARE = 2  # cells beyond the states, so that the recursions need no edges


def ctc_loss_launches(
    target: Operand, x: Operand, target_length: Operand, output_length: Operand, out: Operand, *, blank: int
) -> list[Launch]:
    """Minus the log probabilities of targets [b, n] by log probabilities x [b, t, c] -> out [b]. A unit is a row.

    Raises ValueError where dtypes do not fit or an operand is not contiguous.
    """
    return _launches("ctc_loss", 2, target, x, target_length, output_length, out, blank)


def ctc_occupancy_launches(
    target: Operand, x: Operand, target_length: Operand, output_length: Operand, out: Operand, *, blank: int
) -> list[Launch]:
    """Minus their gradient by x -> out [b, t, c]. A unit is a row.

    Raises ValueError where dtypes do not fit or an operand is not contiguous.
    """
    return _launches("ctc_occupancy", x.shape[1] + 1, target, x, target_length, output_length, out, blank)


def _launches(
    function: str,
    lines: int,
    target: Operand,
    x: Operand,
    target_length: Operand,
    output_length: Operand,
    out: Operand,
    blank: int,
) -> list[Launch]:
    """A launch with memory for `lines` steps of the forward recursion, and three lines more."""
    operands = (target, x, target_length, output_length, out)
    if any(one.dtype.name != "int32" for one in (target, target_length, output_length)) or out.dtype != x.dtype:
        raise ValueError(f"Labels and lengths have to be int32, and the result {x.dtype.name}.")
    if not all(one.contiguous for one in operands):
        raise ValueError("The kernels of CTC take contiguous arrays.")
    batch, steps, classes = x.shape
    labels = target.shape[1]
    if batch == 0:
        return []
    line = 2 * labels + 1 + 2 * SPARE
    scratch = Scratch((lines + 3) * line * x.dtype.itemsize, per_worker=True, name="states")
    kernel = Kernel("ctc", function, (("dtype", x.dtype.name),))
    args = (*operands, labels, steps, classes, blank, scratch, scratch.nbytes, lines, line)
    return [Launch(kernel, args, batch, serial_grain(STATE_WORK * steps * (line + classes / STATE_WORK)))]
