"""Pruning by Optuna."""

from collections.abc import Mapping
from typing import Any

from secondlook._shared.required import required

with required("secondlook.integrations.optuna", "optuna"):
    from optuna import TrialPruned


class OptunaPruning:
    """Callback that reports each epoch to a trial of Optuna, which may end it.

    Pass it to ``ImageClassifier.fit(callback=…)``, or to `fit_in_rounds` for an `Autoencoder` or
    `LSTMForecaster`.

    Parameters
    ----------
    trial : optuna.Trial
    monitor : str, default="validation_loss"
        The figure to report, a name in `history_`. The study's direction must fit it.

    Raises
    ------
    optuna.TrialPruned
        By a call, if the study's pruner ends the trial.
    ValueError
        By a call, if there is no figure `monitor`.

    References
    ----------
    T. Akiba, S. Sano, T. Yanase, T. Ohta, M. Koyama, "Optuna: A Next-generation Hyperparameter
    Optimization Framework", KDD 2019.

    Examples
    --------
    ::

        def objective(trial):
            rate = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
            model = ImageClassifier(learning_rate=rate, random_state=0)
            model.fit(images, labels, callback=OptunaPruning(trial))
            return model.history_["validation_loss"].min()
    """

    def __init__(self, trial: Any, monitor: str = "validation_loss") -> None:
        self.trial = trial
        self.monitor = monitor

    def __call__(self, figures: Mapping[str, float]) -> None:
        """Report an epoch.

        Parameters
        ----------
        figures : dict of str to float
            Figures of the epoch by name, and ``epoch``.
        """
        if self.monitor not in figures:
            raise ValueError(
                f"OptunaPruning: expected monitor as one of {sorted(figures)}, got {self.monitor!r}"
            )
        epoch, value = int(figures["epoch"]), float(figures[self.monitor])
        self.trial.report(value, step=epoch)
        if self.trial.should_prune():
            raise TrialPruned(f"{self.monitor} {value:.4g} in epoch {epoch}")
