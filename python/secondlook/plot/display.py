"""What a picture is drawn into."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from secondlook._shared.required import required

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NORMAL, ABNORMAL, DOUBTFUL, LINE = "#3b6fb6", "#c8553d", "#f2c14e", "#555555"


@dataclass(frozen=True)
class Display:
    """A picture that has been drawn; the names are those of scikit-learn's displays.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    """

    ax_: "Axes"
    figure_: "Figure"

    def __repr__(self) -> str:  # printed above the picture in a notebook
        n = len(self.figure_.axes)
        return f"<Display of {n} axes>"


def pyplot(who: str) -> Any:
    """Return the module `matplotlib.pyplot`.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    with required(who, "matplotlib", "'secondlook[plot]'"):
        import matplotlib  # noqa: F401
    return import_module("matplotlib.pyplot")


def axes_of(who: str, ax: Any, size: tuple[float, float] = (7, 3.5)) -> Any:
    """Return the axes to draw into: `ax`, or those of a new figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    if ax is None:
        _, ax = pyplot(who).subplots(figsize=size, layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def tidy_times(ax: Any, times: Any) -> None:
    """Label an axis of times briefly, by their own clock."""
    if not hasattr(times, "tz") and getattr(times, "dtype", np.dtype(float)).kind != "M":
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    zone = getattr(times, "tz", None)
    locator = AutoDateLocator(tz=zone, maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))


def shown_in(ax: Any) -> Display:
    """Return the display of axes that have been drawn into."""
    return Display(ax, ax.figure)
