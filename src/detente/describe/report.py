"""The page of a report: the question, the answer in short sentences, and everything behind them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from detente.describe import audit, forecast
from detente.describe.answer import answer, asked, from_start, question
from detente.describe.blocks import Code, Details, Page, Points, Section, text
from detente.describe.comparison import policies
from detente.describe.exploration import sections as explored
from detente.describe.glance import glance
from detente.describe.ledger import page_ledger
from detente.describe.left_open import left_open_section
from detente.describe.scenario import model
from detente.describe.sensitivity import assumptions
from detente.describe.tables import Row, Table, code
from detente.describe.threshold import curves
from detente.describe.track import observed
from detente.describe.words import (
    in_force,
    span,
)
from detente.numbers import count, percent
from detente.report.data import EVEN, ReportData
from detente.scenario.policies import policy_name
from detente.solver.certificate import SEED
from detente.text import sentence

RANKED = 12
"""Assumptions in the first table; all are in the second."""

TOLD = 16
"""Assumptions that decide over the draws, in a table."""

LINKS = {
    **dict.fromkeys(("Likely", "Open", "Unlikely", "First moves"), "outcomes"),
    **dict.fromkeys(("Has been", "What moves have told"), "observed"),
    **dict.fromkeys(("What policies change", "Who prefers what"), "policies"),
    "What decides it": "assumptions",
    "What it would take": "turning",
    "What the record leaves open": "left-open",
    "What survives": "survives",
    "How sure": "audit",
}
"""By what leads in a statement of the answer, the section behind it."""

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
    start: tuple[Section | None, ...] = (
        forecast.outcomes(data.forecast),
        forecast.beliefs(data.forecast),
        forecast.states(data.forecast),
    )
    held = audit.summary(data.audit)
    sections: list[Section | None] = [start[0], held, _policies(data), *start[1:]]
    if data.track is not None:
        start = (*start, held)
        sections = [observed(data.track), _policies(data), _at_start(start)]
    sections += [
        _left_open(data),
        _turning(data),
        _decides(data),
        *(() if data.exploration is None else explored(data.exploration, TOLD)),
        model(data.scenario),
        page_ledger(data.scenario),
        _certificate(data),
        _record(data),
    ]
    there = tuple(section for section in sections if section is not None)
    return Page(
        title=data.scenario.title,
        about=data.scenario.about,
        question=question(data),
        answer=Points(tuple(answer(data))),
        glance=glance(data),
        sections=there,
        links={lead: key for lead, key in LINKS.items() if key in {part.key for part in there}},
        sources=(data.scenario.source,) if data.scenario.source else (),
    )


def _at_start(sections: Sequence[Section | None]) -> Section:
    """What was forecast before any move, folded away: it would contradict what is known by now."""
    parts = tuple(Details(part.title, part.blocks) for part in sections if part is not None)
    note = "Forecast from the first day, with nothing of the record: what follows from it is above."
    return Section("start", "As forecast at the start, before any move", (text(note), *parts))


def _policies(data: ReportData) -> Section | None:
    fine, rough = data.points
    note = from_start(data) and sentence(f"{from_start(data)}the record is not in these numbers")
    if fine != rough:
        note += " " * bool(note) + (
            f"Policies are compared on a belief grid of {rough} points instead of {fine}, so that "
            "a number here may differ a little from the one above."
        )
    if data.comparison is None:
        return None
    return policies(data.comparison, audit=data.comparison_audit, note=note)


def _left_open(data: ReportData) -> Section | None:
    """The band that draws from a posterior make of each outcome."""
    if data.left_open is None:
        return None
    begin = from_start(data)
    note = begin and sentence(f"{begin}where the moves have led is not in these numbers")
    if data.game.informed and data.turning_points != data.points[0]:
        note += " " * bool(note) + (
            f"Draws are solved on a coarse grid of {data.turning_points} belief points; the "
            "command `detente run --posterior` solves them on the fine one."
        )
    section = left_open_section(data.left_open, data.forecast)
    return section._replace(blocks=(*section.blocks, *([text(note)] if note else [])))


def _turning(data: ReportData) -> Section | None:
    """Curves of the question's outcome over the assumptions that matter most."""
    if not data.thresholds:
        return None
    line = (
        f"Where the odds that {asked(data)} become even ({percent(EVEN)}), if one assumption "
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
        why = f"The derivatives that tell it were not computed: {data.too_large}"
        said = (text(*why.split("\n")),) if data.too_large else ()
        return Section("assumptions", "Which assumptions matter", said) if said else None
    lead = (
        f"Looked at: whether {asked(data)} at some time ({percent(data.sensitivity.value)}): the "
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
    ]
    if game.informed:
        fine, rough = data.points
        rows.append(("belief points for each private type's line", str(fine)))
        if rough != fine:
            rows.append(("for comparisons and derivatives", str(rough)))
    rows += [("seed of the certificate's sample", str(SEED)), *_run(data), *data.versions.items()]
    same = "The same page again, to the byte, from the same scenario and versions:"
    command = (text(same), Code(shlex.join(data.command))) if data.command else ()
    return Section("record", "Record of the run", (Table(("what", "value"), tuple(rows)), *command))


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
