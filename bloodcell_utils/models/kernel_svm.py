"""The support vector machine of the paper, fast enough for tens of thousands of images.

scikit-learn's `SVC` evaluates its own kernels one pair at a time. Given a function instead, it asks for whole blocks of
the kernel matrix, and scikit-learn's `rbf_kernel` and `polynomial_kernel` compute these as matrix products (BLAS): the
same support vectors, several times faster. For a function `SVC` works out no `gamma`, so it is computed here, as
``gamma="scale"`` does, and bound into the kernel.
"""

from functools import partial

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.svm import SVC
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

from ..errors import BloodcellError

KERNELS = {"rbf": rbf_kernel, "cubic": partial(polynomial_kernel, degree=3, coef0=1)}
BLOCK = 2048  # rows of a kernel matrix computed, or answered, at a time: none of it stands in memory twice


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
    svc_ : sklearn.svm.SVC

    References
    ----------
    C. Cortes, V. Vapnik, Machine Learning 20 (1995) 273-297.
    """

    def __init__(self, kernel="rbf", *, C=10.0, gamma="scale", gamma_factor=1.0):
        self.kernel = kernel
        self.C = C
        self.gamma = gamma
        self.gamma_factor = gamma_factor

    def fit(self, X, y):
        """Fit on features ``X`` (n, d) and labels ``y`` (n,)."""
        if self.kernel not in KERNELS:
            raise BloodcellError(f"There is no kernel {self.kernel!r}; choose one of {', '.join(KERNELS)}.")
        X, y = validate_data(self, X, y, dtype=(np.float64, np.float32))
        variance = float(X.var(dtype=np.float64))
        scale = 1 / (X.shape[1] * variance) if variance else 1.0
        self.gamma_ = (scale if self.gamma == "scale" else self.gamma) * self.gamma_factor
        kernel = partial(_in_blocks, partial(KERNELS[self.kernel], gamma=self.gamma_))
        self.svc_ = SVC(kernel=kernel, C=self.C, cache_size=1000).fit(X, y)
        self.classes_, self.support_ = self.svc_.classes_, self.svc_.support_
        return self

    def predict(self, X):
        """Class of each row of ``X`` (n, d)."""
        return self._by_blocks("predict", X)

    def decision_function(self, X):
        """Votes of the one-against-one classifiers, shape (n, k): larger means more sure (scikit-learn's scale)."""
        return self._by_blocks("decision_function", X)

    def _by_blocks(self, method, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        return np.concatenate([getattr(self.svc_, method)(X[rows]) for rows in gen_batches(len(X), BLOCK)])


def _in_blocks(kernel, X, Z):
    """A kernel matrix in double precision, which `SVC` takes as it is: any other it would copy whole."""
    matrix = np.empty((len(X), len(Z)))
    for rows in gen_batches(len(X), BLOCK):
        matrix[rows] = kernel(X[rows], Z)
    return matrix
