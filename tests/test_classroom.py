"""The container and the hub: enough memory, pinned versions, no way in by default, and a start that cannot fail."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import memory_table
import pytest
import yaml
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from bloodcell_utils import config

ROOT = Path(__file__).parents[1]
CLASSROOM = ROOT / "classroom"
PAGE = (ROOT / "book" / "instructor" / "classroom.md").read_text("utf-8")
MEASURED = json.loads((ROOT / "book" / "memory.json").read_text("utf-8"))
VALUES = (CLASSROOM / "z2jh-values.yaml").read_text("utf-8")
DOCKERFILE = (CLASSROOM / "Dockerfile").read_text("utf-8")
LOCKED = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements.lock").read_text(), flags=re.M))
HUB = dict(re.findall(r"^([\w.-]+)==([\w.]+)$", (CLASSROOM / "hub.txt").read_text(), flags=re.M))


def megabytes(text):
    """Megabytes from what Kubernetes writes: ``3G``, ``2.5Gi``."""
    number, unit = re.fullmatch(r"([\d.]+)(G|Gi|M|Mi)", text).groups()
    return float(number) * {"G": 1e3, "Gi": 2**30 / 1e6, "M": 1, "Mi": 2**20 / 1e6}[unit]


def test_a_hub_gives_each_student_what_the_chapters_take():
    most = max(chapter["peak_rss_mb"] for chapter in MEASURED["chapters"].values()) + MEASURED["server_rss_mb"]
    memory = yaml.safe_load(VALUES)["singleuser"]["memory"]
    assert most <= megabytes(memory["limit"]) and megabytes(memory["guarantee"]) <= megabytes(memory["limit"])
    assert f"limits.memory {memory['limit']}" in PAGE and memory_table.SMALL_MB == megabytes(memory["limit"])


def test_the_table_names_every_machine_and_both_ends_of_the_time():
    took = {"peak_rss_mb": 1, "seconds": 1, "cache_mb": 1}
    chapters = {
        "dataset": took | {"device": "A, 2 cores", "created": "2026-01-03T09:00"},
        "features_svm": took | {"device": "B, 4 cores", "created": "2026-02-01T09:00"},
    }
    said = "\n".join(memory_table.sample({"chapters": chapters, "server_rss_mb": 1, "profile": "sample"}))
    assert "Measured 2026-01-03 to 2026-02-01, A, 2 cores; B, 4 cores" in said


def test_nobody_comes_in_until_an_authenticator_is_chosen():
    hub = yaml.safe_load(VALUES)["hub"]["config"]
    assert hub == {"JupyterHub": {"authenticator_class": "null"}}  # the chart's own default lets in anybody
    said = "".join(line for line in VALUES.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search("dummy|password|allow_all", said)


def test_versions_are_pinned():
    base, python = re.search(
        r"^FROM (python:(3\.\d+)\.\d+-slim-\w+@sha256:[0-9a-f]{64}) AS base$", DOCKERFILE, re.M
    ).groups()
    assert [line for line in re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) if line != "base"] == [base]
    assert f'"{python}"' in re.search(r"python: (\[.*\])", (ROOT / ".github/workflows/test.yml").read_text())[1]
    lines = [line for line in (CLASSROOM / "hub.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == [f"{name}=={version}" for name, version in HUB.items()] and {"jupyterhub", "nbgitpuller"} < set(HUB)
    assert not set(HUB) & set(LOCKED), "what is locked has its version there"
    assert "--require-hashes" in DOCKERFILE and re.search(r"^USER (?!root)", DOCKERFILE, re.M)
    assert re.search(r"helm upgrade .* --version \d+\.\d+\.\d+ ", VALUES)
    assert f"nbgitpuller=={HUB['nbgitpuller']}" in PAGE


def test_the_image_holds_no_solutions():
    *_, last = DOCKERFILE.split("\nFROM ")
    copied = re.findall(r"^COPY (?:--\S+ )*(\S+)", last, re.M)
    assert {name.split("/")[0] for name in copied if not name.startswith("/srv/")} == {"classroom"}
    assert [name for name in copied if name.startswith("/srv/")] == ["/srv/wheels", "/srv/student"]
    assert "editions.py student --output /srv/student" in DOCKERFILE


def test_idle_kernels_end_before_their_server():
    culling = json.loads((CLASSROOM / "jupyter_server_config.json").read_text())["MappingKernelManager"]
    assert set(culling) <= set(AsyncMappingKernelManager.class_trait_names())
    assert 0 < culling["cull_idle_timeout"] < yaml.safe_load(VALUES)["cull"]["timeout"]
    assert culling["cull_connected"] and not culling["cull_busy"], "an open tab is no work, a training is"


@pytest.fixture
def start(tmp_path):
    """Start a student's server, as the hook does, with a gitpuller that does what it is told."""
    if os.name == "nt" or not shutil.which("timeout"):
        pytest.skip("the hook is for the image, which is a Linux")
    (copy := tmp_path / "image").mkdir()
    (copy / "a.ipynb").write_text("of the image")
    (home := tmp_path / "home").mkdir()
    command = yaml.safe_load(VALUES)["singleuser"]["lifecycleHooks"]["postStart"]["exec"]["command"]
    script, rescue = command[-1].split(" || ")
    assert rescue == "true", "without it a fault in the image would end the server"

    def run(gitpuller="", *, asked="", patience="5", home=home):
        (programs := tmp_path / "bin").mkdir(exist_ok=True)
        (programs / "gitpuller").write_text(f"#!/bin/sh\n{gitpuller}\n")
        (programs / "gitpuller").chmod(0o755)
        path = os.pathsep.join([str(programs), str(CLASSROOM), os.environ["PATH"]])
        variables = {"HOME": str(home), "PATH": path, "COURSE_COPY": str(copy), "PATIENCE": patience}
        hook = [*command[:-1], f"{script} {asked}"]  # alone: behind its rescue nothing fails
        assert subprocess.run(hook, env=variables, timeout=20).returncode == 0, "else the server does not start"
        return home / ("blood-cells" if (home / "blood-cells").exists() else "blood-cells-offline")

    return run


def test_a_server_starts_with_the_copy_of_the_image(start):
    notebook = start() / "a.ipynb"
    assert notebook.parent.name != "blood-cells", "there nbgitpuller makes a folder, by the link, or never"
    assert notebook.read_text() == "of the image"
    notebook.write_text("my own work")
    start()
    assert notebook.read_text() == "my own work"


@pytest.mark.parametrize(
    "gitpuller", ["exit 1", "sleep 60", 'mkdir -p "$3/.git"; exit 128', 'mkdir -p "$3/.git"; sleep 60']
)
def test_a_repository_that_does_not_answer_costs_a_student_nothing(start, gitpuller):
    asked = "https://example.org/blood-cells spring"
    copy = start(gitpuller, asked=asked, patience="0.2")
    (copy / "a.ipynb").write_text("my own work")
    later = start('mkdir "$3" && mkdir "$3/.git" && echo "$1 $2" > "$3/b.ipynb"', asked=asked)
    assert (later / "b.ipynb").read_text().strip() == asked and (copy / "a.ipynb").read_text() == "my own work"


def test_a_repository_that_answers_is_taken_alone(start):
    asked = "https://example.org/blood-cells spring"
    folder = start('mkdir -p "$3/.git"; echo "$1 $2" > "$3/b.ipynb"', asked=asked)
    assert (folder / "b.ipynb").read_text().strip() == asked and not (folder / "a.ipynb").exists()
    start("exit 1", asked=asked)  # later, without a network
    assert sorted(path.name for path in folder.iterdir()) == [".git", "b.ipynb"]


def test_a_home_that_cannot_be_written_does_not_stop_the_server(start, tmp_path):
    start(home=tmp_path / "nowhere" / "ann")


def test_the_link_for_students_opens_a_chapter_of_the_students_edition():
    asked = parse_qs(urlsplit(re.search(r"^https://\S+git-pull\S+$", PAGE, flags=re.M)[0]).query)
    folder, *path = asked["urlpath"][0].removeprefix("lab/tree/").split("/")
    assert asked["branch"] != ["main"] and asked["repo"][0].rsplit("/", 1)[1] == folder
    assert ROOT.joinpath("notebooks", *path).is_file()


def test_real_cells_are_read_from_a_folder_that_students_cannot_change():
    real = yaml.safe_load((CLASSROOM / "z2jh-real-cells.yaml").read_text("utf-8"))["singleuser"]
    (mount,) = real["storage"]["extraVolumeMounts"]
    assert mount["readOnly"] and real["storage"]["extraVolumes"][0]["name"] == mount["name"]
    assert real["extraEnv"] == {"BLOODCELL_PROFILE": "laptop", "BLOODCELL_CACHE_DIR": mount["mountPath"]}
    assert "laptop" in config.PROFILES and f"BLOODCELL_CACHE_DIR={mount['mountPath']} BLOODCELL_PROFILE=laptop" in PAGE
    most = max(chapter["peak_own_mb"] for chapter in MEASURED["laptop"].values()) + MEASURED["server_rss_mb"]
    assert most <= megabytes(real["memory"]["limit"])
