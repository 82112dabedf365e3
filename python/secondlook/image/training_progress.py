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

    def __call__(
        self, done: int, total: int, epoch: int, loss: float, last: dict[str, float] | None
    ) -> None:
        """Report a step; `last` holds the figures of the last completed epoch."""
        note = ""
        if last is not None:
            note = f", validation {last['validation_loss']:.3f}"
            recall = last["validation_recall"]
            if not np.isnan(recall):  # NaN: no image of the class is held out
                note += f", recall {recall:.1%}"
        self._bar(done, total, f"epoch {epoch + 1}, loss {loss:.3f}{note}")

    def after_epoch(self, epoch: int, figures: dict[str, float]) -> bool:
        """Call the callback; return whether training should end."""
        if self._callback is None:
            return False
        answer = self._callback({"epoch": epoch, **figures})
        # Only True itself: a function may return something else without meaning to stop.
        return isinstance(answer, bool | np.bool_) and bool(answer)
