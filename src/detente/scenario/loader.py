"""From a file, a text or the name of a library scenario to a checked `Scenario`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from detente import library
from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario import commitments, play, world
from detente.scenario.context import Context
from detente.scenario.hints import did_you_mean
from detente.scenario.model import Frozen, Scenario
from detente.scenario.names import check_names, vocabulary
from detente.scenario.report import Report
from detente.scenario.shape import read_parts
from detente.scenario.source import Source, read_bytes, read_file

Part = TypeVar("Part")
Value = TypeVar("Value")


def load(source: str | Path) -> Scenario:
    """Read a scenario.

    Parameters
    ----------
    source : str or Path
        The path of a file, or the name of a scenario of the library (`pyeongchang-2018`).

    Raises
    ------
    ScenarioError
        With every mistake that was found, in the order of the file.
    """
    path = Path(source)
    if isinstance(source, str) and source in library.names():
        return _build(read_bytes(library.read_text(source).encode(), f"{source}.yaml"), source)
    if path.is_file():
        return _build(read_file(path, str(source)), path.stem)
    hint = did_you_mean(str(source), library.names())
    message = "there is no such file, and no scenario of that name in the library"
    raise ScenarioError([Diagnostic(Place(str(source)), "unknown-name", message, hint)])


def loads(text: str, *, file: str = "<text>") -> Scenario:
    """Read a scenario from the text of a file; `file` is what messages call it.

    Raises
    ------
    ScenarioError
        With every mistake that was found, in the order of the file.
    """
    return _build(read_bytes(text.encode("utf-8", "surrogatepass"), file), Path(file).stem)


def _build(source: Source, name: str) -> Scenario:
    report = Report(source)
    parts = read_parts(report)
    check_names(parts, report)
    context = Context(parts, vocabulary(parts, report), report)

    def built(
        builder: Callable[[Context, str, Part], Value | None], entries: Mapping[str, Part | None]
    ) -> Frozen[Value]:
        """The entries that are as they should be, built; mistakes are told."""
        found = {key: builder(context, key, part) for key, part in entries.items() if part}
        return Frozen({key: value for key, value in found.items() if value})

    single = parts.single
    calendar_part = single.get("calendar")
    calendar = world.calendar(context, calendar_part) if calendar_part else None
    horizon = world.horizon(context, calendar_part) if calendar_part else None
    actors = built(world.actor, parts.actors)
    variables = built(world.variable, parts.state)
    parameters = built(world.parameter, parts.parameters)
    turns = [play.turn(context, at, part) for at, part in enumerate(parts.turns) if part]
    actions = {
        actor: Frozen(
            {
                key: play.action(context, ("actions", actor, key), actor, part)
                for key, part in entries.items()
                if part
            }
        )
        for actor, entries in parts.actions.items()
    }
    events = built(play.event, parts.chance)
    payoffs = built(play.payoff, parts.payoffs)
    terms = built(commitments.term, parts.terms)
    policies = built(commitments.policy, parts.policies)
    outcomes = built(commitments.outcome, parts.outcomes)
    evidence = built(commitments.evidence, parts.evidence)
    report.refuse()
    return Scenario(
        name=name,
        title=single["title"],
        about=single.get("about", ""),
        source=single.get("source", ""),
        notes=tuple(single.get("notes", ())),
        calendar=calendar,
        horizon=horizon,
        actors=actors,
        variables=variables,
        parameters=parameters,
        turns=tuple(turns),
        actions=Frozen(actions),
        events=events,
        payoffs=payoffs,
        terms=terms,
        policies=policies,
        policy=single.get("policy", ""),
        outcomes=outcomes,
        evidence=evidence,
        sha256=source.sha256,
    )
