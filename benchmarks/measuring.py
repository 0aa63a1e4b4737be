"""The run: every measure of every workload, contestants in turn."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field

from .contestants import Contestant, WorkerFailed, WorkerPipe
from .workloads import WORKLOADS


@dataclass
class Results:
    """Samples by (workload, measure, contestant), and what went wrong by (workload, contestant)."""

    samples: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def add(self, workload: str, measure: str, contestant: str, value: float) -> None:
        """Adds a sample."""
        self.samples.setdefault((workload, measure, contestant), []).append(value)

    def copy(self, workload: str, source: str, measure: str, contestant: str) -> None:
        """Gives a measure the samples of another."""
        self.samples[workload, measure, contestant] = list(self.samples[workload, source, contestant])


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds, threads, and the part of a workload's steps that an epoch has."""

    rounds: int
    threads: int
    quick: bool

    def steps(self, workload: str) -> int:
        """Steps of an epoch."""
        return max(2, WORKLOADS[workload].steps // 8) if self.quick else WORKLOADS[workload].steps

    @property
    def calls(self) -> int:
        """Calls on one sample a round."""
        return 5 if self.quick else 15


def measure_imports(contestants: list[Contestant], effort: Effort, results: Results) -> None:
    """Import times, each in a fresh process; the first process of each only fills the disk's cache."""
    with tempfile.TemporaryDirectory() as cache:
        for turn in range(effort.rounds + 1):
            for contestant in contestants:
                if ("", contestant.name) in results.failures:
                    continue
                with _noting("", contestant, results), closing(WorkerPipe(contestant, effort.threads, cache)) as worker:
                    answer = worker.ask("imported")
                    results.versions[contestant.name] = answer["version"]
                    if turn:
                        results.add("", "import", contestant.name, answer["seconds"])


def measure_workload(name: str, contestants: list[Contestant], effort: Effort, results: Results) -> None:
    """All measures of one workload; a contestant that fails drops out and the others go on."""
    with ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        workers = {}
        for contestant in contestants:
            if contestant.keeps_kernels:
                with _noting(name, contestant, results), closing(WorkerPipe(contestant, effort.threads, cache)) as cold:
                    _first_step(name, cold, effort, results, "first step, cold")
            worker = stack.enter_context(closing(WorkerPipe(contestant, effort.threads, cache)))
            with _noting(name, contestant, results):
                _first_step(name, worker, effort, results, "first step")
                workers[contestant] = worker
            if contestant in workers and not contestant.keeps_kernels:
                results.copy(name, "first step", "first step, cold", contestant.name)
        for _ in range(effort.rounds):
            for contestant, worker in list(workers.items()):
                with _noting(name, contestant, results, workers):
                    _round(name, worker, effort, results)
        for contestant, worker in list(workers.items()):
            with _noting(name, contestant, results, workers):
                results.add(name, "peak memory", contestant.name, worker.ask("memory")["mebibytes"])


def _first_step(name: str, worker: WorkerPipe, effort: Effort, results: Results, measure: str) -> None:
    contestant = worker.contestant
    answer = worker.ask(
        "first_step", workload=name, steps=effort.steps(name), compile_options=contestant.compile_options
    )
    results.add(name, measure, contestant.name, answer["seconds"])


def _round(name: str, worker: WorkerPipe, effort: Effort, results: Results) -> None:
    contestant = worker.contestant.name
    fitted = worker.ask("fit")
    results.add(name, "step in fit", contestant, fitted["seconds"])
    results.samples[name, "loss", contestant] = [fitted["loss"]]
    results.add(name, "predict(1)", contestant, worker.ask("predict_one", calls=effort.calls)["seconds"])
    results.add(name, "call(1)", contestant, worker.ask("call_one", calls=effort.calls)["seconds"])
    results.add(name, "predict batches", contestant, worker.ask("predict_batches")["rate"])


@contextmanager
def _noting(
    workload: str, contestant: Contestant, results: Results, running: dict[Contestant, WorkerPipe] | None = None
) -> Iterator[None]:
    """Keeps a failure for the table, and takes the contestant out of those that are running."""
    try:
        yield
    except WorkerFailed as error:
        results.failures[workload, contestant.name] = str(error)
        if running is not None:
            del running[contestant]
