"""What an observation is worth, against what a pencil says of one choice after one bell."""

from __future__ import annotations

import math

import numpy as np
import pytest

import detente
from detente.analysis.signal_value import signal_value, without_signal
from detente.describe.signal_value import describe_signal_value
from detente.errors import ScenarioError
from detente.game.arrays import CompiledGame

TEXT = """\
title: A bell, and one who may shut the door
calendar: {{period: round, horizon: 1}}
actors:
  Guard: {{precision: 2, judgement: a test}}
  Owner: {{types: {{quiet: 0.6, loud: 0.4}}, precision: 2, judgement: a test}}
state:
  bell: {{levels: [silent, rung], start: silent}}
  door: {{levels: [open, shut], start: open}}
turns: [{{chance: [ring]}}, Guard, {{chance: [storm]}}]
actions:
  Guard: {{shut: {{set: {{door: shut}}, cost: 0.2}}, wait: {{}}}}
chance:
  ring:
    effects:
    - {{p: {loud} if Owner == loud else 0.3, set: {{bell: rung}}{becomes}}}
    - {{p: rest}}
  storm: {{effects: [{{p: 0.1, set: {{bell: rung}}}}, {{p: rest}}]}}
payoffs:
  Guard: {{terminal: "-(Owner == loud) * (door == open)"}}
  Owner: {{terminal: -(door == shut)}}
outcomes: {{shut: {{when: door == shut}}, rung: {{when: bell == rung}}}}
"""


def compiled(loud: float = 0.8, becomes: str = "") -> CompiledGame:
    return detente.compile_game(detente.loads(TEXT.format(loud=loud, becomes=becomes)))


def shutting(belief: float) -> float:
    """How often the guard shuts the door where it believes so much in `loud`."""
    return 1 / (1 + math.exp(2 * (0.2 - belief)))


def test_closed_form() -> None:
    result = signal_value(compiled(), "ring", detente.SolveOptions(beliefs=4097, threads=1))
    rung = 0.4 * 0.8 + 0.6 * 0.3
    after = {True: 0.4 * 0.8 / rung, False: 0.4 * 0.2 / (1 - rung)}
    chances = {True: rung, False: 1 - rung}
    told = sum(chances[k] * (shutting(b) * -0.2 + (1 - shutting(b)) * -b) for k, b in after.items())
    untold = shutting(0.4) * -0.2 + (1 - shutting(0.4)) * -0.4
    loud = -(0.8 * shutting(after[True]) + 0.2 * shutting(after[False]))
    quiet = -(0.3 * shutting(after[True]) + 0.7 * shutting(after[False]))
    table = result.payoffs.set_index(["actor", "type"])
    for who, theirs, silent in (
        (("Guard", ""), told, untold),
        (("Owner", "quiet"), quiet, -shutting(0.4)),
        (("Owner", "loud"), loud, -shutting(0.4)),
    ):
        # The grid's error falls as the square of the step, 1 / 4096.
        assert table.loc[who, "with_signal"] == pytest.approx(theirs, abs=1e-6)
        assert table.loc[who, "without"] == pytest.approx(silent, abs=1e-10)
        assert table.loc[who, "worth"] == pytest.approx(theirs - silent, abs=1e-6)
    outcomes = result.outcomes.set_index("outcome")
    assert outcomes.loc["rung", "with_signal"] == pytest.approx(1 - (1 - rung) * 0.9, abs=1e-12)
    assert outcomes.loc["rung", "without"] == pytest.approx(1 - (1 - rung) * 0.9, abs=1e-12)
    assert "+0.0" in str(describe_signal_value(result).sections)


def test_types_change_as_before() -> None:
    game = compiled(becomes=", becomes: {Owner: {quiet: {loud: 0.5}}}")
    solution = detente.solve(game, detente.SolveOptions(beliefs=9, threads=1), coarse=False)
    silent = without_signal(solution, "ring")
    before, after = (g.layers[0].private for g in (game, silent))
    assert before is not None
    assert after is not None
    np.testing.assert_allclose(after.change.sum(axis=0), before.change.sum(axis=0), atol=1e-15)
    seen = after.change.sum(axis=2)
    np.testing.assert_allclose(seen, seen[:, :1] * np.ones(2), atol=1e-15)
    assert seen[:, 0].max() == pytest.approx(0.5, abs=1e-15)


def test_what_tells_nothing_is_refused() -> None:
    with pytest.raises(ScenarioError, match="tells nothing of a private type"):
        signal_value(compiled(loud=0.3), "ring")
    with pytest.raises(ScenarioError, match=r"`storm` tells nothing.*\n.*`ring`"):
        signal_value(compiled(), "storm")
    with pytest.raises(ScenarioError, match=r"there is no event `rign`\n.*did you mean `ring`"):
        signal_value(compiled(), "rign")
