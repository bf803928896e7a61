"""The scenario: a stand-off as a frozen value, and the table of what a file may hold.

Made by `detente.scenario.loader.load` alone, which has checked everything; nothing here validates
again but values that come from outside.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias

from detente.arguments import whole
from detente.errors import Diagnostic, ScenarioError, warning
from detente.scenario import constants
from detente.scenario.calendar import Calendar
from detente.scenario.entities import (
    Actor,
    CalendarPart,
    Correlation,
    Covariate,
    Evidence,
    Horizon,
    JointPrior,
    Parameter,
    Variable,
    Variant,
)
from detente.scenario.fields import EntityOf, ListOf, MapOf, Reference, entity, field, within
from detente.scenario.formula.expression import Formula, number
from detente.scenario.frozen import Frozen
from detente.scenario.rules import Action, Announcer, Event, Outcome, Payoff, Policy, Term, Turn
from detente.scenario.scalar_types import LINE, TEXT, one_of

MISTAKES, SHOCKS = "mistakes", "shocks"
"""What actors' choices are: noisy ones among known payoffs, or best ones at shocks to payoffs that
each sees at its own turn."""

Rebuild: TypeAlias = "Callable[[str, str, Mapping[str, str]], Scenario]"
"""From a file's text, its name and the options of variants to the scenario as it stands there."""

EVIDENCE = MapOf(EntityOf(Evidence), names="^[A-Za-z][A-Za-z0-9_-]*$")
POLICIES = MapOf(EntityOf(Policy, list, "terms"), names="")
ANNOUNCER = EntityOf(Announcer, part="AnnouncementPart")


def entries(cls: type) -> MapOf:
    """Entries of one kind by name."""
    return MapOf(EntityOf(cls))


@entity
class Scenario:
    """A scenario file.

    One stand-off, checked. Mappings keep the order of the file; `policy` may be ''. `overrides`
    are the values changed from outside since the file was read, by full name
    (`step_cost.sincere`); `options` are those chosen from outside, by variant. `text` is that of
    the file, which messages call `file`, and `sha256` that of its bytes. `warnings` says what is
    doubtful, at the present values.
    """

    title: str = field(LINE, "One line.", stand_in="")
    about: str = field(TEXT, "What the stand-off is.", default="")
    source: str = field(TEXT, "Where the model as a whole comes from.", default="")
    notes: tuple[str, ...] = field(ListOf(TEXT), "Remarks.", default=())
    calendar: Calendar = field(EntityOf(CalendarPart), stand_in=Calendar("round", None))
    actors: Mapping[str, Actor] = field(MapOf(EntityOf(Actor), least=1), "Who chooses.")
    joint_prior: JointPrior | None = field(
        EntityOf(JointPrior),
        "How likely types of several actors are together.",
        empty=True,
        default=None,
    )
    variables: Mapping[str, Variable] = field(entries(Variable), "The public state.", key="state")
    parameters: Mapping[str, Parameter] = field(
        entries(Parameter), "Named numbers.", default=Frozen()
    )
    covariates: Mapping[str, Covariate] = field(
        entries(Covariate), "Columns of a table of units.", default=Frozen()
    )
    turns: tuple[Turn, ...] = field(
        ListOf(EntityOf(Turn, str, "who"), least=1), "The order of play in a period."
    )
    actions: Mapping[str, Mapping[str, Action]] = field(
        MapOf(entries(Action)), "What each actor can do."
    )
    events: Mapping[str, Event] = field(
        entries(Event), "What happens by itself.", key="chance", default=Frozen()
    )
    payoffs: Mapping[str, Payoff] = field(entries(Payoff), "What each actor gets.")
    responses: str = field(one_of(MISTAKES, SHOCKS), "What makes choices noisy.", default=MISTAKES)
    terms: Mapping[str, Term] = field(entries(Term), "Announced commitments.", default=Frozen())
    policies: Mapping[str, Policy] = field(POLICIES, "Named sets of terms.", default=Frozen())
    policy: str = field(
        Reference("policies"), "The policy in force unless another is asked for.", default=""
    )
    announcement: Announcer | None = field(
        ANNOUNCER, "Who announces one of the policies.", empty=True, default=None
    )
    outcomes: Mapping[str, Outcome] = field(
        entries(Outcome), "Conditions of interest.", default=Frozen()
    )
    correlations: tuple[Correlation, ...] = field(
        ListOf(EntityOf(Correlation)),
        "Numbers that go together where they are drawn.",
        default=(),
    )
    variants: Mapping[str, Variant] = field(
        entries(Variant), "Other forms of the model.", default=Frozen()
    )
    evidence: Mapping[str, Evidence] = field(
        EVIDENCE, "Who reported what and where.", default=Frozen()
    )
    name: str
    horizon: Horizon
    file: str
    text: str
    sha256: str
    rebuild: Rebuild = dataclasses.field(compare=False)
    """How to build the file again with other options; the loader's, which stands above this."""
    overrides: Mapping[str, float] = Frozen()
    options: Mapping[str, str] = Frozen()
    warnings: tuple[Diagnostic, ...] = ()

    def __repr__(self) -> str:
        actors = ", ".join(self.actors)
        return (
            f"<Scenario {self.name!r}: {self.title}; {actors}; {len(self.parameters)} parameters>"
        )

    @property
    def forever(self) -> bool:
        """Whether play has no last period."""
        return self.horizon.endless

    @property
    def periods(self) -> int | None:
        """The number of periods; None for play without end."""
        return round(self.constant(self.horizon.formula)) if self.horizon.formula else None

    @property
    def changed(self) -> dict[str, str]:
        """What was changed from outside, as text: options of variants and values, by name."""
        return {**self.options, **{name: f"{value:g}" for name, value in self.overrides.items()}}

    @property
    def scalars(self) -> dict[str, float]:
        """The values of covariates and of the parameters that do not vary by type."""
        return constants.scalars(self.parameters, self.covariates)

    def constant(self, formula: Formula) -> float:
        """The value of a constant formula (a prior, precision, discount or horizon).

        A precision of `limit` is inf.

        Raises
        ------
        NotFinite
            Where it divides by zero or is not finite.
        """
        return float(formula.evaluate(self.scalars))

    def constant_problems(self) -> list[Diagnostic]:
        """What is wrong with the constants at the present values of the parameters."""
        return constants.constant_problems(
            self.calendar,
            self.horizon,
            (self.actors.values(), self.joint_prior),
            within((self.actions, self.events), Event),
            self.scalars,
        )

    def with_values(self, values: Mapping[str, float]) -> Scenario:
        """The same scenario with other values of parameters and covariates.

        Parameters
        ----------
        values : mapping of str to float
            By name: `step_cost.sincere`, or `step_cost` for all types. Later ones win.

        Returns
        -------
        Scenario
            With `parameters`, `overrides` and `warnings` (a value outside its range) changed.

        Raises
        ------
        ScenarioError
            For names that are neither, values that are not finite numbers, and values that make a
            constant impossible (priors that do not add up to 1).
        """
        changes = constants.new_values(self.parameters, self.covariates, self.variants, values)
        parameters = constants.changed_parameters(self.parameters, changes)
        pairs = [(p, parameters[key]) for key, p in self.parameters.items()]
        touched = [(old, other) for old, other in pairs if old is not other]
        stale = {sentence for old, _ in touched for sentence in constants.range_problems(old)}
        fresh = [
            warning(constants.VALUES, "out-of-range", sentence)
            for _, other in touched
            for sentence in constants.range_problems(other)
        ]
        return self._changed(
            parameters=parameters,
            covariates=constants.changed_covariates(self.covariates, changes),
            overrides=Frozen({**self.overrides, **changes}),
            warnings=(*(old for old in self.warnings if old.message not in stale), *fresh),
        )

    def with_horizon(self, periods: int) -> Scenario:
        """The same scenario over another number of periods. Raises `ScenarioError`."""
        whole("periods", periods, -sys.maxsize, sys.maxsize)  # others are reported below
        formula = number(periods, constants.HORIZON)
        return self._changed(horizon=Horizon(formula, constants.HORIZON, overridden=True))

    def with_options(self, options: Mapping[str, str]) -> Scenario:
        """The same scenario in another form: with other options of its variants.

        Parameters
        ----------
        options : mapping of str to str
            By variant, the option to take. Variants that are not named stay as they are.

        Returns
        -------
        Scenario
            Built anew from the file, with the values and the horizon that were changed before.

        Raises
        ------
        ScenarioError
            For variants and options that are not there, and where the options chosen do not go
            together.
        """
        constants.check_options(self.variants, options)
        if not options:
            return self
        chosen = {**self.options, **options}
        result = self.rebuild(self.text, self.file, chosen)
        result = dataclasses.replace(result, options=Frozen(chosen))
        if self.overrides:
            result = result.with_values(self.overrides)
        if self.horizon.overridden and self.periods is not None:
            result = result.with_horizon(self.periods)
        return result

    def _changed(self, **changes: object) -> Scenario:
        """With other values, if all constants are well with them."""
        result = dataclasses.replace(self, **changes)  # type: ignore[arg-type]
        problems = result.constant_problems()
        if problems:
            raise ScenarioError(problems)
        return result
