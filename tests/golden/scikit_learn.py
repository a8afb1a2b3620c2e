"""Record what scikit-learn says for class means, a linear discriminant and ridge regression, in scikit_learn.npz.

    pip install scikit-learn==1.9.1
    python tests/golden/scikit_learn.py

Random inputs around the means of four classes of unequal size, double precision. Two tasks of two classes each come one
after the other here; scikit-learn sees all of them at once. Its covariance is the mean over images, as that of SLDA is,
where the priors are the shares of the classes; they have no part in what is predicted here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import sklearn
from sklearn.base import BaseEstimator
from sklearn.covariance import EmpiricalCovariance
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.neighbors import NearestCentroid

FILE = Path(__file__).with_suffix(".npz")
SHRINKAGE, RIDGE, CLASSES = 0.05, 0.7, 4


class Shrunk(BaseEstimator):
    """A covariance that is drawn towards the identity by a fixed share."""

    def fit(self, x: np.ndarray) -> Shrunk:
        covariance = EmpiricalCovariance().fit(x).covariance_
        self.covariance_ = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(covariance))
        return self


def main() -> None:
    rng = np.random.default_rng(5)
    y = np.repeat(np.arange(CLASSES), [20, 14, 17, 9])
    x = rng.normal(rng.normal(0, 0.7, (CLASSES, 6))[y], rng.uniform(0.3, 1.5, 6))
    new = rng.normal(0, 1.2, (200, 6))
    discriminant = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=Shrunk()).fit(x, y)
    equal = discriminant.decision_function(new) - np.log(discriminant.priors_)  # priors of classes are left out
    features = np.maximum(0, rng.normal(size=(len(x), 8)))
    ridge = Ridge(alpha=RIDGE, fit_intercept=False).fit(features, np.eye(CLASSES)[y])
    np.savez_compressed(
        FILE,
        version=sklearn.__version__,
        x=x,
        y=y,
        new=new,
        nearest=NearestCentroid().fit(x, y).predict(new),
        shrinkage=SHRINKAGE,
        coefficients=discriminant.coef_,
        predicted=equal.argmax(1),
        features=features,
        ridge=RIDGE,
        readout=ridge.coef_.T,
    )


if __name__ == "__main__":
    main()
