"""Command line of the benchmarks; the package's docstring explains what is measured."""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

import benchmarks

from .contestants import BACKENDS, Contestant, layerkit, peer
from .measuring import Effort, Results, measure_imports, measure_workload
from .table import as_data, table
from .workloads import WORKLOADS


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=benchmarks.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workloads", default=",".join(WORKLOADS), help="comma separated (default: all)")
    parser.add_argument("--peers", default=",".join(BACKENDS), help="comma separated; empty for layerkit alone")
    parser.add_argument("--rounds", type=int, help="rounds of each measure (default 7; 2 with --quick)")
    parser.add_argument("--quick", action="store_true", help="an eighth of the data and few calls")
    parser.add_argument("--threads", type=int, default=_cpus(), help="threads of every contestant (default: the CPUs)")
    parser.add_argument(
        "--peer-python", action="append", default=[], metavar="[NAME=]PATH", help="interpreter of the peers, or of one"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write medians and samples here")
    options = parser.parse_args()
    options.workloads = [name for name in options.workloads.split(",") if name]
    if unknown := set(options.workloads) - WORKLOADS.keys():
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    options.rounds = options.rounds or (2 if options.quick else 7)
    if options.threads < 1 or options.rounds < 1:
        parser.error("--threads and --rounds are 1 or more")
    try:
        options.contestants = _contestants(options.peers, options.peer_python)
    except ValueError as error:
        parser.error(str(error))
    return options


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _contestants(peers: str, pythons: list[str]) -> list[Contestant]:
    """Layerkit first, then the peers in the order given."""
    named = dict(text.split("=", 1) if "=" in text else ("", text) for text in pythons)
    default = named.get("", sys.executable)
    return [layerkit(sys.executable), *(peer(name, named.get(name, default)) for name in peers.split(",") if name)]


def main() -> None:
    """Measures and prints."""
    options = _options()
    installed = [contestant for contestant in options.contestants if contestant.installed()]
    absent = [contestant.name for contestant in options.contestants if contestant not in installed]
    effort, results = Effort(options.rounds, options.threads, options.quick), Results()
    print("importing", file=sys.stderr)
    measure_imports(installed, effort, results)
    ready = [contestant for contestant in installed if ("", contestant.name) not in results.failures]
    for workload in options.workloads:
        print(f"measuring {workload}", file=sys.stderr)
        measure_workload(workload, ready, effort, results)
        # A run takes minutes: one that is cut short has shown what it had.
        print(table(results, [contestant.name for contestant in ready], absent, [workload]), file=sys.stderr)
        if options.json:
            options.json.write_text(json.dumps(as_data(results, options.workloads, absent), indent=1) + "\n")
    versions = ", ".join(f"{name} {version}".strip() for name, version in results.versions.items())
    print(f"{platform.machine()}, {options.threads} threads, {options.rounds} rounds, medians; {versions}")
    print(table(results, [contestant.name for contestant in ready], absent, options.workloads))


if __name__ == "__main__":
    main()
