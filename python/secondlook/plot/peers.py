"""Picture of sensors that should agree."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from secondlook._shared.table import index_of, read_table
from secondlook.plot.display import ABNORMAL, DOUBTFUL, Display, axes_of, shown_in, tidy_times

if TYPE_CHECKING:
    from secondlook.detect.peer_deviation import PeerDeviation

_MAX_NAMED = 8


def peers(detector: "PeerDeviation", X: ArrayLike, *, ax: Any = None) -> Display:
    """Draw the readings of sensors with the band of each instant, and name those that leave it.

    Parameters
    ----------
    detector : PeerDeviation
    X : array-like of shape (n_instants, n_sensors)
        A table names the sensors; its index is the time axis.
    ax : matplotlib Axes, optional
    """
    readings, names = read_table("plot.peers", X, "readings")
    labels = index_of(X)
    times = np.arange(len(readings)) if labels is None else labels
    centre, half_width, ratio = detector._ratios(readings)
    ax = axes_of("plot.peers", ax)
    ax.fill_between(
        times, centre - half_width, centre + half_width, color=DOUBTFUL, alpha=0.5, label="band"
    )
    beyond = ratio > 1
    ax.plot(times, readings, color="#999999", linewidth=0.5, alpha=0.5)
    order = np.argsort(-beyond.sum(axis=0), kind="stable")
    for sensor in order[:_MAX_NAMED]:
        if beyond[:, sensor].any():
            name = str(names[sensor]) if names else f"sensor {sensor}"
            ax.plot(times, readings[:, sensor], linewidth=1, label=name)
            ax.plot(
                np.asarray(times)[beyond[:, sensor]],
                readings[beyond[:, sensor], sensor],
                ".",
                color=ABNORMAL,
                markersize=4,
            )
    ax.set(ylabel="reading")
    tidy_times(ax, times)
    ax.legend(frameon=False, fontsize="small")
    return shown_in(ax)
