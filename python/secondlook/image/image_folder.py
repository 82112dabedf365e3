"""Images in class folders, with their labels and groups."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from secondlook import _image
from secondlook._shared.random_state import seed_of
from secondlook._shared.required import require_pandas
from secondlook._shared.shown import ShownTable, html_of

if TYPE_CHECKING:
    import pandas as pd


class ImageFolder:
    """Image files of class folders, made by `load_folder`.

    Can be given to `ImageClassifier.fit`, `predict` and the like; unpacks as
    ``paths, y, groups = folder``.

    Attributes
    ----------
    root : Path
        The folder of the class folders.
    paths : list of Path, of length n
        The image files, sorted.
    labels : ndarray of str of shape (n,)
        Name of the class folder of each image.
    groups : ndarray of shape (n,) or None
        Group of each image, if groups were asked for.
    classes : list of str
        Names of the class folders; after `split` some may have no image.
    """

    def __init__(
        self,
        root: Path,
        paths: list[Path],
        labels: NDArray[np.str_],
        groups: NDArray[Any] | None,
        classes: list[str],
    ) -> None:
        self.root = root
        self.paths = paths
        self.labels = labels
        self.groups = groups
        self.classes = classes

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.paths, self.labels, self.groups))

    def split(
        self, test_fraction: float = 0.2, random_state: Any = 0
    ) -> tuple["ImageFolder", "ImageFolder"]:
        """Split into images to train on and images to test with.

        Whole groups are drawn at random until each class has its fraction among the test images.
        No group is on both sides, and each class keeps at least one group to train on; so with few
        or large groups a class can have fewer test images, or none.

        Parameters
        ----------
        test_fraction : float, default=0.2
            Fraction of the images of each class, in (0, 1).
        random_state : int, RandomState or None, default=0
            Seed of the draw.

        Returns
        -------
        train, test : ImageFolder

        Raises
        ------
        ValueError
            If the fraction is out of range, or no group can be spared for the test.
        """
        who = "ImageFolder.split"
        if not (isinstance(test_fraction, float | np.floating) and 0 < test_fraction < 1):
            raise ValueError(f"{who}: expected test_fraction in (0, 1), got {test_fraction!r}")
        columns = {label: column for column, label in enumerate(np.unique(self.labels).tolist())}
        labels = np.array([columns[label] for label in self.labels.tolist()], dtype=np.int64)
        groups = np.empty(0, np.int64)
        if self.groups is not None:
            groups = np.unique(self.groups, return_inverse=True)[1].astype(np.int64)
        train, test = _image.split_by_group(labels, groups, test_fraction, seed_of(random_state))
        if not test:
            kind = "images" if self.groups is None else "groups"
            raise ValueError(
                f"{who}: expected {kind} that can be spared for test_fraction={test_fraction}, got "
                f"none among {len(self)} images; use more {kind} or a larger test_fraction"
            )
        return self._part(train), self._part(test)

    def to_pandas(self) -> "pd.DataFrame":
        """Return a DataFrame with the columns file, label and, if there are groups, group."""
        columns: dict[str, Any] = {"file": list(map(str, self.paths)), "label": self.labels}
        if self.groups is not None:
            columns["group"] = self.groups
        return require_pandas("ImageFolder.to_pandas").DataFrame(columns)

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {label}" for label, n, _ in self._counts())
        text = f"ImageFolder({str(self.root)!r}: {len(self)} images: {counts}"
        if self.groups is not None:
            text += f"; {len(np.unique(self.groups))} groups"
        return text + ")"

    def _repr_html_(self) -> str:
        columns = ("images",) if self.groups is None else ("images", "groups")
        rows = [row[: 1 + len(columns)] for row in self._counts()]
        title = f"{self.root}: {len(self):,} images"
        return html_of(title, {}, [ShownTable(columns, rows, corner="class")])

    def _counts(self) -> list[tuple[str, int, int]]:
        """Return the numbers of images and of groups of each class."""
        counts = []
        for label in self.classes:
            own = self.labels == label
            n_groups = 0 if self.groups is None else len(np.unique(self.groups[own]))
            counts.append((label, int(own.sum()), n_groups))
        return counts

    def _part(self, indices: list[int]) -> "ImageFolder":
        return ImageFolder(
            self.root,
            [self.paths[i] for i in indices],
            self.labels[indices],
            None if self.groups is None else self.groups[indices],
            self.classes,
        )
