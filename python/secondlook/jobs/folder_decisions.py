"""Decisions on a folder of images by an image model's file."""

from __future__ import annotations  # secondlook.image, which needs torch, is imported when used

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from secondlook.jobs.model_of_kind import IMAGE_KINDS, load_of_kind

if TYPE_CHECKING:
    from secondlook.image import ImageClassifier
    from secondlook.image.image_decisions import ImageDecisions

__all__ = ["decide_folder"]


def decide_folder(
    model: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    normal: str | None = None,
    test_time_augmentation: Sequence[str] | None = None,
    skip_broken: bool = True,
) -> ImageDecisions:
    """Decide on the images of a folder by the decision rule in a model's file.

    Parameters
    ----------
    model : path
        File of an `ImageClassifier` with a `decision_rule_`.
    folder : path
        All image files in it and below it are decided.
    normal : str or None, default=None
        The normal class, as when the rule was fitted. None: as stored with the rule, otherwise the
        first of two.
    test_time_augmentation : sequence of str or None, default=None
        As when the rule was fitted; see `ImageClassifier.predict_proba`. None: as stored with the
        rule, otherwise none.
    skip_broken : bool, default=True
        Do not raise an error for an image that cannot be read: its decision is "unknown".

    Returns
    -------
    secondlook.image.ImageDecisions
        With the path of each file relative to the folder.

    Raises
    ------
    ValueError
        If the model is of another kind or has no rule, `normal` is not one of its classes, or the
        folder has no images.
    OSError
        If a file cannot be read.
    ImportError
        If torch is missing.
    """
    way_out = "for the rows of a table use score"
    classifier = cast("ImageClassifier", load_of_kind(model, IMAGE_KINDS, way_out)[1])
    if not hasattr(classifier, "decision_rule_"):
        raise ValueError(
            f"'{os.fspath(model)}': expected a model with a decision rule, got none; fit a "
            "DecisionRule on labelled images, set decision_rule_ and save the model again"
        )
    from secondlook.image import list_images

    files = list_images(folder)
    known = [label for label in classifier.classes_.tolist() if str(label) == normal]
    decisions = classifier._decisions(
        "ImageClassifier.decide",
        files,
        known[0] if known else normal,
        test_time_augmentation,
        skip_broken=skip_broken,
    )
    return replace(decisions, file=[file.relative_to(folder).as_posix() for file in files])
