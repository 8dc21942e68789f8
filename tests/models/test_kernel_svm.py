"""The fast SVM is scikit-learn's SVM."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bloodcell_utils.errors import BloodcellError
from bloodcell_utils.models.kernel_svm import BLOCK, KERNELS, KernelSVM

REFERENCE = {"rbf": {"kernel": "rbf"}, "cubic": {"kernel": "poly", "degree": 3, "coef0": 1.0}}


@pytest.fixture(scope="module")
def data():
    X, y = make_classification(400, 12, n_informative=8, n_classes=4, class_sep=0.7, random_state=0)
    return X[:300], y[:300], X[300:], y[300:]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("C", [0.1, 10.0])
def test_predictions_are_scikit_learns(data, kernel, C):
    X, y, X_new, y_new = data
    ours, theirs = KernelSVM(kernel, C=C).fit(X, y), SVC(C=C, **REFERENCE[kernel]).fit(X, y)
    assert (ours.predict(X_new) == theirs.predict(X_new)).mean() >= 0.99
    np.testing.assert_allclose(ours.decision_function(X_new), theirs.decision_function(X_new), atol=0.02)
    assert abs(len(ours.support_) - len(theirs.support_)) <= 2
    assert ours.score(X_new, y_new) > 0.4


@pytest.mark.parametrize(("kernel", "offset"), [("rbf", 0), ("cubic", 0), ("rbf", 1e4)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_offset_of_the_features_takes_nothing_away(data, kernel, offset, dtype):
    """Distances are small differences of large numbers there; powers of 1e4 are beyond scikit-learn's SVM as well."""
    X, y, X_new, y_new = data
    scale = StandardScaler().fit(X)
    X, X_new = ((scale.transform(x) + offset).astype(dtype) for x in (X, X_new))
    ours, theirs = KernelSVM(kernel).fit(X, y), SVC(C=10.0, **REFERENCE[kernel]).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X_new), theirs.predict(X_new))
    np.testing.assert_allclose(ours.decision_function(X_new), theirs.decision_function(X_new), atol=0.02)
    assert ours.score(X_new, y_new) > 0.5, "chance is a quarter"


@pytest.mark.parametrize("kernel", KERNELS)
def test_gamma_as_a_number_and_its_factor(data, kernel):
    X, y, X_new, _ = data
    ours = KernelSVM(kernel, gamma=0.08, gamma_factor=0.25).fit(X, y)
    theirs = SVC(C=10.0, gamma=0.02, **REFERENCE[kernel]).fit(X, y)
    assert ours.gamma_ == pytest.approx(0.02)
    assert (ours.predict(X_new) == theirs.predict(X_new)).mean() >= 0.99
    scale = KernelSVM(kernel).fit(X, y).gamma_
    assert scale == pytest.approx(1 / (X.shape[1] * X.var()), rel=1e-5)


def test_two_classes_give_one_column(data):
    X, y, X_new, _ = data
    model = KernelSVM().fit(X, y > 1)
    assert model.decision_function(X_new).shape == (100,)
    assert model.predict(X_new).dtype == bool and set(model.classes_) == {False, True}


def test_a_large_test_set_is_answered_block_by_block(data):
    X, y, X_new, _ = data
    model = KernelSVM("cubic").fit(X, y)
    many = np.tile(X_new, (25, 1))
    assert BLOCK < len(many) < 2 * BLOCK
    np.testing.assert_array_equal(model.predict(many), np.tile(model.predict(X_new), 25))


def test_labels_may_be_words(data):
    X, y, X_new, _ = data
    words = np.array(["basophil", "ig", "monocyte", "platelet"])
    named, numbered = KernelSVM().fit(X, words[y]), KernelSVM().fit(X, y)
    np.testing.assert_array_equal(named.predict(X_new), words[numbered.predict(X_new)])


def test_it_behaves_like_an_estimator(data):
    X, y, X_new, _ = data
    model = KernelSVM("cubic", C=3.0, gamma_factor=0.5)
    assert model.get_params() == {"kernel": "cubic", "C": 3.0, "gamma": "scale", "gamma_factor": 0.5}
    with pytest.raises(NotFittedError):
        model.predict(X)
    assert model.fit(X, y) is model
    with pytest.raises(NotFittedError):
        clone(model).predict(X)
    before = X.copy()
    np.testing.assert_array_equal(clone(model).fit(X, y).predict(X_new), model.predict(X_new))
    np.testing.assert_array_equal(X, before)
    assert model.n_features_in_ == 12
    assert min(cross_val_score(make_pipeline(StandardScaler(), clone(model)), X, y, cv=3)) > 0.4


def test_what_it_refuses(data):
    X, y, X_new, _ = data
    with pytest.raises(BloodcellError, match="'linear'; choose one of rbf, cubic"):
        KernelSVM("linear").fit(X, y)
    model = KernelSVM().fit(X, y)
    for bad in (X_new[:, :5], X_new[0], np.full_like(X_new, np.nan)):
        with pytest.raises(ValueError):
            model.predict(bad)
    with pytest.raises(ValueError):
        model.fit(X, y[:-1])


def test_features_without_variance_give_the_commonest_answer():
    model = KernelSVM().fit(np.ones((5, 3)), [0, 0, 0, 1, 1])
    assert set(model.predict(np.ones((2, 3)))) <= {0, 1}
