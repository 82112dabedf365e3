import json
import pickle
import warnings

import numpy as np
import pytest
from scipy.stats import binom, norm
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import secondlook as sl

SHIFT = {"north": 0.0, "south": -1.5}  # all score lower in the south


def simulated(n, seed=0):
    """Scores, labels and sites: n cases of each."""
    random = np.random.default_rng(seed)
    y = (random.random(2 * n) < 0.4).astype(int)
    site = np.repeat(list(SHIFT), n)
    return random.normal(3 * y) + np.repeat(list(SHIFT.values()), n), y, site


def test_each_group_is_decided_by_a_band_of_its_own():
    score, y, site = simulated(1000)
    band = sl.SuspiciousBand(0.02, 0.05, 0.9)
    fitted = sl.BandPerGroup(band).fit(score, y, site)
    assert fitted.groups_.tolist() == ["north", "south"]
    order = np.random.default_rng(1).permutation(len(score))
    decisions = fitted.decide(score[order], site[order])
    report = fitted.report(score[order], y[order], site[order], confidence=0.9)
    counts = np.zeros((2, 3), np.int64)
    for one in SHIFT:
        own = site[order] == one
        alone = clone(band).fit(score[site == one], y[site == one])
        np.testing.assert_array_equal(decisions[own], alone.decide(score[order][own]))
        expected = alone.report(score[order][own], y[order][own], confidence=0.9)
        assert report.by_group[one].to_dict() == expected.to_dict()
        counts += expected.counts
    np.testing.assert_array_equal(report.all.counts, counts)
    for label in (0, 1):
        for index, name in enumerate(("negative", "refer", "positive")):
            assert report.all.counts[label, index] == np.sum(
                (y[order] == label) & (decisions == name)
            )


def test_the_guarantee_holds_in_each_group_and_that_of_one_band_does_not():
    # 600 calibrations with known truth; more broken ones are seen once in 10,000 runs.
    n, broken, of_one = 600, dict.fromkeys(SHIFT, 0), 0
    fitted = sl.BandPerGroup(sl.SuspiciousBand(max_miss_rate=0.05, max_false_alarm_rate=0.05))
    for seed in range(n):
        score, y, site = simulated(300, seed)
        fitted.fit(score, y, site)
        one = clone(fitted.band).fit(score, y)
        of_one += norm.cdf(one.lower_ - 3 - SHIFT["south"]) > 0.05
        for name, band in fitted.bands_.items():
            shift = SHIFT[name]
            broken[name] += (
                norm.cdf(band.lower_ - 3 - shift) > 0.05 or norm.sf(band.upper_ - shift) > 0.05
            )
    assert max(broken.values()) <= binom.ppf(1 - 1e-4, n, 0.05)
    assert of_one > 0.25 * n  # five times as often as promised
    print(f"broken in the south: {broken['south'] / n:.1%}, by one band for both {of_one / n:.1%}")


def test_cases_that_depend_on_each_other_count_once():
    score, y, site = simulated(300)
    fitted = sl.BandPerGroup().fit(
        *(np.repeat(one, 5) for one in (score, y, site)), groups=np.repeat(np.arange(600), 5)
    )
    once = sl.BandPerGroup().fit(score, y, site)
    for name in SHIFT:
        assert fitted.bands_[name].n_positives_ == once.bands_[name].n_positives_
        assert fitted.bands_[name].lower_ == once.bands_[name].lower_


def test_an_unknown_group_is_an_error_or_referred():
    score, y, site = simulated(300)
    fitted = sl.BandPerGroup().fit(score, y, site)
    with pytest.raises(ValueError, match=r"BandPerGroup.decide: unknown group 'west' at index 1"):
        fitted.decide([9.0, 9.0], ["north", "west"])
    refers = sl.BandPerGroup(unknown_group="refer").fit(score, y, site)
    assert refers.decide([9.0, 9.0], ["north", "west"]).tolist() == ["positive", "refer"]
    report = refers.report([9.0, 9.0], [1, 1], ["north", "west"])
    assert list(report.by_group) == ["north"]
    assert report.all.counts.tolist() == [[0, 0, 0], [0, 1, 1]]


def test_warnings_name_the_group_and_point_at_the_caller():
    score, y, site = simulated(1000)
    few = np.concatenate([np.arange(1000), np.arange(1000, 1020)])
    with pytest.warns(sl.TooFewCasesWarning) as warned:
        sl.BandPerGroup().fit(score[few], y[few], site[few])
    assert [w.filename for w in warned] == [__file__]
    assert str(warned[0].message).startswith(
        "BandPerGroup.fit: group 'south': at a confidence of 0.95 nothing is decided"
    )
    fitted = sl.BandPerGroup().fit(score, y, site)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.decide(score, site)
    with pytest.warns(sl.DriftWarning, match="BandPerGroup.decide: group 'south': these") as warned:
        fitted.decide(np.where(site == "south", 2 * score + 1, score), site)
    assert [w.filename for w in warned] == [__file__]


def test_what_is_out_of_distribution_is_referred():
    fitted = sl.BandPerGroup().fit(*simulated(300))
    decided = fitted.decide([9.0, 9.0], ["north", "south"], out_of_distribution=[True, False])
    assert decided.tolist() == ["refer", "positive"]


def test_the_report_reads_well():
    score, y, site = simulated(300)
    fitted = sl.BandPerGroup().fit(score, y, site)
    report = fitted.report(score, y, site)
    lines = str(report).splitlines()
    assert lines[0] == "all"
    assert [line for line in lines if line.startswith("group")] == ["group north", "group south"]
    assert "group south" in report._repr_html_()
    assert json.loads(json.dumps(report.to_dict()))["by_group"]["north"]["counts"]


def test_clones_and_pickles():
    score, y, site = simulated(300)
    fitted = sl.BandPerGroup(sl.SuspiciousBand(0.1, 0.1), unknown_group="refer").fit(score, y, site)
    assert clone(fitted).get_params()["unknown_group"] == "refer"
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.decide(score, site), fitted.decide(score, site))


def test_bad_input():
    score, y, site = simulated(300)
    for parameters, message in (
        ({"unknown_group": "skip"}, "unknown_group: expected one of 'error', 'refer', got 'skip'"),
        ({"band": 0.5}, "expected band as a SuspiciousBand, got 0.5"),
        ({"band": sl.SuspiciousBand(2.0, 0.1)}, r"max_miss_rate must lie in \(0, 1\), got 2"),
    ):
        with pytest.raises(ValueError, match=message):
            sl.BandPerGroup(**parameters).fit(score, y, site)
    for arguments, message in (
        (
            (score, y * (site == "north"), site),
            "both classes in group 'south', got 0 positive and 300",
        ),
        ((score, y, site[:3]), r"expected by of shape \(600,\), got shape \(3,\)"),
        ((score, y, [None, *site[1:]]), "by without missing values, got None at index 0"),
        ((score, y, site, site[:3]), r"expected groups of shape \(600,\), got shape \(3,\)"),
        ((score * np.nan, y, site), "expected finite scores, got nan at index 0"),
    ):
        with pytest.raises(ValueError, match=message):
            sl.BandPerGroup().fit(*arguments)
    with pytest.raises(NotFittedError):
        sl.BandPerGroup().decide(score, site)
    fitted = sl.BandPerGroup(sl.SuspiciousBand(0.2, 0.2)).fit(score, y, site)
    with pytest.raises(ValueError, match="BandPerGroup.decide: expected finite scores"):
        fitted.decide(score * np.inf, site)
    with pytest.raises(
        ValueError,
        match="expected by, the group of each case, because there is a threshold per group",
    ):
        fitted.decide(score, None)
