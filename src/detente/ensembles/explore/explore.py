"""`explore`: which conclusions survive what is not known, and which assumptions decide them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from detente.arguments import whole
from detente.ensembles.explore.decision_boundary import Tipping, nearest
from detente.ensembles.explore.discovery import Discovery, discover
from detente.ensembles.explore.influence import Influence, influence
from detente.ensembles.explore.preferences import preferences, regrets
from detente.ensembles.explore.questions import (
    ask,
    most_divided,
    most_open,
    not_best,
    two_best,
    upper_quarter,
)
from detente.ensembles.explore.requirement import Wish, fulfilled, margins, parse_wish, wishes
from detente.ensembles.explore.source import (
    Cached,
    Metric,
    Record,
    Results,
    numbers,
    pick,
    pick_payoff,
    pick_policy,
    refusal,
    unmeasured,
)
from detente.ensembles.explore.tables import differences, distributions
from detente.numbers import count, percent
from detente.scenario.notebook import InNotebook
from detente.scenario.policies import quoted

FEW = 30
"""Worlds below which a reader is warned."""


@dataclass(frozen=True, eq=False)
class Exploration(InNotebook):
    """What the worlds of an ensemble tell, as tidy tables, one row for each number.

    record
        What was run.
    done, complete, failed
        How many worlds are there, whether that is all, and how many of them were not solved under
        some policy.
    against
        The policy with which others are compared.
    distributions
        `number, kind, policy, worlds, mean, p05, …, p95, present`.
    preferences
        `actor, type, policy, worlds, left_out, best, share, low, high, among, close`.
    regrets
        `actor, type, policy, worlds, mean, p95, largest, draw, error, minimax, least_mean`.
    differences
        `number, kind, policy, against, worlds, mean, p05, …, p95, above, below, close, error, …`.
    wish, wishes
        What was wished for, and `clause, policy, worlds, met, share, low, high, close`.
    whose
        The actor and type whose preference is explained; None where nobody's policy depends on
        the world.
    influences
        Which assumptions decide: the question asked, or else the most open outcome and whose
        preference is most divided.
    discoveries
        Where it fails: the wish, or else the policy that is best most often.
    tipping
        The worlds nearest to where the answer turns; None where nothing does.
    left_out
        `policy, status, worlds, reason`: what was not solved, and is in no number above; the reason
        is the most frequent one.
    notes
        What a reader has to know besides, in sentences.
    """

    record: Record
    done: int
    complete: bool
    failed: int
    against: str
    distributions: pd.DataFrame
    preferences: pd.DataFrame
    regrets: pd.DataFrame
    differences: pd.DataFrame
    wish: str
    wishes: pd.DataFrame
    whose: Metric | None
    influences: tuple[Influence, ...]
    discoveries: tuple[Discovery, ...]
    tipping: Tipping | None
    left_out: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether no world was solved under any policy."""
        return not (self.distributions["worlds"] > 0).any()

    def __repr__(self) -> str:
        told = f"<Exploration of {self.record.name!r}: {count(self.done, 'world')}"
        for _, mine in self.preferences.groupby(["actor", "type"], sort=False):
            lead = mine.loc[mine["share"].idxmax()] if mine["share"].notna().any() else None
            if lead is not None:
                whose = f"{lead['actor']}={lead['type']}" if lead["type"] else lead["actor"]
                best = quoted(lead["policy"])
                told += f"; for {whose} {best} is best in {percent(lead['share'])}"
        return f"{told}>"

    def _main_table(self) -> pd.DataFrame:
        return self.preferences


def explore(
    found: Results,
    *,
    within: int | None = None,
    given: Mapping[str, str] | None = None,
    whose: str | None = None,
    fails_for: str | None = None,
    wish: str | None = None,
    question: str | None = None,
    policy: str | None = None,
    against: str | None = None,
    seed: int = 0,
) -> Exploration:
    """Ask an ensemble what survives its worlds.

    Parameters
    ----------
    found
        As `detente.ensemble` or `detente.open_ensemble` gave it; it need not be complete.
    within
        Outcomes by the end of this period, one of those recorded; the last one by default.
    given
        One actor's true type, by actor: outcomes if it is this one.
    whose
        `ACTOR=TYPE`, or `ACTOR` where nothing is private: whose preference is explained. By
        default the one whose best policy depends most on the world.
    fails_for
        The same: where a policy is not the best for it is told, also where there is a wish.
    wish
        Such as `deal >= 30 % and war <= 2 %`.
    question
        An outcome, or `payoff:ACTOR=TYPE`: what is explained, instead of what is chosen else.
    policy
        Under which the question is asked, and whose failures are looked at. By default the record's
        `against` for questions, and for failures all with a wish, else the best for most worlds.
    against
        The policy with which others are compared, the record's by default. With a question and a
        policy, the difference between the two is explained.
    seed
        Of what is drawn: the halves of the worlds, resamples, dummies.

    Raises
    ------
    ScenarioError
        For names, periods and wishes that the ensemble does not have.
    """
    whole("within", within, 1)
    whole("seed", seed, 0)
    found = Cached(found)
    record = found.record
    base = record.against if against is None else pick_policy(found, against, "--against")
    if policy is not None:
        pick_policy(found, policy, "--policy")
    told = numbers(found, within=within, given=given)
    payoffs = [number for number in told if number.actor]
    asked = None if question is None else pick(told, question, "--question")
    if asked is not None and against is not None and policy is None:
        message = "a difference has two policies"
        raise refusal("--policy", "missing", message, "give --policy beside --against")
    wanted = None if wish is None else parse_wish(wish, told)
    prefers = preferences(found, payoffs)
    chosen = whose or fails_for
    actor = (
        most_divided(prefers, payoffs)
        if chosen is None
        else pick_payoff(told, chosen, "--for" if whose else "--fails-for")
    )
    fails = None if fails_for is None else pick_payoff(told, fails_for, "--fails-for")
    pair = None if actor is None else two_best(found, prefers, actor)
    open_one = most_open(found, told, policy or base)
    questions = []
    if asked is not None:
        other = base if against is not None and policy != base else None
        questions.append(ask(found, asked, policy or base, other))
    else:
        if open_one is not None:
            questions.append(ask(found, open_one, policy or base))
        if actor is not None and pair is not None:
            questions.append(ask(found, actor, *pair))
    inputs = found.inputs
    influences = tuple(influence(one, inputs, seed=seed) for one in questions)
    return Exploration(
        record=record,
        done=found.done,
        complete=found.complete,
        failed=int(found.failures["draw"].nunique()),
        against=base,
        distributions=distributions(found, told),
        preferences=prefers,
        regrets=regrets(found, payoffs),
        differences=differences(found, told, base),
        wish="" if wanted is None else wanted.text,
        wishes=pd.DataFrame() if wanted is None else wishes(found, wanted),
        whose=actor,
        influences=influences,
        discoveries=_failures(found, wanted, fails, actor, pair, open_one, policy, seed),
        tipping=_tipping(found, wanted, actor, pair, policy, influences),
        left_out=_left_out(found),
        notes=_notes(found, told),
    )


def _failures(
    found: Results,
    wish: Wish | None,
    fails_for: Metric | None,
    actor: Metric | None,
    pair: tuple[str, str] | None,
    open_one: Metric | None,
    policy: str | None,
    seed: int,
) -> tuple[Discovery, ...]:
    """Where the wish fails, or the best policy is not the best, or the open outcome is high."""
    inputs, total = found.inputs, len(found.inputs)
    policies = list(found.record.policies) if policy is None else [policy]
    looked: list[tuple[pd.Series, str, str | None]] = []
    if wish is not None:
        met = fulfilled(found, wish)
        for one in policies:
            known = met[one].dropna()
            looked.append((known == 0, f"{quoted(one)} fails the wish {wish.text}", one))
    about = fails_for or (actor if wish is None else None)
    if about is not None and len(found.record.policies) > 1:
        best = two_best(found, preferences(found, [about]), about)
        mine = policy if policy is not None or best is None else best[0]
        if mine is not None:
            fails, words = not_best(found, about, mine)
            looked.append((fails, words, mine))
    if not looked and open_one is not None and pair is None:
        asked = ask(found, open_one, policies[0] if policy else found.record.against)
        high, words = upper_quarter(asked)
        looked.append((high, words, asked.policy))
    return tuple(
        discover(fails, inputs, words, seed=seed, policy=one, left_out=total - len(fails))
        for fails, words, one in looked
    )


def _tipping(
    found: Results,
    wish: Wish | None,
    actor: Metric | None,
    pair: tuple[str, str] | None,
    policy: str | None,
    influences: tuple[Influence, ...],
) -> Tipping | None:
    """Where the two policies that an actor weighs change places, or where the wish is just met."""
    if wish is not None:
        mine = policy or found.record.against
        known = margins(found, wish)[mine].dropna()
        if known.empty:
            return None
        about = f"the wish {wish.text} is just met under {quoted(mine)}"
        return nearest(known, found.inputs, about, "standard deviations of the number")
    if actor is None or pair is None:
        return None
    values = found.values(actor.column)
    known = (values[pair[0]] - values[pair[1]]).dropna()
    counts: set[str] = set()
    for one in influences:
        if one.question.number == actor and not one.note:
            counts = set(one.table.loc[one.table["counts"], "quantity"])
    about = f"{actor.who} changes between {quoted(pair[0])} and {quoted(pair[1])}"
    unit = f"the payoff of {actor.who}"
    return nearest(known, found.inputs, about, unit, counts=counts)


def _left_out(found: Results) -> pd.DataFrame:
    """How many worlds failed under each policy, by status; draw 0 aside."""
    failed = found.failures
    columns = ["policy", "status", "worlds", "reason"]
    failed = failed[failed["draw"] >= 1] if len(failed) else failed
    if failed.empty:
        return pd.DataFrame(columns=columns)
    rows = [
        (policy, status, mine["draw"].nunique(), mine["reason"].value_counts().index[0])
        for (policy, status), mine in failed.groupby(["policy", "status"], sort=False)
    ]
    return pd.DataFrame(rows, columns=columns)


def _notes(found: Results, told: tuple[Metric, ...]) -> tuple[str, ...]:
    notes = []
    if not found.complete:
        notes.append(
            f"The run is not finished: {found.done:,} of {found.record.draws:,} worlds are there. "
            "Resume it with `detente ensemble --resume`."
        )
    if not any(found.values(number.column).notna().any(axis=None) for number in told):
        notes.append("No world was solved: there is nothing to tell.")
        return tuple(notes)
    if any(unmeasured(found, number.column) for number in told):
        notes.append(
            "The error of the belief grid is not known for all policies: no world was solved on a "
            "finer grid. Differences of any size count."
        )
    if len(found.record.policies) < 2:
        notes.append("There is one policy: nothing to prefer and nothing to regret.")
    elif not any(number.actor for number in told):
        notes.append("The ensemble has no payoffs: nobody's preference can be told.")
    if not len(found.inputs.columns):
        notes.append("Nothing was drawn: all worlds are the same.")
    elif found.done < FEW:
        notes.append(f"{count(found.done, 'world')} are few: quantiles and shares are rough.")
    return tuple(notes)
