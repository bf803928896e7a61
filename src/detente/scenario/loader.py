"""From a file, a text or the name of a library scenario to a checked `Scenario`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

from detente import library
from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario import commitments, entities, play, schema, uncertainty, variants
from detente.scenario.checks import check_play, check_policy, warn
from detente.scenario.context import Context
from detente.scenario.diagnostics import Diagnostics
from detente.scenario.frozen import Frozen
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.names import check_names, vocabulary
from detente.scenario.source import Source, in_order, read_bytes, read_file, read_text
from detente.scenario.validate import read_parts
from detente.scenario.values import check_constants, constant, constant_problems

__all__ = ["check_constants", "constant", "load", "loads"]

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
    if isinstance(source, str) and source in library.names():
        return _load(library.read_text(source), f"{source}.yaml")
    path = Path(source)
    if _exists(path):
        return _load(read_file(path, str(source)).text, str(source))
    known = library.names()
    message = "there is no such file, and no scenario of that name in the library"
    hint = did_you_mean(path.stem, known)
    library_hint = f"the library has {listing(known)}"
    hint = f"{hint} {library_hint}" if hint.startswith("did") else library_hint
    raise ScenarioError([Diagnostic(Place(str(source)), "unknown-name", message, hint)])


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def loads(text: str | bytes, *, file: str = "<text>") -> Scenario:
    """Read a scenario from what is in a file; `file` is what messages call it.

    Raises
    ------
    ScenarioError
        With every mistake that was found, in the order of the file.
    """
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return _load(read_bytes(data, file).text, file)


@lru_cache(maxsize=8)
def _load(text: str, file: str) -> Scenario:
    """The file as it stands, after every option of its variants has been built by itself."""
    source = read_text(text, file)
    found: list[Diagnostic] = []
    scenario = None
    try:
        scenario = _build(source)
    except ScenarioError as error:
        found += error.diagnostics
    told = {(one.place, one.code) for one in found}
    formed = []
    for choice in variants.choices(source):
        try:
            formed.append((choice, _formed(text, file, (choice,))))
        except ScenarioError as error:
            fresh = (one for one in error.diagnostics if (one.place, one.code) not in told)
            found += variants.explained(source, choice, fresh)
    if scenario is None or found:
        raise ScenarioError(in_order(found))
    warnings = _doubts(source, scenario, formed)
    return dataclasses.replace(scenario, warnings=tuple(in_order(warnings)))


def _doubts(
    source: Source, scenario: Scenario, formed: list[tuple[variants.Choice, Scenario]]
) -> list[Diagnostic]:
    """What is doubtful about the file or with an option; unused is what nothing uses in any."""
    others = [set(other.warnings) for _, other in formed]
    found = [
        one
        for one in scenario.warnings
        if one.code != "unused" or all(one in other for other in others)
    ]
    told = {(one.place, one.code) for one in scenario.warnings}
    for choice, other in formed:
        inside = variants.within(source, choice)
        fresh = [
            one
            for one in other.warnings
            if (one.place, one.code) not in told and (one.code != "unused" or inside(one.place))
        ]
        found += variants.explained(source, choice, fresh)
    return found


@lru_cache(maxsize=64)
def _formed(text: str, file: str, chosen: tuple[variants.Choice, ...]) -> Scenario:
    """The file with the changes of options laid over it."""
    return _build(variants.laid_over(read_text(text, file), chosen))


def rebuild(text: str, file: str, options: Mapping[str, str]) -> Scenario:
    """A file that has been loaded before, with the options of its variants: see `Scenario`."""
    standing = _load(text, file)
    chosen = tuple(
        variants.Choice(key, options[key])
        for key, variant in standing.variants.items()
        if key in options and variant.options[options[key]].changes
    )
    if not chosen:
        return standing
    scenario = _formed(text, file, chosen)
    kept = [one for one in scenario.warnings if one.code != "unused" or one in standing.warnings]
    return dataclasses.replace(scenario, warnings=tuple(kept))


def _build(source: Source) -> Scenario:
    diagnostics = Diagnostics(source)
    parts = read_parts(diagnostics)
    check_names(parts, diagnostics)
    context = Context(parts, vocabulary(parts, diagnostics), diagnostics)
    scenario = _assemble(context)
    warn(scenario, diagnostics)
    return dataclasses.replace(scenario, warnings=tuple(in_order(diagnostics.warnings)))


def _assemble(context: Context) -> Scenario:
    """All values of the file. Raises `ScenarioError` with all that is wrong."""
    parts, diagnostics, single = context.parts, context.diagnostics, context.parts.single
    given: schema.CalendarPart | None = single.get("calendar")
    calendar = entities.calendar(context, given) if given else None
    horizon = entities.horizon(context, given) if given else None
    actors = _built(entities.actor, context, parts.actors)
    variables = _built(entities.variable, context, parts.state)
    parameters = _built(entities.parameter, context, parts.parameters)
    turns = [play.turn(context, at, part) for at, part in enumerate(parts.turns) if part]
    actions = {
        actor: _built(partial(play.action, actor=actor), context, entries)
        for actor, entries in parts.actions.items()
    }
    events = _built(play.event, context, parts.chance)
    payoffs = _built(play.payoff, context, parts.payoffs)
    terms = _built(commitments.term, context, parts.terms)
    policies = _built(commitments.policy, context, parts.policies)
    outcomes = _built(commitments.outcome, context, parts.outcomes)
    priors = uncertainty.drawn_priors(actors.values())
    correlations = [
        uncertainty.correlation(context, at, entry, parameters, priors)
        for at, entry in enumerate(parts.correlations)
        if entry
    ]
    forms = _built(variants.variant, context, parts.variants)
    evidence = _built(commitments.evidence, context, parts.evidence)
    announcing: schema.AnnouncementPart | None = single.get("announcement")
    announcement = commitments.announcer(context, announcing) if announcing else None
    check_play(context)
    check_policy(context)
    uncertainty.check_priors(context, actors, parameters)
    uncertainty.check_correlations(context, correlations)
    acts = [act for entries in (*actions.values(), events) for act in entries.values()]
    diagnostics.errors += constant_problems(calendar, horizon, actors.values(), acts, parameters)
    diagnostics.refuse()
    assert calendar is not None  # or there was something to refuse
    assert horizon is not None
    return Scenario(
        name=Path(diagnostics.source.file).stem,
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
        sha256=diagnostics.source.sha256,
        file=diagnostics.source.file,
        text=diagnostics.source.text,
        rebuild=rebuild,
        correlations=tuple(correlations),
        variants=forms,
        announcement=announcement,
    )


def _built(
    builder: Callable[[Context, str, Part], Value | None],
    context: Context,
    entries: Mapping[str, Part | None],
) -> Frozen[Value]:
    """The entries that are as they should be, built; mistakes are told by the builder."""
    found = {key: builder(context, key, part) for key, part in entries.items() if part}
    return Frozen({key: value for key, value in found.items() if value})
