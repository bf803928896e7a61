"""The ledger of a scenario: every assumption with its range, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from detente.describe.blocks import Block, Heading, Section, text
from detente.describe.tables import Cell, Link, Row, Table, code
from detente.scenario.entities import Supported
from detente.scenario.ledger import drawn_priors, entity_data
from detente.scenario.model import Scenario
from detente.scenario.scalar_types import DRAWS

WEB = ("https://", "http://")
"""How an address begins that a page may link to."""


def ledger(scenario: Scenario) -> list[Section]:
    """The parameters, which of them go together, other forms of the model, and the evidence."""
    rows: list[Row] = []
    priors = drawn_priors(scenario)
    for p in scenario.parameters.values():
        for k, (name, value, limits) in enumerate(zip(p.names(), p.values, p.ranges, strict=True)):
            mark = None
            if limits is not None and limits[1] > limits[0]:
                mark = min(1.0, max(0.0, (value - limits[0]) / (limits[1] - limits[0])))
            parts = [f"{limits[0]:g} to {limits[1]:g}"] if limits else []
            if p.key in priors:
                parts.append(f"drawn with the prior of {priors[p.key]}")
            elif p.draws[k] != DRAWS[0]:
                parts.append(p.draws[k])
            changed = " (changed)" if name in scenario.overrides else ""
            about = f"{p.about} ({p.unit})" if p.unit else p.about
            drawn = Cell(", ".join(parts), mark=mark)
            support = _rests_on(p, p.range_reason, p.estimated)
            rows.append((code(name), f"{value:g}{changed}", drawn, about, support))
    header = ("parameter", "value", "range", "meaning", "rests on")
    blocks: list[Block] = [Table(header, tuple(rows), stacked=True)]
    sections = [Section("ledger", "Ledger of assumptions", tuple(blocks))]
    for key, title, table in _doubts(scenario):
        sections.append(Section(key, title, (table,)))
    return sections


def page_ledger(scenario: Scenario) -> Section:
    """For a page: all of it in one section."""
    first, *others = ledger(scenario)
    number = sum(len(p.values) for p in scenario.parameters.values())
    blocks: list[Block] = [
        text(
            f"{number} numbers, each with its range (the dot shows where in it the value lies) and "
            "with what it rests on: evidence, or a judgement that says why."
        ),
        *first.blocks,
    ]
    for section in others:
        blocks += [Heading(section.title), *section.blocks]
    if scenario.notes:
        blocks += [Heading("Notes of the author"), text(*scenario.notes)]
    return Section(first.key, first.title, tuple(blocks))


def notes(scenario: Scenario) -> list[Section]:
    """What the author has to say besides."""
    return [Section("note", "Note", (text(note),)) for note in scenario.notes]


def _doubts(scenario: Scenario) -> Iterator[tuple[str, str, Table]]:
    """Covariates, numbers that go together, other forms of the model, and the evidence."""
    if scenario.covariates:
        rows: list[Row] = [
            (code(c.key), f"{c.value:g}", f"{c.about} ({c.unit})" if c.unit else c.about)
            for c in scenario.covariates.values()
        ]
        header: tuple[str, ...] = ("covariate", "value without data", "meaning")
        yield "covariates", "Covariates", Table(header, tuple(rows), stacked=True)
    if scenario.correlations:
        rows = [
            (code(", ".join(c.between)), f"{c.rank:g}", c.about, _rests_on(c))
            for c in scenario.correlations
        ]
        header = ("between", "rank correlation", "meaning", "rests on")
        table = Table(header, tuple(rows), stacked=True)
        yield "correlations", "Numbers that go together", table
    if scenario.variants:
        rows = []
        for variant in scenario.variants.values():
            rows.append((code(variant.key), "", "", variant.about, _rests_on(variant)))
            total = math.fsum(option.weight for option in variant.options.values())
            for option in variant.options.values():
                chosen = scenario.options.get(variant.key) == option.key
                changes = f"changes {', '.join(option.changes)}" if option.changes else ""
                rows.append(
                    (
                        code(f"{variant.key}={option.key}"),
                        f"{100 * option.weight / total:.3g} %",
                        changes or "as it stands",
                        option.about,
                        "chosen" if chosen else "",
                    )
                )
        header = ("variant, option", "weight", "what it changes", "meaning", "rests on")
        yield "variants", "Other forms of the model", Table(header, tuple(rows), stacked=True)
    if scenario.evidence:
        rows = []
        for e in scenario.evidence.values():
            web = (Link("source", e.url),) if e.url.startswith(WEB) else ()
            source = Cell(f"{e.source}{', ' + e.where if e.where else ''}", links=web)
            rows.append((Cell(e.key, key=f"e-{e.key}", code=True), source, e.says))
        header = ("name", "source", "says")
        yield "evidence", "Evidence", Table(header, tuple(rows), stacked=True)


def _rests_on(support: Supported, range_reason: str = "", estimated: str = "") -> Cell:
    """The evidence for an entry, or a judgement; of a parameter, what it was estimated from, and
    what is said for its range."""
    links = tuple(Link(name, f"#e-{name}") for name in support.evidence)
    parts = [f"estimated {estimated}"] if estimated else []
    parts += [f"judgement: {support.judgement}"] if support.judgement else []
    if not parts and not links:
        parts.append("none given")
    if range_reason:
        parts.append(f"range: {range_reason}")
    return Cell("; ".join(parts), links=links)


def numbers_data(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """The parameters for programs, each of their values by its full name."""
    priors = drawn_priors(scenario)
    for p in scenario.parameters.values():
        said = entity_data(p, scenario)
        for k, name in enumerate(p.names()):
            draw = "dirichlet" if p.key in priors else p.draws[k]
            yield {**said, "name": name, "value": p.values[k], "range": p.ranges[k], "draw": draw}
