"""Autoencoder."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.random_state import seed_of
from secondlook._shared.threads import requested_threads
from secondlook.detect.neural_detector import NeuralDetector


class Autoencoder(NeuralDetector):
    """Autoencoder: a narrow network cannot reproduce rows that differ from its training rows.

    Fully connected layers with batch normalisation, leaky ReLU and dropout, trained by Adam on
    standardised features until the loss over held-out rows stops improving. The best weights are
    kept. The learning rate is halved whenever that loss stagnates for half of `patience`. Ctrl-C
    ends the training and keeps the best model so far.

    The score is minus the weighted mean squared reconstruction error, in squared standard
    deviations of the features.

    Parameters
    ----------
    hidden : sequence of int, default=(32, 16, 8)
        Units of the encoder's layers; the decoder mirrors them.
    dropout : float, default=0.25
        Fraction of units dropped at random in training, in [0, 1).
    learning_rate : float, default=1e-3
        Learning rate of Adam.
    weight_decay : float, default=1e-5
        Weight decay of Adam, added to the gradient.
    batch_size : int, default=32
        Rows per training step, at least 2.
    max_epochs : int, default=100
        Largest number of passes over the rows.
    patience : int, default=10
        Training ends after this many epochs without a better loss over the held-out rows.
    validation_fraction : float, default=0.1
        Fraction of rows held out, in [0, 0.5]; if it is 0, the training rows are used for
        validation.
    contamination : float, default=0.01
        `offset_` is this quantile, in (0, 0.5], of the training scores.
    feature_weights : sequence of float or None, default=None
        Weights of the features' errors in the score. None: equal weights.
    n_jobs : int or None, default=None
        Number of threads for scoring; -1 uses all processors. None uses `SECONDLOOK_NUM_THREADS`,
        else `OMP_NUM_THREADS`, else all processors that this process may use. Training uses one.
    random_state : int, RandomState or None, default=None
        Seed of weights, split, order and dropout.

    Attributes
    ----------
    offset_ : float
        Samples with a lower score are anomalous: ``decision_function = score_samples - offset_``.
    history_ : dict of str to ndarray of shape (n_epochs,)
        Figures of each epoch: `loss` (training, with dropout), `validation_loss` (held-out rows;
        lowest in the epoch whose weights are kept) and `learning_rate`. Losses are mean squared
        errors in squared standard deviations.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `fit` was given a table whose column names are all strings.

    References
    ----------
    S. Hawkins, H. He, G. Williams, R. Baxter, "Outlier Detection Using Replicator Neural
    Networks", DaWaK 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import Autoencoder
    >>> a, b = np.random.default_rng(0).normal(size=(2, 1000))
    >>> model = Autoencoder(hidden=(8, 2), dropout=0, random_state=0).fit(np.c_[a, b, a + b])
    >>> model.predict([[1.0, 1.0, 2.0], [1.0, 1.0, -2.0]])
    array([ 1, -1])
    """

    _core_type: ClassVar[Any] = _core.detect.Autoencoder
    _model: "_core.detect.Autoencoder"

    def __init__(
        self,
        hidden: Sequence[int] = (32, 16, 8),
        dropout: float = 0.25,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        batch_size: int = 32,
        max_epochs: int = 100,
        patience: int = 10,
        *,
        validation_fraction: float = 0.1,
        contamination: float = 0.01,
        feature_weights: Sequence[float] | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.contamination = contamination
        self.feature_weights = feature_weights
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows that are mostly normal, two at least.
        y : None
            Ignored.

        Returns
        -------
        self : Autoencoder

        Raises
        ------
        ValueError
            If a parameter is out of range, `X` is not finite, or the loss diverges.
        KeyboardInterrupt
            On Ctrl-C; after the first epoch the best model so far is there to use.
        """
        twin = self._copy_to_train()
        samples = twin._own_or_validated(X, reset=True)
        model = twin._make_core(*samples.shape)
        return self._train(twin, model, model.fit, samples)

    def reconstruct(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the reconstruction of each row, in the units of the features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        reconstruction : ndarray of shape (n_samples, n_features)
        """
        return self._use(self._fitted(), "reconstruct", X)

    def feature_contributions(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return each feature's part of the reconstruction error.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        contributions : ndarray of shape (n_samples, n_features)
            At least 0; a row sums to minus its score.
        """
        return super().feature_contributions(X)

    @classmethod
    def _parameters_of(cls, core: "_core.detect.Autoencoder") -> dict[str, Any]:
        p = core.parameters
        seed = p.pop("seed")
        return {
            **p,
            "hidden": tuple(p["hidden"]),
            "feature_weights": p["feature_weights"] or None,
            "n_jobs": p["n_jobs"] or None,
            "random_state": seed,
        }

    def _make_core(self, n_rows: int, n_features: int) -> "_core.detect.Autoencoder":
        weights = self.feature_weights
        return _core.detect.Autoencoder(
            hidden=list(self.hidden),
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            patience=self.patience,
            validation_fraction=self.validation_fraction,
            contamination=self.contamination,
            feature_weights=[] if weights is None else list(weights),
            seed=seed_of(self.random_state),
            n_jobs=requested_threads("Autoencoder", self.n_jobs),
        )
