"""`explore`: which conclusions survive what is not known, and which assumptions decide them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from detente.arguments import whole
from detente.ensembles.explore import metrics as by_name
from detente.ensembles.explore import question as questions
from detente.ensembles.explore import requirement as requirements
from detente.ensembles.explore import tables
from detente.ensembles.explore.decision_boundary import DecisionBoundary, nearest
from detente.ensembles.explore.discovery import Discovery, discover
from detente.ensembles.explore.influence import Influence, influence
from detente.ensembles.explore.metrics import Cached, Metric, Results
from detente.ensembles.explore.requirement import Requirement
from detente.ensembles.manifest import Manifest
from detente.errors import refuse
from detente.notebook import InNotebook
from detente.numbers import count, percent
from detente.scenario.policies import quoted

FEW = 30
"""Draws below which a reader is warned."""


@dataclass(frozen=True, eq=False)
class Exploration(InNotebook):
    """What the draws of an ensemble say, as tidy tables, one row for each number.

    manifest
        What was run.
    done, complete, failed
        How many draws are there, whether that is all, and how many of them were not solved under
        some policy.
    against
        The policy with which others are compared.
    distributions
        `metric, kind, policy, draws, mean, p05, …, p95, present`.
    preferences
        `actor, type, policy, draws, left_out, best, share, low, high, among, close`.
    regrets
        `actor, type, policy, draws, mean, p95, largest, draw, error, minimax, least_mean`.
    differences
        `metric, kind, policy, against, draws, mean, p05, …, p95, above, below, close, error, …`.
    requirement, satisficing
        What was required, and `clause, policy, draws, met, share, low, high, close`.
    whose
        The actor and type whose preference is explained; None where nobody's policy depends on
        the draw.
    influences
        Which assumptions decide: the question asked, or else the most open outcome and whose
        preference is most divided.
    discoveries
        Where it fails: the requirement, or else the policy that is best most often.
    decision_boundary
        The draws nearest to where the answer turns; None where nothing does.
    left_out
        `policy, status, draws, reason`: what was not solved, and is in no number above; the reason
        is the most frequent one.
    notes
        What a reader has to know besides, in sentences.
    """

    manifest: Manifest
    done: int
    complete: bool
    failed: int
    against: str
    distributions: pd.DataFrame
    preferences: pd.DataFrame
    regrets: pd.DataFrame
    differences: pd.DataFrame
    requirement: str
    satisficing: pd.DataFrame
    whose: Metric | None
    influences: tuple[Influence, ...]
    discoveries: tuple[Discovery, ...]
    decision_boundary: DecisionBoundary | None
    left_out: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether no draw was solved under any policy."""
        return not (self.distributions["draws"] > 0).any()

    def __repr__(self) -> str:
        text = f"<Exploration of {self.manifest.name!r}: {count(self.done, 'draw')}"
        for (actor, kind), mine in self.preferences.groupby(["actor", "type"], sort=False):
            if mine["share"].notna().any():
                lead = mine.loc[mine["share"].idxmax()]
                whose = f"{actor}={kind}" if kind else actor
                best = quoted(lead["policy"])
                text += f"; for {whose} {best} is best in {percent(lead['share'])}"
        return f"{text}>"

    def _main_table(self) -> pd.DataFrame:
        return self.preferences


def explore(
    ensemble: Results,
    *,
    within: int | None = None,
    given: Mapping[str, str] | None = None,
    whose: str | None = None,
    fails_for: str | None = None,
    requirement: str | None = None,
    question: str | None = None,
    policy: str | None = None,
    against: str | None = None,
    seed: int = 0,
) -> Exploration:
    """Ask an ensemble which conclusions hold in most of its draws, and what decides the others.

    Parameters
    ----------
    ensemble
        As `detente.ensemble` or `detente.open_ensemble` gave it; it need not be complete.
    within
        Outcomes by the end of this period, one of those recorded; the last one by default.
    given
        One actor's true type, by actor: outcomes if it is this one.
    whose
        `ACTOR=TYPE`, or `ACTOR` where nothing is private: whose preference is explained. By
        default the one whose best policy depends most on the draw.
    fails_for
        The same: look for where a policy is not the best one for it, beside a requirement, too.
    requirement
        Such as `deal >= 30 % and war <= 2 %`.
    question
        An outcome, or `payoff:ACTOR=TYPE`: what is explained, instead of what is chosen else.
    policy
        Under which the question is asked, and whose failures are looked at. By default the
        manifest's `against` for questions, and for failures all with a requirement, else the one
        that is best in most draws.
    against
        The policy with which others are compared, the manifest's by default. With a question and a
        policy, the difference between the two is explained.
    seed
        Of what is drawn: the halves of the draws, resamples, dummies.

    Raises
    ------
    ScenarioError
        For names, periods and requirements that the ensemble does not have.
    """
    whole("within", within, 1)
    whole("seed", seed, 0)
    ensemble = Cached(ensemble)
    base = ensemble.manifest.against
    if against is not None:
        base = by_name.pick_policy(ensemble, against, "against")
    if policy is not None:
        by_name.pick_policy(ensemble, policy, "policy")
    metrics = by_name.metrics(ensemble, within=within, given=given)
    payoffs = [metric for metric in metrics if metric.actor]
    asked = None if question is None else by_name.pick(metrics, question, "question")
    if asked is not None and against is not None and policy is None:
        message = "a difference has two policies"
        refuse("policy", "missing", message, "give the other one by `policy=`")
    required = None
    if requirement is not None:
        required = requirements.parse_requirement(requirement, metrics)
    preferences = tables.preferences(ensemble, payoffs)
    failing = None if fails_for is None else by_name.pick_payoff(metrics, fails_for, "fails_for")
    actor = failing or questions.most_divided(preferences, payoffs)
    if whose is not None:
        actor = by_name.pick_payoff(metrics, whose, "whose")
    pair = [] if actor is None else questions.two_best(ensemble, preferences, actor)
    most_open = questions.most_open(ensemble, metrics, policy or base)
    answers = []
    if asked is not None:
        other = base if against is not None and policy != base else None
        answers.append(questions.ask(ensemble, asked, policy or base, other))
    else:
        if most_open is not None:
            answers.append(questions.ask(ensemble, most_open, policy or base))
        if actor is not None and pair:
            answers.append(questions.ask(ensemble, actor, *pair))
    influences = tuple(influence(answer, ensemble.inputs, seed=seed) for answer in answers)
    look = _Look(ensemble, policy, required, failing, actor, preferences, pair, most_open)
    return Exploration(
        manifest=ensemble.manifest,
        done=ensemble.done,
        complete=ensemble.complete,
        failed=int(ensemble.failures["draw"].nunique()),
        against=base,
        distributions=tables.distributions(ensemble, metrics),
        preferences=preferences,
        regrets=tables.regrets(ensemble, payoffs),
        differences=tables.differences(ensemble, metrics, base),
        requirement="" if required is None else required.text,
        satisficing=(
            pd.DataFrame() if required is None else requirements.satisficing(ensemble, required)
        ),
        whose=actor,
        influences=influences,
        discoveries=tuple(
            discover(fails, ensemble.inputs, about, seed=seed, policy=under)
            for under, fails, about in look.failures()
        ),
        decision_boundary=look.decision_boundary(influences),
        left_out=_left_out(ensemble),
        notes=tuple(_notes(ensemble, metrics)),
    )


@dataclass(frozen=True, eq=False)
class _Look:
    """What is looked at: what was asked for, or what is most worth reading.

    pair
        The two policies that the actor weighs, the better one first; empty where there are none.
    """

    ensemble: Results
    policy: str | None
    requirement: Requirement | None
    fails_for: Metric | None
    actor: Metric | None
    preferences: pd.DataFrame
    pair: list[str]
    most_open: Metric | None

    def failures(self) -> Iterator[tuple[str | None, pd.Series, str]]:
        """Where the requirement fails, the best policy is not the best, an open outcome is high:
        a policy, by draw whether it fails, and that in words."""
        ensemble, manifest, required = self.ensemble, self.ensemble.manifest, self.requirement
        if required is not None:
            met = requirements.met(ensemble, required)
            for policy in manifest.policies if self.policy is None else [self.policy]:
                about = f"{quoted(policy)} fails the requirement {required.text}"
                yield policy, met[policy].dropna() == 0, about
        metric = self.fails_for or (self.actor if required is None else None)
        best: list[str] = []
        if metric is not None and len(manifest.policies) > 1:
            best = questions.two_best(ensemble, self.preferences, metric)[:1]
            for policy in best if self.policy is None else [self.policy]:
                yield policy, *questions.not_best(ensemble, metric, policy)
        if required is None and not best and self.most_open is not None and not self.pair:
            asked = questions.ask(ensemble, self.most_open, self.policy or manifest.against)
            yield asked.policy, *questions.upper_quarter(asked)

    def decision_boundary(self, influences: Sequence[Influence]) -> DecisionBoundary | None:
        """Where the two policies that an actor weighs change places, or the requirement is just
        met."""
        inputs, required = self.ensemble.inputs, self.requirement
        if required is not None:
            policy = self.policy or self.ensemble.manifest.against
            known = requirements.margins(self.ensemble, required)[policy].dropna()
            about = f"the requirement {required.text} is just met under {quoted(policy)}"
            unit = "standard deviations of the metric"
            return None if known.empty else nearest(known, inputs, about, unit)
        if self.actor is None or not self.pair:
            return None
        asked = questions.ask(self.ensemble, self.actor, *self.pair)
        counts = {
            quantity
            for one in influences
            if one.question.metric == self.actor and not one.note
            for quantity in one.table.loc[one.table["counts"], "quantity"]
        }
        who = self.actor.who
        about = f"{who} changes between {' and '.join(map(quoted, self.pair))}"
        return nearest(asked.values, inputs, about, f"the payoff of {who}", counts=counts)


def _left_out(ensemble: Results) -> pd.DataFrame:
    """How many draws failed under each policy, by status."""
    groups = ensemble.failures.groupby(["policy", "status"], sort=False)
    rows = [
        (*key, mine["draw"].nunique(), mine["reason"].value_counts().index[0])
        for key, mine in groups
    ]
    return pd.DataFrame(rows, columns=["policy", "status", "draws", "reason"])


def _notes(ensemble: Results, metrics: tuple[Metric, ...]) -> Iterator[str]:
    manifest = ensemble.manifest
    if not ensemble.complete:
        yield (
            f"The run is not finished: {ensemble.done:,} of {manifest.draws:,} draws are there. "
            "Resume it for the others."
        )
    if not any(ensemble.values(metric.column).notna().any(axis=None) for metric in metrics):
        yield "No draw was solved: there is nothing to report."
        return
    if any(by_name.unmeasured(ensemble, metric.column) for metric in metrics):
        yield (
            "The error of the belief grid is not known for all policies: no draw was solved on a "
            "finer grid. Differences of any size count."
        )
    if len(manifest.policies) < 2:
        yield "There is one policy: nothing to prefer and nothing to regret."
    elif not any(metric.actor for metric in metrics):
        yield "The ensemble has no payoffs: nobody's preference is known."
    if not len(ensemble.inputs.columns):
        yield "Nothing was drawn: all draws are the same."
    elif ensemble.done < FEW:
        yield f"{count(ensemble.done, 'draw')} are few: quantiles and shares are rough."
