"""Each promise of the guard, attacked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from detente.workbench.app import Workbench
from detente.workbench.guard import LARGEST_BODY, LONGEST_ADDRESS, Guard, Rate
from tests.workbench.conftest import CLIENT, HOME, PORT, TOKEN

ASK = {"client": CLIENT, "what": "answer", "setting": {}}
READ = ["/", "/desk/0", "/desk/0/model", f"/desk/0/news?client={CLIENT}", "/page/1"]
READ += ["/static/main.js", "/nowhere"]
WRITE = ["/desk/0/ask", "/desk/0/cancel", "/desk/0/save", "/nowhere"]


@pytest.mark.parametrize("path", READ)
def test_nothing_is_answered_without_the_token(stranger: TestClient, path: str) -> None:
    assert stranger.get(path).status_code == 401
    assert stranger.get(path, headers={"cookie": f"detente-{PORT}=guess"}).status_code == 401
    assert stranger.get(path, headers={"cookie": f"detente={TOKEN}"}).status_code == 401


@pytest.mark.parametrize("path", WRITE)
def test_nothing_is_done_without_the_token(
    stranger: TestClient, bench: Workbench, path: str
) -> None:
    assert stranger.post(path, json=ASK, headers={"origin": HOME}).status_code == 401
    assert not bench.answers.jobs  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "given", ["", "guess", TOKEN[:-1], f"{TOKEN}x", f"{TOKEN}&token={TOKEN}", "%ff", "%00"]
)
def test_a_wrong_token_opens_nothing(stranger: TestClient, given: str) -> None:
    answer = stranger.get(f"/?token={given}")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_the_token_becomes_a_cookie_that_no_script_and_no_other_site_has(
    stranger: TestClient,
) -> None:
    answer = stranger.get(f"/desk/0?v.luck=0.4&token={TOKEN}")
    assert answer.headers["location"] == "/desk/0?v.luck=0.4"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.get("/desk/0").status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "///evil.example/x"])
def test_the_first_address_leads_nowhere_else(stranger: TestClient, path: str) -> None:
    answer = stranger.get(f"{HOME}{path}?token={TOKEN}")
    location = answer.headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.evil.example:{PORT}",
        f"0.0.0.0:{PORT}",
        f"[::1]:{PORT}",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/desk/0", f"/?token={TOKEN}"])
def test_another_host_is_refused(user: TestClient, host: str, path: str) -> None:
    assert user.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"https://127.0.0.1:{PORT}", f"{HOME}/", HOME[:-1]]
)
@pytest.mark.parametrize("path", WRITE)
def test_another_origin_writes_nothing(
    user: TestClient, bench: Workbench, path: str, origin: str
) -> None:
    assert user.post(path, json=ASK, headers={"origin": origin}).status_code == 403
    assert not bench.answers.jobs  # type: ignore[attr-defined]


def test_a_write_without_an_origin_is_refused(user: TestClient) -> None:
    del user.headers["origin"]
    assert user.post("/desk/0/ask", json=ASK).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_can_send_is_refused(user: TestClient, kind: str) -> None:
    answer = user.post("/desk/0/ask", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415


def test_what_is_too_large_is_refused(user: TestClient) -> None:
    large = b" " * (LARGEST_BODY + 1)
    kind = {"content-type": "application/json"}
    assert user.post("/desk/0/ask", content=large, headers=kind).status_code == 413

    def pieces() -> Iterator[bytes]:  # without a length
        for _ in range(20):
            yield b" " * 100_000

    assert user.post("/desk/0/ask", content=pieces(), headers=kind).status_code == 413
    assert user.get(f"/desk/0?x={'x' * LONGEST_ADDRESS}").status_code == 414


def test_so_many_writes_a_second(user: TestClient, guard: Guard) -> None:
    guard.rate = Rate(1.0, 3.0)
    codes = [user.post("/desk/0/cancel", json={"client": CLIENT}).status_code for _ in range(6)]
    assert codes[:3] == [200] * 3
    assert 429 in codes[3:]


def test_a_rate_recovers() -> None:
    rate = Rate(1000.0, 1.0)
    assert rate.take()
    time.sleep(0.01)
    assert rate.take()


@pytest.mark.parametrize("path", [*READ, "/desk/0/ask"])
def test_every_answer_forbids_what_is_not_ours(user: TestClient, path: str) -> None:
    headers = user.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "script-src 'unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "name",
    ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "..\\app.py", "/etc/passwd", "%00", "main.js/.."],
)
def test_no_path_leads_to_another_file(user: TestClient, name: str) -> None:
    assert user.get(f"/static/{name}").status_code == 404


@pytest.mark.parametrize(
    "name",
    [
        "../x.yaml",
        "/tmp/x.yaml",
        "a/b.yaml",
        "a\\b.yaml",
        ".x.yaml",
        "x..yaml",
        "x.py",
        "x.yaml\0",
        "x\n.yaml",
        "",
        "C:x.yaml",
        7,
        None,
    ],
)
def test_nothing_is_saved_in_another_folder(user: TestClient, file: Path, name: object) -> None:
    before = sorted(file.parent.parent.rglob("*"))
    answer = user.post("/desk/0/save", json={"setting": {}, "name": name})
    assert answer.status_code == 422
    assert sorted(file.parent.parent.rglob("*")) == before


def test_nothing_that_is_there_is_replaced(user: TestClient, file: Path) -> None:
    text = file.read_text("utf-8")
    (file.parent / "link.yaml").symlink_to(file.parent / "elsewhere.yaml")
    for name in (file.name, "link.yaml"):
        answer = user.post("/desk/0/save", json={"setting": {}, "name": name})
        assert answer.status_code == 422
    assert file.read_text("utf-8") == text
    assert not (file.parent / "elsewhere.yaml").exists()
