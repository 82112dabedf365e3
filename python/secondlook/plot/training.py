"""Picture of a training."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from secondlook.plot.display import ABNORMAL, LINE, NORMAL, Display, axes_of, shown_in


def history(model: Any, *, ax: Any = None) -> Display:
    """Draw the loss of each epoch, on the training and the validation data.

    Parameters
    ----------
    model : Autoencoder, LSTMForecaster or ImageClassifier, or a dict
        A fitted model, or its `history_`.
    ax : matplotlib Axes, optional
    """
    figures = model if isinstance(model, Mapping) else getattr(model, "history_", None)
    if not isinstance(figures, Mapping) or "loss" not in figures:
        raise ValueError(
            "plot.history: expected a fitted Autoencoder, LSTMForecaster or ImageClassifier, or "
            f"its history_, got {type(model).__name__}"
        )
    ax = axes_of("plot.history", ax)
    epochs = np.arange(1, len(figures["loss"]) + 1)
    ax.plot(epochs, figures["loss"], color=NORMAL, label="training")
    validation = np.asarray(figures.get("validation_loss", ()))
    if validation.size and not np.isnan(validation).all():
        ax.plot(epochs, validation, color=ABNORMAL, label="validation")
        best = int(np.nanargmin(validation))
        ax.axvline(epochs[best], color=LINE, linewidth=1, linestyle=":")
        ax.annotate(
            f"best: epoch {epochs[best]}",
            (epochs[best], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
        )
    ax.set(xlabel="epoch", ylabel="loss")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(frameon=False)
    return shown_in(ax)
