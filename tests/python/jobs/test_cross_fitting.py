"""Cross-fitted decisions: no case is decided by a rule that was fitted on its group."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import secondlook as sl
from secondlook.jobs.cross_fitting import cross_fitted_decisions


class Recognises(BaseEstimator):
    """A rule that decides "positive" if it was fitted on a score."""

    def fit(self, score, y, groups):
        self.seen_ = set(score.tolist())
        assert set(y.tolist()) == {0, 1}
        return self

    def decide(self, score, out_of_distribution):
        return np.array(["positive" if s in self.seen_ else "negative" for s in score.tolist()])


@pytest.mark.parametrize("n_groups", [4, 7, 40])
@pytest.mark.parametrize("seed", range(3))
def test_no_case_is_decided_by_a_rule_fitted_on_its_group(n_groups, seed):
    random = np.random.default_rng(seed)
    group = random.permutation(np.repeat(np.arange(n_groups), 3))
    decisions = cross_fitted_decisions(
        Recognises(), group.astype(float), group % 2 == 0, group.astype(str), None, seed
    )
    assert decisions.tolist() == ["negative"] * len(group)


def test_a_class_of_one_group_cannot_be_judged():
    abnormal = np.arange(20) < 6
    groups = np.where(abnormal, "the only patient", np.arange(20).astype(str))
    score = np.arange(20.0)
    assert cross_fitted_decisions(Recognises(), score, abnormal, groups, None, 0) is None


def test_groups_of_both_classes_can_be_too_few():
    # A band uses one case per group, and may draw the same class from each of two groups.
    groups = np.repeat(["a", "b", "c"], 4)
    abnormal = np.tile([True, False], 6)
    rule = sl.DecisionRule(sl.SuspiciousBand(0.3, 0.3))
    for seed in range(8):
        score = np.random.default_rng(seed).normal(size=12)
        decisions = cross_fitted_decisions(rule, score, abnormal, groups, None, seed)
        assert decisions is None or len(decisions) == 12


def test_a_rule_without_skill_is_judged_without_optimism():
    # The threshold that suits the labels by chance looks good only on these.
    random = np.random.default_rng(0)
    right = []
    for seed in range(40):
        score, abnormal = random.normal(size=30), np.arange(30) % 2 == 0
        rule = sl.DecisionRule(threshold={})
        own = rule.fit(score, abnormal).decide(score) == "positive"
        crossed = cross_fitted_decisions(
            rule, score, abnormal, np.arange(30).astype(str), None, seed
        )
        right.append(((own == abnormal).mean(), ((crossed == "positive") == abnormal).mean()))
    own, crossed = np.mean(right, axis=0)
    assert own > 0.57
    assert crossed < 0.52  # half are right by chance; 1,200 decisions vary by 0.014


def test_out_of_distribution_cases_are_referred():
    score, abnormal = np.arange(40.0), np.arange(40) >= 20
    far = np.arange(40) % 4 == 1
    rule = sl.DecisionRule(sl.SuspiciousBand.at(19.5, 19.5))
    decisions = cross_fitted_decisions(rule, score, abnormal, np.arange(40).astype(str), far, 0)
    expected = np.where(far, "refer", np.where(abnormal, "positive", "negative"))
    np.testing.assert_array_equal(decisions, expected)
