"""What a run of an ensemble has come to: its draws, its failures, and the error of its grid."""

from __future__ import annotations

from typing import Any

from detente.describe.blocks import Described, Section, text
from detente.describe.words import Sentences
from detente.ensembles.results import Ensemble
from detente.ensembles.rows import CRASHED, SOLVED, outcome_column
from detente.numbers import count, duration


def describe_ensemble(run: Ensemble, new: int, seconds: float) -> Described:
    """The state of the folder after `new` draws were solved in so many seconds."""
    manifest, failures = run.manifest, run.failures
    counted = failures.groupby(["status", "reason"]).size().sort_values(ascending=False)
    grid = _grid(run)
    data = {
        "results": str(run.folder),
        "scenario": manifest.name,
        "policies": list(manifest.policies),
        "draws": {
            "asked": manifest.draws,
            "done": run.done,
            "failed": int(failures["draw"].nunique()),
        },
        "failures": [
            {"status": status, "reason": reason, "rows": int(rows)}
            for (status, reason), rows in counted.items()
        ],
        "complete": run.complete,
        "seconds": round(seconds, 3),
        "solved_now": new,
        "grid": grid,
    }
    policies = manifest.policies
    under = f"under {len(policies)} policies" if len(policies) > 1 else f"under {policies[0]!r}"
    if policies == ("",):
        under = "with no terms"
    lead = f"{count(run.done, 'draw')} {under}, {len(manifest.quantities)} quantities drawn"
    paragraphs = text(*_failures(data), _speed(data), *_grid_error(grid))
    sections = (Section("went", "How it went", (paragraphs,)),)
    return Described(manifest.scenario().title, (lead,), sections, data)


def lost(run: Ensemble) -> tuple[str, ...]:
    """What was not solved, with its most frequent reason; nothing where all was."""
    rows = run.sql(
        "SELECT draw, reason FROM rows WHERE status <> 'SOLVED' AND beliefs = "
        f"{run.manifest.beliefs}"
    )
    if rows.empty:
        return ()
    draws = rows.loc[rows["draw"] > 0, "draw"].nunique()
    of_all = f"{draws:,} of {count(run.done, 'draw')}" if draws else ""
    present = "the present values" if (rows["draw"] == 0).any() else ""
    what = " and ".join(part for part in (present, of_all) if part)
    why = rows["reason"].value_counts().index[0]
    return (f"{what} under at least one policy, and stand in no number that needs it: {why}",)


def _failures(data: dict[str, Any]) -> tuple[str, ...]:
    failures = data["failures"]
    lines = (f"{f['status']}: {count(f['rows'], 'row')}: {f['reason']}" for f in failures)
    crashed = any(failure["status"] == CRASHED for failure in failures)
    return (*lines, *(("With --resume those that crashed are tried again.",) if crashed else ()))


def _speed(data: dict[str, Any]) -> str:
    failed, seconds = data["draws"]["failed"], data["seconds"]
    speed = data["solved_now"] / max(seconds, 1e-9)
    how = f"solved {count(data['solved_now'], 'draw')} in {duration(seconds)}"
    return f"{count(failed, 'draw') if failed else 'none'} failed; {how}, {speed:.1f} per second"


def _grid(run: Ensemble) -> dict[str, Any] | None:
    """The largest change of an outcome's probability on the finer grid, and where it was seen."""
    manifest = run.manifest
    if run.checks.empty:
        return None
    solved = run.checks.groupby("draw")["status"].agg(lambda status: (status == SOLVED).all())
    worst, where = 0.0, ("", "")
    for name in (outcome_column(o, t) for o in manifest.outcomes for t in manifest.times):
        error = run.errors(name).dropna()
        if not error.empty and error.max() > worst:
            worst, where = float(error.max()), (name, str(error.idxmax()))
    points = {"points": manifest.beliefs, "finer": manifest.check_beliefs}
    seen = {"change": worst, "outcome": where[0], "policy": where[1]}
    return {**points, "draws": int(solved.sum()), "failed": int((~solved).sum()), **seen}


def _grid_error(grid: dict[str, Any] | None) -> tuple[str, ...]:
    if grid is None:
        return ()
    on = f"Belief grid of {grid['points']} points: on {grid['finer']} points"
    lines: Sentences = ()
    if grid["failed"]:
        lines = (f"{on} {count(grid['failed'], 'draw')} could not be solved",)
    if grid["draws"]:
        change = "outcome probabilities, or their differences between policies, change by up to"
        looked_at = f"{grid['change']:.2g} ({count(grid['draws'], 'draw')} looked at)"
        lines = (f"{on} {change} {looked_at}", *lines)
    return lines
