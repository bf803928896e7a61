"""How long a page waits for what its reader does, measured in Chromium; and how long a class does.

A slider is moved as by a click. An answer counts when the browser has painted it. The next movement
comes soon after the exact answer, while derivatives there are still being computed: that work has
to be given up first, as it has for a person who goes on.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import play
from benchmarks.report import Plan, Table, machine, times
from detente.game.compile import compile_game
from detente.scenario.loader import load
from detente.simulation.forecast import forecast
from detente.solver.solve import solve
from tests.chromium import chromium

CASE = "pyeongchang-2018"
"""The default scenario."""

MOVES = 30

BETWEEN = 3.0
"""Seconds from an exact answer to the next movement."""

PATIENCE = 300.0
"""Seconds that an answer may take."""

FIRST = 3600.0
"""Seconds that the first one may take, which may have to wait for kernels to be compiled."""

STAGES = ("linear", "coarse", "exact")

MOVE = """
const [name, value, done] = arguments;
const input = document.querySelector(`#three input[type=range][data-name="${name}"]`);
const line = document.getElementById('stage'), seen = {}, drawn = {};
const painted = () => new Promise((then) => requestAnimationFrame(() => setTimeout(then)));
const begin = performance.now();
const look = async () => {
  const stage = line.dataset.stage;
  if (stage in seen) return;
  seen[stage] = 0;
  const bars = [...document.querySelectorAll('#chances .now')];
  drawn[stage] = bars.map((bar) => parseFloat(bar.style.width));
  await painted();
  seen[stage] = performance.now() - begin;
  if (stage === 'exact') { watch.disconnect(); done([seen, drawn]); }
};
const watch = new MutationObserver(look);
input.value = value;
input.dispatchEvent(new Event('input', {bubbles: true}));
look();
watch.observe(line, {attributes: true});
input.dispatchEvent(new Event('change', {bubbles: true}));
"""

SLIDERS = """
if (document.getElementById('stage').dataset.stage !== 'exact') return null;
if (!document.getElementById('decisive-about').textContent.startsWith('The three')) return null;
return [...document.querySelectorAll('#three input[type=range]')].map(
  (input) => [input.dataset.name, Number(input.min), Number(input.max)]);
"""


def run(plan: Plan) -> list[Table]:
    """The page of the default scenario, and the class of `benchmarks.play`."""
    return [thinking(plan), *play.run(plan)]


def thinking(plan: Plan) -> Table:
    """The three answers to a moved slider."""
    number = 2 if plan.quick else MOVES
    plan.tell(f"{CASE}, a slider moved {number} times")
    moves = measured(number)
    rows: list[list[object]] = []
    for stage in STAGES:
        known = [
            (seen[stage], drawn[stage], drawn["exact"]) for seen, drawn in moves if stage in seen
        ]
        off = [np.abs(np.subtract(early, exact)).max() for _, early, exact in known]
        cells = [play.spread([ms / 1e3 for ms, *_ in known]), "–"] if known else ["–", "–"]
        if known and stage != "exact":
            cells[1] = " / ".join(f"{points:.1f}" for points in np.quantile(off, [0.5, 0.95]))
        rows.append([stage, len(known), *cells])
    plan.tell("the same by solve and forecast")
    game = compile_game(load(CASE))
    taken = times(lambda: forecast(solve(game)), replace(plan, runs=2))
    note = (
        "Milliseconds until the browser shows it: the median, what 95 of 100 stay below, and the "
        "longest. Off: the largest difference of any outcome's probability from the exact answer, "
        "in points of a hundred, the median and what 95 of 100 stay below. `solve` and `forecast` "
        f"alone take {taken} for this game."
    )
    return Table(f"{CASE}: a slider is moved", note, ["answer", "moves", "shown, ms", "off"], rows)


def measured(number: int) -> list[tuple[dict[str, float], dict[str, list[float]]]]:
    """For each movement: milliseconds to each stage of its answer, and the bars that were drawn."""
    rng = random.Random(17)
    with (
        play.served(CASE) as address,
        tempfile.TemporaryDirectory() as profile,
        chromium(Path(profile)) as browser,
    ):
        browser.get(address)
        browser.set_script_timeout(PATIENCE)
        end = time.monotonic() + FIRST
        while not (sliders := browser.execute_script(SLIDERS)):
            assert time.monotonic() < end
            time.sleep(0.1)
        moves = []
        for _ in range(number):
            time.sleep(BETWEEN)
            name, low, high = rng.choice(sliders)
            moves.append(browser.execute_async_script(MOVE, name, rng.uniform(low, high)))
        return moves


PARTS = {"thinking": lambda plan: [thinking(plan)], "play": play.run}
"""What can be measured alone."""


def main(words: Sequence[str] | None = None) -> None:
    """Print parts of the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workbench")
    parser.add_argument("part", nargs="+", choices=PARTS)
    parser.add_argument("--quick", action="store_true", help="few moves and players")
    chosen = parser.parse_args(words)
    plan = Plan(quick=True, runs=2) if chosen.quick else Plan()
    print(machine(plan), flush=True)
    for part in chosen.part:
        for table in PARTS[part](plan):
            print(f"\n{table}", flush=True)


if __name__ == "__main__":
    main()
