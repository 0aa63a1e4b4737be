import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, warnings
import numpy as np
warnings.simplefilter("error" if "--strict" in sys.argv else "default")
from layerkit.tracing import compile_function
from layerkit.runtime.kernel_cache import statistics
from layerkit import ops
y = compile_function(lambda x: ops.exp(x) + 1.0)(np.zeros(3, "float32"))
assert y.tolist() == [2.0, 2.0, 2.0]
print(statistics.compiled, statistics.loaded, "numba" in sys.modules)
"""


def run(cache: Path, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *flags],
        capture_output=True,
        text=True,
        env={**os.environ, "LAYERKIT_CACHE": str(cache)},
    )


def test_a_second_process_loads_everything_and_never_imports_numba(tmp_path):
    first, second = run(tmp_path, "--strict"), run(tmp_path, "--strict")
    assert first.stdout.split()[1:] == ["0", "True"], first.stderr
    assert second.stdout.split() == ["0", first.stdout.split()[0], "False"], second.stderr
    assert not list(tmp_path.rglob(".new-*"))


def test_a_damaged_kernel_is_compiled_again_with_a_warning(tmp_path):
    run(tmp_path)
    for file in tmp_path.rglob("*.o"):
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2])
    found = run(tmp_path)
    assert "is damaged; it is compiled again" in found.stderr
    assert found.stdout.split()[1] == "0"
    assert run(tmp_path, "--strict").stdout.split()[0] == "0"


@pytest.mark.skipif(os.name != "posix", reason="a path that cannot be a folder")
def test_a_cache_that_cannot_be_written_is_a_warning(tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    found = run(file / "cache")
    assert found.returncode == 0
    assert "Set LAYERKIT_CACHE to a folder that can be written" in found.stderr
