"""The dynamic audience-cost model, estimated: 179 dyads, 142 parameters, several equilibria each.

Crisman-Cox and Gibilisco (2018), American Journal of Political Science 62. Each country's audience
cost is the slope of an indicator, a covariate of the dyad that is 1 for its own country. The
study's data are not part of the project: without them nothing is measured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import detente
from benchmarks.report import Plan, Table, digits, times
from detente.dtypes import Floats
from detente.estimation.fit import FitOptions, fit
from detente.estimation.game_arrays import games_of
from detente.estimation.result import Fit
from detente.estimation.units import read_panel
from detente.estimation.without_end import Principal

DATA = Path(__file__).parents[2] / "shared" / "data" / "published" / "dynamic-audience-costs"

STATES, ACTIONS = ("peace", "crisis", "war"), ("none", "threat", "force")
SOME = 25
"""Countries of one formula, which may be 1,000 characters long."""

DYADIC = ("const", "min_polity", "log_cap_ratio", "sqrt_depend")
NATIONAL = ("const", "log1p_gdppc", "log1p_milperpc")

CRISES = """
title: Crises of two states, with audience costs
about: Crisman-Cox and Gibilisco (2018), American Journal of Political Science 62
responses: shocks
calendar: {{period: month, horizon: forever, start: 1993-01}}
actors:
  I: {{precision: 1, discount: 0.9}}
  J: {{precision: 1, discount: 0.9}}
state:
  now: {{levels: [peace, crisis, war], start: peace}}
covariates:
{covariates}
parameters:
{parameters}
turns:
  - who: [I, J]
    joint:
      about: the next state is the larger of the two moves
      effects: [{{over: now, p: "rank(to) == max(rank(move(I)), rank(move(J)))"}}]
      costs:
        I: {{{paid_I}}}
        J: {{{paid_J}}}
actions:
  I: {{none: {{}}, threat: {{cost: {threat_I}}}, force: {{cost: {force_I}}}}}
  J: {{none: {{}}, threat: {{cost: {threat_J}}}, force: {{cost: {force_J}}}}}
payoffs:
  I: {{flow: 0}}
  J: {{flow: 0}}
"""


PUBLISHED = -8190.526141
"""The study's log-likelihood."""

STARTS, SEED = 4, 1
"""Starts from nothing: three from frequencies, and a disturbance of the best; and the seed of the
counts that are drawn."""

MONTHS = 180
"""Of which each dyad has one count by actor."""

SHARE = 0.05
"""Of the published parameters at which games are solved on their principal branch."""


def run(plan: Plan) -> list[Table]:
    """The likelihood's time, the published maximum, and a better one."""
    if not DATA.exists():
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seconds = likelihood_seconds(plan, folder)
        rows: list[list[object]] = [["published", *_row(at_published(folder))]]
        if not plan.quick:
            rows.append(["from nothing", *_row(from_nothing(folder))])
            rows.append([f"from nothing, {STARTS} starts", *_row(from_nothing(folder, STARTS))])
            truth = draw(folder)
            begun = f"drawn (truth {truth:.2f}), from nothing"
            rows.append([begun, *_row(from_nothing(folder, counts="drawn.csv"))])
    note = (
        "`published` begins with the published estimates and choices; `from nothing` with all "
        "parameters 0 and every dyad's own frequencies. `drawn` has counts that were drawn from "
        "the published estimates and choices. The published maximum is a local one: "
        "better ones exist, with other signs. None is known to be the global one, and whether "
        f"the authors' bounds exclude them is not known. One log-likelihood of {seconds[2]} games, "
        "on one core, solved near the last one with its gradient, takes "
        f"{digits(1e3 * seconds[0])} ms; followed from precision 0, {digits(seconds[1])} s."
    )
    columns = ["begun", "log-likelihood", "|v - Φ(v)|", "status", "estimates", "s.e.", "seconds"]
    return [Table("dynamic audience costs", note, columns, rows)]


def _row(made: Fit) -> list[object]:
    """What a fit came to; estimates and standard errors by their largest distance from those of
    the study."""
    table = pd.read_csv(DATA / "estimates.csv", skipinitialspace=True).set_index("parameter")
    ours = made.table.set_index("parameter")
    apart = (ours["estimate"] - table["estimate"]).abs().max()
    errors = (ours["given_states"] - table["se"]).abs().max()
    assert made.equilibria is not None
    residual = made.equilibria["residual"].max()
    return [
        f"{made.log_likelihood:.6f}",
        digits(residual),
        made.status.name.lower().replace("_", " "),
        *(digits(float(value)) for value in (apart, errors, made.seconds)),
    ]


def at_published(folder: Path) -> Fit:
    """The fit that begins with the published estimates and choices."""
    write(folder, published())
    write_choices(folder)
    return _fit(folder, near=folder / "choices.csv")


def from_nothing(folder: Path, starts: int = 1, counts: str = "counts.csv") -> Fit:
    """The fit that begins with parameters 0 and each dyad's frequencies."""
    write(folder)
    return _fit(folder, starts=starts, counts=counts)


def _fit(
    folder: Path, near: Path | None = None, starts: int = 1, counts: str = "counts.csv"
) -> Fit:
    scenario = detente.load(folder / "crises.yaml")
    options = FitOptions(free=tuple(scenario.parameters), near=near, starts=starts)
    return fit(scenario, [], options, units=folder / "units.csv", counts=folder / counts)


def draw(folder: Path) -> float:
    """Draw `drawn.csv`, counts from the published choices; their log-likelihood at these.

    Each dyad begins in peace and has as many months as in the study.
    """
    rng, total = np.random.default_rng(SEED), 0.0
    lines = ["unit,now,I,J,number"]
    for unit, shares in _published_shares():
        now = 0
        for _ in range(MONTHS):
            moves = [int(rng.choice(3, p=shares[i, now])) for i in (0, 1)]
            total += sum(float(np.log(shares[i, now, a])) for i, a in enumerate(moves))
            lines.append(f"{unit},{STATES[now]},{ACTIONS[moves[0]]},{ACTIONS[moves[1]]},1")
            now = max(moves)
    (folder / "drawn.csv").write_text("\n".join(lines) + "\n")
    return total


def likelihood_seconds(plan: Plan, folder: Path) -> tuple[float, float, int]:
    """Seconds of a log-likelihood with gradient near the last one, and from nothing; and games."""
    write(folder)
    scenario = detente.load(folder / "crises.yaml")
    panel = read_panel(scenario, [], folder / "units.csv", folder / "counts.csv")
    games = games_of(detente.compile_game(scenario), panel, list(scenario.parameters))
    theta = SHARE * np.array([published()[name] for name in scenario.parameters])
    size = np.ones(theta.size)
    names = [unit.name for unit in panel.units]
    branch = Principal(games, names)
    value = branch.function(size)
    steps = iter(range(10**6))

    def near() -> None:
        assert value(theta * (1 + 1e-3 * (next(steps) % 2))) is not None

    def anew() -> None:
        assert Principal(games, names).function(size)(theta) is not None

    return times(near, plan).median, times(anew, plan).median, len(names)


def _weighted(slopes: Mapping[str, str]) -> str:
    return " + ".join(f"{name} * {column}" for name, column in slopes.items())


def write(folder: Path, values: Mapping[str, float] | None = None) -> None:
    """The published study as `crises.yaml`, `units.csv` and `counts.csv`.

    `values` are the parameters' starts, 0 where none are given.
    """
    countries = pd.read_csv(DATA / "countries_Z_alpha.csv").set_index("country")
    names = {i: f"alpha_{abb}" for i, abb in countries["abb"].items()}
    traits = pd.read_csv(DATA / "directed_dyads_X.csv").set_index(["i", "j"])
    dyads = pd.read_csv(DATA / "dyads.csv")
    rows = []
    for pair in dyads.itertuples():
        row: dict[str, object] = {"unit": pair.dyad}
        for who, me, other in (("I", pair.i, pair.j), ("J", pair.j, pair.i)):
            row |= {f"{who}_{name}": traits.loc[(me, other), name] for name in DYADIC}
            row |= {f"{who}_{name}": countries.loc[me, name] for name in NATIONAL[1:]}
            row |= {f"{who}_{name}": int(i == me) for i, name in names.items()}
        rows.append(row)
    units = pd.DataFrame(rows)
    units.to_csv(folder / "units.csv", index=False)
    counts = pd.read_csv(DATA / "dyad_state_action_counts.csv")
    table = pd.DataFrame({"unit": counts["dyad"], "number": counts["months"]})
    table["now"] = [STATES[int(s) - 1] for s in counts["state"]]
    for who, column in (("I", "action_i"), ("J", "action_j")):
        table[who] = [ACTIONS[int(a) - 1] for a in counts[column]]
    table.to_csv(folder / "counts.csv", index=False)
    (folder / "crises.yaml").write_text(scenario_text(list(names.values()), values or {}))


def scenario_text(alphas: Sequence[str], values: Mapping[str, float]) -> str:
    """The scenario, with an audience cost for each country."""
    parts: dict[str, str] = {}
    parameters = [f"gamma_{k}" for k in (1, 2, 3)] + list(alphas)
    covariates = []
    for who in "IJ":
        own = [f"{who}_{name}" for name in (*DYADIC, *NATIONAL[1:], *alphas)]
        covariates += [f"  {name}: {{value: 0, about: of the study}}" for name in own]
        for k, kind in ((2, "threat"), (3, "force")):
            slopes = {f"kappa{k}_{name}": f"{who}_{name}" for name in NATIONAL}
            parts[f"{kind}_{who}"] = f'"-({_weighted(slopes)})"'
        both = " + ".join(f"gamma_{k + 1} * (now == {state})" for k, state in enumerate(STATES))
        paid = {"both": f"({both}) * (move(I) > none and move(J) > none)"}
        for k in (2, 3):
            slopes = {f"beta{k}_{name}": f"{who}_{name}" for name in DYADIC}
            paid[STATES[k - 1]] = f"({_weighted(slopes)}) * (now == {STATES[k - 1]})"
        backed = f"(rank(move({who})) < rank(now) <= rank(move({'JI'['IJ'.index(who)]})))"
        for first in range(0, len(alphas), SOME):
            slopes = {name: f"{who}_{name}" for name in alphas[first : first + SOME]}
            paid[f"audience_{first}"] = f"({_weighted(slopes)}) * {backed}"
        parts[f"paid_{who}"] = ", ".join(f'{k}: "-{part}"' for k, part in paid.items())
    parameters += [f"beta{k}_{name}" for k in (2, 3) for name in DYADIC]
    parameters += [f"kappa{k}_{name}" for k in (2, 3) for name in NATIONAL]
    return CRISES.format(
        covariates="\n".join(covariates),
        parameters="\n".join(
            f"  {n}: {{value: {float(values.get(n, 0)):.17g}, range: [-2, 2], judgement: a start}}"
            for n in parameters
        ),
        **parts,
    )


def published() -> dict[str, float]:
    """The published estimates."""
    table = pd.read_csv(DATA / "estimates.csv", skipinitialspace=True).set_index("parameter")
    return {str(name): float(value) for name, value in table["estimate"].items()}


def _published_shares() -> list[tuple[object, Floats]]:
    """Each dyad with its published choices, float64 [actor, state, action]."""
    values = pd.read_csv(DATA / "equilibrium_values.csv").set_index("dyad")
    shares = values.to_numpy().reshape(len(values), 2, 3, 3)
    shares = np.exp(shares - shares.max(axis=3, keepdims=True))
    shares /= shares.sum(axis=3, keepdims=True)
    return list(zip(values.index, shares, strict=True))


def write_choices(folder: Path) -> None:
    """The published equilibria as `choices.csv`: the logits of their action values."""
    lines = ["unit,now,I,J,number"]
    for unit, by_actor in _published_shares():
        for k, by_state in enumerate(by_actor):
            for state, by_action in zip(STATES, by_state, strict=True):
                for action, share in zip(ACTIONS, by_action, strict=True):
                    moves = f"{action}," if k == 0 else f",{action}"
                    lines.append(f"{unit},{state},{moves},{share:.17g}")
    (folder / "choices.csv").write_text("\n".join(lines) + "\n")
