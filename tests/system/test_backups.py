"""A ledger or an edge that is put back to an earlier copy of itself."""

import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stockbeat.demo.report import movements
from stockbeat.demo.site import Site
from tests.support.sites import copy_database, differences, put_back, site, wait_for, wait_for_the_end

pytestmark = pytest.mark.xdist_group("sites")  # whole sites: one at a time

LAST_S = 60.0


def booked(made: Site) -> int:
    return sum(row["kind"] != "opening" for row in movements(made))


@pytest.mark.timeout(240)
def test_a_ledger_from_an_earlier_copy_is_refilled_by_the_edges(tmp_path: Path) -> None:
    ledger, copy = tmp_path / "ledger.db", tmp_path / "backup.db"
    with site(tmp_path, seed=3, last_s=LAST_S) as made:
        wait_for(lambda: booked(made) >= 5, "five movements", 60)
        copy_database(ledger, copy)
        before = booked(made)
        wait_for(lambda: booked(made) >= before + 10, "ten more movements", 60)
        made.cloud.kill()
        put_back(copy, ledger)
        restored = [
            sys.executable,
            "-m",
            "stockbeat",
            "cloud",
            "restored",
            "--config",
            str(tmp_path / "cloud.toml"),
        ]
        subprocess.run(restored, check=True)
        made.start_cloud()
        wait_for_the_end(made, last_s=LAST_S)
        assert differences(made) == []


@pytest.mark.timeout(240)
def test_an_edge_from_an_old_copy_loses_nothing_that_it_newly_says(tmp_path: Path) -> None:
    store, copy = tmp_path / "store-042.db", tmp_path / "backup.db"
    with site(tmp_path, seed=4, last_s=LAST_S) as made:
        wait_for(lambda: booked(made) >= 5, "five movements", 60)
        copy_database(store, copy)
        time.sleep(12)
        made.edge.kill()
        put_back(copy, store)
        again = datetime.now(UTC)
        made.edge.start()
        wait_for(lambda: made.world_ended, "the end of the world", LAST_S + 30)
        time.sleep(10)
        missed = [line for line in differences(made) if line.startswith("not booked") and _when(line) > again]
        kinds = {incident["kind"] for incident in made.get("/api/v1/incidents?site=store-042")["incidents"]}
    said = newest_run(store)
    assert len(said) >= 10
    assert said == taken(tmp_path / "ledger.db", said)
    assert "restored_edge" in kinds
    # What a shelf saw across the copy overlaps what is booked, and is left to a person; doors are not concerned.
    assert [line for line in missed if "supplier" in line or "transit" in line] == []


Said = dict[tuple[str, int], bytes]


def newest_run(store: Path) -> Said:
    """What the agent said since its last start, by run and number."""
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT run, seq, line FROM outbox JOIN runs ON runs.id = run_id WHERE run_id = (SELECT max(id) FROM runs)"
        ).fetchall()
    database.close()
    return {(run, seq): line for run, seq, line in rows}


def taken(ledger: Path, said: Said) -> Said:
    """What of it the ledger has booked."""
    with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT run, seq, line FROM envelopes WHERE state = 'booked'").fetchall()
    database.close()
    return {(run, seq): line for run, seq, line in rows if (run, seq) in said}


def _when(difference: str) -> datetime:
    return datetime.fromisoformat(difference.rsplit(" at ", 1)[1])
