"""The contestants as the parent sees them: how each is started, and a pipe to its worker."""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BACKENDS = ("jax", "tensorflow", "torch")


@dataclass(frozen=True, eq=False)
class Contestant:
    """A package to time: its name in the table, interpreter, and the environment that selects it."""

    name: str
    package: str
    python: str
    environment: dict[str, str] = field(default_factory=dict)
    compile_options: dict[str, Any] = field(default_factory=dict)
    # What has to be importable besides the package.
    needs: str = ""
    # Whether compiled code outlives a process, so that a first step is cold only once.
    keeps_kernels: bool = False

    def installed(self) -> bool:
        """Whether its interpreter finds the package and its backend (neither is imported)."""
        names = [name for name in (self.package, self.needs) if name]
        check = f"import importlib.util as u, sys; sys.exit(not all(u.find_spec(n) for n in {names!r}))"
        command = [self.python, "-c", check]
        try:
            return subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
        except OSError:
            return False


def peer(name: str, python: str) -> Contestant:
    """A Keras backend by name, such as "jax" or "tensorflow-nojit".

    Raises:
        ValueError: there is no such backend or suffix.
    """
    backend, _, suffix = name.partition("-")
    if backend not in BACKENDS or suffix not in ("", "jit", "nojit"):
        raise ValueError(f"No peer {name!r}: expected one of {', '.join(BACKENDS)}, with -jit or -nojit if need be.")
    options = {"jit_compile": suffix == "jit"} if suffix else {}
    return Contestant(name, "keras", python, {"KERAS_BACKEND": backend}, options, needs=backend)


def layerkit(python: str) -> Contestant:
    """The package of this repository."""
    return Contestant("layerkit", "layerkit", python, keeps_kernels=True)


def _threads(count: int) -> dict[str, str]:
    names = "OMP MKL OPENBLAS NUMBA LAYERKIT".split()
    told = {f"{name}_NUM_THREADS": str(count) for name in names}
    told |= {"TF_NUM_INTRAOP_THREADS": str(count), "TF_NUM_INTEROP_THREADS": str(count)}
    # Quiet, and on the CPU even where there is more.
    return told | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


class WorkerFailed(RuntimeError):
    """A worker answered with an error, or died."""


class WorkerPipe:
    """A running worker, compiled kernels in the folder `cache`; `ask` sends a request and waits for its answer."""

    def __init__(self, contestant: Contestant, threads: int, cache: str, program: str = "benchmarks.worker"):
        self.contestant = contestant
        self._log = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [contestant.python, "-m", program, contestant.package, str(threads)],
            cwd=ROOT,
            env={**os.environ, **_threads(threads), "LAYERKIT_CACHE": cache, **contestant.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """The worker's answer.

        Raises:
            WorkerFailed: the request failed in the worker, or the worker is gone; the text says why.
        """
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._log.seek(0)
            last = (self._log.read().strip().splitlines() or ["no output"])[-1]
            raise WorkerFailed(f"the worker ended with code {self._process.wait()}: {last}")
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerFailed(answer["error"])
        return answer

    def close(self) -> None:
        """Ends the worker and waits for it."""
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()
