"""Table 3 in miniature: every cell a training of its own, measured on validation images, kept and compared."""

import time
from dataclasses import replace

import numpy as np
import pytest

from bloodcell_utils import config, experiments, paper
from bloodcell_utils.config import Grid, Tuning
from bloodcell_utils.datasets import splits
from bloodcell_utils.datasets.pbc import labels
from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.experiments import ablation, finetune, records, tasks
from bloodcell_utils.training import fitting

SMALL = Tuning(
    size=32, blocks=1, head=(8,), images_per_class=None, symmetries=1, epochs=1, batch_size=16, learning_rate=3e-4
)
GRID = Grid(images_per_class=(3, 6, 12), blocks=(1,), again=((3, 1),), epochs=2, shown=6)
PROFILE = config.profile("sample", small=SMALL, grid=GRID)
SEEDS = {"seed": 7, "split_seed": 6}
FULL = config.profile("full")

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def split(table):
    return splits.clean(table, seed=6)


@pytest.fixture(scope="module")
def recorded(table):
    """One run, and what every training was given."""
    given, fit = [], fitting.fit

    def watched(model, X, y, *, validation_data, **options):
        given.append((X, np.bincount(y, minlength=8), validation_data[1]))
        return fit(model, X, y, validation_data=validation_data, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splits, "load_index", lambda profile: table)
        patch.setattr(fitting, "fit", watched)
        yield experiments.run("ablation", PROFILE, **SEEDS, progressbar=False), given


def test_the_record_is_measured_on_the_validation_images(recorded, split, tmp_path):
    record, given = recorded
    validation = split[split["subset"] == "validation"]
    assert record.name == "ablation-compactnet.sample" and (record.seed, record.split["seed"]) == (7, 6)
    assert record.predictions["path"].tolist() == validation["path"].tolist()
    assert all((y_val == labels(validation)).all() for _, _, y_val in given)
    for name, measured in record.models.items():
        counts = metrics.confusion_matrix(labels(validation), record.predictions[name])
        np.testing.assert_array_equal(counts, measured["confusion"])
        assert measured["accuracy"] == pytest.approx(max(e["val_accuracy"] for e in measured["history"]), abs=1e-6)
        assert len(measured["history"]) == 2 and measured["settings"]["seed"] == measured["seed"]
        assert measured["trained_s"] > 0 and measured["precision"] and measured["device"]
    assert "CompactNet, pbc weights, 96 px" in record.notes[0]
    assert records.read(record.write(tmp_path)).models == record.models


def test_every_cell_of_the_grid_and_one_twice(recorded, split):
    available = split.loc[split["subset"] == "train", "class"].value_counts()
    cells = [(m["images_per_class"], m["blocks"], m["seed"]) for m in recorded[0].models.values()]
    assert cells == [(3, 1, 7), (6, 1, 7), (12, 1, 7), (3, 1, 8)]
    different = [m["different_images"] for m in recorded[0].models.values()]
    filled = [sum(min(n, there) for there in available) for n, _, _ in cells]
    assert different == filled, "small classes are filled up with copies"


def test_a_small_row_is_trained_as_long_as_a_large_one(recorded):
    shown = [[np.sort(part.rows) for part in parts] for parts, _, _ in recorded[1]]
    assert [[len(part) for part in parts] for parts in shown] == [[48], [48], [48, 48], [48]], "in an epoch"
    assert all(often == 1 for often in np.unique(np.concatenate(shown[2]), return_counts=True)[1])
    assert [model["repeats"] for model in recorded[0].models.values()] == [2, 1, 0.5, 2]
    assert all(len(set(counts)) == 1 for _, counts, _ in recorded[1]), "as many of every class"
    paper_way = replace(PROFILE, grid=replace(PROFILE.grid, shown=None))
    assert [cell["repeats"] for cell in ablation.grid_settings(paper_way)] == [1, 1, 1, 1]
    with pytest.raises(BloodcellError, match="5 images a class .*3, 6, 12"):
        ablation.grid_settings(replace(PROFILE, grid=replace(PROFILE.grid, shown=5)))


def test_a_second_run_trains_nothing_and_leaves_nothing(recorded, table, monkeypatch):
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    monkeypatch.setattr(fitting, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert ablation.run(PROFILE, **SEEDS, progressbar=False).models == recorded[0].models
    assert not list((config.cache_dir() / "training").glob("ablation-*.npz"))


def test_a_record_is_added_to_elsewhere(recorded, table, monkeypatch, tmp_path):
    """With an empty cache: what the record has is kept, and the rest is trained, one cell where the time is over."""
    monkeypatch.setenv("BLOODCELL_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    names, trained, train = list(recorded[0].models), [], ablation.train
    monkeypatch.setattr(ablation, "train", lambda **job: trained.append(job["seed"]) or train(**job))
    known = replace(recorded[0], models={name: recorded[0].models[name] for name in names[:2]})
    how = SEEDS | {"progressbar": False, "known": known}
    record = ablation.run(PROFILE, **how, deadline=time.monotonic())
    assert trained == [7] and set(record.models) == set(names[:3])
    assert record.models[names[0]] == {"measured": record.models[names[0]]["measured"]} | known.models[names[0]]
    assert record.models[names[0]]["measured"]["created"] == known.created
    assert records.unfinished(record) and names[3] in record.notes[-1] and not records.unfinished(recorded[0])
    record = ablation.run(PROFILE, **how | {"known": record})
    assert trained == [7, 8] and list(record.models) == names and not records.unfinished(record)
    assert all(record.predictions[name].equals(recorded[0].predictions[name]) for name in names)
    with pytest.raises(BloodcellError, match="other settings, seeds or images"):
        ablation.run(PROFILE, **how | {"seed": 8})


def test_the_grid_as_rows(recorded):
    rows = ablation.measured(recorded[0])
    assert rows[["images_per_class", "blocks", "seed"]].to_numpy().tolist() == [
        [3, 1, 7],
        [6, 1, 7],
        [12, 1, 7],
        [3, 1, 8],
    ]
    assert ((rows["low"] <= rows["accuracy"]) & (rows["accuracy"] <= rows["high"])).all()
    assert rows["like_best"][rows["right"].idxmax()]


@pytest.mark.parametrize("network", paper.TABLE_3)
def test_the_full_grid_is_the_papers(network):
    cells = [(c["tuning"]["images_per_class"], c["tuning"]["blocks"]) for c in ablation.grid_settings(FULL, network)]
    assert cells[:-1] == [(n, blocks) for n, row in paper.TABLE_3[network].items() for blocks in row]
    assert cells[-1] in cells[:-1] and ablation.grid_settings(FULL, network)[-1]["seed"] != config.SEED
    assert all(c["tuning"]["epochs"] == 100 and c["repeats"] == 1 for c in ablation.grid_settings(FULL, network))


def test_a_network_that_the_paper_has_no_grid_of():
    with pytest.raises(BloodcellError, match="Table 3 .* not CompactNet"):
        ablation.grid_settings(FULL, "compactnet")


def test_the_largest_row_begins_with_the_others(split):
    """Rows share their activations: the first images of each class, in one order for all sizes."""
    y = labels(split)
    largest, (versions,) = finetune.training_rows(split, 9, 1, seed=7)
    for n in (1, 4, 9):
        sources, (own,) = finetune.training_rows(split, n, 1, seed=7)
        first = np.arange(len(largest)) % 9 < n
        np.testing.assert_array_equal(sources, largest[first])
        np.testing.assert_array_equal(own, versions[first])
        assert np.bincount(y[sources]).tolist() == [n] * 8


def test_a_worker_with_other_images_says_so(recorded, table, monkeypatch):
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    (cell, *_) = ablation.grid_settings(PROFILE, seed=7)
    with pytest.raises(BloodcellError, match="not those that the grid was asked for"):
        ablation.train(profile="sample", backbone="vgg16", split=6, data="others", **cell)


def test_the_scheduler_is_handed_on(monkeypatch, table):
    asked = []
    monkeypatch.setattr(splits, "load_index", lambda profile: table)
    monkeypatch.setattr(tasks, "run", lambda *_, scheduler, **__: asked.append(scheduler) or [])
    with pytest.raises(ValueError, match="zip"):
        ablation.run(PROFILE, scheduler="tcp://127.0.0.1:1", progressbar=False)
    assert asked == ["tcp://127.0.0.1:1"]


def test_what_the_papers_table_can_tell_apart():
    rows = ablation.printed("vgg16").set_index(["images_per_class", "blocks"])
    assert (rows["n"] == 4096).all() and len(rows) == 12
    assert (100 * rows["accuracy"] - [92, 93.7, 93.5, 93, 95, 95, 93.2, 95, 95.5, 94.5, 95, 95.4]).abs().max() < 0.02
    alike = rows.index[rows["like_best"]].tolist()
    assert alike == [(1024, 2), (1024, 4), (2048, 2), (2048, 4), (4096, 2), (4096, 4)]
    best, chosen = rows.loc[(2048, 4)], rows.loc[(4096, 4)]
    assert metrics.two_proportions(best["right"], 4096, chosen["right"], other_n=4096) == pytest.approx(0.83, abs=0.01)


def test_the_best_of_equals_looks_better_the_more_there_are():
    means = [np.mean(ablation.best_by_luck(cells, 4096, 0.95)) for cells in (1, 6, 12)]
    assert means[0] == pytest.approx(0.95, abs=1e-3) and means[0] < means[1] < means[2] < 0.96
    spread = np.sqrt(0.95 * 0.05 / 4096)
    assert (means[2] - 0.95) / spread == pytest.approx(1.63, abs=0.05), "the mean of the largest of twelve normals"
