"""What the sweeps over many models have in common: options, the contestants' processes, the lines of the table."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path

from .contestants import BACKENDS, Contestant, WorkerPipe, layerkit, peer


def sweep_parser(program: str, description: str) -> argparse.ArgumentParser:
    """The options that all sweeps take."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--only", default="", help="words, comma separated: models that have one in their name")
    parser.add_argument("--peers", default=",".join(BACKENDS), help="comma separated; empty for layerkit alone")
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="the peers' interpreter")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cache", type=Path, help="folder of layerkit's compiled kernels (default: a new one)")
    return parser


def chosen(names: list[str], only: str) -> list[str]:
    """The names that `--only` asks for."""
    words = [word for word in only.split(",") if word]
    return [name for name in names if not words or any(word in name for word in words)]


def started(stack: ExitStack, options: argparse.Namespace, program: str) -> dict[Contestant, WorkerPipe]:
    """A process for layerkit and for each peer that is installed, ended with the stack."""
    cache = str(options.cache or stack.enter_context(tempfile.TemporaryDirectory()))
    peers = [peer(name, options.peer_python) for name in options.peers.split(",") if name]
    return {
        one: stack.enter_context(closing(WorkerPipe(one, options.threads, cache, program)))
        for one in (layerkit(sys.executable), *peers)
        if one.installed()
    }


def best_peer_cells(samples: dict[str, dict[str, list[float]]], measures: dict[str, float], width: int) -> list[str]:
    """For each measure layerkit's median, the best peer's and its name, and the ratio; times are in the given units."""
    cells = []
    for measure, factor in measures.items():
        times = {who: factor * statistics.median(given[measure]) for who, given in samples.items()}
        ours = times.pop("layerkit", float("nan"))
        best = min(((value, who) for who, value in times.items()), default=None)
        text = f"{ours:9.{width}f}"
        cells.append(text + (f" {best[0]:9.{width}f} {best[1][:5]:5} {best[0] / ours:6.2f}" if best else ""))
    return cells
