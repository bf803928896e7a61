"""The names of a scenario: rules, clashes, and the scope they make for formulas."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Mapping

from detente.scenario.calendar import Calendar, day
from detente.scenario.diagnostics import Diagnostics
from detente.scenario.formula.types import RESERVED, WORDS, Scope
from detente.scenario.hints import did_you_mean, listing
from detente.scenario.scalar_types import NAME
from detente.scenario.schema import ActionPart, CalendarPart, ParameterPart
from detente.scenario.source import Trail
from detente.scenario.validate import RawScenario
from detente.scenario.values import FOREVER
from detente.text import hidden_in

PLAIN = re.compile(NAME)
WITH_DASHES = re.compile(f"{NAME[:-2]}-]*")

MOVES = frozenset(("draw", "period", "turn", "actor", "action"))
COLUMNS = {
    "state": MOVES,
    "actors": MOVES.union(
        ("outcome", "happened", "holds", "error", "variable", "level", "label", "probability"),
        ("share", "about", "type", "mean", "low", "high"),
    ),
}
"""Names that tables of results have for themselves beside columns for variables or for actors."""


SPELT = "Ä Ae Ö Oe Ü Ue ä ae ö oe ü ue ß ss Æ Ae æ ae Œ Oe œ oe Ø O ø o Ł L ł l Đ D đ d \u0131 i"
LETTERS = str.maketrans(dict(re.findall(r"(\S) (\S+)", SPELT)))
"""How letters are written that do not come apart into one of a to z and a mark."""


def alias(name: str) -> str:
    """What is looked at of another name of an action: not its capitals, nor how it is spaced."""
    return " ".join(name.casefold().split())


def check_names(parts: RawScenario, diagnostics: Diagnostics) -> None:
    """Tell names that break the rules, are reserved, or mean two things in formulas."""
    names = _Names(parts, diagnostics)
    names.in_formulas(parts)
    names.elsewhere(parts)


def legal(name: str, taken: set[str], rule: re.Pattern[str] = PLAIN) -> str:
    """A name that may stand for one that may not, and is not taken; '' where none comes near."""
    plain = unicodedata.normalize("NFKD", name.translate(LETTERS))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    if not plain.isascii():
        return ""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", plain).strip("_")
    if plain[:1].isdigit():
        plain = f"n{plain}"
    if not rule.fullmatch(plain):
        return ""
    while plain in taken or plain in RESERVED or any(plain in names for names in COLUMNS.values()):
        plain += "_"
    return plain


class _Names:
    def __init__(self, parts: RawScenario, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        self.owners: dict[str, str] = {}
        sections = ("actors", "state", "parameters", "chance", "terms", "outcomes", "variants")
        self.taken: set[str] = {key for section in sections for key in getattr(parts, section)}
        for variable in parts.state.values():
            self.taken.update(variable.levels.names if variable else ())
        for actor in parts.actors.values():
            self.taken.update(actor.types if actor else ())
        for actions in parts.actions.values():
            self.taken.update(actions)

    def instead(self, name: str, rule: re.Pattern[str] = PLAIN) -> str:
        """The hint at a name to use instead, or ''. Each is offered once."""
        name = legal(name, self.taken, rule)
        self.taken.add(name)
        return f"write `{name}`" if name else ""

    def in_formulas(self, parts: RawScenario) -> None:
        """Names of actors, variables and parameters, and then of levels and types."""
        sections = (("actors", "an actor"), ("state", "a variable"), ("parameters", "a parameter"))
        for section, kind in sections:
            for key in getattr(parts, section):
                self.owner((section, key), key, kind)
                if key in COLUMNS.get(section, ()):
                    message = f"`{key}` is a column of the tables of results already"
                    hint = self.instead(key)
                    self.diagnostics.key_error((section, key), "reserved-name", message, hint)
        for key, variable in parts.state.items():
            names = variable.levels.names if variable else ()
            for index, level in enumerate(names):
                trail: Trail = ("state", key, "levels", index)
                self.member(trail, level, "level", key)
                if level in names[:index]:
                    self.diagnostics.error(
                        trail, "duplicate-name", f"the level `{level}` is repeated"
                    )
        for key, actor in parts.actors.items():
            for name in actor.types if actor else ():
                self.member(("actors", key, "types", name), name, "type", key)

    def elsewhere(self, parts: RawScenario) -> None:
        """Names that formulas do not use."""
        for section in ("chance", "terms", "outcomes"):
            for key in getattr(parts, section):
                self.rule((section, key), key)
        for actor, actions in parts.actions.items():
            for key in actions:
                self.rule(("actions", actor, key), key)
            self.aliases(actor, actions)
        for key in parts.evidence:
            self.rule(("evidence", key), key, WITH_DASHES)
        for key, payoff in parts.payoffs.items():
            for kind in ("flow", "terminal"):
                for name in filter(None, getattr(payoff, kind) if payoff else ()):
                    self.rule(("payoffs", key, kind, name), name)
        for key, variant in parts.variants.items():
            self.rule(("variants", key), key)
            if key in parts.parameters:  # both are named in `--set`
                message = f"`{key}` is the name of a parameter already"
                self.diagnostics.key_error(("variants", key), "duplicate-name", message)
            for name in variant.options if variant else ():
                self.rule(("variants", key, "options", name), name)
        for key in parts.policies:
            if not key.strip() or "\n" in key:
                message = "a policy's name is one line of text"
                self.diagnostics.key_error(("policies", key), "name", message)
            elif hidden_in(key):
                message = f"the name holds the character {hidden_in(key)}, which nobody would see"
                self.diagnostics.key_error(
                    ("policies", key), "control-character", message, "leave it out"
                )

    def aliases(self, actor: str, actions: Mapping[str, ActionPart | None]) -> None:
        """Other names of an actor's actions: each may stand for one action only."""
        owners = {alias(key): f"is the action `{key}` already" for key in actions}
        for key, part in actions.items():
            for at, name in enumerate(part.also if part else ()):
                if alias(name) in owners:
                    message = f"`{name}` {owners[alias(name)]}"
                    hint = "names that differ only in capitals or spaces are the same here"
                    trail: Trail = ("actions", actor, key, "also", at)
                    self.diagnostics.error(trail, "duplicate-name", message, hint)
                owners.setdefault(alias(name), f"stands for the action `{key}` already")

    def rule(self, trail: Trail, name: str, rule: re.Pattern[str] = PLAIN) -> bool:
        """Whether a name follows the rule for names; told where it does not."""
        if rule.fullmatch(name):
            return True
        dash = ", `_` and `-`" if rule is WITH_DASHES else " and `_`"
        first, others = name[:1] or " ", name[1:]
        strange = next((sign for sign in others if not rule.fullmatch(f"a{sign}")), "")
        if not rule.fullmatch(first):
            reason = (
                f"starts with `{first}`, which is not one of the letters" if name else "is empty"
            )
        else:
            reason = f"holds {'a space' if strange == ' ' else f'`{strange}`'}"
        message = f"`{name}` cannot be a name: it {reason}"
        instead = self.instead(name, rule)
        hint = (
            f"a name starts with a letter, A to Z or a to z, and goes on with these, digits{dash}"
        )
        if instead:
            hint = f"{instead}: {hint}"
        self.diagnostics.key_error(trail, "name", message, hint)
        return False

    def owner(self, trail: Trail, name: str, kind: str) -> None:
        if not self.free(trail, name):
            return
        if name in self.owners:
            message = f"`{name}` is the name of {self.owners[name]} already"
            self.diagnostics.key_error(trail, "duplicate-name", message)
        self.owners.setdefault(name, kind)

    def member(self, trail: Trail, name: str, kind: str, owner: str) -> None:
        """A level or a type: these may be shared, but not with other things in formulas."""
        if self.free(trail, name) and name in self.owners:
            message = f"the {kind} `{name}` of {owner} is also the name of {self.owners[name]}"
            self.diagnostics.key_error(trail, "duplicate-name", message)

    def free(self, trail: Trail, name: str) -> bool:
        if not self.rule(trail, name):
            return False
        if name in RESERVED:
            language = "the language"
            if keyword.iskeyword(name) and name not in WORDS:
                language = "Python, whose parser reads the formulas"
            message = f"`{name}` is a word of {language}, and cannot be a name"
            self.diagnostics.key_error(trail, "reserved-name", message, self.instead(name))
            return False
        return True


def vocabulary(parts: RawScenario, diagnostics: Diagnostics) -> Scope:
    """The names that formulas may use, from what could be read of the file."""
    calendar = parts.single.get("calendar")
    actors = {key: tuple(part.types) if part else None for key, part in parts.actors.items()}
    return Scope(
        variables={key: part.levels.names if part else None for key, part in parts.state.items()},
        actors=actors,
        parameters={
            key: _owner(key, part, actors, parts, diagnostics) if part else ""
            for key, part in parts.parameters.items()
        },
        dated=calendar is None or calendar.period != "round",
        calendar=_calendar(calendar),
        forever=calendar is not None and calendar.horizon == FOREVER,
        partial=bool(parts.lost & {"actors", "state", "parameters"}),
    )


def _calendar(part: CalendarPart | None) -> Calendar | None:
    """The calendar of the file, or None where it is not as it should be."""
    if part is None:
        return None
    if part.period == "round":
        return Calendar("round", None)
    start = day(part.start)
    return Calendar(part.period, start) if start else None


def _owner(
    key: str,
    part: ParameterPart,
    actors: dict[str, tuple[str, ...] | None],
    parts: RawScenario,
    diagnostics: Diagnostics,
) -> str:
    """The actor with whose type a parameter varies, or ''."""
    trail: Trail = ("parameters", key)
    types = set(part.value) - {""}
    if part.of and part.of not in actors:
        if "actors" not in parts.lost:
            hint = did_you_mean(part.of, actors)
            diagnostics.error((*trail, "of"), "unknown-name", f"`{part.of}` is not an actor", hint)
        return ""
    if not types:
        if part.of:
            diagnostics.error(
                (*trail, "of"), "type", f"`{key}` has one value, so it is of no actor"
            )
        return ""
    if part.of and actors[part.of] == ():
        diagnostics.error((*trail, "of"), "type", f"`{part.of}` has no types")
        return ""
    if part.of:
        return part.of
    fitting = [actor for actor, names in actors.items() if set(names or ()) == types]
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        hint = f"write `of: {fitting[0]}`"
        message = f"the types of `{key}` are those of {listing(fitting)}"
        diagnostics.error((*trail, "value"), "type", message, hint)
        return ""
    near = [actor for actor, names in actors.items() if types & set(names or ())]
    if len(near) == 1:
        return near[0]  # whose types some of these are: the others will be told
    if None not in actors.values() and "actors" not in parts.lost:
        what = "type" if len(types) == 1 else "types"
        diagnostics.error(
            (*trail, "value"), "type", f"no actor has the {what} {listing(part.value)}"
        )
    return ""
