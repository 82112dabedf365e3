"""Properties of NAB's scoring, on synthetic files and on the real labels."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

nab_scoring = pytest.importorskip("nab_scoring", reason="the benchmarks are not here")
from nab_scoring import Profile, Series, row_worth, sweep  # noqa: E402

STANDARD = Profile()


def series(n_rows=1000, windows=((400, 499), (700, 799)), name="made_up/a.csv"):
    return Series(name, [str(i) for i in range(n_rows)], np.zeros(n_rows), list(windows))


def alarms(one, *rows):
    score = np.zeros(len(one.values))
    score[list(rows)] = 1.0
    return {one.name: score}


@pytest.fixture(scope="module")
def corpus(real_data):
    return nab_scoring.read_corpus(real_data / "nab")


def perfect_scores(corpus):
    return {one.name: alarms(one, *(first for first, _ in one.windows))[one.name] for one in corpus}


@pytest.mark.parametrize("false_alarm", [0.11, 0.22])
@pytest.mark.parametrize("missed_alarm", [1.0, 2.0])
def test_alarms_exactly_at_the_start_of_each_window_score_100(false_alarm, missed_alarm):
    one = series()
    swept = sweep([one], alarms(one, 400, 700), Profile(1.0, missed_alarm, false_alarm))
    assert swept.at(1.0) == pytest.approx(100)
    assert swept.best() == (pytest.approx(100), 1.0)


def test_no_alarm_scores_0():
    one = series()
    swept = sweep([one], alarms(one))
    assert swept.at(0.5) == 0
    assert swept.scores[0] == 0


def test_perfect_and_null_detectors_on_the_real_labels(corpus):
    assert len(corpus) == 35
    perfect = sweep(corpus, perfect_scores(corpus))
    assert perfect.at(1.0) == pytest.approx(100)
    assert sweep(corpus, {one.name: np.zeros(len(one.values)) for one in corpus}).at(1.0) == 0


def test_real_windows_lie_after_probation_and_do_not_overlap(corpus):
    for one in corpus:
        last = one.probation - 1
        for begin, end in one.windows:
            assert last < begin <= end < len(one.values)
            last = end


def test_an_alarm_before_any_window_costs_the_full_false_alarm():
    one = series()
    swept = sweep([one], alarms(one, 300, 400, 700))
    assert swept.at(1.0) == pytest.approx(100 * (4 - 0.11) / 4)


def test_probation_is_15_percent_of_at_most_5000_rows():
    assert series(1000).probation == 150
    assert series(4730).probation == 709
    assert series(20000).probation == 750
    one = series()
    assert sweep([one], alarms(one, 149)).at(1.0) == 0
    assert sweep([one], alarms(one, 150)).at(1.0) < 0


def test_only_the_earliest_alarm_in_a_window_counts():
    one = series()
    late = sweep([one], alarms(one, 450)).at(1.0)
    assert sweep([one], alarms(one, 450, 460, 499)).at(1.0) == late
    assert sweep([one], alarms(one, 420, 450)).at(1.0) > late


def test_worth_falls_through_a_window_and_after_it():
    one = series(windows=((400, 499),))
    worth, _ = row_worth(one, STANDARD)
    # Lavin & Ahmad 2015, figure 2: 1 at the start, 0.86 in the middle, near 0 at the end.
    assert worth[400] == pytest.approx(1)
    assert worth[450] == pytest.approx((2 / (1 + np.exp(-2.5)) - 1) / (2 / (1 + np.exp(-5)) - 1))
    assert 0 < worth[499] < 0.03
    assert np.all(np.diff(worth[400:500]) < 0)
    after = worth[500:]
    assert np.all(np.diff(after) <= 0)
    assert after[0] == pytest.approx(0.11 * (2 / (1 + np.exp(5 / 99)) - 1))
    assert after[-1] == -0.11
    assert np.all(worth[:400] == -0.11)


def brute_force(corpus, scores, threshold, profile):
    points, n_windows = 0.0, 0
    for one in corpus:
        worth, _ = row_worth(one, profile)
        is_alarm = scores[one.name] >= threshold
        is_alarm[: one.probation] = False
        n_windows += len(one.windows)
        points += worth[is_alarm & (one.label == 0)].sum()
        for first, last in one.windows:
            hits = np.flatnonzero(is_alarm[first : last + 1])
            points += worth[first + hits[0]] if hits.size else -profile.missed_alarm
    null, perfect = -n_windows * profile.missed_alarm, n_windows * profile.true_alarm
    return 100 * (points - null) / (perfect - null)


@given(seed=st.integers(0, 2**32 - 1), n_levels=st.integers(1, 30))
def test_the_sweep_agrees_with_scoring_each_threshold_separately(seed, n_levels):
    rng = np.random.default_rng(seed)
    files = [series(300, ((60, 99), (120, 140)), "a/a.csv"), series(200, (), "a/b.csv")]
    scores = {one.name: rng.integers(0, n_levels, len(one.values)) / n_levels for one in files}
    profile = Profile(1.0, 2.0, 0.11)
    swept = sweep(files, scores, profile)
    expected = [brute_force(files, scores, threshold, profile) for threshold in swept.thresholds]
    np.testing.assert_allclose(swept.scores, expected, atol=1e-9)
    between = (swept.thresholds[:-1] + swept.thresholds[1:]) / 2
    assert [swept.at(threshold) for threshold in between] == swept.scores[:-1].tolist()


def test_result_files_are_read_back_as_written(tmp_path, corpus, monkeypatch, capsys, real_data):
    folder = tmp_path / "perfect"
    scores = perfect_scores(corpus)
    nab_scoring.write_results(folder, corpus, scores)
    path = folder / "realKnownCause" / "perfect_nyc_taxi.csv"
    assert path.read_text().splitlines()[0] == "timestamp,value,anomaly_score,label"
    read = nab_scoring.read_results(folder, corpus)
    assert all(np.array_equal(read[name], scores[name]) for name in scores)

    monkeypatch.setenv("SECONDLOOK_DATA", str(Path(real_data)))
    monkeypatch.setattr(sys, "argv", ["nab_scoring.py", str(folder), "--threshold", "0.5"])
    nab_scoring.main()
    assert capsys.readouterr().out.count("| 100.0 | 1 | 100.0 |") == 3


def test_rejects_a_wrong_number_of_scores():
    one = series()
    with pytest.raises(ValueError, match=r"made_up/a.csv: expected 1000 scores, got \(999,\)"):
        sweep([one], {one.name: np.zeros(999)})
