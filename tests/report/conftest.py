"""A page of everything: types on both sides, policies, chance, a record of moves, hostile texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

import detente
from detente.describe.report import describe_report
from detente.render.page import to_html
from detente.report.data import ReportData, build

EVERYTHING = """\
title: A small stand-off <script>alert(1)</script> & "more"
about: Just enough to fill <b>every</b> section.
source: A test
notes: [Nothing of this is true.]
calendar: {start: 2018-02, period: month, horizon: 3}
actors:
  A:
    name: Alphaland
    types: {firm: odds, soft: 1 - odds}
    precision: 2
    concentration: 9
    about: gives or holds
  B: {name: Betaland, types: {kind: even, mean: 1 - even}, precision: 2}
state:
  x: {levels: 0..2, start: 0, edge: cut, about: what has been given}
  mood: {levels: [dark, bright], start: dark}
parameters:
  odds: {value: 0.5, range: [0, 1], about: how likely A is firm, evidence: [seen]}
  even: {value: 0.5, range: [0.2, 0.8], about: how likely B is kind, evidence: [heard]}
  price:
    value: {firm: 1, soft: 0.2}
    range: {firm: [0.5, 2], soft: [0, 0.5]}
    about: what giving costs
    judgement: a test
  luck:
    value: 0.3
    range: [0.1, 0.6]
    range_reason: nobody is <i>always</i> lucky
    draw: triangular
    about: chance of a brighter mood
    judgement: a test
turns: [A, B, chance]
actions:
  A: {give: {set: {x: +1}, cost: price}, hold: {}}
  B:
    take: {set: {x: -1}}
    thank: {effects: [{p: 0.5, set: {mood: bright}}, {p: rest}], judgement: a test}
chance:
  sun: {effects: [{p: luck, set: {mood: bright}}, {p: rest}]}
payoffs: {A: {flow: x}, B: {terminal: 2 * x * (B == kind)}}
terms:
  no_taking: {binds: B, forbids: take, unless: x == 2, about: B does not take}
policies:
  trust: {terms: [no_taking], about: nothing is taken}
  nothing: []
policy: trust
outcomes:
  given: {when: x >= 1, about: something is given}
  sunny: {when: mood == bright}
correlations:
  - {between: [price.firm, luck], rank: -0.4, about: the dear is rare, evidence: [seen]}
variants:
  order:
    about: who is <b>first</b>
    judgement: a test
    options:
      as_reported: {weight: 3}
      other: {about: the other way round, change: {turns: [B, A, chance]}}
evidence:
  seen: {source: A paper, where: page 3, says: A gives, url: "https://example.org/a?b=1&c=2"}
  heard: {source: A rumour, says: B takes, url: "javascript:alert(1)"}
"""

RECORD = """\
date,actor,move,action
2018-02-03,A,gives <i>at last</i>,give
2018-02-10,B,says thanks,thank
2018-03-02,A,holds,hold
"""


def render(data: ReportData) -> str:
    """The page of these data."""
    return to_html(describe_report(data))


@pytest.fixture(scope="package")
def data() -> ReportData:
    scenario = detente.loads(EVERYTHING)
    record = detente.parse_record(RECORD, scenario)
    data = build(scenario, detente.SolveOptions(beliefs=5, threads=2), moves=record)
    return replace(data, command=("detente", "report", "a small one.yaml", "--beliefs", "5"))


@pytest.fixture(scope="package")
def page(data: ReportData) -> str:
    return render(data)


@pytest.fixture(scope="package")
def pages(page: str) -> Mapping[str, str]:
    """Pages by name: of everything, and of a game in which nothing is private."""
    centipede = build(detente.load("centipede"), detente.SolveOptions(threads=2))
    return {"everything": page, "centipede": render(centipede)}
