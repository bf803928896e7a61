"""The shape of the sources: which way imports go, no cycles, nothing evaluated, short modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "src" / "detente"
LAYERS = [
    "errors",
    "text",
    "arguments",
    "dtypes",
    "files",
    "processes",
    "extras",
    "numbers",
    "notebook",
    "scenario",
    "game",
    "solver",
    "simulation",
    "analysis",
    "estimation",
    "ensembles",
    "report",
    "describe",
    "pictures",
    "render",
    "workbench",
    "cli",
]
"""Each may import those before it."""
LIBRARY = {
    "detente.scenario.loader",
    "detente.scenario.observations",
    "detente.cli.main",
    "detente.cli.complete",
    "detente.cli.track",
    "detente.workbench.analyses",
    "detente.workbench.desk",
}
"""Modules that may read the library of scenarios, which is data."""
LONGEST = 400
MOST_PARAMETERS = 10


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}


@cache
def tree(module: str) -> ast.Module:
    """A module, parsed when a test first looks at it."""
    return ast.parse(MODULES[module].read_text("utf-8"))


def layer_of(module: str) -> str:
    """`game` for `detente.game.compile`; '' for the package itself."""
    return f"{module}.".split(".")[1]


def imports(module: str, *, typing: bool) -> Iterator[str]:
    """The project's modules that a module imports, also within functions.

    With `typing`, those too that only type checkers see.
    """
    for node in walk(tree(module), typing):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports in full"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in names]
        else:
            continue
        yield from (name for name in names if name in MODULES)


def walk(parent: ast.AST, typing: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(parent):
        if not typing and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from walk(node, typing)


def test_every_module_is_known() -> None:
    assert len(MODULES) > 40
    assert {layer_of(module) for module in MODULES} == {"", *LAYERS, "library"}


def may_import(module: str, target: str) -> bool:
    """Whether layers allow it; those of the package itself may import everything."""
    here, there = layer_of(module), layer_of(target)
    if here == "":
        return True
    if there == "library":
        return module in LIBRARY or here == "library"
    if there == "":
        return here in {"describe", "cli"}
    return here != "library" and LAYERS.index(there) <= LAYERS.index(here)


def test_imports_go_one_way() -> None:
    pairs = [(module, target) for module in MODULES for target in imports(module, typing=True)]
    assert len(pairs) > 1000
    assert [pair for pair in pairs if not may_import(*pair)] == []


def test_errors_import_nothing_of_the_project() -> None:
    assert list(imports("detente.errors", typing=True)) == []


def test_the_package_imports_nothing_before_it_is_used() -> None:
    names = imports("detente", typing=False)
    assert list(names) == ["detente.extras"]  # where a package is missing


def test_kernels_know_arrays_only() -> None:
    for module in MODULES:
        if module.startswith("detente.solver.kernels."):
            for target in imports(module, typing=True):
                assert target.startswith("detente.solver.kernels"), f"{module} imports {target}"


def test_there_are_no_cycles() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for target in imports(module, typing=False):
                visit(target, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_nothing_is_evaluated() -> None:
    forbidden = {"eval", "exec", "compile", "__import__"}
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in forbidden, f"{module}:{node.lineno}"
            if isinstance(node, ast.Import):
                assert not {"pickle", "marshal"} & {alias.name for alias in node.names}, module


def test_modules_are_short() -> None:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_functions_take_few_parameters() -> None:
    """What belongs together is one value: options, a query, a group of a command's options."""
    wide = []
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef):
                taken = node.args
                count = len(taken.posonlyargs) + len(taken.args) + len(taken.kwonlyargs)
                if count > MOST_PARAMETERS:
                    wide.append(f"{module}:{node.lineno} {node.name}: {count}")
    assert wide == []


def test_tests_mirror_the_sources() -> None:
    folders = {path.name for path in Path(__file__).parent.iterdir() if path.is_dir()}
    assert set(LAYERS) - set(LAYERS[: LAYERS.index("scenario")]) | {"library"} <= folders


@cache
def names_of(module: str) -> set[str]:
    """What a module defines at its top."""
    found = set()
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return found


def test_what_a_docstring_points_to_is_there() -> None:
    """`detente.solver.sweep.sweep` and, for a module of the same folder, `sweep.sweep`."""
    looked, lost = 0, []
    for module, path in MODULES.items():
        package = module.rpartition(".")[0]
        for dotted in re.findall(r"`((?:\w+\.)+\w+)`", path.read_text("utf-8")):
            home, _, name = dotted.rpartition(".")
            for full in (home, f"{package}.{home}"):
                if full in MODULES and full != "detente":
                    inside = {m.rpartition(".")[2] for m in MODULES if m.startswith(f"{full}.")}
                    looked += 1
                    if name not in names_of(full) | inside:
                        lost.append(f"{module}: `{dotted}`")
    assert looked > 20
    assert lost == []
