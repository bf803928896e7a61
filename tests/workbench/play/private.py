"""A small scenario in which types change, signals tell of them and moves look alike; and its play.

What North does unseen costs West, who must not notice; an event turns North's type for nobody to
see. Signals are hardly more likely with one type than with the other, so that the same seed leads
to the same of them whatever the types are.
"""

from __future__ import annotations

HIDDEN = """
title: Work in secret
calendar: {period: month, start: 2026-01, horizon: 3}
actors:
  West: {precision: 2}
  North: {types: {idle: 0.6, covert: 0.4}, precision: 2}
state:
  pressure: {levels: 0..3, start: 1, edge: cut, about: how hard the West presses}
  report: {levels: [nothing, find], start: nothing, about: what has been found}
turns:
  - {who: West, when: pressure == 3}
  - North
  - {chance: [inspection]}
  - West
  - {chance: [upheaval]}
actions:
  North:
    hold: {}
    build:
      seen_as: hold
      cost: 0.1
      costs: {West: 0.35}
      becomes: {North: {idle: {covert: 0.7}}}
    shout: {set: {pressure: +1}}
  West: {press: {set: {pressure: +1}}, ease: {set: {pressure: -1}}}
chance:
  inspection:
    effects:
      - {p: 0.3 if North == covert else 0.2, set: {report: find}}
      - {p: rest, set: {report: nothing}}
  upheaval: {becomes: {North: {covert: {idle: 0.2}, idle: {covert: 0.05}}}}
payoffs:
  West: {flow: -2 * (North == covert) - 0.2 * pressure}
  North: {flow: 1.2 * (North == covert) - 0.5 * pressure, terminal: 0.5 * (North == covert)}
outcomes:
  found: {when: report == find}
"""
