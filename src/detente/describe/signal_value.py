"""What an observation is worth, in words."""

from __future__ import annotations

import math

from detente.analysis.signal_value import SignalValue
from detente.describe.blocks import Described, Heading, Section, text
from detente.describe.tables import Row, Table, code
from detente.describe.words import attributes, changed, identity, unsolved
from detente.numbers import percent, points, signed

HOW = (
    "Without it, what is seen comes about as often at each state as in the play with it, but says "
    "nothing of who it happens to; both games are solved, and everybody answers. What it is worth "
    "is what it tells others and what its owner has to fear of it, together."
)


def describe_signal_value(result: SignalValue) -> Described:
    """What all get with the signal and without it, and what comes about."""
    scenario = result.present.solution.game.scenario
    event = scenario.events[result.signal]
    statuses = {
        f"play {word} {result.signal}": each.solution.status
        for word, each in (("with", result.present), ("without", result.silent))
    }
    rows: list[Row] = [
        (
            code(r.actor),
            r.type,
            f"{r.with_signal:.3f}",
            f"{r.without:.3f}",
            signed(r.worth, 3),
            "" if math.isnan(r.error) else f"±{r.error:.2g}",
        )
        for r in result.payoffs.itertuples()
    ]
    header = ("actor", "type", "with", "without", "worth", "grid error")
    worth = Table(header, tuple(rows), range(2, 6))
    changes: list[Row] = [
        (
            code(r.outcome),
            percent(r.with_signal),
            percent(r.without),
            points(r.with_signal - r.without),
            scenario.outcomes[r.outcome].about,
        )
        for r in result.outcomes.itertuples()
    ]
    chances = Table(
        ("outcome", "with", "without", "change", "meaning"), tuple(changes), range(1, 4)
    )
    about = f" ({event.about})" if event.about else ""
    blocks = (
        Heading("Expected payoff, by the type at the start"),
        worth,
        Heading("Probability that it comes about"),
        chances,
        text(HOW),
    )
    data = {
        "scenario": identity(scenario),
        **attributes(result, "signal payoffs outcomes"),
    }
    title = f"What {result.signal} is worth"
    sections = (Section("value", f"{title}{about}", blocks),)
    return Described(scenario.title, (changed(scenario),), sections, data, unsolved(statuses))
