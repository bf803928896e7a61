"""Small scenarios for runs: a game of one round, and ways in which its draws fail."""

from __future__ import annotations

ROUND = """
title: A round of pressure
calendar: {period: round, horizon: 1}
actors:
  sender: {precision: 2}
  target: {precision: 2, types: {sincere: prior, stalling: 1 - prior}}
state:
  pressure: {levels: 0..2, start: 1, edge: cut}
  steps: {levels: 0..1, start: 0, edge: cut}
parameters:
  prior: {value: 0.4, range: [0.1, 0.9], judgement: in doubt}
  cost: {value: {sincere: 0.3, stalling: 1.1}, range: {sincere: [0.1, 0.6], stalling: [0.8, 2]},
         judgement: a step is cheap for who means it}
  relief: {value: 0.4, range: [0.2, RELIEF], judgement: how often pressure falls by itself}
turns: [sender, target, chance]
actions:
  sender:
    ease: {set: {pressure: -1}}
    hold: {}
    tighten: {set: {pressure: +1}}
  target:
    step: {set: {steps: +1}, cost: cost}
    stall: {}
chance:
  fades:
    effects: [{p: relief, set: {pressure: -1}}, {p: rest}]
payoffs:
  sender: {terminal: steps - 0.3 * pressure, judgement: a step is worth it}
  target: {terminal: 0.6 * steps - 0.2 * pressure ** 2, judgement: pressure hurts}
terms:
  no_more: {forbids: {sender: [tighten]}, judgement: a promise}
policies:
  open: {terms: [], judgement: none}
  promise: {terms: [no_more], judgement: some}
policy: open
outcomes:
  step: {when: steps >= 1, about: the target has taken a step}
  calm: {when: pressure == 0, about: there is no pressure}
"""

SOUND = ROUND.replace("RELIEF", "0.8")

FAILING = ROUND.replace("RELIEF", "1.6")
"""In about half of its draws a probability is above 1."""
