"""What is kept of earlier measurements says when and where it was measured."""

import json
import sys

import measure


def test_on_a_busy_machine_old_seconds_keep_their_own_day_and_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(measure, "TARGET", tmp_path / "memory.json")
    monkeypatch.setattr(measure, "server", lambda: 100)
    for day, busy in enumerate(([], ["--busy"], ["--busy"]), 1):
        took = {"seconds": float(day), "peak_rss_mb": day, "peak_own_mb": day, "processor_seconds": float(day)}
        took |= {"device": f"machine {day}", "created": f"2026-01-0{day}"}
        monkeypatch.setattr(measure, "measure", lambda chapter, profile, took=took: dict(took))
        monkeypatch.setattr(sys, "argv", ["measure.py", *busy, "dataset"])
        measure.main()
    kept = json.loads(measure.TARGET.read_text())["chapters"]["dataset"]
    assert kept["seconds"] == 1 and kept["seconds_of"] == {"device": "machine 1", "created": "2026-01-01"}
    assert kept["peak_rss_mb"] == 3 and kept["device"] == "machine 3" and kept["created"] == "2026-01-03"
