"""How numbers are drawn in ensembles: from ranges, with priors, and together.

These parts of a file say nothing about the game at its present values. They are checked when it
is read all the same, so that an ensemble does not find a mistake after hours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np

from detente.errors import Diagnostic, Place
from detente.scenario import model, schema
from detente.scenario.context import Context
from detente.scenario.formula.expression import Formula, NotFinite
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.scalar_types import DRAWS
from detente.scenario.source import Trail

LEAST = 1e-9
"""The smallest eigenvalue that a matrix of correlations may have: no number may be made of others
but for rounding."""


def draws(
    context: Context, key: str, part: schema.ParameterPart, keys: Sequence[str]
) -> tuple[str, ...]:
    """How each value of the parameter `key` is drawn; `keys` are its types, or '' alone."""
    trail: Trail = ("parameters", key)
    source = context.diagnostics.source
    found = tuple(part.draw.get(name, part.draw.get("", DRAWS[0])) for name in keys)
    for name, kind in zip(keys, found, strict=True):
        limits = part.range.get(name, part.range.get(""))
        given = name if name in part.draw else "" if "" in part.draw else None
        if given is None:
            continue
        below = (*trail, "draw", name)
        what = f"`{key}.{name}`" if name else f"`{key}`"
        if limits is None:
            if (*trail, "range") not in source.places or part.range:  # or a wrong one was told
                message = f"{what} has no range to be drawn from"
                context.diagnostics.error(below, "draw", message, "say `range: [low, high]`")
        elif problem := _unfit(kind, part.value[name], limits):
            context.diagnostics.error(
                below, "draw", f"{what} cannot be drawn as `{kind}`: {problem}"
            )
    return found


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


def drawn_priors(actors: Iterable[model.Actor]) -> dict[str, str]:
    """The parameters that are drawn with a prior, each with its actor's key."""
    certain = [actor for actor in actors if actor.concentration is not None]
    return {name: actor.key for actor in certain for name in actor.shares() if name}


def check_priors(
    context: Context,
    actors: Mapping[str, model.Actor],
    parameters: Mapping[str, model.Parameter],
) -> None:
    """Tell priors that cannot be drawn, though they have a concentration."""
    owners: dict[str, str] = {}
    for key, actor in actors.items():
        part = context.parts.actors[key]
        if actor.concentration is None or part is None:
            continue
        if not part.types:
            message = f"`{key}` has no types, so there is no prior to draw"
            context.diagnostics.key_error(
                ("actors", key, "concentration"), "concentration", message
            )
        for name, share in zip(actor.types, actor.shares(), strict=True):
            if share is None:
                continue
            trail: Trail = ("actors", key, "types", name)
            if share in owners:
                message = f"`{share}` is drawn with the prior of {owners[share]} already"
                context.diagnostics.error(trail, "concentration", message)
            owners.setdefault(share, f"{key}.{name}")
            _check_share(context, trail, share)
        _check_rest(context, actor, parameters)


def _check_share(context: Context, trail: Trail, name: str) -> None:
    """A parameter that is a prior has no distribution of its own."""
    part = context.parts.parameters.get(name)
    if part and part.draw:
        message = f"`{name}` is drawn with the prior of {trail[1]}, by its `concentration`"
        hint = "leave out `draw`, or the concentration"
        context.diagnostics.key_error(("parameters", name, "draw"), "draw", message, hint)


def _check_rest(
    context: Context, actor: model.Actor, parameters: Mapping[str, model.Parameter]
) -> None:
    """At most one prior is a formula, and that one is what the others leave, whatever they are."""
    shares = actor.shares()
    known = {key: one.values[0] for key, one in parameters.items() if not one.types}
    others = [share for share in shares if share]
    formulas = [at for at, share in enumerate(shares) if share is None]
    for at in formulas[1:] if others else formulas:
        message = (
            f"the prior of `{actor.types[at]}` should be a parameter's name alone: {actor.key} has "
            "a `concentration`, and all priors but one are drawn"
        )
        trail: Trail = ("actors", actor.key, "types", actor.types[at])
        context.diagnostics.error(trail, "concentration", message)
    for name, prior in zip(actor.types, actor.priors, strict=True):
        if _value(prior, known) == 0:
            message = f"the prior of `{name}` is 0, and no prior can be drawn around that"
            context.diagnostics.errors.append(Diagnostic(prior.place, "concentration", message))
    if len(formulas) != 1 or not others or not set(others) <= known.keys():
        return
    rest = actor.priors[formulas[0]]
    for scale in (0.25, 0.5):  # two places that no other formula gets right by chance
        trial = {name: scale / (len(others) + at) for at, name in enumerate(dict.fromkeys(others))}
        left = 1 - math.fsum(trial[name] for name in others)
        value = _value(rest, {**known, **trial})
        if value is not None and not math.isclose(value, left, abs_tol=1e-9):
            name = actor.types[formulas[0]]
            leave = "leaves" if len(others) == 1 else "leave"
            message = f"the prior of `{name}` should be what {listing(others)} {leave} of 1"
            hint = f"write {' - '.join(('1', *others))}"
            context.diagnostics.errors.append(
                Diagnostic(rest.place, "concentration", message, hint)
            )
            return


def _value(formula: Formula, values: Mapping[str, float]) -> float | None:
    """The value of a constant; nan where it has none, None where a parameter could not be read."""
    if not formula.parameters <= values.keys():
        return None
    try:
        return float(formula.evaluate(values))
    except NotFinite:
        return math.nan


def correlation(
    context: Context,
    at: int,
    part: schema.CorrelationPart,
    parameters: Mapping[str, model.Parameter],
    priors: Mapping[str, str],
) -> model.Correlation:
    """The correlation at position `at`, of numbers that are drawn from ranges of their own."""
    trail: Trail = ("correlations", at)
    below: Trail = (*trail, "between")
    if len(part.between) < 2:
        message = "a correlation is between two numbers or more"
        context.diagnostics.error(below, "correlations", message)
    context.repeated(below, part.between)
    sound = []
    for place, name in enumerate(part.between):
        told = _undrawn(context, name, parameters, priors)
        if told is None:
            sound.append(name)
        elif told[1]:
            context.diagnostics.error((*below, place), *told)
    return model.Correlation(
        between=tuple(dict.fromkeys(sound)),
        rank=part.rank,
        about=part.about,
        support=context.support(trail, part),
        place=context.diagnostics.source.place(trail),
    )


def _undrawn(
    context: Context,
    name: str,
    parameters: Mapping[str, model.Parameter],
    priors: Mapping[str, str],
) -> tuple[str, str, str] | None:
    """Code, message and hint where a number is not drawn by itself; no message if told already."""
    key = name.partition(".")[0]
    parts = context.parts.parameters
    if key not in parts:
        if "parameters" in context.parts.lost:
            return "", "", ""
        names = [full for one in parameters.values() for full in one.names()]
        return "unknown-name", f"`{name}` is not a parameter", did_you_mean(name, names)
    parameter = parameters.get(key)
    if parameter is None:
        return "", "", ""  # it could not be read, and that was told
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


def check_correlations(context: Context, found: Sequence[model.Correlation]) -> None:
    """Tell what several correlations say together that cannot be."""
    ranks: dict[tuple[str, str], float] = {}
    groups: list[tuple[set[str], Place, bool]] = []
    for one in found:
        pairs = list(combinations(sorted(one.between), 2))
        again = next((pair for pair in pairs if pair in ranks), None)
        if again:
            message = f"how {listing(again)} go together is said twice"
            _contradiction(context, one.place, message)
        possible = _possible(dict.fromkeys(pairs, one.rank))
        if not possible:
            message = f"no {len(one.between)} numbers have a rank correlation of {one.rank:g} each"
            _contradiction(context, one.place, message, "bring it nearer to 0")
        ranks = dict.fromkeys(pairs, one.rank) | ranks
        names = set(one.between)
        touching = [group for group in groups if group[0] & names]
        whole = names.union(*(group[0] for group in touching))
        sound = possible and all(group[2] for group in touching)
        groups = [group for group in groups if group not in touching]
        groups.append((whole, one.place, sound))
    for names, place, sound in groups:
        if sound and not _possible({pair: r for pair, r in ranks.items() if names & {*pair}}):
            message = f"the correlations of {listing(sorted(names))} contradict each other"
            hint = "two numbers of which nothing is said have none; bring the others nearer to 0"
            _contradiction(context, place, message, hint)


def _contradiction(context: Context, place: Place, message: str, hint: str = "") -> None:
    context.diagnostics.errors.append(Diagnostic(place, "correlations", message, hint))


def _possible(ranks: Mapping[tuple[str, str], float]) -> bool:
    """Whether normal numbers with these rank correlations exist, those not named having none.

    A rank correlation r of two normal numbers is the correlation 2 sin(π r / 6) (Pearson 1907).
    """
    names = {name: at for at, name in enumerate(sorted({name for pair in ranks for name in pair}))}
    matrix = np.eye(len(names))
    for (first, second), rank in ranks.items():
        here, there = names[first], names[second]
        matrix[here, there] = matrix[there, here] = 2 * math.sin(math.pi * rank / 6)
    return not names or bool(np.linalg.eigvalsh(matrix)[0] > LEAST)
