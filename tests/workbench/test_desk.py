"""Files that are watched, settings that are read, events that are kept, and routes that answer."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import detente
from detente.errors import ScenarioError
from detente.workbench.app import Workbench
from detente.workbench.channel import KEPT, PAGES, Channel, Channels
from detente.workbench.desk import Desk
from detente.workbench.setting import Setting, read_setting
from detente.workbench.view import groups
from tests.workbench.conftest import CLIENT


def test_a_file_that_breaks_keeps_the_last_good_scenario(file: Path) -> None:
    desk, text = Desk(str(file)), file.read_text("utf-8")
    good = desk.sheet.scenario
    assert not desk.look()
    file.write_text(text.replace("value: 0.3", "value: often"), encoding="utf-8")
    assert desk.look()
    assert desk.sheet.scenario is good
    assert desk.sheet.problems[0].place.line > 1
    file.unlink()
    assert desk.look()
    assert desk.sheet.scenario is good
    file.write_text(text.replace("value: 0.3", "value: 0.35"), encoding="utf-8")
    assert desk.look()
    assert not desk.sheet.problems
    assert (desk.sheet.version, desk.sheet.scenario.parameters["luck"].values) == (2, (0.35,))


def test_a_library_scenario_is_not_watched() -> None:
    assert not Desk("centipede").look()


@pytest.mark.parametrize(
    "data",
    [
        [],
        "x",
        {"other": 1},
        {"values": []},
        {"values": {"luck": "0.3"}},
        {"values": {"luck": True}},
        {"values": {"luck": 10**400}},
        {"values": {"luck": 1e301}},
        {"options": {"order": 1}},
        {"policy": 3},
        {"periods": 0},
        {"periods": 1.5},
        {"beliefs": True},
        {"outcome": "x" * 300},
    ],
)
def test_what_is_no_setting_is_refused(data: object) -> None:
    with pytest.raises(ScenarioError):
        read_setting(data)


def test_the_command_says_the_same() -> None:
    setting = Setting({"luck": 0.1 + 0.2}, {"order": "other"}, "", 4, 9)
    words = setting.command("my file.yaml")
    assert words[:3] == ("detente", "run", "my file.yaml")
    assert words[3:] == (
        *("--set", "order=other", "--set", "luck=0.30000000000000004"),
        *("--policy", "", "--horizon", "4", "--beliefs", "9"),
    )


def test_every_number_of_the_default_scenario_has_a_slider() -> None:
    scenario = detente.load("pyeongchang-2018")
    sliders = [slider for group in groups(scenario) for slider in group.sliders]
    assert [s.name for s in sliders] == [n for p in scenario.parameters.values() for n in p.names()]
    assert all(s.support.text or s.support.links for s in sliders)


def test_a_page_that_was_away_gets_what_it_missed() -> None:
    channel = Channel()
    for k in range(5):
        channel.put({"kind": "answer", "k": k})
    assert [event["k"] for _, event in channel.after(3)[0]] == [3, 4]
    assert channel.after(5) == ([], False)
    for k in range(KEPT):
        channel.put({"kind": "answer", "k": k})
    assert channel.after(1)[1]  # some are lost
    assert channel.after(10_000)[1]  # those of a server before this one


def test_of_progress_the_latest_counts() -> None:
    channel = Channel()
    for k in range(1000):
        channel.put({"kind": "progress", "share": k})
    assert len(channel.after(0)[0]) == 1


def test_who_waits_is_woken() -> None:
    async def wait() -> list[Any]:
        channel = Channel()
        asyncio.get_running_loop().call_later(0.02, channel.put, {"kind": "answer"})
        await channel.wait(0, 30)
        return channel.after(0)[0]

    assert asyncio.run(wait())


def test_pages_that_are_gone_are_forgotten() -> None:
    channels = Channels()
    for k in range(PAGES * 2):
        channels.of(f"0:{k}")
    assert len(channels.all()) == PAGES


def ask(user: TestClient, **more: Any) -> Any:
    return user.post("/desk/0/ask", json={"client": CLIENT, "what": "answer"} | more)


def test_a_newer_question_cancels_that_of_the_same_page(user: TestClient, bench: Workbench) -> None:
    ask(user, setting={"values": {"luck": 0.4}})
    ask(user, setting={"values": {"luck": 0.5}})
    ask(user, client="another-page")
    jobs: Any = bench.answers.jobs  # type: ignore[attr-defined]
    assert [job.setting.values.get("luck") for job in jobs] == [0.5, None]


def test_mistakes_are_all_told_with_hints(user: TestClient) -> None:
    answer = ask(user, setting={"values": {"lock": 0.4}})
    assert answer.status_code == 422
    assert "luck" in answer.json()["diagnostics"][0]["hint"]


def test_news_are_those_of_the_page_alone(user: TestClient, bench: Workbench) -> None:
    ask(user)
    (job,) = bench.answers.jobs  # type: ignore[attr-defined]
    bench.deliver(job, {"kind": "answer", "stage": "exact"})
    mine = user.get(f"/desk/0/news?client={CLIENT}").json()["events"]
    assert [event["kind"] for event in mine] == ["file", "answer"]
    other = user.get("/desk/0/news?client=another-page").json()["events"]
    assert [event["kind"] for event in other] == ["file"]
    elsewhere = user.get(f"/desk/1/news?client={CLIENT}").json()["events"]
    assert [event["kind"] for event in elsewhere] == ["file"]


def test_one_page_cancels_nothing_of_another(user: TestClient, bench: Workbench) -> None:
    number = ask(user).json()["job"]
    user.post("/desk/0/cancel", json={"client": "another-page", "job": number})
    assert len(bench.answers.jobs) == 1  # type: ignore[attr-defined]
    user.post("/desk/0/cancel", json={"client": CLIENT, "job": number})
    assert not bench.answers.jobs  # type: ignore[attr-defined]


def test_hostile_texts_of_a_file_are_harmless(user: TestClient) -> None:
    page = user.get("/desk/0").text
    assert "<script>alert" not in page
    assert "javascript:alert" not in page
    assert page.count("<script") == 2  # the data and the module


def test_a_scenario_is_saved_beside_its_file(user: TestClient, file: Path) -> None:
    setting = {"values": {"luck": 0.4}}
    answer = user.post("/desk/0/save", json={"setting": setting, "name": "mine.yaml"})
    assert answer.status_code == 200
    text = (file.parent / "mine.yaml").read_text("utf-8")
    assert "# the author's own words" in text
    assert detente.loads(text).parameters["luck"].values == (0.4,)


def test_a_report_is_kept_and_cannot_act(user: TestClient, bench: Workbench) -> None:
    ask(user, what="report")
    (job,) = bench.analyses.jobs  # type: ignore[attr-defined]
    bench.deliver(job, {"kind": "page", "name": 'a"\r\nb.html', "page": "<h1>é</h1>"})
    answer = user.get(f"/page/{job.number}")
    assert answer.text == "<h1>é</h1>"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"] == 'inline; filename="a-b.html"'
