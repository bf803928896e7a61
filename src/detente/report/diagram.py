"""The state space and the turns of a scenario, drawn.

`ladder` draws a state variable: its levels from the lowest to the highest, where play starts, and
how likely each level is in the end. `turns` draws a period: who moves in which order, what each can
do and which variables that moves, as a grid of actions by variables. Not a graph of states: there
are too many of them to be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from detente.report.numbers import share
from detente.report.svg import element
from detente.scenario.entities import Variable
from detente.scenario.model import Scenario
from detente.scenario.rules import Event

ROW = 19
"""Pixels from one line of text to the next."""

LADDER_WIDTH = 200
TALLEST = 8
"""Levels that a ladder shows one by one."""

MARKS = {"up": "▲", "down": "▼", "both": "◆", "set": "●"}
"""What a move does to a variable: signs that differ in shape."""


def ladder(key: str, variable: Variable, final: Sequence[float]) -> str:
    """A variable's levels as a ladder; `final` is the probability of each level in the end."""
    levels = list(range(variable.size - 1, -1, -1))
    if variable.size > TALLEST:
        step = -(-variable.size // TALLEST)
        levels = [k for k in levels if k % step == 0 or k in (0, variable.size - 1)]
    shown = [variable.label(k) for k in levels]
    left = 20 + 7.4 * max(len(text) for text in shown)
    left = min(left, LADDER_WIDTH - 76)
    scale = LADDER_WIDTH - left - 46
    parts = []
    height = ROW * len(levels) + 6
    for row, (k, label) in enumerate(zip(levels, shown, strict=True)):
        y = 3 + ROW * row
        weight = ' font-weight="700"' if k == variable.start else ""
        if k == variable.start:
            parts.append(f'<path d="M2 {y + 4}l7 5.5l-7 5.5z" class="c2"/>')
        parts.append(f'<text x="14" y="{y + 13.5}"{weight}>{escape(_short(label, left))}</text>')
        part = float(final[k])
        if part > 0:
            width = max(1.0, scale * part)
            parts.append(
                f'<rect x="{left:.1f}" y="{y + 3}" width="{width:.1f}" height="13" class="c1"/>'
                f'<text x="{left + width + 5:.1f}" y="{y + 13.5}" class="muted">'
                f"{share(part)}</text>"
            )
    parts.append(f'<path d="M{left:.1f} 2V{height - 2}" class="line"/>')
    told = ", ".join(f"{variable.label(k)} {share(float(final[k]))}" for k in levels)
    return element(
        key,
        LADDER_WIDTH,
        height,
        "".join(parts),
        title=f"Levels of {variable.key}",
        description=f"Starts at {variable.label(variable.start)}. In the end: {told}.",
    )


def turns(key: str, scenario: Scenario) -> str:
    """A period: turns in their order, actions and events, and the variables that these move."""
    variables = list(scenario.variables.values())
    blocks = _blocks(scenario)
    names = [action.key for _, actions in blocks for action in actions]
    left = 36 + 7.2 * max((len(name) for name in names), default=8)
    left = min(max(left, 120), 220)
    head = 16 + 5.0 * max(len(v.key) for v in variables)
    right = 5.4 * max(len(v.key) for v in variables) * 0.75
    column = 25.0
    width = left + column * len(variables) + right
    parts = []
    for n, variable in enumerate(variables):
        x = left + column * (n + 0.5)
        parts.append(
            f'<text transform="translate({x + 4:.1f} {head - 6:.1f}) rotate(-45)">'
            f"{escape(variable.key)}</text>"
        )
    y = head
    told = []
    for number, (who, actions) in enumerate(blocks, start=1):
        parts.append(
            f'<path d="M0 {y:.1f}H{left + column * len(variables):.1f}" class="line"/>'
            f'<circle cx="11" cy="{y + 13:.1f}" r="9" class="c1"/>'
            f'<text x="11" y="{y + 17:.1f}" text-anchor="middle" class="on">{number}</text>'
            f'<text x="27" y="{y + 17.5:.1f}" font-weight="700">{escape(who)}</text>'
        )
        y += ROW + 7
        sentences = []
        for action in actions:
            moved = _moves(action)
            parts.append(f'<text x="27" y="{y + 13:.1f}">{escape(action.key)}</text>')
            for n, variable in enumerate(variables):
                x = left + column * (n + 0.5)
                mark = moved.get(variable.key)
                if mark is None:
                    parts.append(f'<circle cx="{x:.1f}" cy="{y + 9:.1f}" r="1.2" class="dot"/>')
                    continue
                sign, sure = mark
                shade = "c1" if sure else "c2"
                parts.append(
                    f'<text x="{x:.1f}" y="{y + 13.5:.1f}" text-anchor="middle" '
                    f'class="{shade}">{MARKS[sign]}{"" if sure else "?"}</text>'
                )
            words = {"up": "raises", "down": "lowers", "both": "moves", "set": "sets"}
            told_moves = ", ".join(
                f"{words[sign]} {name}{'' if sure else ' perhaps'}"
                for name, (sign, sure) in moved.items()
            )
            sentences.append(f"{action.key} ({told_moves or 'moves nothing'})")
            y += ROW
        y += 5
        told.append(f"{number}. {who}: {'; '.join(sentences)}")
    return element(
        key,
        round(width, 1),
        round(y, 1),
        "".join(parts),
        title="The turns of a period, and what each action moves",
        description=". ".join(told) + ".",
    )


def _blocks(scenario: Scenario) -> list[tuple[str, list[Event]]]:
    """Who moves at each turn, with what; actions are told at the first turn of their actor."""
    blocks: list[tuple[str, list[Event]]] = []
    told: set[str] = set()
    for turn in scenario.turns:
        if turn.events:
            blocks.append(("Chance", [scenario.events[name] for name in turn.events]))
            continue
        names = " + ".join(scenario.actors[who].name for who in turn.who)
        fresh = [who for who in turn.who if who not in told]
        told.update(fresh)
        again = "" if fresh else " (again)"
        simultaneous = " at once" if len(turn.who) > 1 else ""
        actions = [a for who in fresh for a in scenario.actions.get(who, {}).values()]
        blocks.append((f"{names}{simultaneous}{again}", [*actions]))
    return blocks


def _moves(action: Event) -> dict[str, tuple[str, bool]]:
    """By variable moved: the direction, and whether it is sure."""
    signs: dict[str, set[str]] = {}
    times: dict[str, int] = {}
    for alternative in action.alternatives:
        for change in alternative.changes:
            sign = "set"
            if change.shift:
                sign = "down" if change.formula.text.strip().startswith("-") else "up"
            signs.setdefault(change.variable, set()).add(sign)
            times[change.variable] = times.get(change.variable, 0) + 1
    result = {}
    for name, found in signs.items():
        sign = found.pop() if len(found) == 1 else "both"
        result[name] = sign, times[name] == len(action.alternatives)
    return result


def _short(text: str, room: float) -> str:
    most = int((room - 16) / 7)
    return text if len(text) <= most else text[: most - 1] + "…"
