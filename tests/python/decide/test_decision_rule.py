import pickle

import numpy as np
import pytest
from sklearn.base import clone

import secondlook as sl
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
    with pytest.warns(sl.StaleDecisionWarning, match="has learned on since") as warned:
        stale.decide(score[:5])
    assert warned[0].filename == __file__


def test_bad_input():
    score, y = simulated(100)
    with pytest.raises(ValueError, match="expected a rule with a calibration"):
        sl.DecisionRule(threshold={}).fit(score, y).probability(score)
    with pytest.raises(TypeError, match="unexpected keyword argument 'minimum_recall'"):
        sl.DecisionRule(threshold={"minimum_recall": 1}).fit(score, y)
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
    # Until it is fitted again.
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
