"""Bayes factors between two accounts of a record."""

from __future__ import annotations

import numpy as np
import pytest

import detente
from detente.simulation.track import Track

SIGNAL = """\
title: One signal
calendar: {period: round, horizon: 1}
actors: {A: {precision: 1}}
state: {x: {levels: 0..1, start: 0}}
parameters: {like: {value: 1, range: [0, 2], judgement: a test}}
turns: [A]
actions: {A: {up: {set: {x: 1}}, stay: {}}}
payoffs: {A: {flow: like * x}}
"""


def tracked(like: float, lines: str) -> Track:
    scenario = detente.loads(SIGNAL).with_values({"like": like})
    solution = detente.solve(detente.compile_game(scenario))
    record = detente.parse_record(f"date,actor,move\n{lines}", scenario)
    return detente.track(solution, record)


def test_it_is_the_ratio_of_likelihoods() -> None:
    one, other = tracked(2.0, "1,A,up\n"), tracked(0.5, "1,A,up\n")
    found = detente.bayes_factor(one, other)
    chances = [1 / (1 + np.exp(-like)) for like in (2.0, 0.5)]
    assert found.factor == pytest.approx(chances[0] / chances[1])
    assert found.log == pytest.approx(one.log_likelihood - other.log_likelihood)
    assert found.words == "not worth more than a bare mention"
    assert found.unlike.empty
    back = detente.bayes_factor(other, one)
    assert back.log == pytest.approx(-found.log)


def test_words_follow_the_size() -> None:
    words = [
        detente.bayes_factor(tracked(like, "1,A,stay\n"), tracked(0.0, "1,A,stay\n")).words
        for like in (1.0, 3.0, 5.0, 9.0)
    ]
    assert words == ["not worth more than a bare mention", "positive", "strong", "very strong"]


def test_tracks_without_common_observations_are_refused() -> None:
    with pytest.raises(ValueError, match="no observation in common"):
        detente.bayes_factor(tracked(1.0, "1,A,up\n"), tracked(1.0, "\n\n1,A,up\n"))
    empty = detente.bayes_factor(tracked(1.0, ""), tracked(2.0, ""))
    assert (empty.factor, len(empty.rows)) == (1.0, 0)
