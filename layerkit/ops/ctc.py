"""Connectionist temporal classification: its loss, and greedy and beam search decoding.

Graves, Fernandez, Gomez, Schmidhuber: "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
Recurrent Neural Networks" (ICML 2006). A path says a label or a blank at each step; without its repetitions, and then
without its blanks, it is a sequence of labels. Paths are counted over the states 0 .. 2N of a target of N labels: the
label i is state 2i + 1, and each even state is a blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from layerkit.errors import ShapeError
from layerkit.graph.operation import Kernelled, Operation, Spec, as_tensor
from layerkit.graph.tensor import Tensor
from layerkit.kernels.ctc_launch import ctc_loss_launches, ctc_occupancy_launches
from layerkit.kernels.launch import Launch, Operand
from layerkit.ops.arrays import arange
from layerkit.ops.elementwise import cast, where
from layerkit.ops.indexing import take_along_axis
from layerkit.ops.neural import as_float, log_softmax
from layerkit.ops.padding import pad
from layerkit.ops.reduction import argmax
from layerkit.ops.reduction import max as reduce_max
from layerkit.ops.reduction import sum as reduce_sum
from layerkit.ops.shape import expand_dims
from layerkit.ops.sorting import argsort

NEVER = -np.inf  # the logarithm of probability 0


class _OfPaths(Kernelled, abstract=True):
    """Of target [B, N], log probabilities [B, T, C], and how many labels and steps of each row count, [B] and [B].

    Lengths beyond the arrays are cut to them. A label outside of 0 .. C - 1 has probability 0.
    """

    blank: int

    def check(self, target: Tensor, x: Tensor, target_length: Tensor, output_length: Tensor) -> None:
        """Raise ShapeError where the shapes do not fit."""
        ranks = (target.ndim, x.ndim, target_length.ndim, output_length.ndim)
        batches = {one.shape[0] for one in (target, x, target_length, output_length) if one.ndim} - {None}
        if ranks != (2, 3, 1, 1) or len(batches) > 1:
            raise ShapeError(
                "target has to be [batch, labels], output [batch, steps, classes], both lengths [batch], of one batch."
            )

    def supports(self, *x: Tensor) -> bool:
        """There are kernels for int32 labels and lengths, and for float32 and float64."""
        target, logs, *lengths = x
        return logs.dtype in ("float32", "float64") and all(one.dtype == "int32" for one in (target, *lengths))


class CTCLoss(_OfPaths):
    """-log of the probability of all paths that say the target, [B]; infinite where no path is long enough."""

    def infer(self, target: Tensor, x: Tensor, target_length: Tensor, output_length: Tensor) -> Spec:
        self.check(target, x, target_length, output_length)
        return (x.shape[0],), x.dtype

    def reference(
        self, target: np.ndarray, x: np.ndarray, target_length: np.ndarray, output_length: np.ndarray
    ) -> np.ndarray:
        return -_States(self.blank, target, x, target_length, output_length).forward()[1]

    def gradient(
        self, g: Tensor, y: Tensor, target: Tensor, x: Tensor, target_length: Tensor, output_length: Tensor
    ) -> tuple:
        occupancy = CTCOccupancy(self.blank)(target, x, target_length, output_length)
        return None, -expand_dims(g, (1, 2)) * occupancy, None, None

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return ctc_loss_launches(*inputs, *outputs, blank=self.blank)


class CTCOccupancy(_OfPaths):
    """The probability that a path which says the target is at a class at a step, [B, T, C]; 0 where there is no path.

    It is minus the gradient of `CTCLoss` by the log probabilities, and has no gradient itself.
    """

    def infer(self, target: Tensor, x: Tensor, target_length: Tensor, output_length: Tensor) -> Spec:
        self.check(target, x, target_length, output_length)
        return x.shape, x.dtype

    def reference(
        self, target: np.ndarray, x: np.ndarray, target_length: np.ndarray, output_length: np.ndarray
    ) -> np.ndarray:
        return _States(self.blank, target, x, target_length, output_length).occupancy()

    def launches(self, inputs: Sequence[Operand], outputs: Sequence[Operand]) -> list[Launch]:
        return ctc_occupancy_launches(*inputs, *outputs, blank=self.blank)


class _States:
    """The states of the targets of a batch, and the recursions over them, for all rows at a time."""

    def __init__(
        self, blank: int, target: np.ndarray, x: np.ndarray, target_length: np.ndarray, output_length: np.ndarray
    ) -> None:
        batch, self.steps, classes = x.shape
        self.x = x
        self.ends = 2 * np.clip(target_length, 0, target.shape[1])  # the last state of each row
        self.lengths = np.clip(output_length, 0, self.steps)
        labels = np.full((batch, 2 * target.shape[1] + 1), blank, np.int64)
        labels[:, 1::2] = target
        self.possible = (labels >= 0) & (labels < classes)
        self.labels = np.where(self.possible, labels, 0)
        # From one label to the next without a blank between them, unless they are equal.
        self.jump = np.full(labels.shape, NEVER, x.dtype)
        self.jump[:, 3::2] = np.where(target[:, 1:] != target[:, :-1], 0, NEVER)

    def emission(self, t: int) -> np.ndarray:
        """The log probability of each state's label at a step, [B, S]."""
        return np.where(self.possible, np.take_along_axis(self.x[:, t], self.labels, 1), self.x.dtype.type(NEVER))

    def forward(self) -> tuple[np.ndarray, np.ndarray]:
        """Log probabilities of the paths up to each step and state, [T, B, S], and of all whole paths, [B]."""
        alphas = np.full((self.steps, *self.labels.shape), NEVER, self.x.dtype)
        before = np.full(self.labels.shape, NEVER, self.x.dtype)
        before[:, 0] = 0  # nothing is said yet: from here to the first blank and the first label
        start = np.full(self.jump.shape, NEVER, self.x.dtype)
        for t in range(self.steps):
            jump = self.jump if t else start
            arriving = _log_sum(before, _later(before, 1), _later(before, 2) + jump)
            alphas[t] = np.where((t < self.lengths)[:, None], arriving + self.emission(t), before)
            before = alphas[t]
        return alphas, self._at_end(before)

    def _at_end(self, alpha: np.ndarray) -> np.ndarray:
        rows = np.arange(len(alpha))
        label = np.where(self.ends > 0, alpha[rows, self.ends - 1], NEVER)
        return np.logaddexp(alpha[rows, self.ends], label).astype(alpha.dtype)

    def occupancy(self) -> np.ndarray:
        """What `CTCOccupancy` gives."""
        alphas, whole = self.forward()
        there = np.isfinite(whole)
        whole = np.where(there, whole, 0)[:, None]
        occupancy = np.zeros_like(self.x)
        rows, states = np.arange(len(self.x))[:, None], np.arange(self.labels.shape[1])
        last = (states == self.ends[:, None]) | ((states == self.ends[:, None] - 1) & (self.ends[:, None] > 0))
        after = np.where(last, 0, NEVER).astype(self.x.dtype)
        beta = after
        for t in reversed(range(self.steps)):
            if t + 1 < self.steps:
                left = beta + self.emission(t + 1)
                going = _log_sum(left, _earlier(left, 1), _earlier(left + self.jump, 2))
                beta = np.where((t + 1 < self.lengths)[:, None], going, after)
            counts = there[:, None] & (t < self.lengths)[:, None] & self.possible
            p = np.where(counts, np.exp(alphas[t] + beta - whole), 0)
            np.add.at(occupancy, (rows, t, self.labels), p)
        return occupancy


def _log_sum(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.logaddexp(np.logaddexp(a, b), c)


def _later(x: np.ndarray, by: int) -> np.ndarray:
    """What a state gets of the state `by` before it."""
    return np.concatenate([np.full_like(x[:, :by], NEVER), x[:, :-by]], axis=1)


def _earlier(x: np.ndarray, by: int) -> np.ndarray:
    """What a state gets of the state `by` behind it."""
    return np.concatenate([x[:, by:], np.full_like(x[:, :by], NEVER)], axis=1)


class CTCBeamSearch(Operation):
    """The most probable label sequences of log probabilities [B, T, C] and lengths [B], and their log probabilities.

    Sequences [top_paths, B, T], int32, filled up with -1, and [B, top_paths]. Where there are fewer than `top_paths`,
    the others are empty and have probability 0. It has no gradient.
    """

    beam_width: int
    top_paths: int
    blank: int
    outputs: ClassVar[int] = 2

    def infer(self, x: Tensor, lengths: Tensor) -> list[Spec]:
        _check_decoding(x, lengths)
        batch, steps, _ = x.shape
        return [((self.top_paths, batch, steps), "int32"), ((batch, self.top_paths), x.dtype)]

    def reference(self, x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        batch, steps, _ = x.shape
        paths = np.full((self.top_paths, batch, steps), -1, np.int32)
        scores = np.full((batch, self.top_paths), NEVER, x.dtype)
        for row in range(batch):
            beam = _Beam(x.dtype)
            for t in range(min(int(lengths[row]), steps)):
                beam.extend(x[row, t], self.blank, self.beam_width)
            for rank, (labels, score) in enumerate(beam.best(self.top_paths)):
                paths[rank, row, : len(labels)] = labels
                scores[row, rank] = score
        return paths, scores


class _Beam:
    """Label sequences with the log probabilities of the paths that say them: those that end in a blank, and others.

    Prefix search of Graves et al. (2006), section 3.2, of a limited width.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self.paths: list[tuple[int, ...]] = [()]
        self.blank, self.label = np.zeros(1, dtype), np.full(1, NEVER, dtype)

    def extend(self, x: np.ndarray, blank: int, width: int) -> None:
        """Go on by a step of log probabilities [C]."""
        paths = self.paths
        whole = np.logaddexp(self.blank, self.label)
        tails = np.array([path[-1] if path else blank for path in paths], np.int64)
        stay_blank = whole + x[blank]
        stay_label = np.where(tails == blank, NEVER, self.label + x[tails])
        longer = whole[:, None] + x
        # The last label once more is a new one behind a blank only.
        longer[np.arange(len(paths)), tails] = self.blank + x[tails]
        longer[:, blank] = NEVER
        places = {path: place for place, path in enumerate(paths)}
        for place, path in enumerate(paths):
            parent = places.get(path[:-1]) if path else None
            if parent is not None:  # the parent's extension is this path
                stay_label[place] = np.logaddexp(stay_label[place], longer[parent, path[-1]])
                longer[parent, path[-1]] = NEVER
        every = np.concatenate([np.logaddexp(stay_blank, stay_label), longer.ravel()])
        kept = [place for place in np.argsort(-every, kind="stable")[:width] if every[place] > NEVER]
        old = [place for place in kept if place < len(paths)]
        new = [divmod(int(place) - len(paths), len(x)) for place in kept if place >= len(paths)]
        self.paths = [paths[place] for place in old] + [(*paths[parent], label) for parent, label in new]
        self.blank = np.concatenate([stay_blank[old], np.full(len(new), NEVER, x.dtype)])
        self.label = np.concatenate([stay_label[old], np.array([longer[at] for at in new], x.dtype)])

    def best(self, count: int) -> list[tuple[tuple[int, ...], float]]:
        """The most probable label sequences, the best first."""
        whole = np.logaddexp(self.blank, self.label)
        return [(self.paths[place], whole[place]) for place in np.argsort(-whole, kind="stable")[:count]]


def ctc_loss(
    target: object, output: object, target_length: object, output_length: object, mask_index: int | None = 0
) -> Tensor:
    """-log of the probability of each target [B], by logits `output` [B, T, C] of labels and a blank.

    It is infinite, with gradient 0, where a row has too few steps for its target: it takes one for each label, and one
    between equal neighbours.

    Args:
        target: labels [B, N], integers.
        output: logits [B, T, C].
        target_length: how many labels of each row count, [B].
        output_length: how many steps of each row count, [B].
        mask_index: the class of the blank; None is the last.

    Raises ShapeError where shapes do not fit, ValueError where there is no class `mask_index`.

    >>> logits = np.zeros((1, 2, 2), "float32")
    >>> ctc_loss([[1]], logits, [1], [2]).numpy().round(3)  # three of four paths say it: -log(3 / 4)
    array([0.288], dtype=float32)
    """
    output = as_float(as_tensor(output))
    target, target_length, output_length = (cast(as_tensor(x), "int32") for x in (target, target_length, output_length))
    return CTCLoss(_blank(output, mask_index))(target, log_softmax(output), target_length, output_length)


def ctc_decode(
    inputs: object,
    sequence_lengths: object,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[Tensor, Tensor]:
    """Label sequences [paths, B, T] that logits [B, T, C] say, int32, filled up with -1; and their scores [B, paths].

    Args:
        inputs: logits [B, T, C].
        sequence_lengths: how many steps of each row count, [B].
        strategy: "greedy" takes the likeliest class of each step: one path, and its score is minus the sum of its
            logits. "beam_search" sums up the paths of each label sequence: the scores are log probabilities.
        beam_width: how many label sequences the beam search keeps.
        top_paths: how many it gives.
        merge_repeated: False keeps repetitions (greedy decoding only).
        mask_index: the class of the blank; None is the last.

    Raises ShapeError where shapes do not fit, ValueError for unknown options.

    >>> logits = 5 * np.eye(3, dtype="float32")[[[1, 1, 0, 2]]]
    >>> paths, scores = ctc_decode(logits, [4])
    >>> paths.numpy().tolist(), scores.numpy().tolist()
    ([[[1, 2, -1, -1]]], [[-20.0]])
    """
    x, lengths = as_float(as_tensor(inputs)), cast(as_tensor(sequence_lengths), "int32")
    _check_decoding(x, lengths)
    blank = _blank(x, mask_index)
    if strategy == "greedy":
        return _greedy(x, lengths, merge_repeated, blank)
    if strategy != "beam_search":
        raise ValueError(f"strategy has to be 'greedy' or 'beam_search', not {strategy!r}.")
    if not merge_repeated:
        raise ValueError("merge_repeated=False is for greedy decoding: a beam search sums up paths with repetitions.")
    if not 1 <= top_paths <= beam_width:
        raise ValueError(f"top_paths has to be from 1 to beam_width, {beam_width}, not {top_paths}.")
    return tuple(CTCBeamSearch(beam_width, top_paths, blank)(log_softmax(x), lengths))


def _greedy(x: Tensor, lengths: Tensor, merge_repeated: bool, blank: int) -> tuple[Tensor, Tensor]:
    steps = x.shape[1]
    counts = arange(steps, dtype="int32") < expand_dims(lengths, 1)
    labels = where(counts, argmax(x, -1), blank)
    scores = -reduce_sum(where(counts, reduce_max(x, -1), 0.0), 1, keepdims=True)
    said = labels != blank
    if merge_repeated:
        said = said & (labels != pad(labels, ((0, 0), (1, 0)), constant_values=-1)[:, :-1])
    order = argsort(where(said, arange(steps, dtype="int32"), steps), 1)  # what is said comes first
    return expand_dims(take_along_axis(where(said, labels, -1), order, 1), 0), scores


def _check_decoding(x: Tensor, lengths: Tensor) -> None:
    if x.ndim != 3 or lengths.ndim != 1 or len({x.shape[0], lengths.shape[0]} - {None}) > 1:
        raise ShapeError(f"inputs have to be [batch, steps, classes], lengths [batch], not {x.shape}, {lengths.shape}.")


def _blank(x: Tensor, mask_index: int | None) -> int:
    """The class of the blank among those of x [B, T, C]."""
    if x.ndim != 3:
        raise ShapeError(f"logits have to be [batch, steps, classes], not {x.shape}.")
    classes = x.shape[2]
    mask_index = -1 if mask_index is None else int(mask_index)
    if not -classes <= mask_index < classes:
        raise ValueError(f"mask_index has to be one of {classes} classes, not {mask_index}.")
    return mask_index % classes
