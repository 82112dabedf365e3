"""Properties of SKAB's pooled counts."""

import numpy as np
import pytest

skab_scoring = pytest.importorskip("skab_scoring", reason="the benchmarks are not here")
from skab_scoring import N_TRAINING, Recording, confusion  # noqa: E402


def recording(name, label):
    n_rows = N_TRAINING + len(label)
    whole = np.concatenate((np.ones(N_TRAINING, dtype=int), label))
    return Recording(name, [str(i) for i in range(n_rows)], np.zeros((n_rows, 8)), whole)


def said(label):
    return np.concatenate((np.ones(N_TRAINING, dtype=int), label))


def test_counts_the_rows_of_all_files_except_the_training_rows():
    files = [recording("a/1.csv", [0, 0, 1, 1]), recording("a/2.csv", [1, 0])]
    counts = confusion(files, {"a/1.csv": said([0, 1, 1, 0]), "a/2.csv": said([1, 0])})
    assert (counts.true_alarms, counts.false_alarms) == (2, 1)
    assert (counts.missed_alarms, counts.true_normals) == (1, 2)
    assert counts.f1 == pytest.approx(2 / 3)
    assert counts.false_alarm_rate == pytest.approx(1 / 3)
    assert counts.missed_alarm_rate == pytest.approx(1 / 3)


def test_no_alarm_scores_0_and_the_labels_score_1():
    files = [recording("a/1.csv", [0, 1])]
    assert confusion(files, {"a/1.csv": said([0, 0])}).f1 == 0
    assert confusion(files, {"a/1.csv": said([0, 1])}).f1 == 1


def test_rejects_a_wrong_number_of_predictions():
    files = [recording("a/1.csv", [0, 1])]
    with pytest.raises(ValueError, match=r"a/1.csv: expected 402 predictions, got \(3,\)"):
        confusion(files, {"a/1.csv": np.zeros(3, dtype=int)})


def test_real_files_are_read_back_as_written_and_flagging_all_rows_scores_0_70(tmp_path, real_data):
    corpus = skab_scoring.read_corpus(real_data / "skab")
    assert len(corpus) == 18
    everything = {one.name: np.ones(len(one.label), dtype=int) for one in corpus}
    skab_scoring.write_results(tmp_path / "all", corpus, everything)
    counts = confusion(corpus, skab_scoring.read_results(tmp_path / "all", corpus))
    assert counts.false_alarm_rate == 1
    assert counts.missed_alarm_rate == 0
    assert counts.f1 == pytest.approx(0.70, abs=0.005)
