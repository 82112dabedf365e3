"""Progress of training: a bar for the steps, and a callback for the epochs."""

from collections.abc import Callable

import numpy as np

from secondlook._shared.progress import ProgressBar

EpochCallback = Callable[[dict[str, float]], object]


class TrainingProgress:
    """Shows every step in a progress bar, and passes every epoch to a callback."""

    def __init__(self, bar: ProgressBar, callback: EpochCallback | None) -> None:
        self._bar = bar
        self._callback = callback
        self._epoch = 0
        self._note = ""

    def __call__(
        self, done: int, total: int, epoch: int, loss: float, last: dict[str, float] | None
    ) -> None:
        """Report a step; `last` holds the figures of the last completed epoch."""
        if last is not None and epoch > self._epoch:
            recall = last["validation_recall"]
            self._note = f", validation {last['validation_loss']:.3f}"
            if not np.isnan(recall):  # NaN: no image of the class is held out
                self._note += f", recall {recall:.1%}"
            first = self._epoch == 0 and epoch > 1  # continued from a checkpoint
            self._epoch = epoch
            if self._callback is not None and not first:
                self._callback({"epoch": epoch, **last})
        self._bar(done, total, f"epoch {epoch + 1}, loss {loss:.3f}{self._note}")
