"""Run the benchmarks and print their tables.

python3 scripts/env.py python -m benchmarks [--quick] [--only NAME] [--output FILE] [--write]
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import (
    audience_costs,
    audited,
    ensembles,
    estimation,
    first_minute,
    flagship,
    mechanisms,
    scaling,
    stage,
    stationary,
    trees,
    tug_of_war,
    without_end,
    workbench,
)
from benchmarks.report import Plan, Table, machine

RESULTS = Path(__file__).with_name("results.md")

BENCHMARKS: dict[str, Callable[[Plan], list[Table]]] = {
    "first-minute": first_minute.run,
    "gambit": trees.run,
    "sgamesolver": stationary.run,
    "without-end": without_end.run,
    "stage": stage.run,
    "scaling": scaling.run,
    "pyeongchang": flagship.run,
    "mechanisms": mechanisms.run,
    "audit": audited.run,
    "ensembles": ensembles.run,
    "estimation": estimation.run,
    "workbench": workbench.run,
    "audience-costs": audience_costs.run,
    "tug-of-war": tug_of_war.run,
}

HEAD = """# Benchmarks

Printed by `python3 scripts/env.py python -m benchmarks --write`; CONTRIBUTING.md says how to run
them. A ratio is the peer's median time divided by Detente's, measured in the same run."""


def main(words: Sequence[str] | None = None) -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run the benchmarks.")
    parser.add_argument("--quick", action="store_true", help="smallest sizes, few runs")
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the tables there, too")
    parser.add_argument(
        "--write", action="store_true", help="put what is measured into benchmarks/results.md"
    )
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="another checkout, measured beside this one"
    )
    chosen = parser.parse_args(words)
    if chosen.write and chosen.quick:
        parser.error("--write is for a full run: leave out --quick")
    plan = Plan(quick=True, runs=2) if chosen.quick else Plan()
    plan = replace(plan, against=chosen.against)
    sections: dict[str, str] = {}
    for name in chosen.only or BENCHMARKS:
        print(f"{name}:", file=sys.stderr, flush=True)
        facts = machine(plan)  # before the work, which would count as load
        tables = [str(table) for table in BENCHMARKS[name](plan)]
        sections[name] = "\n\n".join([f"## {name}", facts, *tables])
        print(f"\n{sections[name]}", flush=True)
    for path in (chosen.output, RESULTS if chosen.write else None):
        if path is not None:
            known = sections_of(path) if chosen.write and path.exists() else {}
            path.write_text(page({**known, **sections}), encoding="utf-8")


def page(sections: Mapping[str, str]) -> str:
    """The sections under the heading, in the order of `BENCHMARKS`."""
    known = [sections[name].strip() for name in BENCHMARKS if name in sections]
    return "\n\n".join([HEAD, *known]) + "\n"


def sections_of(path: Path) -> dict[str, str]:
    """The sections of a file that `page` made."""
    parts = re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {part.split(maxsplit=2)[1]: part for part in parts}


if __name__ == "__main__":
    main()
