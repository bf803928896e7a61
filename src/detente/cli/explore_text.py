"""An exploration for people."""

from __future__ import annotations

import math
from string import ascii_uppercase

from detente.cli import console
from detente.ensembles.explore.decision_boundary import DecisionBoundary
from detente.ensembles.explore.discovery import Discovery, quality
from detente.ensembles.explore.explore import Exploration
from detente.ensembles.explore.influence import Influence
from detente.ensembles.explore.metrics import PROBABILITY
from detente.ensembles.explore.wording import capital, count, percent, probability


def print_exploration(found: Exploration, top: int) -> None:
    """What happens, who prefers what, what it costs to be wrong, what decides, where it fails."""
    record = found.manifest
    console.print_text(record.scenario().title)
    letters = _letters(found)
    console.print_text(
        f"{count(found.done, 'world')}, each solved under "
        f"{count(len(letters), 'policy').replace('policys', 'policies')}; seed {record.seed}"
    )
    base = {p: " (base)" if p == found.against and len(letters) > 1 else "" for p in letters}
    names = [
        [letter, f"{policy or 'no terms'}{base[policy]}"] for policy, letter in letters.items()
    ]
    console.print_table(["", "policy"], names)
    for note in found.notes:
        console.print_text(note, indent=2)
    _print_left_out(found, letters)
    if found.empty:
        return
    _print_outcomes(found, letters)
    _print_preferences(found, letters)
    _print_regrets(found, letters)
    _print_differences(found, letters)
    _print_wishes(found, letters)
    for influence in found.influences:
        _print_influence(found, influence, top)
    if any(not one.note for one in found.influences):
        console.print_text(
            "Explains: the share of the variance, by itself. PAWN: how far the whole distribution "
            "moves with the quantity, from 0 to 1. Rank: the rank correlation, with a plus where "
            "more of it makes the answer higher.",
            indent=2,
        )
    for discovery in found.discoveries:
        _print_discovery(found, discovery)
    if found.decision_boundary is not None:
        _print_tipping(found.decision_boundary)


def _letters(found: Exploration) -> dict[str, str]:
    """A short name for each policy."""
    policies = list(found.manifest.policies)
    many = len(policies) > len(ascii_uppercase)
    return {p: str(n + 1) if many else ascii_uppercase[n] for n, p in enumerate(policies)}


def _print_left_out(found: Exploration, letters: dict[str, str]) -> None:
    if found.left_out.empty:
        return
    parts = [
        f"{letters[r.policy]} {r.draws} {r.status} ({r.reason})"
        for r in found.left_out.itertuples()
    ]
    console.print_text(
        f"Not solved, and in no number below: {'; '.join(parts)}. If what makes a world fail also "
        "bears on the answer, the rest is not all there is.",
        indent=2,
    )


def _print_outcomes(found: Exploration, letters: dict[str, str]) -> None:
    table = found.distributions[found.distributions["kind"] == PROBABILITY]
    if table.empty:
        return
    console.print_heading("What happens: probability over the worlds, from 5 % to 95 % of them")
    rows = []
    for r in table.itertuples():
        cells = [
            probability(value) for value in (r.p05, r.p25, r.p50, r.p75, r.p95, r.mean, r.present)
        ]
        first = r.policy == next(iter(letters))
        rows.append([r.metric if first else "", letters[r.policy], *cells])
    header = ["outcome", "", "5 %", "25 %", "middle", "75 %", "95 %", "mean", "present"]
    console.print_table(header, rows, numbers=2)
    console.print_text(
        "In one world of twenty the probability is lower than the first number, in one of twenty "
        "higher than that under 95 %. Present: at the values of the file as it stands.",
        indent=2,
    )


def _print_preferences(found: Exploration, letters: dict[str, str]) -> None:
    if found.preferences.empty:
        return
    console.print_heading("Who prefers which policy: share of worlds in which it is the best")
    rows = []
    for (actor, kind), mine in found.preferences.groupby(["actor", "type"], sort=False):
        cells = [f"{percent(r.share)} ({_range(r.low, r.high)})" for r in mine.itertuples()]
        rows.append([_actor(found, str(actor)), kind, *cells, percent(mine["close"].iloc[0])])
    console.print_table(["actor", "type", *letters.values(), "too close"], rows, numbers=2)
    most, left = int(found.preferences["draws"].max()), int(found.preferences["left_out"].max())
    aside = f" {count(left, 'world')} with a policy that was not solved left out." if left else ""
    console.print_text(
        f"Of {count(most, 'world')}.{aside} In parentheses: where the share lies with 95 %, given "
        "that so many worlds were drawn. Too close: no policy is better than all others by more "
        "than the discretisation error.",
        indent=2,
    )


def _print_regrets(found: Exploration, letters: dict[str, str]) -> None:
    if found.regrets.empty:
        return
    console.print_heading("Regret: what is lost against the best policy of the same world")
    rows = []
    for (actor, kind), mine in found.regrets.groupby(["actor", "type"], sort=False):
        for r in mine.itertuples():
            first = r.Index == mine.index[0]
            marks = [
                name
                for name, marked in (("minimax", r.minimax), ("least mean", r.least_mean))
                if marked
            ]
            head = [_actor(found, str(actor)), str(kind)] if first else ["", ""]
            numbers = [
                _payoff(r.mean),
                _payoff(r.p95),
                _payoff(r.largest),
                str(r.draw) if r.largest > 0 else "",
            ]
            rows.append([*head, letters[r.policy], *numbers, ", ".join(marks)])
    header = ["actor", "type", "", "mean", "95 %", "largest", "in world", ""]
    console.print_table(header, rows, numbers=3, text=7)
    error = found.regrets["error"].max()
    console.print_text(
        "Minimax: the policy whose largest regret is the smallest. In the unit of each actor's own "
        f"payoff; never to be compared between actors. The belief grid leaves up to {error:.1g}.",
        indent=2,
    )


def _print_differences(found: Exploration, letters: dict[str, str]) -> None:
    if found.differences.empty:
        return
    base = letters[found.against]
    console.print_heading(f"What a policy changes against {base}, world by world")
    rows = []
    for _, mine in found.differences.groupby("metric", sort=False):
        for r in mine.itertuples():
            first = r.Index == mine.index[0]
            share = r.kind == PROBABILITY
            cells = [_points(v) if share else _signed(v) for v in (r.p05, r.p50, r.p95)]
            shares = [percent(r.above), percent(r.below), percent(r.close)]
            rows.append([r.metric if first else "", letters[r.policy], *cells, *shares])
    header = ["", "", "5 %", "middle", "95 %", "higher", "lower", "too close"]
    console.print_table(header, rows, numbers=2)
    console.print_text(
        "The change in the same world; of probabilities in points of 100. Higher, lower: in which "
        "share of worlds, beyond the discretisation error.",
        indent=2,
    )


def _print_wishes(found: Exploration, letters: dict[str, str]) -> None:
    if not found.requirement:
        return
    console.print_heading(f"In how many worlds it is as wished: {found.requirement}")
    rows = []
    for clause, mine in found.satisficing.groupby("clause", sort=False):
        cells = [f"{percent(r.share)} ({_range(r.low, r.high)})" for r in mine.itertuples()]
        rows.append([str(clause) or "the whole wish", *cells])
    console.print_table(["", *letters.values()], rows, numbers=1)
    close = found.satisficing.loc[found.satisficing["clause"] == "", "close"].max()
    if close > 0:
        console.print_text(
            f"In up to {percent(close)} of the worlds a number is so near to its level that the "
            "discretisation error could turn the answer.",
            indent=2,
        )


def _print_influence(found: Exploration, one: Influence, top: int) -> None:
    console.print_heading(f"What decides {one.question.about}")
    if one.note:
        console.print_text(f"{capital(one.note)}.", indent=2)
        return
    kept = one.table[one.table["counts"]]
    abouts = _abouts(found)
    rows = []
    for r in kept.head(top).itertuples():
        sign = "" if math.isnan(r.direction) else f"{r.direction:+.2f}"
        shared = f"shares its effect with {', '.join(r.shares_with)}" if r.shares_with else ""
        rows.append(
            [
                r.quantity,
                f"{100 * max(r.s1, 0):.0f} % ± {math.ceil(100 * r.s1_conf)}",
                f"{r.pawn:.2f}",
                sign,
                "; ".join(part for part in (abouts.get(r.quantity, ""), shared) if part),
            ]
        )
    if rows:
        console.print_table(["", "explains", "PAWN", "rank", ""], rows, numbers=1, text=4)
    console.print_text(_influence_note(one, len(rows)), indent=2)


def _influence_note(one: Influence, told: int) -> str:
    """From what it was computed, and what is noise."""
    kept = one.table[one.table["counts"]]
    sentences = [f"From {count(one.draws, 'world')}{_aside(one.left_out)}."]
    if kept["shares_with"].map(len).any():
        sentences.append("Where effects are shared, the shares of variance overlap.")
    elif len(kept):
        total = min(float(kept["s1"].clip(lower=0).sum()), 1.0)
        sentences.append(f"One by one, these explain {percent(total)} of the variance.")
    if len(kept) > told:
        sentences.append(f"{len(kept) - told} more count: `--top {len(kept)}`.")
    if noise := len(one.table) - len(kept):
        them = f"{noise} of {len(one.table)} quantities are" if noise > 1 else "One quantity is"
        sentences.append(
            f"{them} within the noise: one without any meaning may explain up to "
            f"{100 * max(one.s1_floor, 0):.1f} % and have a PAWN of up to {one.pawn_floor:.2f}."
        )
    return " ".join(sentences)


def _print_discovery(found: Exploration, one: Discovery) -> None:
    console.print_heading(f"Where {one.about}")
    console.print_text(
        f"So it is in {percent(one.base)} of {count(one.draws, 'world')}{_aside(one.left_out)}: "
        "these are said to fail.",
        indent=2,
    )
    if one.note:
        console.print_text(f"{capital(one.note)}.", indent=2)
        return
    abouts = _abouts(found)
    rows = []
    for k, box in enumerate(one.boxes, start=1):
        for condition in box.conditions:
            first = condition is box.conditions[0]
            shares = [
                f"{percent(share)} ({_range(*interval)})" if first else ""
                for share, interval in (
                    (box.coverage, box.coverage_interval),
                    (box.density, box.density_interval),
                )
            ]
            about = abouts.pop(condition.quantity, "")  # told once
            rows.append([str(k) if first else "", *shares, str(condition), about])
    console.print_table(["", "coverage", "density", "where", ""], rows, numbers=1, text=3)
    best = one.boxes[0]
    fewer = " These are fewer, so the conditions tell them." if one.rarer != "fail" else ""
    console.print_text(
        f"Where {best}: {quality(best, one.rarer)}.{fewer} Coverage: the share of the worlds that "
        f"{one.rarer} which are in this corner; density: the share of the worlds in it that "
        f"{one.rarer}. Conditions were looked for in half of the worlds and counted in the other "
        f"{one.counted:,}.",
        indent=2,
    )


def _print_tipping(one: DecisionBoundary) -> None:
    console.print_heading(f"The worlds nearest to where {one.about}")
    rows = []
    for draw, mine in one.table.groupby("draw", sort=False):
        told = [
            f"{r.quantity} {r.value:.3g} ({percent(r.percentile)})"
            for r in mine.itertuples()
            if r.quantity
        ]
        rows.append([str(draw), f"{mine['distance'].iloc[0]:+.2g}", ", ".join(told)])
    console.print_table(["world", "distance", "furthest from the middle"], rows, numbers=0, text=2)
    turned = f"{percent(one.turned)} of the worlds are on its lower side."
    if one.turned in (0, 1):
        turned = "in no world does it turn, these come nearest."
    console.print_text(
        f"Distance in {one.unit}; {turned} In "
        "parentheses: the share of worlds with a smaller value.",
        indent=2,
    )


def _abouts(found: Exploration) -> dict[str, str]:
    """What the quantities are, by name."""
    scenario = found.manifest.scenario()
    told = {key: variant.about for key, variant in scenario.variants.items()}
    for parameter in scenario.parameters.values():
        told |= dict.fromkeys(parameter.names(), parameter.about)
    return told


def _actor(found: Exploration, key: str) -> str:
    actors = found.manifest.scenario().actors
    return actors[key].name if key in actors else key


def _aside(left_out: int) -> str:
    return f" ({left_out:,} left out)" if left_out else ""


def _range(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"{100 * low:.0f} – {100 * high:.0f}"


def _payoff(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"


def _signed(value: float) -> str:
    return "–" if math.isnan(value) else _zero(f"{value:+.3f}")


def _points(value: float) -> str:
    return "–" if math.isnan(value) else _zero(f"{100 * value:+.1f}")


def _zero(text: str) -> str:
    """Nothing has no sign."""
    return text if text.strip("+-0.") else text[1:]
