"""river takes our detectors through the adapter."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import secondlook as sl

pytest.importorskip("river", reason="the adapter needs river")
from river import (
    anomaly,
    base,
    checks,
    compose,
    datasets,
    evaluate,
    metrics,
    preprocessing,
)

from secondlook.integrations import RiverAdapter

pytestmark = pytest.mark.slow  # each check trains or writes a database


def samples(n, seed=0):
    """Samples as dicts, each with whether it is abnormal: a twentieth are far away."""
    random = np.random.default_rng(seed)
    for values in random.normal(size=(n, 3)):
        abnormal = bool(random.random() < 0.05)
        values[:2] += 6 * abnormal
        yield dict(zip("abc", values.tolist(), strict=True)), abnormal


class Simulation:
    """In place of the data that river's checks would download."""

    def take(self, n):
        return samples(n)


def routing_forest():
    return RiverAdapter(sl.IsolationForest(missing="route", random_state=0))


def test_rivers_checks_pass(monkeypatch):
    monkeypatch.setattr(datasets, "CreditCard", Simulation)
    names = []
    for check in checks.yield_checks(routing_forest()):
        names.append(getattr(check, "__name__", None) or check.func.__name__)
        check(routing_forest())
    assert "check_roc_auc" in names
    assert "check_emerging_features" in names


@pytest.mark.parametrize(
    "detector",
    [
        anomaly.HalfSpaceTrees(seed=0, n_trees=10, height=6, window_size=100),
        RiverAdapter(sl.IsolationForest(n_estimators=50, max_samples=100, random_state=0), 100),
        RiverAdapter(sl.Autoencoder(hidden=(4, 2), max_epochs=20, random_state=0), 200),
    ],
    ids=["HalfSpaceTrees", "IsolationForest", "Autoencoder"],
)
def test_ours_and_rivers_work_alike_in_a_pipeline_with_a_scaler(detector):
    scale = (
        preprocessing.MinMaxScaler
        if isinstance(detector, anomaly.HalfSpaceTrees)
        else preprocessing.StandardScaler
    )
    model = compose.Pipeline(scale(), detector)
    assert isinstance(model, base.AnomalyDetector)
    scores, labels = [], []
    for x, y in samples(1500):
        scores.append(model.score_one(x))
        model.learn_one(x)
        labels.append(y)
    assert all(isinstance(score, float | int) for score in scores)
    assert scores[0] == 0
    assert roc_auc_score(labels[500:], scores[500:]) > 0.9


def test_filters_and_progressive_validation_take_it():
    forest = sl.IsolationForest(n_estimators=50, max_samples=100, random_state=0)
    model = preprocessing.StandardScaler() | anomaly.QuantileFilter(
        RiverAdapter(forest, every=100), q=0.95, protect_anomaly_detector=False
    )
    recall = metrics.Recall()
    flagged = []
    for x, y in samples(1000):
        score = model.score_one(x)
        flagged.append(model["QuantileFilter"].classify(score))
        model.learn_one(x)
        recall.update(y, flagged[-1])
    assert sum(flagged[:100]) == 0 or recall.get() > 0.5
    assert recall.get() > 0.5
    auc = metrics.ROCAUC()
    evaluate.progressive_val_score(samples(600), RiverAdapter(forest, every=100), auc)
    assert auc.get() > 0.7


def test_training_takes_place_every_so_many_samples_and_leaves_the_given_detector():
    detector = sl.Autoencoder(hidden=(4, 2), max_epochs=2, random_state=0)
    model = RiverAdapter(detector, every=50)
    drawn = [x for x, _ in samples(100)]
    for x in drawn[:49]:
        model.learn_one(x)
    assert model.score_one(drawn[0]) == 0
    model.learn_one(drawn[49])
    first = model.score_one(drawn[0])
    rows = np.array([list(x.values()) for x in drawn])
    reference = sl.Autoencoder(hidden=(4, 2), max_epochs=2, random_state=0).partial_fit(rows[:50])
    assert first == reference.anomaly_score(rows[:1])[0]
    for x in drawn[50:]:
        model.learn_one(x)
    assert model.score_one(drawn[0]) == reference.partial_fit(rows[50:]).anomaly_score(rows[:1])[0]
    assert not hasattr(detector, "offset_")


def test_a_fitted_detector_scores_from_the_start_by_the_names_of_its_features():
    table = pd.DataFrame([x for x, _ in samples(300)])
    forest = sl.IsolationForest(random_state=0).fit(table)
    model = RiverAdapter(forest)
    reordered = {name: table[name][7] for name in "cba"}
    assert model.score_one(reordered) == forest.anomaly_score(table[7:8])[0]
    assert forest.feature_names_in_.tolist() == list("abc")
    nameless = RiverAdapter(sl.IsolationForest(random_state=0).fit(table.to_numpy()))
    assert nameless.score_one(dict(table.iloc[7])) == model.score_one(reordered)


def test_missing_features_are_nan_and_new_ones_are_ignored():
    model = routing_forest()
    for x, _ in samples(256):
        model.learn_one(x)
    known = {"a": 0.1, "b": 0.2, "c": 0.3}
    assert model.score_one({**known, "d": 99.0}) == model.score_one(known)
    assert 0 < model.score_one({"a": 0.1}) < 1
    strict = RiverAdapter(sl.IsolationForest(random_state=0))
    for x, _ in samples(256):
        strict.learn_one(x)
    with pytest.raises(ValueError, match="NaN"):
        strict.score_one({"a": 0.1})


def test_a_pickle_continues_with_the_gathered_samples():
    model = routing_forest()
    drawn = [x for x, _ in samples(300)]
    for x in drawn[:200]:
        model.learn_one(x)
    copy = pickle.loads(pickle.dumps(model))
    for x in drawn[200:]:
        model.learn_one(x)
        copy.learn_one(x)
    assert copy.score_one(drawn[0]) == model.score_one(drawn[0]) > 0


def test_detectors_that_cannot_score_single_rows_are_refused():
    with pytest.raises(TypeError, match=r"got LSTMForecaster; use its stream\(\)"):
        RiverAdapter(sl.LSTMForecaster())
    with pytest.raises(ValueError, match="expected every of at least 2 samples, got 1"):
        RiverAdapter(sl.IsolationForest(), every=1)
