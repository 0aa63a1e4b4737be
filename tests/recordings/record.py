"""Records what real Keras computes, for the tests of this folder's neighbours.

Run with Keras 3 and both TensorFlow and JAX installed:

    KERAS_BACKEND=tensorflow python tests/recordings/record.py [family ...]

Every number is seeded by the name of its case, so a second run on the same versions writes the same recordings. The
same cases then run on JAX in a second process: the largest differences are printed; a case that differs by more than
1e-4 of max(1, |value|) says where, how much and what JAX has under "differs_from_jax"; and a case that TensorFlow
cannot run (channels_first convolutions on a CPU) is JAX's and says so under "recorded_with". `--alone` leaves JAX out.
"""

import argparse
import importlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
TOLERANCE = 1e-4
if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER.parents[1]))

from tests.recordings.loader import FAMILIES  # noqa: E402 - the path is set above


def make(family: str) -> list[dict[str, Any]]:
    """The cases of a family, computed with the backend of this process."""
    return importlib.import_module(f"tests.recordings.makers.{family}").make()


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[tuple[str, float, Any]]:
    """Leaves of two nests: (path, difference relative to max(1, |ours|), theirs); infinite where not comparable."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted(ours.keys() | theirs.keys()):
            yield from differences(ours.get(name), theirs.get(name), f"{path}/{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{path}/{index}")
    elif isinstance(ours, np.ndarray | float) and isinstance(theirs, np.ndarray | float):
        yield path, _array_difference(np.asarray(ours, "float64"), np.asarray(theirs, "float64")), theirs
    elif isinstance(ours, np.ndarray) or isinstance(theirs, np.ndarray) or ours != theirs:
        yield path, float("inf"), theirs


def _array_difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape:
        return float("inf")
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    with np.errstate(invalid="ignore"):
        relative = np.abs(ours - theirs) / np.maximum(1, np.abs(ours))
    relative = np.where(same, 0, np.where(np.isnan(relative), np.inf, relative))
    return float(relative.max(initial=0))


def merge(family: str, ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Our cases, with theirs where only they ran; prints and notes where the two differ."""
    lost = [mine for mine, other in zip(ours, theirs, strict=True) if "failed" in mine and "failed" in other]
    if lost:
        reasons = "\n".join(f"{case['name']}: {case['failed']}" for case in lost)
        raise RuntimeError(f"These cases of {family} run on neither backend:\n{reasons}")
    merged, largest = [], []
    for mine, other in zip(ours, theirs, strict=True):
        if "failed" in mine:
            merged.append({**other, "recorded_with": "jax"})
            continue
        if "failed" in other:
            print(f"  {other['name']} fails on jax: {other['failed']}")
            merged.append(mine)
            continue
        # What an initializer draws is each backend's own.
        found = [leaf for leaf in differences(mine, other) if "/sampled/" not in leaf[0]]
        largest += [(size, f"{mine['name']}{path}") for path, size, _ in found]
        notes = {
            path: {"difference": size if np.isfinite(size) else "not comparable", "jax": value}
            for path, size, value in found
            if size > TOLERANCE
        }
        merged.append({**mine, "differs_from_jax": notes} if notes else mine)
    largest.sort(reverse=True)
    print(f"{family}: {len(merged)} cases, {sum('recorded_with' in case for case in merged)} from jax alone")
    for size, where in largest[:8]:
        print(f"  {size:.2e} {where}")
    return merged


def write(family: str, made: list[dict[str, Any]]) -> None:
    """Writes `<family>.json`, where an array is {"array": name}, and `<family>.npz`; equal arrays are kept once."""
    arrays: dict[str, np.ndarray] = {}
    known: dict[tuple, str] = {}

    def named(array: np.ndarray) -> dict[str, str]:
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in known:
            known[key] = f"a{len(known)}"
            arrays[known[key]] = np.ascontiguousarray(array).reshape(array.shape)
        return {"array": known[key]}

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: replaced(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [replaced(part) for part in value]
        return named(value) if isinstance(value, np.ndarray) else value

    lines = ",\n".join(json.dumps(replaced(case)) for case in made)
    (FOLDER / f"{family}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    # Not np.savez: it writes the time of day into the archive, and the same numbers should be the same file.
    with zipfile.ZipFile(FOLDER / f"{family}.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    sizes = [(FOLDER / f"{family}{end}").stat().st_size // 1024 for end in (".npz", ".json")]
    print(f"  {family}.npz {sizes[0]} KiB, {family}.json {sizes[1]} KiB")


def made_with_jax(families: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The same cases made by a process of this program whose backend is JAX."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made"
        command = [sys.executable, __file__, "--hand-over", str(path), *families]
        subprocess.run(command, check=True, env={**os.environ, "KERAS_BACKEND": "jax"})
        return pickle.loads(path.read_bytes())


def main() -> None:
    """Makes, compares and writes the recordings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", help=f"of {', '.join(FAMILIES)}; all of them unless named")
    parser.add_argument("--alone", action="store_true", help="write what this backend computes, without comparing")
    parser.add_argument("--hand-over", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    families = options.families or list(FAMILIES)
    if unknown := set(families) - set(FAMILIES):
        parser.error(f"no such family: {', '.join(sorted(unknown))}")
    made = {family: make(family) for family in families}
    if options.hand_over:
        Path(options.hand_over).write_bytes(pickle.dumps(made))
        return
    theirs = {} if options.alone else made_with_jax(families)
    for family in families:
        write(family, made[family] if options.alone else merge(family, made[family], theirs[family]))


if __name__ == "__main__":
    main()
