"""What an ensemble of worlds adds to a page, and what is refused."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from detente.report.page import render
from detente.report.world_charts import Strip, changes, spread

import detente
from detente.ensembles.explore.explore import explore
from detente.ensembles.request import RunRequest, new_record
from detente.ensembles.results import Ensemble
from detente.errors import ScenarioError
from detente.report import survives, world_words
from detente.report.data import ReportData, build
from detente.report.worlds import Worlds, check_worlds
from detente.scenario.model import Scenario
from tests.ensembles.runs import solved_here
from tests.ensembles.stand_in import StandInRecord, make
from tests.report.conftest import EVERYTHING
from tests.report.markup import Markup

WISH = "given >= 50 % and sunny <= 60 %"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    """Twelve worlds of the page of everything, two of them with a check of the grid."""
    scenario = detente.loads(EVERYTHING)
    asked = RunRequest(draws=12, beliefs=5, checked=2)
    return solved_here(tmp_path_factory.mktemp("worlds") / "run", new_record(scenario, asked))


@pytest.fixture(scope="module")
def told(found: Ensemble, data: ReportData) -> Worlds:
    seen = explore(found, against=data.scenario.policy, wish=WISH)
    return Worlds(seen, found.record, 0)


@pytest.fixture(scope="module")
def page(data: ReportData, told: Worlds) -> str:
    return render(replace(data, worlds=told))


class OfEverything(StandInRecord):
    """A made-up record whose names are those of the page of everything."""

    def scenario(self) -> Scenario:
        return detente.loads(EVERYTHING)


@pytest.fixture(scope="module")
def made_up() -> Worlds:
    """Worlds whose answers are known: `trust` gives more in all of them, B fares best by luck."""
    n = 200
    rng = np.random.default_rng(5)
    luck, odds = rng.uniform(0, 1, n), rng.uniform(0, 1, n)
    given = np.stack([0.2 + 0.1 * luck, 0.5 + 0.1 * luck], axis=1)
    lost = np.stack([np.zeros(n), luck - 0.7], axis=1)
    lost[:4, 1] = np.nan
    given[:4, 1] = np.nan
    ensemble = make(
        {"given@3": given, "payoff:A=firm": lost},
        {"luck": luck, "odds": odds},
        ("trust", "nothing"),
        now={"given@3": (0.25, 0.55), "payoff:A=firm": (0.0, 0.1)},
    )
    named = {one.name: getattr(ensemble.record, one.name) for one in fields(ensemble.record)}
    ensemble = replace(ensemble, record=OfEverything(**named))
    seen = explore(ensemble, wish="given >= 25 %")
    record = new_record(detente.loads(EVERYTHING), RunRequest(draws=n, beliefs=5))
    return Worlds(replace(seen, record=record), record, 4)


def test_the_sections_are_there_and_the_page_is_sound(page: str) -> None:
    for key in ("survives", "world-decides"):
        assert f'<section id="{key}"' in page
    read = Markup(page)
    twice = {one for one in read.ids if read.ids.count(one) > 1}
    assert twice == set()
    assert {link for link in read.loaded if not link.startswith("#")} == set()
    assert "What survives" in read.text
    assert "12 worlds drawn from the ranges of" in read.text
    assert "All of them were solved." in read.text
    assert "nan" not in read.text.lower().split()


def test_the_same_worlds_give_the_same_bytes(
    page: str, data: ReportData, found: Ensemble, told: Worlds
) -> None:
    again = explore(found, against=data.scenario.policy, wish=WISH)
    assert render(replace(data, worlds=Worlds(again, found.record, told.failed))) == page


def test_without_worlds_nothing_is_added(data: ReportData) -> None:
    assert survives.sections(data) == []
    assert 'id="survives"' not in render(data)


def test_the_record_tells_how_worlds_were_drawn(page: str, found: Ensemble) -> None:
    text = Markup(page[page.index('<section id="record"') : page.index("</main>")]).text
    assert "sobol, seed 0" in text
    assert found.record.sha256 in text
    assert "2 with 9 points" in text
    assert f"numpy {found.record.versions['numpy']}" in text


def test_the_words_are_those_of_the_numbers(data: ReportData, made_up: Worlds) -> None:
    told = made_up
    points = {lead: " ".join(lines) for lead, lines in world_words.survives(data, told)}
    assert (
        "4 worlds were not solved under at least one policy (REFUSED, too large)"
        in (points["The worlds"])
    )
    assert points["Holds in nearly all"] == (
        "Under “nothing” instead of “trust”: something is given, more likely in all worlds "
        "(30 points in the middle one)."
    )
    # At the present values `nothing` is the best for A; only with luck above 0.7 it is so.
    assert (
        "“nothing” is the best for Alphaland (firm) at the present values"
        in (points["Does not survive"])
    )
    assert "Alphaland (firm): “trust” is best in" in points["Who prefers what"]
    assert "“nothing” up to 0.7" in points["What a wrong choice costs"]
    assert "chance of a brighter mood (" in points["What decides it"]
    assert points["What is wished for"].startswith("As wished (given >= 25 %): “nothing” in all")
    assert world_words.brief(data, told)[1] == points["Holds in nearly all"]


def test_where_a_wish_fails_is_told_in_words(data: ReportData, made_up: Worlds) -> None:
    told = made_up
    text = Markup(render(replace(data, worlds=told))).text
    assert "“trust” fails the wish given >= 25" in text
    assert "luck at" in text
    assert "luck: chance of a brighter mood" in text
    assert "The worlds that were not solved" in text


def test_a_run_in_which_nothing_was_solved_has_its_words(data: ReportData) -> None:
    n = 5
    ensemble = make(
        {"given@3": np.full((n, 2), np.nan)}, {"luck": np.linspace(0, 1, n)}, ("", "trust")
    )
    record = new_record(detente.loads(EVERYTHING), RunRequest(draws=n, beliefs=5))
    told = Worlds(replace(explore(ensemble), record=record), record, n)
    (section,) = survives.sections(replace(data, worlds=told))
    assert section.key == "survives"
    assert len(section.blocks) == 1
    assert world_words.brief(data, told)[1] == "None of them could be solved."


def test_one_policy_has_nothing_to_prefer(data: ReportData) -> None:
    luck = np.linspace(0, 1, 50)
    ensemble = make({"given@3": luck[:, None]}, {"luck": luck}, ("trust",))
    record = replace(
        new_record(detente.loads(EVERYTHING), RunRequest(draws=50, beliefs=5)), policies=("trust",)
    )
    told = Worlds(replace(explore(ensemble), record=record), record, 0)
    page = render(replace(data, worlds=told))
    assert "Who prefers what, world by world" not in page
    assert "What happens in these worlds" in page


def test_scales_fit_and_texts_say_what_is_drawn() -> None:
    strip = Strip("A", 0.01, 0.02, 0.03, 0.05, 0.09, float("nan"), "3 %")
    drawn = spread("k", [strip], title="War")
    assert "3 % in the middle, 1 % to 9 % in nine worlds of ten" in drawn
    assert ">10 %<" in drawn
    assert "+20" in changes("k", [replace(strip, p95=0.11)], title="War")


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("A test", {}, "has changed since these worlds were solved"),
        ("", {"values": {"luck": 0.5}}, "--set nothing, not luck=0.5"),
        ("", {"horizon": 2}, "--horizon 3, not 2"),
        ("", {"policies": ("trust",)}, "has the policies `trust` and `nothing`, not `trust`"),
    ],
)
def test_other_worlds_are_refused(
    found: Ensemble, text: str, options: dict[str, object], told: str
) -> None:
    scenario = detente.loads(EVERYTHING.replace(text, "Another test") if text else EVERYTHING)
    if "values" in options:
        scenario = scenario.with_values(options["values"])  # type: ignore[arg-type]
    if "horizon" in options:
        scenario = scenario.with_horizon(2)
    policies = options.get("policies", found.record.policies)
    with pytest.raises(ScenarioError) as caught:
        check_worlds(found.record, scenario, policies)  # type: ignore[arg-type]
    (one,) = caught.value.diagnostics
    assert (one.place.file, one.code) == ("--ensemble", "differs")
    assert told.replace("has the", "have the") in one.message
    assert one.hint


def test_a_wish_needs_worlds_and_has_to_be_sound(found: Ensemble) -> None:
    scenario = detente.loads(EVERYTHING)
    with pytest.raises(ScenarioError, match="a wish is looked for in worlds"):
        build(scenario, wish=WISH)
    with pytest.raises(ScenarioError, match="no outcome or payoff `givn`"):
        build(scenario, ensemble=found, wish="givn >= 1 %")


def test_build_explores_what_it_is_given(found: Ensemble) -> None:
    data = build(
        detente.loads(EVERYTHING), detente.SolveOptions(beliefs=5, threads=1), ensemble=found
    )
    assert data.worlds is not None
    assert data.worlds.record is found.record
    assert data.worlds.exploration.against == "trust"
