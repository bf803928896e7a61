"""Random small scenarios, as Hypothesis strategies: their text in the scenario language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True)
class Shape:
    """How large a random scenario is.

    `types` is the number of types of each informed actor. The first `together` actors move in
    one turn, at the same time; the others in turns of their own.
    """

    actors: int = 2
    informed: int = 1
    types: int = 2
    together: int = 0
    actions: int = 2
    levels: int = 3
    periods: int = 2
    chance: bool = True
    discount: bool = False
    forever: bool = False
    reference: bool = False
    shocks: bool = False


@st.composite
def scenarios(draw: st.DrawFn, shape: Shape, precision: float | None = None) -> str:
    """`random_scenario` from a drawn seed: numbers drawn one by one would mostly be 0."""
    return random_scenario(np.random.default_rng(draw(st.integers(0, 2**32 - 1))), shape, precision)


def random_scenario(rng: np.random.Generator, shape: Shape, precision: float | None = None) -> str:
    """A scenario with random payoffs by type, probabilistic effects and a chance event.

    Actors A0 … move in turn; the first `shape.informed` of them have types. Actions move the
    variable `x` up or down; their costs and the payoffs at the levels of `x` differ by type.
    What goes on forever is discounted, and has no terminal payoffs. With `reference`, reference
    behaviour differs from action to action, and that of the first one by the level of `x`.
    """

    def payoff() -> float:
        return round(rng.uniform(-2, 2), 2)

    def chance() -> float:
        return round(rng.uniform(0.1, 0.9), 2)

    lam = precision if precision is not None else rng.choice([0.5, 1.0, 2.0])
    actors, parameters, actions, payoffs = [], [], [], []
    for i in range(shape.actors):
        actor = f"A{i}"
        types = kinds(i, shape.types) if i < shape.informed else []
        prior = round(rng.uniform(0.1, 0.9), 2)
        priors = [f"{prior}", f"{1 - prior:.6g}"] if shape.types == 2 else simplex(rng, shape.types)
        pairs = ", ".join(f"{name}: {p}" for name, p in zip(types, priors, strict=False))
        told = f"types: {{{pairs}}}, " if types else ""
        delta = rng.choice([0.8, 0.95]) if shape.discount or shape.forever else 1
        actors.append(f"  {actor}: {{{told}precision: {lam}, discount: {delta}}}")

        def number(name: str, types: list[str] = types) -> str:
            values = [f"{kind}: {payoff()}" for kind in types]
            value = f"{{{', '.join(values)}}}" if types else f"{payoff()}"
            parameters.append(f"  {name}: {{value: {value}, judgement: random}}")
            return name

        actions.append(f"  {actor}:")
        for a in range(shape.actions):
            step = rng.choice(["+1", "-1", "+0"])
            p = chance()
            cost = number(f"cost_{i}_{a}")
            effects = f"[{{p: {p}, set: {{x: '{step}'}}}}, {{p: rest}}]"
            usual = ""
            if shape.reference:
                parameters.append(f"  usual_{i}_{a}: {{value: {chance()}, judgement: random}}")
                usual = f", reference: usual_{i}_{a}" + (" * (1 + x)" if a == 0 else "")
            actions.append(f"    a{a}: {{effects: {effects}, cost: {cost}{usual}}}")
        flow = " + ".join(f"{number(f'flow_{i}_{k}')} * (x == {k})" for k in range(1, shape.levels))
        end = "" if shape.forever else f", terminal: {number(f'end_{i}')} * x"
        payoffs.append(f"  {actor}: {{flow: {flow}{end}}}")
    names = [f"A{i}" for i in range(shape.actors)]
    turns = names[shape.together :]
    if shape.together:
        turns.insert(0, f"{{who: [{', '.join(names[: shape.together])}]}}")
    event = ""
    if shape.chance:
        turns.insert(int(rng.integers(0, len(turns) + 1)), "chance")
        p = chance()
        event = f"chance:\n  luck: {{effects: [{{p: {p}, set: {{x: '+1'}}}}, {{p: rest}}]}}\n"
    horizon = "forever" if shape.forever else shape.periods
    start = int(rng.integers(0, shape.levels))
    return "\n".join(
        [
            "title: random",
            f"responses: {'shocks' if shape.shocks else 'mistakes'}",
            f"calendar: {{period: round, horizon: {horizon}}}",
            "actors:",
            *actors,
            "state:",
            f"  x: {{levels: 0..{shape.levels - 1}, start: {start}, edge: cut}}",
            "parameters:",
            *parameters,
            f"turns: [{', '.join(turns)}]",
            "actions:",
            *actions,
            event + "payoffs:",
            *payoffs,
            "outcomes:",
            f"  top: {{when: x == {shape.levels - 1}}}",
            "",
        ]
    )


def kinds(actor: int, count: int) -> list[str]:
    """The names of an actor's types."""
    if count == 2:
        return [f"low{actor}", f"high{actor}"]
    return [f"kind{actor}_{k}" for k in range(count)]


def simplex(rng: np.random.Generator, count: int) -> list[str]:
    """Probabilities inside the simplex, as they are written; the last is what the others leave."""
    shares = [round(float(p), 3) for p in (0.1 + rng.dirichlet(np.ones(count))) / (1 + 0.1 * count)]
    return [f"{p}" for p in shares[:-1]] + [f"{1 - sum(shares[:-1]):.6g}"]
