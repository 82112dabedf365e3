import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

import secondlook as sl

# Few distinct scores, so that there are many ties.
labelled = st.lists(
    st.tuples(st.integers(0, 1), st.integers(-4, 4).map(float)), min_size=2, max_size=60
).filter(lambda cases: len({y for y, _ in cases}) == 2)
floor = st.none() | st.sampled_from([0.0, 0.3, 0.5, 0.55, 0.8, 0.95, 1.0])
OBJECTIVES = {
    "accuracy": lambda c: c.accuracy,
    "f_beta": lambda c: (
        5
        * c.true_positives
        / max(5 * c.true_positives + 4 * c.false_negatives + c.false_positives, 1e-9)
    ),
    "balanced_accuracy": lambda c: c.balanced_accuracy,
    "negative_cost": lambda c: (
        -(3 * c.false_negatives + 0.5 * c.false_positives)
        / (c.false_negatives + c.false_positives + c.true_negatives + c.true_positives)
    ),
}


def lower_bound_keeps(k, n, floor, confidence):
    """Return whether the exact lower bound of k / n is at least the floor."""
    return (
        n > 0 and binom.sf(k - 1, n, floor) <= 1 - confidence + 1e-12
    )  # tolerance for a tail of exactly one half


def brute_force(y, score, objective, min_recall, min_precision, min_specificity, confidence):
    """Reference: try every threshold and return the lowest of the best."""
    best = None
    for cut in [*np.unique(score), math.inf]:
        c = sl.confusion_matrix(y, score, cut)
        fractions = [
            (min_recall, c.true_positives, c.true_positives + c.false_negatives),
            (min_precision, c.true_positives, c.true_positives + c.false_positives),
            (min_specificity, c.true_negatives, c.true_negatives + c.false_positives),
        ]
        if all(
            floor is None
            or (
                n > 0 and k / n >= floor
                if confidence is None
                else lower_bound_keeps(k, n, floor, confidence)
            )
            for floor, k, n in fractions
        ):
            value = OBJECTIVES[objective](c)
            if best is None or value > best[1] + 1e-12:
                best = cut, value
    return best


@given(
    labelled,
    st.sampled_from(sorted(OBJECTIVES)),
    floor,
    floor,
    floor,
    st.none() | st.sampled_from([0.5, 0.9]),
)
def test_agrees_with_brute_force(cases, objective, recall, precision, specificity, confidence):
    y, score = np.array(cases).T
    expected = brute_force(y, score, objective, recall, precision, specificity, confidence)
    arguments = {
        "beta": 2,
        "costs": (3, 0.5),
        "min_recall": recall,
        "min_precision": precision,
        "min_specificity": specificity,
        "floor_confidence": confidence,
    }
    if expected is None:
        with pytest.raises(ValueError, match="no threshold has .*; the nearest, .*, has"):
            sl.tune_threshold(y, score, objective, **arguments)
        return
    found = sl.tune_threshold(y, score, objective, **arguments)
    assert found.threshold == expected[0]
    assert found.objective == pytest.approx(expected[1])
    # Compared by counts, because undefined measures are NaN, which is not equal to itself.
    assert str(found.confusion) == str(sl.confusion_matrix(y, score, found.threshold))


def test_a_floor_that_cannot_be_kept_names_what_comes_nearest():
    y, score = [0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]
    with pytest.raises(ValueError) as error:
        sl.tune_threshold(y, score, min_recall=0.9, min_precision=0.9)
    # 0.2 has recall 1 and precision 2/3; 0.4 has precision 1 but recall only 1/2.
    assert str(error.value) == (
        "tune_threshold: no threshold has recall of at least 0.9, precision of at least 0.9; "
        "the nearest, 0.2, has recall 1, precision 0.6667"
    )


@pytest.mark.slow
def test_a_recall_floor_at_a_confidence_holds_as_often_as_it_says():
    random = np.random.default_rng(0)
    confidence, broken, n = 0.9, 0, 2000
    for _ in range(n):
        y = np.repeat([0, 1], 150)
        score = random.normal(1.5 * y)
        found = sl.tune_threshold(y, score, min_recall=0.8, floor_confidence=confidence)
        true_recall = 0.5 * math.erfc((found.threshold - 1.5) / math.sqrt(2))
        broken += true_recall < 0.8
    # Choosing the threshold costs no confidence: at most 10 %, and 4 standard deviations.
    assert broken / n < 0.1 + 4 * math.sqrt(0.1 * 0.9 / n)


def test_useless_scores():
    found = sl.tune_threshold([0, 0, 1], [0.5, 0.5, 0.5])
    assert found.threshold == math.inf
    assert found.confusion.true_negatives == 2
    assert sl.tune_threshold([0, 0, 1], [0.5, 0.5, 0.5], min_recall=0.9).threshold == 0.5


def test_bad_input():
    with pytest.raises(ValueError, match="both classes, got 0 positive and 2 negative"):
        sl.tune_threshold([0, 0], [0.1, 0.2])
    with pytest.raises(ValueError, match="one of 'accuracy', 'f_beta', .*, got 'f1'"):
        sl.tune_threshold([0, 1], [0.1, 0.2], "f1")
    with pytest.raises(ValueError, match=r"floors must lie in \[0, 1\], got 95"):
        sl.tune_threshold([0, 1], [0.1, 0.2], min_recall=95)
    with pytest.raises(ValueError, match="costs must be at least 0, got -1"):
        sl.tune_threshold([0, 1], [0.1, 0.2], costs=(-1, 1))
    with pytest.raises(ValueError, match="finite scores, got nan at index 1"):
        sl.tune_threshold([0, 1], [0.1, np.nan])
    with pytest.raises(ValueError, match=r"y_true of shape \(2,\)"):
        sl.tune_threshold([0, 1, 1], [0.1, 0.2])


def test_a_floor_at_a_confidence_that_cannot_be_kept_shows_its_lower_bound():
    y, score = np.repeat([0, 1], 10), np.arange(20.0)
    with pytest.raises(ValueError) as error:
        sl.tune_threshold(y, score, min_recall=0.9, floor_confidence=0.95)
    # All ten are found, so the bound is 0.05 ** (1 / 10).
    assert str(error.value) == (
        "tune_threshold: no threshold has recall of at least 0.9, at a confidence of 0.95; "
        "the nearest, 0, has recall 1 (at least 0.7411)"
    )
    # One of one proves less than nine of ten.
    y, score = [0] * 5 + [1] * 8 + [0] + [1] * 2, range(16)
    with pytest.raises(ValueError, match=r"the nearest, 5, has precision 0.9091 \(at least 0.6356"):
        sl.tune_threshold(y, score, min_precision=0.9, floor_confidence=0.95)


def test_says_what_was_expected_and_what_came():
    for arguments, message in (
        ({"costs": (1,)}, r"expected costs as 2 numbers, got \(1,\)"),
        ({"min_recall": "high"}, "expected min_recall as a number, got 'high'"),
        ({"beta": None}, "expected beta as a number, got None"),
        ({"maximize": 3}, "expected maximize as a string, got 3"),
    ):
        with pytest.raises(ValueError, match="tune_threshold: " + message):
            sl.tune_threshold([0, 1], [0.1, 0.2], **arguments)
        with pytest.raises(ValueError, match="tune_threshold: " + message):
            sl.DecisionRule(threshold=arguments).fit([0.1, 0.2], [0, 1])
    with pytest.raises(ValueError, match="expected labels 0 .*, got None at index 1"):
        sl.tune_threshold([0, None], [0.1, 0.2])
