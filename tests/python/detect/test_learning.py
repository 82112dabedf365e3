"""Training of all detectors: a failure has no effect, and other threads may score."""

import threading
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import secondlook as sl


def forecaster():
    return sl.LSTMForecaster(window=4, hidden=4, max_epochs=1, n_jobs=1, random_state=0)


def autoencoder():
    return sl.Autoencoder(hidden=(4, 2), max_epochs=1, random_state=0)


def forest():
    return sl.IsolationForest(n_estimators=10, max_samples=64, contamination=0.1, random_state=0)


def ensemble():
    return sl.DetectorEnsemble([("autoencoder", autoencoder()), ("forest", forest())])


MAKERS = [forest, autoencoder, forecaster, ensemble]
every_detector = pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)


def rows(n=200, columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, columns))


def table(columns):
    return pd.DataFrame(rows(columns=len(columns)), columns=list(columns))


def state_of(detector):
    return {name: value for name, value in detector.__dict__.items() if name != "_model"}


def rows_that_fail(columns):
    """Rows that pass the checks of shape and names, but cannot be converted."""
    bad = table(columns)
    bad.iloc[10, 1] = np.inf
    return bad


@every_detector
def test_a_failed_fit_leaves_a_fitted_detector_unchanged(make):
    detector = make().fit(table("abc"))
    before, scores = state_of(detector), detector.score_samples(table("abc"))
    for bad in (rows_that_fail("abcd"), rows_that_fail("abcd").to_numpy(), rows(1, 5)[:0]):
        with pytest.raises(ValueError):
            detector.fit(bad)
        after = state_of(detector)
        assert after.keys() == before.keys()
        assert detector.n_features_in_ == 3
        assert list(detector.feature_names_in_) == list("abc")
    np.testing.assert_array_equal(detector.score_samples(table("abc")), scores)


@every_detector
@pytest.mark.parametrize("learn", ["fit", "partial_fit"])
def test_a_failed_first_fit_leaves_no_state(make, learn):
    detector = make()
    before = state_of(detector)
    with pytest.raises(ValueError):
        getattr(detector, learn)(rows_that_fail("abcd"))
    assert detector.__dict__ == before
    with pytest.raises(NotFittedError):
        detector.score_samples(rows())


@every_detector
@pytest.mark.parametrize("learn", ["partial_fit", "fit_offset"])
def test_failed_continued_training_leaves_the_detector_unchanged(make, learn):
    detector = make().fit(table("abc"))
    before, model, offset = state_of(detector), detector._model, detector.offset_
    for bad in (rows_that_fail("abc"), table("abcd"), table("xyz")):
        with pytest.raises(ValueError):
            getattr(detector, learn)(bad)
    after = state_of(detector)
    assert after.keys() == before.keys()
    assert detector._model is model
    assert detector.offset_ == offset


def test_a_failed_merge_leaves_the_forest_unchanged():
    detector = forest().fit(rows())
    model = detector._model
    with pytest.raises(ValueError):
        detector.merge(forest().fit(rows(columns=4)))
    assert detector._model is model


@every_detector
def test_continued_training_does_not_affect_streams_and_the_previous_model(make):
    detector = make().fit(rows())
    stream = detector.stream()
    scores = detector.score_samples(rows(50, seed=1))
    model = detector._model
    detector.partial_fit(rows(30, seed=2) + 1).partial_fit(rows(300, seed=3) + 1)
    np.testing.assert_array_equal(model.score_samples(rows(50, seed=1)), scores)
    pushed = [stream.push(row).score for row in rows(50, seed=1)]
    if make is not ensemble:  # its streams have their own recent level
        np.testing.assert_allclose(pushed, scores, rtol=1e-5)
    assert not np.array_equal(detector.score_samples(rows(50, seed=1)), scores)


@every_detector
@pytest.mark.filterwarnings("ignore::secondlook.StaleDecisionWarning")
def test_a_detector_trains_while_other_threads_score(make):
    detector = make().fit(rows())
    more, one = rows(100, seed=1), rows(1, seed=2)
    many = rows(2000, seed=3)
    sample = one[0].copy()
    failures = []
    over = threading.Event()

    def repeat(work):
        try:
            while not over.is_set():
                work()
        except Exception as failure:  # reported by the thread of the test
            failures.append(failure)

    stream = detector.stream()
    jobs = [
        lambda: detector.score_samples(many),
        lambda: detector.score_samples(one),
        lambda: detector.predict(many),
        lambda: detector.feature_contributions(more),
        lambda: stream.push(sample),
        lambda: detector.stream().push(sample),
        lambda: detector.__getstate__(),
    ]
    threads = [threading.Thread(target=repeat, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 2
    n_rounds = 0
    while time.monotonic() < end:
        detector.partial_fit(more).partial_fit(more[:20]).fit_offset(more)
        detector.fit(rows())
        n_rounds += 1
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert n_rounds > 0
    assert np.isfinite(detector.score_samples(many)).any()
