"""The folder of a run: whatever happens while it is written, it can be read and resumed."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pandas as pd
import pytest

from detente.ensembles import store
from detente.ensembles.batch import Row, from_line, to_line
from detente.ensembles.results import open_ensemble
from detente.ensembles.row_files import part_number
from detente.errors import ScenarioError
from tests import effort
from tests.ensembles.runs import a_record


def rows(draw: int, value: float = 0.1, status: str = "SOLVED") -> list[Row]:
    """Rows of a world as a worker would give them."""
    common = {"draw": draw, "beliefs": 5, "status": status, "reason": "", "seconds": 0.5}
    numbers = {"set:prior": 1 / 3, "step@1": value + draw, "calm@1": None}
    return [{**common, "policy": policy, **numbers} for policy in ("open", "promise")]


def kept(folder: Path) -> set[int]:
    with store.resume(folder) as found:
        return {draw for draw, _ in found.done}


def parts(folder: Path) -> list[tuple[int, int]]:
    """Numbers of the parts, and how often they were written anew; nothing else is there."""
    return [part_number(path) for path in sorted((folder / "worlds").iterdir())]


def begun(folder: Path, draws: int) -> None:
    with store.create(folder, a_record()) as found:
        for draw in range(draws):
            assert found.append(rows(draw))


def refused(action: object, *arguments: object) -> str:
    with pytest.raises(ScenarioError) as caught:
        action(*arguments)  # type: ignore[operator]
    return str(caught.value)


def test_numbers_come_back_bit_for_bit() -> None:
    numbers = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -0.0, 2.0**-1074 * 3]
    line = to_line([{"draw": 1, "beliefs": 5, "numbers": k, "x": x} for k, x in enumerate(numbers)])
    assert [float.hex(row["x"]) for row in from_line(line)] == [x.hex() for x in numbers]  # type: ignore[arg-type]
    assert from_line(to_line([{"draw": 1, "beliefs": 5, "x": float("nan")}]))[0]["x"] is None


def test_worlds_are_in_the_journal_at_once_and_in_parts_from_time_to_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PART", 3)
    folder = tmp_path / "run"
    with store.create(folder, a_record()) as found:
        for draw in range(8):
            found.append(rows(draw))
            assert (
                open_ensemble(folder).sql("SELECT draw FROM worlds")["draw"].nunique() == draw + 1
            )
        assert not found.append(rows(2, value=9))  # it is there already
    assert parts(folder) == [(0, 0), (1, 0)]
    assert len((folder / "journal.jsonl").read_text().splitlines()) == 2
    table = open_ensemble(folder).sql("SELECT * FROM worlds ORDER BY draw, policy")
    assert list(table["draw"]) == [draw for draw in range(8) for _ in range(2)]
    assert list(table["step@1"]) == [0.1 + draw for draw in range(8) for _ in range(2)]
    assert table["calm@1"].isna().all()
    assert list(table.columns) == list(a_record().columns())


@pytest.mark.parametrize("end", [b"", b'01234567 [{"draw": 3, "bel', b"\0" * 100])
def test_a_torn_journal_costs_the_world_that_was_written(tmp_path: Path, end: bytes) -> None:
    begun(tmp_path / "run", 3)
    journal = tmp_path / "run" / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole + end)
    assert len(open_ensemble(tmp_path / "run").sql("SELECT * FROM worlds")) == 6
    assert kept(tmp_path / "run") == {0, 1, 2}
    assert journal.read_bytes() == whole
    with store.resume(tmp_path / "run") as found:
        found.append(rows(3))
    assert kept(tmp_path / "run") == {0, 1, 2, 3}


def test_a_journal_that_has_become_a_part_is_counted_once(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_record()) as found:
        found.append(rows(0))
        found.append(rows(1))
        before = (folder / "journal.jsonl").read_bytes()
        found.compact()
    # Killed after the part had its name, before the journal was emptied.
    (folder / "journal.jsonl").write_bytes(before)
    (folder / "worlds" / ".part-00001.parquet").write_bytes(b"half of it")
    assert len(open_ensemble(folder).sql("SELECT * FROM worlds")) == 4
    with store.resume(folder) as found:
        assert len(found.done) == 2
        found.append(rows(2))
        found.compact()
    assert len(open_ensemble(folder).sql("SELECT * FROM worlds")) == 6
    assert parts(folder) == [(0, 0), (1, 0)]


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    write = os.write

    def half(descriptor: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[: len(data) // 2])

    with store.create(folder, a_record()) as found:
        found.append(rows(0))
        size = (folder / "journal.jsonl").stat().st_size
        monkeypatch.setattr(os, "write", half)
        with pytest.raises(OSError, match="No space left"):
            found.append(rows(1))
        monkeypatch.undo()
    assert (folder / "journal.jsonl").stat().st_size == size
    assert kept(folder) == {0}


def test_a_part_that_cannot_be_written_leaves_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"

    def fails(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    with store.create(folder, a_record()) as found:
        found.append(rows(0))
        monkeypatch.setattr(Path, "replace", fails)
        with pytest.raises(OSError, match="No space left"):
            found.compact()
        monkeypatch.undo()
        found.append(rows(1))
    assert list((folder / "worlds").iterdir()) == []
    assert kept(folder) == {0, 1}


def test_failed_worlds_are_counted(tmp_path: Path) -> None:
    with store.create(tmp_path / "run", a_record()) as found:
        found.append(rows(0))
        found.append(rows(1, status="INVALID"))
        found.compact()
        found.append(rows(2, status="FAULT"))
        assert found.failed == 2
    with store.resume(tmp_path / "run") as found:
        assert found.failed == 2


def test_worlds_whose_process_died_are_taken_out_to_be_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_record()) as found:
        for draw, status in enumerate(["SOLVED", "CRASHED", "INVALID"]):
            found.append(rows(draw, status=status))
        found.compact()
        found.append(rows(3))
        found.compact()
        for draw, status in enumerate(["CRASHED", "SOLVED"], 4):
            found.append(rows(draw, status=status))
    untouched = sorted((folder / "worlds").iterdir())[1]
    before = untouched.read_bytes()
    assert set(open_ensemble(folder).worlds["draw"]) == {1, 2, 3, 4, 5}
    with store.resume(folder) as found:
        assert {draw for draw, _ in found.done} == {0, 2, 3, 5}
        assert found.failed == 1
        assert found.append(rows(1, value=7))
        assert found.append(rows(4, status="CRASHED"))  # and they may die again
    table = open_ensemble(folder).worlds
    assert list(table["draw"]) == [draw for draw in range(1, 6) for _ in range(2)]
    assert list(table["step@1"])[:2] == [8, 8]
    assert list(table[table["status"] == "CRASHED"]["draw"]) == [4, 4]
    assert list(table.columns) == list(a_record().columns())
    assert untouched.read_bytes() == before
    assert parts(folder) == [(0, 1), (1, 0)]


def test_a_part_that_cannot_be_written_anew_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_record()) as found:
        found.append(rows(1, status="CRASHED"))
        found.compact()
    (part,) = (folder / "worlds").iterdir()
    before = part.read_bytes()

    def fails(part: Path, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "copy_without_crashed", fails)
    assert "cannot be written: No space left on device" in refused(store.resume, folder)
    assert list((folder / "worlds").iterdir()) == [part]
    assert part.read_bytes() == before
    monkeypatch.undo()
    assert kept(folder) == set()


def test_two_runs_do_not_write_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_record()):
        assert "another process is writing this run" in refused(store.resume, folder)
    assert kept(folder) == set()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    manifest = a_record()
    begun(tmp_path / "run", 1)
    assert "hint: resume it with --resume" in refused(store.create, tmp_path / "run", manifest)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    assert "holds something else: letter.txt" in refused(store.create, tmp_path / "other", manifest)
    assert "it is a file" in refused(store.create, tmp_path / "other" / "letter.txt", manifest)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]
    (tmp_path / "empty").mkdir()
    begun(tmp_path / "empty", 1)  # an empty folder will do
    # As will one of a run that was killed before it had begun.
    (tmp_path / "dead" / "worlds").mkdir(parents=True)
    (tmp_path / "dead" / ".lock").touch()
    (tmp_path / "dead" / ".run.json").write_text("{")
    begun(tmp_path / "dead", 1)
    assert kept(tmp_path / "dead") == {0}


def test_what_is_no_run_is_not_opened(tmp_path: Path) -> None:
    assert "there is no such folder" in refused(open_ensemble, tmp_path / "none")
    assert "there is no run in this folder" in refused(store.resume, tmp_path)
    (tmp_path / "run.json").write_text('{"format": 99}')
    assert "not the manifest of a run" in refused(open_ensemble, tmp_path)
    begun(tmp_path / "run", 1)
    (tmp_path / "run" / "worlds" / "part-00000.parquet").write_bytes(b"nothing")
    assert "a part cannot be read" in refused(open_ensemble, tmp_path / "run")
    assert "hint: move it out of the folder" in refused(store.resume, tmp_path / "run")


def test_a_part_that_was_being_written_anew_is_counted_once(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with store.create(folder, a_record()) as found:
        found.append(rows(1))
        found.append(rows(2, status="CRASHED"))
        found.compact()
    (old,) = (folder / "worlds").iterdir()
    content = old.read_bytes()
    assert kept(folder) == {1}
    old.write_bytes(content)  # killed after the new part had its name
    assert parts(folder) == [(0, 0), (0, 1)]
    assert list(open_ensemble(folder).worlds["draw"]) == [1, 1]
    assert kept(folder) == {1}
    assert parts(folder) == [(0, 1)]


# --- bits that are lost ---


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small run: two parts and a journal."""
    folder = tmp_path_factory.mktemp("small") / "run"
    with pytest.MonkeyPatch.context() as patch, store.create(folder, a_record()) as found:
        patch.setattr(store, "PART", 3)
        for draw in range(8):
            found.append(rows(draw))
    return folder


def whole(folder: Path) -> pd.DataFrame:
    return open_ensemble(folder).sql("SELECT * FROM worlds ORDER BY draw, policy")


def test_no_flipped_bit_changes_a_number(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seeded sample over all files, and all of it at the ends, where files say what they are."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # which is not what is tested, and slow
    right = whole(small)
    files = [path.relative_to(small) for path in sorted(small.rglob("*")) if path.is_file()]
    files = [name for name in files if (small / name).stat().st_size]
    assert len(files) == 5
    rng = random.Random(4)
    told = 0
    for name in files:
        content = (small / name).read_bytes()
        bits = 8 * len(content)
        ends = [*range(4), *range(bits - 9, bits)][:: 1 if effort.FULL else 4]
        for bit in [*rng.sample(range(bits), effort.examples(20)), *ends]:
            folder = tmp_path / f"{name.name}-{bit}"
            shutil.copytree(small, folder)
            garbled = bytearray(content)
            garbled[bit // 8] ^= 1 << bit % 8
            (folder / name).write_bytes(garbled)
            if found := store.damage(folder):
                told += 1
                assert [name.as_posix() in one.message for one in found] == [True]
                said = refused(open_ensemble, folder)
                assert name.as_posix() in said
                assert "--resume" in said
            else:
                pd.testing.assert_frame_equal(whole(folder), right, check_exact=True)
            with store.resume(folder) as kept_on:
                for draw in range(8):
                    kept_on.append(rows(draw))
            assert store.damage(folder) == []
            pd.testing.assert_frame_equal(whole(folder), right, check_exact=True)
            shutil.rmtree(folder)
    assert told > (100 if effort.FULL else 20)


def test_a_record_without_a_copy_that_is_whole_is_refused(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(small, folder)
    for name in ("run.json", "run.copy.json"):
        text = (folder / name).read_text("utf-8")
        (folder / name).write_text(text.replace('"seed": 0', '"seed": 1'), "utf-8")
    for action in (open_ensemble, store.resume, store.damage):
        assert "or damaged\n  hint: name another folder for a new run" in refused(action, folder)


def test_a_garbled_line_costs_its_world_alone(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(small, folder)
    journal = folder / "journal.jsonl"
    first, *rest = journal.read_bytes().splitlines(keepends=True)
    for lines in ([b"[]\n", *rest], [first, b"3\n"], [first.replace(b"6.1", b"6.2"), *rest]):
        journal.write_bytes(b"".join(lines))
        assert "journal.jsonl is damaged" in refused(open_ensemble, folder)
        assert len(kept(folder)) == 7
