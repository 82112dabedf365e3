import math

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn import metrics

import secondlook as sl


def simulated(n=400, seed=0):
    random = np.random.default_rng(seed)
    p = random.beta(0.8, 1.2, size=n)
    return (random.random(n) < p).astype(int), p.round(3)


def test_values_agree_with_scikit_learn():
    y, p = simulated()
    found = sl.binary_metrics(y, p, 0.4, beta=2, n_bootstrap=0)
    predicted = p >= 0.4
    assert found.accuracy.value == metrics.accuracy_score(y, predicted)
    assert found.specificity.value == metrics.recall_score(y, predicted, pos_label=0)
    assert found.f_beta.value == pytest.approx(metrics.fbeta_score(y, predicted, beta=2))
    assert found.matthews.value == pytest.approx(metrics.matthews_corrcoef(y, predicted))
    assert found.roc_auc.value == pytest.approx(metrics.roc_auc_score(y, p))
    assert found.average_precision.value == pytest.approx(metrics.average_precision_score(y, p))
    assert found.brier.value == pytest.approx(metrics.brier_score_loss(y, p))
    bins = np.minimum((p * 15).astype(int), 14)
    distances = [abs((p - y)[bins == b].sum()) for b in range(15)]
    assert found.expected_calibration_error.value == pytest.approx(sum(distances) / len(y))


def test_intervals():
    y, p = simulated()
    found = sl.binary_metrics(y, p, confidence=0.9)
    assert found.recall[1:] == sl.binomial_interval(
        found.confusion.true_positives, int(y.sum()), confidence=0.9
    )
    for estimate in (found.f_beta, found.roc_auc, found.average_precision, found.brier):
        assert estimate.low < estimate.value < estimate.high
    # Hanley & McNeil's approximate standard deviation of the area gives about the same width.
    area, n1, n0 = found.roc_auc.value, y.sum(), (1 - y).sum()
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    deviation = math.sqrt(
        (area * (1 - area) + (n1 - 1) * (q1 - area**2) + (n0 - 1) * (q2 - area**2)) / (n1 * n0)
    )
    width = found.roc_auc.high - found.roc_auc.low
    assert width == pytest.approx(2 * 1.645 * deviation, rel=0.15)


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say():
    _, p = simulated(200_000)
    truth = 2 * np.mean(p * (1 - p)) / 2  # expected squared error of a calibrated probability
    covered = []
    for seed in range(300):
        y, p = simulated(300, seed)
        found = sl.binary_metrics(y, p, n_bootstrap=300, random_state=seed).brier
        covered.append(found.low <= truth <= found.high)
    # A percentile interval is slightly too short; 4 standard deviations of the fraction of 300.
    assert 0.93 - 4 * math.sqrt(0.93 * 0.07 / 300) < np.mean(covered)


def binned_error(p, q, bins=15):
    """Return the true calibration error of probabilities, given the true ones."""
    numbers = np.minimum((p * bins).astype(int), bins - 1)
    return np.abs(np.bincount(numbers, p - q)).sum() / len(p)


BELIEFS = {
    "honest": lambda q: q,
    "honest of rare cases": lambda q: q**4,
    "a little too sure": lambda q: expit(1.2 * logit(q)),
    "too sure": lambda q: expit(2 * logit(q)),
    "too high": lambda q: np.minimum(q + 0.05, 1),
    "sure of all": lambda q: np.where(q > 0.5, 0.99, 0.01),
    "surer of the rare than they are": lambda q: 0 * q,
}


@pytest.mark.parametrize("n", [100, 500])
@pytest.mark.parametrize("belief", BELIEFS)
def test_the_interval_of_the_calibration_error_covers_it(belief, n):
    def draw(n, random):
        q = random.beta(0.8, 1.2, size=n)
        if belief == "honest of rare cases":
            return q**4, q**4
        if belief == "surer of the rare than they are":
            return 0 * q, np.full(n, 0.01)
        return BELIEFS[belief](q), q

    truth = binned_error(*draw(1_000_000, np.random.default_rng(0)))
    covered = []
    for seed in range(400):
        random = np.random.default_rng(seed)
        p, q = draw(n, random)
        y = (random.random(n) < q).astype(int)
        found = sl.binary_metrics(y, p, n_bootstrap=400, random_state=seed)
        error = found.expected_calibration_error
        assert error.low <= error.value <= error.high
        covered.append(error.low <= truth <= error.high)
    # With 400 draws, a fraction of 95 % is known to 4 times 1.1 %; the interval is conservative.
    assert np.mean(covered) >= 0.93


def test_the_interval_of_the_calibration_error_is_of_use():
    y, p = simulated(5000)
    honest = sl.binary_metrics(y, p, n_bootstrap=400).expected_calibration_error
    assert honest.low == 0
    assert honest.high < 0.04
    far = sl.binary_metrics(y, expit(3 * logit(p)), n_bootstrap=400).expected_calibration_error
    assert far.low > 0.1
    assert far.high < 0.2
    unknown = sl.binary_metrics(y, p, n_bootstrap=0).expected_calibration_error
    assert math.isnan(unknown.low)


@pytest.mark.parametrize("state", [None, -1, np.random.RandomState(3)])
def test_takes_any_random_state(state):
    assert sl.binary_metrics([0, 1], [0.1, 0.2], n_bootstrap=10, random_state=state)


def test_does_not_depend_on_the_number_of_threads():
    y, p = simulated()
    assert sl.binary_metrics(y, p, n_jobs=1) == sl.binary_metrics(y, p, n_jobs=2)
    assert sl.binary_metrics(y, p) != sl.binary_metrics(y, p, random_state=1)


def test_scores_that_are_no_probabilities():
    y, p = simulated()
    found = sl.binary_metrics(y, 10 * p - 5, threshold=0.0, n_bootstrap=50)
    assert math.isnan(found.brier.value)
    assert math.isnan(found.expected_calibration_error.value)
    assert found.roc_auc.value == pytest.approx(sl.binary_metrics(y, p).roc_auc.value)


def test_one_class():
    found = sl.binary_metrics([1, 1, 1], [0.2, 0.6, 0.7], n_bootstrap=20)
    assert math.isnan(found.roc_auc.value)
    assert math.isnan(found.specificity.value)
    assert found.recall.value == pytest.approx(2 / 3)


def test_reads_well():
    y, p = simulated()
    lines = str(sl.binary_metrics(y, p, n_bootstrap=20)).splitlines()
    assert lines[0].split() == ["negative", "positive"]
    assert any(line.startswith("recall  ") and " to " in line for line in lines)


def test_bad_input():
    with pytest.raises(ValueError, match="beta must be above 0, got 0"):
        sl.binary_metrics([0, 1], [0.1, 0.2], beta=0)
    with pytest.raises(
        ValueError, match="expected n_bootstrap as a whole number from 0 .*, got -1"
    ):
        sl.binary_metrics([0, 1], [0.1, 0.2], n_bootstrap=-1)
    with pytest.raises(ValueError, match=r"confidence must lie in \(0, 1\), got 1"):
        sl.binary_metrics([0, 1], [0.1, 0.2], confidence=1)
    with pytest.raises(ValueError, match="expected threshold as a number, got '0.5'"):
        sl.binary_metrics([0, 1], [0.1, 0.2], threshold="0.5")
    with pytest.raises(ValueError, match="n_jobs"):
        sl.binary_metrics([0, 1], [0.1, 0.2], n_jobs=0)
