"""A store looked after from the command line: listed, verified, exported, pruned."""

import csv
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mammo_fixtures.scoring import store as store_module
from mammo_fixtures.scoring import store_file
from mammo_fixtures.scoring.store import Store
from mammo_fixtures.scoring.store_care import prune
from mammo_fixtures.scoring.store_command import main
from mammo_fixtures.scoring.tests.comparing import by_hand

ROOT = Path(__file__).parents[3]
DAY = 24 * 3600


def key(number):
    return number.to_bytes(20, "big")


@pytest.fixture
def filled(path, store):
    """Five scores, a file, and a pass that is half done."""
    store.begin("half", chunks=2, cells=10)
    store.claim("half", "a")
    store.keep([(key(number), number / 7) for number in range(5)], pass_name="half")
    store.finish("half", 0)
    store.remember_files([(b"file", b"pixels")])
    return path


def damage(path, number):
    by_hand(path, f"UPDATE scores SET score = 0.75 WHERE key = x'{key(number).hex()}'")


def test_list_says_what_it_holds_and_which_passes_are_open(filled, capsys):
    assert main(["list", str(filled)]) == 0
    said = capsys.readouterr().out
    assert f"store {filled}: schema 2, " in said
    assert "5 scores, 1 files with known pixels\n" in said
    assert ": 10 scores, 5 computed, 0 found, 1 chunks open\n" in said


def test_a_pass_without_leases_is_complete_only_when_its_scores_are_there(filled, store, capsys):
    """Ray's chunks are handed out by Ray: a pass that died at once had been called complete."""
    store.begin("by Ray", chunks=0, cells=10)
    main(["list", str(filled)])
    assert ": 10 scores, 0 computed, 0 found, 10 missing\n" in capsys.readouterr().out
    store.keep([(key(100 + number), 0.5) for number in range(4)], pass_name="by Ray", found=6)
    main(["list", str(filled)])
    assert ": 10 scores, 4 computed, 6 found, complete\n" in capsys.readouterr().out


def test_a_store_is_not_exported_over_itself(filled, capsys):
    assert main(["export", str(filled), f"--to={filled}"]) == 2
    assert "must be another file than the store itself" in capsys.readouterr().err
    assert main(["verify", str(filled)]) == 0


def test_verify_finds_a_flipped_score_and_tells_by_its_status(filled, capsys):
    assert main(["verify", str(filled)]) == 0
    assert capsys.readouterr().out == f"store {filled}: 6 rows are sound\n"
    damage(filled, 3)
    assert main(["verify", str(filled)]) == 1
    assert capsys.readouterr().out == (
        f"store {filled}: 5 rows are sound, 1 damaged; the next run computes those again, and prune deletes them\n"
    )


def test_export_writes_what_is_sound_to_the_last_bit(filled, tmp_path, capsys):
    damage(filled, 3)
    assert main(["export", str(filled), f"--to={tmp_path / 'scores.csv'}"]) == 0
    with (tmp_path / "scores.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["key", "score"]
    assert {bytes.fromhex(k): float(score) for k, score in rows} == {key(n): n / 7 for n in (0, 1, 2, 4)}
    assert capsys.readouterr().out.startswith("4 scores written to ")
    assert main(["export", str(filled), f"--to={tmp_path / 'no' / 'scores.csv'}"]) == 2
    assert "must be a file that can be written, got: No such file or directory" in capsys.readouterr().err


def test_prune_deletes_what_is_damaged_or_was_not_used_and_spares_the_rest(filled, store, capsys, monkeypatch):
    now = [store_module.time.time()]
    monkeypatch.setattr(store_module.time, "time", lambda: now[0])
    now[0] += 10 * DAY
    store.touch([key(1), key(2)])
    store.keep([(key(9), 0.5)])
    damage(filled, 2)
    assert main(["prune", str(filled), "--unused-days=9"]) == 0
    assert capsys.readouterr().out == f"store {filled}: 4 scores deleted, 2 left\n"
    assert store.scores([key(n) for n in range(10)]) == {key(1): 1 / 7, key(9): 0.5}


@pytest.mark.parametrize("days", ["-1", "nan", "x", "inf"])
def test_days_must_be_a_number(filled, days, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["prune", str(filled), f"--unused-days={days}"])
    assert "--unused-days" in capsys.readouterr().err


def test_a_file_that_is_not_there_or_no_store_is_one_line(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "none.sqlite")]) == 2
    assert capsys.readouterr().err == (
        f"store {tmp_path / 'none.sqlite'}: no such file; give one, as in: verify site.sqlite\n"
    )
    assert not (tmp_path / "none.sqlite").exists(), "looking makes no store"
    (tmp_path / "text").write_text("exam_id,side\n" * 100)
    assert main(["list", str(tmp_path / "text")]) == 2
    assert "must be an undamaged score store, got: file is not a database" in capsys.readouterr().err


def test_it_runs_as_a_module_without_torch(filled):
    blocked = "import sys; sys.modules['torch'] = None; import runpy; sys.argv[1:] = ['list', sys.argv[1]]; "
    run = "runpy.run_module('mammo_fixtures.scoring.store', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", blocked + run, str(filled)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "5 scores" in done.stdout


def test_a_run_marks_what_it_uses(tmp_path, run, monkeypatch):
    from mammo_fixtures.scoring.tests.tiny_cohort import in_memory

    run(in_memory(1), {"lowpass": (1.0, 4.0)})
    monkeypatch.setattr(store_module, "today", lambda: 50_000)
    run(in_memory(1), {"lowpass": (4.0,)})
    assert by_hand(run.store, "SELECT COUNT(*) FROM scores WHERE day = 50000") == [(4,)]
    store = Store(run.store)
    store.close()


def test_a_store_in_use_can_be_looked_at_and_is_not_pruned(filled, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(filled, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert [main(["list", str(filled)]), main(["verify", str(filled)])] == [0, 0]
    assert main(["export", str(filled), f"--to={tmp_path / 'scores.csv'}"]) == 0
    capsys.readouterr()
    assert main(["prune", str(filled), "--unused-days=0"]) == 2
    assert capsys.readouterr().err == (
        f"store {filled}: must be free within 0.1 s, but another process holds it, or its disk has no locks; "
        "end that process, or give another file on a local disk with --mammo-store=, or none\n"
    )
    holder.execute("ROLLBACK")
    holder.close()
    assert main(["verify", str(filled)]) == 0


def test_pruning_while_a_pass_runs_costs_time_and_no_score(run):
    from mammo_fixtures.scoring.tests.comparing import same
    from mammo_fixtures.scoring.tests.tiny_cohort import in_memory

    expected, _, _ = run(in_memory(6))
    pruned = []

    def prune_all(cells, computed, found):
        beside = Store(run.store)
        pruned.append(prune(beside, before=store_module.time.time() + 2 * DAY)[0])
        beside.close()

    table, _, _ = run(in_memory(6), progress=prune_all)
    assert pruned[0] > 0
    assert same(table, expected)


def test_a_file_damaged_in_its_structure_is_told_and_exports_nothing(filled, store, tmp_path, capsys):
    store.keep((key(number), number / 7) for number in range(2000))
    store.close()
    content = bytearray(filled.read_bytes())
    (root,) = by_hand(filled, "SELECT rootpage FROM sqlite_master WHERE name = 'scores'")[0]
    content[4096 * (root - 1) : 4096 * root] = bytes(4096)
    filled.write_bytes(content)
    assert main(["verify", str(filled)]) == 1
    said = capsys.readouterr().out
    assert said.endswith(" damaged, and the file itself is; delete it (its scores are computed again)\n")
    assert "got: database disk image is malformed; delete it" in said
    for arguments in (["export", str(filled), f"--to={tmp_path / 'out' / 'scores.csv'}"],
                      ["prune", str(filled), "--unused-days=1"]):  # fmt: skip
        (tmp_path / "out").mkdir(exist_ok=True)
        assert main(arguments) == 2
        assert capsys.readouterr().err.startswith(f"store {filled}: must be an undamaged score store, got: database")
    assert not list((tmp_path / "out").iterdir()), "no half of an export is left"
