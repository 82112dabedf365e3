import math
import pickle
import warnings
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm
from sklearn.base import clone

import secondlook as sl

# Few distinct scores, so that there are many ties.
labelled = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 10).map(lambda i: i / 10)), min_size=2, max_size=60
).filter(lambda cases: len({y for y, _ in cases}) == 2)


def simulated(n=1000, seed=0, fraction=0.3, gap=2.0):
    random = np.random.default_rng(seed)
    y = (random.random(n) < fraction).astype(int)
    return random.normal(gap * y), y


def bands_of(score):
    """Return all bands that decide differently from each other."""
    return combinations_with_replacement([*np.unique(score), math.inf], 2)


def fitted_quietly(band, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sl.TooFewCasesWarning)
        return band.fit(*arguments)


def errors_and_referrals(band, score, y):
    counts = band.report(score, y).counts
    return counts[1, 0] + counts[0, 2], counts[:, 1].sum()


@given(labelled, st.sampled_from([0.1, 0.2, 0.35]), st.sampled_from([0.2, 0.5, 0.9]))
def test_a_guarantee_refers_least_among_the_bands_that_its_bounds_allow(cases, rate, confidence):
    y, score = np.array(cases).T
    band = fitted_quietly(sl.SuspiciousBand(rate, rate, confidence), score, y)
    risk = (1 - confidence) / 2

    def allowed(lower, upper):
        missed, alarms = np.sum(score[y == 1] < lower), np.sum(score[y == 0] >= upper)
        # If the rate were as high as allowed, even one more error would be improbable: the exact
        # bound of an order statistic. Without decisions there is nothing to prove.
        proofs = [
            (lower <= score.min() and missed == 0)
            or binom.cdf(missed, np.sum(y == 1), rate) <= risk,
            upper > score.max() or binom.cdf(alarms, np.sum(y == 0), rate) <= risk,
        ]
        return all(proofs)

    assert allowed(band.lower_, band.upper_)
    best = min(
        np.sum((score >= lower) & (score < upper))
        for lower, upper in bands_of(score)
        if allowed(lower, upper)
    )
    assert errors_and_referrals(band, score, y)[1] == best


@pytest.mark.parametrize("gap", [1.0, 3.0])
def test_a_guarantee_holds_as_often_as_it_says(gap):
    # 10,000 calibrations with known truth. If one in 20 may break the guarantee, more than this
    # many break it only once in 10,000 runs of this test.
    n, broken = 10_000, 0
    random = np.random.default_rng(0)
    y = np.repeat([0, 1], [250, 150])
    band = sl.SuspiciousBand(max_miss_rate=0.04, max_false_alarm_rate=0.03)
    for _ in range(n):
        band.fit(random.normal(gap * y), y)
        broken += norm.cdf(band.lower_ - gap) > 0.04 or norm.sf(band.upper_) > 0.03
    assert broken <= binom.ppf(1 - 1e-4, n, 0.05)
    assert broken > 0  # the bound is not overly conservative


@pytest.mark.slow
def test_a_guarantee_among_the_decided_holds_as_often_as_it_says():
    n, broken, decided = 10_000, 0, 0
    random = np.random.default_rng(0)
    band = sl.SuspiciousBand(
        0.05, 0.1, 0.9, guarantee="selective", threshold_grid=np.linspace(-2, 4, 121)
    )
    for _ in range(n):
        y = (random.random(1000) < 0.3).astype(int)
        fitted_quietly(band, random.normal(2 * y), y)
        negative = 0.7 * norm.cdf(band.lower_), 0.3 * norm.cdf(band.lower_ - 2)
        positive = 0.7 * norm.sf(band.upper_), 0.3 * norm.sf(band.upper_ - 2)
        decided += sum(negative) + sum(positive)
        broken += (
            negative[1] > 0.05 * sum(negative) + 1e-12 or positive[0] > 0.1 * sum(positive) + 1e-12
        )
    assert broken <= binom.ppf(1 - 1e-4, n, 0.1)
    assert decided / n > 0.3  # a reasonable fraction is decided


def test_refers_no_more_than_mapie_given_the_same_risk():
    control = pytest.importorskip("mapie.risk_control")

    def of_scores(scores, lower, upper):
        scores = np.ravel(scores)
        return np.select([scores >= upper, scores < lower], [1.0, 0.0], np.nan)

    missed = control.BinaryRisk(lambda y, p: p == 0, lambda y, p: y == 1, False)
    alarmed = control.BinaryRisk(lambda y, p: p == 1, lambda y, p: y == 0, False)
    referred = control.BinaryRisk(
        lambda y, p: np.isnan(p), lambda y, p: np.full(len(y), True), False
    )
    cuts = np.linspace(-2, 4, 25)
    pairs = np.array([(a, b) for a in cuts for b in cuts if a <= b])
    ours, theirs = [], []
    for seed in range(10):
        score, y = simulated(1500, seed)
        band = sl.SuspiciousBand(0.05, 0.05, 0.95).fit(score, y)
        ours.append(band.report(score, y).referral_rate.value)
        controller = control.BinaryClassificationController(
            of_scores,
            [missed, alarmed],
            [0.05, 0.05],
            confidence_level=0.95,
            best_predict_param_choice=referred,
            list_predict_params=pairs,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            controller.calibrate(score[:, None], y)
        best = controller.best_predict_param or (-math.inf, math.inf)
        theirs.append(np.mean(np.isnan(of_scores(score, *best))))
        assert ours[-1] <= theirs[-1]
    print(f"referred: {np.mean(ours):.1%}, by MAPIE {np.mean(theirs):.1%}")


@given(labelled, st.sampled_from([0.0, 0.07, 0.3, 1.0]))
def test_a_budget_is_spent_on_the_fewest_errors(cases, rate):
    y, score = np.array(cases).T
    band = sl.SuspiciousBand(max_referral_rate=rate).fit(score, y)
    outcomes = [
        errors_and_referrals(sl.SuspiciousBand.at(*cuts), score, y) for cuts in bands_of(score)
    ]
    affordable = [outcome for outcome in outcomes if outcome[1] <= rate * len(y) + 1e-9]
    assert errors_and_referrals(band, score, y) == min(affordable)


@given(labelled, st.tuples(*[st.integers(0, 5).map(float)] * 3))
def test_costs_are_the_least_of_all_bands(cases, costs):
    y, score = np.array(cases).T

    def cost(band):
        counts = band.report(score, y).counts
        return costs[0] * counts[1, 0] + costs[1] * counts[0, 2] + costs[2] * counts[:, 1].sum()

    band = sl.SuspiciousBand(costs=costs).fit(score, y)
    best = min(cost(sl.SuspiciousBand.at(*cuts)) for cuts in bands_of(score))
    assert cost(band) == pytest.approx(best)


@given(labelled, st.floats(0, 1), st.floats(0, 1))
def test_decisions_and_report_agree(cases, a, b):
    y, score = np.array(cases).T
    band = sl.SuspiciousBand.at(min(a, b), max(a, b))
    decisions = band.decide(score)
    report = band.report(score, y)
    for label in (0, 1):
        for place, name in enumerate(("negative", "refer", "positive")):
            assert report.counts[label, place] == np.sum((y == label) & (decisions == name))
    decided = decisions != "refer"
    assert report.referral_rate.value == pytest.approx(1 - decided.mean())
    if decided.any():
        right = (decisions == "positive") == (y == 1)
        assert report.accuracy.value == pytest.approx(right[decided].mean())
    else:
        assert math.isnan(report.accuracy.value)


def test_a_score_equal_to_a_cut_off_is_on_its_upper_side():
    band = sl.SuspiciousBand.at(0.2, 0.8)
    below = np.nextafter([0.2, 0.8], -1)
    assert band.decide([below[0], 0.2, below[1], 0.8]).tolist() == [
        "negative", "refer", "refer", "positive",
    ]  # fmt: skip


def test_one_cut_off_where_one_rate_is_bounded_or_the_two_cross():
    score, y = simulated(gap=2.0)
    for band in (
        sl.SuspiciousBand(max_miss_rate=0.05).fit(score, y),
        sl.SuspiciousBand(max_false_alarm_rate=0.05).fit(score, y),
        sl.SuspiciousBand(0.3, 0.3).fit(score, y),
    ):
        assert band.lower_ == band.upper_
        assert band.report(score, y).referral_rate.value == 0
    # If the thresholds cross, the one between them with the fewest errors serves both.
    low = sl.SuspiciousBand(max_false_alarm_rate=0.3, confidence=0.975).fit(score, y).upper_
    high = sl.SuspiciousBand(max_miss_rate=0.3, confidence=0.975).fit(score, y).lower_
    crossed = sl.SuspiciousBand(0.3, 0.3).fit(score, y)
    assert low <= crossed.lower_ <= high
    assert errors_and_referrals(crossed, score, y)[0] == min(
        np.sum((score >= cut) != y) for cut in [low, *score, high] if low <= cut <= high
    )


@pytest.mark.parametrize("rates", [(0.05, None), (None, 0.05), (0.05, 0.05)])
def test_among_the_decided_too_the_cut_off_has_the_fewest_errors(rates):
    score, y = simulated(20_000, gap=6.0)
    p = sl.Calibration("platt").fit(score, y).probability(score)
    band = sl.SuspiciousBand(*rates, guarantee="selective").fit(p, y)
    assert band.lower_ == band.upper_
    assert np.mean((p >= band.upper_) == y) > 0.99


@pytest.mark.parametrize("guarantee", ["class_conditional", "selective"])
@pytest.mark.parametrize("rate", ["max_miss_rate", "max_false_alarm_rate"])
def test_too_few_cases_for_one_rate_refer_all_and_say_so(guarantee, rate):
    p = np.linspace(0.01, 0.99, 50)
    with pytest.warns(sl.TooFewCasesWarning, match=f"nothing is decided: {rate}=0.01 needs"):
        band = sl.SuspiciousBand(**{rate: 0.01}, guarantee=guarantee).fit(p, p > 0.5)
    assert (band.lower_, band.upper_) == (-math.inf, math.inf)


def test_groups_count_once():
    score, y = simulated(300)
    repeated = np.repeat(score, 10), np.repeat(y, 10)
    patients = np.repeat([f"patient {i}" for i in range(300)], 10)
    band = sl.SuspiciousBand().fit(score, y)
    grouped = sl.SuspiciousBand().fit(*repeated, groups=patients)
    assert (grouped.lower_, grouped.upper_) == (band.lower_, band.upper_)
    assert (grouped.n_positives_, grouped.n_negatives_) == (y.sum(), (1 - y).sum())
    assert sl.SuspiciousBand().fit(*repeated).upper_ < band.upper_  # the result without groups


@pytest.mark.parametrize("guarantee", ["class_conditional", "selective"])
def test_too_few_cases_refer_and_say_how_many_would_do(guarantee):
    y, score = [0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.8, 0.9]
    with pytest.warns(sl.TooFewCasesWarning) as warned:
        band = sl.SuspiciousBand(0.01, 0.01, guarantee=guarantee).fit(score, y)
    assert (band.lower_, band.upper_) == (-math.inf, math.inf)
    assert set(band.decide(score)) == {"refer"}
    message = str(warned[0].message)
    needed = (
        368 if guarantee == "class_conditional" else 597
    )  # log(0.025) / log(0.99); a tenth of the risk
    assert f"max_miss_rate=0.01 needs at least {needed}" in message
    assert f"max_false_alarm_rate=0.01 needs at least {needed}" in message
    assert warned[0].filename == __file__


def test_as_many_as_it_says_do():
    score, y = np.repeat([0.0, 1.0], 368), np.repeat([0, 1], 368)
    band = sl.SuspiciousBand(0.01, 0.01).fit(score, y)
    assert set(band.decide(score)) == {"negative", "positive"}


def test_what_is_unlike_the_training_data_is_referred_whatever_its_score():
    band = sl.SuspiciousBand.at(0.2, 0.8)
    assert band.decide([0.1, 0.9, 0.9], out_of_distribution=[True, True, False]).tolist() == [
        "refer", "refer", "positive",
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"out_of_distribution of shape \(3,\), got shape \(2,\)"):
        band.decide([0.1, 0.9, 0.9], out_of_distribution=[True, True])


def test_scores_unlike_the_calibration_warn_and_another_mixture_does_not():
    score, y = simulated(2000)
    band = sl.SuspiciousBand().fit(score, y)
    live, labels = simulated(3000, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        band.decide(live)
        band.decide(live[labels == 0])
        band.decide(live[labels == 1])
        band.decide(1.4 * live[:49])  # too few to test
    with pytest.warns(sl.DriftWarning, match="do not look like those of the calibration") as warned:
        band.decide(1.4 * live)
    assert warned[0].filename == __file__


def test_another_mixture_is_drift_where_it_matters():
    score, y = simulated(2000)
    live, labels = simulated(3000, seed=1)
    for band in (
        sl.SuspiciousBand(max_referral_rate=0.1).fit(score, y),
        sl.SuspiciousBand(costs=(5, 1, 0.5)).fit(score, y),
    ):
        assert band.drift_p_value(live) > 1e-3 > band.drift_p_value(live[labels == 0])
        assert band.drift_p_value(live[labels == 0], any_mixture=True) > 1e-3
        assert band.drift_p_value(live + 0.5) < 1e-3


@pytest.mark.slow
def test_drift_is_not_called_more_often_than_it_says():
    p_values = []
    for seed in range(400):
        score, y = simulated(600, seed)
        live, _ = simulated(300, seed + 1000, fraction=0.05)
        p_values.append(sl.SuspiciousBand().fit(score, y).drift_p_value(live))
    for level in (0.05, 0.2):  # 4 standard deviations of the fraction of 400
        assert np.mean(np.array(p_values) <= level) <= level + 4 * math.sqrt(level / 400)


def test_prices_rise_with_the_guarantee():
    score, y = simulated(3000)
    band = sl.SuspiciousBand().fit(score, y)
    prices = band.price_list(score, y)
    rates = [price.referral_rate for price in prices]
    assert rates == sorted(rates, reverse=True)
    at_5 = next(price for price in prices if price.rate == 0.05)
    assert (at_5.lower, at_5.upper) == (band.lower_, band.upper_)


def test_reads_well():
    score, y = simulated(2000)
    lines = str(sl.SuspiciousBand().fit(score, y).report(score, y)).splitlines()
    assert lines[0].split() == ["negative", "refer", "positive"]
    assert [line.split()[0] for line in lines[1:3]] == ["normal", "abnormal"]
    assert lines[3].startswith("referred  ")


def test_plots():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    score, y = simulated()
    ax = sl.SuspiciousBand().fit(score, y).plot(score, y).ax_
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:2] == ["normal", "abnormal"]
    assert labels[2].startswith("referred, ")
    sl.SuspiciousBand.at(-math.inf, math.inf).plot(score, y)


def test_clones_and_pickles():
    score, y = simulated()
    band = sl.SuspiciousBand(max_miss_rate=0.1, max_false_alarm_rate=0.2).fit(score, y)
    assert clone(band).get_params() == band.get_params()
    again = pickle.loads(pickle.dumps(band))
    np.testing.assert_array_equal(again.decide(score), band.decide(score))
    assert again.drift_p_value(score) == band.drift_p_value(score)


def test_bad_input():
    score, y = simulated(50)
    for arguments, message in (
        ({"max_miss_rate": 0}, r"max_miss_rate must lie in \(0, 1\), got 0"),
        ({"max_false_alarm_rate": 5}, r"max_false_alarm_rate must lie in \(0, 1\), got 5"),
        ({"confidence": 1}, r"confidence must lie in \(0, 1\), got 1"),
        ({"max_miss_rate": 0.1, "costs": (1, 1, 1)}, "expected exactly one of: .* got 2 of them"),
        ({"costs": (1, -1, 1)}, "costs must be at least 0, got -1"),
        ({"max_referral_rate": 1.5}, r"max_referral_rate must lie in \[0, 1\], got 1.5"),
        (
            {"guarantee": "all"},
            "guarantee: expected one of 'class_conditional', 'selective', got 'all'",
        ),
        ({"guarantee": "selective"}, r"expected scores in \[0, 1\] for the default threshold_grid"),
        (
            {"guarantee": "selective", "threshold_grid": [1, 1]},
            "expected a strictly increasing threshold_grid, got 1 at index 1",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            sl.SuspiciousBand(**arguments).fit(score, y)
    band = sl.SuspiciousBand()
    with pytest.raises(ValueError, match="both classes, got 50 positive and 0 negative"):
        band.fit(score, np.ones(50))
    with pytest.raises(ValueError, match="finite scores, got nan at index 0"):
        band.fit(np.where(np.arange(50) == 0, np.nan, score), y)
    with pytest.raises(ValueError, match=r"groups of shape \(50,\), got shape \(2,\)"):
        band.fit(score, y, groups=[1, 2])
    with pytest.raises(ValueError, match="not fitted"):
        band.decide([0.5])
    with pytest.raises(ValueError, match="finite scores, got nan at index 1"):
        sl.SuspiciousBand.at(0, 1).decide([0.5, np.nan])
    with pytest.raises(ValueError, match="lower to be at most upper, got 1 and 0"):
        sl.SuspiciousBand.at(1, 0)
    with pytest.raises(ValueError, match="got one made by at"):
        sl.SuspiciousBand.at(0, 1).drift_p_value([0.5])


def test_all_scores_equal():
    band = sl.SuspiciousBand().fit(np.full(400, 0.5), np.arange(400) % 2)
    assert set(band.decide([0.5])) == {"refer"}
    budget = sl.SuspiciousBand(max_referral_rate=0.2).fit(np.full(400, 0.5), np.arange(400) % 2)
    assert budget.report(np.full(400, 0.5), np.arange(400) % 2).referral_rate.value == 0


def test_cut_offs_by_hand_stay_and_learn_what_labelled_cases_say():
    score, y = simulated()
    band = sl.SuspiciousBand.at(-0.5, 2.5)
    assert band.get_params() == sl.SuspiciousBand(thresholds=(-0.5, 2.5)).get_params()
    fitted = clone(band).fit(score, y)
    assert (fitted.lower_, fitted.upper_) == (-0.5, 2.5)
    assert (fitted.n_positives_, fitted.n_negatives_) == (y.sum(), (1 - y).sum())
    live, _ = simulated(500, seed=1, fraction=0.1)
    assert fitted.drift_p_value(live) > 0.01  # another mixture is not a drift
    with pytest.warns(sl.DriftWarning):
        fitted.decide(3 * live - 5)
    # It can also return the price of guarantees.
    expected = sl.SuspiciousBand().price_list(score, y)
    assert band.price_list(score, y) == expected
    with pytest.raises(ValueError, match="expected exactly one of: .* got 2 of them"):
        sl.SuspiciousBand(0.1, thresholds=(0, 1)).fit(score, y)
    with pytest.raises(ValueError, match="lower to be at most upper, got 1 and 0"):
        sl.SuspiciousBand(thresholds=(1, 0)).fit(score, y)


@pytest.mark.parametrize(
    "missing",
    [
        [1.0, np.nan, 2.0, np.nan],
        ["a", None, "b", None],
        ["a", np.nan, "b", np.nan],
        np.array(["2026-01-01", "NaT", "2026-01-02", "NaT"], dtype="datetime64[D]"),
        pd.array([1, None, 2, None], dtype="Int64"),
    ],
    ids=["NaN", "None", "NaN among texts", "NaT", "NA"],
)
def test_unknown_groups_are_refused(missing):
    score, y = np.arange(4.0), np.array([0, 1, 0, 1])
    message = "SuspiciousBand.fit: expected groups without missing values, got .* at index 1"
    with pytest.raises(ValueError, match=message):
        sl.SuspiciousBand(0.5, 0.5).fit(score, y, groups=missing)


@pytest.mark.parametrize(
    "out_of_distribution", [[0.9, np.nan], [1, 0], ["yes", "no"], [None, True]]
)
def test_out_of_distribution_is_boolean(out_of_distribution):
    with pytest.raises(
        ValueError, match="SuspiciousBand.decide: expected out_of_distribution of bool, .*, got"
    ):
        sl.SuspiciousBand.at(0, 1).decide([0.5, 0.5], out_of_distribution=out_of_distribution)


@pytest.mark.parametrize("state", [None, -1, np.random.RandomState(3), np.int32(5)])
def test_takes_any_random_state(state):
    score, y = simulated(1000)
    band = sl.SuspiciousBand(random_state=state).fit(score, y, groups=np.arange(1000) // 2)
    assert band.n_positives_ + band.n_negatives_ == 500


def test_says_what_was_expected_and_what_came():
    score, y = simulated(50)
    for arguments, message in (
        ({"max_miss_rate": "5%"}, "expected max_miss_rate as a number, got '5%'"),
        (
            {"max_false_alarm_rate": [0.1]},
            r"expected max_false_alarm_rate as a number, got \[0.1\]",
        ),
        ({"confidence": None}, "expected confidence as a number, got None"),
        ({"costs": (1, 2)}, r"expected costs as 3 numbers, got \(1, 2\)"),
        ({"costs": 1}, "expected costs as 3 numbers, got 1"),
        ({"costs": np.ones(2)}, "expected costs as 3 numbers, got "),
        ({"costs": (1, 2, "3")}, "expected costs as 3 numbers, got "),
        ({"thresholds": 1}, "expected thresholds as 2 numbers, got 1"),
        ({"guarantee": None}, "expected guarantee as a string, got None"),
        (
            {"guarantee": "selective", "threshold_grid": [0.1, np.nan]},
            "expected finite values in threshold_grid, got nan at index 1",
        ),
        (
            {"guarantee": "selective", "threshold_grid": [np.nan]},
            "expected finite values in threshold_grid, got nan at index 0",
        ),
        (
            {"guarantee": "selective", "threshold_grid": "threshold_grid"},
            "expected threshold_grid as a sequence of numbers, got 'threshold_grid'",
        ),
    ):
        with pytest.raises(ValueError, match="SuspiciousBand.*: .*" + message):
            sl.SuspiciousBand(**arguments).fit(score, y)
    with pytest.raises(ValueError, match="SuspiciousBand.at: expected thresholds as 2 numbers"):
        sl.SuspiciousBand.at("a", 1)
    band = sl.SuspiciousBand().fit(*simulated(500))
    with pytest.raises(ValueError, match="price_list: expected rates as a sequence .*, got 0.1"):
        band.price_list(score, y, rates=0.1)
    with pytest.raises(ValueError, match="SuspiciousBand.decide: expected finite scores, got nan"):
        band.decide([np.nan])
    for decides in (band.decide, band.drift_p_value, sl.Calibration().fit(score, y).probability):
        with pytest.raises(ValueError, match=r"^\w+\.\w+: expected at least 1 score, got 0"):
            decides([])
    with pytest.raises(ValueError, match="SuspiciousBand.report: expected finite scores, got inf"):
        band.report([0.5, np.inf], [0, 1])
    with pytest.raises(ValueError, match="SuspiciousBand.report: expected labels 0 .*, got None"):
        band.report([0.5, 0.5], [0, None])
    with pytest.raises(ValueError, match="SuspiciousBand.fit: expected labels of both classes"):
        band.fit(score, np.ones(50))
