"""The scenario: a stand-off as frozen values, with every formula parsed and typed.

Made by `detente.scenario.loader.load` alone, which has checked all names and types; nothing
here validates again. Order is that of the file everywhere; tuples and read-only mappings only.
`accept` has the codes of doubts about an entry that its author means to leave as they are.
A `place` is that of the entry's key in the file (of the item, for a turn).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from detente.errors import Diagnostic, Place
from detente.scenario.calendar import Calendar
from detente.scenario.formula.expression import Formula
from detente.scenario.frozen import Frozen
from detente.scenario.values import is_unbounded, with_horizon, with_options, with_values


@dataclass(frozen=True, slots=True)
class Support:
    """What stands behind an entry: names of evidence entries, and a reason where it is judged."""

    evidence: tuple[str, ...] = ()
    judgement: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """One who chooses. `types` is empty where nothing is private; `priors` goes with it.

    `precision` may stand for `limit`, and is inf then. With a `concentration`, ensembles draw the
    prior from the Dirichlet distribution that has this sum of parameters, around the present one.
    """

    key: str
    name: str
    types: tuple[str, ...]
    priors: tuple[Formula, ...]
    precision: Formula
    discount: Formula
    about: str
    support: Support
    concentration: float | None = None
    accept: tuple[str, ...] = ()

    def shares(self) -> tuple[str | None, ...]:
        """For each type the parameter that is its prior; None where the prior is a formula.

        With a concentration there is at most one None: that type has what the others leave.
        """
        return tuple(p.text if p.parameters == {p.text} else None for p in self.priors)


@dataclass(frozen=True, slots=True)
class Variable:
    """A public state variable. Level k (from 0) is the number `low + k`, or the name `names[k]`.

    `start` is a level's index. `cut`: effects beyond the levels take the nearest one.
    """

    key: str
    size: int
    low: int
    names: tuple[str, ...]
    start: int
    cut: bool
    about: str
    support: Support
    place: Place

    def label(self, level: int) -> str:
        """The name of level `level`, counted from 0."""
        return self.names[level] if self.names else str(self.low + level)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named number, or one for each type of the actor `of` (then `types` names them).

    `values`, `ranges` and `draws` have one entry, or one for each type; a range may be missing.
    `draws` says how ensembles draw from the range (`detente.scenario.scalar_types.DRAWS`).
    """

    key: str
    of: str
    types: tuple[str, ...]
    values: tuple[float, ...]
    ranges: tuple[tuple[float, float] | None, ...]
    unit: str
    about: str
    support: Support
    draws: tuple[str, ...]
    range_reason: str = ""

    def names(self) -> tuple[str, ...]:
        """The names under which the values can be changed: `key`, or `key.type` for each type."""
        return tuple(f"{self.key}.{name}" for name in self.types) or (self.key,)


@dataclass(frozen=True, slots=True)
class Change:
    """What an effect does to one variable: shift it by, or set it to, a formula's value.

    A set formula gives a level's index for a variable with named levels and the number of the
    level for a numbered one; a shift is a number of levels for both.
    """

    variable: str
    shift: bool
    formula: Formula


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of an action's possible effects; `probability` is None where it takes the rest."""

    probability: Formula | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """Something an actor can do, or (in `Scenario.events`) that happens by chance.

    `alternatives` has at least one entry. `costs` gives formulas by actor; no entry, no cost.
    `when` is None where the action is always available. `also` has the other names under which
    records of moves know it; those of an actor's actions differ by `alias`, and from the keys.
    """

    key: str
    when: Formula | None
    alternatives: tuple[Alternative, ...]
    costs: Mapping[str, Formula]
    about: str
    support: Support
    place: Place
    also: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn: actors who choose at the same time, or the chance events that happen in order.

    Exactly one of `who` and `events` is not empty. `when` is None for always.
    """

    who: tuple[str, ...]
    events: tuple[str, ...]
    when: Formula | None
    place: Place


@dataclass(frozen=True, slots=True)
class Payoff:
    """An actor's flow and terminal payoffs: named formulas, which add up ('' for a single one)."""

    flow: Mapping[str, Formula]
    terminal: Mapping[str, Formula]
    about: str = ""
    support: Support = Support()


@dataclass(frozen=True, slots=True)
class Moment:
    """When a term begins or lapses, as written in `text`: by the calendar, or at an event.

    Either `period` is given, which may lie outside the horizon, or `event`, a condition on the
    state that counts from the first time it has held.
    """

    text: str
    place: Place
    period: int | None = None
    event: Formula | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """A public commitment. Hard where `cost` is None; `forbids` lists (actor, action).

    It is in force from the moment `since`, until the moment `until`, where `when` holds and
    `unless` does not.
    """

    key: str
    forbids: tuple[tuple[str, str], ...]
    since: Moment | None
    until: Moment | None
    when: Formula | None
    unless: Formula | None
    cost: Formula | None
    about: str
    support: Support
    place: Place
    accept: tuple[str, ...] = ()

    def events(self) -> tuple[Formula, ...]:
        """The events at which it begins or lapses."""
        found = (moment.event for moment in (self.since, self.until) if moment)
        return tuple(event for event in found if event)


@dataclass(frozen=True, slots=True)
class Policy:
    """A named set of terms."""

    key: str
    terms: tuple[str, ...]
    about: str
    support: Support


@dataclass(frozen=True, slots=True)
class Announcer:
    """Who announces one of the policies `among` before the first period, knowing its type."""

    who: str
    among: tuple[str, ...]
    about: str
    support: Support


@dataclass(frozen=True, slots=True)
class Outcome:
    """A named condition on the state. `ends`: play stops where it holds."""

    key: str
    when: Formula
    ends: bool
    about: str
    support: Support


@dataclass(frozen=True, slots=True)
class Correlation:
    """Numbers that go together where they are drawn: every two of them with this rank correlation.

    `between` has full names (`step_cost.sincere`); `rank` is Spearman's.
    """

    between: tuple[str, ...]
    rank: float
    about: str
    support: Support
    place: Place


@dataclass(frozen=True, slots=True)
class Option:
    """One of a variant's forms of the model, as likely as its weight among those of the others.

    `changes` names what it changes in the file (`actions.DPRK.test`); the first option is the
    file as it stands and changes nothing.
    """

    key: str
    weight: float
    about: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A question on which the model itself is in doubt, with the answers to choose from."""

    key: str
    options: Mapping[str, Option]
    about: str
    support: Support
    place: Place


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who reported what and where."""

    key: str
    source: str
    where: str
    says: str
    url: str


Rebuild: TypeAlias = "Callable[[str, str, Mapping[str, str]], Scenario]"
"""From a file's text, its name and the options of variants to the scenario as it stands there."""


@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """One stand-off, checked. Mappings keep the order of the file; `policy` may be ''.

    `horizon` is the number of periods T, or `forever`. `overrides` are the values changed from
    outside since the file was read, by full name (`step_cost.sincere`); `options` are those chosen
    from outside, by variant. `text` is that of the file, which messages call `file`, and `sha256`
    that of its bytes. `warnings` tells what is doubtful, at the present values.
    """

    name: str
    title: str
    about: str
    source: str
    notes: tuple[str, ...]
    calendar: Calendar
    horizon: Formula
    actors: Mapping[str, Actor]
    variables: Mapping[str, Variable]
    parameters: Mapping[str, Parameter]
    turns: tuple[Turn, ...]
    actions: Mapping[str, Mapping[str, Action]]
    events: Mapping[str, Action]
    payoffs: Mapping[str, Payoff]
    terms: Mapping[str, Term]
    policies: Mapping[str, Policy]
    policy: str
    outcomes: Mapping[str, Outcome]
    evidence: Mapping[str, Evidence]
    sha256: str
    file: str
    text: str
    rebuild: Rebuild = field(compare=False)
    """How to build the file again with other options; the loader's, which stands above this."""
    announcement: Announcer | None = None
    correlations: tuple[Correlation, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=Frozen)
    overrides: Mapping[str, float] = field(default_factory=Frozen)
    options: Mapping[str, str] = field(default_factory=Frozen)
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def forever(self) -> bool:
        """Whether play has no last period."""
        return is_unbounded(self.horizon)

    @property
    def changed(self) -> dict[str, str]:
        """What was changed from outside, as text: options of variants and values, by name."""
        return {**self.options, **{name: f"{value:g}" for name, value in self.overrides.items()}}

    def __repr__(self) -> str:
        actors = ", ".join(self.actors)
        return (
            f"<Scenario {self.name!r}: {self.title}; {actors}; {len(self.parameters)} parameters>"
        )

    def with_values(self, values: Mapping[str, float]) -> Scenario:
        """The same scenario with other values of parameters.

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
            For names that are not parameters, values that are not finite numbers, and values
            that make a constant impossible (priors that do not add up to 1).
        """
        return with_values(self, values)

    def with_horizon(self, periods: int) -> Scenario:
        """The same scenario over another number of periods. Raises `ScenarioError`."""
        return with_horizon(self, periods)

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
        return with_options(self, options)
