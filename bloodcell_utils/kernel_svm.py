"""The support vector machine of the paper, fast enough for tens of thousands of images.

scikit-learn's `SVC` evaluates its kernel one pair at a time. Here the whole kernel matrix is one matrix product
(float32, BLAS) and `SVC` solves the same problem from it: the same support vectors to rounding, in seconds.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

from .errors import BloodcellError

KERNELS = ("rbf", "cubic")


class KernelSVM(ClassifierMixin, BaseEstimator):
    """Support vector classifier with a Gaussian or a cubic kernel, one against one.

    Parameters
    ----------
    kernel : {"rbf", "cubic"}
        ``exp(-gamma |x - z|^2)`` or ``(1 + gamma x.z)^3``.
    C : float
        Price of an image on the wrong side of the margin.
    gamma : float or "scale"
        Inverse width of the kernel; ``"scale"`` is ``1 / (n_features * X.var())``, as in scikit-learn.
    gamma_factor : float
        Multiplies gamma; below 1 for a kernel wider than scikit-learn's default.

    Attributes
    ----------
    classes_ : numpy.ndarray
    support_ : numpy.ndarray of int
        Rows of the training data that are support vectors.
    gamma_ : float

    References
    ----------
    C. Cortes, V. Vapnik, Machine Learning 20 (1995) 273-297.
    """

    def __init__(self, kernel="rbf", C=10.0, gamma="scale", gamma_factor=1.0):
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.gamma_factor = gamma_factor

    def fit(self, X, y):
        """Fit on features ``X`` (n, d) and labels ``y`` (n,)."""
        if self.kernel not in KERNELS:
            raise BloodcellError(f"There is no kernel {self.kernel!r}; choose one of {', '.join(KERNELS)}.")
        X, y = validate_data(self, X, y, dtype=np.float32)
        variance = float(X.var())
        scale = 1 / (X.shape[1] * variance) if variance else 1.0
        self.gamma_ = (scale if self.gamma == "scale" else self.gamma) * self.gamma_factor
        svc = SVC(kernel="precomputed", C=self.C, cache_size=1000).fit(self._gram(X, X), y)
        self.svc_ = svc
        self.classes_ = svc.classes_
        self.support_ = svc.support_
        self.X_ = X
        return self

    def predict(self, X):
        """Class of each row of ``X`` (n, d)."""
        check_is_fitted(self)
        return self._by_rows(X, self.svc_.predict)

    def decision_function(self, X):
        """Votes of the one-against-one classifiers, shape (n, k): larger means more sure (scikit-learn's scale)."""
        check_is_fitted(self)
        return self._by_rows(X, self.svc_.decision_function)

    def _by_rows(self, X, function, block=2048):
        """Apply to blocks of rows, so that the kernel matrix of a large test set never stands in memory whole."""
        X = validate_data(self, X, dtype=np.float32, reset=False)
        # Only the columns of support vectors matter; the others may hold anything.
        support = self.X_[self.support_]
        results = []
        for start in range(0, len(X), block):
            rows = X[start : start + block]
            gram = np.zeros((len(rows), len(self.X_)), np.float32)
            gram[:, self.support_] = self._gram(rows, support)
            results.append(function(gram))
        return np.concatenate(results)

    def _gram(self, A, B):
        gram = A @ B.T
        if self.kernel == "cubic":
            return (1 + np.float32(self.gamma_) * gram) ** 3
        squares = np.einsum("ij,ij->i", A, A)[:, None] + np.einsum("ij,ij->i", B, B)[None, :]
        gram *= -2
        gram += squares
        np.maximum(gram, 0, out=gram)
        gram *= np.float32(-self.gamma_)
        return np.exp(gram, out=gram)
