"""What survives an ensemble, in sentences made from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from detente.describe.decisive import subject
from detente.describe.words import Point, Sentences, clause, meanings, who
from detente.ensembles.explore.explore import Exploration
from detente.ensembles.explore.metrics import PROBABILITY
from detente.numbers import count, explains, more_likely, percent, size
from detente.scenario.model import Scenario
from detente.scenario.policies import quoted
from detente.text import sentence

NEARLY_ALL = 0.95
"""Share of draws from which on a conclusion is said to hold in nearly all of them."""

TURNS = 2 / 3
"""Share of draws below which a conclusion of the present values is said not to survive."""

TELLING = 0.01
"""Change of a probability in the middle draw from which on it is worth a sentence."""

FEW = 3
"""Changes, policies and assumptions that a sentence names."""


def brief(result: Exploration) -> Sentences:
    """For the answer at the top of a page: two or three sentences."""
    if result.empty:
        return (f"Nothing: none of {count(result.done, 'draw')} could be solved.",)
    turned, required = tuple(_turned(result)), (_met(result),) if result.requirement else ()
    lines = (*_survives(result)[:1], *required) or (_spread(result),)
    return (*lines, f"What does not survive: {turned[0]}") if turned else lines


def survival(result: Exploration) -> tuple[Point, ...]:
    """What survives: what leads each statement in, and its sentences."""
    draws = (_draws(result), *_failed(result), *result.notes)
    if result.empty:
        return (("The draws", draws),)
    points = (
        ("The draws", draws),
        ("What happens", (_spread(result),)),
        ("Holds in nearly all", _survives(result)),
        ("What is required", (_met(result),) if result.requirement else ()),
        ("Does not survive", tuple(_turned(result))),
        ("Who prefers what", tuple(_best(result))),
        ("What a wrong choice costs", tuple(_lost(result))),
        ("What decides it", tuple(_decides(result))),
    )
    return tuple((lead, lines) for lead, lines in points if lines)


def in_draws(part: float) -> str:
    """In which share of the draws."""
    return "all draws" if part == 1 else "no draw" if part == 0 else f"{percent(part)} of draws"


def _draws(result: Exploration) -> str:
    quantities = result.manifest.quantities
    policies = len(result.manifest.policies)
    under = f" under each of {policies} policies" if policies > 1 else ""
    return (
        f"{count(result.done, 'draw')} from the ranges of "
        f"{count(len(quantities), 'assumption')}, each solved anew{under}, so that "
        "everybody's play answers to it."
    )


def _failed(result: Exploration) -> Iterator[str]:
    """How many draws were not solved, and why."""
    table = result.left_out
    if table.empty:
        yield "All of them were solved."
        return
    reasons = table.groupby(["status", "reason"], sort=False)["draws"].max()
    why = "; ".join(f"{status}, {reason}" for status, reason in list(reasons.index)[:FEW])
    verb = "was" if result.failed == 1 else "were"
    yield (
        f"{count(result.failed, 'draw')} {verb} not solved under at least one policy ({why}): "
        "left out of all numbers that need it. If what makes a draw fail also bears on the "
        "answer, the rest is not all there is."
    )


def _met(result: Exploration) -> str:
    """In how many draws each policy meets the requirement."""
    table = result.satisficing
    whole = table[table["clause"] == ""].sort_values("share", ascending=False, kind="stable")
    parts = [
        f"under {quoted(r.policy)} in {in_draws(r.share)}" for r in whole.dropna().itertuples()
    ]
    return f"{result.requirement} is met {', '.join(parts) or 'nobody knows where'}."


def _spread(result: Exploration) -> str:
    """Between which probabilities the first outcomes are in nine draws of ten."""
    scenario, table = result.manifest.scenario(), result.distributions
    table = table[(table["kind"] == PROBABILITY) & (table["policy"] == result.against)]
    parts = [
        f"{clause(scenario, r.metric)}, {percent(r.p05)} to {percent(r.p95)}"
        for r in table.dropna(subset=["p50"]).head(FEW).itertuples()
    ]
    under = f" under {quoted(result.against)}" if result.against else ""
    return f"Probabilities{under} in nine draws of ten: {'; '.join(parts) or 'none are known'}."


def _survives(result: Exploration) -> Sentences:
    """What policies change in nearly all draws, or that it is nothing; empty for one policy."""
    if len(result.manifest.policies) < 2:
        return ()
    none = f"No change of {size(TELLING)} or more has the same sign in {percent(NEARLY_ALL)}"
    return tuple(_holds(result)) or (f"{none} of the draws.",)


def _holds(result: Exploration) -> Iterator[str]:
    """Changes of outcomes with the same sign in nearly all draws, by policy."""
    scenario = result.manifest.scenario()
    table = result.differences
    table = table[(table["kind"] == PROBABILITY) & (table["p50"].abs() >= TELLING)]
    for policy, mine in table.groupby("policy", sort=False):
        sure = mine[mine[["above", "below"]].max(axis=1) >= NEARLY_ALL]
        sure = sure.loc[sure["p50"].abs().sort_values(ascending=False, kind="stable").index]
        parts = [
            f"{clause(scenario, r.metric)}, {'more' if r.p50 > 0 else 'less'} likely in "
            f"{in_draws(max(r.above, r.below))} ({size(r.p50)} in the middle one)"
            for r in sure.head(FEW).itertuples()
        ]
        if parts:
            more = f"; and {len(sure) - FEW} more" if len(sure) > FEW else ""
            under = f"Under {quoted(str(policy))} instead of {quoted(result.against)}"
            yield sentence(f"{under}: {'; '.join(parts)}{more}")


def _turned(result: Exploration) -> Iterator[str]:
    """What the present values say and too many draws do not."""
    scenario = result.manifest.scenario()
    present = result.distributions.set_index(["metric", "policy"])["present"]
    for (actor, kind), mine in result.preferences.groupby(["actor", "type"], sort=False):
        name = f"payoff:{actor}={kind}" if kind else f"payoff:{actor}"
        now = present[name].reindex(mine["policy"])
        if now.isna().any():
            continue
        best = str(now.idxmax())
        among = float(mine.set_index("policy")["among"][best])
        if among < TURNS:
            yield sentence(
                f"{quoted(best)} is the best for {who(scenario, str(actor), str(kind))} at the "
                f"present values, but the best or as good in {in_draws(among)}"
            )
    for r in result.differences[result.differences["kind"] == PROBABILITY].itertuples():
        change = present[(r.metric, r.policy)] - present[(r.metric, r.against)]
        same = r.above if change > 0 else r.below
        if abs(change) >= max(TELLING, r.error) and same < TURNS:
            yield sentence(
                f"at the present values {quoted(r.policy)} makes it {more_likely(change)} that "
                f"{clause(scenario, r.metric)}; it does so in {in_draws(same)}"
            )


def _best(result: Exploration) -> Iterator[str]:
    """Which policy is best for whom, in what share of draws."""
    for (actor, kind), mine in result.preferences.groupby(["actor", "type"], sort=False):
        name = who(result.manifest.scenario(), str(actor), str(kind))
        ranked = mine[mine["best"] > 0].sort_values("share", ascending=False, kind="stable")
        close = float(mine["close"].iloc[0])
        aside = f"; too close to call in {percent(close)}" if close > 0 else ""
        if ranked.empty:
            if not math.isnan(close):
                yield f"{name}: no policy is better than the others beyond the error."
            continue
        first = ranked.iloc[0]
        if first["share"] >= 0.5:
            within = f"{percent(first['low'])} to {percent(first['high'])} with 95 % confidence"
            where = f"is best in {in_draws(first['share'])} ({within})"
            yield f"{name}: {quoted(first['policy'])} {where}{aside}."
        else:
            few = ranked.head(FEW).itertuples()
            parts = ", ".join(f"{quoted(r.policy)} in {percent(r.share)}" for r in few)
            yield f"{name}: no policy is best in most draws: {parts}{aside}."


def _lost(result: Exploration) -> Iterator[str]:
    """The policy that can go least wrong for each actor, and the one that can go most wrong."""
    for (actor, kind), mine in result.regrets.groupby(["actor", "type"], sort=False):
        safe = mine.loc[mine["largest"].idxmin()]
        worst = mine.loc[mine["largest"].idxmax()]
        name = who(result.manifest.scenario(), str(actor), str(kind))
        if not worst["largest"] > worst["error"]:
            yield f"{name}: no choice costs more than the error."
            continue
        yield (
            f"{name}: {quoted(safe['policy'])} costs {_cost(safe['largest'])} at most, "
            f"{_cost(safe['mean'])} on average; {quoted(worst['policy'])} up to "
            f"{_cost(worst['largest'])}."
        )


def _cost(value: float) -> str:
    return "nothing" if value == 0 else f"{value:.2f}" if value >= 0.005 else "less than 0.01"


def _decides(result: Exploration) -> Iterator[str]:
    scenario: Scenario = result.manifest.scenario()
    about = meanings(scenario)
    for one in result.influences:
        lead = sentence(subject(scenario, one.question)).rstrip(".")
        if one.note:
            yield f"{lead}: {one.note}."
            continue
        parts = [
            f"{about.get(r.quantity, r.quantity)} ({explains(r.s1, r.s1_conf)})"
            for r in one.table[one.table["counts"]].head(FEW).itertuples()
        ]
        yield sentence(f"{lead}: {'; '.join(parts) or 'no assumption stands out from the noise'}")
    if any(not one.note for one in result.influences):
        yield "In brackets: the share of the variance that it explains by itself."
