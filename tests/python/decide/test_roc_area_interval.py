import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from secondlook.decide.roc_area_interval import roc_area_interval


def delong_variance(y, score):
    """The textbook's double loop."""
    positive, negative = score[y == 1], score[y == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    return wins.mean(1).var(ddof=1) / len(positive) + wins.mean(0).var(ddof=1) / len(negative)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def test_equals_the_textbook_with_ties():
    random = np.random.default_rng(0)
    y = np.arange(80) % 3 == 0
    score = np.round(random.normal(1.0 * y), 1)
    found = roc_area_interval(y, score)
    area = roc_auc_score(y, score)
    margin = 1.959964 * np.sqrt(delong_variance(y, score)) / (area * (1 - area))
    middle = np.log(area / (1 - area))
    assert found == pytest.approx((area, logistic(middle - margin), logistic(middle + margin)))


def test_covers_the_true_area_as_often_as_it_says():
    random = np.random.default_rng(1)
    true_area = 0.921350  # of normal scores that are 2 standard deviations apart
    covered = 0
    for _ in range(400):
        y = np.arange(120) % 4 == 0
        found = roc_area_interval(y, random.normal(2.0 * y))
        covered += found.low <= true_area <= found.high
    assert 0.92 <= covered / 400 <= 0.98  # 0.95, within 2.8 standard errors


def test_cases_of_a_group_count_once():
    random = np.random.default_rng(2)
    y = np.arange(60) % 2
    score = random.normal(1.0 * y)
    once = roc_area_interval(y, score)
    thrice = roc_area_interval(np.tile(y, 3), np.tile(score, 3), groups=np.tile(np.arange(60), 3))
    assert thrice.value == pytest.approx(once.value)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), abs=0.003)
    without = roc_area_interval(np.tile(y, 3), np.tile(score, 3))
    assert without.high - without.low < 0.65 * (once.high - once.low)


def test_many_classes_are_averaged_one_against_the_rest():
    random = np.random.default_rng(3)
    y = np.arange(90) % 3
    score = random.normal(size=(90, 3)) + np.eye(3)[y]
    areas = [roc_auc_score(y == k, score[:, k]) for k in range(3)]
    found = roc_area_interval(y, score)
    assert found.value == pytest.approx(np.mean(areas))
    assert found.low < found.value < found.high
    p = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
    assert roc_area_interval(y, p).value == pytest.approx(
        roc_auc_score(y, p, multi_class="ovr", average="macro")
    )


def test_a_perfect_area_is_uncertain_as_well():
    y = np.repeat([0, 1], [40, 10])
    found = roc_area_interval(y, y.astype(float))
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(0.025 ** (1 / 10))
    worst = roc_area_interval(y, -y.astype(float))
    assert (worst.value, worst.low) == (0, 0)
    assert worst.high == pytest.approx(1 - found.low)


def test_scores_without_spread_and_a_single_class():
    assert roc_area_interval([0, 1, 0, 1], np.ones(4)).value == 0.5
    assert np.isnan(roc_area_interval([1, 1], [0.2, 0.4])).all()
    one_of_a_class = roc_area_interval([0, 0, 1], [0.1, 0.9, 0.5])
    assert 0 < one_of_a_class.low < one_of_a_class.high < 1


@pytest.mark.parametrize(
    ("y", "score", "options", "message"),
    [
        ([0, 1, 1], [0.1, 0.2], {}, "expected the index of a class per score"),
        ([0, 2], [0.1, 0.2], {}, "expected classes from 0 to 1, got 0 to 2"),
        ([0, 1], [0.1, np.nan], {}, "expected finite scores"),
        ([0, 1], [0.1, 0.2], {"groups": [1]}, "expected one group per score"),
        ([0, 1], [0.1, 0.2], {"confidence": 1}, r"expected confidence in \(0, 1\)"),
    ],
)
def test_names_bad_input(y, score, options, message):
    with pytest.raises(ValueError, match=f"roc_area_interval: {message}"):
        roc_area_interval(y, score, **options)
