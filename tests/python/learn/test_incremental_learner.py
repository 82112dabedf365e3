import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pandas as pd
import pytest

import secondlook as sl

warnings.simplefilter("error", sl.StaleDecisionWarning)


def plant(rows, seed, shift=0.0):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows))
    X = np.c_[a, b, a + b, a - b, 50 + 3 * a] + 0.2 * random.normal(size=(rows, 5))
    X[:, 2] += shift
    return X


@pytest.fixture(scope="module")
def forest():
    return sl.IsolationForest(contamination=0.01, random_state=0).fit(plant(2000, 0))


@pytest.fixture(scope="module")
def autoencoder():
    return sl.Autoencoder(hidden=(16, 4), max_epochs=30, random_state=0).fit(plant(3000, 0))


@pytest.mark.parametrize("name", ["forest", "autoencoder"])
def test_continues_training_without_changing_the_given_detector(name, request):
    detector = request.getfixturevalue(name)
    probe = plant(50, 9)
    before = detector.score_samples(probe)
    learner = sl.IncrementalLearner(detector, plant(1000, 1), random_state=0)
    np.testing.assert_array_equal(learner.score_samples(probe), before)
    report = learner.update(plant(1000, 2))
    assert report.accepted, report.reason
    assert report.version == learner.version_ == 2
    assert report.n_replayed == report.n_learned > 0
    assert (learner.score_samples(probe) != before).any()
    np.testing.assert_array_equal(detector.score_samples(probe), before)
    np.testing.assert_array_equal(
        learner.predict(probe), np.where(learner.score_samples(probe) >= learner.offset_, 1, -1)
    )
    np.testing.assert_array_equal(learner.anomaly_score(probe), -learner.score_samples(probe))
    # The offset of the model is current, too: predicting does not warn.
    copy = learner.detector_
    assert type(copy) is type(detector)
    copy.predict(probe)
    np.testing.assert_array_equal(copy.score_samples(probe), learner.score_samples(probe))


def test_refuses_an_update_with_only_anomalies_and_warns(autoencoder):
    learner = sl.IncrementalLearner(autoencoder, plant(1000, 1), random_state=0)
    before = learner.score_samples(plant(50, 9))
    with pytest.warns(sl.DriftWarning, match="left the calibrated range"):
        report = learner.update(plant(200, 2, shift=20.0))
    assert report.outcome == "refused"
    assert report.n_suspected == 200
    assert np.isnan(report.fresh_after)
    assert learner.reports_[-1].reason == report.reason
    np.testing.assert_array_equal(learner.score_samples(plant(50, 9)), before)


def test_the_history_has_a_column_per_figure_of_the_reports(autoencoder):
    learner = sl.IncrementalLearner(autoencoder, plant(1000, 1), random_state=0)
    reports = [learner.update(plant(600, 2))]
    with pytest.warns(sl.DriftWarning):
        reports.append(learner.update(plant(200, 3, shift=20.0)))
    assert list(map(repr, learner.reports_)) == list(map(repr, reports))
    table = pd.DataFrame(learner.history_)
    assert table.drop(columns="accepted").to_dict("records") == [
        pytest.approx(vars(report), nan_ok=True) for report in reports
    ]
    assert table["accepted"].tolist() == [True, False]
    assert table["fresh_after"].isna().tolist() == [False, True]
    assert {column.shape for column in learner.history_.values()} == {(2,)}


def test_trains_on_rows_that_a_person_has_confirmed(forest):
    learner = sl.IncrementalLearner(forest, plant(1000, 1), random_state=0)
    rows = plant(300, 2)
    rows[:200] += 6.0
    with pytest.warns(sl.DriftWarning):
        assert learner.update(rows).outcome == "refused"
    with pytest.warns(sl.DriftWarning):
        report = learner.update(rows, trusted=True)
    assert report.n_suspected == 0
    assert report.accepted, report.reason


def test_rolls_back_a_poisoned_update():
    # A network that learns fast is trained on faulty data: the sensors are no longer correlated.
    model = sl.Autoencoder(
        hidden=(16, 4), dropout=0.0, learning_rate=0.05, max_epochs=30, random_state=0
    ).fit(plant(3000, 0))
    learner = sl.IncrementalLearner(model, plant(1000, 1), replay_ratio=0.0, random_state=0)
    before = learner.score_samples(plant(50, 9))
    poison = plant(1000, 2)
    poison[:, 2] *= -1
    with pytest.warns(sl.DriftWarning):
        report = learner.update(poison, trusted=True)
    assert report.outcome == "rolled_back"
    assert report.replay_after < report.replay_before - report.allowed_loss
    np.testing.assert_array_equal(learner.score_samples(plant(50, 9)), before)


def test_errors_name_bad_input(forest):
    learner = sl.IncrementalLearner(forest, plant(1000, 1), random_state=0)
    with pytest.raises(ValueError, match="expecting 5 features"):
        learner.update(plant(100, 2)[:, :4])
    with pytest.raises(ValueError, match="at least 10 samples, got 3"):
        learner.update(plant(3, 2))
    rows = plant(100, 2)
    rows[7, 1] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        learner.update(rows)
    with pytest.raises(ValueError, match="expected a learner with a folder of versions"):
        learner.rollback(1)
    with pytest.raises(ValueError, match="expected at least 334 calibration rows"):
        sl.IncrementalLearner(forest, plant(200, 1))
    with pytest.raises(ValueError, match="tolerance must lie in"):
        sl.IncrementalLearner(forest, plant(1000, 1), tolerance=-1.0)
    with pytest.raises(TypeError, match="expected a detector"):
        sl.IncrementalLearner(object(), plant(1000, 1))
    assert learner.version_ == 1
    assert learner.reports_ == []
    assert {len(column) for column in learner.history_.values()} == {0}


def test_feature_names_are_kept_and_checked(tmp_path):
    names = ["a", "b", "c", "d", "e"]
    model = sl.IsolationForest(random_state=0).fit(pd.DataFrame(plant(500, 0), columns=names))
    table = pd.DataFrame(plant(1000, 1), columns=names)
    sl.IncrementalLearner(model, table, tmp_path / "site")
    learner = sl.IncrementalLearner.open(tmp_path / "site")
    assert list(learner.detector_.feature_names_in_) == names
    with pytest.raises(ValueError, match="feature names"):
        learner.update(table.rename(columns={"a": "z"}))


def test_versions_have_reasons_and_can_be_restored(forest, tmp_path):
    learner = sl.IncrementalLearner(forest, plant(1000, 1), tmp_path / "site", random_state=0)
    probe = plant(50, 9)
    scores = [learner.score_samples(probe)]
    reports = []
    for seed in (2, 3):
        reports.append(learner.update(plant(600, seed)))
        scores.append(learner.score_samples(probe))
    versions = learner.versions_
    assert [version.number for version in versions] == [1, 2, 3]
    assert [version.reason for version in versions[1:]] == [r.reason for r in reports]
    assert [version.in_use for version in versions] == [False, False, True]
    assert len(pd.DataFrame(versions)) == 3
    learner.rollback(2, "sensor replaced")
    np.testing.assert_array_equal(learner.score_samples(probe), scores[1])
    again = sl.IncrementalLearner.open(tmp_path / "site")
    assert again.versions_[-1].reason == "back to version 2: sensor replaced"
    np.testing.assert_array_equal(again.score_samples(probe), scores[1])
    assert again.history_["version"].tolist() == [2, 3]
    # A version is an ordinary model file.
    loaded = sl.load(tmp_path / "site" / "version-000001.safetensors")
    np.testing.assert_array_equal(loaded.score_samples(probe), scores[0])


def test_rejects_a_folder_of_another_model(forest, autoencoder, tmp_path):
    sl.IncrementalLearner(forest, plant(1000, 1), tmp_path / "site")
    with pytest.raises(ValueError, match="versions of kind autoencoder, got one of kind isolation"):
        sl.IncrementalLearner(autoencoder, plant(1000, 1), tmp_path / "site")
    (tmp_path / "site" / "version-000002.safetensors").write_bytes(b"cut off")
    assert sl.IncrementalLearner.open(tmp_path / "site").version_ == 1
    autoencoder.save(tmp_path / "site" / "version-000003.safetensors")
    with pytest.raises(sl.ModelFileError, match="a plain model of kind autoencoder"):
        sl.IncrementalLearner.open(tmp_path / "site")
    with pytest.raises(OSError, match="not a folder"):
        sl.IncrementalLearner.open(tmp_path / "absent")


def test_threads_score_during_updates(autoencoder):
    learner = sl.IncrementalLearner(autoencoder, plant(3000, 1), random_state=0)
    probe = plant(20, 9)
    busy = threading.Event()
    counts, failures = [0, 0], []

    def read():
        while not busy.is_set():
            if not np.isfinite(learner.score_samples(probe)).all():
                failures.append("not finite")

    def update():
        # One long update, during which readers must get many turns.
        start = counts[0]
        learner.update(plant(100_000, 2))
        counts[1] = counts[0] - start

    def count():
        while not busy.is_set():
            learner.score_samples(probe)
            counts[0] += 1

    readers = [threading.Thread(target=read), threading.Thread(target=count)]
    for reader in readers:
        reader.start()
    updater = threading.Thread(target=update)
    updater.start()
    updater.join()
    busy.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert counts[1] > 20


CHILD = """
import sys, warnings
import numpy as np
import secondlook as sl
warnings.simplefilter("ignore")
learner = sl.IncrementalLearner.open(sys.argv[1])
random = np.random.default_rng()
while True:
    print(learner.update(random.normal(size=(50, 5)), trusted=True).version, flush=True)
"""


def test_a_killed_program_leaves_the_last_good_version(tmp_path):
    # The C++ test kills a hundred times; this one checks that the same holds from Python.
    X = np.random.default_rng(0).normal(size=(1500, 5))
    forest = sl.IsolationForest(n_estimators=20, max_samples=64, random_state=0).fit(X[:500])
    sl.IncrementalLearner(forest, X[500:], tmp_path / "site", random_state=0)
    for kill in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, tmp_path / "site"], stdout=subprocess.PIPE, text=True
        )
        reported = int(child.stdout.readline())
        time.sleep(0.02 * kill)
        os.kill(child.pid, signal.SIGKILL)
        numbers = [int(line) for line in child.communicate()[0].split()]
        reported = max([reported, *numbers])
        learner = sl.IncrementalLearner.open(tmp_path / "site")
        assert reported <= learner.version_ <= reported + 1
        assert np.isfinite(learner.score_samples(X[:50])).all()


def test_labels_are_only_accepted_for_images(forest):
    with pytest.raises(ValueError, match="expected labels for images only, got labels of rows"):
        sl.IncrementalLearner(forest, plant(400, 1), y=np.zeros(400))


def test_rows_stored_as_bytes_resume_from_their_folder(tmp_path):
    random = np.random.default_rng(0)
    X = random.integers(0, 256, size=(900, 3)).astype(float)
    forest = sl.IsolationForest(contamination=0.01, random_state=0).fit(X[:300])
    learner = sl.IncrementalLearner(forest, X[300:700], tmp_path, random_state=0)
    for rows in (X[700:800], X[800:] + 0.5):  # first only whole numbers, then others
        learner.update(rows)
        opened = sl.IncrementalLearner.open(tmp_path)
        assert opened.offset_ == learner.offset_
        np.testing.assert_array_equal(opened.score_samples(X), learner.score_samples(X))
