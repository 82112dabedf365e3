import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression

import secondlook as sl

labelled = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-8, 8).map(float)), min_size=4, max_size=80
).filter(lambda cases: len({y for y, _ in cases}) == 2)


@given(labelled)
def test_isotonic_agrees_with_scikit_learn(cases):
    y, score = np.array(cases).T
    grid = np.linspace(-9, 9, 100)
    ours = sl.Calibration("isotonic").fit(score, y).probability(grid)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(score, y).predict(grid)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_platt_is_the_smoothed_maximum_likelihood(scale):
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 300)
    score = random.normal(y) * scale
    fitted = sl.Calibration("platt").fit(score, y)
    n1, n0 = y.sum(), (1 - y).sum()
    target = np.where(y == 1, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))

    def loss(parameters):
        x = parameters[0] * score / scale + parameters[1]
        return np.sum(np.logaddexp(0, x) - target * x)

    best = minimize(loss, [1.0, 0.0], tol=1e-12).x
    assert fitted.slope_ * scale == pytest.approx(best[0], rel=1e-5)
    assert fitted.intercept_ == pytest.approx(best[1], abs=1e-5)
    theirs = _SigmoidCalibration().fit(score / scale, y).predict(score / scale)
    np.testing.assert_allclose(fitted.probability(score), theirs, atol=1e-4)


def test_temperature_is_the_maximum_likelihood():
    random = np.random.default_rng(0)
    logits = random.normal(size=(500, 4)) * 5
    y = np.array([random.choice(4, p=np.exp(log_softmax(row / 2.5))) for row in logits])
    found = sl.fit_temperature(logits, y)

    def loss(temperature):
        return -log_softmax(logits / temperature, axis=1)[np.arange(500), y].sum()

    best = minimize_scalar(loss, bounds=(0.1, 20), method="bounded", options={"xatol": 1e-9}).x
    assert found == pytest.approx(best, rel=1e-6)
    score, two = logits[:, 1] - logits[:, 0], (random.random(500) < 0.5).astype(int)
    fitted = sl.Calibration("temperature").fit(score, two)
    temperature = sl.fit_temperature(np.column_stack([0 * score, score]), two)
    np.testing.assert_allclose(fitted.probability(score), expit(score / temperature), rtol=1e-9)


@pytest.mark.parametrize("method", ["platt", "isotonic", "temperature"])
def test_makes_scores_honest(method):
    random = np.random.default_rng(1)
    logit = random.normal(0, 2, 20_000)
    y = (random.random(20_000) < expit(logit)).astype(int)
    overconfident = 3 * logit
    fitted = sl.Calibration(method).fit(overconfident[:10_000], y[:10_000])
    before = sl.binary_metrics(y[10_000:], expit(overconfident[10_000:]), n_bootstrap=0)
    after = sl.binary_metrics(y[10_000:], fitted.probability(overconfident[10_000:]), n_bootstrap=0)
    assert before.expected_calibration_error.value > 0.08
    assert after.expected_calibration_error.value < 0.02


@pytest.mark.parametrize("method", ["platt", "isotonic", "temperature"])
@pytest.mark.parametrize("score", [[1.0, 1.0, 1.0, 1.0], [-9.0, -8.0, 8.0, 9.0]])
def test_degenerate_scores(method, score):
    fitted = sl.Calibration(method).fit(score, [0, 0, 1, 1])
    p = fitted.probability([*score, -1e300, 1e300])
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(np.diff(p[:4]) >= 0)


@pytest.mark.parametrize("method", ["platt", "isotonic", "temperature"])
def test_pickles(method):
    fitted = sl.Calibration(method).fit([1.0, 3.0, 2.0, 4.0], [0, 0, 1, 1])
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.probability([1.5, 3.5]), fitted.probability([1.5, 3.5]))


def test_bad_input():
    with pytest.raises(ValueError, match="'platt', 'isotonic', 'temperature', got 'beta'"):
        sl.Calibration("beta").fit([1.0, 2.0], [0, 1])
    with pytest.raises(ValueError, match="both classes, got 2 positive and 0 negative"):
        sl.Calibration().fit([1.0, 2.0], [1, 1])
    with pytest.raises(ValueError, match="finite scores, got nan at index 0"):
        sl.Calibration().fit([np.nan, 2.0], [0, 1])
    with pytest.raises(ValueError, match="not fitted"):
        sl.Calibration().probability([1.0])
    with pytest.raises(ValueError, match="labels from 0 to 1, got 2 at index 0"):
        sl.fit_temperature([[0.0, 1.0]], [2])
    with pytest.raises(ValueError, match="2 logits, got shape"):
        sl.fit_temperature([[0.0]], [0])
    with pytest.raises(ValueError, match=r"y_true of shape \(1,\), got shape \(2,\)"):
        sl.fit_temperature([[0.0, 1.0]], [0, 1])
    for wrong in ([0.5, 1], [np.nan, 1], [None, 1], ["a", "b"]):
        with pytest.raises(
            ValueError, match="fit_temperature: expected labels .*, got .* at index"
        ):
            sl.fit_temperature([[0.0, 1.0], [1.0, 0.0]], wrong)
        with pytest.raises(ValueError, match="Calibration.fit: expected labels 0 .* at index"):
            sl.Calibration().fit([1.0, 2.0], wrong)
    logits = [[0.0, 1.0], [1.0, 0.0]]
    assert sl.fit_temperature(logits, [1.0, 0.0]) == sl.fit_temperature(logits, [1, 0])
    with pytest.raises(ValueError, match="Calibration.fit: expected method as a string, got None"):
        sl.Calibration(None).fit([1.0, 2.0], [0, 1])
