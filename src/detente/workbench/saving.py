"""A setting written into the scenario's file: the author's comments and order stay as they are.

Only the characters of the values that changed are replaced, where they stand. The result is read
again and has to give the very numbers that were asked for, or nothing is written.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from detente.errors import refuse
from detente.scenario.entities import Parameter
from detente.scenario.loader import loads
from detente.scenario.model import Scenario
from detente.workbench.setting import Setting

Edit = tuple[int, int, str]
"""From one character to another, and what is to stand there."""

FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,99}\.ya?ml")
"""A name in the folder of the scenario: no other folder, nothing hidden."""


def check_name(name: object) -> str:
    """The name of a file to be written. Raises `ScenarioError`."""
    if not isinstance(name, str) or not FILE_NAME.fullmatch(name) or ".." in name:
        hint = "letters, digits, `-`, `_`, spaces and dots, as in `standoff-2.yaml`"
        refuse("name", "wrong-type", "this is no name of a scenario file", hint)
    return name


def saved(scenario: Scenario, setting: Setting, when: datetime) -> str:
    """The text of the file with the setting in it, and with what changed at its head.

    Parameters
    ----------
    scenario
        As it stands in the file.
    setting
        The changes.
    when
        The time that is noted.

    Raises
    ------
    ScenarioError
        For changes that the file has no place for: another form of the model.
    """
    if setting.options:
        message = "another form of the model is not a value of the file"
        refuse("options", "not-here", message, "save with the first option of every variant")
    wanted = setting.applied(scenario)
    root = _compose(scenario.text)
    edits, notes = [], []
    for name, value in wanted.overrides.items():
        key, _, kind = name.partition(".")
        parameter = scenario.parameters[key]
        old = parameter.values[parameter.types.index(kind)] if kind else parameter.values[0]
        if old != value:
            edits.append(_edit(_value(root, parameter, kind), _number(value)))
            notes.append(f"{name}: {_number(old)} -> {_number(value)}")
    if setting.periods is not None and setting.periods != scenario.periods:
        node = _child(_child(root, "calendar"), "horizon")
        if node is None:
            refuse("periods", "not-here", "the file has no `horizon` to be changed")
        edits.append(_edit(node, str(setting.periods)))
        notes.append(f"horizon: {scenario.horizon.text} -> {setting.periods}")
    head = ""
    if setting.policy is not None and setting.policy != scenario.policy:
        node = _child(root, "policy")
        written = f'"{setting.policy}"' if _awkward(setting.policy) else setting.policy
        if node is None:
            head = f"policy: {written}\n"
        elif setting.policy:
            edits.append(_edit(node, written))
        else:  # no terms are in force where no policy is named
            line = scenario.text.rfind("\n", 0, node.start_mark.index) + 1
            edits.append((line, line, "# "))
        notes.append(f"policy: {scenario.policy or 'none'} -> {setting.policy or 'none'}")
    text = scenario.text
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    stamp = f"{when:%Y-%m-%d %H:%M}"
    lines = "".join(f"# {stamp} {note}\n" for note in notes)
    text = f"{lines}{head}{text}"
    _check(loads(text, file=scenario.file), wanted, setting)
    return text


def _check(written: Scenario, wanted: Scenario, setting: Setting) -> None:
    """Refuse a text that does not say what it should."""
    policy = wanted.policy if setting.policy is None else setting.policy
    same = (
        {k: p.values for k, p in written.parameters.items()}
        == {k: p.values for k, p in wanted.parameters.items()}
        and written.policy == policy
        and written.periods == wanted.periods
    )
    if not same:
        message = "these changes cannot be written into the file as it stands"
        refuse("setting", "not-here", message, "copy the command instead")


def _value(root: Node, parameter: Parameter, kind: str) -> Node:
    """Where a parameter's value stands."""
    node = _child(_child(root, "parameters"), parameter.key)
    if isinstance(node, MappingNode):
        inner = _child(node, "value")
        node = inner if inner is not None else node
    if kind and isinstance(node, MappingNode):
        node = _child(node, kind)
    if not isinstance(node, ScalarNode):
        message = f"`{parameter.key}` is not written in the file as one number for each type"
        refuse("values", "not-here", message, "write one number for each type, or copy the command")
    return node


def _child(node: Node | None, key: str) -> Node | None:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name, ScalarNode) and name.value == key:
                return value  # type: ignore[no-any-return]
    return None


def _compose(text: str) -> Any:
    reader = YAML(typ="rt", pure=True)
    return reader.compose(text)


def _edit(node: Node, new: str) -> Edit:
    return node.start_mark.index, node.end_mark.index, new


def _number(value: float) -> str:
    """As short as it is exact."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _awkward(name: str) -> bool:
    """Whether a name needs quotes in YAML."""
    return not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) or name.lower() in {
        "null", "true", "false",
    }  # fmt: skip
