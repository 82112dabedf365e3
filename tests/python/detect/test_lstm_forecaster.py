import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import secondlook as sl


def small(**parameters):
    chosen = {
        "window": 24,
        "hidden": 12,
        "max_epochs": 25,
        "learning_rate": 1e-2,
        "batch_size": 8,
        "n_jobs": 1,
        "random_state": 0,
    }
    return sl.LSTMForecaster(**{**chosen, **parameters})


ORDERED = "samples are steps of a series: each score depends on those before"
EXPECTED_TO_FAIL = {
    "check_methods_subset_invariance": ORDERED,
    "check_methods_sample_order_invariance": ORDERED,
    "check_fit2d_1sample": "a series is longer than one step, and the error counts steps",
    "check_outliers_train": "the first samples of a series, the warm-up, have no score",
    "check_outliers_fit_predict": "the first samples, without a score, are neither 1 nor -1",
}


@parametrize_with_checks(
    [small(window=2, max_epochs=2)],
    expected_failed_checks=lambda _: EXPECTED_TO_FAIL,
)
def test_follows_the_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def test_a_sample_without_a_score_is_unknown():
    load = np.sin(np.arange(300) / 4)[:, None]
    load[200:240] = np.nan
    model = small(window=24, max_epochs=1).fit(load)
    values, calls = model.decision_function(load), model.predict(load)
    assert np.isnan(values[:24]).all()
    np.testing.assert_array_equal(calls == 0, np.isnan(values))
    np.testing.assert_array_equal(calls == -1, values < 0)
    np.testing.assert_array_equal(calls == 1, values >= 0)
    stream = model.stream()
    verdicts = [stream.push(sample).verdict for sample in load]
    names = {0: "unknown", 1: "normal", -1: "anomaly"}
    assert verdicts == [names[call] for call in calls]


def wave(steps=1200, seed=0):
    random = np.random.default_rng(seed)
    t = np.arange(steps) + 24 * random.uniform()
    x = np.sin(2 * np.pi * t / 24)
    return np.c_[10 + 5 * x, x**2] + 0.05 * random.normal(size=(steps, 2))


@pytest.fixture(scope="module")
def model():
    return small().fit(wave())


def test_a_break_in_the_rhythm_stands_out(model):
    X = wave(400, seed=1)
    X[300:306, 0] = X[300, 0]  # stuck
    scores = model.score_samples(X)
    assert np.isnan(scores[:24]).all()
    assert np.nanargmin(scores) in range(301, 307)
    assert np.nanmean(scores[:300]) == pytest.approx(-1, abs=0.3)


def test_forecasts_better_than_the_last_value(model):
    X = wave(324, seed=2)
    ahead = model.forecast(X[:300], steps=24)
    assert ahead.shape == (24, 2)
    naive = X[299] - X[300:]
    assert ((ahead - X[300:]) ** 2).mean() < 0.2 * (naive**2).mean()


def test_residuals_are_the_samples_minus_the_forecasts_of_the_stream(model):
    X = wave(300, seed=8)
    X[50, 0] = 1e4  # not clipped in its residual, clipped as input of later forecasts
    X[60:66, 0] = np.nan
    X[90] = np.nan
    X[200:230] = np.nan
    expected = np.full_like(X, np.nan)
    for t in np.flatnonzero(~np.isnan(model.score_samples(X))):
        expected[t] = X[t] - model.forecast(X[:t], steps=1)[0]
    residuals = model.residuals(X)
    np.testing.assert_array_equal(residuals, expected)
    assert residuals[50, 0] == pytest.approx(1e4, rel=0.01)


def test_residuals_are_missing_if_the_score_or_the_sample_is(model):
    X = wave(200, seed=9)
    X[100:104, 1] = np.nan
    X[120] = np.nan
    missing = np.isnan(X)
    missing[:24] = True
    residuals = model.residuals(X)
    np.testing.assert_array_equal(np.isnan(residuals), missing)
    assert residuals.shape == X.shape
    np.testing.assert_array_equal(np.isnan(residuals).all(axis=1), np.isnan(model.score_samples(X)))


def test_residuals_of_a_lasting_shortfall_are_negative(model):
    X = wave(400, seed=10)
    before = model.residuals(X)
    X[200:, 0] -= 0.5
    after = model.residuals(X)
    assert after[200:203, 0].mean() < before[200:203, 0].mean() - 0.25


def test_residuals_of_lists_and_of_floats_are_the_same(model):
    X = wave(100, seed=11).astype(np.float32)
    expected = model.residuals(X.astype(np.float64))
    np.testing.assert_array_equal(model.residuals(X.astype(np.float64).tolist()), expected)
    residuals = model.residuals(X)
    assert residuals.dtype == np.float64
    # Only the scaling of the inputs may round differently.
    np.testing.assert_allclose(residuals, expected, atol=1e-4)


def test_residuals_rejects_unsuitable_series(model):
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.residuals(wave(50)[:, :1])
    with pytest.raises(ValueError, match="2D array"):
        model.residuals(wave(50)[:, 0])
    with pytest.raises(ValueError, match=r"LSTMForecaster.residuals: expected finite"):
        model.residuals(np.full((50, 2), np.inf))
    with pytest.raises(NotFittedError):
        small().residuals(wave(50))


def test_contributions_sum_to_the_score_and_point_at_the_channel(model):
    X = wave(200, seed=3)
    X[150, 1] += 2
    parts, scores = model.feature_contributions(X), model.score_samples(X)
    np.testing.assert_allclose(parts[24:].sum(axis=1), -scores[24:])
    assert parts[150].argmax() == 1


def test_gaps_are_bridged_for_a_limited_time(model):
    X = wave(300, seed=4)
    X[100:108] = np.nan
    X[200:230] = np.nan
    scores = model.score_samples(X)
    assert np.isnan(scores[100:108]).all()
    assert np.isfinite(scores[108:200]).all()
    assert np.isnan(scores[200 : 230 + 24]).all()
    assert np.isfinite(scores[254:]).all()


def test_trains_on_a_fleet_of_devices_as_separate_series():
    devices = [wave(100 + 10 * i, seed=i) for i in range(6)]
    model = small().fit(devices)
    loss = model.history_["validation_loss"]
    assert loss.min() < 0.2 * loss[0]
    stacked = small().fit(np.stack([wave(120, seed=i) for i in range(4)]).tolist())
    assert stacked.n_features_in_ == 2


def test_copies_clones_and_files_are_the_same_model(model, tmp_path):
    X = wave(100, seed=5)
    scores = model.score_samples(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).score_samples(X), scores)
    np.testing.assert_array_equal(clone(model).fit(wave()).score_samples(X), scores)
    model.save(tmp_path / "site.safetensors")
    loaded = sl.load(tmp_path / "site.safetensors")
    np.testing.assert_array_equal(loaded.score_samples(X), scores)
    assert loaded.get_params() == model.get_params()


def test_tensors_match_torch(model, tmp_path):
    """Compute one step from the tensors of the file, which have torch's layout."""
    from safetensors.numpy import load_file

    model.save(tmp_path / "site.safetensors")
    w = load_file(tmp_path / "site.safetensors")
    assert w["layers.0.weight_input"].shape == (48, 2)
    assert w["layers.0.weight_hidden"].shape == (48, 12)
    X = wave(30, seed=6)
    h, c = np.zeros(12), np.zeros(12)

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    for x in (X - w["scaler.mean"]) / w["scaler.scale"]:
        gates = w["layers.0.weight_input"] @ x + w["layers.0.weight_hidden"] @ h
        i, f, g, o = np.split(gates + w["layers.0.bias"], 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    y = w["head.weight"] @ h + w["head.bias"]
    expected = y * w["scaler.scale"] + w["scaler.mean"]
    np.testing.assert_allclose(model.forecast(X, steps=1)[0], expected, rtol=1e-4)


def test_continued_training_follows_a_new_rhythm(model):
    X = wave(1200, seed=7)[::2]  # twice as fast
    grown = pickle.loads(pickle.dumps(model))
    before = np.nanmean(grown.score_samples(X))
    for _ in range(10):
        grown.partial_fit(X)
    assert np.nanmean(grown.score_samples(X)) > 0.5 * before
    with pytest.warns(sl.StaleDecisionWarning):
        grown.predict(X)
    grown.fit_offset(X).predict(X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (wave(12), r"at least 25 steps \(window 24 \+ 1\), got 12"),
        (np.full((100, 1), np.nan), "channel 0"),
        (np.full((100, 1), np.inf), "infinite|infinity|finite"),
        ([wave(50), wave(50)[:, :1]], "features|channels"),
        ([wave(50), wave(10)], "at least 25 steps"),
    ],
)
def test_rejects_bad_series(X, message):
    with pytest.raises(ValueError, match=message):
        small().fit(X)


def test_rejects_bad_steps(model):
    with pytest.raises(ValueError, match="steps"):
        model.forecast(wave(50), steps=0)


def test_a_diverging_loss_is_an_error():
    with pytest.raises(ValueError, match="diverged"):
        small(learning_rate=1e30).fit(wave(300))
