"""LSTM forecaster."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from secondlook import _core
from secondlook._shared.random_state import seed_of
from secondlook._shared.table import is_column, is_table, read_column
from secondlook._shared.threads import requested_threads
from secondlook.detect.neural_detector import NeuralDetector


class LSTMForecaster(NeuralDetector):
    """LSTM that forecasts the next sample of a series; samples that differ from it are abnormal.

    One or many channels, one or many series. Trained on standardised channels by truncated
    back-propagation over `window` steps, each window warmed up by the `window` steps before it,
    with Adam and early stopping on held-out samples. A series is scored from its start, sample by
    sample, exactly as by a stream. Up to `max_gap` consecutive missing samples (NaN) are replaced
    by the forecast; after a longer gap the series restarts. Ctrl-C ends the training and keeps the
    best model so far.

    The score is minus the mean squared residual of the one-step forecast under the covariance of
    the residuals in training: about -1 is usual. It is NaN for the first `window` samples, during
    which the network warms up, and if nothing was measured; `predict` returns 0 (unknown) for
    those.

    Parameters
    ----------
    window : int, default=48
        Steps of back-propagation and of warm-up, at least 2: the first `window` samples of a series
        have no score.
    hidden : int, default=64
        Number of cells per layer.
    layers : int, default=1
        Number of LSTM layers.
    dropout : float, default=0.0
        Fraction of units dropped at random between layers in training, in [0, 1).
    learning_rate : float, default=2e-3
        Learning rate of Adam.
    weight_decay : float, default=0.0
        Weight decay of Adam, added to the gradient.
    batch_size : int, default=64
        Windows per training step.
    max_epochs : int, default=50
        Largest number of passes over the series.
    patience : int, default=5
        Training ends after this many epochs without a better loss over the held-out samples.
    validation_fraction : float, default=0.2
        Fraction held out, in [0, 0.5]: the end of each series that is long enough, otherwise whole
        series. If it is 0, the training samples are used for validation.
    max_gap : int, default=12
        Number of consecutive missing samples that forecasts replace.
    contamination : float, default=0.01
        `offset_` is this quantile, in (0, 0.5], of the training scores.
    n_jobs : int or None, default=None
        Number of threads for training; -1 uses all processors. None uses `SECONDLOOK_NUM_THREADS`,
        else `OMP_NUM_THREADS`, else all processors that this process may use. The last digits of
        the weights depend on it.
    random_state : int, RandomState or None, default=None
        Seed of weights, windows and dropout.

    Attributes
    ----------
    offset_ : float
        Samples with a lower score are anomalous: ``decision_function = score_samples - offset_``.
    history_ : dict of str to ndarray of shape (n_epochs,)
        Figures of each epoch: `loss` (training), `validation_loss` (held-out samples; lowest in the
        epoch whose weights are kept) and `learning_rate`. Losses are mean squared errors in squared
        standard deviations.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if `fit` was given a table whose column names are all strings.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9, 1997.
    P. Malhotra, L. Vig, G. Shroff, P. Agarwal, "Long Short Term Memory Networks for Anomaly
    Detection in Time Series", ESANN 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook import LSTMForecaster
    >>> load = np.sin(np.arange(1000) / 4)[:, None]
    >>> model = LSTMForecaster(window=24, hidden=8, max_epochs=5, random_state=0).fit(load)
    >>> model.forecast(load, steps=3).shape
    (3, 1)
    """

    _core_type: ClassVar[Any] = _core.detect.LstmForecaster
    _model: "_core.detect.LstmForecaster"

    def __init__(
        self,
        window: int = 48,
        hidden: int = 64,
        layers: int = 1,
        dropout: float = 0.0,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.0,
        batch_size: int = 64,
        max_epochs: int = 50,
        patience: int = 5,
        *,
        validation_fraction: float = 0.2,
        max_gap: int = 12,
        contamination: float = 0.01,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.window = window
        self.hidden = hidden
        self.layers = layers
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.max_gap = max_gap
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: ArrayLike | Sequence[ArrayLike], y: None = None) -> Self:
        """Train from scratch.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_channels), or sequence of such
            One series, or several independent ones, such as the devices of a fleet; each with at
            least ``window + 1`` steps, in order of time and evenly spaced. NaN is missing. In a
            list, a one-dimensional array is a series of one channel.
        y : None
            Ignored.

        Returns
        -------
        self : LSTMForecaster

        Raises
        ------
        ValueError
            If a parameter is out of range, a series is too short or has infinite values, a channel
            has no value at all, or the loss diverges.
        KeyboardInterrupt
            On Ctrl-C; after the first epoch the best model so far is there to use.
        """
        twin = self._copy_to_train()
        series = twin._series(X)
        model = twin._make_core(*series[0].shape)
        return self._train(twin, model, model.fit_series, series)

    def forecast(self, X: ArrayLike, steps: int) -> NDArray[np.float64]:
        """Forecast the samples that follow a series.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_channels)
            The series so far; NaN is missing.
        steps : int
            Number of samples to forecast, at least 1. Each forecast is fed back as if it had been
            measured.

        Returns
        -------
        forecast : ndarray of shape (steps, n_channels)
            Forecasts in the channels' units.
        """
        if not isinstance(steps, int | np.integer) or steps < 1:
            raise ValueError(
                f"LSTMForecaster.forecast: expected steps as a number of at least 1, got {steps!r}"
            )
        model = self._fitted()
        samples = self._own_or_validated(X, reset=False, method="forecast")
        ahead: NDArray[np.float64] = model.forecast(samples, int(steps))
        return ahead

    def residuals(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the measured values minus their one-step forecasts.

        The score is the mean square of these residuals under their covariance, without the sign. If
        a small deficit persists, as in theft or drift, the mean of the residuals over some time
        reveals it sooner.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_channels)
            One series from its start; NaN is missing.

        Returns
        -------
        residuals : ndarray of shape (n_steps, n_channels)
            Residuals in the channels' units, positive if more was measured than foreseen. NaN in
            rows without a score, such as the warm-up, and where the channel was missing.

        Raises
        ------
        ValueError
            If the number of channels differs from that of `fit`, or a value is infinite.

        Notes
        -----
        The value itself is used as measured. The forecast is made as in a stream: from values
        clipped to 10 standard deviations around the training mean of the channel; missing values
        are replaced by their own forecast. In a channel that is missing for longer than `max_gap`
        the mean is used, and the residuals after it are larger for some steps. After such a gap in
        all channels the series warms up again.

        Examples
        --------
        >>> import numpy as np
        >>> from secondlook import LSTMForecaster
        >>> load = np.sin(np.arange(1000) / 4)[:, None]
        >>> model = LSTMForecaster(window=24, hidden=8, max_epochs=5, random_state=0).fit(load)
        >>> expected = load[500] - model.forecast(load[:500], steps=1)[0]
        >>> bool(np.allclose(model.residuals(load)[500], expected))
        True
        """
        return self._use(self._fitted(), "residuals", X)

    def feature_contributions(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the part of each channel in the residual.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_channels)

        Returns
        -------
        contributions : ndarray of shape (n_steps, n_channels)
            A row sums to minus its score; 0 where the channel was missing, and in rows without a
            score.
        """
        return super().feature_contributions(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @classmethod
    def _parameters_of(cls, core: "_core.detect.LstmForecaster") -> dict[str, Any]:
        p = core.parameters
        seed = p.pop("seed")
        return {**p, "n_jobs": p["n_jobs"] or None, "random_state": seed}

    def _make_core(self, n_rows: int, n_features: int) -> "_core.detect.LstmForecaster":
        return _core.detect.LstmForecaster(
            window=self.window,
            hidden=self.hidden,
            layers=self.layers,
            dropout=self.dropout,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            patience=self.patience,
            validation_fraction=self.validation_fraction,
            max_gap=self.max_gap,
            contamination=self.contamination,
            seed=seed_of(self.random_state),
            n_jobs=requested_threads("LSTMForecaster", self.n_jobs),
        )

    def _series(self, X: Any) -> list[NDArray[Any]]:
        """Return one array per series, all of the same type."""
        if isinstance(X, list | tuple) and any(map(is_column, X)):
            X = [
                read_column("LSTMForecaster.fit", x, f"series {i}")[:, None] if is_column(x) else x
                for i, x in enumerate(X)
            ]
        several = isinstance(X, list | tuple) and len(X) > 0
        if not several or not (is_table(X[0]) or np.ndim(X[0]) >= 2):
            return [self._own_or_validated(X, reset=True)]
        series = [self._own_or_validated(X[0], reset=True)]
        series += [self._own_or_validated(x, reset=False) for x in X[1:]]
        widest = np.result_type(*series)
        return [x.astype(widest, copy=False) for x in series]
