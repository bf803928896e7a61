"""A model of one choice by each unit, with its data, for all tests of fits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ONE = """\
title: One who chooses
calendar: {period: round, horizon: 1}
actors: {chooser: {precision: sharp}}
state: {at: {levels: 0..1, start: 0}}
covariates: {x: {value: 0.5, about: a number}}
parameters:
  sharp: {value: 1, range: [0.1, 5], about: precision}
  worth: {value: 0.5, range: [-3, 3], about: worth}   # kept
  more: {value: 0, range: [-3, 3], about: by x}
  idle: {value: 2, range: [0, 4], about: of no matter here}
  double: {value: 0.1, range: [-2, 2], about: the same as worth}
turns: [chooser]
actions: {chooser: {stay: {}, go: {set: {at: 1}}}}
payoffs:
  chooser: {terminal: at * (worth + more * x + double) + 0 * idle}
outcomes: {gone: {when: at == 1, about: it has gone}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """60 units, of whom those with a large x go more often."""
    rng = np.random.default_rng(5)
    units, moves = ["unit,x,region"], ["unit,date,actor,move"]
    for k in range(60):
        x = round(float(rng.uniform(0, 1)), 3)
        go = rng.random() < 1 / (1 + np.exp(0.8 - 2 * x))
        units.append(f"u{k},{x},{k % 12}")
        moves.append(f"u{k},1,chooser,{'go' if go else 'stay'}")
    (tmp_path / "one.yaml").write_text(ONE)
    (tmp_path / "units.csv").write_text("\n".join(units))
    (tmp_path / "records.csv").write_text("\n".join(moves))
    return tmp_path
