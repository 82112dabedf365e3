"""Training in rounds, between which a search can stop it."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from secondlook.detect.neural_detector import NeuralDetector

_Detector = TypeVar("_Detector", bound=NeuralDetector)


def fit_in_rounds(
    detector: _Detector,
    X: ArrayLike,
    callback: Callable[[dict[str, float]], object],
    *,
    rounds: int = 3,
    factor: int = 3,
) -> _Detector:
    """Train an `Autoencoder` or `LSTMForecaster`, calling a function after each round.

    `fit` of these detectors reports no epochs. So this trains with a fraction of `max_epochs`, and
    then again from scratch with `factor` times as many, until the last round has them all. The same
    seed repeats the same epochs: the result equals that of `fit`, and the figures are those of its
    epochs. With the defaults this takes at most 1.45 times as long as `fit`; a training that is
    stopped in the first round takes a ninth.

    Parameters
    ----------
    detector : Autoencoder or LSTMForecaster
        Its `random_state` must be an integer.
    X : array-like of shape (n_samples, n_features)
        See `fit`.
    callback : callable
        Called with a dict of the figures of the round's last epoch, named as in `history_`, and
        ``epoch``. If it returns True, training ends; the detector keeps the best weights so far.
    rounds : int, default=3
        Number of rounds. There are fewer if training ends by `patience` before the last.
    factor : int, default=3
        Epochs of a round, relative to those of the previous one.

    Returns
    -------
    detector : the same object
        Fitted, also if the callback raises an error.

    Raises
    ------
    TypeError
        If `detector` is something else, such as an `ImageClassifier`, whose `fit` takes a callback.
    ValueError
        If `random_state` is not an integer, or `rounds` or `factor` is out of range.
    """
    _check(detector, rounds, factor)
    max_epochs: int = detector.get_params()["max_epochs"]
    try:
        for later_rounds in reversed(range(rounds)):
            epochs = -(-max_epochs // factor**later_rounds)
            history = detector.set_params(max_epochs=epochs).fit(X).history_
            done = len(history["loss"])
            last = {name: float(values[-1]) for name, values in history.items()}
            answer = callback({"epoch": done, **last})
            # Only True itself, as in ImageClassifier.fit.
            stopped = isinstance(answer, bool | np.bool_) and bool(answer)
            if stopped or done < epochs:  # more epochs would not change it
                break
    finally:
        detector.set_params(max_epochs=max_epochs)
    return detector


def _check(detector: object, rounds: int, factor: int) -> None:
    if not isinstance(detector, NeuralDetector):
        raise TypeError(
            "fit_in_rounds: expected an Autoencoder or LSTMForecaster, got "
            f"{type(detector).__name__}; ImageClassifier.fit takes a callback itself"
        )
    seed = detector.get_params()["random_state"]
    if not isinstance(seed, int | np.integer):
        raise ValueError(
            f"fit_in_rounds: expected an integer random_state, got {seed!r}; without one, each "
            "round would be a different training"
        )
    if rounds < 1 or factor < 2:
        raise ValueError(
            "fit_in_rounds: expected rounds of at least 1 and a factor of at least 2, got "
            f"{rounds} and {factor}"
        )
