"""The pages in Markdown: their Python runs, quotations are exact, links lead somewhere."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import layerkit

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/**/*.md"))
# A block that begins so is a quotation of a file of the repository; any other is run.
QUOTED = re.compile(r"# ((?:layerkit|tests)/\S+\.py)$")
NAME = re.compile(r"`(layerkit(?:\.\w+)+)(?:\(.*?\))?`")
FILE = re.compile(r"`((?:layerkit|tests|benchmarks|docs)/[\w/]+\.\w+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A block of Python: the number of its first line in the page, and its lines."""

    start: int
    lines: tuple[str, ...]

    @property
    def source(self) -> re.Match | None:
        return QUOTED.match(self.lines[0])


def blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text().splitlines()
    inside = None
    for number, line in enumerate(lines):
        if inside is None and line == "```python":
            inside = number + 1
        elif inside is not None and line == "```":
            yield Block(inside, tuple(lines[inside:number]))
            inside = None


def script(page: Path) -> str:
    """The Python of a page, on the lines where it stands there, so that errors name those."""
    lines = [""] * len(page.read_text().splitlines())
    for block in blocks(page):
        if not block.source:
            lines[block.start : block.start + len(block.lines)] = block.lines
    return "\n".join(lines)


def in_repository(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=in_repository)


@pytest.mark.parametrize("page", [page for page in PAGES if script(page).strip()], ids=in_repository)
def test_python_runs(page: Path, tmp_path: Path) -> None:
    file = tmp_path / f"{page.stem}.py"
    file.write_text(script(page))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-W", "error", str(file)]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, f"{page.name}:\n{run.stderr}"


@every_page
def test_quotations_are_exact(page: Path) -> None:
    for block in blocks(page):
        if block.source:
            text = "\n".join(block.lines[1:])
            assert text in (ROOT / block.source[1]).read_text(), f"line {block.start + 1}"


@every_page
def test_links_lead_to_files(page: Path) -> None:
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text())]
    near = [target for target in targets if target and not re.match(r"\w+:", target)]
    assert [target for target in near if not (page.parent / target).exists()] == []


@every_page
def test_named_files_and_names_exist(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert [file for file in FILE.findall(text) if not (ROOT / file).exists()] == []
    assert [name for name in NAME.findall(text) if not resolves(name)] == []


def resolves(name: str) -> bool:
    """Whether a dotted name is a module or something in one."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if not hasattr(thing, part):
                return False
            thing = getattr(thing, part)
        return True
    return False


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("Softplus", {"ops/elementwise.py"}),
        ("RepeatVector", {"layers/reshaping.py"}),
        ("Lion", {"optimizers/gradient_descent.py"}),
    ],
)
def test_a_class_is_known_to_its_file_alone(name: str, places: set[str]) -> None:
    """Adding one touches no other file of the package."""
    package = Path(layerkit.__file__).parent
    files = [file for file in package.rglob("*.py") if re.search(rf"\b{name}\b", file.read_text())]
    assert {str(file.relative_to(package)) for file in files} == places
