import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

import secondlook as sl

FIELDS = ("surprise", "score", "alarm", "level", "spread", "seasonal", "shape")
SMALL = {"scales": (1, 4, 16), "memory": 120, "seasons": 3, "cooldown": 10}
seeds = st.integers(0, 2**32 - 1)


def series(seed, n, season=24):
    """A wave with noise, a spike, a flat part and a shift."""
    random = np.random.default_rng(seed)
    x = np.sin(2 * np.pi * np.arange(n) / season) + random.normal(0, 0.2, n)
    x[random.integers(n)] += 5
    start = random.integers(n)
    x[start : start + 20] = x[start]
    x[random.integers(n) :] += 1
    return x


def without_trend(x):
    """Remove a steady rise or fall: a line that fits eight means of 64, 128, 256 or 512 samples."""
    steady, offset, slope = np.empty(len(x)), 0.0, 0.0
    for t, sample in enumerate(x):
        steady[t] = sample - offset
        offset += slope
        if (t + 1) % 64:
            continue
        slope = 0.0
        for block in (512, 256, 128, 64):
            n = (t + 1) // block
            if n < 8:
                continue
            means = x[(n - 8) * block : n * block].reshape(8, block).mean(axis=1)
            line = linregress(np.arange(8) * block, means)
            if abs(line.slope) >= 8 * line.stderr and abs(line.slope) * 8 * block > 1e-9 * max(
                abs(means)
            ):
                slope = line.slope
    return steady


def reference(x, season, scales, memory, seasons, threshold=1.0, cooldown=10):
    """Compute the four components directly from their definitions, over whole arrays."""

    def last(values, t, w):
        return values[max(t - w + 1, 0) : t + 1]

    outside = np.zeros(len(x))
    near = -(-season // 96)
    for t in range(len(x)) if season else ():
        centres = [t - k * season for k in range(1, seasons + 1) if t >= k * season]
        past = [x[max(c - near, 0) : c + near + 1] for c in centres]
        if past:
            low, high = min(p.min() for p in past), max(p.max() for p in past)
            outside[t] = max(x[t] - high, 0) + min(x[t] - low, 0)

    steady = without_trend(x)
    finest = np.array([last(steady, t, scales[0]).mean() for t in range(len(x))])

    def spread(t, w):
        floor = 1e-3 * np.ptp(finest[: t + 1]) + 1e-12 * abs(x[t])
        return np.log(last(steady, t, w).std() + floor)

    def shape(t, w):
        ends = range(t - w, max(w - 1, t - memory) - 1, -max(1, w // 8))
        return min(np.sqrt(np.mean((last(x, t, w) - last(x, e, w)) ** 2)) for e in ends)

    def component(value, scales, two_sided, start):
        means = np.zeros(len(x))
        for w in scales:
            first = start(w)
            tail = sl.TailSurprise(two_sided)
            means[first:] += tail.push_many([value(t, w) for t in range(first, len(x))])
        return means / len(scales)

    def level(values):
        return component(lambda t, w: last(values, t, w).mean(), scales, True, lambda w: 0)

    found = {
        "level": np.minimum(level(x), level(steady)),
        "spread": component(spread, [w for w in scales if w >= 16], True, lambda w: 0),
        "shape": component(shape, [w for w in scales if w >= 4], False, lambda w: 4 * w),
    }
    if season:
        mean = component(lambda t, w: last(outside, t, w).mean(), scales, True, lambda w: season)
        found["seasonal"] = mean
    surprise = np.mean(list(found.values()), axis=0)
    score, alarm, until = np.zeros(len(x)), np.zeros(len(x), bool), -1
    for t, s in enumerate(surprise):
        if t <= until:
            continue
        score[t] = s / (s + threshold)
        if s >= threshold:
            alarm[t], until = True, t + cooldown
    found = {"seasonal": np.zeros(len(x)), **found}
    return {"surprise": surprise, "score": score, "alarm": alarm, **found}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("season", [0, 24, 100])
@pytest.mark.parametrize("scales", [(1, 4, 16), (2, 5, 17, 40)])
def test_equals_its_definition(seed, season, scales):
    x = series(seed, 700, season or 24)
    parameters = {**SMALL, "season": season, "scales": scales}
    found = sl.SurpriseStream(**parameters).push_many(x)
    expected = reference(x, **parameters)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), expected[name], 1e-9, 1e-9, err_msg=name)
    assert not found.surprise[:150].any()


@pytest.mark.parametrize("season", [0, 24])
def test_equals_its_definition_for_a_rising_series(season):
    random = np.random.default_rng(1)
    x = np.r_[np.cumsum(random.poisson(2, 900)), np.full(300, 1800), np.arange(1800, 1500, -1)]
    x = x + random.normal(0, 0.5, len(x))
    parameters = {**SMALL, "season": season, "scales": (1, 4, 16)}
    found = sl.SurpriseStream(**parameters).push_many(x)
    expected = reference(x, **parameters)
    assert (without_trend(x) != x).any()
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), expected[name], 1e-7, 1e-7, err_msg=name)


@pytest.mark.parametrize("season", [0, 96])
@pytest.mark.parametrize("seed", range(3))
def test_a_counter_raises_no_additional_alarms(season, seed):
    random = np.random.default_rng(seed)
    n = 6000
    evenly = 12_000 + 0.25 * np.arange(n)
    assert sl.SurpriseStream(season).push_many(evenly).alarm.sum() <= 3
    # Random increments walk around their line: as often as on any stream without anomalies.
    x = np.cumsum(random.gamma(2, 1, n))
    assert sl.SurpriseStream(season).push_many(x).alarm.sum() < 1.6 * n / 1000
    # A drift that noise hides is found later.
    noise = random.normal(size=n)
    flat = sl.SurpriseStream(season).push_many(noise).alarm
    drifting = sl.SurpriseStream(season).push_many(noise + 0.001 * np.arange(n)).alarm
    assert drifting[2048:].sum() <= flat[2048:].sum() + 3
    # A jump is reported.
    x[5000:] += 60
    assert sl.SurpriseStream(season).push_many(x).alarm[5000:5010].any()


@settings(max_examples=15)
@given(seeds, st.integers(0, 599))
def test_a_snapshot_continues_as_if_uninterrupted_and_a_batch_equals_the_stream(seed, cut):
    x = series(seed, 600)
    x[np.random.default_rng(seed).random(600) < 0.02] = np.nan
    whole = sl.SurpriseStream(24, **SMALL).push_many(x)
    stream = sl.SurpriseStream(24, **SMALL)
    for t in range(cut):
        stream.push(x[t])
    snapshot = pickle.loads(pickle.dumps(stream))
    deep = copy.deepcopy(stream)
    stream.push_many(np.zeros(50))  # does not affect the snapshots
    for resumed in (snapshot, deep):
        rest = resumed.push_many(x[cut:])
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(rest, name), getattr(whole, name)[cut:])
        assert resumed.n_samples == 600
    assert stream.n_samples == cut + 50


@given(seeds, st.integers(-40, 40))
def test_results_do_not_depend_on_the_unit(seed, exponent):
    x = series(seed, 500)
    found = sl.SurpriseStream(24, **SMALL).push_many(x)
    scaled = sl.SurpriseStream(24, **SMALL).push_many(-np.ldexp(x, exponent))
    np.testing.assert_allclose(scaled.surprise, found.surprise, atol=1e-9)


def test_each_component_can_raise_an_alarm():
    random = np.random.default_rng(0)
    t = np.arange(24 * 200)
    x = np.sin(2 * np.pi * t / 24) + random.normal(0, 0.05, len(t))
    x[4000] += 8
    x[4406] -= 2  # at the top of the wave: a value that is common at night
    records = sl.SurpriseStream(24).push_many(x)
    assert np.flatnonzero(records.alarm).tolist()[-2:] == [4000, 4406]
    assert records.level[4000] > 1
    assert records.seasonal[4406] > records.level[4406]
    assert records.score[4000] > 0.5
    assert not records.score[4001:4151].any()


def test_missing_samples_have_no_surprise_and_keep_the_phase_of_the_season():
    random = np.random.default_rng(1)
    t = np.arange(24 * 150)
    x = np.sin(2 * np.pi * t / 24) + random.normal(0, 0.05, len(t))
    x[3000:3108] = np.nan  # four and a half seasons
    records = sl.SurpriseStream(24).push_many(x)
    assert np.isnan(records.surprise[3000:3108]).all()
    assert not records.alarm[3000:3200].any()
    squeezed = sl.SurpriseStream(24).push_many(x[~np.isnan(x)])
    assert squeezed.alarm[3000:3024].any()


def test_records_and_tables():
    stream = sl.SurpriseStream()
    record = stream.push(1.0)
    assert record == sl.SurpriseRecord(0.0, 0.0, False, 0.0, 0.0, 0.0, 0.0)
    table = stream.push_many([1.0, 2.0]).to_pandas()
    assert tuple(table.columns) == FIELDS
    assert len(table) == 2
    assert len(stream.push_many([]).alarm) == 0
    missing = stream.push(np.nan)
    assert not missing.alarm
    assert np.isnan([missing.surprise, missing.score, missing.level, missing.shape]).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"season": 1}, r"season must be 0 \(none\) or at least 2, got 1"),
        ({"scales": ()}, "expected 1 to 32 scales, got 0"),
        ({"scales": (4, 1)}, "scales must ascend within 1 to 1000000, got 4 to 1"),
        ({"memory": 10}, "memory must lie between the longest scale 64 and 100000000, got 10"),
        ({"seasons": 0}, "seasons must be at least 1, got 0"),
        ({"season": 10**9}, "season times seasons must be at most 100000000"),
        ({"threshold": 0.0}, r"threshold must lie in \(0, 300\], got 0"),
        ({"cooldown": -1}, "cooldown must lie in 0 to 100000000, got -1"),
    ],
)
def test_rejects_parameters_out_of_range(parameters, message):
    with pytest.raises(ValueError, match=message):
        sl.SurpriseStream(**parameters)


def test_rejects_bad_samples():
    stream = sl.SurpriseStream()
    for bad in (np.inf, -np.inf, 1e151):
        with pytest.raises(ValueError, match="expected a sample of at most 1e150, or NaN, got"):
            stream.push(bad)
        with pytest.raises(ValueError, match="expected a sample"):
            stream.push_many([1.0, bad])
    with pytest.raises(ValueError, match=r"expected samples of shape \(n_samples,\), got \(1, 1\)"):
        stream.push_many([[1.0]])
    assert stream.n_samples == 0


def test_rejects_an_inconsistent_pickle():
    core = sl.SurpriseStream(24)._stream
    whole = core.__getstate__()
    state = whole["state"]
    for bad in (
        {"parameters": whole["parameters"]},
        {**whole, "state": (1, 2)},
        {**whole, "state": {**state, "count": -5}},
        {**whole, "state": {**state, "window": "x"}},
        {**whole, "state": {**state, "windows": []}},
        {**whole, "parameters": {**whole["parameters"], "season": 23}},
    ):
        with pytest.raises(ValueError, match="SurpriseStream: "):
            core.__new__(type(core)).__setstate__(bad)
