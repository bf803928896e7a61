"""The names of a scenario: rules, clashes, and the scope they make for formulas."""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import Any

from detente.scenario.build.actors import period
from detente.scenario.build.draft import Draft, Spot
from detente.scenario.calendar import Calendar
from detente.scenario.dates import day
from detente.scenario.entities import FOREVER
from detente.scenario.formula.types import RESERVED, WORDS, Scope
from detente.scenario.hints import alias, listing
from detente.scenario.scalar_types import NAME
from detente.text import hidden_in

PLAIN = re.compile(NAME)
WITH_DASHES = re.compile(f"{NAME[:-2]}-]*")

SECTIONS = {
    "actors": "an actor",
    "state": "a variable",
    "parameters": "a parameter",
    "covariates": "a covariate",
}
"""Sections whose names formulas use, and what messages call an entry."""

MOVES = frozenset(("draw", "period", "turn", "actor", "action"))
COLUMNS = {
    "state": MOVES,
    "actors": MOVES.union(
        ("outcome", "happened", "holds", "error", "holds_error", "variable", "level", "label"),
        ("probability", "share", "about", "type", "mean", "median", "low", "high"),
    ),
}
"""Names that tables of results have for themselves beside columns for variables or for actors."""

SPELT = "Ä Ae Ö Oe Ü Ue ä ae ö oe ü ue ß ss Æ Ae æ ae Œ Oe œ oe Ø O ø o Ł L ł l Đ D đ d \u0131 i"
LETTERS = str.maketrans(dict(re.findall(r"(\S) (\S+)", SPELT)))
"""How letters are written that do not come apart into one of a to z and a mark."""


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


def check_names(draft: Draft) -> None:
    """Report names that break the rules, are reserved, or mean two things in formulas."""
    names = _Names(draft)
    names.in_formulas()
    names.elsewhere()


class _Names:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.owners: dict[str, str] = {}
        self.taken: set[str] = {
            name
            for scope in (draft.scope.variables, draft.scope.actors)
            for named in scope.values()
            for name in named or ()
        }
        for section in (*SECTIONS, "chance", "terms", "outcomes", "variants"):
            self.taken.update(draft.raw[section])
        for actions in draft.raw["actions"].values():
            self.taken.update(actions)

    def instead(self, name: str, rule: re.Pattern[str] = PLAIN) -> str:
        """The hint at a name to use instead, or ''. Each is offered once."""
        name = legal(name, self.taken, rule)
        self.taken.add(name)
        return f"write `{name}`" if name else ""

    def in_formulas(self) -> None:
        """Names of actors, variables and parameters, and then of levels and types."""
        draft = self.draft
        for section, what in SECTIONS.items():
            for key in draft.raw[section]:
                spot = draft.spot(section, key)
                if self.free(spot, key):
                    if key in self.owners:
                        message = f"`{key}` is the name of {self.owners[key]} already"
                        spot.key_error("duplicate-name", message)
                    self.owners.setdefault(key, what)
                if key in COLUMNS.get(section, ()):
                    message = f"`{key}` is a column of the tables of results already"
                    spot.key_error("reserved-name", message, self.instead(key))
        for key, levels in draft.scope.variables.items():
            for k, level in enumerate(levels or ()):
                spot = draft.spot("state", key, "levels", k)
                self.member(spot, level, "level", key)
                if levels and level in levels[:k]:
                    spot.error("duplicate-name", f"the level `{level}` is repeated")
        for key, types in draft.scope.actors.items():
            for name in types or ():
                self.member(draft.spot("actors", key, "types", name), name, "type", key)

    def elsewhere(self) -> None:
        """Names that formulas do not use."""
        draft, raw = self.draft, self.draft.raw
        trails: list[tuple[str, ...]] = [
            (s, key) for s in ("chance", "terms", "outcomes", "variants") for key in raw[s]
        ]
        trails += [("actions", actor, key) for actor, own in raw["actions"].items() for key in own]
        trails += [
            ("payoffs", key, kind, name)
            for key, payoff in raw["payoffs"].items()
            for kind in ("flow", "terminal")
            for name in (payoff or {}).get(kind, ())
            if name
        ]
        variants = {key: variant["options"] for key, variant in raw["variants"].items() if variant}
        trails += [("variants", key, "options", name) for key in variants for name in variants[key]]
        for trail in trails:
            self.rule(draft.spot(*trail), trail[-1])
        for key in raw["evidence"]:
            self.rule(draft.spot("evidence", key), key, WITH_DASHES)
        for actor, actions in raw["actions"].items():
            self.aliases(draft.spot("actions", actor), actions)
        for key in raw["variants"].keys() & raw["parameters"].keys():  # both are values to set
            message = f"`{key}` is the name of a parameter already"
            draft.spot("variants", key).key_error("duplicate-name", message)
        for key in raw["policies"]:
            spot, hidden = draft.spot("policies", key), hidden_in(key)
            if not key.strip() or "\n" in key:
                spot.key_error("name", "a policy's name is one line of text")
            elif hidden:
                message = f"the name holds the character {hidden}, which nobody would see"
                spot.key_error("control-character", message, "leave it out")

    def aliases(self, spot: Spot, actions: dict[str, Any]) -> None:
        """Other names of an actor's actions: each may stand for one action only."""
        owners = {alias(key): f"is the action `{key}` already" for key in actions}
        for key, action in actions.items():
            for k, name in enumerate(action.get("also", ()) if action else ()):
                if alias(name) in owners:
                    hint = "names that differ only in capitals or spaces are the same here"
                    message = f"`{name}` {owners[alias(name)]}"
                    (spot / key / "also" / k).error("duplicate-name", message, hint)
                owners.setdefault(alias(name), f"stands for the action `{key}` already")

    def rule(self, spot: Spot, name: str, rule: re.Pattern[str] = PLAIN) -> bool:
        """Whether a name follows the rule for names; reported where it does not."""
        if rule.fullmatch(name):
            return True
        first, others = name[:1] or " ", name[1:]
        strange = next((sign for sign in others if not rule.fullmatch(f"a{sign}")), "")
        reason = f"holds {'a space' if strange == ' ' else f'`{strange}`'}"
        if not rule.fullmatch(first):
            reason = f"starts with `{first}`, which is not one of the letters"
        message = f"`{name}` cannot be a name: it {reason if name else 'is empty'}"
        dash = ", `_` and `-`" if rule is WITH_DASHES else " and `_`"
        how = f"a name starts with a letter, A to Z or a to z, and goes on with these, digits{dash}"
        instead = self.instead(name, rule)
        spot.key_error("name", message, f"{instead}: {how}" if instead else how)
        return False

    def member(self, spot: Spot, name: str, kind: str, owner: str) -> None:
        """A level or a type: these may be shared, but not with other things in formulas."""
        if self.free(spot, name) and name in self.owners:
            message = f"the {kind} `{name}` of {owner} is also the name of {self.owners[name]}"
            spot.key_error("duplicate-name", message)

    def free(self, spot: Spot, name: str) -> bool:
        """Whether a name follows the rule and is no word of the language."""
        if not self.rule(spot, name):
            return False
        if name in RESERVED:
            language = "the language"
            if keyword.iskeyword(name) and name not in WORDS:
                language = "Python, whose parser reads the formulas"
            message = f"`{name}` is a word of {language}, and cannot be a name"
            spot.key_error("reserved-name", message, self.instead(name))
        return name not in RESERVED


def vocabulary(draft: Draft) -> Scope:
    """The names that formulas may use, from what could be read of the file."""
    raw = draft.raw.get("calendar")
    unit, start = None, None
    if raw is not None:
        unit = period(draft.spot("calendar"), raw)
        start = day(raw.get("start", "")) if unit != "round" else None
    dated = unit != "round"
    variables, actors = draft.raw["state"].items(), draft.raw["actors"].items()
    types = {key: None if raw is None else tuple(raw.get("types", ())) for key, raw in actors}
    return Scope(
        variables={key: raw["levels"].names if raw else None for key, raw in variables},
        actors=types,
        parameters={
            key: _owner(draft.spot("parameters", key), parameter, types) if parameter else ""
            for key, parameter in draft.raw["parameters"].items()
        },
        dated=dated,
        calendar=Calendar(unit, start) if unit and (start or not dated) else None,
        forever=raw is not None and raw.get("horizon") == FOREVER,
        partial=bool(draft.lost & set(SECTIONS)),
        covariates=tuple(draft.raw["covariates"]),
    )


def _owner(spot: Spot, raw: dict[str, Any], actors: dict[str, tuple[str, ...] | None]) -> str:
    """The actor with whose type a parameter varies, or ''."""
    key, types = spot.trail[-1], set(raw["value"]) - {""}
    of: str = raw.get("of", "")
    if of and not (spot / "of").known(of, "actors"):
        return ""
    if of and (not types or actors[of] == ()):
        has = f"`{key}` has one value, so it is of no actor" if not types else ""
        (spot / "of").error("type", has or f"`{of}` has no types")
        return ""
    if of or not types:
        return of
    fitting = [actor for actor, names in actors.items() if set(names or ()) == types]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        message = f"the types of `{key}` are those of {listing(fitting)}"
        (spot / "value").error("type", message, f"write `of: {fitting[0]}`")
        return ""
    near = [actor for actor, names in actors.items() if types & set(names or ())]
    if len(near) == 1:
        return near[0]  # whose types some of these are: the others will be reported
    if None not in actors.values() and "actors" not in spot.draft.lost:
        what = "type" if len(types) == 1 else "types"
        (spot / "value").error("type", f"no actor has the {what} {listing(raw['value'])}")
    return ""
