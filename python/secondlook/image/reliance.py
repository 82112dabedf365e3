"""Whether a classifier looks at the right part of its images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from secondlook import _image
from secondlook._shared.arguments import as_number, as_whole_number
from secondlook._shared.progress import ProgressBar
from secondlook._shared.random_state import seed_of
from secondlook.decide.binomial_interval import Estimate, binomial_interval
from secondlook.decide.roc_area_interval import roc_area_interval
from secondlook.image.decode import as_pixels
from secondlook.image.fillings import Filling, as_fillings, covered, middle_grey
from secondlook.image.fit_data import columns_of, group_numbers, training_data
from secondlook.image.image_classifier import ImageClassifier
from secondlook.image.region_masks import Region, RegionMasks, resized_mask
from secondlook.image.reliance_report import (
    ClassHeatmaps,
    CoveringResult,
    RegionReliance,
    Shown,
)

_WHO = "region_reliance"
_CHUNK = 32  # Number of images that are in memory at once, each in every covering.


def region_reliance(
    classifier: ImageClassifier,
    X: Any,
    y: ArrayLike | None = None,
    *,
    region: Region,
    groups: ArrayLike | None = None,
    fillings: Filling | Sequence[Filling] = ("surroundings", "noise", "mean"),
    heatmap: Literal["grad_cam", "occlusion"] | None = "grad_cam",
    n_heatmaps: int = 100,
    confidence: float = 0.95,
    random_state: Any = 0,
) -> RegionReliance:
    """Judge a classifier on images of which a region, or all but the region, is covered.

    If the region is what should decide, such as the lungs, then covering it should take the area
    under the ROC curve to about one half, and covering all else should change little. A filling is
    itself a clue, so that several are tried: ``"mean"`` and ``"blur"`` still tell how bright the
    covered part was, and every filling shows the outline of the mask. If outlines differ between
    the classes, give one mask for all images.

    Images are covered in the size of the network's input. The cost is 1 + 2 × (number of fillings)
    predictions per image, and up to `n_heatmaps` heat maps per class.

    Parameters
    ----------
    classifier : ImageClassifier
        Fitted.
    X : sequence of images, array, folder, or ImageFolder
        Images that were not used in training, see `ImageClassifier.fit`.
    y : array-like of shape (n,) or None, default=None
        Their labels, at least two of `classes_`. None: the names of the class folders.
    region : mask, sequence of masks, or callable
        A boolean array of shape (rows, columns) for all images; a sequence or array of one per
        image; or a function of the pixels (see `read_image`) that returns one. Of each image's own
        size, neither empty nor full. None in place of a mask: the image has no region and is left
        out.
    groups : array-like of shape (n,), optional
        Group of each image, such as its patient, for the intervals of areas and heat maps; those of
        accuracy and recall take images as independent.
    fillings : {"surroundings", "noise", "mean", "grey", "blur"} or several of them
        ``"surroundings"``: a mean of the visible pixels, of which near ones count more;
        ``"noise"``: normal, of the mean and standard deviation of the visible pixels; ``"mean"``:
        the mean of the whole image; ``"grey"``: halfway between black and white; ``"blur"``: the
        image without detail.
    heatmap : {"grad_cam", "occlusion"} or None, default="grad_cam"
        Maps for the true class, whose fraction inside the region is stated: those of
        `ImageClassifier.heatmap` or `ImageClassifier.occlusion_map` (where positive), or none.
    n_heatmaps : int, default=100
        Largest number per class, drawn at random.
    confidence : float, default=0.95
        Confidence level of the intervals, in (0, 1).
    random_state : int, RandomState or None, default=0
        Seed of the noise and of the draw.

    Returns
    -------
    reliance : RegionReliance

    Raises
    ------
    ValueError
        If labels are unknown or of a single class, no image has a region, a mask is not boolean, is
        of another size, empty or full, or an argument is invalid; the message names the image.

    References
    ----------
    J. R. Zech, M. A. Badgeley, M. Liu, A. B. Costa, J. J. Titano, E. K. Oermann, "Variable
    Generalization Performance of a Deep Learning Model to Detect Pneumonia in Chest Radiographs",
    PLOS Medicine 15, 2018. A. J. DeGrave, J. D. Janizek, S.-I. Lee, "AI for Radiographic COVID-19
    Detection Selects Shortcuts over Signal", Nature Machine Intelligence 3, 2021. S. Hooker, D.
    Erhan, P.-J. Kindermans, B. Kim, "A Benchmark for Interpretability Methods in Deep Neural
    Networks", NeurIPS 2019, for fillings as clues.

    Examples
    --------
    >>> import numpy as np
    >>> from secondlook.image import ImageClassifier, region_reliance
    >>> images = np.random.default_rng(0).integers(0, 100, size=(60, 16, 16), dtype=np.uint8)
    >>> images[30:, :5, :5] += 120  # a marker in the corner
    >>> y = np.repeat(["left", "right"], 30)
    >>> model = ImageClassifier("small_cnn", image_size=16, max_epochs=4, random_state=0)
    >>> model = model.fit(images, y, groups=range(60))
    >>> corner = np.zeros((16, 16), bool)
    >>> corner[:6, :6] = True
    >>> found = region_reliance(model, images, y, region=corner, fillings="surroundings")
    >>> [one.roc_auc.value > 0.9 for one in found.coverings]
    [True, False, True]
    """
    names = as_fillings(_WHO, fillings)
    if heatmap not in ("grad_cam", "occlusion", None):
        raise ValueError(
            f"{_WHO}: expected heatmap as 'grad_cam', 'occlusion' or None, got {heatmap!r}"
        )
    most = as_whole_number(_WHO, "n_heatmaps", n_heatmaps, 1)
    level = as_number(_WHO, "confidence", confidence)
    if not 0 < level < 1:
        raise ValueError(f"{_WHO}: expected confidence in (0, 1), got {level:g}")
    model = classifier._fitted()
    if heatmap == "grad_cam" and classifier.architecture_ == "mlp":
        raise ValueError(
            f"{_WHO}: a fully connected network has no feature maps for heatmap='grad_cam'; use "
            "heatmap='occlusion' or None"
        )
    data = training_data(_WHO, X, y, groups)
    columns = columns_of(_WHO, data, classifier.classes_)
    numbers = group_numbers(_WHO, data)
    if len(np.unique(columns)) < 2:
        raise ValueError(
            f"{_WHO}: expected images of at least 2 classes, got only "
            f"{classifier.classes_[columns[0]].item()!r}"
        )
    job = _Job(
        classifier=classifier,
        columns=columns,
        groups=numbers if len(numbers) else np.arange(len(columns)),
        fillings=names,
        heatmap=heatmap,
        confidence=level,
        seed=seed_of(random_state),
    )
    job.draw_heatmaps(most)
    masks = RegionMasks(_WHO, region, len(columns))
    with ProgressBar("Covering") as bar:
        for part in _chunks(data.images):
            job.add(part, masks, model)
            bar(part[-1][0] + 1, len(columns))
    return job.result()


def _chunks(images: Sequence[Any]) -> Iterator[list[tuple[int, Any]]]:
    for begin in range(0, len(images), _CHUNK):
        end = min(begin + _CHUNK, len(images))
        yield [(index, images[index]) for index in range(begin, end)]


@dataclass
class _Job:
    """The predictions so far, and how they are made."""

    classifier: ImageClassifier
    columns: NDArray[np.int64]
    groups: NDArray[np.int64]
    fillings: tuple[Filling, ...]
    heatmap: Literal["grad_cam", "occlusion"] | None
    confidence: float
    seed: int
    indices: list[int] = field(default_factory=list)
    without: list[int] = field(default_factory=list)
    region_fraction: list[float] = field(default_factory=list)
    predictions: list[NDArray[np.float64]] = field(default_factory=list)
    heat: dict[int, float] = field(default_factory=dict)
    drawn: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.kinds: list[tuple[Shown, Filling | None]] = [("as it is", None)]
        for shown in ("region covered", "all else covered"):
            self.kinds += [(shown, filling) for filling in self.fillings]

    def draw_heatmaps(self, most: int) -> None:
        """Choose the images whose heat maps are computed."""
        random = np.random.default_rng(self.seed)
        for column in np.unique(self.columns):
            of_class = random.permutation(np.flatnonzero(self.columns == column))
            self.drawn.update(of_class[:most].tolist())

    def add(
        self, part: list[tuple[int, Any]], masks: RegionMasks, model: "_image.ImageClassifier"
    ) -> None:
        """Predict some images in every covering."""
        size = self.classifier._size()
        inputs: list[Any] = []
        for index, image in part:
            pixels = as_pixels(f"{_WHO}: image {index}", image)
            mask = masks.of(index, pixels)
            if mask is None:
                self.without.append(index)
                continue
            # As the network resizes the image first, this gives the same and costs less.
            small, where = _image.resize(pixels, *size), resized_mask(mask, *size)
            if where.all() or not where.any():
                raise ValueError(
                    f"{_WHO}: image {index}: expected a mask that covers a part of the image, got "
                    f"one that is {'full' if where.all() else 'empty'} in the size of the "
                    f"network's input {size}"
                )
            self.indices.append(index)
            self.region_fraction.append(float(mask.mean()))
            inputs += [self._shown(small, where, kind, index) for kind in self.kinds]
            if self.heatmap is not None and index in self.drawn:
                self.heat[index] = self._fraction_inside(small, where, index)
        if inputs:
            p = model.predict_proba(inputs, {}, None)
            self.predictions.append(p.reshape(-1, len(self.kinds), p.shape[1]))

    def _shown(
        self,
        small: NDArray[Any],
        where: NDArray[np.bool_],
        kind: tuple[Shown, Filling | None],
        index: int,
    ) -> NDArray[Any]:
        shown, filling = kind
        if filling is None:
            return small
        hidden = where if shown == "region covered" else ~where
        grey = middle_grey(small.dtype, self.classifier.value_range)
        return covered(small, hidden, filling, grey, np.random.default_rng([self.seed, index]))

    def _fraction_inside(self, small: NDArray[Any], where: NDArray[np.bool_], index: int) -> float:
        """Return the fraction of the true class's heat map inside; NaN if the map is empty."""
        label = self.classifier.classes_[self.columns[index]].item()
        if self.heatmap == "grad_cam":
            heat = self.classifier.heatmap(small, label)
        else:
            heat = np.maximum(self.classifier.occlusion_map(small, label), 0)
        total = float(heat.sum())
        return float(heat[where].sum()) / total if total > 0 else float("nan")

    def result(self) -> RegionReliance:
        """Return the report."""
        if not self.indices:
            raise ValueError(f"{_WHO}: expected a region in some image, got none in any")
        used = np.array(self.indices)
        labels = self.columns[used]
        if len(np.unique(labels)) < 2:
            raise ValueError(
                f"{_WHO}: expected images of at least 2 classes with a region, got only "
                f"{self.classifier.classes_[labels[0]].item()!r}"
            )
        p = np.concatenate(self.predictions)
        coverings = [
            self._covering(shown, filling or "", p[:, number], labels, self.groups[used])
            for number, (shown, filling) in enumerate(self.kinds)
        ]
        return RegionReliance(
            n_images=len(used),
            without_region=tuple(self.without),
            region_fraction=float(np.mean(self.region_fraction)),
            coverings=coverings,
            classes=self._classes(used, labels) if self.heatmap is not None else [],
        )

    def _covering(
        self,
        shown: Shown,
        filling: str,
        p: NDArray[np.float64],
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
    ) -> CoveringResult:
        right = p.argmax(axis=1) == labels
        recall = {
            label: _fraction(right[labels == column], self.confidence)
            for column, label in enumerate(self.classifier.classes_.tolist())
        }
        area = roc_area_interval(
            labels,
            p[:, 1] if p.shape[1] == 2 else p,
            groups=groups,
            confidence=self.confidence,
        )
        return CoveringResult(shown, filling, _fraction(right, self.confidence), area, recall)

    def _classes(self, used: NDArray[np.int64], labels: NDArray[np.int64]) -> list[ClassHeatmaps]:
        area = np.array(self.region_fraction)
        heat = np.array([self.heat.get(index, np.nan) for index in used.tolist()])
        found = []
        for column in np.unique(labels):
            chosen = (labels == column) & ~np.isnan(heat)
            mean = _mean(heat[chosen], self.groups[used[chosen]], self.confidence)
            label = self.classifier.classes_[column].item()
            fraction = float(area[chosen].mean()) if chosen.any() else float("nan")
            found.append(ClassHeatmaps(label, int(chosen.sum()), mean, fraction))
        return found


def _fraction(right: NDArray[np.bool_], confidence: float) -> Estimate:
    n, n_right = len(right), int(right.sum())
    if not n:
        return Estimate(np.nan, np.nan, np.nan)
    return Estimate(n_right / n, *binomial_interval(n_right, n, confidence=confidence))


def _mean(values: NDArray[np.float64], groups: NDArray[np.int64], confidence: float) -> Estimate:
    """Return a mean in [0, 1] with Student's interval, by groups; without one of a single group."""
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan)
    mean = float(values.mean())
    of_group = np.unique(groups, return_inverse=True)[1]
    n = int(of_group.max()) + 1
    if n < 2:
        return Estimate(mean, np.nan, np.nan)
    sums = np.bincount(of_group, values - mean)
    error = np.sqrt(n / (n - 1) * (sums**2).sum()) / len(values)
    reach = float(student.ppf((1 + confidence) / 2, n - 1) * error)
    return Estimate(mean, max(0.0, mean - reach), min(1.0, mean + reach))
