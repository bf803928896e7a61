"""Scenario texts that the tests of the language share."""

from __future__ import annotations

PLAIN = """\
title: A plain scenario
calendar: {start: 2018-02, period: month, horizon: 6}
actors:
  US: {types: {trader: 0.4, hardliner: 0.6}, precision: 3, judgement: a test}
  DPRK: {types: {sincere: 0.3, stalling: 0.7}, precision: 3, judgement: a test}
state:
  steps: {levels: 0..3, start: 0}
  talks: {levels: [none, contact, summit], start: none}
parameters:
  step_cost: {value: {sincere: 0.2, stalling: 1.1}, range: [0.1, 2], judgement: a test}
turns: [DPRK, US, chance]
actions:
  DPRK:
    step: {when: steps < 3, set: {steps: +1}, cost: step_cost}
    wait: {}
  US:
    meet: {set: {talks: contact}}
    hold: {}
chance:
  quarrel: {when: "month in (3, 8)", set: {talks: none}}
payoffs:
  US: {terminal: steps}
  DPRK: {flow: rank(talks)}
terms:
  patience: {binds: US, forbids: meet, unless: steps >= 1}
policies:
  patient: [patience]
policy: patient
outcomes:
  deal: {when: steps == 3, ends: true}
"""

# Every key of the language, in its long and its short forms.
FULL = """\
title: Every key
about: A stand-off that has everything.
source: nowhere
notes: [one, two]
calendar: {start: 2018-02-05, period: week, horizon: weeks}
actors:
  US:
    name: United States
    types: {trader: p_trader, hardliner: 1 - p_trader}
    precision: sharp
    discount: 0.98
    concentration: 12
    about: the one
    evidence: [a-report]
  DPRK: {types: {sincere: 0.3, stalling: 0.7}, precision: 2, judgement: a guess}
  ROK: {precision: 2 * sharp}
state:
  steps: {levels: -1..3, start: 0, edge: cut, about: steps taken}
  talks: {levels: [none, contact, summit], start: contact}
parameters:
  weeks: {value: 12, range: [1, 52], draw: whole, range_reason: a week at least, judgement: long}
  sharp: {value: 1.5, range: [0, 10], unit: 1 / payoff, about: sharpness, judgement: a guess}
  p_trader: {value: 0.25, range: [0, 1], unit: probability, evidence: [a-report]}
  step_cost: {value: {stalling: 1.1, sincere: 0.2}, range: {sincere: [0, 1]}, judgement: a guess}
  war_cost: {value: {trader: 2, hardliner: 1}, range: [0, 3], of: US, judgement: a guess}
turns:
  - DPRK
  - {who: US, when: talks >= contact or t >= 3}
  - {who: [US, ROK]}
  - {chance: [storm]}
  - chance
actions:
  DPRK:
    step:
      about: a verified step
      when: steps < 3
      effects:
        - {p: 0.75, set: {steps: +1, talks: contact}}
        - {p: rest}
      cost: step_cost
      costs: {ROK: 0.5}
      judgement: a guess
    test: {set: {steps: (-1), talks: -1}, cost: {DPRK: 1, ROK: 2}, also: [missile  launch, a test]}
    wait: {}
  US:
    ease: {also: relax, set: {talks: "min(talks + 1, summit)", steps: "max(steps, 1)"}}
    hold: {}
  ROK:
    aid: {}
    wait: {}
chance:
  storm: {when: t % 2 == 0, set: {talks: none}}
  calm: {effects: [{p: 1 / weeks}, {p: rest, set: {steps: "-1"}}], about: a calm}
payoffs:
  US:
    flow: -steps
    terminal: {deal: steps, war: -war_cost * (steps < 0)}
    about: wants steps
    judgement: a guess
  DPRK: {flow: {talk: rank(talks)}}
  ROK: {terminal: "1 if DPRK == sincere else 0"}
terms:
  patience: {binds: [US, ROK], forbids: [ease, aid], unless: steps >= 1}
  alone: {forbids: {US: ease, ROK: [aid, wait]}, when: t > 2, cost: war_cost}
policies:
  hard, and soft: {terms: [patience, alone], about: both, judgement: why not}
  none at all: []
policy: hard, and soft
announcement: {who: US, among: ["hard, and soft", none at all], judgement: a guess}
outcomes:
  deal: {when: steps == 3, ends: true, about: the end}
  contact: {when: talks >= contact}
correlations:
  - {between: [sharp, war_cost.trader], rank: -0.3, about: how so, judgement: a guess}
variants:
  order:
    about: who moves first
    judgement: nobody knows
    options:
      as_reported: {weight: 2, about: the North}
      washington_first: {change: {turns: [US, DPRK, ROK, chance]}}
      storms:
        weight: 0.5
        change:
          chance: {storm: {when: t % 3 == 0}, calm: {set: {steps: -1}}}
          actions: {DPRK: {step: {cost: {DPRK: 2 * step_cost, US: 0.25}}}}
evidence:
  a-report: {source: a newspaper, where: page 1, says: so, url: "https://example.org"}
"""
