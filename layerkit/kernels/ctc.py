"""The recursions of connectionist temporal classification (Graves et al. 2006, section 4.1), in logarithms.

Each kernel is a factory of a dtype; a unit is a row of the batch. Arguments: target [b, n], log probabilities
[b, t, c], how many labels and how many steps of each row count, out, n, t, c, the class of the blank, scratch with its
bytes, and how many lines of how many cells it has beyond three of its own. Lines have two spare cells at either end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from layerkit.kernels import vector_math
from layerkit.kernels.abi import POINTERS, exact, int32_at, select
from layerkit.kernels.scalar import maximum

SPARE = 2


class _Functions(NamedTuple):
    """What both kernels are made of."""

    log_sum: Callable
    fill: Callable
    load_jumps: Callable
    load_emissions: Callable
    forward: Callable


def _functions(dtype: str) -> _Functions:
    at, number = POINTERS[dtype], np.dtype(dtype).type
    exp, log = getattr(vector_math, f"exp_{dtype}"), getattr(vector_math, f"log_{dtype}")
    itemsize, zero, never = np.dtype(dtype).itemsize, number(0), number(-np.inf)

    @exact
    def log_sum(a, b, c):
        """log(exp(a) + exp(b) + exp(c)), -inf where all are."""
        top = maximum(maximum(a, b), c)
        base = select(top == never, zero, top)
        return base + log(exp(a - base) + exp(b - base) + exp(c - base))

    @exact
    def fill(line, cells, value):
        for i in range(cells):
            line[i] = value

    @exact
    def load_jumps(jump, cells, target, labels):
        """0 for the states that are reached from the label before without a blank, -inf for the others."""
        fill(jump, cells, never)
        for i in range(1, labels):
            if target[i] != target[i - 1]:
                jump[SPARE + 2 * i + 1] = zero

    @exact
    def load_emissions(emission, x, target, labels, classes, blank):
        """The log probability of each state's class at a step, x [c]."""
        of_blank = x[blank]
        emission[SPARE] = of_blank
        for i in range(labels):
            label = target[i]
            emission[SPARE + 2 * i + 1] = x[label] if 0 <= label < classes else never
            emission[SPARE + 2 * i + 2] = of_blank

    @exact
    def forward(target, labels, x, steps, classes, blank, jump, emission, first, lines, cells):
        """Log probabilities of the paths up to each step, in lines from `first` in turn; returns that of whole ones."""
        last = SPARE + 2 * labels
        if steps == 0:
            return zero if labels == 0 else never
        old = at(first)
        fill(old, cells, never)
        load_emissions(emission, at(x), target, labels, classes, blank)
        old[SPARE] = emission[SPARE]
        if labels > 0:
            old[SPARE + 1] = emission[SPARE + 1]
        # Whole paths end in the last label or the blank behind it: one step more to that blank, which says nothing.
        for t in range(1, steps + 1):
            new = at(first + (t % lines) * cells * itemsize)
            if t < steps:
                load_emissions(emission, at(x + t * classes * itemsize), target, labels, classes, blank)
                fill(new, cells, never)
                s = SPARE
            else:
                emission[last] = zero
                s = last
            while s <= last:
                new[s] = log_sum(old[s], old[s - 1], old[s - 2] + jump[s]) + emission[s]
                s += 1
            old = new
        return old[last]

    return _Functions(log_sum, fill, load_jumps, load_emissions, forward)


def ctc_loss(dtype: str) -> Callable:
    """Minus the log probability of each row's target."""
    of = _functions(dtype)
    load_jumps, forward = of.load_jumps, of.forward
    at, itemsize = POINTERS[dtype], np.dtype(dtype).itemsize

    def kernel(args, lo, hi, worker):
        out = at(args[4])
        most_labels, most_steps, classes, blank = args[5], args[6], args[7], args[8]
        scratch, lines, cells = args[9] + worker * args[10], args[11], args[12]
        jump, emission = at(scratch), at(scratch + cells * itemsize)
        for row in range(lo, hi):
            target = int32_at(args[0] + row * most_labels * 4)
            labels = min(max(int32_at(args[2])[row], 0), most_labels)
            steps = min(max(int32_at(args[3])[row], 0), most_steps)
            x = args[1] + row * most_steps * classes * itemsize
            load_jumps(jump, cells, target, labels)
            first = scratch + 3 * cells * itemsize
            out[row] = -forward(target, labels, x, steps, classes, blank, jump, emission, first, lines, cells)

    return kernel


def ctc_occupancy(dtype: str) -> Callable:
    """The probability that a path which says the row's target is at a class at a step; 0 where there is no path."""
    of = _functions(dtype)
    log_sum, fill, load_jumps, load_emissions, forward = of
    at, number = POINTERS[dtype], np.dtype(dtype).type
    exp, itemsize = getattr(vector_math, f"exp_{dtype}"), np.dtype(dtype).itemsize
    zero, never = number(0), number(-np.inf)

    @exact
    def step_back(beta, left, emission, jump, states):
        """Log probabilities of the rests of the paths, from those a step later."""
        for s in range(SPARE, SPARE + states):
            left[s] = beta[s] + emission[s]
        for s in range(SPARE, SPARE + states):
            beta[s] = log_sum(left[s], left[s + 1], left[s + 2] + jump[s + 2])

    @exact
    def add_up(share, target, labels, classes, blank, out):
        """Add the shares of the states to their classes, out [c]."""
        of_blank = share[SPARE]
        for i in range(labels):
            label = target[i]
            if 0 <= label < classes:
                out[label] += share[SPARE + 2 * i + 1]
            of_blank += share[SPARE + 2 * i + 2]
        out[blank] += of_blank

    @exact
    def shares(alpha, beta, whole, share, states):
        for s in range(SPARE, SPARE + states):
            share[s] = exp(alpha[s] + beta[s] - whole)

    def kernel(args, lo, hi, worker):
        most_labels, most_steps, classes, blank = args[5], args[6], args[7], args[8]
        scratch, lines, cells = args[9] + worker * args[10], args[11], args[12]
        line = cells * itemsize
        jump, emission, beta = at(scratch), at(scratch + line), at(scratch + 2 * line)
        first = scratch + 3 * line
        for row in range(lo, hi):
            target = int32_at(args[0] + row * most_labels * 4)
            labels = min(max(int32_at(args[2])[row], 0), most_labels)
            steps = min(max(int32_at(args[3])[row], 0), most_steps)
            offset = row * most_steps * classes * itemsize
            x, out = args[1] + offset, args[4] + offset
            states = 2 * labels + 1
            fill(at(out), most_steps * classes, zero)
            load_jumps(jump, cells, target, labels)
            whole = forward(target, labels, x, steps, classes, blank, jump, emission, first, lines, cells)
            if whole == never:
                continue
            fill(beta, cells, never)
            beta[SPARE + states - 1] = zero
            if labels > 0:
                beta[SPARE + states - 2] = zero
            for back in range(steps):
                t = steps - 1 - back
                if back > 0:
                    load_emissions(emission, at(x + (t + 1) * classes * itemsize), target, labels, classes, blank)
                    # The line of the step that was done last is free; behind its states it is -inf.
                    step_back(beta, at(first + (t + 1) * line), emission, jump, states)
                alpha = at(first + t * line)
                shares(alpha, beta, whole, emission, states)
                add_up(emission, target, labels, classes, blank, at(out + t * classes * itemsize))

    return kernel
