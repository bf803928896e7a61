"""The rules of play: turns, actions, events, payoffs, terms, policies and outcomes.

As in `detente.scenario.entities`, each class is the table of an entity's fields and its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detente.errors import Place
from detente.scenario import scalar_types as scalar
from detente.scenario.entities import ACCEPT, DOUBTS, NAMES, Supported
from detente.scenario.fields import (
    AllOf,
    EntityOf,
    Entry,
    FormulaIn,
    ListOf,
    MapOf,
    Reference,
    entity,
    field,
)
from detente.scenario.formula.expression import Formula
from detente.scenario.formula.types import (
    CHANCE_NUMBER,
    PRIVATE_NUMBER,
    PUBLIC_CONDITION,
    PUBLIC_NUMBER,
)
from detente.scenario.frozen import Frozen

TO = "to"
"""The level that is drawn, in the probability of an alternative over the levels of a variable."""

REST = "rest"
"""The probability that the others leave."""

CONDITION = FormulaIn(PUBLIC_CONDITION)
COST = FormulaIn(PRIVATE_NUMBER)
TABLE = FormulaIn(PRIVATE_NUMBER, tables=True)
SUMS = MapOf(TABLE, single=True)
LEVELS = MapOf(FormulaIn(PUBLIC_NUMBER))
CHANCE = FormulaIn(CHANCE_NUMBER, word=REST)
BECOMES = MapOf(MapOf(MapOf(FormulaIn(PUBLIC_NUMBER), names=""), names=""))
ACTORS = ListOf(Reference("actors"), single=True, distinct=True)


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What an effect does to one variable: shift it by, or set it to, a formula's value.

    A set formula gives a level's index for a variable with named levels and the number of the
    level for a numbered one; a shift is a number of levels for both.
    """

    variable: str
    shift: bool
    formula: Formula

    @property
    def text(self) -> str:
        """What is done, as `tension +1` or `talks = contact`."""
        return f"{self.variable} {'' if self.shift else '= '}{self.formula.text}"


@entity
class Alternative(Entry):
    """One of the effects that an action or event can have.

    `probability` is None where it takes the rest. Written with `over`, it stands for one
    alternative for each level of a variable, of which `TO` in its probability is the level.
    """

    probability: Formula | None = field(
        FormulaIn(PUBLIC_NUMBER, word=REST), "Its probability, or `rest`.", key="p"
    )
    changes: tuple[LevelChange, ...] = field(
        LEVELS,
        "New levels; with a leading + or - changes of levels.",
        key="set",
        default=(),
    )
    becomes: Mapping[str, Mapping[str, Mapping[str, Formula]]] = field(
        BECOMES,
        "By actor and type of before, the probability of each other type after it. In effects of "
        "chance only.",
        default=Frozen(),
    )
    over: str = field(
        Reference("state"),
        "A variable that is drawn: `p` is the probability of its level `to`.",
        default="",
    )


@entity
class Event(Supported):
    """Something that happens by chance.

    `when` is None where it can always happen. `effects` are alternatives, or there is the single
    sure one that makes `changes`.
    """

    when: Formula | None = field(CONDITION, "It can happen where this holds.", default=None)
    effects: tuple[Alternative, ...] = field(
        ListOf(EntityOf(Alternative), least=1),
        "Alternatives, of which one happens.",
        empty=True,
        default=(),
    )
    changes: tuple[LevelChange, ...] = field(
        LEVELS,
        "The effect, where there is a single sure one.",
        key="set",
        default=(),
    )
    becomes: Mapping[str, Mapping[str, Mapping[str, Formula]]] = field(
        BECOMES,
        "The same of the single sure effect; what an action does to its actor's type is hidden.",
        default=Frozen(),
    )
    accept: tuple[str, ...] = field(DOUBTS, ACCEPT, default=())

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """What can happen, of which one does: at least one."""
        sure = Alternative(probability=None, changes=self.changes, becomes=self.becomes)
        return self.effects or (sure,)

    @property
    def concerns(self) -> tuple[str, ...]:
        """The actors with whose private types it has to do: that it depends on, or may change."""
        told = (a.probability.actors for a in self.alternatives if a.probability)
        return tuple(sorted(frozenset().union(*told, *(a.becomes for a in self.alternatives))))

    @property
    def costs(self) -> Mapping[str, Formula]:
        """By actor, what it costs: nothing."""
        return Frozen()

    @property
    def charged(self) -> tuple[tuple[str, Formula], ...]:
        """Who pays, and what: formulas of one actor add up."""
        return tuple(self.costs.items())

    @property
    def also(self) -> tuple[str, ...]:
        """Other names of it: there are none."""
        return ()

    @property
    def reference(self) -> Formula | None:
        """How often it is done where nothing is at stake: nobody does it."""
        return None

    @property
    def members(self) -> tuple[str, ...]:
        """Actions that are like it: there are none."""
        return ()


@entity
class Joint(Event):
    """What the moves of a turn do together, beside what each of them does by itself.

    Its formulas read the moves: `move(US)` is a level, whose names are the actor's actions.
    """

    parts: Mapping[str, Mapping[str, Formula]] = field(
        MapOf(MapOf(COST, single=True)),
        "Paid for the moves together, by actor: a formula, or named ones that add up.",
        key="costs",
        default=Frozen(),
    )

    @property
    def charged(self) -> tuple[tuple[str, Formula], ...]:
        """Who pays, and what: formulas of one actor add up."""
        return tuple((actor, part) for actor, own in self.parts.items() for part in own.values())


@entity
class Turn(Entry):
    """A turn: who chooses, or which events happen by chance.

    Exactly one of `who` and `events` is not empty. `when` is None for always.
    """

    who: tuple[str, ...] = field(
        ACTORS,
        "Who moves, or all who choose at the same time; or `chance` for all events.",
        vital=True,
        default=(),
    )
    events: tuple[str, ...] = field(
        ListOf(Reference("chance"), single=True, distinct=True),
        "The events that happen, in their order.",
        key="chance",
        vital=True,
        default=(),
    )
    when: Formula | None = field(
        CONDITION, "The turn is played where this holds.", vital=True, default=None
    )
    joint: Joint | None = field(
        EntityOf(Joint),
        "What the moves of those who choose at the same time do together.",
        default=None,
    )


@entity
class Action(Event):
    """Something an actor can do.

    `also` has the other names under which records of moves know it; those of an actor's actions
    differ by `alias`, and from the keys. Actions that are `like` this one do the same under names
    of their own: they stand in its `members`, and are no actions of the scenario by themselves.
    `reference` is how often it is done where nothing is at stake, beside the other actions; None
    where it is as usual as they are. What it `becomes` is of its actor's own type alone, whatever
    the other effects are.
    """

    own_costs: Mapping[str, Formula] = field(
        SUMS, "Paid by who acts, or formulas by actor.", key="cost", default=Frozen()
    )
    other_costs: Mapping[str, Formula] = field(
        MapOf(COST), "Paid by others: formulas by actor.", key="costs", default=Frozen()
    )
    also: tuple[str, ...] = field(NAMES, "Names that records of moves call it by.", default=())
    reference: Formula | None = field(
        FormulaIn(PUBLIC_NUMBER),
        "How often it is done where nothing is at stake, beside 1 for each of the others.",
        default=None,
    )
    like: str = field(
        scalar.LINE, "The action of which this is another name: it does the same.", default=""
    )
    seen_as: str = field(
        scalar.LINE,
        "What others see where it is done: the name of what looks the same.",
        default="",
    )
    members: tuple[str, ...] = ()

    @property
    def seen(self) -> str:
        """What others see where it is done: of actions with the same they cannot tell which."""
        return self.seen_as or self.key

    @property
    def concerns(self) -> tuple[str, ...]:
        """Nobody: what all see of an action does not depend on types."""
        return ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names besides its key under which records of moves know it."""
        return (*self.also, *self.members)

    @property
    def costs(self) -> Mapping[str, Formula]:
        """By actor, what it costs; no entry, no cost."""
        return Frozen({**self.own_costs, **self.other_costs})


@entity
class Payoff(Supported):
    """What an actor gets.

    Flow and terminal payoffs are named formulas, which add up ('' for a single one).
    """

    flow: Mapping[str, Formula] = field(SUMS, "At the end of each period.", default=Frozen())
    terminal: Mapping[str, Formula] = field(SUMS, "Once, after the last period.", default=Frozen())


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


@entity
class Term(Supported):
    """An announced commitment.

    Hard where `cost` is None; `forbids` lists (actor, action). It is in force from the moment
    `since`, until the moment `until`, where `when` holds and `unless` does not.
    """

    binds: tuple[str, ...] = field(ACTORS, "The actors who are bound.", vital=True, default=())
    forbids: tuple[tuple[str, str], ...] = field(
        MapOf(NAMES, single=True), "Actions, or actions by actor."
    )
    since: Moment | None = field(
        scalar.MOMENT,
        "The date or the event from which it is in force.",
        key="from",
        default=None,
    )
    until: Moment | None = field(
        scalar.MOMENT, "The date or the event from which it is no longer in force.", default=None
    )
    when: Formula | None = field(
        AllOf(), "In force where this, or all of these, hold.", default=None
    )
    unless: Formula | None = field(
        AllOf(), "Not in force where this, or all of these, hold.", default=None
    )
    cost: Formula | None = field(
        COST, "Paid by who breaks it; without it, nobody can.", default=None
    )
    accept: tuple[str, ...] = field(DOUBTS, ACCEPT, default=())

    @property
    def dates(self) -> tuple[int | None, int | None]:
        """The periods from which and before which it is in force, as far as dates say."""
        since, until = (moment.period if moment else None for moment in (self.since, self.until))
        return since, until

    def events(self) -> tuple[Formula, ...]:
        """The events at which it begins or lapses."""
        moments = (self.since, self.until)
        return tuple(moment.event for moment in moments if moment and moment.event)


@entity
class Policy(Supported):
    """A named set of terms."""

    terms: tuple[str, ...] = field(
        ListOf(Reference("terms"), distinct=True), "Names of entries of `terms`.", vital=True
    )


@entity
class Announcer(Supported):
    """A move before the first period: who announces one of several policies."""

    who: str = field(Reference("actors"), "The actor who announces; one with private types.")
    among: tuple[str, ...] = field(
        ListOf(Reference("policies"), single=True, distinct=True),
        "Policies to choose from; all, if left out.",
        vital=True,
        default=(),
    )


@entity
class Outcome(Supported):
    """A named condition whose probability is wanted.

    With `lasting` it comes about once it has held for so many periods on end (0: at once), and
    with `before`, the name of another outcome or '', if the other has not come about by then.
    """

    when: Formula = field(CONDITION, "The condition.")
    lasting: int = field(
        scalar.COUNT, "It counts once it has held at the ends of so many periods on end.", default=0
    )
    before: str = field(
        Reference("outcomes"), "It counts where this outcome has not come about yet.", default=""
    )
    ends: bool = field(scalar.FLAG, "Play stops where it holds.", default=False)

    @property
    def remembers(self) -> bool:
        """Whether more than the present state says if it holds."""
        return bool(self.lasting or self.before)
