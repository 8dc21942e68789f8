"""In what a recorded run differs from the paper's, read from the record; and whether the two are near enough to judge.

A verdict compares like with like. The printed number of a training of a hundred epochs at 224 pixels says nothing about
one of a single epoch at 32: such a measurement is shown beside it, with its setting, and is not judged. Pixels are as a
cell gets them, where the network sees the centre of an image alone. A training that has become flat has had its epochs.
"""

from .. import paper
from ..models import backbones

NEAR = 0.5  # a run is judged if it has at least this share of the paper's pixels a side, epochs and training images
LEAST, LAST, WITHIN = 8, 3, 0.003  # or so many epochs, the last of them so close in validation accuracy


def smaller(record, model):
    """Where a run falls short of the paper's by more than `NEAR` allows.

    Parameters
    ----------
    record : experiments.records.Record
        Of ``svm``, ``finetune``, ``ablation`` or ``balance``.
    model : str
        One of its models.

    Returns
    -------
    str
        For example ``"32 px, 1 epoch"``; empty where the run is near; where the record does not tell, this.
    """
    ours, theirs = _sizes(record, model), _printed_sizes(record, model)
    if None in ours.values():
        return "not recorded"
    seen = ours | {"px": ours["px"] / _how(record.models[model]).get("crop", 1)}
    if flat(record.models[model].get("history", ())):
        seen |= {"epochs": theirs["epochs"]}
    short = [name for name in ours if seen[name] < NEAR * theirs[name]]
    return ", ".join(f"{ours[name]:,} {name.removesuffix('s') if ours[name] == 1 else name}" for name in short)


def flat(history):
    """Whether a training went on until its validation accuracy no longer changed.

    Parameters
    ----------
    history : sequence of dict
        An epoch each, as in a record.

    Returns
    -------
    bool
        True if there are at least `LEAST` epochs, and the last `LAST` differ by no more than `WITHIN`.
    """
    last = [epoch["val_accuracy"] for epoch in history[-LAST:]]
    return len(history) >= LEAST and round(max(last) - min(last), 6) <= WITHIN


def differences(record, model):
    """In what a run differs from the paper's, as far as its record and the paper's text tell.

    Parameters
    ----------
    record, model
        As for `smaller`.

    Returns
    -------
    list of str
        Ours, then the paper's in brackets: ``"64 px (224)"``.
    """
    ours, theirs = _sizes(record, model), _printed_sizes(record, model)
    measured, how = record.models[model], _how(record.models[model])
    if None in ours.values():
        return ["how it was trained is not recorded"]
    sizes = [name for name in ours if name != "training images" and ours[name] != theirs[name]]
    found = [f"{ours[name]:,} {name} ({theirs[name]:,})" for name in sizes]
    if how.get("crop", 1) < 1:
        found.append(f"the central {100 * how['crop']:.0f} % of the image (all of it)")
    found += _images(record, measured, how)
    found += _machine(record, how) if "number" in how else _training(record, measured, how)
    held = "validation" if record.subset == "validation" else "test"
    printed = paper.SPLIT_FINE_TUNING[held]
    if measured["n_test"] != printed:
        found.append(f"{measured['n_test']:,} {held} images ({printed:,})")
    return found


def _how(measured):
    """What the record says of images and training; of a support vector machine, of its features."""
    return measured.get("tuning") or measured.get("features") or {}


def _of(record):
    """Experiment and network of a record."""
    experiment, _, network = record.experiment.partition("-")
    return experiment, network or "vgg16"


def _sizes(record, model):
    """Pixels a side, epochs (of a network that trains) and different training images; None: not recorded."""
    (experiment, network), measured = _of(record), record.models[model]
    how, split = _how(measured), record.split
    images = measured.get("different_images")
    if "training_images" in measured:
        images = sum(measured["training_images"]) - measured.get("copies", 0)
    elif images is None and "train" in split:
        images = split["train"] + (split["validation"] if experiment == "svm" else 0)
    sizes = {"px": backbones.backbone(network).side(how["size"]) if "size" in how else None}
    if experiment != "svm":
        sizes["epochs"] = round(len(measured.get("history") or ()) * measured.get("repeats", 1)) or None
    return sizes | {"training images": images}


def _printed_sizes(record, model):
    (experiment, network), measured = _of(record), record.models[model]
    images = paper.SPLIT_SVM["train"] if experiment == "svm" else paper.SPLIT_FINE_TUNING["train"]
    if experiment == "ablation":
        images = min(images, measured["images_per_class"] * len(paper.TABLE_1))
    side = paper.TABLE_2[network]["input"][0]
    return {"px": side, "epochs": paper.HYPERPARAMETERS["epochs"], "training images": images}


def _images(record, measured, how):
    """The training images: how many, and in how many versions."""
    experiment, _ = _of(record)
    if experiment == "ablation":
        return []
    svm = experiment == "svm"
    wanted = paper.HYPERPARAMETERS["images_per_class_svm" if svm else "images_per_class"]
    asked = f"{wanted:,} a class, filled up with copies"
    if "training_images" in measured:
        counts, copies = measured["training_images"], measured.get("copies", 0)
        if measured.get("arm", "").startswith("balanced by augmentation"):
            return [f"{counts[0]:,} training images a class, {copies:,} of all {sum(counts):,} being copies ({asked})"]
        return [f"{sum(counts) - copies:,} training images ({paper.SPLIT_FINE_TUNING['train']:,})"]
    if how.get("images_per_class") == wanted:
        return []
    n = record.split["train"] + (record.split["validation"] if svm else 0)
    turned = f" in {how['symmetries']} orientations each" if how.get("symmetries", 0) > 1 else ""
    return [f"{n:,} training images{turned}, as many of each class as there are ({asked})"]


def _machine(record, how):
    """What a support vector machine was given."""
    _, network = _of(record)
    found, printed = [], paper.TABLE_2[network]["features"]
    if how["number"] != printed:
        found.append(f"{how['number']:,} features, the last block's ({printed:,})")
    roots = "square roots" if how.get("roots") else ""
    parts = f"{how['components']:,} principal components" if how.get("components") else ""
    prepared = " and ".join(filter(None, (roots, parts)))
    return [*found, f"{prepared} of the features (not mentioned)"] if prepared else found


def _training(record, measured, how):
    """Blocks, head and optimiser of a fine-tuning."""
    experiment, network = _of(record)
    settings, printed = measured.get("settings", {}), paper.HYPERPARAMETERS
    blocks, head = paper.TABLE_3_CHOSEN[network][1], printed["head_units"][network]
    ours = (*(backbones.backbone(network).head if how["head"] is None else how["head"]), head[-1])
    found = []
    if experiment != "ablation" and how["blocks"] != blocks:
        found.append(f"{how['blocks']} block{'s' * (how['blocks'] > 1)} trained ({blocks})")
    if ours != head:
        found.append(f"a head of {_units(ours)} units ({_units(head)})")
    if how.get("head_epochs"):
        found.append(f"the head alone first, for {how['head_epochs']} epochs (not mentioned)")
    rate = settings.get("learning_rate", how["learning_rate"])
    along = ", falling along a cosine" if settings.get("schedule", how["schedule"]) == "cosine" else ""
    if along or rate != printed["learning_rate"]:
        found.append(f"learning rate {rate:g}{along} ({printed['learning_rate']:g})")
    optimizer = settings.get("optimizer", "sgd")
    if optimizer != "sgd":
        found.append(f"the optimiser {optimizer.title()} (equation 6: plain gradient descent)")
    return found


def _units(head):
    return " → ".join(f"{units:,}" for units in head)
