"""`detente implies` and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.cli.test_cli import Told, run

__all__ = ["run"]  # the fixture

Run = Callable[..., Told]


def test_what_is_odd_comes_first(run: Run) -> None:
    told = run("implies", "small.yaml")
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == "A small stand-off"
    odd, rates, odds = (
        next(n for n, line in enumerate(lines) if line.startswith(head))
        for head in ("Odd", "What is worth how much", "How often moves are made")
    )
    assert odd < rates < odds
    assert "the cost of `give` is worth 1 months of x at 1 rather than 0" in " ".join(
        line.strip() for line in lines
    )


def test_it_takes_values_policies_and_leaves_as_data(run: Run, tmp_path: Path) -> None:
    told = run("implies", "small.yaml", "--set", "price.firm=3", "--policy", "nothing", "--json")
    data = json.loads(told.out)
    assert data["scenario"]["policy"] == "nothing"
    costs = [r for r in data["rates"] if r["kind"] == "move" and r["what"] == "give"]
    assert {r["type"]: r["periods"] for r in costs} == {"firm": -3, "soft": -0.2}
    assert run("implies", "small.yaml", "--csv", "tables").code == 0
    names = {path.name for path in (tmp_path / "tables").iterdir()}
    assert names >= {"rates.csv", "odds.csv", "yardsticks.csv", "swings.csv"}


def test_a_mistake_has_its_place(run: Run, tmp_path: Path) -> None:
    text = (tmp_path / "small.yaml").read_text("utf-8").replace("flow: x", "flow: 1 / x")
    (tmp_path / "wrong.yaml").write_text(text, "utf-8")
    told = run("implies", "wrong.yaml")
    assert told.code == 2
    assert told.err.startswith("wrong.yaml:15:21: error[not-finite]: `1 / x` divides by zero")


def test_nothing_is_solved_and_no_kernel_imported() -> None:
    program = (
        "import sys; sys.argv = ['detente', 'implies', 'chain-store'];"
        "from detente.cli.main import main; main()"
    )
    script = (
        f"import atexit, sys; atexit.register(lambda: print('numba' in sys.modules)); {program}"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert done.stdout.rstrip().endswith("False")
