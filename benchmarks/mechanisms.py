"""The mechanisms of the default scenario: each is turned; does the forecast go where its row says?

Rows are those of docs/pyeongchang-2018.md. What is turned is a number, the policy in force,
or where things stand at the start; what is expected of it has a sign. All is solved at half, once
and twice the precision of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import detente
from benchmarks.report import Plan, Table
from detente.game.arrays import CompiledGame
from detente.library import read_text
from detente.simulation.conditions import ANY
from detente.simulation.forecast import Forecast

NAME = "pyeongchang-2018"

PRECISION = "precision"
"""The parameter that is scaled."""

SCALES = {"half": 0.5, "once": 1.0, "twice": 2.0}
"""Of the precision in the file."""

BELIEFS = 5
"""Points of the belief grid: no probability is off by more than a quarter of a point there."""

CHECKED = 1_000
"""Points at which a solve is recomputed by separate code: there are many solves."""

CALM = "talks only after calm"
FREEZE = "freeze for freeze"
EACH = "each ally decides"
RELIEF = "relief first"
STEP = "talks only after a step"

UP, DOWN, SAME = "up", "down", "unchanged"

LEAST = {UP: 2e-4, DOWN: 2e-4, SAME: 0.02}
"""How much something has to change, or may change at most."""


@dataclass(frozen=True)
class Play:
    """A forecast, with the few numbers that rows are read from."""

    forecast: Forecast

    @property
    def last(self) -> int:
        """The last period."""
        return int(self.forecast.outcomes["t"].max())

    def happened(self, outcome: str, t: int | None = None, **types: str) -> float:
        """Probability that an outcome has come about by the end of period t, given types."""
        end = min(t or self.last, self.last)
        return self._sum("outcomes", "happened", types, t=(end, end), outcome=outcome)

    def times(self, action: str, first: int = 1, last: int | None = None, **types: str) -> float:
        """Expected number of times that an action is taken from period `first` to `last`."""
        between = first, last or self.last
        return self._sum("actions", "probability", types, t=between, action=action)

    def level(self, variable: str, t: int) -> float:
        """Mean level of a variable at the end of period t."""
        rows = self.forecast.states
        rows = rows[(rows["t"] == t) & (rows["variable"] == variable)]
        rows = rows[(rows["DPRK"] == ANY) & (rows["US"] == ANY)]
        return float((rows["level"] * rows["probability"]).sum())

    def mean(self, variable: str) -> float:
        """Mean level of a variable over all periods."""
        return sum(self.level(variable, t) for t in range(1, self.last + 1)) / self.last

    def payoff(self, actor: str, kind: str = "") -> float:
        """Expected payoff of an actor, of one type."""
        rows = self.forecast.payoffs
        return float(rows[(rows["actor"] == actor) & (rows["type"] == kind)]["payoff"].iloc[0])

    def _sum(
        self,
        table: str,
        column: str,
        types: Mapping[str, str],
        t: tuple[int, int],
        **where: str,
    ) -> float:
        rows = getattr(self.forecast, table)
        rows = rows[rows["t"].between(*t)]
        for key, value in {"DPRK": ANY, "US": ANY, **types, **where}.items():
            rows = rows[rows[key] == value]
        return float(rows[column].sum())


@dataclass(frozen=True)
class Moved:
    """One thing that was expected to move."""

    before: float
    after: float
    direction: str

    @property
    def held(self) -> bool:
        """Whether it went where it was expected to go."""
        change = self.after - self.before
        if self.direction == SAME:
            return abs(change) < LEAST[SAME]
        return (change if self.direction == UP else -change) > LEAST[self.direction]

    def __str__(self) -> str:
        return f"{self.before:.3f} → {self.after:.3f}{'' if self.held else ' **no**'}"


Reading = Callable[[Play], float]


@dataclass(frozen=True)
class Turn:
    """One thing turned, and what is expected of it."""

    row: str
    what: str
    expected: Mapping[str, tuple[Reading, str]]
    values: Mapping[str, float] = field(default_factory=dict)
    policy: str | None = None
    start: tuple[str, str] | None = None
    """A piece of the file and what is to stand there, for what is no number."""


def _happened(outcome: str, t: int | None = None, **types: str) -> Reading:
    return lambda play: play.happened(outcome, t, **types)


def _times(action: str, first: int = 1, last: int | None = None, **types: str) -> Reading:
    return lambda play: play.times(action, first, last, **types)


def _payoff(actor: str, kind: str = "") -> Reading:
    return lambda play: play.payoff(actor, kind)


def _mean(variable: str) -> Reading:
    return lambda play: play.mean(variable)


def _level(variable: str, t: int) -> Reading:
    return lambda play: play.level(variable, t)


HEAVIER = (
    "levels: [eased, present, heavier]\n    start: present",
    "levels: [eased, present, heavier]\n    start: heavier",
)

TURNS = (
    Turn(
        "M1",
        "sanctions are heavier at the start",
        {
            "the North's payoff, stalling": (_payoff("DPRK", "stalling"), DOWN),
            "the North's payoff, sincere": (_payoff("DPRK", "sincere"), DOWN),
            "first step": (_happened("first_step"), UP),
        },
        start=HEAVIER,
    ),
    Turn(
        "M1",
        "sanctions hurt more (1 to 1.5)",
        {
            "the North's payoff, stalling": (_payoff("DPRK", "stalling"), DOWN),
            "first step": (_happened("first_step"), UP),
        },
        {"sanctions_pain": 1.5},
    ),
    Turn(
        "M2",
        "no joint term on relief",
        {
            "relief within a year": (_happened("relief", 12), UP),
            "first step": (_happened("first_step"), DOWN),
        },
        policy=EACH,
    ),
    Turn(
        "M2",
        "relief without a step",
        {
            "relief within a year": (_happened("relief", 12), UP),
            "first step": (_happened("first_step"), DOWN),
        },
        policy=RELIEF,
    ),
    Turn(
        "M3",
        "talks are cheap for Washington",
        {
            "talks with Washington": (_happened("us_talks"), UP),
            "mean level of sanctions": (_mean("sanctions"), SAME),
        },
        {"talk_cost.trader": 0.1, "talk_cost.pressure_only": 0.4},
    ),
    Turn(
        "M4",
        "a precondition for talks",
        {"talks with Washington within half a year": (_happened("us_talks", 6), DOWN)},
        policy=STEP,
    ),
    Turn(
        "M5",
        "calm before talks",
        {
            "talks with Washington within half a year": (_happened("us_talks", 6), DOWN),
            "tests": (_happened("tests_resumed"), DOWN),
        },
        policy=CALM,
    ),
    Turn(
        "M6",
        "the Korean track does not help an approach",
        {"talks with Washington": (_happened("us_talks"), DOWN)},
        {"seoul_help": 0},
    ),
    Turn(
        "M7",
        "Seoul's promise costs nothing to break",
        {"months of aid": (_times("aid"), UP)},
        {"promise_rok": 0},
    ),
    Turn(
        "M8",
        "a thaw is worth twice as much to Seoul",
        {"Korean summit": (_happened("korean_summit"), UP)},
        {"thaw_rok": 0.8},
    ),
    Turn(
        "M8",
        "a summit strains the alliance more",
        {"rift": (_happened("wedge"), UP), "work for a summit": (_times("engage"), DOWN)},
        {"summit_strain": 0.5},
    ),
    Turn(
        "M9",
        "tests are free",
        {
            "tests": (_happened("tests_resumed"), UP),
            "missile": (_happened("missile"), UP),
            "mean tension": (_mean("tension"), UP),
        },
        {"test_cost": 0},
    ),
    Turn(
        "M10",
        "talks shield nothing",
        {
            "approaches of a stalling North": (_times("approach", DPRK="stalling"), DOWN),
            "its talks with Washington": (_happened("us_talks", DPRK="stalling"), DOWN),
        },
        {"leakage": 0, "time_bought.stalling": 0},
    ),
    Turn(
        "M10",
        "quiet growth is twice as fast",
        {"missile": (_happened("missile"), UP)},
        {"quiet_growth.sincere": 0.01, "quiet_growth.stalling": 0.03},
    ),
    Turn(
        "M11",
        "less doubt whether the North is in earnest (a quarter to a half)",
        {
            "talks opposite a sincere North": (_happened("us_talks", DPRK="sincere"), UP),
            "relief for a sincere North": (_happened("relief", DPRK="sincere"), UP),
            "talks opposite a stalling North": (_happened("us_talks", DPRK="stalling"), UP),
        },
        {"p_sincere": 0.5},
    ),
    Turn(
        "M12",
        "a rift takes more of the pressure",
        {
            "months of charm": (_times("charm"), UP),
            "the North's payoff, stalling": (_payoff("DPRK", "stalling"), UP),
        },
        {"wedge_relief": 0.6},
    ),
    Turn(
        "M13",
        "refusing is dearer",
        {"talks with Washington": (_happened("us_talks"), UP)},
        {"refusing": 0.25},
    ),
    Turn(
        "M13",
        "charm divides more",
        {"mean cohesion": (_mean("cohesion"), DOWN), "months of charm": (_times("charm"), UP)},
        {"charm_wedge": 0.3},
    ),
    Turn(
        "M14",
        "threats are cheap",
        {
            "mean tension": (_mean("tension"), UP),
            "war": (_happened("war"), UP),
            "Seoul's payoff": (_payoff("ROK"), DOWN),
        },
        {"threaten_cost.trader": 0.1, "threaten_cost.pressure_only": 0},
    ),
    Turn(
        "M15",
        "Washington is likelier to trade (0.4 to 0.7)",
        {
            "talks with Washington": (_happened("us_talks"), UP),
            "relief": (_happened("relief"), UP),
        },
        {"p_trader": 0.7},
    ),
    Turn(
        "M16",
        "exercises raise tension more",
        {"mean tension": (_mean("tension"), UP), "war": (_happened("war"), UP)},
        {"exercise_tension": 0.7},
    ),
    Turn(
        "M16",
        "freeze for freeze",
        {
            "suspensions": (_times("suspend"), UP),
            "tests": (_happened("tests_resumed"), DOWN),
            "payoff of a pressure-only Washington": (_payoff("US", "pressure_only"), DOWN),
            "the North's payoff, sincere": (_payoff("DPRK", "sincere"), UP),
        },
        policy=FREEZE,
    ),
    Turn(
        "M17",
        "reunions calm less",
        {"mean tension": (_mean("tension"), UP), "Seoul's payoff": (_payoff("ROK"), DOWN)},
        {"reunions_calm": 0.2},
    ),
    Turn(
        "M18",
        "the North feels less secure (0.3 to 0.6)",
        {
            "tests": (_happened("tests_resumed"), UP),
            "first step": (_happened("first_step"), DOWN),
        },
        {"insecurity": 0.6},
    ),
    Turn(
        "M18",
        "steps expose it more in tension",
        {"first step": (_happened("first_step"), DOWN)},
        {"exposure": 1},
    ),
    Turn(
        "M19",
        "the North is less ready to ask",
        {"talks with Washington within half a year": (_happened("us_talks", 6), DOWN)},
        {"approach_cost": 1},
    ),
    Turn(
        "M20",
        "war is likelier in a crisis",
        {"war": (_happened("war"), UP), "threats": (_times("threaten"), DOWN)},
        {"war_risk": 0.01},
    ),
    Turn(
        "M21",
        "nobody visits",
        {
            "approaches while he would have helped": (_times("approach", 2, 4), DOWN),
            "talks with Washington within half a year": (_happened("us_talks", 6), DOWN),
        },
        {"visit_help": 0},
    ),
    Turn(
        "M22",
        "no critics",
        {
            "suspensions": (_times("suspend"), UP),
            "talks with Washington": (_happened("us_talks"), UP),
        },
        {"critics_us": 0},
    ),
    Turn(
        "M23",
        "the truce lasts two months longer",
        {"mean tension in April": (_level("tension", 3), DOWN)},
        {"truce_months": 4},
    ),
)
"""All that is turned."""


class Plays:
    """Forecasts of one scenario, each made once.

    text
        That of its file.
    horizon
        How many periods are played; all, by default.
    """

    def __init__(self, text: str, horizon: int | None = None) -> None:
        self.text, self.horizon = text, horizon
        self._games: dict[object, CompiledGame] = {}
        self._plays: dict[object, Play] = {}

    def play(self, scale: float, turn: Turn | None = None) -> Play:
        """The forecast with a turn made, at that many times the precision of the file."""
        values = dict(turn.values) if turn else {}
        policy, start = (turn.policy, turn.start) if turn else (None, None)
        key = (scale, policy, start, tuple(sorted(values.items())))
        if key not in self._plays:
            game = self._game(policy, start)
            given = game.scenario.parameters[PRECISION].values[0]
            game = detente.with_values(game, {**values, PRECISION: scale * given})
            options = detente.SolveOptions(beliefs=BELIEFS)
            solution = detente.solve(game, options, regret=False, coarse=False, checked=CHECKED)
            self._plays[key] = Play(detente.forecast(solution, beliefs=False))
        return self._plays[key]

    def moved(self, turn: Turn, scale: float) -> dict[str, Moved]:
        """Of each thing that is expected, where it went."""
        before, after = self.play(scale), self.play(scale, turn)
        return {
            name: Moved(reading(before), reading(after), direction)
            for name, (reading, direction) in turn.expected.items()
        }

    def _game(self, policy: str | None, start: tuple[str, str] | None) -> CompiledGame:
        if (policy, start) not in self._games:
            text = self.text
            if start:
                if text.count(start[0]) != 1:
                    raise ValueError(f"the file does not have this once: {start[0]}")
                text = text.replace(*start)
            scenario = detente.loads(text)
            if self.horizon:
                scenario = scenario.with_horizon(self.horizon)
            self._games[policy, start] = detente.compile_game(scenario, policy=policy)
        return self._games[policy, start]


def run(plan: Plan) -> list[Table]:
    """The table of all rows, at three precisions."""
    plays = Plays(read_text(NAME), 4 if plan.quick else None)
    turns = TURNS[:3] if plan.quick else TURNS
    rows: list[list[object]] = []
    for turn in turns:
        plan.tell(f"{turn.row}, {turn.what}")
        moved = {name: plays.moved(turn, scale) for name, scale in SCALES.items()}
        for what, (_, direction) in turn.expected.items():
            cells = [str(moved[name][what]) for name in SCALES]
            rows.append([turn.row, turn.what, what, direction, *cells])
    note = (
        "What each mechanism does to the forecast over two years, at half, at once and at twice "
        "the precision of the file: before and after, and **no** where it does not go the way its "
        "row says."
    )
    columns = ["row", "turned", "what moves", "expected", *SCALES]
    return [Table(f"{NAME}: the mechanisms", note, columns, rows)]
