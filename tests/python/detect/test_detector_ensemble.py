"""Scores, verdicts, fleets and streams of the ensemble."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import secondlook as sl

RULES = (
    {"feature": "temperature", "upper": 60.0, "reason": "derating"},
    {"feature": "current", "lower": -200.0, "upper": 200.0},
)


def small_members():
    return [
        ("autoencoder", sl.Autoencoder(hidden=(8, 2), max_epochs=5, random_state=0)),
        ("forest", sl.IsolationForest(n_estimators=30, random_state=0)),
    ]


@parametrize_with_checks([sl.DetectorEnsemble(small_members())])
def test_follows_the_conventions_of_scikit_learn(estimator, check):
    check(estimator)


def battery(rows=600, seed=0):
    random = np.random.default_rng(seed)
    current = 80 * np.sin(np.arange(rows) / 20) + random.normal(0, 5, rows)
    voltage = 3.3 + 4e-4 * current + random.normal(0, 2e-3, rows)
    temperature = 25 + 0.02 * np.abs(current) + random.normal(0, 0.3, rows)
    return pd.DataFrame({"voltage": voltage, "current": current, "temperature": temperature})


@pytest.fixture(scope="module")
def ensemble():
    return sl.DetectorEnsemble(small_members(), rules=RULES, recent_window=100).fit(battery(2000))


def fleet(devices=3, rows=300):
    tables = []
    for number in range(devices):
        table = battery(rows, seed=10 + number)
        table["device"] = f"pack {number}"
        table["time"] = pd.Timestamp("2026-05-01") + pd.to_timedelta(np.arange(rows), unit="min")
        tables.append(table)
    table = pd.concat(tables)
    # Interleaved, as a fleet's samples arrive.
    return table.sort_values(["time", "device"], ignore_index=True)


def test_five_voters_by_default():
    ensemble = sl.DetectorEnsemble(rules=[{"feature": 0, "upper": 9.0}], random_state=0)
    ensemble.fit(np.random.default_rng(0).normal(size=(300, 2)))
    assert ensemble.voters_ == [
        "autoencoder",
        "isolation_forest",
        "autoencoder recent",
        "z_score",
        "rules",
    ]
    assert ensemble.offset_ == -1


def test_a_fault_is_found_graded_and_explained(ensemble):
    stream = ensemble.stream()
    normal = stream.push([3.3, 0.0, 25.0], time=1)
    assert (normal.verdict, normal.severity, normal.reasons) == ("normal", "normal", ())
    hot = stream.push([3.3, 0.0, 66.0], time=2)
    assert (hot.verdict, hot.severity) == ("anomaly", "critical")
    assert hot.n_votes == len(hot.votes) >= 3
    assert "rules" in hot.votes
    assert "temperature 66 above 60 (derating)" in hot.reasons
    assert any(reason.endswith("sigma above its mean") for reason in hot.reasons)
    assert "critical" in repr(hot)
    resistance = stream.push([3.2, 80.0, 26.6], time=3)  # every single value is in its normal range
    assert resistance.verdict == "anomaly"
    assert any("voltage" in reason for reason in resistance.reasons)


def test_verdicts_of_a_fleet_equal_those_of_its_streams(ensemble):
    table = fleet()
    table.loc[400:440, "temperature"] += 30
    table.loc[500, "voltage"] = np.nan
    verdicts = ensemble.verdicts(table)
    assert list(verdicts.columns) == [
        "device", "time", "score", "verdict", "severity", "n_votes", "reasons",
    ]  # fmt: skip
    pd.testing.assert_index_equal(verdicts.index, table.index)
    assert verdicts.verdict[500] == "unknown"
    assert (verdicts.verdict[400:440] == "anomaly").all()
    assert verdicts.n_votes.dtype == np.int64
    assert (verdicts.severity > "normal").sum() == (verdicts.verdict == "anomaly").sum()
    streams = {name: ensemble.stream() for name in table.device.unique()}
    for row, verdict in zip(table.itertuples(), verdicts.itertuples(), strict=True):
        sample = [row.voltage, row.current, row.temperature]
        record = streams[row.device].push(sample, row.time)
        np.testing.assert_equal(record.score, verdict.score)
        assert record.verdict == verdict.verdict
        if record.severity is None:
            assert verdict.verdict == "unknown"
            assert pd.isna(verdict.severity)
        else:
            assert record.severity == verdict.severity
        assert record.n_votes == verdict.n_votes
        assert "; ".join(record.reasons) == verdict.reasons


def test_one_device_needs_no_column_and_keeps_its_index_of_times(ensemble):
    table = fleet(1)
    table["time"] = table["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    indexed = table.drop(columns="device").set_index("time")
    verdicts = ensemble.verdicts(indexed)
    assert list(verdicts) == ["score", "verdict", "severity", "n_votes", "reasons"]
    pd.testing.assert_index_equal(verdicts.index, indexed.index)
    pd.testing.assert_frame_equal(
        verdicts.reset_index(drop=True), ensemble.verdicts(table)[list(verdicts)]
    )
    unnamed = sl.DetectorEnsemble(random_state=0).fit(indexed.to_numpy())
    assert len(unnamed.verdicts(pd.DataFrame(indexed.to_numpy()))) == len(table)
    with pytest.raises(ValueError, match="expected increasing times"):
        ensemble.verdicts(indexed[::-1])


def test_columns_are_found_by_name_in_any_order(ensemble):
    table = fleet(1)
    shuffled = table[["time", "temperature", "device", "current", "voltage"]].assign(extra="x")
    pd.testing.assert_frame_equal(ensemble.verdicts(shuffled), ensemble.verdicts(table)[
        ["device", "time", "score", "verdict", "severity", "n_votes", "reasons"]
    ])  # fmt: skip


def test_snapshots_resume_and_streams_share_the_model(ensemble):
    X = battery(400, seed=5).to_numpy()
    stream = ensemble.stream()
    for sample in X[:200]:
        stream.push(sample)
    snapshot = pickle.loads(pickle.dumps(stream))
    twin = copy.deepcopy(stream)
    for sample in X[200:]:
        expected = repr(stream.push(sample))
        assert repr(snapshot.push(sample)) == expected
        assert repr(twin.push(sample)) == expected
    assert len(stream._stream.snapshot()) <= ensemble.recent_window


def test_saves_loads_pickles_and_clones(ensemble, tmp_path):
    X = battery(100, seed=6)
    path = tmp_path / "fleet.safetensors"
    ensemble.save(path)
    for again in (sl.load(path), pickle.loads(pickle.dumps(ensemble))):
        np.testing.assert_array_equal(again.score_samples(X), ensemble.score_samples(X))
        assert again.voters_ == ensemble.voters_
        assert list(again.rules) == list(RULES)
        assert list(again.feature_names_in_) == list(X.columns)
    fresh = clone(sl.load(path)).fit(battery(2000))
    np.testing.assert_array_equal(fresh.score_samples(X), ensemble.score_samples(X))
    assert set(ensemble.members_) == {"autoencoder", "forest"}
    assert ensemble.members_["forest"].score_samples(X).shape == (100,)


def test_a_learner_updates_it_and_streams_continue_with_the_new_version(ensemble):
    learner = sl.IncrementalLearner(ensemble, battery(1000, seed=7), random_state=0)
    stream = ensemble.stream()
    stream.push([3.3, 0.0, 25.0])
    report = learner.update(battery(500, seed=8))
    assert report.accepted, report.reason
    newest = learner.detector_
    stream.use(newest)
    sample = battery(1, seed=9)
    assert stream.push(sample.iloc[0]).score == newest.score_samples(sample)[0]


def test_continued_training_makes_the_limits_stale_until_they_are_refitted():
    ensemble = sl.DetectorEnsemble(small_members()).fit(battery(1000).to_numpy())
    moved = battery(500, seed=3).to_numpy(copy=True)
    moved[:, 2] += 2.0
    for _ in range(10):
        ensemble.partial_fit(moved)
    with pytest.warns(sl.StaleDecisionWarning):
        ensemble.predict(moved)
    ensemble.fit_offset(moved)
    assert (ensemble.predict(moved) == -1).mean() < 0.1


def test_streams_pickled_together_share_their_ensemble(ensemble):
    streams = [ensemble.stream() for _ in range(20)]
    assert len(pickle.dumps(streams)) < 2 * len(pickle.dumps(streams[0]))
    first, second, *_ = pickle.loads(pickle.dumps(streams))
    assert first._model is second._model


def test_a_stream_keeps_its_model_after_a_new_fit():
    ensemble = sl.DetectorEnsemble(small_members()).fit(battery(1000))
    stream = ensemble.stream()
    sample = battery(1, seed=4).to_numpy()[0]
    before = stream.push(sample).score
    ensemble.fit(10 * battery(1000))
    assert stream.push(sample).score == before
    assert pickle.loads(pickle.dumps(stream)).push(sample).score == before


def test_deciding_with_stale_limits_warns():
    ensemble = sl.DetectorEnsemble(small_members()).fit(battery(1000)).partial_fit(battery(100))
    with pytest.warns(sl.StaleDecisionWarning):
        ensemble.stream()
    with pytest.warns(sl.StaleDecisionWarning):
        ensemble.verdicts(fleet(1, 5))


def test_limits_that_are_null_in_json_are_absent(ensemble):
    rules = [{"feature": 0, "lower": None, "upper": 9, "reason": None}]
    fitted = sl.DetectorEnsemble(small_members(), rules=rules).fit(battery(300).to_numpy())
    assert fitted.stream().push([10.0, 0.0, 25.0]).reasons[-1] == "feature 0 10 above 9"


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"votes": 0}, r"votes must lie in \[1, 4\] \(the number of voters\), got 0"),
        ({"votes": 5}, r"votes must lie in \[1, 4\] \(the number of voters\), got 5"),
        ({"n_sigma": -1}, "n_sigma must be above 0, got -1"),
        ({"recent_level": 1.0}, r"recent_level must lie in \(0, 1\), got 1"),
        ({"recent_window": 0}, r"recent_window must lie in \[1, 65536\], got 0"),
        ({"limit_level": 0.4}, r"limit_level must lie in \(0.5, 1\), got 0.4"),
        ({"members": []}, "expected 1 to 16 members, got 0"),
        ({"rules": [{"upper": 3}]}, "expected a rule with a feature"),
        ({"rules": [{"feature": 0, "limit": 3}]}, "expected a rule with a feature"),
        ({"rules": [{"feature": 0}]}, "expected a limit for feature 0, got none"),
        ({"rules": [{"feature": 1.7, "upper": 1}]}, "float.*in the rule"),
        ({"rules": [{"feature": 1, "upper": "hot"}]}, "hot.*in the rule"),
        (
            {"members": [("z_score", sl.IsolationForest())]},
            "member names that differ from the other voters",
        ),
        ({"rules": [{"feature": 9, "upper": 1}]}, "expected a feature below 3, got 9"),
        ({"rules": [{"feature": "heat", "upper": 1}]}, "none, as fit was not given a table"),
        ({"members": [("lstm", sl.LSTMForecaster())]}, "needs the preceding rows"),
        (
            {"members": [("a", sl.IsolationForest()), ("a", sl.IsolationForest())]},
            "distinct member names, got 'a' twice",
        ),
    ],
)
def test_errors_describe_invalid_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        sl.DetectorEnsemble(**{"members": small_members(), **parameters}).fit(
            battery(50).to_numpy()
        )


def test_errors_describe_invalid_fleets(ensemble):
    table = fleet(2, 20)
    with pytest.raises(ValueError, match="expected device as the name of a column, got 'pack'"):
        ensemble.verdicts(table, device="pack")
    with pytest.raises(ValueError, match="name the column of devices if there are several"):
        ensemble.verdicts(table.drop(columns="device"))
    with pytest.raises(ValueError, match=r"a column for every feature, got none named \['curr"):
        ensemble.verdicts(table.drop(columns="current"))
    with pytest.raises(ValueError, match="expected increasing times.*'pack 1'"):
        ensemble.verdicts(pd.concat([table, table[table.device == "pack 1"].tail(1)]))
    with pytest.raises(NotFittedError):
        sl.DetectorEnsemble().verdicts(table)
    with pytest.raises(TypeError, match="expected members such as Autoencoder"):
        sl.DetectorEnsemble([("tree", object())]).fit(battery(50))
    with pytest.raises(ValueError, match="expected a device in every row, got 20 rows without"):
        ensemble.verdicts(table.replace({"device": {"pack 1": None}}))
    with pytest.raises(ValueError, match="expected no missing times, got one for device 'pack 0'"):
        ensemble.verdicts(table[:1].assign(time=pd.NaT))
    stream = ensemble.stream()
    with pytest.raises(ValueError, match="a missing one"):
        stream.push([3.3, 0.0, 25.0], time=np.datetime64("NaT"))
    stream.push([3.3, 0.0, 25.0], time=5)
    for time in (5, 4):
        with pytest.raises(ValueError, match=f"expected a time after 5, got {time}"):
            stream.push([3.3, 0.0, 25.0], time=time)
    with pytest.raises(ValueError, match="expected 3 features, got 2"):
        stream.push([3.3, 0.0], time=6)
    with pytest.raises(ValueError, match="inf"):
        stream.push([3.3, np.inf, 25.0], time=6)
    assert stream.push([np.nan, 0.0, 25.0], time=6).verdict == "unknown"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"votes": 2.5}, "expected votes as a whole number, got 2.5"),
        ({"recent_window": "500"}, "expected recent_window as a whole number, got '500'"),
        (
            {"members": [sl.IsolationForest()]},
            r"members as \(name, detector\), got IsolationForest",
        ),
    ],
)
def test_rejects_parameters_of_another_type(arguments, message):
    with pytest.raises(TypeError, match=message):
        sl.DetectorEnsemble(**arguments).fit(np.random.default_rng(0).normal(size=(200, 2)))
