"""The tug of war between two rivals, estimated: one unit, 440 states, both attack or not.

Crisman-Cox and Gibilisco (2024). Relative support moves by a normal distribution whose mean is
linear in it and in what both did; that is estimated first, by least squares, and rounded to
levels. The study's data are not part of the project: without them nothing is measured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

import detente
from benchmarks.report import Plan, Table, digits
from detente.dtypes import Floats
from detente.estimation.fit import FitOptions, fit
from detente.estimation.result import Fit

DATA = Path(__file__).parents[2] / "shared" / "data" / "published" / "tug-of-war"

PUBLISHED = {
    "support_H": -0.00707123056959952,
    "support_F": 0.000494785606112134,
    "attack_H": -0.945379060775566,
    "attack_F": -2.45543331012256,
}
"""The study's estimates: of a month at a support of 1, and of an attack."""

RANGES = {"suppor": "[-0.02, 0.02]", "attack": "[-4, 4]"}

LOG_LIKELIHOOD = -278.201476

TUG = """
title: A tug of war for support
about: Crisman-Cox and Gibilisco (2024)
responses: shocks
calendar: {{period: month, horizon: forever, start: 1994-01}}
actors:
  H: {{precision: 1, discount: 0.999, judgement: as in the study}}
  F: {{precision: 1, discount: 0.999, judgement: as in the study}}
state:
  support: {{levels: 0..{last}, start: {start}, about: "{lowest:.4f} at level 0, by {width:.2f}"}}
parameters:
{parameters}
turns:
  - who: [H, F]
    joint:
      about: support moves by a normal distribution, whose tails end at the first and the last level
      effects:
        - over: support
          p: >-
            (1 if to == {last} else normal_cdf({above})) -
            (0 if to == 0 else normal_cdf({below}))
      costs:
        H: -support_H * {level}
        F: -support_F * {level}
actions:
  H: {{hold: {{}}, attack: {{cost: -attack_H}}}}
  F: {{hold: {{}}, attack: {{cost: -attack_F}}}}
payoffs:
  H: {{flow: 0}}
  F: {{flow: 0}}
"""


def run(plan: Plan) -> list[Table]:
    """The published maximum, and where the principal branch leads from nothing."""
    if not DATA.exists() or plan.quick:
        return []
    rows: list[list[object]] = []
    for begun, fitted in (("published", at_published), ("from nothing", from_nothing)):
        plan.tell(f"tug of war, {begun}")
        with tempfile.TemporaryDirectory() as name:
            made = fitted(Path(name))
        values = (f"{made.values[name]:.7f}" for name in PUBLISHED)
        status = made.status.name.lower().replace("_", " ")
        rows.append([begun, f"{made.log_likelihood:.6f}", *values, status, digits(made.seconds)])
    note = (
        "`published` begins with the published estimates and choices; `from nothing` with all "
        "parameters 0, on the principal branch. Published are "
        f"{LOG_LIKELIHOOD} and {', '.join(f'{x:.7f}' for x in PUBLISHED.values())}."
    )
    columns = ["begun", "log-likelihood", *PUBLISHED, "status", "seconds"]
    return [Table("tug of war", note, columns, rows)]


def at_published(folder: Path) -> Fit:
    """The fit that begins with the published estimates and choices."""
    write(folder, PUBLISHED)
    write_choices(folder)
    return _fit(folder, near=folder / "choices.csv")


def from_nothing(folder: Path) -> Fit:
    """The fit that begins with parameters 0, on the principal branch."""
    write(folder)
    return _fit(folder, branch="principal")


def _fit(folder: Path, branch: str = "", near: Path | None = None) -> Fit:
    scenario = detente.load(folder / "tug.yaml")
    options = FitOptions(free=tuple(PUBLISHED), branch=branch, near=near)
    return fit(scenario, [], options, counts=folder / "counts.csv")


def write_choices(folder: Path) -> None:
    """The published equilibrium as `choices.csv`: the logits of its action values."""
    values = pd.read_csv(DATA / "equilibrium_v.csv")["v"].to_numpy().reshape(2, -1, 2)
    lines = ["support,H,F,number"]
    for k, own in enumerate(values):
        for level, (hold, attack) in enumerate(own):
            share = 1 / (1 + float(np.exp(hold - attack)))
            for action, part in (("hold", 1 - share), ("attack", share)):
                lines.append(
                    f"{level},{action if k == 0 else ''},{action if k else ''},{part:.17g}"
                )
    (folder / "choices.csv").write_text("\n".join(lines) + "\n")


def transition() -> tuple[Floats, float]:
    """Least squares of support on the month before: constant, attacks of H and of F, support, and
    its products with both, float64 [6]; and the standard deviation of what is left."""
    months = pd.read_csv(DATA / "monthly.csv")
    before, after = months.iloc[:-1], months["states"].to_numpy()[1:]
    h, f, s = (before[name].to_numpy(float) for name in ("Hattacks", "Fattacks", "states"))
    columns = np.stack([np.ones(s.size), h, f, s, h * s, f * s], axis=1)
    slopes = np.linalg.lstsq(columns, after)[0].astype(np.float64)
    left = after - columns @ slopes
    return slopes, float(np.sqrt(left @ left / (left.size - slopes.size)))


def write(folder: Path, values: Mapping[str, float] | None = None) -> None:
    """The study as `tug.yaml` and `counts.csv`.

    `values` are the parameters' starts, 0 where none are given.
    """
    levels = pd.read_csv(DATA / "states.csv")["state"].to_numpy()
    months = pd.read_csv(DATA / "monthly.csv")
    lowest, width = float(levels[0]), float(levels[1] - levels[0])
    rows = np.rint((months["states.discrete"].to_numpy() - lowest) / width).astype(int)
    moves = {
        actor: np.where(months[f"{actor}attacks"] == 1, "attack", "hold") for actor in ("H", "F")
    }
    table = pd.DataFrame({"support": rows, **moves, "number": 1})
    counts = table.groupby(["support", "H", "F"], as_index=False).sum()
    counts.to_csv(folder / "counts.csv", index=False)
    slopes, spread = transition()
    level = f"({lowest!r} + {width!r} * support)"
    attacks = {actor: f"(move({actor}) == attack)" for actor in ("H", "F")}
    constant, h, f, own, h_own, f_own = (repr(float(x)) for x in slopes)
    mean = (
        f"{constant} + {h} * {attacks['H']} + {f} * {attacks['F']} + ({own} + {h_own} * "
        f"{attacks['H']} + {f_own} * {attacks['F']}) * {level}"
    )

    def bound(half: str) -> str:
        return f"({lowest!r} + {width!r} * (to {half}) - ({mean})) / {spread!r}"

    text = TUG.format(
        last=levels.size - 1,
        start=int(rows[0]),
        lowest=lowest,
        width=width,
        level=level,
        above=bound("+ 0.5"),
        below=bound("- 0.5"),
        parameters="\n".join(
            f"  {name}: {{value: {(values or {}).get(name, 0.0)!r}, range: {RANGES[name[:6]]}, "
            "unit: payoff, judgement: a start}"
            for name in PUBLISHED
        ),
    )
    (folder / "tug.yaml").write_text(text)
