import json
import math
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError

import secondlook as sl

METHODS = ("lac", "aps", "raps")
EXPECTED = {
    "lac": "101111111111111111111111101110011101",
    "aps": "101011110110111111011111101110011101",
    "raps": "101011110110111111011111101110011101",
}
GUARANTEES = ("marginal", "class_conditional")

seeds = st.integers(0, 10_000)


def simulated(n, seed, gap=2.0, fractions=(0.6, 0.3, 0.1), sharpness=2.0):
    """Probabilities of an overconfident classifier of three classes, and the true classes."""
    random = np.random.default_rng(seed)
    y = random.choice(len(fractions), size=n, p=fractions)
    logits = sharpness * (random.normal(size=(n, len(fractions))) + gap * np.eye(len(fractions))[y])
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True), y


def with_ties(n, k, seed):
    """Probabilities with few distinct values, many equal, some 0 and some 1."""
    random = np.random.default_rng(seed)
    parts = random.integers(0, 4, size=(n, k))
    parts[np.arange(n), random.integers(k, size=n)] += 1  # at least one is positive
    return parts / parts.sum(axis=1, keepdims=True), random.integers(k, size=n)


# --- the method in plain Python


def mixed(x):
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB % 2**64
    return x ^ (x >> 31)


def first_number(seed, stream):
    """The first number of the core's RandomStream(seed, stream)."""
    x = (mixed(seed) + stream * 0x9E3779B97F4A7C15) % 2**64
    words = []
    for _ in range(4):
        x = (x + 0x9E3779B97F4A7C15) % 2**64
        words.append(mixed(x))
    total = (words[0] + words[3]) % 2**64
    return (((total << 23) | (total >> 41)) + words[0]) % 2**64


def random_fraction(row, seed):
    bits = np.asarray(row, np.float64).view(np.uint64).tolist()
    stream = sum(first_number(one, 0) for one in bits) % 2**64
    return (first_number(seed, stream) >> 11) * 2.0**-53


def plain_scores(row, method, *, randomised=True, penalty=0.01, n_unpenalised=5, seed=0):
    if method == "lac":
        return 1 - row
    fraction = random_fraction(row, seed) if randomised else 1.0
    scores = np.empty(len(row))
    for label, p in enumerate(row):
        scores[label] = row[row > p].sum() + fraction * row[row == p].sum()
        if method == "raps":
            scores[label] += penalty * max(0, (row >= p).sum() - n_unpenalised)
    return scores


def plain_scores_and_threshold(calibration, y, fresh, method, alpha, **parameters):
    n = len(y)
    own = [
        plain_scores(row, method, **parameters)[label]
        for row, label in zip(calibration, y, strict=True)
    ]
    rank = n + 1 - math.floor((n + 1) * alpha * (1 + 1e-12))
    threshold = sorted(own)[rank - 1]
    scores = np.array([plain_scores(row, method, **parameters) for row in fresh])
    return scores, threshold


@given(seeds, st.sampled_from(METHODS), st.booleans(), st.sampled_from([0.07, 0.1, 0.3, 0.6]))
def test_sets_are_those_of_the_method_in_plain_numpy(seed, method, randomised, alpha):
    calibration, y = simulated(60, seed)
    fresh, _ = simulated(30, seed + 1)
    parameters = {"randomised": randomised, "penalty": 0.1, "n_unpenalised": 1}
    sets = (
        sl.ConformalSets(alpha, method, allow_empty=True, random_state=seed, **parameters)
        .fit(calibration, y)
        .sets(fresh)
    )
    scores, threshold = plain_scores_and_threshold(
        calibration, y, fresh, method, alpha, seed=seed, **parameters
    )
    unclear = np.abs(scores - threshold) < 1e-12  # the sums round differently
    np.testing.assert_array_equal(sets[~unclear], (scores <= threshold)[~unclear])


def test_python_and_cpp_give_the_same_sets():
    # The same cases and expected sets as in tests/cpp/decide/conformal_sets_test.cpp.
    i, j = np.mgrid[0:24, 0:3]
    parts = 1 + (7 * i + 5 * j + i * j) % 11
    probabilities, y = parts / parts.sum(axis=1, keepdims=True), np.arange(24) % 3
    for method, expected in EXPECTED.items():
        fitted = sl.ConformalSets(0.3, method, n_unpenalised=1, penalty=0.05, random_state=7)
        sets = fitted.fit(probabilities[:12], y[:12]).sets(probabilities[12:])
        assert "".join(map(str, sets.astype(int).ravel())) == expected


# --- laws


@given(seeds, st.sampled_from(METHODS), st.sampled_from(GUARANTEES), st.booleans(), st.booleans())
def test_sets_grow_as_alpha_falls(seed, method, guarantee, allow_empty, tied):
    make = (lambda n, s: with_ties(n, 3, s)) if tied else simulated
    (calibration, y), (fresh, _) = make(400, seed), make(50, seed + 1)
    smaller = np.zeros(fresh.shape, bool)
    for alpha in (0.9, 0.5, 0.3, 0.1, 0.05):
        sets = (
            sl.ConformalSets(alpha, method, guarantee=guarantee, allow_empty=allow_empty)
            .fit(calibration, y)
            .sets(fresh)
        )
        assert (smaller <= sets).all()
        smaller = sets


@given(seeds, st.sampled_from(METHODS), st.sampled_from(GUARANTEES), st.booleans())
def test_the_most_probable_class_is_in_every_set_that_may_not_be_empty(
    seed, method, guarantee, tied
):
    make = (lambda n, s: with_ties(n, 3, s)) if tied else simulated
    (calibration, y), (fresh, _) = make(200, seed), make(50, seed + 1)
    fitted = sl.ConformalSets(0.4, method, guarantee=guarantee).fit(calibration, y)
    most_probable = fresh == fresh.max(axis=1, keepdims=True)
    may_be_empty = clone(fitted).set_params(allow_empty=True).fit(calibration, y)
    np.testing.assert_array_equal(fitted.sets(fresh), may_be_empty.sets(fresh) | most_probable)


@given(seeds, st.sampled_from(METHODS), st.sampled_from(GUARANTEES), st.permutations(range(4)))
def test_permuting_classes_permutes_sets(seed, method, guarantee, order):
    (calibration, y), (fresh, _) = with_ties(300, 4, seed), with_ties(50, 4, seed + 1)
    fitted = sl.ConformalSets(0.2, method, guarantee=guarantee, n_unpenalised=1)
    sets = fitted.fit(calibration, y).sets(fresh)
    permuted = fitted.fit(calibration[:, order], np.argsort(order)[y]).sets(fresh[:, order])
    np.testing.assert_array_equal(permuted, sets[:, order])


@given(seeds, st.sampled_from(METHODS))
def test_a_set_depends_on_no_other_case(seed, method):
    (calibration, y), (fresh, _) = simulated(50, seed), simulated(20, seed + 1)
    fitted = sl.ConformalSets(0.2, method).fit(calibration, y)
    alone = np.vstack([fitted.sets(row[None]) for row in fresh])
    np.testing.assert_array_equal(alone, fitted.sets(fresh))


@given(seeds, st.sampled_from(GUARANTEES))
def test_groups_are_as_if_fitted_alone(seed, guarantee):
    calibration, y = simulated(600, seed)
    fresh, labels = simulated(100, seed + 1)
    random = np.random.default_rng(seed)
    site, new_site = (random.choice(["b", "a", "c"], size=n) for n in (600, 100))
    fitted = sl.ConformalSets(0.2, "aps", guarantee=guarantee).fit(calibration, y, site)
    sets, report = fitted.sets(fresh, new_site), fitted.report(fresh, labels, new_site)
    assert fitted.groups_.tolist() == list(report.by_group) == ["a", "b", "c"]
    for index, one in enumerate(fitted.groups_):
        alone = clone(fitted).fit(calibration[site == one], y[site == one])
        own = new_site == one
        np.testing.assert_array_equal(sets[own], alone.sets(fresh[own]))
        np.testing.assert_array_equal(fitted.n_calibration_[index], alone.n_calibration_[0])
        assert report.by_group[one] == alone.report(fresh[own], labels[own]).all


@given(seeds, st.booleans())
def test_decisions_and_report_agree_with_the_sets(seed, allow_empty):
    calibration, y = simulated(100, seed)
    fresh, labels = simulated(80, seed + 1)
    fitted = sl.ConformalSets(0.3, allow_empty=allow_empty).fit(calibration, y)
    sets, decisions = fitted.sets(fresh), fitted.decide(fresh)
    report = fitted.report(fresh, labels, confidence=0.9)
    for one, decision in zip(sets, decisions, strict=True):
        assert decision == (np.flatnonzero(one)[0] if one.sum() == 1 else "refer")
    for part, own in [
        (report.all, np.ones(80, bool)),
        *[(report.by_class[label], labels == label) for label in range(3)],
    ]:
        assert part.n_cases == own.sum()
        covered = sets[own, labels[own]]
        low, high = sl.binomial_interval(covered.sum(), own.sum(), confidence=0.9)
        assert part.coverage == (pytest.approx(covered.mean()), low, high) or not own.any()
        decided = own & (sets.sum(axis=1) == 1)
        if own.any():
            assert part.mean_set_size == pytest.approx(sets[own].sum(axis=1).mean())
            assert part.referral_rate.value == pytest.approx(1 - decided.sum() / own.sum())
        if decided.any():
            assert part.accuracy.value == pytest.approx(
                np.mean(decisions[decided] == labels[decided])
            )
    assert not report.by_group


# --- the guarantee, by simulation


def coverage_of(draws, fitted, n, n_fresh, which, *, grouped=False, gap_b=2.0):
    """Coverage of fresh cases by calibration draws; `which` selects cases from (y, is_b)."""
    found = []
    for draw in range(draws):
        parts = []
        for size, seed in ((n, 2 * draw), (n_fresh, 2 * draw + 1)):
            n_b = size // 4
            p_a, y_a = simulated(size - n_b, (seed, 0))
            p_b, y_b = simulated(n_b, (seed, 1), gap=gap_b)
            is_b = np.repeat([False, True], [size - n_b, n_b])
            parts.append((np.vstack([p_a, p_b]), np.concatenate([y_a, y_b]), is_b))
        (p, y, b), (p_new, y_new, b_new) = parts
        groups, new_groups = (b, b_new) if grouped else (None, None)
        sets = fitted.fit(p, y, groups).sets(p_new, new_groups)
        own = which(y_new, b_new)
        found.append(sets[own, y_new[own]].mean() if own.any() else np.nan)
    found = np.array(found)
    found = found[~np.isnan(found)]
    # Four standard errors of the mean over draws: less than one in 30,000 runs is outside.
    return found.mean(), 4 * found.std() / math.sqrt(len(found))


@pytest.mark.parametrize("method", METHODS)
def test_the_true_class_is_in_the_set_as_often_as_promised(method):
    n = 60
    fitted = sl.ConformalSets(0.13, method, allow_empty=True)
    mean, error = coverage_of(1500, fitted, n, 100, lambda y, b: y >= 0)
    assert mean >= 0.87 - error
    assert mean <= 0.87 + 1 / (n + 1) + error  # no more than the guarantee needs
    # Without empty sets, or without random fractions, more are covered.
    for parameters in ({"allow_empty": False}, {"randomised": False}):
        more, error = coverage_of(
            300, clone(fitted).set_params(**parameters), n, 100, lambda y, b: y >= 0
        )
        assert more >= 0.87 - error


@pytest.mark.parametrize("method", METHODS)
def test_a_marginal_guarantee_is_broken_for_a_rare_class_and_one_per_class_holds(method):
    def of_rare(y, b):
        return y == 2

    fitted = sl.ConformalSets(0.1, method, allow_empty=True)
    broken, error = coverage_of(300, skewed(fitted), 400, 200, of_rare)
    assert broken < 0.9 - 0.05 - error
    held, error = coverage_of(
        300, skewed(fitted).set_params(guarantee="class_conditional"), 400, 200, of_rare
    )
    assert held >= 0.9 - error
    print(f"{method}, rare class: {broken:.3f}, with a threshold per class {held:.3f}")


def skewed(fitted):
    """The same sets for probabilities of which the rare class is given too little."""

    class Skewed(sl.ConformalSets):
        def fit(self, p, y, groups=None):
            return super().fit(skew(p), y, groups)

        def sets(self, p, groups=None):
            return super().sets(skew(p), groups)

    return Skewed(**fitted.get_params())


def skew(p):
    p = p * [1, 1, 0.05]
    return p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("method", METHODS)
def test_a_marginal_guarantee_is_broken_for_a_site_and_one_per_group_holds(method):
    # One case in four is of site b, where the classes overlap more.
    def of_b(y, b):
        return b

    fitted = sl.ConformalSets(0.1, method, allow_empty=True)
    everywhere, error = coverage_of(300, fitted, 300, 200, lambda y, b: y >= 0, gap_b=0.5)
    assert everywhere >= 0.9 - error
    broken, error = coverage_of(300, fitted, 300, 200, of_b, gap_b=0.5)
    assert broken < 0.9 - 0.1 - error
    held, error = coverage_of(300, fitted, 300, 200, of_b, gap_b=0.5, grouped=True)
    assert held >= 0.9 - error
    print(f"{method}: everywhere {everywhere:.3f}, site b {broken:.3f}, by groups {held:.3f}")


@pytest.mark.parametrize("method", ["lac", "aps"])
def test_a_guarantee_per_class_and_group_holds_for_each(method):
    fitted = sl.ConformalSets(0.2, method, guarantee="class_conditional", allow_empty=True)
    for label in range(3):
        held, error = coverage_of(
            200, fitted, 800, 400, lambda y, b, label=label: b & (y == label),
            grouped=True, gap_b=0.5,
        )  # fmt: skip
        assert held >= 0.8 - error


# --- MAPIE


class Given(np.random.RandomState):
    """A source that returns given numbers, one array per call, and then zeros."""

    def __init__(self, *arrays):
        super().__init__(0)
        self.arrays = list(arrays)

    def uniform(self, low=0.0, high=1.0, size=None):
        return (self.arrays.pop(0) if self.arrays else np.zeros(size)).reshape(size)


class Column(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose features are the probabilities."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return X.argmax(axis=1)

    def predict_proba(self, X):
        return X


def sets_of_mapie(score, alpha, calibration, y, fresh, **parameters):
    from mapie.classification import SplitConformalClassifier

    classifier = SplitConformalClassifier(
        Column().fit(calibration, y), confidence_level=1 - alpha, conformity_score=score,
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        classifier.conformalize(calibration, y)
        return classifier.predict_set(fresh, conformity_score_params=parameters)[1][:, :, 0]


@pytest.mark.parametrize("alpha", [0.07, 0.15, 0.4])
def test_equals_the_lac_sets_of_mapie(alpha):
    pytest.importorskip("mapie.classification")
    (calibration, y), (fresh, _) = simulated(313, 1), simulated(1000, 2)
    ours = sl.ConformalSets(alpha, allow_empty=True).fit(calibration, y).sets(fresh)
    np.testing.assert_array_equal(ours, sets_of_mapie("lac", alpha, calibration, y, fresh))


@pytest.mark.parametrize("alpha", [0.07, 0.15, 0.4])
@pytest.mark.parametrize("randomised", [True, False])
def test_equals_the_aps_sets_of_mapie(alpha, randomised):
    aps = pytest.importorskip("mapie.conformity_scores.sets.aps")
    (calibration, y), (fresh, _) = simulated(313, 1), simulated(1000, 2)
    # MAPIE leaves a random fraction of the probability out, where we count one.
    left_out = [
        np.array([1 - random_fraction(row, 5) if randomised else 0 for row in rows])
        for rows in (calibration, fresh)
    ]

    class Score(aps.APSConformityScore):
        def get_conformity_scores(self, y, y_pred, **more):
            self.random_state = Given(*left_out)
            return super().get_conformity_scores(y, y_pred, **more)

    theirs = sets_of_mapie(Score(), alpha, calibration, y, fresh, include_last_label="randomized")
    fitted = sl.ConformalSets(
        alpha, "aps", allow_empty=True, randomised=randomised, random_state=5
    ).fit(calibration, y)
    np.testing.assert_array_equal(fitted.sets(fresh), theirs)


@pytest.mark.parametrize("alpha", [0.07, 0.15, 0.4])
def test_equals_the_raps_sets_of_mapie(alpha):
    raps = pytest.importorskip("mapie.conformity_scores.sets.raps")
    make = {"fractions": np.full(8, 1 / 8), "gap": 1.0, "sharpness": 1.0}
    (calibration, y), (fresh, _) = simulated(713, 1, **make), simulated(1000, 2, **make)

    class Score(raps.RAPSConformityScore):
        def get_conformity_scores(self, y, y_pred, **more):
            self.random_state = Given()
            self.used = y_pred, y  # MAPIE chooses the two parameters on the other cases
            return super().get_conformity_scores(y, y_pred, **more)

    score = Score()
    theirs = sets_of_mapie(score, alpha, calibration, y, fresh, include_last_label="randomized")
    penalty, k = np.ravel(score.lambda_star)[0], int(np.ravel(score.k_star)[0])
    ours = sl.ConformalSets(
        alpha, "raps", allow_empty=True, randomised=False, penalty=float(penalty), n_unpenalised=k
    )
    np.testing.assert_array_equal(ours.fit(*score.used).sets(fresh), theirs)
    print(f"penalty {penalty}, from {k} classes on")


# --- use and errors


def test_classes_and_groups_may_have_any_names():
    p, y = simulated(300, 0)
    names = np.array(["good", "crack", "hot spot"])
    site = np.arange(300) % 2
    fitted = sl.ConformalSets(classes=names).fit(
        pd.DataFrame(p), pd.Series(names[y], dtype="category"), pd.Series(site)
    )
    plain = sl.ConformalSets().fit(p, y, [f"site {one}" for one in site])
    decided, codes = fitted.decide(p, site), plain.decide(p, [f"site {one}" for one in site])
    assert decided.dtype.kind == "U"
    assert set(decided) == {"good", "crack", "hot spot", "refer"}
    assert decided.tolist() == [one if one == "refer" else names[one] for one in codes]
    assert list(fitted.report(p, names[y], site).by_class) == names.tolist()
    assert fitted.thresholds_.shape == fitted.n_calibration_.shape == (2, 3)


def test_an_unknown_group_is_an_error_or_referred():
    p, y = simulated(300, 0)
    site = np.repeat(["north", "south"], 150)
    fitted = sl.ConformalSets().fit(p, y, site)
    for new, name in ((["north", "west"], "'west'"), (["north", None], "None")):
        with pytest.raises(
            ValueError, match=f"ConformalSets.sets: unknown group {name} at index 1"
        ):
            fitted.sets(p[:2], new)
        refers = sl.ConformalSets(unknown_group="refer").fit(p, y, site)
        assert refers.sets(p[:2], new)[1].all()
        assert refers.decide(p[:2], new)[1] == "refer"
        report = refers.report(p[:2], y[:2], new)
        assert (report.all.n_cases, report.by_group["north"].n_cases) == (2, 1)
        assert report.by_group["south"].n_cases == 0
    with pytest.raises(
        ValueError,
        match="expected by, the group of each case, because there is a threshold per group",
    ):
        fitted.decide(p)
    with pytest.raises(ValueError, match="expected no by, because fit got none"):
        sl.ConformalSets().fit(p, y).decide(p, site)


def test_what_is_out_of_distribution_is_referred():
    p, y = simulated(300, 0)
    fitted = sl.ConformalSets().fit(p, y)
    assert fitted.decide([[1, 0, 0]] * 2, out_of_distribution=[True, False]).tolist() == [
        "refer", 0,
    ]  # fmt: skip


def test_an_empty_set_is_referred():
    p = np.tile([[0.9, 0.1], [0.1, 0.9]], (10, 1))
    fitted = sl.ConformalSets(0.5, allow_empty=True).fit(p, np.arange(20) % 2)
    assert not fitted.sets([[0.5, 0.5], [0.8, 0.2]]).any()
    assert fitted.decide([[0.5, 0.5], [0.8, 0.2], [0.9, 0.1]]).tolist() == ["refer", "refer", 0]
    filled = sl.ConformalSets(0.5).fit(p, np.arange(20) % 2)
    assert filled.decide([[0.5, 0.5], [0.8, 0.2], [0.9, 0.1]]).tolist() == ["refer", 0, 0]


@pytest.mark.parametrize("alpha", [0.4, 0.3, 0.1, 0.05, 0.01])
def test_as_many_as_it_says_do(alpha):
    needed = math.ceil(1 / alpha) - 1
    p, y = np.tile([0.9, 0.1], (needed, 1)), np.zeros(needed)
    assert set(sl.ConformalSets(alpha).fit(p, y).decide(p)) == {0}
    with pytest.raises(ValueError, match=f"expected at least {needed} calibration cases for alpha"):
        sl.ConformalSets(alpha).fit(p[1:], y[1:])


def test_too_few_cases_of_a_class_or_group_are_named():
    p, y = simulated(100, 0)
    site = np.repeat(["north", "south"], [97, 3])
    for fitted, labels, groups, message in (
        ({}, y, site, r"at least 9 calibration cases of group 'south' for alpha=0.1, got 3; merge"),
        ({"guarantee": "class_conditional"}, y * 0, None, "of class 1 for alpha=0.1, got 0; use"),
        (
            {"guarantee": "class_conditional"}, np.where(np.arange(100) < 97, y, 0), site,
            "cases of class 1 of group 'south' for alpha=0.1, got 0",
        ),
        ({"alpha": 0.001}, y, None, "at least 999 calibration cases for alpha=0.001, got 100; or"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            sl.ConformalSets(**fitted).fit(p, labels, groups)


def test_bad_input():
    p, y = simulated(50, 0)
    fitted = sl.ConformalSets().fit(p, y)
    for parameters, message in (
        ({"alpha": 0}, r"ConformalSets: alpha must lie in \(0, 1\), got 0"),
        ({"alpha": 1}, r"ConformalSets: alpha must lie in \(0, 1\), got 1"),
        ({"alpha": "0.1"}, "expected alpha as a number, got '0.1'"),
        ({"method": "top"}, "method: expected one of 'lac', 'aps', 'raps', got 'top'"),
        ({"guarantee": "selective"}, "guarantee: expected one of 'marginal', 'class_conditional'"),
        ({"penalty": -1}, "penalty must be at least 0, got -1"),
        ({"n_unpenalised": 0.5}, "expected n_unpenalised as a whole number"),
        ({"unknown_group": "skip"}, "unknown_group: expected one of 'error', 'refer', got 'skip'"),
        ({"classes": ["a", "b"]}, "expected classes as 3 different names"),
        ({"classes": ["a", "b", "b"]}, "expected classes as 3 different names"),
        ({"classes": ["a", "b", "refer"]}, "none of them 'refer'"),
        ({"classes": ["a", "b", "c"]}, "expected labels among the classes 'a', 'b', 'c', got "),
    ):
        with pytest.raises(ValueError, match=message):
            sl.ConformalSets(**parameters).fit(p, y)
    broken = {name: p.copy() for name in ("nan", "sum", "negative")}
    broken["nan"][3, 1] = np.nan
    broken["sum"][4] *= 0.99
    broken["negative"][5] = [-0.5, 0.5, 1.0]
    for values, labels, message in (
        (broken["nan"], y, r"expected probabilities in \[0, 1\], got nan in row 3, column 1"),
        (broken["sum"], y, "with the sum 1 in each row, got 0.99 in row 4"),
        (broken["negative"], y, "got -0.5 in row 5, column 0"),
        (p[:, :1], y, "at least 1 case and 2 classes"),
        (p[:0], y[:0], "at least 1 case and 2 classes"),
        (p[:, 0], y, "expected probabilities of shape"),
        (p, y[:3], r"expected y_true of shape \(50,\), got shape \(3,\)"),
        (p, np.where(np.arange(50) == 7, 3, y), "expected labels from 0 to 2, got 3 at index 7"),
        (p, np.where(np.arange(50) == 7, np.nan, y), "expected labels from 0 to 2, got nan"),
    ):
        for call in (sl.ConformalSets().fit, fitted.report):
            with pytest.raises(ValueError, match=message):
                call(values, labels)
    for groups, message in (
        ([1, 2], r"expected by of shape \(50,\), got shape \(2,\)"),
        (["a"] * 49 + [None], "without missing values, got None at index 49"),
    ):
        with pytest.raises(ValueError, match=message):
            sl.ConformalSets().fit(p, y, groups)
    with pytest.raises(ValueError, match="expected probabilities of 3 classes, got 2"):
        fitted.sets([[0.5, 0.5]])
    with pytest.raises(ValueError, match=r"confidence must lie in \(0, 1\), got 2"):
        fitted.report(p, y, confidence=2)
    with pytest.raises(ValueError, match="out_of_distribution of bool"):
        fitted.decide(p, out_of_distribution=np.zeros(50))
    with pytest.raises(NotFittedError):
        sl.ConformalSets().sets(p)


def test_clones_and_pickles():
    p, y = simulated(200, 0)
    site = np.repeat(["north", "south"], 100)
    fitted = sl.ConformalSets(0.2, "raps", classes=["a", "b", "c"]).fit(
        p, np.array(["a", "b", "c"])[y], site
    )
    assert clone(fitted).get_params() == fitted.get_params()
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.sets(p, site), fitted.sets(p, site))
    np.testing.assert_array_equal(again.thresholds_, fitted.thresholds_)


def test_the_report_reads_well():
    p, y = simulated(300, 0)
    site = np.repeat(["north", "south"], 150)
    fitted = sl.ConformalSets(classes=["a", "b", "c"]).fit(p, np.array(["a", "b", "c"])[y], site)
    report = fitted.report(p, np.array(["a", "b", "c"])[y], site)
    lines = str(report).splitlines()
    assert lines[0].split() == ["cases", "coverage", "set", "size", "referred", "accuracy"]
    assert [line[:11].strip() for line in lines[1:]] == [
        "all", "class a", "class b", "class c", "group north", "group south",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 105
    html = report._repr_html_()
    assert "group south" in html
    assert "classes per set" in html
    values = json.loads(json.dumps(report.to_dict()))
    assert values["by_group"]["north"]["n_cases"] == 150
    assert values["all"]["coverage"]["value"] == report.all.coverage.value
    assert str(report.all).startswith("CoverageReport(n_cases=300, coverage=0.")
