"""The dynamic audience-cost model as files: a scenario, a table of units, and counts.

Crisman-Cox and Gibilisco (2018), American Journal of Political Science 62. Each country's audience
cost is the slope of an indicator, a covariate of the dyad that is 1 for its own country.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[3] / "shared" / "data" / "published" / "dynamic-audience-costs"

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
