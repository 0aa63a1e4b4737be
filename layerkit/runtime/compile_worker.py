"""`python -m layerkit.runtime.compile_worker` compiles kernels, which it reads as JSON, into the disk cache."""

from __future__ import annotations

import json
import sys

from layerkit.kernels.launch import Kernel
from layerkit.runtime.kernel_cache import compile_to_disk


def main() -> None:
    """Compile what comes from the input."""
    for entry in json.load(sys.stdin):
        constants = tuple((name, value) for name, value in entry.pop("constants"))
        compile_to_disk(Kernel(**entry, constants=constants))


if __name__ == "__main__":
    main()
