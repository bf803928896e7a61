"""The sections that tell the model and the run: diagram, ledger, certificate, record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detente.report.data import ReportData
from detente.report.diagram import ladder, turns
from detente.report.numbers import decimals
from detente.report.parts import (
    Block,
    Cell,
    Code,
    Details,
    Heading,
    Link,
    Picture,
    Pictures,
    Points,
    Section,
    Table,
    Text,
)
from detente.report.survives import run_rows
from detente.report.words import covered, sentence, who
from detente.scenario.entities import Supported
from detente.scenario.ledger import drawn_priors
from detente.scenario.model import Scenario
from detente.scenario.rules import Event
from detente.scenario.wording import (
    certainty,
    condition,
    effects,
    in_force,
    number_text,
    option_rows,
    range_text,
    turn_text,
)
from detente.simulation.forecast import overall
from detente.simulation.wording import quality
from detente.solver.certificate import SEED

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

WEB = ("https://", "http://")
"""How an address begins that the page may link to."""


def diagram(data: ReportData) -> Section:
    """The state space and the turns of a period, drawn; the formulas behind them, folded."""
    scenario = data.scenario
    table = overall(data.game, data.forecast.states)
    last = table[table["t"] == data.forecast.periods]
    ladders = []
    for n, variable in enumerate(scenario.variables.values()):
        mine = last[last["variable"] == variable.key].sort_values("level")
        final = list(mine["probability"]) or [0.0] * variable.size
        ladders.append(Picture(variable.key, ladder(f"v{n}", variable, final), variable.about))
    actors = Points(
        tuple(
            (
                actor.name,
                (sentence(_types(scenario, key)), *((actor.about,) if actor.about else ())),
            )
            for key, actor in scenario.actors.items()
        )
    )
    order = turns("turns", scenario)
    return Section(
        "model",
        "The model in pictures",
        (
            Heading("Who plays"),
            actors,
            Heading("What can be seen by all"),
            Pictures(
                tuple(ladders),
                "Levels of each variable, the highest on top. ▸ and bold: where play starts. Bars: "
                "how likely each level is at the end.",
                narrow=True,
            ),
            Heading("The turns of a period, and what each action moves"),
            Pictures(
                (Picture("", order),),
                "▲ raises, ▼ lowers, ● sets, ◆ moves either way; with ? it happens by chance or in "
                "some cases only. Turns are played from top to bottom, period after period.",
            ),
            Details("Actions, events, payoffs and terms in full", tuple(_formulas(scenario))),
        ),
    )


def ledger(data: ReportData) -> Section:
    """Every assumption with its range and what it rests on; then the evidence."""
    scenario = data.scenario
    rows: list[tuple[str | Cell, ...]] = []
    priors = drawn_priors(scenario)
    for p in scenario.parameters.values():
        told = zip(p.names(), p.values, p.ranges, strict=True)
        for at, (name, value, limits) in enumerate(told):
            mark = None
            if limits is not None and limits[1] > limits[0]:
                mark = min(1.0, max(0.0, (value - limits[0]) / (limits[1] - limits[0])))
            about = f"{p.about} ({p.unit})" if p.unit else p.about
            note = " (changed)" if name in scenario.overrides else ""
            rows.append(
                (
                    Cell(name, code=True),
                    f"{value:g}{note}",
                    Cell(range_text(p, at, priors), mark=mark),
                    about,
                    _rests_on(p, p.range_reason),
                )
            )
    blocks: list[Block] = [
        Text(
            (
                f"{len(rows)} numbers, each with its range (the dot shows where in it the value "
                "lies) and with what it rests on: evidence, or a judgement that says why.",
            )
        ),
        Table(
            "",
            ("parameter", "value", "range", "what it says", "rests on"),
            tuple(rows),
            frozenset({1}),
            stacked=True,
        ),
    ]
    blocks += _doubts(scenario)
    if scenario.evidence:
        found: list[tuple[str | Cell, ...]] = []
        for e in scenario.evidence.values():
            web = (Link("source", e.url),) if e.url.startswith(WEB) else ()
            source = e.source + (f", {e.where}" if e.where else "")
            found.append(
                (Cell(e.key, key=f"e-{e.key}", code=True), e.says, Cell(source, links=web))
            )
        blocks += [
            Heading("Evidence"),
            Table("", ("name", "says", "source"), tuple(found), stacked=True),
        ]
    if scenario.notes:
        blocks += [Heading("Notes of the author"), Text(tuple(scenario.notes))]
    return Section("ledger", "Ledger of assumptions", tuple(blocks))


def certificate(data: ReportData) -> Section:
    """How good the answer is, as a computation."""
    forecast = data.forecast
    rows = []
    for r in forecast.payoffs.itertuples():
        digits = decimals(r.error)
        regret = "" if np.isnan(r.regret) else f"{r.regret:.{digits}f}"
        known = "not known" if np.isnan(r.error) else f"±{r.error:.1g}" if r.error else "none"
        rows.append((who(data.scenario, r.actor, r.type), f"{r.payoff:.{digits}f}", known, regret))
    header = ("actor", "expected payoff", "error", "a best response would add")
    return Section(
        "certificate",
        "Certificate of the computation",
        (
            Text((CONCEPT,)),
            Text(tuple(quality(forecast))),
            Table("", header, tuple(rows), frozenset({1, 2, 3})),
            Text(
                (
                    "What a best response would add is the price of noise: at finite precision "
                    "nobody plays the best action always.",
                )
            ),
        ),
    )


def record(data: ReportData) -> Section:
    """What is needed to make the same page again."""
    scenario = data.scenario
    rows: list[tuple[str | Cell, ...]] = [
        ("scenario", scenario.name),
        ("SHA-256 of the scenario", Cell(scenario.sha256, code=True)),
        ("covers", covered(data)),
    ]
    for name, text in scenario.changed.items():
        rows.append((Cell(name, code=True), f"changed to {text}"))
    rows += [(Cell(name, code=True), value) for name, value in data.options.items()]
    if data.game.informed:
        fine, rough = data.points
        rows.append(("belief points for each private type's line", str(fine)))
        if rough != fine:
            rows.append(("for comparisons and derivatives", str(rough)))
    rows.append(("seed of the certificate's sample", str(SEED)))
    if data.worlds is not None:
        rows += run_rows(data.worlds)
    rows += list(data.versions.items())
    return Section(
        "record",
        "Record of the run",
        (
            Table("", ("what", "value"), tuple(rows)),
            Text(("The same scenario, options and versions give this page again, to the byte.",)),
            Code(_command(data)),
        ),
    )


def sections(data: ReportData) -> Sequence[Section]:
    """All of them."""
    return [diagram(data), ledger(data), certificate(data), record(data)]


def _command(data: ReportData) -> str:
    """What to type for the same page."""
    words = [f"detente report {data.scenario.name}"]
    for name, value in data.options.items():
        quoted = f'"{value}"' if " " in value or not value else value
        words.append(f"{name} {quoted}")
    words += [f"--set {name}={option}" for name, option in data.scenario.options.items()]
    words += [f"--set {name}={value!r}" for name, value in data.scenario.overrides.items()]
    return " ".join(words)


def _types(scenario: Scenario, key: str) -> str:
    actor = scenario.actors[key]
    precision = number_text(actor.precision, scenario)
    kinds = "nothing private"
    if actor.types:
        shares = [scenario.constant(prior) for prior in actor.priors.values()]
        told = ", ".join(f"{k} {p:.3g}" for k, p in zip(actor.types, shares, strict=True))
        kinds = f"private type: {told}{certainty(actor)}"
    rest = f", discount {number_text(actor.discount, scenario)}"
    return f"{kinds}; precision λ = {precision}{rest}"


def _rests_on(support: Supported, range_reason: str = "") -> Cell:
    links = tuple(Link(name, f"#e-{name}") for name in support.evidence)
    text = f"Judgement: {support.judgement}" if support.judgement else ""
    text = text or ("" if links else "none given")
    if range_reason:
        text = f"{text}; range: {range_reason}" if text else f"Range: {range_reason}"
    return Cell(text, links=links)


def _doubts(scenario: Scenario) -> list[Block]:
    """Which numbers go together, and which other forms the model may have."""
    blocks: list[Block] = []
    if scenario.correlations:
        rows: list[tuple[str | Cell, ...]] = [
            (
                Cell(", ".join(one.between), code=True),
                f"{one.rank:g}",
                one.about,
                _rests_on(one),
            )
            for one in scenario.correlations
        ]
        header: tuple[str, ...] = ("between", "rank correlation", "what it says", "rests on")
        blocks += [
            Heading("Numbers that go together"),
            Table("", header, tuple(rows), frozenset({1}), stacked=True),
        ]
    if scenario.variants:
        rows = []
        for variant in scenario.variants.values():
            rests_on = _rests_on(variant)
            rows.append((Cell(variant.key, code=True), "", "", variant.about, rests_on))
            for name, share, change, about in option_rows(variant):
                chosen = "chosen" if scenario.options.get(variant.key) == name else ""
                option = Cell(f"{variant.key}={name}", code=True)
                rows.append((option, share, change, about, chosen))
        header = ("variant, option", "weight", "what it changes", "what it says", "rests on")
        blocks += [
            Heading("Other forms of the model"),
            Table("", header, tuple(rows), frozenset({1}), stacked=True),
        ]
    return blocks


def _formulas(scenario: Scenario) -> list[Block]:
    blocks: list[Block] = [
        Text(tuple(f"{n}. {turn_text(turn)}" for n, turn in enumerate(scenario.turns, start=1)))
    ]
    for key, actor in scenario.actors.items():
        mine = scenario.actions.get(key, {})
        if mine:
            blocks.append(_actions(f"What {actor.name} can do", list(mine.values())))
    if scenario.events:
        blocks.append(_actions("What happens by chance", list(scenario.events.values())))
    rows: list[tuple[str | Cell, ...]] = []
    for key, payoff in scenario.payoffs.items():
        kinds: tuple[tuple[str, Any], ...] = (
            ("each period", payoff.flow),
            ("at the end", payoff.terminal),
        )
        for when, parts in kinds:
            rows += [(key, when, name, Cell(f.text, code=True)) for name, f in parts.items()]
    blocks.append(
        Table("What each of them wants", ("actor", "when", "part", "payoff"), tuple(rows))
    )
    if scenario.terms:
        blocks.append(_terms(scenario))
    rows = [
        (Cell(o.key, code=True), Cell(o.when.text, code=True), "yes" if o.ends else "", o.about)
        for o in scenario.outcomes.values()
    ]
    if rows:
        blocks.append(Table("Outcomes", ("outcome", "when", "ends play", "meaning"), tuple(rows)))
    return blocks


def _actions(caption: str, actions: list[Event]) -> Table:
    rows: list[tuple[str | Cell, ...]] = []
    for action in actions:
        costs = "; ".join(f"{actor}: {formula.text}" for actor, formula in action.costs.items())
        when = Cell(condition(action.when) or "always", code=action.when is not None)
        effect = Cell(effects(action), code=True)
        rows.append(
            (Cell(action.key, code=True), action.about, when, effect, Cell(costs, code=True))
        )
    return Table(caption, ("name", "what it is", "when", "effect", "cost"), tuple(rows))


def _terms(scenario: Scenario) -> Table:
    rows: list[tuple[str | Cell, ...]] = []
    for term in scenario.terms.values():
        forbidden = ", ".join(f"{actor}: {action}" for actor, action in term.forbids)
        words = in_force(term).items()
        force = ", ".join(f"{word} {text}" for word, text in words if text) or "always"
        kind = "hard" if term.cost is None else f"soft, costs {term.cost.text}"
        rows.append((Cell(term.key, code=True), forbidden, force, kind, term.about))
    header = ("term", "forbids", "in force", "kind", "meaning")
    return Table("Terms that policies announce", header, tuple(rows))
