"""The inspection game of Dresher (1962), as Avenhaus, von Stengel and Zamir (2002) tell it.

In each of n periods the inspectee may violate a treaty, once in all, and the inspector may inspect,
m times in all. A violation that is not inspected costs the inspector 1; one that is found gives it
b; both gains are the other's losses. The value is -C(n - 1, m) / Σ_{i ≤ m} C(n, i) b^(m - i).
"""

from __future__ import annotations

from math import comb

import pytest

import detente

TEXT = """\
title: A few inspections for many periods
calendar: {{period: round, horizon: {n}}}
actors:
  Inspector: {{precision: {precision}, judgement: a test}}
  Inspectee: {{precision: {precision}, judgement: a test}}
state:
  left: {{levels: 0..{m}, start: {m}}}
  violation: {{levels: [none, found, missed], start: none}}
turns:
  - who: [Inspector, Inspectee]
    when: violation == none
    joint:
      when: move(Inspectee) == violate
      set: {{violation: found if move(Inspector) == inspect else missed}}
actions:
  Inspector: {{inspect: {{when: left > 0, set: {{left: -1}}}}, wait: {{}}}}
  Inspectee: {{comply: {{}}, violate: {{}}}}
payoffs:
  Inspector: {{terminal: {b} * (violation == found) - (violation == missed), judgement: a test}}
  Inspectee: {{terminal: (violation == missed) - {b} * (violation == found), judgement: a test}}
outcomes: {{violated: {{when: violation != none}}}}
"""


def value(n: int, m: int, b: float) -> float:
    """That of the inspector, in closed form."""
    return -comb(n - 1, m) / sum(comb(n, i) * b ** (m - i) for i in range(m + 1))


@pytest.mark.parametrize(("n", "m", "b"), [(2, 1, 1.0), (3, 1, 1.0), (3, 2, 0.5), (4, 2, 0.5)])
def test_value_and_mix_in_the_limit(n: int, m: int, b: float) -> None:
    errors = []
    for precision in (50, 200):
        text = TEXT.format(n=n, m=m, b=b, precision=precision)
        solution = detente.solve(detente.compile_game(detente.loads(text)), regret=False)
        assert solution.status.name == "SOLVED"
        worth = solution.payoffs["Inspector", ""]
        assert worth == pytest.approx(-solution.payoffs["Inspectee", ""], abs=1e-12)
        # Both are indifferent at the first move: I(n, m) is what it gets if it inspects while the
        # other complies, with q, or violates, which is b.
        legal, later = (value(n - 1, k, b) for k in (m - 1, m))
        violates = (later - legal) / (later - legal + b + 1)
        inspects = (later + 1) / (later - legal + b + 1)
        inspector, inspectee = solution.strategy(0, 0, 0)[0, 0], solution.strategy(0, 0, 1)[0, 0]
        errors.append(
            max(
                abs(worth - value(n, m, b)),
                abs(inspector[0] - inspects),
                abs(inspectee[1] - violates),
            )
        )
    assert errors[1] < 0.01
    assert errors[1] < errors[0] / 3  # as 1 / λ: a quarter
