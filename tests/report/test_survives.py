"""What an ensemble adds to a page, and what is refused."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

import detente
from detente.describe.charts import Strip, Strips
from detente.describe.exploration import sections
from detente.describe.survival import brief, survival
from detente.ensembles.explore.explore import Exploration, explore
from detente.ensembles.request import new_manifest
from detente.ensembles.results import Ensemble
from detente.errors import ScenarioError
from detente.pictures.draw import to_svg
from detente.report.data import ReportData, build
from detente.report.ensemble import check_ensemble
from detente.scenario.model import Scenario
from tests.ensembles.runs import a_request, solved_here
from tests.ensembles.stand_in import StandInManifest, make
from tests.report.conftest import EVERYTHING, render
from tests.report.markup import Markup

REQUIREMENT = "given >= 50 % and sunny <= 60 %"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Ensemble:
    """Twelve draws of the page of everything, two of them with a check of the grid."""
    scenario = detente.loads(EVERYTHING)
    asked = a_request(draws=12)
    return solved_here(tmp_path_factory.mktemp("draws") / "run", new_manifest(scenario, asked))


@pytest.fixture(scope="module")
def explored(found: Ensemble, data: ReportData) -> Exploration:
    return explore(found, against=data.scenario.policy, requirement=REQUIREMENT)


@pytest.fixture(scope="module")
def page(data: ReportData, explored: Exploration) -> str:
    return render(replace(data, exploration=explored))


class OfEverything(StandInManifest):
    """A made-up manifest whose names are those of the page of everything."""

    def scenario(self) -> Scenario:
        return detente.loads(EVERYTHING)


@pytest.fixture(scope="module")
def made_up() -> Exploration:
    """Draws whose answers are known: `trust` gives more in all of them, B fares best by luck."""
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
    named = {one.name: getattr(ensemble.manifest, one.name) for one in fields(ensemble.manifest)}
    ensemble = replace(ensemble, manifest=OfEverything(**named))
    seen = explore(ensemble, requirement="given >= 25 %")
    manifest = new_manifest(detente.loads(EVERYTHING), a_request(draws=n, checked=None))
    return replace(seen, manifest=manifest)


def test_the_sections_are_there_and_the_page_is_sound(page: str) -> None:
    for key in ("survives", "decides"):
        assert f'<section id="{key}"' in page
    read = Markup(page)
    twice = {one for one in read.ids if read.ids.count(one) > 1}
    assert twice == set()
    assert {link for link in read.loaded if not link.startswith("#")} == set()
    assert "What survives" in read.text
    assert "12 draws from the ranges of" in read.text
    assert "All of them were solved." in read.text
    assert "nan" not in read.text.lower().split()


def test_the_same_draws_give_the_same_bytes(page: str, data: ReportData, found: Ensemble) -> None:
    again = explore(found, against=data.scenario.policy, requirement=REQUIREMENT)
    assert render(replace(data, exploration=again)) == page


def test_without_an_ensemble_nothing_is_added(data: ReportData) -> None:
    assert 'id="survives"' not in render(data)


def test_the_record_tells_how_draws_were_drawn(page: str, found: Ensemble) -> None:
    text = Markup(page[page.index('<section id="record"') : page.rindex("</details>")]).text
    assert "sobol, seed 0" in text
    assert found.manifest.sha256 in text
    assert "2 with 9 points" in text
    assert f"numpy {found.manifest.versions['numpy']}" in text


def test_the_words_are_those_of_the_numbers(made_up: Exploration) -> None:
    points = {lead: " ".join(lines) for lead, lines in survival(made_up)}
    assert (
        "4 draws were not solved under at least one policy (REFUSED, too large)"
        in (points["The draws"])
    )
    assert points["Holds in nearly all"] == (
        "Under “nothing” instead of “trust”: something is given, more likely in all draws "
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
    assert points["What is required"].startswith("given >= 25 % is met under “nothing” in all")
    assert brief(made_up)[0] == points["Holds in nearly all"]


def test_where_a_requirement_fails_is_told_in_words(data: ReportData, made_up: Exploration) -> None:
    text = Markup(render(replace(data, exploration=made_up))).text
    assert "“trust” fails the requirement given >= 25" in text
    assert "luck at" in text
    assert "luck: chance of a brighter mood" in text
    assert "Draws that were not solved" in text


def test_a_run_in_which_nothing_was_solved_has_its_words() -> None:
    n = 5
    ensemble = make(
        {"given@3": np.full((n, 2), np.nan)}, {"luck": np.linspace(0, 1, n)}, ("", "trust")
    )
    manifest = new_manifest(detente.loads(EVERYTHING), a_request(draws=n, checked=None))
    explored = replace(explore(ensemble), manifest=manifest)
    (section,) = sections(explored, 8)
    assert section.key == "survives"
    assert brief(explored) == ("Nothing: none of 5 draws could be solved.",)


def test_one_policy_has_nothing_to_prefer(data: ReportData) -> None:
    luck = np.linspace(0, 1, 50)
    ensemble = make({"given@3": luck[:, None]}, {"luck": luck}, ("trust",))
    manifest = replace(
        new_manifest(detente.loads(EVERYTHING), a_request(draws=50, checked=None)),
        policies=("trust",),
    )
    explored = replace(explore(ensemble), manifest=manifest)
    page = render(replace(data, exploration=explored))
    page = page[page.index('id="survives"') : page.index('id="model"')]
    assert "Who prefers which policy" not in page
    assert "What happens" in page


def test_scales_fit_and_texts_say_what_is_drawn() -> None:
    strip = Strip("A", 0.01, 0.02, 0.03, 0.05, 0.09, float("nan"), "3 %")
    drawn = to_svg(Strips("War", (strip,)), "k")
    assert "3 % in the middle, 1 % to 9 % in nine of ten" in drawn
    assert ">10 %<" in drawn
    changes = Strips("War", (strip._replace(p95=0.11),), changes=True)
    assert "+20" in to_svg(changes, "k")


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("A test", {}, "has changed since its draws were solved"),
        ("", {"values": {"luck": 0.5}}, "the changes nothing, not luck=0.5"),
        ("", {"horizon": 2}, "the horizon 3, not 2"),
        ("", {"policies": ("trust",)}, "has the policies `trust` and `nothing`, not `trust`"),
    ],
)
def test_other_draws_are_refused(
    found: Ensemble, text: str, options: dict[str, object], told: str
) -> None:
    scenario = detente.loads(EVERYTHING.replace(text, "Another test") if text else EVERYTHING)
    if "values" in options:
        scenario = scenario.with_values(options["values"])  # type: ignore[arg-type]
    if "horizon" in options:
        scenario = scenario.with_horizon(2)
    policies = options.get("policies", found.manifest.policies)
    with pytest.raises(ScenarioError) as caught:
        check_ensemble(found.manifest, scenario, policies)  # type: ignore[arg-type]
    (one,) = caught.value.diagnostics
    assert (one.place.argument, one.code) == ("ensemble", "differs")
    assert told.replace("has the", "have the") in one.message
    assert one.hint


def test_a_requirement_needs_draws_and_has_to_be_sound(found: Ensemble) -> None:
    scenario = detente.loads(EVERYTHING)
    with pytest.raises(ScenarioError, match="a requirement is one of draws"):
        build(scenario, requirement=REQUIREMENT)
    with pytest.raises(ScenarioError, match="no outcome or payoff `givn`"):
        build(scenario, ensemble=found, requirement="givn >= 1 %")


def test_build_explores_what_it_is_given(found: Ensemble) -> None:
    data = build(
        detente.loads(EVERYTHING), detente.SolveOptions(beliefs=5, threads=1), ensemble=found
    )
    assert data.exploration is not None
    assert data.exploration.manifest is found.manifest
    assert data.exploration.against == "trust"
