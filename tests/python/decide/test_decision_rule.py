import copy
import json
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import secondlook as sl
from secondlook.decide.decision_rule import KeepsDecisionRule
from secondlook.store import ModelFile


def simulated(n=1000, seed=0):
    random = np.random.default_rng(seed)
    y = (random.random(n) < 0.3).astype(int)
    return random.normal(2.0 * y), y


def test_its_parts_are_those_that_each_would_learn_alone():
    score, y = simulated()
    rule = sl.DecisionRule(
        sl.SuspiciousBand(0.05, 0.02),
        threshold={"maximize": "f_beta", "min_recall": 0.9},
        calibration="isotonic",
    ).fit(score, y)
    band = sl.SuspiciousBand(0.05, 0.02).fit(score, y)
    assert (rule.band_.lower_, rule.band_.upper_) == (band.lower_, band.upper_)
    np.testing.assert_array_equal(rule.decide(score), band.decide(score))
    assert rule.threshold_ == sl.tune_threshold(y, score, "f_beta", min_recall=0.9).threshold
    np.testing.assert_array_equal(
        rule.probability(score), sl.Calibration("isotonic").fit(score, y).probability(score)
    )
    assert (rule.n_positives_, rule.n_negatives_) == (y.sum(), (1 - y).sum())


def test_without_a_word_it_learns_the_default_band_and_with_a_threshold_one_cut_off():
    score, y = simulated()
    band = sl.DecisionRule().fit(score, y).band_
    assert band.lower_ == sl.SuspiciousBand().fit(score, y).lower_
    cut = sl.DecisionRule(threshold={}).fit(score, y)
    assert cut.band_ is None
    assert set(cut.decide(score)) == {"negative", "positive"}


def test_the_fingerprint_tells_calibration_data_apart():
    score, y = simulated()
    print_of = sl.DecisionRule().fit(score, y).fingerprint_
    assert print_of == sl.DecisionRule().fit(score, y).fingerprint_
    assert print_of != sl.DecisionRule().fit(score + 1e-9, y).fingerprint_


def test_pickles_and_clones():
    score, y = simulated()
    rule = sl.DecisionRule(sl.SuspiciousBand(0.1, 0.1), calibration="platt").fit(score, y)
    again = pickle.loads(pickle.dumps(rule))
    np.testing.assert_array_equal(again.decide(score), rule.decide(score))
    assert clone(rule).band.max_miss_rate == 0.1


def test_a_file_keeps_it_and_tells_when_the_model_has_changed():
    score, y = simulated()
    rule = sl.DecisionRule(calibration="platt").fit(score, y)
    file = ModelFile("some_model")
    file.add("weights", np.ones(3))
    rule._rule.write_to(file)
    again = sl.DecisionRule._from_core(type(rule._rule).read_from(file))
    np.testing.assert_array_equal(again.decide(score), rule.decide(score))
    np.testing.assert_array_equal(again.probability(score), rule.probability(score))
    assert again.fingerprint_ == rule.fingerprint_
    assert again.get_params()["band__max_miss_rate"] == 0.05
    other = ModelFile("some_model")
    other.add("weights", np.zeros(3))
    other.set_section("decision", file.section("decision"))
    stale = sl.DecisionRule._from_core(type(rule._rule).read_from(other))
    with pytest.warns(sl.StaleDecisionWarning, match="has continued training since") as warned:
        stale.decide(score[:5])
    assert warned[0].filename == __file__


def test_bad_input():
    score, y = simulated(100)
    with pytest.raises(ValueError, match="expected a rule with a calibration"):
        sl.DecisionRule(threshold={}).fit(score, y).probability(score)
    with pytest.raises(ValueError, match="both classes"):
        sl.DecisionRule().fit(score, np.zeros(100))
    with pytest.raises(ValueError, match="not fitted"):
        sl.DecisionRule().decide(score)


@pytest.fixture
def ruled():
    random = np.random.default_rng(0)
    rows = random.normal(size=(2000, 3))
    held_out = np.vstack([random.normal(size=(500, 3)), random.normal(2.0, 1.0, size=(300, 3))])
    labels = np.repeat([0, 1], [500, 300])
    forest = sl.IsolationForest(contamination=0.02, random_state=0).fit(rows)
    rule = sl.DecisionRule(calibration="platt")
    forest.decision_rule_ = rule.fit(forest.anomaly_score(held_out), labels)
    return forest, held_out


def test_a_detector_keeps_its_rule_in_its_file_and_pickle(ruled, tmp_path):
    forest, rows = ruled
    forest.save(tmp_path / "model.safetensors")
    score = forest.anomaly_score(rows)
    for again in (
        sl.load(tmp_path / "model.safetensors"),
        pickle.loads(pickle.dumps(forest)),
    ):
        assert not again.decision_rule_.stale_
        np.testing.assert_array_equal(
            again.decision_rule_.decide(again.anomaly_score(rows)),
            forest.decision_rule_.decide(score),
        )


def test_learning_makes_it_stale_and_another_offset_does_not(ruled, tmp_path):
    forest, rows = ruled
    assert not forest.fit_offset(rows).decision_rule_.stale_
    forest.partial_fit(np.random.default_rng(1).normal(size=(1000, 3)))
    assert forest.decision_rule_.stale_
    forest.save(tmp_path / "model.safetensors")
    loaded = sl.load(tmp_path / "model.safetensors")
    with pytest.warns(sl.StaleDecisionWarning):
        loaded.decision_rule_.decide(loaded.anomaly_score(rows))
    # Fitting it again ends the warning.
    labels = np.repeat([0, 1], [500, 300])
    loaded.decision_rule_ = sl.DecisionRule().fit(loaded.anomaly_score(rows), labels)
    assert not loaded.decision_rule_.stale_


def test_learning_makes_it_stale_also_when_nobody_has_asked_for_it_before(ruled):
    forest, _ = ruled
    forest.partial_fit(np.random.default_rng(1).normal(size=(1000, 3)))
    assert forest.decision_rule_.stale_


def test_a_rule_of_another_model_is_stale(ruled):
    forest, rows = ruled
    other = sl.IsolationForest(random_state=1).fit(rows)
    assert not forest.decision_rule_.stale_
    other.decision_rule_ = forest.decision_rule_
    assert other.decision_rule_.stale_


def test_a_detector_without_a_rule_says_so():
    forest = sl.IsolationForest().fit(np.random.default_rng(0).normal(size=(300, 2)))
    assert not hasattr(forest, "decision_rule_")
    with pytest.raises(AttributeError, match="has no decision_rule_: set one"):
        _ = forest.decision_rule_
    with pytest.raises(ValueError, match="not fitted"):
        forest.decision_rule_ = sl.DecisionRule()


def learn_on(model, seed=1):
    return model.partial_fit(np.random.default_rng(seed).normal(size=(1000, 3)))


def test_a_detector_decides_by_its_rule_and_warns_once_it_has_continued_training(ruled):
    forest, rows = ruled
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decisions = forest.decide(rows)
    np.testing.assert_array_equal(
        decisions, forest.decision_rule_.decide(forest.anomaly_score(rows))
    )
    copies = pickle.loads(pickle.dumps(forest)), copy.copy(forest)
    learn_on(forest)
    with pytest.warns(sl.StaleDecisionWarning) as warned:
        forest.decide(rows)
    assert warned[0].filename == __file__
    for model in copies:
        assert not model.decision_rule_.stale_
    # Setting a newly fitted rule ends the warning.
    labels = np.repeat([0, 1], [500, 300])
    forest.decision_rule_ = forest.decision_rule_.fit(forest.anomaly_score(rows), labels)
    assert not forest.decision_rule_.stale_
    learn_on(forest, seed=2)
    assert forest.decision_rule_.stale_


def test_a_rule_is_a_value(ruled):
    forest, rows = ruled
    labels = np.repeat([0, 1], [500, 300])
    before = forest.decide(rows)
    held = forest.decision_rule_
    held.fit(forest.anomaly_score(rows), 1 - labels)  # does not change the model
    np.testing.assert_array_equal(forest.decide(rows), before)
    held = forest.decision_rule_
    learn_on(forest)
    assert not held.stale_  # unchanged
    assert forest.decision_rule_.stale_


def test_rows_without_a_score_are_unknown():
    random = np.random.default_rng(0)
    series = random.normal(size=(400, 1))
    model = sl.LSTMForecaster(window=12, hidden=4, max_epochs=1, random_state=0, n_jobs=1)
    model.fit(series)
    score = model.anomaly_score(series)
    known = ~np.isnan(score)
    labels = random.integers(0, 2, known.sum())
    model.decision_rule_ = sl.DecisionRule(threshold={}).fit(score[known], labels)
    decisions = model.decide(series)
    assert set(decisions[~known]) == {"unknown"}
    assert "unknown" not in decisions[known]


def test_a_detector_without_a_rule_cannot_decide():
    forest = sl.IsolationForest().fit(np.random.default_rng(0).normal(size=(300, 2)))
    with pytest.raises(AttributeError, match="has no decision_rule_: set one"):
        forest.decide(np.zeros((1, 2)))


def test_a_copy_of_a_rule_belongs_to_no_model_and_a_rule_keeps_none_alive(ruled):
    forest, rows = ruled
    score, labels = forest.anomaly_score(rows), np.repeat([0, 1], [500, 300])
    rule = forest.decision_rule_
    copies = pickle.loads(pickle.dumps(rule)), copy.deepcopy(rule), clone(rule).fit(score, labels)
    learn_on(forest)
    assert not any(one.stale_ for one in copies)
    other = sl.IsolationForest(random_state=1).fit(rows)
    own = sl.DecisionRule().fit(other.anomaly_score(rows), labels)
    other.decision_rule_ = own
    del other
    assert not own.stale_  # independent of the model


def test_one_rule_can_be_fitted_for_one_model_after_another(ruled):
    first, rows = ruled
    second = sl.IsolationForest(random_state=1).fit(rows)
    labels = np.repeat([0, 1], [500, 300])
    rule = sl.DecisionRule()
    for model in (first, second):
        model.decision_rule_ = rule.fit(model.anomaly_score(rows), labels)
    for model in (first, second):
        own = sl.DecisionRule().fit(model.anomaly_score(rows), labels)
        assert model.decision_rule_.fingerprint_ == own.fingerprint_
        assert not model.decision_rule_.stale_


def test_a_copied_model_that_learns_leaves_the_rule_of_the_first_alone(ruled):
    forest, _ = ruled
    for copied in (copy.copy(forest), copy.deepcopy(forest)):
        assert not forest.decision_rule_.stale_
        learn_on(copied)
        assert copied.decision_rule_.stale_
        assert not forest.decision_rule_.stale_


def test_too_few_cases_are_said_where_the_rule_is_fitted():
    with pytest.warns(sl.TooFewCasesWarning, match=r"^DecisionRule\.fit: at a") as warned:
        sl.DecisionRule().fit(*simulated(100))
    assert warned[0].filename == __file__


class CountedModel(KeepsDecisionRule):
    """A model that counts how often its weights are read."""

    def __init__(self):
        self.n_files = 0

    def to_file(self):
        self.n_files += 1
        file = ModelFile("some_model")
        file.add("weights", np.ones(3))
        return file

    def _fitted(self):
        return self


def test_a_model_is_compared_once_and_not_whenever_its_rule_is_asked_for():
    model = CountedModel()
    model.decision_rule_ = sl.DecisionRule().fit(*simulated())
    assert not model.decision_rule_.stale_
    n_files = model.n_files
    for _ in range(3):
        model.decision_rule_.decide([0.0])
    assert model.n_files == n_files


def saved_and_loaded(rule, tmp_path):
    forest = sl.IsolationForest(random_state=0).fit(np.random.default_rng(0).normal(size=(300, 2)))
    forest.decision_rule_ = rule
    forest.save(tmp_path / "model.safetensors")
    return sl.load(tmp_path / "model.safetensors").decision_rule_


def test_a_file_keeps_how_the_threshold_is_tuned_and_that_there_is_no_band(tmp_path):
    score, y = simulated()
    asked = {"maximize": "f_beta", "beta": 2.0, "costs": (3.0, 1.0), "min_recall": 0.97,
             "floor_confidence": 0.9}  # fmt: skip
    rule = sl.DecisionRule(threshold=asked, calibration="platt").fit(score, y)
    loaded = saved_and_loaded(rule, tmp_path)
    assert loaded.band is None
    assert {name: loaded.threshold[name] for name in asked} == asked
    new_score, new_y = simulated(seed=1)
    again = loaded.fit(new_score, new_y)
    assert again.band_ is None
    assert again.threshold_ == sl.tune_threshold(new_y, new_score, **asked).threshold


def test_a_file_without_how_the_threshold_was_tuned_stays_a_rule_of_one_cut_off(tmp_path):
    score, y = simulated()
    rule = sl.DecisionRule(threshold={"min_recall": 0.9}).fit(score, y)
    file = ModelFile("some_model")
    rule._rule.write_to(file)
    decision = json.loads(file.section("decision"))
    del decision["rule"]["threshold_parameters"]
    file.set_section("decision", json.dumps(decision))
    older = sl.DecisionRule._from_core(type(rule._rule).read_from(file))
    assert older.threshold_ == rule.threshold_
    assert older.fit(score, y).band_ is None


def test_a_file_keeps_the_bands_counts_and_its_path(tmp_path):
    score, y = simulated(3000)
    groups = np.arange(3000) // 2
    threshold_grid = np.linspace(-3, 5, 81)
    band = sl.SuspiciousBand(0.1, 0.2, guarantee="selective", threshold_grid=threshold_grid)
    rule = sl.DecisionRule(band).fit(score, y, groups)
    loaded = saved_and_loaded(rule, tmp_path)
    assert loaded.band_.n_positives_ + loaded.band_.n_negatives_ == 1500
    assert loaded.band_.n_positives_ == rule.band_.n_positives_
    np.testing.assert_array_equal(loaded.band_.threshold_grid, threshold_grid)
    again = sl.DecisionRule(loaded.band).fit(score, y, groups)
    assert (again.band_.lower_, again.band_.upper_) == (rule.band_.lower_, rule.band_.upper_)


def test_cut_offs_by_hand_stay(tmp_path):
    score, y = simulated()
    rule = sl.DecisionRule(sl.SuspiciousBand.at(-5, np.inf)).fit(score, y)
    loaded = saved_and_loaded(clone(rule).fit(score, y), tmp_path)
    for found in (rule, loaded, loaded.fit(score, y)):
        assert (found.band_.lower_, found.band_.upper_) == (-5, np.inf)
        assert (found.band_.n_positives_, found.band_.n_negatives_) == (y.sum(), (1 - y).sum())
        assert 0 <= found.band_.drift_p_value(score) <= 1


def test_says_what_was_expected_and_what_came():
    score, y = simulated()
    for rule, message in (
        (sl.DecisionRule(sl.SuspiciousBand), "expected band as a SuspiciousBand, got <class "),
        (sl.DecisionRule("5%"), "expected band as a SuspiciousBand, got '5%'"),
        (sl.DecisionRule(threshold=0.5), "expected threshold as a dict .*, got 0.5"),
        (sl.DecisionRule(calibration=True), "expected calibration as one of .*, got True"),
    ):
        with pytest.raises(ValueError, match=r"DecisionRule\.fit: " + message):
            rule.fit(score, y)
    with pytest.raises(ValueError, match=r"^DecisionRule\.fit: expected labels of both classes"):
        sl.DecisionRule().fit(score, np.zeros(len(score)))
    with pytest.raises(ValueError, match=r"^DecisionRule\.decide: expected finite scores, got nan"):
        sl.DecisionRule().fit(score, y).decide([np.nan])
    forest = sl.IsolationForest().fit(np.random.default_rng(0).normal(size=(300, 2)))
    with pytest.raises(TypeError, match="IsolationForest.decision_rule_: expected a DecisionRule, "
                       "got SuspiciousBand"):  # fmt: skip
        forest.decision_rule_ = sl.SuspiciousBand().fit(score, y)


def guarded_rule(forest, rows, labels):
    """A rule that refers rows out of distribution for the forest."""
    training = np.random.default_rng(0).normal(size=(2000, 3))
    guard = sl.FeatureDistance(random_state=0).fit(training)
    rule = sl.DecisionRule(threshold={}, feature_distance=guard)
    return rule.fit(forest.anomaly_score(rows), labels)


def test_refers_what_is_unlike_the_training_data_also_from_a_file(ruled, tmp_path):
    forest, rows = ruled
    forest.decision_rule_ = guarded_rule(forest, rows, np.repeat([0, 1], [500, 300]))
    forest.save(tmp_path / "model.safetensors")
    loaded = sl.load(tmp_path / "model.safetensors")
    new = np.vstack([np.zeros((3, 3)), np.full((1, 3), 30.0), rows[:50]])
    score = forest.anomaly_score(new)
    decisions = forest.decision_rule_.decide(score, features=new)
    assert list(decisions[:4]) == ["negative"] * 3 + ["refer"]
    for rule in (loaded.decision_rule_, pickle.loads(pickle.dumps(forest)).decision_rule_):
        assert not rule.stale_
        np.testing.assert_array_equal(rule.decide(score, features=new), decisions)
        np.testing.assert_array_equal(
            rule.feature_distance_.distance(new),
            forest.decision_rule_.feature_distance_.distance(new),
        )
        # Fitted again it keeps the distance; with out_of_distribution it needs no features.
        rule.fit(loaded.anomaly_score(rows), np.repeat([0, 1], [500, 300]))
        np.testing.assert_array_equal(rule.decide(score, features=new), decisions)
        by_hand = np.zeros(len(score), dtype=bool)
        assert rule.decide(score, by_hand)[3] == "positive"
        by_hand[0] = True
        both = rule.decide(score, by_hand, features=new)
        assert (both[0], both[3]) == ("refer", "refer")
    del forest.decision_rule_
    forest.decision_rule_ = sl.DecisionRule().fit(
        forest.anomaly_score(rows), np.repeat([0, 1], [500, 300])
    )
    assert not any(name.startswith("decision.") for name in forest._to_model_file().tensors)


def test_what_is_said_about_features(ruled):
    forest, rows = ruled
    labels = np.repeat([0, 1], [500, 300])
    score = forest.anomaly_score(rows)
    rule = guarded_rule(forest, rows, labels)
    with pytest.raises(
        ValueError, match="expected features or out_of_distribution, since this rule has"
    ):
        rule.decide(score)
    with pytest.raises(ValueError, match="expected features of 800 samples, got 3"):
        rule.decide(score, features=rows[:3])
    with pytest.raises(ValueError, match="3 features"):
        rule.decide(score, features=rows[:, :2])
    with pytest.raises(
        ValueError, match="expected no features, since this rule has no feature_distance"
    ):
        sl.DecisionRule().fit(score, labels).decide(score, features=rows)
    for wrong in (sl.FeatureDistance(), "mahalanobis"):
        with pytest.raises(ValueError, match="expected feature_distance as a fitted FeatureDist"):
            sl.DecisionRule(feature_distance=wrong).fit(score, labels)


def test_a_rule_keeps_the_guard_as_it_was(ruled):
    forest, rows = ruled
    labels = np.repeat([0, 1], [500, 300])
    score = forest.anomaly_score(rows)
    guard = sl.FeatureDistance(random_state=0).fit(rows)
    rule = sl.DecisionRule(feature_distance=guard).fit(score, labels)
    twin = clone(rule)
    decisions = rule.decide(score, features=rows)
    guard.fit(rows + 100)
    np.testing.assert_array_equal(rule.decide(score, features=rows), decisions)
    forest.decision_rule_ = rule
    loaded = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(loaded.decision_rule_.decide(score, features=rows), decisions)
    np.testing.assert_array_equal(twin.fit(score, labels).decide(score, features=rows), decisions)


def test_what_is_asked_of_the_threshold_must_be_known():
    score, y = [0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]
    with pytest.raises(ValueError, match=r"DecisionRule.fit: expected threshold .*'min_recal'"):
        sl.DecisionRule(threshold={"min_recal": 0.9}).fit(score, y)
    with pytest.raises(NotFittedError):
        _ = sl.DecisionRule().stale_


def test_a_threshold_notices_drift_as_a_band_does():
    y = np.arange(1000) % 2
    score = np.random.default_rng(0).normal(2.0 * y)
    rule = sl.DecisionRule(threshold={}).fit(score, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule.decide(score)
    with pytest.warns(sl.DriftWarning, match="DecisionRule.decide"):
        rule.decide(3 * score + 9)


def test_a_learner_keeps_the_whole_rule_with_every_version(ruled, tmp_path):
    forest, rows = ruled
    forest.decision_rule_ = guarded_rule(forest, rows, np.repeat([0, 1], [500, 300]))
    random = np.random.default_rng(3)
    learner = sl.IncrementalLearner(forest, random.normal(size=(2000, 3)), folder=tmp_path)
    assert learner.update(random.normal(size=(500, 3))).accepted
    rule = forest.decision_rule_
    for model, stale in (
        (sl.load(tmp_path / "version-000001.safetensors"), False),
        (learner.detector_, True),
        (sl.load(tmp_path / "version-000002.safetensors"), True),
        (sl.IncrementalLearner.open(tmp_path).detector_, True),
    ):
        assert model.decision_rule_.stale_ is stale
        np.testing.assert_array_equal(
            model.decision_rule_.feature_distance_.distance(rows),
            rule.feature_distance_.distance(rows),
        )
