"""Mixin of image classifiers that decide by a rule which images a person should look at."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from secondlook._shared.required import require_pandas
from secondlook.decide.decision_rule import DecisionRule, KeepsDecisionRule
from secondlook.image.has_fitted_model import HasFittedModel
from secondlook.image.image_decisions import ImageDecisions
from secondlook.image.image_list import as_sequence
from secondlook.image.parameters import variations_of
from secondlook.image.predictions import not_in_column
from secondlook.image.tables import names_of, reasons

if TYPE_CHECKING:
    import pandas as pd

_SCORE_PARAMETERS = ("normal", "test_time_augmentation")


class DecidesOnImages(HasFittedModel, KeepsDecisionRule):
    """Mixin of image classifiers whose decision rule judges the probability of not being normal."""

    @abstractmethod
    def predict_proba(
        self, X: Any, *, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of each class."""

    def anomaly_score(
        self, X: Any, *, normal: Any = None, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.float64]:
        """Return the probability of not being normal, a score for `secondlook.decide`.

        Parameters
        ----------
        X : sequence of images, array, or folder
            See `fit`.
        normal : class, optional
            The normal class, one of `classes_`. None: the first of two.
        test_time_augmentation : collection of str or None, default=None
            See `predict_proba`.

        Returns
        -------
        score : ndarray of shape (n,)

        Raises
        ------
        ValueError
            If `normal` is not one of `classes_`, or is missing with more than two classes.
        """
        column = self._normal_column("ImageClassifier.anomaly_score", normal)
        return not_in_column(
            self.predict_proba(X, test_time_augmentation=test_time_augmentation), column
        )

    def decide(
        self, X: Any, *, normal: Any = None, test_time_augmentation: Iterable[str] | None = None
    ) -> NDArray[np.str_]:
        """Decide which images are abnormal, and which a person should look at.

        Uses `decision_rule_`, which was fitted on the `anomaly_score` of other images. If the rule
        has a feature distance, images that are out of distribution are referred.

        Parameters
        ----------
        X : sequence of images, array, or folder
            See `fit`.
        normal, test_time_augmentation
            As when the rule was fitted, see `anomaly_score`. Not needed if the rule has
            `score_parameters`.

        Returns
        -------
        decisions : ndarray of str of shape (n,)
            ``"negative"``, ``"refer"`` or ``"positive"``.

        Raises
        ------
        AttributeError
            If the model has no `decision_rule_`.
        ValueError
            If an argument differs from the rule's `score_parameters`.

        Warns
        -----
        StaleDecisionWarning, DriftWarning
            See `DecisionRule.decide`.
        """
        return self._decisions("ImageClassifier.decide", X, normal, test_time_augmentation).decision

    def decide_table(
        self,
        X: Any,
        *,
        normal: Any = None,
        test_time_augmentation: Iterable[str] | None = None,
        skip_broken: bool = False,
    ) -> "pd.DataFrame":
        """Decide like `decide`, and return a table that tells why (requires pandas).

        Parameters
        ----------
        X : sequence of images, array, path, folder, or ImageFolder
            See `predict_proba`.
        normal, test_time_augmentation
            See `decide`.
        skip_broken : bool, default=False
            Do not raise an error for an image that cannot be read: its decision is ``"unknown"``,
            and its reason says why.

        Returns
        -------
        table : DataFrame
            One row per image, with the columns of the file that ``secondlook decide`` writes:
            ``file``, its path, or its index if it is not a file; ``score``, as by `anomaly_score`;
            ``probability``, the same, calibrated, NaN if the rule has no calibration; ``decision``;
            ``out_of_distribution``, NA if the rule has no feature distance; ``reasons``, a text.

        Raises
        ------
        AttributeError
            If the model has no `decision_rule_`.
        ImportError
            If pandas is not installed.
        """
        who = "ImageClassifier.decide_table"
        require_pandas(who)
        decisions = self._decisions(who, X, normal, test_time_augmentation, skip_broken=skip_broken)
        return decisions.to_pandas()

    def _decisions(
        self,
        who: str,
        X: Any,
        normal: Any,
        variations: Iterable[str] | None,
        *,
        skip_broken: bool = False,
    ) -> ImageDecisions:
        self._fitted()
        rule = self._current_rule()
        column, averaged = self._score_of_rule(who, rule, normal, variations)
        images = as_sequence(who, X)
        found = self._predictions(
            who,
            images,
            averaged,
            with_features=rule.feature_distance_ is not None,
            skip_broken=skip_broken,
        )
        n, read = len(images), found.indices
        decisions = ImageDecisions(
            normal=self.classes_[column].item(),
            file=names_of(images),
            score=np.full(n, np.nan),
            probability=np.full(n, np.nan),
            decision=np.full(n, "unknown", dtype="<U8"),
            out_of_distribution=[None] * n,
            reasons=[""] * n,
        )
        for index, why in found.broken.items():
            decisions.reasons[index] = f"cannot be read: {why}"
        if not read.size:
            return decisions
        score = not_in_column(found.probabilities, column)
        unlike = None
        if rule.feature_distance_ is not None and found.features is not None:
            unlike = rule.feature_distance_.is_out_of_distribution(found.features)
        decisions.score[read] = score
        decisions.decision[read] = rule.decide(score, unlike)
        if rule.calibration_ is not None:
            decisions.probability[read] = rule.probability(score)
        for index, why in zip(read.tolist(), reasons(score, unlike, rule), strict=True):
            decisions.reasons[index] = why
        if unlike is not None:
            for index, far in zip(read.tolist(), unlike.tolist(), strict=True):
                decisions.out_of_distribution[index] = far
        return decisions

    def _score_of_rule(
        self, who: str, rule: DecisionRule, normal: Any, variations: Iterable[str] | None
    ) -> tuple[int, dict[str, bool]]:
        """Return the normal class's column and the variations: the rule's own, if it has any."""
        if rule.score_parameters is None:
            return self._normal_column(who, normal), variations_of(who, variations)
        stored = rule.score_parameters
        column = self._normal_column(who, stored.get("normal"))
        averaged = variations_of(who, stored.get("test_time_augmentation"))
        if normal is not None and self._column(who, "normal", normal) != column:
            raise _not_as_fitted(who, "normal", self.classes_[column].item(), normal)
        if variations is not None and variations_of(who, variations) != averaged:
            raise _not_as_fitted(who, "test_time_augmentation", list(averaged), variations)
        return column, averaged

    def _check_score_parameters(self, rule: DecisionRule) -> None:
        who = "ImageClassifier.decision_rule_"
        for name in rule.score_parameters or ():
            if name not in _SCORE_PARAMETERS:
                raise ValueError(
                    f"{who}: expected score_parameters among {_SCORE_PARAMETERS}, got {name!r}"
                )
        if rule.score_parameters is not None:
            self._score_of_rule(who, rule, None, None)

    def _normal_column(self, who: str, normal: Any) -> int:
        self._fitted()
        if normal is None and len(self.classes_) == 2:
            return 0
        return self._column(who, "normal", normal)


def _not_as_fitted(who: str, name: str, stored: Any, given: Any) -> ValueError:
    return ValueError(
        f"{who}: expected {name}={stored!r}, as when decision_rule_ was fitted, got {given!r}; "
        "leave it out, or fit another rule"
    )
