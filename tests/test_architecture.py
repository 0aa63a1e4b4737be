"""The house's rules: imports go down the floors, none hides inside a function, files have a readable size."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import layerkit

PACKAGE = Path(layerkit.__file__).parent
FLOORS = {
    "errors": 0, "checks": 0, "dtypes": 0, "registry": 0, "serialization": 0, "config": 0, "tree": 0, "namespaces": 0,
    "missing_names": 0,
    "graph": 1, "kernels": 1, "runtime": 2, "compiler": 3, "ops": 4, "tracing": 4,
    "random": 5, "initializers": 5, "activations": 5, "regularizers": 5, "constraints": 5,
    "losses": 5, "metrics": 5, "optimizers": 5, "data": 5,
    "layers": 6, "models": 7, "training": 7, "callbacks": 7, "saving": 7,
    "datasets": 8, "utils": 8, "distillation": 8, "visualization": 8, "preprocessing": 8, "distribution": 8,
    "backend": 8, "dtype_policies": 8, "mixed_precision": 8, "wrappers": 8, "legacy": 8,
    "running": 9, "tensorflow_names": 9, "__main__": 9, "examples": 9, "__init__": 9,
}  # fmt: skip
# Imported where something is first compiled, read or drawn, so that `import layerkit` stays fast.
DEFERRED = {
    "numba", "llvmlite", "h5py", "tqdm", "importlib.metadata", "layerkit.kernels.abi", "tarfile", "urllib.request",
}  # fmt: skip
LONGEST_FILE = 500
FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {
    ".".join(("layerkit", *p.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): p for p in FILES
}


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> list[tuple[str, ast.stmt]]:
    """What is imported: modules by their whole name, also where a package gives them."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                found.append((whole if whole in MODULES or node.module == "layerkit" else node.module, node))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path):
    own = FLOORS[place(path)]
    for name, node in imports(ast.parse(path.read_text())):
        parts = name.split(".")
        if parts[0] != "layerkit" or len(parts) == 1:
            continue
        other = parts[1]
        if other not in FLOORS:
            continue  # a name of the package itself, as layerkit.__version__
        same_folder = other == place(path)
        assert same_folder or FLOORS[other] <= own, (
            f"line {node.lineno}: floor {own} imports {name}, floor {FLOORS[other]}"
        )


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_import_hides_in_a_function(path):
    tree = ast.parse(path.read_text())
    for function in (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))):
        for name, node in imports(function):
            allowed = any(name == one or name.startswith(one + ".") for one in DEFERRED)
            assert allowed, f"line {node.lineno}: {name} is imported in {function.name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_of_a_size_to_read(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_modules_form_no_cycle():
    edges: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        tree = ast.parse(path.read_text())
        guarded = {
            n
            for i in ast.walk(tree)
            if isinstance(i, ast.If) and "TYPE_CHECKING" in ast.dump(i.test)
            for n in ast.walk(i)
        }
        edges[name] = {
            other for other, node in imports(tree) if other in MODULES and other != name and node not in guarded
        }
    state: dict[str, int] = {}

    def visit(name: str, way: list[str]) -> None:
        state[name] = 1
        for other in sorted(edges[name]):
            assert state.get(other) != 1, f"cycle: {' -> '.join([*way, name, other])}"
            if other not in state:
                visit(other, [*way, name])
        state[name] = 2

    for name in sorted(edges):
        if name not in state:
            visit(name, [])


def test_importing_is_light():
    code = "import sys, layerkit; print([m for m in ('numba', 'llvmlite', 'h5py', 'tqdm') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
