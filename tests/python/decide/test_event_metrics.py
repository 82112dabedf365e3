import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score

import secondlook as sl

START = np.datetime64("2024-05-01T00:00", "m")


@given(st.lists(st.booleans(), min_size=2, max_size=100), st.integers(0, 60), st.integers(0, 40))
def test_instants_agree_with_scikit_learn(alarms, start, length):
    time = START + np.arange(len(alarms))
    window = [START + start, START + start + length]
    metrics = sl.event_metrics(time, alarms, [window])
    truth = (time >= window[0]) & (time <= window[1])
    precision = precision_score(truth, alarms, zero_division=np.nan)
    recall = recall_score(truth, alarms, zero_division=np.nan)
    np.testing.assert_allclose([metrics.precision, metrics.recall], [precision, recall])


@given(st.lists(st.booleans(), min_size=2, max_size=100), st.integers(0, 10))
def test_merging_never_makes_more_events(alarms, gap):
    time = START + np.arange(len(alarms))
    single = sl.event_metrics(time, alarms, np.empty((0, 2)))
    merged = sl.event_metrics(time, alarms, np.empty((0, 2)), merge_gap=f"{gap}min")
    assert merged.n_events <= single.n_events
    assert merged.n_events == single.n_events or gap >= 2


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(0, 2**32 - 1))
def test_the_order_of_windows_does_not_matter(alarms, seed):
    random = np.random.default_rng(seed)
    time = START + np.arange(len(alarms))
    starts = START + random.integers(0, 60, 4)
    windows = np.stack([starts, starts + random.integers(0, 9, 4)], axis=1)
    one = sl.event_metrics(time, alarms, windows)
    other = sl.event_metrics(time, alarms, windows[::-1])
    assert one.n_true_events == other.n_true_events
    assert one.n_windows_hit == other.n_windows_hit


def test_a_day_by_hand():
    time = START + np.arange(0, 1441)
    alarms = np.zeros(1441, bool)
    alarms[[100, 101, 104, 600, 601]] = True
    windows = [("2024-05-01T01:35", "2024-05-01T02:00"), ("2024-05-01T20:00", "2024-05-01T21:00")]
    metrics = sl.event_metrics(time, alarms, windows, merge_gap="5min")
    assert (metrics.n_events, metrics.n_true_events) == (2, 1)
    assert (metrics.event_precision, metrics.event_recall, metrics.event_f1) == (0.5, 0.5, 0.5)
    assert metrics.mean_delay_s == metrics.median_delay_s == 300.0
    assert (metrics.events_per_day, metrics.false_events_per_day) == (2.0, 1.0)
    assert sl.event_metrics(time, alarms, windows).n_events == 3


def test_nothing_labelled():
    metrics = sl.event_metrics(START + np.arange(3), [False, True, False], [])
    assert metrics.event_precision == 0
    assert math.isnan(metrics.event_recall)
    assert math.isnan(metrics.event_f1)


def test_bad_input():
    time = START + np.arange(3)
    alarms = [False, True, False]
    with pytest.raises(ValueError, match="expected times and alarms of shape"):
        sl.event_metrics(time, alarms[:2], [])
    with pytest.raises(ValueError, match="expected times and alarms of shape"):
        sl.event_metrics(time, alarms, time)
    with pytest.raises(ValueError, match="expected alarms of bool, got float64"):
        sl.event_metrics(time, [0.1, 0.9, 0.3], [])
    with pytest.raises(ValueError, match="expected strictly increasing times"):
        sl.event_metrics(time[::-1], alarms, [])
    with pytest.raises(ValueError, match="without NaT"):
        sl.event_metrics(time, alarms, [[time[0], np.datetime64("NaT")]])
    with pytest.raises(ValueError, match="end no earlier than they start"):
        sl.event_metrics(time, alarms, [[time[1], time[0]]])
    with pytest.raises(ValueError, match="at least 1 instant, got 0"):
        sl.event_metrics([], np.empty(0, bool), [])
