"""How numbers are drawn in ensembles: from ranges, with priors, and together.

These parts of a file say nothing about the game at its present values. They are checked when it
is read all the same, so that an ensemble does not find a mistake after hours.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from detente.errors import Diagnostic, Place
from detente.scenario.build.draft import Draft, Spot
from detente.scenario.build.entity import Raw, entity
from detente.scenario.entities import Actor, Correlation, Parameter
from detente.scenario.formula.expression import Formula, NotFinite
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.ledger import drawn_priors
from detente.scenario.model import Scenario
from detente.scenario.scalar_types import DRAWS

LEAST = 1e-9
"""The smallest eigenvalue that a matrix of correlations may have: no number may be made of others
but for rounding."""


def draws(spot: Spot, raw: Raw, keys: Sequence[str]) -> tuple[str, ...]:
    """How each value of a parameter is drawn; `keys` are its types, or '' alone."""
    how, ranges = raw.get("draw", {}), raw.get("range", {})
    drawn = tuple(how.get(name, how.get("", DRAWS[0])) for name in keys)
    for name, kind in zip(keys, drawn, strict=True):
        limits = ranges.get(name, ranges.get(""))
        given = name if name in how else ""
        if given not in how:
            continue
        here = spot / "draw" / given
        what = f"`{spot.trail[-1]}.{name}`" if name else f"`{spot.trail[-1]}`"
        if limits is None:
            if ranges or not (spot / "range").written:  # or a wrong one was reported
                message = f"{what} has no range to be drawn from"
                here.error("draw", message, "say `range: [low, high]`")
        elif problem := _unfit(kind, raw["value"][name], limits):
            here.error("draw", f"{what} cannot be drawn as `{kind}`: {problem}")
    return drawn


def _unfit(kind: str, value: float, limits: tuple[float, float]) -> str:
    """Why a range does not go with a way to draw; '' where it does."""
    low, high = limits
    if kind == "triangular" and not low <= value <= high:
        return f"its most likely value, {value:g}, is outside its range [{low:g}, {high:g}]"
    if kind == "log-uniform" and low <= 0:
        return f"its range begins at {low:g}, not above 0"
    if kind == "whole" and not (low.is_integer() and high.is_integer()):
        return f"the ends of its range, {low:g} and {high:g}, are not whole numbers"
    return ""


# ---- priors that are drawn


def check_priors(draft: Draft, scenario: Scenario) -> None:
    """Report priors that cannot be drawn, though they have a concentration."""
    owners: dict[str, str] = {}
    for key, actor in scenario.actors.items():
        if actor.concentration is None:
            continue
        spot = draft.spot("actors", key)
        if "types" not in draft.raw["actors"][key]:
            message = f"`{key}` has no types, so there is no prior to draw"
            (spot / "concentration").key_error("concentration", message)
        for name, share in zip(actor.types, actor.shares(), strict=True):
            if share in owners:
                message = f"`{share}` is drawn with the prior of {owners[share]} already"
                (spot / "types" / name).error("concentration", message)
            elif share:
                owners[share] = f"{key}.{name}"
            if share:
                _check_share(draft, key, share)
        _check_rest(spot, actor, scenario.scalars)


def _check_share(draft: Draft, actor: str, name: str) -> None:
    """A parameter that is a prior has no distribution of its own."""
    raw = draft.raw["parameters"].get(name)
    if raw and raw.get("draw"):
        message = f"`{name}` is drawn with the prior of {actor}, by its `concentration`"
        hint = "leave out `draw`, or the concentration"
        draft.spot("parameters", name, "draw").key_error("draw", message, hint)


def _check_rest(spot: Spot, actor: Actor, known: Mapping[str, float]) -> None:
    """At most one prior is a formula, and that one is what the others leave, whatever they are."""
    shares = actor.shares()
    others = [share for share in shares if share]
    formulas = [name for name, share in zip(actor.types, shares, strict=True) if share is None]
    for name in formulas[1:] if others else formulas:
        message = (
            f"the prior of `{name}` should be a parameter's name alone: {actor.key} has "
            "a `concentration`, and all priors but one are drawn"
        )
        (spot / "types" / name).error("concentration", message)
    for name, prior in actor.priors.items():
        if _value(prior, known) == 0:
            message = f"the prior of `{name}` is 0, and no prior can be drawn around that"
            (spot / "types" / name).error("concentration", message)
    if len(formulas) != 1 or not others or not set(others) <= known.keys():
        return
    (name,) = formulas
    for scale in (0.25, 0.5):  # two places that no other formula gets right by chance
        trial = {share: scale / (len(others) + k) for k, share in enumerate(dict.fromkeys(others))}
        left = 1 - math.fsum(trial[share] for share in others)
        value = _value(actor.priors[name], {**known, **trial})
        if value is not None and not math.isclose(value, left, abs_tol=1e-9):
            leave = "leaves" if len(others) == 1 else "leave"
            message = f"the prior of `{name}` should be what {listing(others)} {leave} of 1"
            hint = f"write {' - '.join(('1', *others))}"
            (spot / "types" / name).error("concentration", message, hint)
            return


def _value(formula: Formula, values: Mapping[str, float]) -> float | None:
    """The value of a constant; nan where it has none, None where a parameter could not be read."""
    if not formula.parameters | formula.covariates <= values.keys():
        return None
    try:
        return float(formula.evaluate(values))
    except NotFinite:
        return math.nan


# ---- numbers that go together


def correlation(spot: Spot, raw: Raw) -> Correlation | None:
    """A correlation; whether its numbers are drawn is seen when all are known."""
    if len(raw["between"]) < 2:
        message = "a correlation is between two numbers or more"
        (spot / "between").error("correlations", message)
    (spot / "between").repeated(raw["between"])
    return entity(Correlation, spot, raw, between=tuple(dict.fromkeys(raw["between"])))


def check_correlations(draft: Draft, scenario: Scenario) -> None:
    """Report numbers that are not drawn by themselves, and what cannot be all together."""
    priors = drawn_priors(scenario)
    sound: list[Correlation] = []
    raws = [(k, raw) for k, raw in enumerate(draft.raw["correlations"]) if raw]
    for (k, raw), built in zip(raws, scenario.correlations, strict=True):
        drawn = []
        for position, name in enumerate(raw["between"]):
            reason = _undrawn(draft, name, scenario.parameters, priors)
            if reason is None:
                drawn.append(name)
            elif reason[1]:
                draft.spot("correlations", k, "between", position).error(*reason)
        sound.append(replace(built, between=tuple(dict.fromkeys(drawn))))
    _check_together(draft, sound)


def _undrawn(
    draft: Draft, name: str, parameters: Mapping[str, Parameter], priors: Mapping[str, str]
) -> tuple[str, str, str] | None:
    """Why a number is not drawn by itself: code, message, hint; no message if reported before."""
    key = name.partition(".")[0]
    if key not in draft.raw["parameters"]:
        if "parameters" in draft.lost:
            return "", "", ""
        names = [full for p in parameters.values() for full in p.names()]
        return "unknown-name", f"`{name}` is not a parameter", did_you_mean(name, names)
    parameter = parameters.get(key)
    if parameter is None:
        return "", "", ""  # it could not be read, and that was reported
    names = list(parameter.names())
    if name == key and parameter.types:
        return "type", f"`{name}` varies by type", f"name one of its values: {listing(names)}"
    if name not in names:
        return "unknown-name", f"`{name}` is not a parameter", did_you_mean(name, names)
    if name in priors:
        message = (
            f"`{name}` is drawn with the prior of {priors[name]}, so it goes with nothing else"
        )
        return "correlations", message, ""
    limits = parameter.ranges[names.index(name)]
    if limits is None:
        message = f"`{name}` has no range, so it is not drawn"
        return "correlations", message, "say `range: [low, high]`"
    if limits[0] == limits[1]:
        return "correlations", f"the range of `{name}` is a point, so it is not drawn", ""
    return None


def _check_together(draft: Draft, correlations: Sequence[Correlation]) -> None:
    """Report what several correlations say together that cannot be."""
    ranks: dict[tuple[str, str], float] = {}
    groups: list[tuple[set[str], Place, bool]] = []
    for correlation in correlations:
        pairs = list(combinations(sorted(correlation.between), 2))
        again = next((pair for pair in pairs if pair in ranks), None)
        if again:
            message = f"how {listing(again)} go together is said twice"
            _contradict(draft, correlation.place, message)
        possible = _possible(dict.fromkeys(pairs, correlation.rank))
        if not possible:
            count, rank = len(correlation.between), correlation.rank
            message = f"no {count} numbers have a rank correlation of {rank:g} each"
            _contradict(draft, correlation.place, message, "bring it nearer to 0")
        ranks = dict.fromkeys(pairs, correlation.rank) | ranks
        names = set(correlation.between)
        touching = [group for group in groups if group[0] & names]
        whole = names.union(*(group[0] for group in touching))
        sound = possible and all(group[2] for group in touching)
        groups = [group for group in groups if group not in touching]
        groups.append((whole, correlation.place, sound))
    for names, place, sound in groups:
        if sound and not _possible({pair: r for pair, r in ranks.items() if names & {*pair}}):
            message = f"the correlations of {listing(sorted(names))} contradict each other"
            hint = "two numbers of which nothing is said have none; bring the others nearer to 0"
            _contradict(draft, place, message, hint)


def _contradict(draft: Draft, place: Place, message: str, hint: str = "") -> None:
    draft.errors.append(Diagnostic(place, "correlations", message, hint))


def _possible(ranks: Mapping[tuple[str, str], float]) -> bool:
    """Whether normal numbers with these rank correlations exist, those not named having none.

    A rank correlation r of two normal numbers is the correlation 2 sin(π r / 6) (Pearson 1907).
    """
    names = {
        name: row for row, name in enumerate(sorted({name for pair in ranks for name in pair}))
    }
    matrix = np.eye(len(names))
    for (first, second), rank in ranks.items():
        here, there = names[first], names[second]
        matrix[here, there] = matrix[there, here] = 2 * math.sin(math.pi * rank / 6)
    return not names or bool(np.linalg.eigvalsh(matrix)[0] > LEAST)
