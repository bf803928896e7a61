"""Thresholds in words: as many digits as are known, and what the answer rests on."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from detente.numbers import count, known, percent
from detente.scenario.hints import listing
from detente.scenario.policies import quoted
from detente.text import capital

if TYPE_CHECKING:
    from detente.analysis.threshold_result import Crossing, Threshold, ThresholdMap


def level(found_kind: str, number: float, error: float = 0.0) -> str:
    """A probability in per cent, a payoff or difference as a number; digits by the error."""
    if found_kind != "probability":
        return f"{number:.4g}"
    return percent(number, error).replace(".0 %", " %")


def crossed(found: Threshold | ThresholdMap) -> str:
    """The level that is crossed, as it was asked for."""
    return f"{100 * found.at:.6g} %" if found.kind == "probability" else f"{found.at:.6g}"


def label(found: Threshold | ThresholdMap) -> str:
    """The number in a word or two, for a column or an axis."""
    return "difference" if found.kind == "difference" else found.short


def crossing(found: Threshold, one: Crossing) -> str:
    """A crossing in a sentence without its end."""
    at, name = crossed(found), found.parameter
    if found.prefer is not None and not found.at:
        order = found.prefer if one.direction == "falling" else found.prefer[::-1]
        what = f"{found.actor}'s preference flips from {quoted(order[0])} to {quoted(order[1])}"
        what += " by a jump" if one.jump else ""
    elif found.whole:
        before, after = level(found.kind, one.below), level(found.kind, one.above)
        what = f"{found.short} passes {at}, {one.direction} from {before} to {after},"
    elif one.jump:
        before, after = level(found.kind, one.below), level(found.kind, one.above)
        what = f"{found.short} jumps over {at}, from {before} to {after},"
    else:
        what = f"{found.short} reaches {at}, {one.direction},"
    if found.whole:
        return f"{what} between {name} = {one.low:g} and {one.high:g}"
    if one.jump:
        return f"{what} at {name} = {known(one.value, one.error)}"
    if is_wide(found, one):
        return f"{what} somewhere between {name} = {one.low:.2g} and {one.high:.2g}"
    return f"{what} at {name} = {known(one.value, one.error)}"


def is_wide(found: Threshold, one: Crossing) -> bool:
    """Whether a crossing is known so badly that only a stretch can be told."""
    return not one.jump and one.error > 0.1 * (found.high - found.low)


def verdict(found: Threshold) -> str:
    """The answer in words."""
    if not len(found.curve):
        return "Interrupted before the first value was computed."
    sentences = []
    numbers, errors = found.curve["number"], found.curve["error"].fillna(0.0)
    span = f"{found.parameter} from {found.low:g} to {found.high:g}"
    at = crossed(found)
    if not found.complete:
        sentences.append(f"Interrupted after {count(len(found.curve), 'value')} of {span}.")
    elif (numbers - found.at).abs().max() <= 1e-9:
        sentences.append(
            f"{capital(found.short)} is {at} all along {span}: it does not hang on it."
        )
    elif found.crossings:
        told = "; ".join(crossing(found, one) for one in found.crossings)
        sentences.append(f"{capital(told)}.")
    else:
        lowest, highest = numbers.idxmin(), numbers.idxmax()
        where = found.curve["value"]
        above = bool(numbers.min() > found.at)
        ends = " and ".join(
            f"{level(found.kind, numbers[k], errors.max())} (at {where[k]:.4g})"
            for k in (lowest, highest)
        )
        if found.prefer is not None and not found.at:
            order = found.prefer if above else found.prefer[::-1]
            stays = f"{found.actor} prefers {quoted(order[0])} to {quoted(order[1])} for all {span}"
            sentences.append(f"{stays}: the difference is between {ends}.")
        else:
            side = "above" if above else "below"
            stays = f"{capital(found.short)} does not cross {at} for {span}: it stays {side} it"
            sentences.append(f"{stays}, between {ends}.")
        nearest = (numbers - found.at).abs().idxmin()
        if abs(numbers[nearest] - found.at) <= errors.max():
            sentences.append(
                f"At {where[nearest]:.4g} it comes within the discretisation error of {at}: a "
                "crossing there cannot be told from none."
            )
    sentences.append(rest(found))
    return " ".join(one for one in sentences if one)


def rest(found: Threshold) -> str:
    """What goes with the answer: where things are now, what failed, what the answer rests on."""
    sentences = []
    wide = [one for one in found.crossings if is_wide(found, one)]
    if wide:
        told = "So flat a curve is not known better with these belief points"
        if any(a.high > b.low for a, b in pairwise(found.crossings)):
            told += ", and where two stretches overlap there may be no crossing at all"
        sentences.append(f"{told}.")
    now = found.curve[found.curve["value"] == found.present]
    if found.present is not None and len(now):
        what = "the difference" if found.kind == "difference" else found.short
        told = level(found.kind, float(now["number"].iloc[0]), float(now["error"].iloc[0]))
        sentences.append(f"Now {found.parameter} is {found.present:g}, and {what} {told}.")
    bad = found.curve.loc[~found.curve["solved"].astype(bool), "value"]
    if len(bad):
        places = listing(f"{value:.4g}" for value in bad)
        sentences.append(f"Not to be relied on: at {places} the game was not solved as it should.")
    if found.complete:
        sentences.append(basis(found))
    return " ".join(sentences)


def basis(found: Threshold) -> str:
    """On what the claim rests that there is no other crossing."""
    other = "no other crossing" if found.crossings else "no crossing"
    claim = f"That there is {other} rests on values {found.spacing:.3g} apart"
    if found.whole and found.spacing == 1.0:
        return f"All whole numbers in between were computed: there is {other}."
    if found.structural:
        return (
            f"{claim}: {found.parameter} decides which states there are, and a jump there and back "
            "between two of them would be missed."
        )
    return (
        f"{claim} and a smooth curve between them; a pair of crossings closer together could be "
        "missed."
    )


def map_verdict(found: ThresholdMap) -> str:
    """The answer of a map in words."""
    table = found.map
    if not len(table):
        return "Interrupted before the first node was computed."
    numbers, error = table["number"], float(table["error"].fillna(0.0).max())
    at, short = crossed(found), found.short
    lowest, highest = numbers.min(), numbers.max()
    span = f"{level(found.kind, lowest, error)} to {level(found.kind, highest, error)}"
    plane = f"{found.parameters[0]} and {found.parameters[1]}"
    sentences = []
    if not found.complete:
        sentences.append(f"Interrupted after {count(len(table), 'node')} of the map.")
    share = float((numbers >= found.at).mean())
    if found.complete and not found.contours:
        side = "above" if share else "below"
        sentences.append(f"{capital(short)} stays {side} {at} on the whole map of {plane}.")
    else:
        sentences.append(f"{capital(short)} is at least {at} at {100 * share:.0f} % of the nodes.")
    sentences.append(f"It goes from {span}; the belief grid leaves an error of {error:.1g}.")
    bad = int((~table["solved"].astype(bool)).sum())
    if bad:
        sentences.append(f"Not to be relied on: {count(bad, 'node')} not solved as it should.")
    if found.complete:
        sentences.append("Islands smaller than a step of the map can be missed.")
    if not math.isnan(found.off):
        sentences.append(
            "Lines run through a smooth surface over the nodes; one over every second node would "
            f"miss the others by up to {found.off:.1g}."
        )
    return " ".join(sentences)
