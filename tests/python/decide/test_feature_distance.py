import pickle

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf

import secondlook as sl


def simulated(n=600, d=6, seed=0):
    random = np.random.default_rng(seed)
    y = random.integers(0, 3, n)
    mixing = random.normal(size=(d, d))
    return random.normal(size=(n, d)) @ mixing + 5 * y[:, None], y


def learned_from(guard, X, y=None):
    """Return the samples that were not held out, by the same random choice."""
    names = np.random.RandomState(guard.random_state).permutation(len(X))
    used = np.ones(len(X), dtype=bool)
    used[names[: round(guard.held_out * len(X))]] = False
    return X[used] if y is None else (X[used], y[used])


def test_is_the_mahalanobis_distance_under_the_shrunk_covariance():
    X, y = simulated()
    guard = sl.FeatureDistance(random_state=0).fit(X, y)
    X_used, y_used = learned_from(guard, X, y)
    means = np.array([X_used[y_used == c].mean(0) for c in range(3)])
    shrunk = LedoitWolf(assume_centered=True).fit(X_used - means[y_used])
    inverse = np.linalg.inv(shrunk.covariance_)
    expected = [min(mahalanobis(x, mean, inverse) for mean in means) for x in X[:50]]
    np.testing.assert_allclose(guard.distance(X[:50]), expected, rtol=1e-6)


def test_keeps_its_false_alarm_rate_and_finds_what_is_new():
    X, y = simulated(8000)
    guard = sl.FeatureDistance(false_alarm_rate=0.05, random_state=0).fit(X[:4000], y[:4000])
    # Threshold from 1,000 samples, tested on 4,000: 4 standard deviations of both.
    error = np.sqrt(0.05 * 0.95 * (1 / 1000 + 1 / 4000))
    assert abs(guard.is_out_of_distribution(X[4000:]).mean() - 0.05) < 4 * error
    assert guard.is_out_of_distribution(X[4000:] + np.array([40, -40, 0, 0, 0, 0])).mean() > 0.95


def test_more_features_than_samples():
    X = np.random.default_rng(0).normal(size=(120, 400))
    guard = sl.FeatureDistance(false_alarm_rate=0.05, random_state=0).fit(X)
    assert np.isfinite(guard.distance(X)).all()
    assert guard.is_out_of_distribution(X + 1.5).all()


def test_constant_and_repeated_features():
    X, _ = simulated()
    X = np.column_stack([X, np.ones(len(X)), X[:, 0]])
    guard = sl.FeatureDistance(random_state=0).fit(X)
    assert guard.is_out_of_distribution(X).mean() < 0.05
    assert guard.is_out_of_distribution(X + np.eye(8)[6]).all()  # a constant feature that changes


def test_groups_are_held_out_together():
    X, _ = simulated(40)
    groups = np.repeat(np.arange(20), 2)
    X[1::2] = X[::2]  # two equal images of each patient
    guard = sl.FeatureDistance(false_alarm_rate=0.2, random_state=0).fit(X, groups=groups)
    alone = sl.FeatureDistance(false_alarm_rate=0.2, random_state=0).fit(X)
    assert guard.threshold_ > alone.threshold_


def test_pickles():
    X, y = simulated()
    guard = sl.FeatureDistance(random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(guard))
    np.testing.assert_array_equal(again.distance(X), guard.distance(X))


def test_bad_input():
    X, _ = simulated(100)
    with pytest.raises(
        ValueError,
        match=r"FeatureDistance.fit: expected at least 99 samples held out for a false_alarm_rate "
        r"of 0.01, got 25 \(held_out=0.25 of 100\)",
    ):
        sl.FeatureDistance().fit(X)
    with pytest.raises(ValueError, match="features that vary"):
        sl.FeatureDistance(false_alarm_rate=0.1).fit(np.ones((100, 3)))
    with pytest.raises(ValueError, match=r"held_out must lie in \(0, 1\), got 1"):
        sl.FeatureDistance(held_out=1).fit(X)
    with pytest.raises(ValueError, match="NaN"):
        sl.FeatureDistance().fit(np.where(X[0, 0] == X, np.nan, X))
    with pytest.raises(ValueError, match="75 samples of 75 classes with equal samples in each"):
        sl.FeatureDistance(false_alarm_rate=0.1).fit(X, np.arange(100))
    guard = sl.FeatureDistance(false_alarm_rate=0.1).fit(X)
    before = guard.distance(X)
    with pytest.raises(ValueError, match="expected at least 9 samples held out"):
        guard.fit(X[:20, :3])
    np.testing.assert_array_equal(guard.distance(X), before)  # unchanged
    with pytest.raises(ValueError, match="6 features"):
        guard.distance(X[:, :3])
    with pytest.raises(ValueError, match=r"groups of shape \(100,\)"):
        guard.fit(X, groups=[1, 2])
    with pytest.raises(ValueError, match=r"FeatureDistance.fit: expected y of shape \(100,\)"):
        guard.fit(X, y=[1, 2])
    with pytest.raises(ValueError, match=r"FeatureDistance.fit: expected y without missing .* 1"):
        guard.fit(X, y=[0, None] * 50)
    with pytest.raises(ValueError, match="expected held_out as a number, got '1/4'"):
        sl.FeatureDistance(held_out="1/4").fit(X)
