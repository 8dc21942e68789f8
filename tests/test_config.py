"""Profiles and folders: what the environment decides and what it does not."""

from dataclasses import FrozenInstanceError

import pytest

from bloodcell_utils import config
from bloodcell_utils.errors import BloodcellError


def test_the_default_profile_needs_nothing():
    assert config.profile().name == "sample"
    assert config.profile() == config.PROFILES["sample"]
    assert (config.profile().data, config.profile().weights) == ("synthetic", "random")


def test_the_environment_names_the_profile_and_a_caller_overrules_it(monkeypatch):
    monkeypatch.setenv("BLOODCELL_PROFILE", "laptop")
    assert config.profile().name == "laptop"
    assert config.profile("full").name == "full"


@pytest.mark.parametrize("source", ["argument", "environment"])
def test_an_unknown_profile_is_answered_with_those_there_are(source, monkeypatch):
    monkeypatch.setenv("BLOODCELL_PROFILE", "pocket")
    with pytest.raises(BloodcellError, match="'pocket'.*sample, laptop, workstation, full"):
        config.profile("pocket" if source == "argument" else None)


def test_fields_can_be_replaced_and_the_profile_itself_stays():
    assert config.profile("laptop", feature_size=96).feature_size == 96
    assert config.PROFILES["laptop"].feature_size == 144
    with pytest.raises(FrozenInstanceError):
        config.profile().name = "mine"


@pytest.mark.parametrize("name", ["cache", "data", "weights", "results"])
def test_a_variable_moves_a_folder(name, monkeypatch, tmp_path):
    monkeypatch.setenv(f"BLOODCELL_{name.upper()}_DIR", str(tmp_path / "x" / ".." / name))
    assert getattr(config, f"{name}_dir")() == tmp_path.resolve() / name
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(f"BLOODCELL_{name.upper()}_DIR", "~/mine")
    assert getattr(config, f"{name}_dir")() == tmp_path.resolve() / "mine"


def test_data_and_weights_are_kept_in_the_cache_unless_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(tmp_path))
    assert config.data_dir() == tmp_path / "data"
    assert config.weights_dir() == tmp_path / "weights"
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(config.os, "access", lambda *_: False)  # a class shares it, and may only read
    assert config.data_dir() == tmp_path / "data" and config.cache_dir() not in (tmp_path, *tmp_path.parents)
    assert config.weights_dir() == config.cache_dir() / "weights"
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", "")
    assert config.cache_dir().is_absolute() and "bloodcell" in config.cache_dir().parts
