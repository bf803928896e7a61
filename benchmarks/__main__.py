"""Run the benchmarks and print their tables.

python3 scripts/env.py python -m benchmarks [--quick] [--only NAME] [--output FILE] [--write]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import flagship, scaling, stage, stationary, trees
from benchmarks.report import Plan, Table, machine

RESULTS = Path(__file__).with_name("results.md")

BENCHMARKS: dict[str, Callable[[Plan], list[Table]]] = {
    "gambit": trees.run,
    "sgamesolver": stationary.run,
    "stage": stage.run,
    "scaling": scaling.run,
    "pyeongchang": flagship.run,
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
    parser.add_argument("--write", action="store_true", help="rewrite benchmarks/results.md")
    chosen = parser.parse_args(words)
    if chosen.write and (chosen.quick or chosen.only):
        parser.error("--write is for a full run: leave out --quick and --only")
    plan = Plan(quick=True, runs=2) if chosen.quick else Plan()
    parts = [HEAD, machine(plan)]
    print(parts[-1], flush=True)
    for name in chosen.only or BENCHMARKS:
        print(f"{name}:", file=sys.stderr, flush=True)
        for table in BENCHMARKS[name](plan):
            parts.append(str(table))
            print(f"\n{table}", flush=True)
    text = "\n\n".join(parts) + "\n"
    for path in (chosen.output, RESULTS if chosen.write else None):
        if path is not None:
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
