"""Option groups: a frozen dataclass of options that several commands share, as one parameter.

A command that takes a group,

    @with_groups
    def run(source: Source, *, scenario: ScenarioOptions, as_json: Json = False) -> None:

has the fields of `ScenarioOptions` as its options, in the place of that parameter, and is called
with an instance made from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command as Typer is to see it: with the fields of its groups as options."""
    taken = signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in taken.parameters.items()
        if is_dataclass(parameter.annotation)
    }

    @wraps(command)
    def expanded(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        command(**given)

    shown = [
        option
        for name, parameter in taken.parameters.items()
        for option in (
            _options(groups[name])
            if name in groups
            else [parameter.replace(kind=Parameter.KEYWORD_ONLY)]
        )
    ]
    expanded.__signature__ = taken.replace(parameters=shown)  # type: ignore[attr-defined]
    expanded.__annotations__ = {option.name: option.annotation for option in shown}
    return expanded


def _options(group: Any) -> Iterator[Parameter]:
    """The fields of a group as parameters."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        default = Parameter.empty if field.default is MISSING else field.default
        yield Parameter(
            field.name, Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name]
        )
