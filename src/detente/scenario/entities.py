"""The entities of the language: who plays, what all see, numbers, and what is not known.

Each class is the table of an entity's fields in a file, and the frozen value that is made of them
by `detente.scenario.loader.load` alone, which has checked all names and types. Order is that of
the file everywhere. `accept` has the codes of doubts about an entry that its author means to
leave as they are. The rules of play are in `detente.scenario.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from detente.errors import Place
from detente.scenario import scalar_types as scalar
from detente.scenario.fields import (
    NOWHERE,
    EntityOf,
    Entry,
    FormulaIn,
    ListOf,
    MapOf,
    Reference,
    TableOf,
    entity,
    field,
)
from detente.scenario.formula.expression import Formula, number
from detente.scenario.formula.types import CONSTANT
from detente.scenario.frozen import Frozen

FOREVER = "forever"
"""A horizon without end."""

LIMIT = "limit"
"""The precision of play that noise is taken from."""

WHAT = "What this is, in a sentence or two."
ACCEPT = "Warnings about this entry that are meant: they are not told."
NAMES = ListOf(scalar.LINE, single=True)
DOUBT = scalar.one_of(
    "duplicate-action", "low-discount", "negative-cost", "never-allowed", "never-happens"
)
DOUBTS = ListOf(DOUBT, single=True)


@entity
class Supported(Entry):
    """An entry that can say what it is and what stands behind it."""

    about: str = field(scalar.TEXT, WHAT, default="")
    evidence: tuple[str, ...] = field(
        ListOf(Reference("evidence")), "Names of entries of `evidence`.", default=()
    )
    judgement: str = field(scalar.TEXT, "The reason, where this is a judgement.", default="")


@entity
class CalendarPart:
    """When play starts, what a period is, and how many periods there are."""

    start: str = field(scalar.DAY, "`2018-02` or `2018-02-15`; not for rounds.", default="")
    period: str = field(
        scalar.one_of("day", "week", "month", "quarter", "year", "round"), stand_in="month"
    )
    horizon: Any = field(
        FormulaIn(CONSTANT, word=FOREVER), "The number of periods, or `forever`.", stand_in=1
    )


@dataclass(frozen=True, slots=True)
class Horizon:
    """How long play is: so many periods as a constant formula gives, or without end for None.

    `overridden`: from outside, since the file was read.
    """

    formula: Formula | None = None
    place: Place = NOWHERE
    overridden: bool = False

    @property
    def endless(self) -> bool:
        """Whether play has no last period."""
        return self.formula is None

    @property
    def text(self) -> str:
        """As it is written."""
        return self.formula.text if self.formula else FOREVER

    @property
    def parameters(self) -> frozenset[str]:
        """The parameters that it depends on."""
        return self.formula.parameters if self.formula else frozenset()


@entity
class Actor(Supported):
    """One who chooses.

    A `precision` that is written `limit` is infinite. With a `concentration`, ensembles draw the
    prior from the Dirichlet distribution that has this sum of parameters, around the present one.
    """

    name: str = field(scalar.LINE, "For people; the key by default.", default="")
    priors: Mapping[str, Formula] = field(
        MapOf(FormulaIn(CONSTANT), alone=True),
        "The prior probability of each private type; their names alone where it is a joint one.",
        key="types",
        vital=True,
        default=Frozen(),
    )
    precision: Formula = field(
        FormulaIn(CONSTANT, word=LIMIT, least=0),
        "λ ≥ 0: how sharply play follows payoffs; or `limit`.",
        stand_in=number(1.0, NOWHERE),
    )
    discount: Formula = field(
        FormulaIn(CONSTANT, least=0, most=1),
        "δ in [0, 1]; below 1 where play goes on forever.",
        written=1,
        stand_in=number(0.5, NOWHERE),
    )
    concentration: float | None = field(
        scalar.POSITIVE,
        "How sure the prior is: in ensembles it is drawn around its values.",
        empty=True,
        default=None,
    )
    accept: tuple[str, ...] = field(DOUBTS, ACCEPT, default=())

    @property
    def types(self) -> tuple[str, ...]:
        """The private types; none where nothing is private."""
        return tuple(self.priors)

    def shares(self) -> tuple[str | None, ...]:
        """For each type the parameter that is its prior; None where the prior is a formula.

        With a concentration there is at most one None: that type has what the others leave.
        """
        priors = self.priors.values()
        return tuple(p.text if p.parameters == {p.text} else None for p in priors)


@entity
class JointPrior(Supported):
    """How likely the types of several actors are together.

    `shares` are in the order of the types of the first actor of `by`, those of the last varying
    fastest.
    """

    by: tuple[str, ...] = field(
        ListOf(Reference("actors"), least=2, distinct=True), "The actors whose types go together."
    )
    shares: tuple[Formula, ...] = field(
        TableOf(FormulaIn(CONSTANT)),
        "The probability of all their types together, by the types of one after the other.",
        key="values",
    )


@entity
class Variable(Supported):
    """A public state variable.

    Level k (from 0) is the number `low + k`, or the name `names[k]`. `start` is a level's index.
    `cut`: effects beyond the levels take the nearest one.
    """

    levels: scalar.Levels = field(scalar.LEVELS, "`LOW..HIGH`, or a list of names in their order.")
    start: int = field(scalar.LEVEL, "The level at the start.")
    edge: str = field(
        scalar.one_of("error", "cut"),
        "What happens to an effect that would leave the levels.",
        default="error",
    )

    @property
    def size(self) -> int:
        """The number of levels."""
        return self.levels.size

    @property
    def low(self) -> int:
        """The number of the lowest level."""
        return self.levels.low

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the levels; none where they are numbers."""
        return self.levels.names

    @property
    def cut(self) -> bool:
        """Whether effects beyond the levels take the nearest one."""
        return self.edge == "cut"

    def label(self, level: int) -> str:
        """The name of level `level`, counted from 0."""
        return self.levels.label(level)


@entity
class Parameter(Supported):
    """A named number, or one for each type of an actor.

    `values`, `ranges` and `draws` have one entry, or one for each of the `types` of the actor `of`;
    a range may be missing. `draws` says how ensembles draw from the range
    (`detente.scenario.scalar_types.DRAWS`).
    """

    values: tuple[float, ...] = field(
        MapOf(scalar.NUMBER, single=True), "One number, or one for each type.", key="value"
    )
    ranges: tuple[tuple[float, float] | None, ...] = field(
        MapOf(scalar.RANGE, single=True),
        "`[low, high]`, or one for each type.",
        key="range",
        default=(),
    )
    range_reason: str = field(scalar.TEXT, "Why the range is as wide as it is.", default="")
    draws: tuple[str, ...] = field(
        MapOf(scalar.DRAW, single=True),
        "How ensembles draw it, or one for each type.",
        key="draw",
        default=(),
    )
    unit: str = field(scalar.LINE, "The unit.", default="")
    estimated: str = field(
        scalar.LINE, "From which records it was estimated, and when; written by a fit.", default=""
    )
    of: str = field(scalar.TEXT, "The actor, where types' names do not tell.", default="")
    types: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """The names under which the values can be changed: `key`, or `key.type` for each type."""
        return tuple(f"{self.key}.{name}" for name in self.types) or (self.key,)


@entity
class Covariate(Supported):
    """A column of a table with a row for each unit of a panel, which formulas may read.

    `value` is taken where there is no table: for a forecast of one stand-off.
    """

    value: float = field(scalar.NUMBER, "What is taken where no table gives one.", stand_in=0.0)
    unit: str = field(scalar.LINE, "The unit.", default="")


@entity
class Correlation(Supported):
    """Numbers that go together where they are drawn.

    `between` has full names (`step_cost.sincere`); every two of them have the rank correlation
    (Spearman's) `rank`.
    """

    between: tuple[str, ...] = field(NAMES, "Full names of parameters, as `step_cost.sincere`.")
    rank: float = field(scalar.RANK, "The rank correlation of each two of them.", stand_in=0.0)


@entity
class ChangePart:
    """What an option changes: the sections that it is laid over."""

    calendar: Any = field(scalar.MAPPING, "The calendar, as in the file.", default=None)
    state: Any = field(scalar.MAPPING, "Variables, as in the file.", default=None)
    turns: Any = field(scalar.LIST, "All turns, in their order.", default=None)
    actions: Any = field(scalar.MAPPING, "Actions by actor, as in the file.", default=None)
    chance: Any = field(scalar.MAPPING, "Events, as in the file.", default=None)
    payoffs: Any = field(scalar.MAPPING, "Payoffs, as in the file.", default=None)
    terms: Any = field(scalar.MAPPING, "Terms, as in the file.", default=None)


@entity
class Option(Entry):
    """One of the ways in which the model could be right.

    It is as likely as its weight among those of the others. `changes` names what it changes in the
    file (`actions.DPRK.test`); the first option is the file as it stands and changes nothing.
    """

    about: str = field(scalar.TEXT, WHAT, default="")
    weight: float = field(
        scalar.POSITIVE, "How likely it is, beside the weights of the others.", default=1
    )
    changes: tuple[str, ...] = field(
        EntityOf(ChangePart),
        "What is laid over the file; the first option has none.",
        key="change",
        empty=True,
        default=(),
    )


@entity
class Variant(Supported):
    """A question on which the model itself is in doubt."""

    options: Mapping[str, Option] = field(
        MapOf(EntityOf(Option)), "The answers; the first is the file as it stands."
    )


@entity
class Evidence(Entry):
    """Who reported what and where."""

    source: str = field(scalar.TEXT, "The report: who, when, title.")
    where: str = field(scalar.TEXT, "The place in it.", default="")
    says: str = field(scalar.TEXT, "What it says, in your own words.", default="")
    url: str = field(scalar.TEXT, "Where it can be read.", default="")
