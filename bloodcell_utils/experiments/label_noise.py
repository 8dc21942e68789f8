"""Labels are opinions: what wrong names do to training and to the measured accuracy, and which names to ask again.

Wrong names are planted: at random, or between neighbours alone, where readers differ. On frozen features a logistic
regression, which averages, and the nearest neighbour, which believes whom it meets, learn from them; so does CompactNet
from nothing. All are tested against the names as they are and against names with as many wrong ones. The features have
never seen a name of a blood cell where the profile borrows VGG-16.
"""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from ..cells import FOLDERS
from ..config import SEED
from ..datasets import audit, wbcatt
from ..datasets.loading import load_images
from ..datasets.pbc import labels
from ..datasets.splits import load_index, load_split
from ..errors import DataError
from ..models.compactnet_input import IMAGE
from ..models.features import closeups, extract
from ..training import fitting
from . import records
from .compact import settings, train_compactnet

RATES = (0.05, 0.10, 0.20)
NEIGHBOURS = {"neutrophil": "ig", "ig": "neutrophil", "monocyte": "lymphocyte", "lymphocyte": "monocyte"}
NETWORKS = (("any", 0.0), ("any", 0.1), ("neighbours", 0.1))  # wrong names that CompactNet learns from
SEEDS, FOLDS, COMPONENTS, SHOWN = 3, 5, 128, 200


def plant(y, rate, noise="any", *, seed=SEED):
    """Exchange some names for wrong ones.

    Parameters
    ----------
    y : numpy.ndarray of int, shape (n,)
    rate : float
        Share of all names that become wrong.
    noise : {"any", "neighbours"}
        Any other class, each as likely; or the other of a pair of `NEIGHBOURS`, and no name of the other classes.
    seed : int

    Returns
    -------
    numpy.ndarray of int, shape (n,)
    """
    rng, y = np.random.default_rng(seed), np.asarray(y)
    near = np.array([FOLDERS.index(NEIGHBOURS.get(folder, folder)) for folder in FOLDERS])
    may = np.flatnonzero(near[y] != y) if noise == "neighbours" else np.arange(len(y))
    rows = rng.choice(may, min(round(rate * len(y)), len(may)), replace=False)
    planted = y.copy()
    other = (y + rng.integers(1, len(FOLDERS), len(y))) % len(FOLDERS)
    planted[rows] = near[y[rows]] if noise == "neighbours" else other[rows]
    return planted


def ask_again(given, probabilities):
    """Names to ask again: the off-diagonal of the confident joint (Northcutt et al. 2021, confident learning).

    Parameters
    ----------
    given : numpy.ndarray of int, shape (n,)
        Names, each class at least once.
    probabilities : numpy.ndarray, shape (n, k)
        Of a model that has not learnt from the name of that image.

    Returns
    -------
    suspects : numpy.ndarray of int
        Rows, the most suspect first.
    other : numpy.ndarray of int, shape (n,)
        The class that speaks against the name.
    """
    rows = np.arange(len(given))
    usual = np.array([probabilities[given == c, c].mean() for c in range(probabilities.shape[1])])
    enough = np.where(probabilities >= usual, probabilities, 0)
    other = np.where(enough.any(axis=1), enough.argmax(axis=1), given)
    lead = probabilities[rows, other] - probabilities[rows, given]
    suspects = np.flatnonzero(other != given)
    return suspects[np.argsort(-lead[suspects], kind="stable")], other


def run(profile, *, seed=SEED, split_seed=SEED, progressbar=True, networks=True):
    """Measure all of it.

    Parameters
    ----------
    profile : config.Profile
        Its ``compact.short`` says how long CompactNet trains.
    seed, split_seed, progressbar
        As for every experiment (`experiments`).
    networks : bool
        Train CompactNet, too: without, it is a matter of minutes.

    Returns
    -------
    records.Record
        Models with ``noise``, ``rate`` and ``right_by_noisy_names``; the first has ``planted`` (how many planted names
        are found), ``suspects`` (real names to ask again), ``contradicting`` and ``attributes`` as well.
    """
    split = load_split(profile, seed=split_seed)
    table, y, fit, test = split.table, split.y, split.rows("train", "validation"), split.rows("test")
    found = records.Collector("label_noise", profile, split, seed=seed, progressbar=progressbar)
    X, prepare = features(table, profile, fit, progressbar=progressbar)
    found.say(f"Features: {X.shape[1]} components ({found.lap():.0f} s).")

    ways = [("any", 0.0, seed)]
    ways += [(noise, rate, seed + i) for noise in ("any", "neighbours") for rate in RATES for i in range(SEEDS)]
    nearest = KNeighborsClassifier(1).fit(X[fit], y[fit]).kneighbors(X[test], return_distance=False)[:, 0]

    def tested(learner, answers, named, noise, rate, own_seed, **details):
        title = f"{learner}, {rate:.0%} wrong{f', {noise}, seed {own_seed}' if rate else ''}"
        by_noisy = int((answers == named[test]).sum())
        how = {"learner": learner, "noise": noise if rate else None, "rate": rate, "noise_seed": own_seed}
        found.add(title, answers, found.lap(), **how, right_by_noisy_names=by_noisy, **details)

    for noise, rate, own_seed in ways:
        named = plant(y, rate, noise, seed=own_seed)
        model = _reader().fit(X[fit], named[fit])
        details = {} if rate else _asked(split, X, seed) | _described(profile, split, X, prepare=prepare, model=model)
        tested("logistic regression", model.predict(X[test]), named, noise, rate, own_seed, **details)
        tested("nearest neighbour", named[fit][nearest], named, noise, rate, own_seed)

    train, held = split.rows("train"), split.rows("validation")
    if networks:
        images = load_images(table, IMAGE, progressbar=progressbar, reduced=True)
        how = {"settings": settings(profile.compact.short, seed), "progressbar": progressbar}
        for noise, rate in NETWORKS:
            named = plant(y, rate, noise, seed=seed)
            model, history = train_compactnet(images, named, train, validation=held, **how)
            answers = fitting.predict(model, np.asarray(images[test])).argmax(axis=1)
            tested("CompactNet", answers, named, noise, rate, seed, **history.details())
    return found.record(f"Frozen {profile.borrowed}, {COMPONENTS} components at most of all its blocks.")


def features(table, profile, fit, *, progressbar=True):
    """Components of the frozen features of all blocks, fitted without any name.

    Parameters
    ----------
    table : pandas.DataFrame
        An index.
    profile : config.Profile
        Its ``borrowed`` says which network.
    fit : numpy.ndarray of int
        Rows that the components are computed from.
    progressbar : bool

    Returns
    -------
    X : numpy.ndarray of float32, shape (len(table), d)
    prepare : callable
        From another index to its components.
    """
    how = {"weights": profile.weights_of(profile.borrowed), "progressbar": progressbar}

    def blocks(table):
        images = closeups(table, profile, profile.borrowed, progressbar=progressbar)
        return np.asarray(extract(images, profile.borrowed, **how)["blocks"])

    views = blocks(table)
    components = min(COMPONENTS, len(fit) // 2, views.shape[1])
    pca = PCA(components, svd_solver="randomized", iterated_power=2, random_state=SEED)
    roots = FunctionTransformer(lambda x: np.sqrt(np.maximum(x, 0)))
    prepared = make_pipeline(roots, StandardScaler(), pca).fit(views[fit])
    # Half-way to equal spreads: the last components are heard, and do not drown the first.
    spread = np.sqrt(pca.explained_variance_ * pca.explained_variance_[0]) ** 0.5
    return prepared.transform(views) / spread, lambda table: prepared.transform(blocks(table)) / spread


def _asked(split, X, seed):
    """Confident learning: does it find planted names, and which of the real ones would it ask again?"""
    y, planted = split.y, []
    for noise in ("any", "neighbours"):
        for rate in RATES[:2]:
            named = plant(y, rate, noise, seed=seed)
            suspects, _ = ask_again(named, _out_of_fold(X, named, seed=seed))
            wrong = named != y
            planted.append({"noise": noise, "rate": rate, "planted": int(wrong.sum()), "asked": len(suspects),
                            "found": int(wrong[suspects].sum())})  # fmt: skip
    p = _out_of_fold(X, y, seed=seed)
    suspects, other = ask_again(y, p)
    rows = [{"path": split.table["path"].iloc[i], "subset": split.table["subset"].iloc[i], "given": FOLDERS[y[i]],
             "other": FOLDERS[other[i]], "p_given": round(float(p[i, y[i]]), 4),
             "p_other": round(float(p[i, other[i]]), 4)} for i in suspects[:SHOWN]]  # fmt: skip
    pairs = np.zeros((len(FOLDERS),) * 2, int)
    np.add.at(pairs, (y[suspects], other[suspects]), 1)
    right = int((p.argmax(axis=1) == y).sum())
    return {"planted": planted, "suspects": rows, "asked_pairs": pairs.tolist(), "out_of_fold_right": right}


def _described(profile, split, X, *, prepare, model):
    """What the model says of a picture with two names, and which attributes of WBCAtt its features hold."""
    said = []
    for group in audit.conflicts(load_index(profile)):
        p = model.predict_proba(prepare(group))[0]
        said.append({"paths": list(group["path"]), "p": {FOLDERS[c]: round(float(p[c]), 4) for c in labels(group)},
                     "answer": FOLDERS[p.argmax()]})  # fmt: skip
    try:
        known = wbcatt.attributes().reindex(split.table["path"])
    except DataError:
        known = None
    return {"contradicting": said, "attributes": [] if known is None else _read_attributes(split, X, known)}


def _read_attributes(split, X, known):
    """How well each attribute is read off the features, beside two readers who look at no picture."""
    there = known.notna().all(axis=1).to_numpy()
    fit, test = (rows[there[rows]] for rows in (split.rows("train", "validation"), split.rows("test")))
    rows = []
    for attribute in wbcatt.ATTRIBUTES:
        value = known[attribute].to_numpy()
        if len(test) == 0 or len(set(value[fit])) < 2:
            continue
        of_class = known.iloc[fit].groupby(split.y[fit])[attribute].agg(lambda values: values.mode()[0])
        answers = _reader().fit(X[fit], value[fit]).predict(X[test])
        by_class = of_class.reindex(split.y[test]).to_numpy()
        right, class_right = answers == value[test], by_class == value[test]
        rows.append({
            "attribute": attribute, "values": len(set(value[fit])), "n": len(test), "right": int(right.sum()),
            "right_by_class": int(class_right.sum()), "right_only": int((right & ~class_right).sum()),
            "class_only": int((class_right & ~right).sum()),
            "most_frequent": int((value[test] == known[attribute].iloc[fit].mode()[0]).sum()),
        })  # fmt: skip
    return rows


def _reader():
    """A logistic regression as every part of the experiment uses it; unfitted."""
    return LogisticRegression(max_iter=300)


def _out_of_fold(X, y, *, seed=SEED):
    """Probabilities of each image from a `_reader` that has not learnt from its name; numpy.ndarray, shape (n, k)."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return cross_val_predict(_reader(), X, y, cv=folds, method="predict_proba")
