"""Records to judge: counts on eight classes, named as the experiments name them."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from bloodcell_utils.cells import FOLDERS
from bloodcell_utils.config import SEED, Tuning
from bloodcell_utils.evaluation import metrics
from bloodcell_utils.experiments import records

TRUE = np.repeat(np.arange(8), 50)
EPOCHS = [{"epoch": n, "loss": 1 / n, "accuracy": 0.9, "val_loss": 1 / n, "val_accuracy": 0.9, "seconds": 1.0}
          for n in range(1, 101)]  # fmt: skip
TRAINED = {"tuning": asdict(Tuning()), "history": EPOCHS, "best_epoch": 1}
AS_PRINTED = {  # what a record tells of a setting like the paper's
    "svm": {"features": {"size": None, "crop": 1.0, "number": 4096, "roots": False, "components": None}},
    **dict.fromkeys(("finetune", "balance"), TRAINED),
    "ablation": TRAINED | {"repeats": 1},
}


@pytest.fixture(scope="session")
def make_record():
    """A function from accuracies (a model each, with details) to a record whose predictions have them."""

    def make_record(experiment, profile="laptop", data="pbc", models=None, **fields):
        measured, predictions = {}, {}
        for name, (accuracy, details) in (models or {"vgg16 last block": (0.9, {})}).items():
            wrong = np.arange(len(TRUE)) % 50 >= round(50 * accuracy)  # as many of each class
            predictions[name] = np.where(wrong, (TRUE + 1) % 8, TRUE)
            told = AS_PRINTED.get(experiment, {}) | details
            measured[name] = records.measure(metrics.confusion_matrix(TRUE, predictions[name]), 60.0, **told)
        known = {"name": data, "n_images": 400, "fingerprint": "f"} if isinstance(data, str) else data
        fields = {"created": "2026-01-02T03:04:05+00:00", "device": "a processor", "notes": ["32 px."], **fields}
        table = pd.DataFrame({"path": [f"{i}.jpg" for i in range(len(TRUE))], "true": TRUE, **predictions})
        return records.Record(
            experiment,
            profile,
            measured,
            list(FOLDERS),
            {"name": "clean", "seed": SEED, "train": 11_952, "validation": 2_561, "test": 2_561},
            known,
            predictions=table,
            **fields,
        )

    return make_record
