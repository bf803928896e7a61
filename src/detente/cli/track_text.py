"""A track for people, and the same for programs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from detente import __version__
from detente.cli import console

if TYPE_CHECKING:
    import pandas as pd

    from detente.analysis.bayes_factor import BayesFactor
    from detente.simulation.track import Track


def print_track(found: Track) -> None:
    """What was observed, how well it was expected, what is believed, and the forecast from here."""
    scenario = found.solution.game.scenario
    console.print_text(scenario.title)
    policy = found.solution.game.policy
    _print_span(found, f"policy: {policy}" if policy else "no terms announced")
    console.print_changed(scenario.changed)
    if not found.moves.empty:
        _print_observed(found)
        _print_skipped(found)
        _print_scores(found)
        _print_beliefs(found)
    _print_now(found)
    _print_outcomes(found)
    if found.path is not None:
        _print_path(found)
    _print_quality(found)


def _print_span(found: Track, policy: str) -> None:
    record, calendar = found.record, found.solution.game.scenario.calendar
    covers = "no period"
    if found.last:
        covers = f"{calendar.label(1)} to {calendar.label(found.last)}"
    context = sum(not entry.used for entry in record.entries)
    told = f"{record.file}: {covers}, {len(record.entries)} dated lines"
    if context:
        told += f", {context} of them context"
    console.print_text(f"{told}; {policy}")


def _print_observed(found: Track) -> None:
    told = _types(found)
    console.print_heading("What was observed, and how likely it was held to be before")
    beliefs = found.beliefs.set_index(["step", "about", "type"])["probability"]
    rows = []
    for r in found.moves.itertuples():
        if not r.date:
            continue
        believed = [_percent(beliefs.loc[(r.step, *about)]) for about in told]
        if r.kind == "skipped":
            cells = ["impossible", _percent(r.prior_only), _percent(r.uniform), ""]
        else:
            chances = (r.probability, r.prior_only, r.uniform)
            cells = [*map(_percent, chances), f"{abs(r.surprise):.1f}"]
        who = r.actor or "state"
        rows.append([r.date, who, r.action, *cells, *believed])
    names = [f"{about} {kind}" for about, kind in told]
    header = ["date", "who", "what", "here", "at start", "uniform", "bits", *names]
    console.print_table(header, rows, numbers=3)
    undated = found.moves[found.moves["date"] == ""]
    for kind, words in (
        ("silence", "Silence that means something"),
        ("reading", "Standing readings"),
    ):
        rows_of = undated[undated["kind"] == kind]
        if len(rows_of):
            bits = abs(rows_of["surprise"].sum())
            told_text = f"{words}: {_times(len(rows_of))}, {bits:.1f} bits together."
            console.print_text(told_text, indent=2)
    console.print_text(
        "here: by this model, given all before. at start: by its forecast of the first day. "
        "uniform: all available actions alike. bits: surprise, 1 for a chance of a half, 2 for a "
        f"quarter. {_told_types(names)}",
        indent=2,
    )


def _told_types(names: list[str]) -> str:
    return f"Then: the belief that it is {', that it is '.join(names)}." if names else ""


def _print_skipped(found: Track) -> None:
    if found.skipped.empty:
        return
    console.print_heading("Passed over: what the model holds impossible")
    for r in found.skipped.itertuples():
        what = f"{r.actor or 'state'} {r.action}"
        console.print_text(f"line {r.line}, {r.period}, {what}: {r.reason}", indent=2)


def _print_scores(found: Track) -> None:
    scores, count = found.scores, int(found.moves["kind"].isin(["move", "silence"]).sum())
    if not count:
        return
    console.print_heading(
        "How well moves and silence were expected: log score, the higher the better"
    )
    names = {
        "filter": "this model, learning from the record",
        "prior_only": "its forecast of the first day",
        "uniform": "all available actions alike",
    }
    rows = [
        [words, f"{scores[key]:.2f}", _percent(math.exp(scores[key] / count))]
        for key, words in names.items()
    ]
    console.print_table(["forecaster", "sum", "mean chance"], rows, numbers=1)


def _print_beliefs(found: Track) -> None:
    rows = []
    last = found.periods[found.periods["t"] == found.last].set_index(["about", "type"])
    first = found.periods[found.periods["t"] == 0].set_index(["about", "type"])
    actors = found.solution.game.scenario.actors
    for key in first.index:
        now = last.loc[key]
        within = f"{now['low']:.0%} – {now['high']:.0%}"
        before = _percent(first.loc[key, "probability"])
        name = f"{actors[key[0]].name} is {key[1]}"
        rows.append([name, before, _percent(now["probability"]), within])
    if rows:
        console.print_heading("What to believe now")
        header = ["that", "at the start", "now", "what the public may believe"]
        console.print_table(header, rows, numbers=1)


def _print_now(found: Track) -> None:
    game = found.solution.game
    if not game.structure.variables or not found.last:
        return
    console.print_heading(f"Where things stand at the end of {_last_label(found)}")
    at = found.states[(found.states["step"] == 0) & (found.states["t"] == found.last)]
    rows = []
    for variable in game.structure.variables:
        mine = at[at["variable"] == variable.key].sort_values(
            "probability", ascending=False, kind="stable"
        )
        likely = mine[mine["probability"] >= 0.005]
        words = ", ".join(f"{r.label} {_percent(r.probability)}" for r in likely.itertuples())
        rows.append([variable.key, words])
    console.print_table(["variable", "level"], rows)


def _last_label(found: Track) -> str:
    return found.solution.game.scenario.calendar.label(found.last)


def _print_outcomes(found: Track) -> None:
    game = found.solution.game
    if not game.holds:
        return
    calendar = game.scenario.calendar
    console.print_heading("The forecast from here: probability that it has come about")
    table = found.outcomes.set_index(["outcome", "t"])
    rows = []
    for key, outcome in game.scenario.outcomes.items():
        now, end = table.loc[(key, found.last)], table.loc[(key, found.end)]
        cells = [now["holds"], now["happened"], end["happened"], end["before"]]
        rows.append([key, *map(_percent, cells), outcome.about])
    last = _last_label(found) if found.last else "the start"
    header = [
        "outcome",
        "holds",
        f"by {last}",
        f"by {calendar.label(found.end)}",
        "as at start",
        "",
    ]
    console.print_table(header, rows, numbers=1, text=5)


def _print_path(found: Track) -> None:
    assert found.path is not None
    keys = list(found.solution.game.holds)
    if not keys:
        return
    end = found.solution.game.scenario.calendar.label(found.end)
    console.print_heading(f"What was forecast for {end}, at the end of each period")
    wide = found.path.pivot(index="t", columns="outcome", values="happened")[keys]
    labels = found.path.drop_duplicates("t")["period"]
    rows = [
        [str(label), *(_percent(p) for p in row)]
        for label, row in zip(labels, wide.to_numpy(), strict=True)
    ]
    names = [key.replace("_", " ") for key in keys]
    console.print_table(["given until", *names], rows, numbers=1)


def _print_quality(found: Track) -> None:
    from detente.simulation.wording import grid_text

    console.print_heading("How good the answer is")
    status = found.solution.status.value
    console.print_text(f"{status[0].upper()}{status[1:]}.", indent=2)
    if not found.solution.game.informed:
        return
    told = f"Belief grid {grid_text(found.solution)}"
    if found.errors:
        names = {"moves": "of observations", "beliefs": "of types", "outcomes": "of outcomes"}
        parts = [f"{names[key]} {_by(error)}" for key, error in found.errors.items()]
        told += f"; a grid half as fine changes probabilities {', '.join(parts)}"
    gap = (found.periods["public"] - found.periods["probability"]).abs().max()
    console.print_text(
        f"{told}. On average the public's belief, which the grid spreads, differs from that of the "
        f"record {_by(gap)}.",
        indent=2,
    )


def _by(error: float) -> str:
    return f"by up to {error:.1g}" if error >= 1e-3 else "by less than 0.001"


def print_factor(factor: BayesFactor, first: Track, second: Track) -> None:
    """Which account expected the record better, and where they differ most."""
    console.print_heading("Two accounts of the record")
    rows = []
    for number, one in (("first", first), ("second", second)):
        game = one.solution.game
        rows.append([number, game.scenario.name, game.policy, f"{one.log_likelihood:.2f}"])
    console.print_table(["account", "scenario", "policy", "log likelihood"], rows, numbers=3)
    odds, better = factor.factor, "first"
    if factor.log < 0:
        odds, better = math.exp(min(-factor.log, 700.0)), "second"
    console.print_text(
        f"Bayes factor {odds:.3g} to 1 for the {better} (logarithm {factor.log:+.2f}): "
        f"{factor.words}, in the words of Kass and Raftery (1995).",
        indent=2,
    )
    if len(factor.unlike):
        told = "; ".join(
            f"line {r.line}, {r.period}, {r.actor or 'state'} {r.action} (possible for the "
            f"{r.used_by} only)"
            for r in factor.unlike.itertuples()
        )
        console.print_text(f"Left out, as it was used by one of them only: {told}.", indent=2)
    most = factor.rows.reindex(factor.rows["log_ratio"].abs().sort_values(ascending=False).index)
    rows = [
        [
            *(r.period, r.actor or "state", r.action, _percent(r.first), _percent(r.second)),
            f"{r.log_ratio:+.2f}",
        ]
        for r in most.head(5).itertuples()
        if abs(r.log_ratio) >= 0.005
    ]
    if rows:
        header = ["when", "who", "what", "first", "second", "log ratio"]
        console.print_table(header, rows, numbers=3)


def _types(found: Track) -> list[tuple[str, str]]:
    """The types to tell beliefs about; of two types the belief about one says all."""
    actors = list(found.solution.game.scenario.actors.values())
    return [
        (actors[i].key, kind)
        for i in found.solution.game.informed
        for kind in (actors[i].types[:1] if len(actors[i].types) == 2 else actors[i].types)
    ]


def _percent(probability: float) -> str:
    """A probability in per cent; what is almost but not quite none or all is told as such."""
    if math.isnan(probability):
        return ""
    if 0 < probability < 0.005:
        return "<1 %"
    if 0.995 <= probability < 1 - 1e-12:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


# ---- for programs


def as_data(found: Track, factor: BayesFactor | None = None) -> dict[str, Any]:
    """Everything that `print_track` tells and the whole tables, ready for JSON."""
    solution = found.solution
    game = solution.game
    data: dict[str, Any] = {
        "scenario": {
            "name": game.scenario.name,
            "title": game.scenario.title,
            "sha256": game.scenario.sha256,
            "overrides": dict(game.scenario.overrides),
            "options": dict(game.scenario.options),
            "policy": game.policy,
        },
        "record": {"file": found.record.file, "last": found.last},
        "run": {
            "detente": __version__,
            "periods": found.end,
            "beliefs": list(solution.grid.points),
        },
        "status": {"code": solution.status.name, "message": solution.status.value},
        "log_likelihood": found.log_likelihood,
        "errors": dict(found.errors),
        "scores": {key: _finite(value) for key, value in found.scores.items()},
    }
    for name in ("moves", "expected", "beliefs", "periods", "states", "outcomes"):
        data[name] = _records(getattr(found, name))
    if found.path is not None:
        data["path"] = _records(found.path)
    if factor is not None:
        data["bayes_factor"] = {
            "log": factor.log,
            "words": factor.words,
            "rows": _records(factor.rows),
            "unlike": _records(factor.unlike),
        }
    return data


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return console.records(table.replace([math.inf, -math.inf], math.nan))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
