"""The steps of a plan besides launches: calls to the host, loops and choices, which have steps of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from layerkit.graph.operation import Operation
from layerkit.kernels.launch import Launch, Operand, Slide


@dataclass
class HostCall:
    """A call to an operation's NumPy reference between native segments."""

    operation: Operation
    inputs: list[Operand]
    outputs: list[Operand]


@dataclass
class Repeat:
    """Steps that run several times.

    Attributes:
        steps: what runs each turn.
        turns: how often at most; None: as long as the condition holds.
        slides: memory that moves with the turns.
        carried: operands whose contents pass from turn to turn, or are written part by part.
        condition: steps that run before each turn.
        holds: where they leave whether there is another turn (a bool); None without a condition.
    """

    steps: list[Step]
    turns: int | None
    slides: list[Slide] = field(default_factory=list)
    carried: list[Operand] = field(default_factory=list)
    condition: list[Step] = field(default_factory=list)
    holds: Operand | None = None

    @property
    def parts(self) -> list[list[Step]]:
        """All steps inside."""
        return [self.condition, self.steps]

    @property
    def operands(self) -> list[Operand]:
        """What the loop itself uses."""
        return [*self.carried, *([] if self.holds is None else [self.holds])]


@dataclass
class Choose:
    """One of several lists of steps, by an index (int32) that is cut to their range.

    Attributes:
        index: where the index is.
        branches: the lists of steps.
        results: what each of them writes.
    """

    index: Operand
    branches: list[list[Step]]
    results: list[Operand]

    @property
    def parts(self) -> list[list[Step]]:
        """All steps inside."""
        return self.branches

    @property
    def operands(self) -> list[Operand]:
        """What the choice itself uses."""
        return [self.index, *self.results]


Step = Launch | HostCall | Repeat | Choose


def every_step(steps: Sequence[Step]) -> Iterator[Step]:
    """The steps and all that are inside of them, in order."""
    for step in steps:
        yield step
        for part in getattr(step, "parts", ()):
            yield from every_step(part)


def operands_of(step: Step) -> list[Operand]:
    """The operands that a step itself reads and writes."""
    if isinstance(step, Launch):
        return [argument for argument in step.args if isinstance(argument, Operand)]
    if isinstance(step, HostCall):
        return [*step.inputs, *step.outputs]
    return step.operands


def native(step: Step) -> bool:
    """Whether it runs without the host."""
    return not any(isinstance(one, HostCall) for one in every_step([step]))
