"""What a classifier relies on: the results of `region_reliance`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from secondlook._shared.required import required
from secondlook._shared.shown import Result, ShownTable
from secondlook.decide.binomial_interval import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from secondlook.plot.display import Display

Shown = Literal["as it is", "region covered", "all else covered"]


@dataclass(frozen=True, repr=False)
class CoveringResult(Result):
    """Quality of the predictions for images that are partly covered.

    Attributes
    ----------
    shown : {"as it is", "region covered", "all else covered"}
    filling : str
        With what; empty if nothing is covered.
    accuracy : Estimate
        With the exact interval, as of independent images.
    roc_auc : Estimate
        Area under the ROC curve; of more than two classes the mean of each against all others.
        With the interval of `roc_area_interval`.
    recall : dict of class to Estimate
        Fraction of the images of each class that are predicted as such; with exact intervals.
    """

    shown: Shown
    filling: str
    accuracy: Estimate
    roc_auc: Estimate
    recall: dict[Any, Estimate]

    @property
    def name(self) -> str:
        """What is shown, and the filling."""
        return f"{self.shown}, {self.filling}" if self.filling else self.shown


@dataclass(frozen=True, repr=False)
class ClassHeatmaps(Result):
    """Where the heat maps of the images of one class are.

    Attributes
    ----------
    label : class
    n_heatmaps : int
        Number of heat maps. A map that is 0 everywhere does not count.
    heatmap_fraction : Estimate
        Mean fraction of a heat map that is inside the region; the interval is Student's, by groups.
    region_fraction : float
        Mean fraction of the area of these images that is inside the region: what heat maps without
        a preference would have.
    """

    label: Any
    n_heatmaps: int
    heatmap_fraction: Estimate
    region_fraction: float


@dataclass(frozen=True, repr=False)
class RegionReliance(Result):
    """How far the decisions of a classifier rest on a region of the images.

    Attributes
    ----------
    n_images : int
        Number of images with a region.
    without_region : tuple of int
        Indices of images without one, which are left out.
    region_fraction : float
        Mean fraction of the area of an image that is inside the region.
    coverings : list of CoveringResult
        The images as they are, then with the region and with all else covered, per filling.
    classes : list of ClassHeatmaps
        Empty if no heat maps were asked for.
    """

    n_images: int
    without_region: tuple[int, ...]
    region_fraction: float
    coverings: list[CoveringResult]
    classes: list[ClassHeatmaps]

    def __repr__(self) -> str:
        width = max(len(one.name) for one in self.coverings) + 2
        lines = [
            f"{self.n_images:,} images; the region is {self.region_fraction:.1%} of their area",
            f"{'':{width}}{'accuracy':26}area under the ROC curve",
        ]
        lines += [f"{one.name:{width}}{one.accuracy!r:26}{one.roc_auc!r}" for one in self.coverings]
        if self.classes:
            width = max(len("class"), *(len(str(one.label)) for one in self.classes)) + 2
            lines.append(f"{'class':{width}}{'heat map in the region':26}region's area")
            lines += [
                f"{one.label!s:{width}}{one.heatmap_fraction!r:26}{one.region_fraction:.3f}"
                for one in self.classes
            ]
        if self.without_region:
            lines.append(f"{len(self.without_region):,} images without a region are left out")
        return "\n".join(lines)

    def _shown(self) -> Mapping[str, Any]:
        return {
            "n_images": self.n_images,
            "without_region": len(self.without_region),
            "region_fraction": self.region_fraction,
        }

    def _shown_tables(self) -> list[ShownTable]:
        labels = list(self.coverings[0].recall)
        columns = ("accuracy", "area under the ROC curve", *(f"recall({k})" for k in labels))
        rows = [
            (one.name, repr(one.accuracy), repr(one.roc_auc), *map(repr, one.recall.values()))
            for one in self.coverings
        ]
        tables = [ShownTable(columns, rows)]
        if self.classes:
            of_classes = [
                (str(k.label), k.n_heatmaps, repr(k.heatmap_fraction), k.region_fraction)
                for k in self.classes
            ]
            names = ("heat maps", "fraction in the region", "region's fraction of the area")
            tables.append(ShownTable(names, of_classes))
        return tables

    def to_pandas(self) -> "pd.DataFrame":
        """Return a row per covering: accuracy, area and recalls with intervals (needs pandas)."""
        with required("RegionReliance.to_pandas", "pandas"):
            import pandas as pd
        rows = []
        for one in self.coverings:
            row: dict[str, Any] = {"shown": one.shown, "filling": one.filling}
            values = {"accuracy": one.accuracy, "roc_auc": one.roc_auc}
            values |= {f"recall({label})": value for label, value in one.recall.items()}
            for name, value in values.items():
                row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            rows.append(row)
        return pd.DataFrame(rows)

    def plot(
        self, *, measure: Literal["roc_auc", "accuracy"] = "roc_auc", ax: Any = None
    ) -> "Display":
        """Draw the table of coverings, see `secondlook.plot.reliance`."""
        from secondlook.plot.reliance import reliance

        return reliance(self, measure=measure, ax=ax)
