"""What survives an ensemble of worlds, in sentences made from its numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from detente.ensembles.explore.metrics import PROBABILITY
from detente.ensembles.explore.question import Question
from detente.ensembles.explore.wording import count
from detente.report.data import ReportData, named
from detente.report.numbers import share
from detente.report.words import FEW, Point, about_parameters, clause, sentence, who
from detente.report.worlds import Worlds
from detente.scenario.model import Scenario

NEARLY_ALL = 0.95
"""Share of worlds from which on a conclusion is said to hold in nearly all of them."""

TURNS = 2 / 3
"""Share of worlds below which a conclusion of the present values is said not to survive."""

TELLING = 0.01
"""Change of a probability in the middle world from which on it is worth a sentence."""


def brief(data: ReportData, told: Worlds) -> tuple[str, ...]:
    """For the answer at the top of the page: two or three sentences."""
    found = told.exploration
    if found.empty:
        return (_worlds(told), "None of them could be solved.")
    lines = [_worlds(told)]
    holds = _holds(data, told)
    if holds:
        lines.append(holds[0])
    if told.exploration.requirement:
        lines.append(_wished(told))
    turned = _turned(data, told)
    if turned:
        lines.append(f"What does not survive: {turned[0]}")
    return tuple(lines)


def survives(data: ReportData, told: Worlds) -> tuple[Point, ...]:
    """The section's answer: what leads each statement in, and its sentences."""
    found = told.exploration
    points: list[Point] = [
        ("The worlds", (_worlds(told), *_failed(told), *(_plain(note) for note in found.notes)))
    ]
    if found.empty:
        return tuple(points)
    holds, turned = _holds(data, told), _turned(data, told)
    if len(found.manifest.policies) > 1:
        none = (
            f"No change of {_points(TELLING)} or more has the same sign in {share(NEARLY_ALL)}",
        )
        points.append(("Holds in nearly all", holds or (f"{none[0]} of the worlds.",)))
    if found.requirement:
        points.append(("What is wished for", (_wished(told),)))
    if turned:
        points.append(("Does not survive", turned))
    best = tuple(_best(data.scenario, told))
    if best:
        points.append(("Who prefers what", best))
    lost = tuple(_lost(data.scenario, told))
    if lost:
        points.append(("What a wrong choice costs", lost))
    decides = tuple(_decides(data.scenario, told))
    if decides:
        points.append(("What decides it", decides))
    return tuple(points)


def asked(scenario: Scenario, question: Question) -> str:
    """What is explained, in the page's words."""
    number, under = question.metric, f"“{named(question.policy)}”"
    if number.kind == PROBABILITY:
        what = f"how likely it is that {clause(scenario, number.name)}"
        if question.against is None:
            return f"{what}, under {under}"
        return f"by how much {under} changes {what}, against “{named(question.against)}”"
    if question.against is None:
        return f"what {number.who} expects under {under}"
    return f"whether {number.who} prefers {under} to “{named(question.against)}”, and by how much"


def abouts(scenario: Scenario) -> dict[str, str]:
    """What the quantities say, by name."""
    variants = {key: variant.about or key for key, variant in scenario.variants.items()}
    return about_parameters(scenario) | variants


def in_worlds(part: float) -> str:
    """In which share of the worlds."""
    return "all worlds" if part == 1 else "no world" if part == 0 else f"{share(part)} of worlds"


def quoted(text: str, policies: tuple[str, ...]) -> str:
    """A text of the exploration, with the quotes that the page uses for policies."""
    for policy in policies:
        text = text.replace(f"'{policy}'", f"“{policy}”") if policy else text
    return text


def _plain(note: str) -> str:
    """A note of the exploration, with the page's quotes for commands."""
    return re.sub(r"`([^`]*)`", r"“\1”", note)


def _worlds(told: Worlds) -> str:
    found, record = told.exploration, told.record
    policies = len(record.policies)
    under = f" under each of {policies} policies" if policies > 1 else ""
    return (
        f"{count(found.done, 'world')} drawn from the ranges of "
        f"{count(len(record.quantities), 'assumption')}, each solved anew{under}, so that "
        "everybody's play answers to each world."
    )


def _failed(told: Worlds) -> Iterator[str]:
    """How many worlds were not solved, and why."""
    table = told.exploration.left_out
    if table.empty:
        yield "All of them were solved."
        return
    reasons = table.groupby(["status", "reason"], sort=False)["draws"].max()
    why = "; ".join(f"{status}, {reason}" for status, reason in list(reasons.index)[:FEW])
    verb = "was" if told.failed == 1 else "were"
    yield (
        f"{count(told.failed, 'world')} {verb} not solved under at least one policy ({why}): left "
        "out of all numbers that need it. If what makes a world fail also bears on the answer, "
        "the rest is not all there is."
    )


def _wished(told: Worlds) -> str:
    """In how many worlds each policy fulfils the wish."""
    table = told.exploration.satisficing
    whole = table[table["clause"] == ""].sort_values("share", ascending=False, kind="stable")
    parts = [f"“{named(r.policy)}” in {in_worlds(r.share)}" for r in whole.dropna().itertuples()]
    return f"As wished ({told.exploration.requirement}): {', '.join(parts) or 'not known'}."


def _holds(data: ReportData, told: Worlds) -> tuple[str, ...]:
    """Changes of outcomes with the same sign in nearly all worlds, by policy."""
    table = told.exploration.differences
    table = table[(table["kind"] == PROBABILITY) & (table["p50"].abs() >= TELLING)]
    lines = []
    for policy, mine in table.groupby("policy", sort=False):
        sure = mine[mine[["above", "below"]].max(axis=1) >= NEARLY_ALL]
        sure = sure.loc[sure["p50"].abs().sort_values(ascending=False, kind="stable").index]
        parts = [
            f"{clause(data.scenario, r.metric)}, {'more' if r.p50 > 0 else 'less'} likely in "
            f"{in_worlds(max(r.above, r.below))} ({_points(abs(r.p50))} in the middle one)"
            for r in sure.head(FEW).itertuples()
        ]
        if parts:
            more = f"; and {len(sure) - FEW} more" if len(sure) > FEW else ""
            base = named(told.exploration.against)
            lines.append(
                sentence(
                    f"Under “{named(str(policy))}” instead of “{base}”: {'; '.join(parts)}{more}"
                )
            )
    return tuple(lines)


def _turned(data: ReportData, told: Worlds) -> tuple[str, ...]:
    """What the present values say and too many worlds do not."""
    return (*_turned_best(data, told), *_turned_changes(data, told))


def _turned_changes(data: ReportData, told: Worlds) -> Iterator[str]:
    found = told.exploration
    present = found.distributions.set_index(["metric", "policy"])["present"]
    for r in found.differences.itertuples():
        if r.kind != PROBABILITY:
            continue
        change = present[(r.metric, r.policy)] - present[(r.metric, r.against)]
        same = r.above if change > 0 else r.below
        if abs(change) >= max(TELLING, r.error) and same < TURNS:
            yield sentence(
                f"at the present values “{named(r.policy)}” makes it {_points(abs(change))} "
                f"{'more' if change > 0 else 'less'} likely that "
                f"{clause(data.scenario, r.metric)}; it does so in {in_worlds(same)}"
            )


def _turned_best(data: ReportData, told: Worlds) -> Iterator[str]:
    found = told.exploration
    present = found.distributions.set_index(["metric", "policy"])["present"]
    for (actor, kind), mine in found.preferences.groupby(["actor", "type"], sort=False):
        name = f"payoff:{actor}={kind}" if kind else f"payoff:{actor}"
        now = present[name].reindex(mine["policy"])
        if now.isna().any():
            continue
        best = str(now.idxmax())
        among = float(mine.set_index("policy")["among"][best])
        if among < TURNS:
            yield sentence(
                f"“{named(best)}” is the best for {who(data.scenario, str(actor), str(kind))} at "
                f"the present values, but the best or as good in {in_worlds(among)}"
            )


def _best(scenario: Scenario, told: Worlds) -> Iterator[str]:
    """Which policy is best for whom, in what share of worlds."""
    table = told.exploration.preferences
    for (actor, kind), mine in table.groupby(["actor", "type"], sort=False):
        name = who(scenario, str(actor), str(kind))
        ranked = mine[mine["best"] > 0].sort_values("share", ascending=False, kind="stable")
        close = float(mine["close"].iloc[0])
        aside = f"; too close to call in {share(close)}" if close > 0 else ""
        if ranked.empty:
            if not math.isnan(close):
                yield f"{name}: no policy is better than the others beyond the error."
            continue
        first = ranked.iloc[0]
        if first["share"] >= 0.5:
            within = f"{share(first['low'])} to {share(first['high'])} with 95 % confidence"
            yield (
                f"{name}: “{named(first['policy'])}” is best in {in_worlds(first['share'])} "
                f"({within}){aside}."
            )
        else:
            parts = [
                f"“{named(r.policy)}” in {share(r.share)}" for r in ranked.head(FEW).itertuples()
            ]
            yield f"{name}: no policy is best in most worlds: {', '.join(parts)}{aside}."


def _lost(scenario: Scenario, told: Worlds) -> Iterator[str]:
    """The policy that can go least wrong for each actor, and the one that can go most wrong."""
    table = told.exploration.regrets
    for (actor, kind), mine in table.groupby(["actor", "type"], sort=False):
        safe = mine.loc[mine["largest"].idxmin()]
        worst = mine.loc[mine["largest"].idxmax()]
        name = who(scenario, str(actor), str(kind))
        if not worst["largest"] > worst["error"]:
            yield f"{name}: no choice costs more than the error."
            continue
        yield (
            f"{name}: “{named(safe['policy'])}” costs {_payoff(safe['largest'])} at most, "
            f"{_payoff(safe['mean'])} on average; “{named(worst['policy'])}” up to "
            f"{_payoff(worst['largest'])}."
        )


def _decides(scenario: Scenario, told: Worlds) -> Iterator[str]:
    about = abouts(scenario)
    for one in told.exploration.influences:
        lead = sentence(asked(scenario, one.question)).rstrip(".")
        if one.note:
            yield f"{lead}: {one.note}."
            continue
        top = one.table[one.table["counts"]].head(FEW)
        parts = [
            f"{about.get(r.quantity, r.quantity)} ({explains(r.s1, r.s1_conf)})"
            for r in top.itertuples()
        ]
        yield sentence(f"{lead}: {'; '.join(parts) or 'no assumption stands out from the noise'}")
    if any(not one.note for one in told.exploration.influences):
        yield "In brackets: the share of the variance that it explains by itself."


def interval(low: float, high: float) -> str:
    """An interval of a share, in per cent."""
    return "–" if math.isnan(low) else f"{100 * low:.0f} – {100 * high:.0f}"


def explains(part: float, half: float) -> str:
    """A share of variance with its interval."""
    return f"{100 * max(part, 0.0):.0f} ± {math.ceil(100 * half - 1e-9)} %"


def _points(value: float) -> str:
    number = f"{100 * value:.0f}"
    return f"{number} point{'' if number == '1' else 's'}"


def _payoff(value: float) -> str:
    return "nothing" if value == 0 else f"{value:.2f}" if value >= 0.005 else "less than 0.01"
