"""Simulates electricity meters with known anomalies.

The meters of a town are read hourly for 60 weeks from January on. The consumption of a meter is the
product of its users' profile by hour and weekday, the effect of the weather, and noise that
persists for hours and for weeks. All meters share the weather.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

DAY, WEEK = 24, 168  # hours
N_HOURS = 60 * WEEK
N_TRAINING = 26 * WEEK  # from the coldest to the warmest season
YEAR = 365.25 * DAY

Kind = Literal["spike", "dip", "outage", "theft", "drift"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Series = NDArray[np.float64]


@dataclass(frozen=True)
class Anomaly:
    """An injected anomaly of a meter in the hours `begin` to `end` - 1."""

    kind: Kind
    begin: int
    end: int


@dataclass(frozen=True)
class Meter:
    """Readings of a meter with their ground truth."""

    users: str
    time: NDArray[np.datetime64]
    temperature_c: Series
    consumption_kwh: Series
    normal_kwh: Series  # readings without the anomalies
    anomalies: list[Anomaly]

    @property
    def label(self) -> NDArray[np.bool_]:
        """Whether each hour is anomalous."""
        is_anomalous = np.zeros(len(self.time), dtype=bool)
        for one in self.anomalies:
            is_anomalous[one.begin : one.end] = True
        return is_anomalous


@dataclass(frozen=True)
class Users:
    """Kind of users of a meter."""

    profile: Callable[[Series, NDArray[np.int64]], Series]  # by hour and day of the week
    heating: float  # fraction that a degree below 15 °C adds
    cooling: float  # fraction that a degree above 20 °C adds
    hourly_noise: float  # standard deviation of the logarithm
    kwh: float  # in an average hour


def _bump(hour: Series, centre: float, width: float) -> Series:
    return np.exp(-0.5 * ((hour - centre) / width) ** 2)


def _household(hour: Series, weekday: NDArray[np.int64]) -> Series:
    is_weekend = weekday >= 5
    morning = np.where(is_weekend, 0.9 * _bump(hour, 10, 2.2), 1.1 * _bump(hour, 7.2, 1.2))
    noon = np.where(is_weekend, 0.9, 0.35) * _bump(hour, 13, 2)
    return 0.4 + morning + noon + 1.8 * _bump(hour, 19.5, 2.3)


def _shop(hour: Series, weekday: NDArray[np.int64]) -> Series:
    closing = np.where(weekday == 5, 15.5, 18.5)
    is_open = 1 / (1 + np.exp(-2.5 * (hour - 8))) - 1 / (1 + np.exp(-2.5 * (hour - closing)))
    return 0.5 + np.where(weekday == 6, 0.0, 2.0) * is_open


def _bakery(hour: Series, weekday: NDArray[np.int64]) -> Series:
    ovens = 2.6 * _bump(hour, 4.5, 1.6) + 1.2 * _bump(hour, 10, 2.5)
    return 0.35 + np.where(weekday == 0, 0.15, 1.0) * ovens  # closed on Mondays


USERS = {
    "household": Users(_household, heating=0.01, cooling=0.0, hourly_noise=0.25, kwh=0.4),
    "heated household": Users(_household, heating=0.06, cooling=0.0, hourly_noise=0.20, kwh=0.9),
    "shop": Users(_shop, heating=0.01, cooling=0.03, hourly_noise=0.12, kwh=4.0),
    "bakery": Users(_bakery, heating=0.0, cooling=0.01, hourly_noise=0.12, kwh=7.0),
}

# Anomalies per meter.
_IN_TRAINING: dict[Kind, int] = {"spike": 1, "dip": 1, "outage": 1}
_LATER: dict[Kind, int] = {"spike": 4, "dip": 4, "outage": 2, "theft": 1}


def simulate_meters(n_meters: int, seed: int) -> list[Meter]:
    """Simulate the meters of a town, cycling through the kinds of users.

    In the first `N_TRAINING` hours, about 0.5 % are anomalous, all in short anomalies. The rest has
    every kind: four spikes, four dips, two outages and one theft per meter, and a drift for every
    second meter. Anomalies are at random times, at least two days apart.
    """
    random = np.random.default_rng(seed)
    hours = np.arange(N_HOURS)
    time = np.datetime64("2024-01-01T00") + hours.astype("timedelta64[h]")  # a Monday
    temperature = _weather(random, hours)
    meters = []
    for number in range(n_meters):
        name = list(USERS)[number % len(USERS)]
        normal = _consumption(random, USERS[name], hours, temperature)
        anomalies = _place(random, _IN_TRAINING, 0, N_TRAINING)
        # Half of the meters of each kind of users have a drift.
        has_drift = (number // len(USERS) + number) % 2 == 0
        later: dict[Kind, int] = {**_LATER, "drift": int(has_drift)}
        anomalies += _place(random, later, N_TRAINING, N_HOURS)
        read = normal.copy()
        for one in anomalies:
            _distort(random, one, read)
        # Meters count whole watt-hours.
        meters.append(
            Meter(name, time, temperature, np.round(read, 3), np.round(normal, 3), anomalies)
        )
    return meters


def _weather(random: np.random.Generator, hours: NDArray[np.int64]) -> Series:
    """Outdoor temperature in °C: yearly and daily cycles, and spells of a few days."""
    year = -10 * np.cos(2 * np.pi * (hours - 15 * DAY) / YEAR)
    day = -3.5 * np.cos(2 * np.pi * (hours - 3) / DAY)
    spells = _autoregressive(random, len(hours), memory=72, deviation=3.5)
    temperature: Series = 10 + year + day + spells
    return temperature


def _consumption(
    random: np.random.Generator, users: Users, hours: NDArray[np.int64], temperature: Series
) -> Series:
    """Return the hourly consumption of a meter's users in kWh."""
    hour, weekday = (hours % DAY).astype(float), hours // DAY % 7
    habit = users.profile((hour - random.normal(0, 0.7)) % DAY, weekday)
    # A building responds to the weather of the last hours.
    felt = _smooth(temperature, 12)
    cold, warm = np.maximum(15 - felt, 0), np.maximum(felt - 20, 0)
    scale = random.uniform(0.7, 1.3)
    weather = 1 + scale * (users.heating * cold + users.cooling * warm)
    # Evenings are longer in winter, so lighting takes more.
    light = 1 + 0.08 * np.cos(2 * np.pi * hours / YEAR)
    noise = _autoregressive(random, len(hours), memory=2, deviation=users.hourly_noise)
    wander = _autoregressive(random, len(hours), memory=2 * WEEK, deviation=0.04)
    size = users.kwh * np.exp(random.normal(0, 0.3)) / habit.mean()
    consumption: Series = size * habit * weather * light * np.exp(noise + wander)
    return consumption


def _autoregressive(random: np.random.Generator, n: int, memory: float, deviation: float) -> Series:
    """Return Gaussian noise whose correlation decays by a factor e in `memory` steps."""
    keep = np.exp(-1 / memory)
    innovation = random.normal(0, deviation * np.sqrt(1 - keep**2), n)
    noise = np.empty(n)
    level = random.normal(0, deviation)
    for i in range(n):
        level = keep * level + innovation[i]
        noise[i] = level
    return noise


def _smooth(values: Series, memory: float) -> Series:
    fraction = 1 - np.exp(-1 / memory)
    smooth = np.empty_like(values)
    level = values[0]
    for i, value in enumerate(values):
        level += fraction * (value - level)
        smooth[i] = level
    return smooth


def _place(
    random: np.random.Generator, counts: dict[Kind, int], begin: int, end: int
) -> list[Anomaly]:
    """Place anomalies at random in the hours `begin` to `end` - 1, apart from one another."""
    anomalies: list[Anomaly] = []
    # The longest first, while there is still space.
    for kind in reversed(KINDS):
        for _ in range(counts.get(kind, 0)):
            n_hours = _n_hours(random, kind)
            while True:
                first = int(random.integers(begin + WEEK, end - n_hours - 2 * DAY))
                last = first + n_hours
                if all(last + 2 * DAY < a.begin or a.end + 2 * DAY < first for a in anomalies):
                    break
            anomalies.append(Anomaly(kind, first, last))
    return sorted(anomalies, key=lambda one: one.begin)


def _n_hours(random: np.random.Generator, kind: Kind) -> int:
    shortest, longest = {
        "spike": (1, 3),
        "dip": (3, 8),
        "outage": (3, 24),
        "theft": (4 * DAY, 3 * WEEK),
        "drift": (3 * WEEK, 6 * WEEK),
    }[kind]
    return int(random.integers(shortest, longest + 1))


def _distort(random: np.random.Generator, anomaly: Anomaly, read: Series) -> None:
    """Change a meter's readings into those of an anomaly, in place."""
    window = slice(anomaly.begin, anomaly.end)
    if anomaly.kind == "spike":
        read[window] += random.uniform(1, 2.5) * np.quantile(read, 0.99)
    elif anomaly.kind == "dip":
        read[window] *= random.uniform(0.1, 0.4)
    elif anomaly.kind == "outage":
        read[window] = 0
    elif anomaly.kind == "theft":
        read[window] *= random.uniform(0.3, 0.7)
    else:  # a worn meter counts less and less until it is replaced
        read[window] *= 1 - np.linspace(0, random.uniform(0.25, 0.5), anomaly.end - anomaly.begin)
