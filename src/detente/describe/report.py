"""The page of a report: the question, the answer in short sentences, and everything behind them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from detente.analysis.compare import Comparison
from detente.describe import forecast, survival
from detente.describe.blocks import Code, Details, Page, Points, Section, text
from detente.describe.comparison import policies
from detente.describe.exploration import sections as explored
from detente.describe.ledger import page_ledger
from detente.describe.scenario import model
from detente.describe.sensitivity import PROBABILITY, assumptions, ends_of
from detente.describe.tables import Row, Table, code
from detente.describe.threshold import curves, short_answer
from detente.describe.track import believed, observed
from detente.describe.words import Point, clause, in_force, meanings, span, spoken, together
from detente.numbers import EXACT, count, more_likely, percent, within
from detente.report.data import EVEN, ReportData
from detente.scenario.policies import policy_name, quoted
from detente.simulation.forecast import marginal
from detente.solver.certificate import SEED
from detente.text import sentence

LIKELY, UNLIKELY = 2 / 3, 1 / 3
"""Where an outcome begins to be called likely, and ceases to be called open."""

FEW = 3
"""Policies, assumptions and the like that the answer names; the sections have all of them."""

RANKED = 12
"""Assumptions in the first table; all are in the second."""

TOLD = 16
"""Assumptions that decide over the draws, in a table."""

CONCEPT = (
    "The numbers are the Markov logit quantal response equilibrium of the game with Bayesian "
    "beliefs: everybody sees the state and all moves, nobody sees another's type. At each turn "
    "the odds of two actions are exp(λ × difference of their expected payoffs), where λ is the "
    "actor's precision and the expectation runs over chance, the others' moves and types, and all "
    "later play, given what the move itself tells the others. Beliefs follow Bayes' rule. Where "
    "there are several such equilibria, it is the one that is reached from random play as the "
    "precision rises (the principal branch)."
)
"""What was computed (McKelvey and Palfrey 1998), in one paragraph."""


def describe_report(data: ReportData) -> Page:
    """The parts of the page, in the order in which they are read."""
    start = (
        forecast.outcomes(data.forecast),
        forecast.beliefs(data.forecast),
        forecast.states(data.forecast),
    )
    sections: list[Section | None] = [start[0], _policies(data), *start[1:]]
    if data.track is not None:
        sections = [observed(data.track), _policies(data), _at_start(start)]
    sections += [
        _turning(data),
        _decides(data),
        *(() if data.exploration is None else explored(data.exploration, TOLD)),
        model(data.scenario),
        page_ledger(data.scenario),
        _certificate(data),
        _record(data),
    ]
    return Page(
        title=data.scenario.title,
        about=data.scenario.about,
        question=_question(data),
        answer=Points(tuple(_answer(data))),
        sections=tuple(section for section in sections if section is not None),
        foot=(data.scenario.source,) if data.scenario.source else (),
    )


def _at_start(sections: Sequence[Section | None]) -> Section:
    """What was forecast before any move, folded away: it would contradict what is known by now."""
    parts = tuple(Details(part.title, part.blocks) for part in sections if part is not None)
    note = "Forecast from the first day, with nothing of the record: what follows from it is above."
    return Section("start", "As forecast at the start, before any move", (text(note), *parts))


# ---- the question and the answer in words


def _question(data: ReportData) -> str:
    """What the page answers."""
    calendar = data.scenario.calendar
    periods = data.forecast.periods
    unit = f"{calendar.unit}{'' if periods == 1 else 's'}"
    since = f" from {calendar.label(1)}" if calendar.start else ""
    time = "" if data.game.loop is None else "first "
    asked = f"Under these assumptions, what would happen in the {time}{periods} {unit}{since}"
    if data.game.policy:
        asked += f" under the policy {quoted(data.game.policy)}"
    if data.track is not None and data.track.last:
        asked += f", given the moves to the end of {calendar.label(data.track.last)}"
    if data.comparison is None:
        return f"{asked}?"
    others = len(data.comparison.forecasts) - 1
    many = f"{others} other policies" if others > 1 else "another policy"
    return f"{asked}, and what would {many} change?"


def _answer(data: ReportData) -> Iterator[Point]:
    """What leads each statement in, and its sentences."""
    status = data.forecast.solution.status
    if status.name != "SOLVED":
        yield "Caution", (sentence(f"{status.value}. Do not rely on what follows"),)
    yield from _outcomes(data)
    if data.track is None:  # or the first moves have been made
        yield from _first(data)
    if data.comparison is not None:
        yield from _changes(data.comparison, _from_start(data))
    yield from _decisive(data)
    if data.thresholds:
        which = "this" if len(data.thresholds) == 1 else "one of these"
        lead = f"even odds that {_asked(data)} at some time would take {which}, all else unchanged"
        lead = sentence(f"{_from_start(data)}{lead}").rstrip(".") + ":"
        about = meanings(data.scenario)
        takes = (
            sentence(f"{spoken(about[t.parameter], t.parameter)}: {short_answer(t)}")
            for t in data.thresholds
        )
        yield "What it would take", (lead, *takes)
    if data.track is not None:
        yield "What moves have told", believed(data.track)
    if data.exploration is not None:
        yield "What survives", survival.brief(data.exploration)
    yield "How sure", (_sure(data),)


def _from_start(data: ReportData) -> str:
    """What leads in what is not given the record, where there is one."""
    return "as seen at the start, before any move: " if data.track is not None else ""


def _asked(data: ReportData) -> str:
    return clause(data.scenario, data.question)


def _outcomes(data: ReportData) -> Iterator[Point]:
    """What has come about, and how likely all else is, from the last date of a record on."""
    track = data.track
    if track is None:
        table = marginal(data.game, data.forecast.outcomes)
        last, been = table[table["t"] == data.forecast.periods], frozenset[str]()
    else:
        table = track.outcomes
        now = table[(table["t"] == track.last) & (table["happened"] > 1 - EXACT)]
        last, been = table[table["t"] == track.end], frozenset(now["outcome"])
    last = last.sort_values("happened", ascending=False, kind="stable")
    words: dict[str, list[str]] = {"Has been": [], "Likely": [], "Open": [], "Unlikely": []}
    for r in last.itertuples():
        what, ends = clause(data.scenario, r.outcome), percent(r.holds)
        if r.outcome in been:
            words["Has been"].append(f"{what} (at the end {ends})")
            continue
        word = "Likely" if r.happened >= LIKELY else "Open" if r.happened > UNLIKELY else "Unlikely"
        words[word].append(f"{what} (at some time {percent(r.happened)}, at the end {ends})")
    for word, clauses in words.items():
        if clauses:
            yield word, (sentence("; ".join(clauses)),)


def _first(data: ReportData) -> Iterator[Point]:
    """What each actor does at its first move, whatever its type."""
    actions = marginal(data.game, data.forecast.actions).dropna(subset="share")
    parts: list[tuple[int, int, str]] = []
    for actor, mine in actions.groupby("actor", sort=False):
        t, turn = mine[["t", "turn"]].iloc[0]
        shares = mine[(mine["t"] == t) & (mine["turn"] == turn) & (mine["share"] >= 0.1)]
        top = shares.sort_values("share", ascending=False, kind="stable").head(2)
        moves = " or ".join(f"{r.action} ({percent(r.share)})" for r in top.itertuples())
        parts.append((int(t), int(turn), f"{data.scenario.actors[str(actor)].name}: {moves}"))
    if parts:
        parts.sort(key=lambda part: part[:2])
        yield "First moves", (sentence("; ".join(part for *_, part in parts)),)


def _changes(comparison: Comparison, lead: str = "") -> Iterator[Point]:
    """What each other policy changes most, beyond error; and who likes which best."""
    table = comparison.outcomes
    last = table[(table["t"] == table["t"].max()) & (table["policy"] != comparison.base)]
    known = last[last["distinguishable"].astype(bool)]
    known = known.assign(size=known["difference"].abs())
    known = known.sort_values("size", ascending=False, kind="stable")
    sentences = []
    for policy in list(dict.fromkeys(known["policy"]))[:FEW]:
        changes = "; ".join(
            f"{clause(comparison.scenario, r.outcome)}: at some time {more_likely(r.difference)}"
            for r in known[known["policy"] == policy].head(2).itertuples()
        )
        sentences.append(sentence(f"{lead}under {quoted(str(policy))}: {changes}"))
        lead = ""
    if not sentences:
        yield "What policies change", ("No outcome by more than the error of computing it.",)
        return
    left = len(comparison.forecasts) - 1 - len(sentences)
    more = (f"{left} more: see below.",) if left > 0 else ()
    yield "What policies change", (*sentences, *more)
    yield "Who prefers what", (_preferred(comparison),)


def _preferred(comparison: Comparison) -> str:
    """Under which policy each actor does best; types that agree are named together."""
    best: dict[str, dict[str, list[str]]] = {}
    for (actor, kind), mine in comparison.preferences.groupby(["actor", "type"], sort=False):
        tied = [quoted(policy) for policy in mine["policy"][mine["tied"].astype(bool)]]
        names = " or ".join(tied)
        if len(tied) == len(mine):
            names = "all of them alike (the differences are within the error)"
        best.setdefault(names, {}).setdefault(str(actor), []).append(str(kind))
    parts = []
    for names, kinds in best.items():
        actors = []
        for key, mine in kinds.items():
            actor = comparison.scenario.actors[key]
            every = len(mine) == max(1, len(actor.types))
            actors.append(actor.name if every else f"{actor.name} ({' or '.join(mine)})")
        verb = "does" if len(actors) == 1 else "do"
        parts.append(f"{together(actors)} {verb} best under {names}")
    return sentence("; ".join(parts))


def _decisive(data: ReportData) -> Iterator[Point]:
    if data.sensitivity is None:
        return
    about = meanings(data.scenario)
    table: pd.DataFrame = data.sensitivity.table
    # Where a number turns, both ends may be alike: it is named for what it does on the way.
    counts = (table["worth"].abs() >= 0.005) | (table["shape"] == "turns")
    parts = []
    for r in table[counts].head(FEW).itertuples():
        shape = {"bends": ", bending", "turns": ", turning on the way"}.get(r.shape, "")
        ends = f"{ends_of(r, PROBABILITY)}{shape}"
        parts.append(f"{spoken(about[r.parameter], r.parameter)} ({ends})")
    if parts:
        line = f"{_from_start(data)}whether {_asked(data)} at some time depends most on "
        line += "; ".join(parts)
        how = "In brackets: how likely it is at the low and at the high end of its range, alone."
        yield "What decides it", (sentence(line), how)


def _sure(data: ReportData) -> str:
    error = forecast.outcome_error(data.forecast)
    computed = f"The probabilities are computed to {within(error)} percentage points"
    if math.isnan(error):
        computed = "The probabilities are those of the model as solved"
    elif error < EXACT:
        computed = "The probabilities are those of the model, to rounding"
    return (
        f"{computed}. Whether the model is right is for its author to argue: "
        "each number it rests on is in the ledger, with a range and with evidence or a judgement."
    )


# ---- the sections that are of the page alone


def _policies(data: ReportData) -> Section | None:
    fine, rough = data.points
    note = _from_start(data) and sentence(f"{_from_start(data)}the record is not in these numbers")
    if fine != rough:
        note += " " * bool(note) + (
            f"Policies are compared on a belief grid of {rough} points instead of {fine}, so that "
            "a number here may differ a little from the one above."
        )
    return None if data.comparison is None else policies(data.comparison, note=note)


def _turning(data: ReportData) -> Section | None:
    """Curves of the question's outcome over the assumptions that matter most."""
    if not data.thresholds:
        return None
    line = (
        f"Where the odds that {_asked(data)} become even ({percent(EVEN)}), if one assumption "
        "alone moves through its range."
    )
    if data.game.informed and data.turning_points != data.points[0]:
        line += (
            f" It was looked for on a coarse grid of {data.turning_points} belief points and at "
            "few values; the command `detente threshold` does it with care."
        )
    verdicts = text(*(sentence(result.verdict) for result in data.thresholds))
    blocks = (text(line), curves(data.thresholds), verdicts)
    return Section("turning", "What it would take", blocks)


def _decides(data: ReportData) -> Section | None:
    """The assumptions in order of what their ranges are worth."""
    if data.sensitivity is None:
        return None
    lead = (
        f"Looked at: whether {_asked(data)} at some time ({percent(data.sensitivity.value)}): the "
        "most open outcome, if no other was asked for. Each bar is what the assumption's range is "
        "worth, from its low to its high end: solved at both ends for the first ones, for which "
        "these stand in the table, and for the others the derivative times the width of the range, "
        "what it is worth if the answer goes on as it does at the present value. Everybody's play "
        "answers to the change."
    )
    return assumptions(data.sensitivity, RANKED, lead)


def _certificate(data: ReportData) -> Section:
    """How good the answer is, as a computation."""
    worth = forecast.worth(data.forecast)
    noise = (
        "What a best response would add is the price of noise: at finite precision nobody plays "
        "the best action always."
    )
    quality = forecast.quality(data.forecast, timed=False)
    paid = () if worth is None else worth.blocks
    blocks = (text(CONCEPT), *quality.blocks, *paid, text(noise))
    return Section("certificate", "Certificate of the computation", blocks)


def _record(data: ReportData) -> Section:
    """What is needed to make the same page again."""
    scenario, game = data.scenario, data.game
    length = span(scenario, data.forecast.periods, forever=game.loop is not None)
    rows: list[Row] = [
        ("scenario", scenario.name),
        ("SHA-256 of the scenario", code(scenario.sha256)),
        ("covers", f"{length}; {in_force(game.policy)}"),
        *((code(name), f"changed to {value}") for name, value in scenario.changed.items()),
        *((code(name), value) for name, value in data.options.items()),
    ]
    if game.informed:
        fine, rough = data.points
        rows.append(("belief points for each private type's line", str(fine)))
        if rough != fine:
            rows.append(("for comparisons and derivatives", str(rough)))
    rows += [("seed of the certificate's sample", str(SEED)), *_run(data), *data.versions.items()]
    same = "The same scenario, options and versions give this page again, to the byte."
    blocks = (Table(("what", "value"), tuple(rows)), text(same), Code(_command(data)))
    return Section("record", "Record of the run", blocks)


def _run(data: ReportData) -> Iterator[Row]:
    """The run of the ensemble."""
    if data.exploration is None:
        return
    run, done = data.exploration.manifest, data.exploration.done
    yield (
        "draws of the ensemble",
        f"{done:,}" if done == run.draws else f"{done:,} of {run.draws:,}",
    )
    yield "drawn by", f"{run.sampling}, seed {run.seed}"
    yield "their policies", ", ".join(policy_name(policy) for policy in run.policies)
    yield "their scenario's SHA-256", code(run.sha256)
    if run.beliefs:
        yield "their belief points", str(run.beliefs)
        checked = f"{run.checked} with {count(run.check_beliefs, 'point')}"
        yield "solved once more, for the error", checked
    yield (
        "solved with",
        ", ".join(f"{package} {version}" for package, version in run.versions.items()),
    )


def _command(data: ReportData) -> str:
    """What to type for the same page."""
    words = [f"detente report {data.scenario.name}"]
    for name, value in data.options.items():
        words.append(f'{name} "{value}"' if " " in value or not value else f"{name} {value}")
    words += [f"--set {name}={option}" for name, option in data.scenario.options.items()]
    words += [f"--set {name}={value!r}" for name, value in data.scenario.overrides.items()]
    return " ".join(words)
