import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import DataConversionWarning, UnsetMetadataPassedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    cross_val_predict,
)
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import secondlook as sl


@pytest.fixture(scope="module")
def cases():
    return make_classification(800, weights=[0.85], flip_y=0.1, random_state=0)


@parametrize_with_checks(
    [sl.TunedThresholdClassifier(LogisticRegression())],
    expected_failed_checks=lambda _: {
        "check_classifiers_train": "it decides at its threshold, not where the score is 0",
    },
    xfail_strict=True,
)
def test_is_a_classifier_by_scikit_learns_checks(estimator, check):
    check(estimator)


def test_chooses_on_the_samples_left_out(cases):
    X, y = cases
    tuned = sl.TunedThresholdClassifier(LogisticRegression(), min_recall=0.9).fit(X, y)
    left_out = cross_val_predict(LogisticRegression(), X, y, method="predict_proba")[:, 1]
    assert tuned.tuning_ == sl.tune_threshold(y, left_out, min_recall=0.9)
    assert tuned.threshold_ == tuned.tuning_.threshold
    expected = LogisticRegression().fit(X, y).predict_proba(X)[:, 1] >= tuned.threshold_
    np.testing.assert_array_equal(tuned.predict(X), expected)


@pytest.mark.parametrize("positive", ["bad", "good"])
@pytest.mark.parametrize("classifier", [LogisticRegression(), LinearSVC()])
def test_either_class_can_be_the_abnormal_one(cases, classifier, positive):
    X, y = cases
    names = np.where(y == 1, "good", "bad")
    tuned = sl.TunedThresholdClassifier(classifier, min_recall=0.95, pos_label=positive).fit(
        X, names
    )
    recall = np.mean(tuned.predict(X)[names == positive] == positive)
    assert recall > 0.9
    assert tuned.tuning_.confusion.recall >= 0.95
    assert hasattr(tuned, "predict_proba") == hasattr(classifier, "predict_proba")


def test_groups_stay_together(cases):
    X, y = cases
    groups = np.arange(len(y)) // 8
    tuned = sl.TunedThresholdClassifier(LogisticRegression()).fit(X, y, groups)
    left_out = cross_val_predict(
        LogisticRegression(), X, y, groups=groups, cv=StratifiedGroupKFold(5),
        method="predict_proba",
    )[:, 1]  # fmt: skip
    assert tuned.tuning_ == sl.tune_threshold(y, left_out)


@pytest.mark.parametrize("cv", [3, None])
def test_groups_stay_together_also_for_a_number_of_folds(cases, cv):
    X, y = cases
    groups = np.arange(len(y)) // 40
    seen = []

    class Recorded(LogisticRegression):
        def fit(self, X, y):
            seen.append(X)
            return super().fit(X, y)

    sl.TunedThresholdClassifier(Recorded(), cv=cv).fit(X, y, groups)
    assert len(seen) == (cv or 5) + 1  # and once on all samples
    for rows in seen[:-1]:
        used = np.isin(X[:, 0], rows[:, 0])
        assert not set(groups[used]) & set(groups[~used])


@pytest.mark.parametrize("routing", [False, True])
def test_weights_reach_the_estimator_with_and_without_routing(cases, routing):
    X, y = cases
    weights = np.where(y == 1, 10.0, 1.0)
    groups = np.arange(len(y)) // 8
    heavy = np.repeat(np.arange(len(y)), weights.astype(int))
    with config_context(enable_metadata_routing=routing):
        inner = LogisticRegression()
        if routing:
            inner.set_fit_request(sample_weight=True)
        tuned = sl.TunedThresholdClassifier(inner).fit(X, y, groups, sample_weight=weights)
        plain = sl.TunedThresholdClassifier(clone(inner)).fit(X, y, groups)
    np.testing.assert_allclose(
        tuned.predict_proba(X), LogisticRegression().fit(X[heavy], y[heavy]).predict_proba(X), 0.01
    )
    assert tuned.threshold_ > plain.threshold_
    unrouted = sl.TunedThresholdClassifier(LogisticRegression()).fit(X, y, groups)
    assert plain.tuning_ == unrouted.tuning_


def test_routed_metadata_that_nobody_requests_is_refused_and_a_search_routes_groups(cases):
    X, y = cases
    groups = np.arange(len(y)) // 8
    with config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            sl.TunedThresholdClassifier(LogisticRegression()).fit(X, y, sample_weight=y + 1.0)
        # A splitter without groups ignores them.
        ignores = KFold(3)
        tuned = sl.TunedThresholdClassifier(LogisticRegression(), cv=ignores).fit(X, y, groups)
        without = sl.TunedThresholdClassifier(LogisticRegression(), cv=ignores).fit(X, y)
        assert tuned.tuning_ == without.tuning_
        nested = sl.TunedThresholdClassifier(LogisticRegression()).set_fit_request(groups=True)
        search = GridSearchCV(nested, {"maximize": ["accuracy"]}, cv=GroupKFold(3))
        search.fit(X, y, groups=groups)
        expected = sl.TunedThresholdClassifier(LogisticRegression()).fit(X, y, groups)
        assert search.best_estimator_.tuning_ == expected.tuning_


def test_labels_in_a_column_are_taken_with_a_warning(cases):
    X, y = cases
    with pytest.warns(DataConversionWarning, match="column-vector"):
        tuned = sl.TunedThresholdClassifier(LogisticRegression()).fit(X, y[:, None])
    assert (
        tuned.threshold_ == sl.TunedThresholdClassifier(LogisticRegression()).fit(X, y).threshold_
    )


def test_bad_input(cases):
    X, y = cases
    with pytest.raises(ValueError, match="expected two classes"):
        sl.TunedThresholdClassifier(LogisticRegression()).fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match=r"pos_label to be one of .*, got 'ill'"):
        sl.TunedThresholdClassifier(LogisticRegression(), pos_label="ill").fit(X, y)
    with pytest.raises(ValueError, match="no threshold has recall of at least 1"):
        sl.TunedThresholdClassifier(LogisticRegression(), min_recall=1, min_precision=0.99).fit(
            X, y
        )
    with pytest.raises(
        ValueError, match="TunedThresholdClassifier.fit: expected groups without missing"
    ):
        sl.TunedThresholdClassifier(LogisticRegression()).fit(X, y, [np.nan] * len(y))
