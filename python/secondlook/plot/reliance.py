"""Picture of what a classifier relies on."""

from typing import TYPE_CHECKING, Any, Literal

from secondlook.plot.display import ABNORMAL, LINE, NORMAL, Display, axes_of, shown_in

if TYPE_CHECKING:
    from secondlook.image.reliance_report import RegionReliance

_COLOURS = {"as it is": LINE, "region covered": ABNORMAL, "all else covered": NORMAL}
_NAMES = {"roc_auc": "area under the ROC curve", "accuracy": "accuracy"}


def reliance(
    result: "RegionReliance",
    *,
    measure: Literal["roc_auc", "accuracy"] = "roc_auc",
    ax: Any = None,
) -> Display:
    """Draw the quality with a region covered and with all else covered, with intervals.

    Parameters
    ----------
    result : RegionReliance
        See `secondlook.image.region_reliance`.
    measure : {"roc_auc", "accuracy"}, default="roc_auc"
        With ``"roc_auc"`` the area of guessing, one half, is marked.
    ax : matplotlib Axes, optional

    Raises
    ------
    ValueError
        If the measure is unknown.
    """
    if measure not in _NAMES:
        raise ValueError(f"plot.reliance: expected measure among {tuple(_NAMES)}, got {measure!r}")
    n = len(result.coverings)
    ax = axes_of("plot.reliance", ax, (6.5, 0.9 + 0.32 * n))
    if measure == "roc_auc":
        ax.axvline(0.5, color=LINE, linewidth=1, linestyle=":")
    for row, one in enumerate(result.coverings):
        found = getattr(one, measure)
        ax.errorbar(
            found.value,
            row,
            xerr=[[found.value - found.low], [found.high - found.value]],
            fmt="o",
            color=_COLOURS[one.shown],
            capsize=3,
            markersize=5,
        )
    ax.set_yticks(range(n), [one.name for one in result.coverings])
    ax.set(ylim=(n - 0.5, -0.5), xlabel=_NAMES[measure])
    return shown_in(ax)
