"""Calls of connectionist temporal classification."""

from __future__ import annotations

import numpy as np

from tests.ops.keras_calls.calls import Calls

CALLS = Calls(seed=41)
call, floats, integers = CALLS.add, CALLS.floats, CALLS.integers


def losses() -> None:
    targets = np.array([[1, 2, 2, 4], [3, 3, 1, 0], [2, 1, 0, 0], [4, 4, 4, 4]])
    logits, target_length, output_length = floats(4, 9, 5), np.array([4, 3, 2, 4]), np.array([9, 6, 5, 8])
    call("ctc_loss", targets, logits, target_length, output_length)
    call("ctc_loss", targets % 4, logits, target_length, output_length, mask_index=4)
    call("ctc_loss", targets, logits, np.array([0, 1, 0, 2]), np.array([9, 1, 2, 3]), mask_index=0)
    call("ctc_loss", integers(3, 12, high=19) + 1, floats(3, 50, 20), np.array([12, 9, 1]), np.array([50, 37, 50]))


def greedy() -> None:
    logits, lengths = floats(4, 9, 4), np.array([9, 7, 1, 0])
    logits[0, 2:4] = logits[0, 1]
    call("ctc_decode", logits, lengths)
    call("ctc_decode", logits, lengths, merge_repeated=False)
    call("ctc_decode", logits, lengths, mask_index=3)
    call("ctc_decode", logits, lengths, mask_index=None)


def beams() -> None:
    logits, lengths = floats(3, 8, 4), np.array([8, 5, 2])
    for width, paths in ((1, 1), (3, 2), (20, 4), (100, 3)):
        call("ctc_decode", logits, lengths, strategy="beam_search", beam_width=width, top_paths=paths)
    call("ctc_decode", logits, lengths, "beam_search", 10, 2, mask_index=3)
    call("ctc_decode", logits, lengths, "beam_search", 10, 2, mask_index=None)
    call("ctc_decode", 3 * floats(2, 20, 6), np.array([20, 17]), "beam_search", 12, 5, mask_index=1)


for family in (losses, greedy, beams):
    family()
