"""What is doubtful about actions and events, seen at all states that play can reach.

Looked at are the games under all policies together: an action that one policy forbids may be
there for another, and two actions that do the same under one of them are counted twice there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from detente.dtypes import Bools, Floats, Ints
from detente.errors import Diagnostic, Place, warning
from detente.game.arrays import CompiledGame
from detente.game.compile import fill_layer
from detente.game.enumerate import generic
from detente.game.evaluate import Evaluator, evaluator_of
from detente.game.structure import Side, Skeleton
from detente.scenario.calendar import MONTHS
from detente.scenario.entities import Variable
from detente.scenario.formula.expression import Formula
from detente.scenario.model import Scenario
from detente.scenario.rules import Event, Term

SOME_FORM = frozenset({"duplicate-action", "negative-cost"})
"""What is doubtful wherever it is so, even if only with one option of a variant."""

SAME = 1e-9
"""By how much what is the same may differ by rounding; a moved parameter moves by 1e-8 or more."""


def doubts(games: Sequence[CompiledGame], *, every: bool) -> list[Diagnostic]:
    """What is doubtful in a scenario's games; `every` says that there is one for each policy."""
    scenario = games[0].scenario
    doubtful = [*_duplicates(scenario, games), *_negative(scenario, games)]
    over = any(met.code == "ends-at-start" for game in games for met in game.warnings)
    if every and not over:  # or it has been reported why nothing is ever done
        doubtful += _never(scenario, games)
    return doubtful


# --- what is never done ---


def _never(scenario: Scenario, games: Iterable[CompiledGame]) -> Iterator[Diagnostic]:
    """Actions that are never allowed and events that never happen."""
    done = {
        (side.mover, side.actions[n].key)
        for game in games
        for skeleton in game.structure.skeletons
        for side in skeleton.sides
        for n in np.unique(side.action).tolist()
        if n >= 0
    }
    known: list[tuple[str, int, Event, str]] = [
        ("never-allowed", mover, action, f"`{action.key}` of {actor} is allowed")
        for mover, actor in enumerate(scenario.actors)
        for action in scenario.actions.get(actor, {}).values()
    ]
    for event in scenario.events.values():
        known.append(("never-happens", -1, event, f"the event `{event.key}` can happen"))
    policies = " under any policy" if len(scenario.policies) > 1 else ""
    for code, mover, action, what in known:
        if (mover, action.key) not in done and code not in action.accept:
            message = f"{what} at no state of play{policies}"
            yield warning(action.place, code, message, _wanting(scenario, action))


def _wanting(scenario: Scenario, action: Event) -> str:
    """Where to look, and what `month` can be where periods do not start in all months."""
    if action.when is None:
        return "check the `when` of its turn, and the terms that forbid it"
    hint = f"check its `when`, `{action.when.text}`, and whether anything leads there"
    start, unit = scenario.calendar.start, scenario.calendar.unit
    if "month" not in action.when.calendar or start is None or unit not in MONTHS:
        return hint
    months = sorted({(start.month - 1 + k) % 12 + 1 for k in range(0, 12, MONTHS[unit])})
    if len(months) == 12:
        return hint
    which = " or ".join(map(str, months))
    return f"{hint}; `month` is that in which a {unit} starts: {which}"


# --- what is a gain though it is called a cost ---


def _negative(scenario: Scenario, games: Iterable[CompiledGame]) -> Iterator[Diagnostic]:
    """Costs to who acts that are nowhere above 0, and somewhere below."""
    met: dict[Place, tuple[Event | Term, str, Formula, list[Floats]]] = {}
    for game in games:
        at = evaluator_of(scenario, game.structure)
        for skeleton, codes in _turns(game):
            for charged, actor, formula, here in _charges(scenario, skeleton, codes):
                values = at.profiled(formula, here, skeleton.period)
                ends = np.array([values.min(), values.max()])
                met.setdefault(formula.place, (charged, actor, formula, []))[-1].append(ends)
    for place, (charged, actor, formula, bounds) in met.items():
        if np.min(bounds) < 0 >= np.max(bounds) and "negative-cost" not in charged.accept:
            message = (
                f"the cost of `{charged.key}` to {actor}, `{formula.text}`, is below 0: a gain"
            )
            hint = "costs are subtracted, so that one is written without a minus sign"
            yield warning(place, "negative-cost", message, hint)


def _charges(
    scenario: Scenario, skeleton: Skeleton, codes: Ints
) -> Iterator[tuple[Event | Term, str, Formula, Ints]]:
    """What the movers of a turn pay for their own actions, and the states at which they do."""
    actors = list(scenario.actors)
    for side in skeleton.sides[: len(skeleton.movers)]:
        actor = actors[side.mover]
        for n, action in enumerate(side.actions):
            rows = side.state[side.action == n]
            if actor in action.costs and rows.size:
                yield action, actor, action.costs[actor], codes[rows]
            for term, force in side.breaks.get(n, ()):
                broken = rows[force[rows]]
                if term.cost is not None and broken.size:
                    yield term, actor, term.cost, codes[broken]


# --- what is there twice ---


@dataclass(slots=True)
class _Pair:
    """Two actions of an actor: by variable, the levels at which they are the same or differ."""

    same: dict[str, Bools]
    differ: dict[str, Bools]
    example: str = ""
    mixed: bool = False

    def note(self, levels: dict[str, Ints], same: Bools, differ: Bools) -> None:
        """Note the states, bool [x] with these levels, at which they are the same or differ."""
        for key in self.same:
            self.same[key][levels[key][same]] = True
            self.differ[key][levels[key][differ]] = True
        self.mixed |= bool(differ.any())


def _duplicates(scenario: Scenario, games: Iterable[CompiledGame]) -> Iterator[Diagnostic]:
    """Actions of one actor that lead to the same and cost the same where both are allowed.

    Compared with every parameter moved a little: what is equal by an accident of its value is not
    meant here.
    """
    pairs: dict[tuple[int, int, int], _Pair] = {}
    for game in games:
        moved = evaluator_of(generic(scenario), game.structure)
        for skeleton, codes in _turns(game):
            marks = _marks(moved, skeleton, codes)
            if marks is None:
                continue
            levels = game.structure.levels(codes)
            for s, side in enumerate(skeleton.sides):
                for n, m, both, same in _compared(skeleton, s, side, marks):
                    blank = _Pair(_nowhere(scenario), _nowhere(scenario))
                    pair = pairs.setdefault((side.mover, n, m), blank)
                    pair.note(levels, same, np.logical_and(both, ~same))
                    if same.any() and not pair.example:
                        pair.example = moved.where(int(codes[same][0]), skeleton.period)
    explained: set[tuple[int, int]] = set()
    for (mover, n, m), pair in sorted(pairs.items()):
        actor = list(scenario.actors)[mover]
        own = list(scenario.actions[actor].values())
        if pair.example and not {(mover, n), (mover, m)} & explained:
            if not pair.mixed:
                explained.add((mover, m))  # what else is the same as this one is so as the first
            if "duplicate-action" not in (*own[n].accept, *own[m].accept):
                yield _duplicate(scenario, actor, own[n], own[m], pair)


def _nowhere(scenario: Scenario) -> dict[str, Bools]:
    return {key: np.zeros(variable.size, bool) for key, variable in scenario.variables.items()}


def _marks(at: Evaluator, skeleton: Skeleton, codes: Ints) -> Floats | None:
    """For each joint action a random projection of where it leads and what it costs, float64 [e].

    What is the same has the same mark, and what is not has another, but for a chance of nothing.
    None where the numbers do not fit the enumeration.
    """
    layer = fill_layer(at, skeleton, codes)
    if layer is None:
        return None
    rng = np.random.default_rng(skeleton.succ.size)
    leads = rng.standard_normal(int(layer.succ.max()) + 1)[layer.succ]
    marks = np.add.reduceat(layer.prob * leads, layer.trans_ptr[:-1])
    if layer.hidden is not None:
        change = layer.hidden.change.reshape(len(marks), -1)
        marks = marks + change @ rng.standard_normal(change.shape[1])
    return np.asarray(marks + layer.reward @ rng.standard_normal(layer.reward.shape[1]))


def _compared(
    skeleton: Skeleton, s: int, side: Side, marks: Floats
) -> Iterator[tuple[int, int, Bools, Bools]]:
    """Each two actions of a side, where both are allowed and where they are the same: bool [x]."""
    own = skeleton.edge_own[:, s]
    action, state = side.action[own], side.state[own]
    edges = [np.flatnonzero(action == n) for n in range(len(side.actions))]
    allowed = np.zeros((len(edges), len(skeleton.action_ptr) - 1), bool)
    for n, rows in enumerate(edges):
        allowed[n, state[rows]] = True
    for n, m in combinations(range(len(edges)), 2):
        both = allowed[n] & allowed[m]
        if both.any():
            # What the other movers do runs through the same order beside either of the two.
            first, second = (e[both[state[e]]] for e in (edges[n], edges[m]))
            same = both.copy()
            same[state[first][np.abs(marks[first] - marks[second]) > SAME]] = False
            yield n, m, both, same


def _duplicate(
    scenario: Scenario, actor: str, first: Event, second: Event, pair: _Pair
) -> Diagnostic:
    """That two actions are the same: everywhere, at the levels of a variable, or at some states."""
    both = f"`{first.key}` and `{second.key}` of {actor} have the same effects and costs"
    telling = [
        variable
        for key, variable in scenario.variables.items()
        if not (pair.same[key] & pair.differ[key]).any()
    ]
    target = second
    if not pair.mixed:
        where = "wherever both are allowed"
        remedy = f"drop one of the two, or write `{second.key}: {{like: {first.key}}}`"
    elif not telling:
        where, remedy = pair.example, "leave one out there by a `when`"
    else:
        variable = telling[0]
        levels = np.flatnonzero(pair.same[variable.key]).tolist()
        where = f"where {variable.key} is {' or '.join(map(variable.label, levels))}"
        changing = [action for action in (first, second) if variable.key in _changed(action)]
        target = changing[0] if len(changing) == 1 else second
        remedy = f"give `{target.key}` the condition `{_outside(variable, levels)}`"
        if target.when:
            remedy += f" beside `{target.when.text}`"
    hint = f"logit play counts both, and so takes the other actions less often: {remedy}"
    return warning(target.place, "duplicate-action", f"{both} {where}", hint)


def _changed(action: Event) -> set[str]:
    return {c.variable for alternative in action.alternatives for c in alternative.changes}


def _outside(variable: Variable, levels: Sequence[int]) -> str:
    """The condition that a variable is at none of these levels."""
    others = [level for level in range(variable.size) if level not in levels]
    if len(others) == 1:
        return f"{variable.key} == {variable.label(others[0])}"
    if levels == list(range(len(levels))):
        return f"{variable.key} > {variable.label(levels[-1])}"
    if levels == list(range(variable.size - len(levels), variable.size)):
        return f"{variable.key} < {variable.label(levels[0])}"
    return " and ".join(f"{variable.key} != {variable.label(level)}" for level in levels)


def _turns(game: CompiledGame) -> Iterator[tuple[Skeleton, Ints]]:
    """The turns of actors, with the states before each."""
    sets = game.structure.skeleton_sets
    for skeleton, codes in zip(game.structure.skeletons, sets[:-1], strict=True):
        if skeleton.movers:
            yield skeleton, codes
