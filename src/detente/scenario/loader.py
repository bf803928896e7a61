"""From a file, a text or the name of a library scenario to a checked `Scenario`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from detente import library
from detente.errors import Diagnostic, Place, ScenarioError
from detente.scenario import entities, rules
from detente.scenario.build import (
    actors,
    checks,
    commitments,
    joint_prior,
    play,
    uncertainty,
    variants,
)
from detente.scenario.build.draft import Draft
from detente.scenario.build.entity import entity
from detente.scenario.build.names import check_names, vocabulary
from detente.scenario.build.shapes import read_shapes
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.model import Scenario
from detente.scenario.source import Source, in_order, read_bytes, read_file, read_text

BUILDERS = {
    entities.CalendarPart: actors.calendar,
    entities.Actor: actors.actor,
    entities.JointPrior: joint_prior.joint_prior,
    entities.Variable: actors.variable,
    entities.Parameter: actors.parameter,
    entities.Correlation: uncertainty.correlation,
    entities.Option: variants.option,
    entities.Variant: variants.variant,
    rules.Turn: play.turn,
    rules.Alternative: play.alternative,
    rules.Event: play.event,
    rules.Joint: play.joint,
    rules.Action: play.action,
    rules.Payoff: play.payoff,
    rules.Outcome: play.outcome,
    rules.Term: commitments.term,
    rules.Announcer: commitments.announcement,
}
"""Entities of which more is to be said than their fields one by one."""


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
    scenario: Scenario | None = None
    problems: list[Diagnostic] = []
    try:
        scenario = _build(source)
    except ScenarioError as error:
        problems += error.diagnostics
    known, forms = tuple(problems), []
    for chosen in variants.all_chosen(source):
        try:
            forms.append((chosen, _formed(text, file, (chosen,))))
        except ScenarioError as error:
            problems += variants.news(source, chosen, error.diagnostics, known)
    if scenario is None or problems:
        raise ScenarioError(in_order(problems))
    # Unused is what nothing uses in any form.
    others = [set(form.warnings) for _, form in forms]
    warnings = [
        warning
        for warning in scenario.warnings
        if warning.code != "unused" or all(warning in other for other in others)
    ]
    for chosen, form in forms:
        warnings += variants.news(source, chosen, form.warnings, scenario.warnings)
    return dataclasses.replace(scenario, warnings=tuple(in_order(warnings)))


@lru_cache(maxsize=64)
def _formed(text: str, file: str, chosen: tuple[variants.Chosen, ...]) -> Scenario:
    """The file with the changes of options laid over it."""
    return _build(variants.laid_over(read_text(text, file), chosen))


def rebuild(text: str, file: str, options: Mapping[str, str]) -> Scenario:
    """A file that has been loaded before, with the options of its variants: see `Scenario`."""
    standing = _load(text, file)
    chosen = tuple(
        variants.Chosen(key, options[key])
        for key, variant in standing.variants.items()
        if key in options and variant.options[options[key]].changes
    )
    if not chosen:
        return standing
    scenario = _formed(text, file, chosen)
    kept = [w for w in scenario.warnings if w.code != "unused" or w in standing.warnings]
    return dataclasses.replace(scenario, warnings=tuple(kept))


def _build(source: Source) -> Scenario:
    """All values of the file. Raises `ScenarioError` with all that is wrong."""
    draft = Draft(source, BUILDERS)
    read_shapes(draft)
    draft.scope = vocabulary(draft)
    check_names(draft)
    scenario = entity(
        Scenario,
        draft.spot(),
        draft.raw,
        name=Path(source.file).stem,
        horizon=actors.horizon(draft.spot("calendar", "horizon"), draft.raw.get("calendar") or {}),
        file=source.file,
        text=source.text,
        sha256=source.sha256,
        rebuild=rebuild,
    )
    assert scenario is not None  # what is needed and wrong has something that stands in for it
    scenario = joint_prior.with_priors(play.with_kinds(draft, scenario))
    play.check_play(draft, scenario)
    uncertainty.check_priors(draft, scenario)
    uncertainty.check_correlations(draft, scenario)
    draft.errors += scenario.constant_problems()
    draft.refuse()
    warnings = checks.warnings_about(scenario, source)
    return dataclasses.replace(scenario, warnings=tuple(in_order(list(warnings))))
