"""What an observation is worth: play with it, and play in which it says nothing.

A signal is an event of chance whose probabilities depend on a private type. Without it what all see
happens as often, but says nothing: at each state each of the event's alternatives has, for all
types, the probability that it has in the play with the signal, over the types that are there then.
What the event does to types stays as it is. So the two games differ in what can be learnt from the
event, and in what its owner has to fear of it; both are solved, so that everybody's play answers.

What was observed may be consequential too (a find that ends an agreement by itself): that comes
about as often, too, but no longer to those whom it told of.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from detente.dtypes import Floats
from detente.errors import Diagnostic, Problems, ScenarioError, expect
from detente.game.arrays import CompiledGame, Layer, PrivateChance
from detente.scenario.hints import did_you_mean
from detente.simulation.channels import Channels
from detente.simulation.forecast import Forecast, forecast
from detente.simulation.forward import ForwardPass, schedule
from detente.solver.options import SolveOptions
from detente.solver.solution import Solution
from detente.solver.solve import solve
from detente.solver.workers import open_workers


@dataclass(frozen=True, slots=True, eq=False)
class SignalValue:
    """Play with a signal and without it.

    signal
        The event.
    present, silent
        Forecasts with what it tells, and without it.
    payoffs
        Columns actor, type (at the start), with_signal, without, worth, error: `worth` is how much
        more the actor gets with it; error is three times the difference that a belief grid half as
        fine makes to it.
    outcomes
        Columns outcome, with_signal, without: probabilities that it has come about by the end.
    """

    signal: str
    present: Forecast
    silent: Forecast
    payoffs: pd.DataFrame
    outcomes: pd.DataFrame


def signal_value(
    game: CompiledGame,
    signal: str,
    options: SolveOptions | None = None,
    *,
    periods: int | None = None,
) -> SignalValue:
    """What it is worth to each actor that an event tells of a private type.

    Parameters
    ----------
    game
        As compiled.
    signal
        The key of an event of chance whose probabilities depend on a private type.
    options
        How both games are solved.
    periods
        Of a game without end, how many to look at.

    Raises
    ------
    ScenarioError
        Where there is no such event, or it tells nothing or is never played.
    SolveError
        As `solve`.
    """
    expect(game, CompiledGame, "signal_value")
    check_signal(game, signal)
    options = SolveOptions() if options is None else options
    solutions = [solve(game, options)]
    solutions.append(solve(without_signal(solutions[0], signal, periods), options))
    present, silent = (
        forecast(each, periods=periods, threads=options.threads) for each in solutions
    )
    return SignalValue(
        signal, present, silent, _payoffs(*solutions), _outcomes(game, present, silent)
    )


def check_signal(game: CompiledGame, signal: str) -> None:
    """Refuse what is no signal. Raises `ScenarioError`."""
    events = game.scenario.events
    tell = [key for key, event in events.items() if _tells(game, key)]
    if signal not in events:
        problems, hint = Problems(), did_you_mean(signal, tell or list(events))
        problems.add("signal", "unknown-name", f"there is no event `{signal}`", hint)
        problems.refuse()
    if signal not in tell:
        place, hint = events[signal].place, "let the `p` of its effects depend on a private type"
        if tell:
            hint = f"events that do are {', '.join(f'`{key}`' for key in tell)}"
        message = f"`{signal}` tells nothing of a private type at any state of play"
        raise ScenarioError([Diagnostic(place, "signal", message, hint)])


def _tells(game: CompiledGame, key: str) -> bool:
    """Whether what all see of an event depends on a type somewhere."""
    chances = [layer.private for layer in game.layers if layer.event == key]
    return any(
        chance is not None and np.ptp(chance.change.sum(axis=2), axis=1).max() > 1e-12
        for chance in chances
    )


def without_signal(solution: Solution, signal: str, periods: int | None = None) -> CompiledGame:
    """The game in which the signal says nothing (see the module), as often as in a solution."""
    game = solution.game
    there = _types_there(solution, signal, periods)
    layers = []
    for n, layer in enumerate(game.layers):
        if layer.private is not None and layer.event == signal:
            layer = replace(layer, private=_silenced(game, layer, layer.private, there[n]))
        layers.append(layer)
    return replace(game, layers=tuple(layers))


def _silenced(
    game: CompiledGame, layer: Layer, chance: PrivateChance, there: Floats
) -> PrivateChance:
    """Chance that changes types as before and tells nothing, where types are as in `there` [x, θ].

    Where play does not come to a state, types are those of the start.
    """
    begin = layer.trans_ptr[layer.action_ptr[:-1]]
    state = np.repeat(np.arange(begin.size), np.diff(np.append(begin, len(chance.change))))
    shares = np.where(there.sum(axis=1, keepdims=True) > 0, there, game.priors[chance.actor])
    shares = shares / shares.sum(axis=1, keepdims=True)
    seen = np.einsum("kt,kt->k", shares[state], chance.change.sum(axis=2))
    turned = np.add.reduceat(chance.change, begin)
    return PrivateChance(chance.actor, seen[:, None, None] * turned[state])


def _types_there(solution: Solution, signal: str, periods: int | None) -> dict[int, Floats]:
    """The probability of being at a state before a layer of the signal with a type, added up over
    periods: float64 [x, θ] by layer."""
    game = solution.game
    weights = game.profile_prior()
    at_start = weights if game.changing else None
    there: dict[int, Floats] = {}
    with open_workers(1) as workers:
        play = ForwardPass(solution, Channels(game, counted=False), workers, at_start=at_start)
        for t, n in schedule(game, periods):
            layer = game.layers[n]
            play.enter(t, n)
            if layer.private is not None and layer.event == signal:
                i = layer.private.actor
                mass = play.by_profile if game.changing else play.by_profile * weights
                kinds = game.profiles[:, i, None] == np.arange(game.priors[i].size)
                there[n] = there.get(n, 0.0) + mass @ kinds
            play.leave(t, n, play.push(n))
    return there


def _payoffs(present: Solution, silent: Solution) -> pd.DataFrame:
    worth = {who: value - silent.payoffs[who] for who, value in present.payoffs.items()}
    errors = dict.fromkeys(worth, float("nan"))
    if present.coarse is not None and silent.coarse is not None:
        rough = silent.coarse.payoffs
        errors = {
            who: 3.0 * abs(value - rough[who] - worth[who])
            for who, value in present.coarse.payoffs.items()
        }
    rows = [
        (*who, value, silent.payoffs[who], worth[who], errors[who])
        for who, value in present.payoffs.items()
    ]
    return pd.DataFrame(rows, columns=["actor", "type", "with_signal", "without", "worth", "error"])


def _outcomes(game: CompiledGame, present: Forecast, silent: Forecast) -> pd.DataFrame:
    last = [
        {str(r.outcome): float(r.happened) for r in _overall(game, each).itertuples()}
        for each in (present, silent)
    ]
    rows = [(key, chance, last[1][key]) for key, chance in last[0].items()]
    return pd.DataFrame(rows, columns=["outcome", "with_signal", "without"])


def _overall(game: CompiledGame, result: Forecast) -> pd.DataFrame:
    """The outcomes at the last time that is reported, whatever the types."""
    table = result.outcomes
    for i in game.informed:
        table = table[table[game.actors[i].key] == "any"]
    return table[table["t"] == table["t"].max()]
