"""The benchmarks run at a tiny size and say what they compare; no test here holds a time."""

import json
from dataclasses import replace
from functools import cache, partial

import bench
import benchmark_table
import pytest

from bloodcell_utils import config
from bloodcell_utils.models import backbones
from bloodcell_utils.models.runtime import fastest_precision

TINY = {"features": (4,), "decode": (8,), "svm": (24,), "train": (64,), "predict": (8,), "start": (0,)}


@pytest.fixture(scope="module")
def measured():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bench, "SIZES", TINY)
        small = replace(backbones.backbone("vgg16"), input_size=64)
        patch.setitem(backbones.BACKBONES, "vgg16", small)
        patch.setattr(bench, "CompactNet", partial(bench.CompactNet, widths=(8, 8, 8, 8, 8)))
        patch.setattr(bench, "_process", cache(bench._process))  # each program starts once
        return bench.run(config.profile("sample"))


def test_every_step_is_measured_both_ways(measured):
    assert {row["step"] for row in measured["rows"]} == set(TINY)
    for row in measured["rows"]:
        assert row["plain_s"] >= 0 and row["ratio"] >= 0 and row["plain"] != row["fast"]
        assert bench.line(row).startswith(row["step"])
    assert measured["device"] and measured["profile"] == "sample"


def test_both_ways_agree(measured):
    rows = {(row["step"], row["plain"], row["fast"]): row["agreement"] for row in measured["rows"]}
    precision, cosine = rows["features", "model.predict, float32, 64 px", "Keras, in what is fast here"].split(", ")
    assert precision == fastest_precision() and float(cosine.removeprefix("cosine ")) > 0.999
    for kernel in ("rbf", "cubic"):
        assert rows["svm", f"SVC, {kernel}", "KernelSVM"] == "100.00% same answers"
    same = rows["predict", "Keras, model.predict", "bloodcell_utils.predict"]
    assert float(same.split("%")[0]) >= 75


def test_on_the_command_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(bench, "SIZES", {"svm": (24,)})
    file = tmp_path / "benchmark.json"
    for device in "one", "another", "one":
        monkeypatch.setattr(bench, "provenance", lambda device=device: {"device": device, "created": "2026-01-02"})
        assert bench.main(["--json", str(file)]) == 0
    assert "SVC, rbf" in capsys.readouterr().out
    machines = json.loads(file.read_text())
    assert [one["device"] for one in machines] == ["one", "another"], "a machine's new run replaces its old one"
    assert machines[0]["rows"][0]["plain"] == "SVC, rbf"
    lines = list(benchmark_table.table(machines))
    assert lines[0].index("one<br>") < lines[0].index("another<br>")
    assert len(lines) == 4 and all(line.count("|") == 5 for line in lines)
    file.write_text('{"rows": []}')
    assert bench.main(["--json", str(file)]) == 1 and file.read_text() == '{"rows": []}'
    assert "does not hold measurements" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        bench.main(["--only", "svm", "--json", str(file)])
    assert bench.main(["--only", "svm,cooking"]) == 1
    assert "no benchmark 'cooking'; choose of svm" in capsys.readouterr().err


def test_the_command_has_a_help_that_names_every_step(capsys):
    with pytest.raises(SystemExit, match="0"):
        bench.main(["--help"])
    out = capsys.readouterr().out
    assert "make bench PROFILE=laptop" in out and all(f"\n  {name} " in out for name in TINY)
