"""What somebody waits for who begins: the environment, the first forecast, the small commands.

Everything is measured as whole processes, with all that they import. `--against DIR` measures the
same commands of another checkout beside them, in turn.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from benchmarks.report import ROOT, Plan, Table, Times, ratio, size

LEAST = ("-c", "import numpy, numba")
"""What cannot be avoided: the solver's two libraries, imported and not used."""

SMALL = "bargaining-rounds"
LARGE = "pyeongchang-2018"

COMMANDS: dict[str, tuple[str, ...]] = {
    "--help": ("--help",),
    "check": ("check", SMALL),
    "run": ("run", SMALL),
    "sample": ("sample", SMALL),
}
COLD = "first run"

DRAWS = {False: "100000", True: "100"}
"""Histories that are sampled, by whether it is quick."""

FEWER = 3
"""Runs of what fetches packages or compiles the solver."""

LAUNCH = """
import json, os, resource, subprocess, sys, time
begin = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
told = process.stderr.read()
_, status, used = os.wait4(process.pid, 0)
seconds = time.perf_counter() - begin
if status:
    sys.exit(told.decode())
print(json.dumps([seconds, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)]))
"""
"""A small process between: memory is never told as less than that of who has started one."""


@dataclass(frozen=True)
class Checkout:
    """A checkout whose commands are measured: with its own environment, where it has one."""

    root: Path
    cache: Path

    @property
    def python(self) -> str:
        own = self.root / ".venv" / "bin" / "python"
        return str(own) if self.root != ROOT and own.exists() else sys.executable

    def run(self, *words: str, cache: Path | None = None) -> tuple[float, int]:
        """Seconds and peak memory of one process."""
        settings = {
            "PYTHONPATH": str(self.root / "src"),
            "DETENTE_CACHE_DIR": str(cache or self.cache),
        }
        return measured([self.python, *words], settings)

    def detente(self, *words: str, cache: Path | None = None) -> tuple[float, int]:
        return self.run("-m", "detente.cli.main", *words, cache=cache)


@dataclass
class Found:
    """What was measured of one command."""

    seconds: list[float] = field(default_factory=list)
    memory: int = 0

    def add(self, run: tuple[float, int]) -> None:
        self.seconds.append(run[0])
        self.memory = max(self.memory, run[1])

    @property
    def times(self) -> Times:
        return Times(tuple(self.seconds))


def measured(command: list[str], settings: Mapping[str, str]) -> tuple[float, int]:
    """Seconds and peak memory of a command, which has to succeed."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCH, *command],
        env={**os.environ, **settings},
        cwd=tempfile.gettempdir(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    seconds, memory = json.loads(done.stdout)
    return float(seconds), int(memory)


def run(plan: Plan) -> list[Table]:
    """The commands, what is installed, and the environment from nothing."""
    tables = [commands(plan), installed()]
    return tables if plan.quick else [*tables, environment(plan)]


def commands(plan: Plan) -> Table:
    """Whole processes, the checkouts in turn."""
    with tempfile.TemporaryDirectory() as folder:
        roots = [ROOT, *([plan.against.resolve()] if plan.against else [])]
        here, *there = (Checkout(root, Path(folder) / str(k)) for k, root in enumerate(roots))
        found = [{name: Found() for name in ("import", *COMMANDS, COLD)} for _ in roots]
        for k in range(plan.runs):
            for checkout, each in zip((here, *there), found, strict=True):
                plan.tell(f"round {k + 1} of {plan.runs} in {checkout.root}")
                round_of(checkout, each, plan, cold=k < FEWER)
    least = found[0]["import"].times.median
    rows = []
    for name, ours in found[0].items():
        row = [name, ours.times, ratio(ours.times.median, least), size(ours.memory)]
        for theirs in found[1:]:
            row += [theirs[name].times, ratio(ours.times.median, theirs[name].times.median)]
        rows.append(row)
    columns = ["", "time", "beside the imports", "peak memory"]
    columns += ["there", "here by there"] if there else []
    note = (
        f"Whole processes: `import` is `python -c '{LEAST[1]}'`, the others are `detente` with "
        f"`--help`, `check` and `run` of `{SMALL}`, `sample` of {DRAWS[plan.quick]} histories of "
        f"it, and `run {LARGE}` where no kernel has been compiled before."
    )
    return Table("The commands", note, columns, rows)


def round_of(checkout: Checkout, found: Mapping[str, Found], plan: Plan, *, cold: bool) -> None:
    """Every command once, and in the first rounds the one that compiles the solver."""
    if cold:
        short = ("--horizon", "1", "--beliefs", "5") if plan.quick else ()
        with tempfile.TemporaryDirectory() as cache:
            found[COLD].add(checkout.detente("run", LARGE, *short, cache=Path(cache)))
    if not checkout.cache.exists():
        checkout.detente("run", SMALL)  # it compiles, and does not count
    found["import"].add(checkout.run(*LEAST))
    for name, words in COMMANDS.items():
        draws = ("--draws", DRAWS[plan.quick], "--seed", "1") if name == "sample" else ()
        found[name].add(checkout.detente(*words, *draws))


# ---- what is installed


def installed() -> Table:
    """The distributions that the base install brings, with their sizes."""
    names = sorted(closure("detente") - {"detente"})
    sizes = {name: weight(name) for name in names}
    largest = sorted(names, key=lambda name: -sizes[name])[:5]
    rows = [["all", len(names), size(sum(sizes.values()))]]
    rows += [[name, 1, size(sizes[name])] for name in largest]
    note = "What `pip install .` brings besides Detente: files as installed, without bytecode."
    return Table("The base install", note, ["distribution", "number", "size"], rows)


def closure(name: str) -> set[str]:
    """A distribution with all that it requires without extras, of what is installed."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        name = re.sub(r"[-_.]+", "-", ahead.pop()).lower()
        try:
            required = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system or another Python
        if name not in found:
            found.add(name)
            plain = (line for line in required if not re.search(r"\bextra\s*==", line))
            ahead += [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in plain]
    return found


def weight(name: str) -> int:
    """Bytes of a distribution's files."""
    files = metadata.files(name) or []
    there = (Path(str(file.locate())) for file in files if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in there if path.exists())


# ---- from nothing


def environment(plan: Plan) -> Table:
    """The README's first command in a fresh checkout, its packages fetched each time."""
    alone, whole = Found(), Found()
    for k in range(FEWER):
        plan.tell(f"the environment from nothing, {k + 1} of {FEWER}")
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "checkout"
            root.mkdir()
            for name in ("src", "scripts"):
                shutil.copytree(ROOT / name, root / name)
            for name in ("pyproject.toml", "README.md", "LICENSE"):
                shutil.copy(ROOT / name, root)
            settings = {
                "PIP_NO_CACHE_DIR": "1",
                "PYTHONPATH": "",
                "DETENTE_CACHE_DIR": str(root / "kernels"),
            }
            command = [sys.executable, str(root / "scripts" / "env.py"), "detente"]
            alone.add(first := measured([*command, "--help"], settings))
            then = measured([*command, "run", LARGE], settings)
            whole.add((first[0] + then[0], then[1]))
    rows = [["environment", alone.times], ["to the first forecast", whole.times]]
    note = f"`python3 scripts/env.py detente run {LARGE}` in a fresh checkout, nothing kept by pip."
    return Table("From nothing", note, ["", "time"], rows)
