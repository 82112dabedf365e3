"""Simulates a fleet of ageing LFP battery packs over weeks of use, with known faults.

Every pack has its own capacity, resistance, cooling and habits: it charges from the sun at midday
and serves the evening, less so on weekends. Voltage follows the open-circuit curve and the ohmic
drop; temperature follows the losses, the cooling and the weather. Resistance grows with use and the
season gets warmer, so that normal operation changes slowly.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["RULES", "Fault", "simulate_fleet"]

STEP_MINUTES = 10
STEPS_PER_DAY = 24 * 60 // STEP_MINUTES
CAPACITY_AH = 280.0
RESISTANCE_MOHM = 0.45  # per cell
NOISE = {"voltage": 0.0015, "current": 0.4, "temperature": 0.15}  # of the sensors: V, A, °C
RESISTANCE_GROWTH = 0.004  # per day: years of ageing within the simulated weeks
WARMING = 0.15  # °C per day, from winter towards summer

# Limits from an operator's handbook for such cells. Rates are per minute.
RULES = (
    {"feature": "temperature", "lower": -10.0, "upper": 55.0, "reason": "derating begins"},
    {"feature": "temperature_rate", "upper": 0.5, "reason": "losses cannot heat it so fast"},
    {"feature": "current", "lower": -140.0, "upper": 140.0, "reason": "half the capacity an hour"},
    {"feature": "current_rate", "lower": -10.0, "upper": 10.0},
)

# Open-circuit voltage of an LFP cell over its state of charge.
_CHARGE = [0.0, 0.03, 0.06, 0.10, 0.20, 0.30, 0.40, 0.60, 0.70, 0.90, 0.96, 0.99, 1.0]
_OPEN_CIRCUIT_V = [2.6, 2.9, 3.05, 3.18, 3.225, 3.255, 3.285, 3.295, 3.325, 3.335, 3.345, 3.4, 3.5]

_KINDS = ("cooling lost", "loose terminal", "stuck thermometer", "voltage offset", "overload",
          "internal short")  # fmt: skip
# A fault is visible if it changes a reading by this many times the noise of its sensor.
_VISIBLE = 10.0


@dataclass(frozen=True)
class Fault:
    """An injected fault of a pack, with its time."""

    device: str
    kind: str
    begin: pd.Timestamp
    end: pd.Timestamp


def simulate_fleet(
    n_devices: int = 10, n_days: int = 56, *, faults_from_day: int = 14, seed: int = 0
) -> tuple[pd.DataFrame, list[Fault]]:
    """Return the samples of the fleet in order of time, and the faults in them.

    Columns: device, time, voltage (V, per cell), current (A, charging is positive), temperature
    (°C), and `fault`: the kind if one is visible, else "". A fault is visible if it changes a
    reading by more than ten times the noise of the sensor, compared with a simulation without
    faults.
    """
    random = np.random.default_rng(seed)
    packs = _Packs(random, n_devices, n_days)
    faults = _draw_faults(random, n_devices, n_days, faults_from_day)
    healthy = packs.run([])
    readings = packs.run(faults)
    time = pd.Timestamp("2026-02-01") + pd.to_timedelta(
        np.arange(n_days * STEPS_PER_DAY) * STEP_MINUTES, unit="min"
    )
    shown = np.full((len(time), n_devices), "", dtype=object)
    deviates = np.any([np.abs(readings[name] - healthy[name]) > _VISIBLE * noise
                       for name, noise in NOISE.items()], axis=0)  # fmt: skip
    for device, kind, begin, end in faults:
        # After-effects, such as heat, fade within hours.
        affected = slice(begin, min(end + STEPS_PER_DAY // 4, len(time)))
        shown[affected, device] = np.where(deviates[affected, device], kind, "")
    names = [f"pack {i + 1:02d}" for i in range(n_devices)]
    noise = {name: random.normal(0, s, (len(time), n_devices)) for name, s in NOISE.items()}
    frozen = packs.frozen(faults)
    table = pd.DataFrame(
        {
            "device": np.tile(names, len(time)),
            "time": np.repeat(time, n_devices),
            **{
                name: (values + np.where(frozen[name], 0, noise[name])).ravel()
                for name, values in readings.items()
            },
            "fault": shown.ravel(),
        }
    )
    return table, [
        Fault(names[device], kind, time[begin], time[min(end, len(time) - 1)])
        for device, kind, begin, end in faults
    ]


_Plan = tuple[int, str, int, int]  # device, kind, first step, step after the last


def _draw_faults(
    random: np.random.Generator, n_devices: int, n_days: int, first_day: int
) -> list[_Plan]:
    """Plan about one fault per pack and week, of 1 to 8 hours, with pauses between them."""
    faults = []
    for device in range(n_devices):
        step = first_day * STEPS_PER_DAY + int(random.integers(STEPS_PER_DAY))
        while True:
            length = int(random.integers(6, 48))
            step += int(random.exponential(6 * STEPS_PER_DAY)) + STEPS_PER_DAY
            if step + length >= n_days * STEPS_PER_DAY:
                break
            faults.append((device, str(random.choice(_KINDS)), step, step + length))
            step += length
    return faults


class _Packs:
    """Properties of the packs, with the weather and their use."""

    def __init__(self, random: np.random.Generator, n_devices: int, n_days: int) -> None:
        n = n_days * STEPS_PER_DAY
        self.capacity = CAPACITY_AH * random.normal(1, 0.02, n_devices)
        self.resistance = RESISTANCE_MOHM * 1e-3 * random.lognormal(0, 0.08, n_devices)
        self.cooling = random.lognormal(0, 0.1, n_devices)
        self.start = random.uniform(0.4, 0.6, n_devices)
        step = np.arange(n)
        day, hour = step // STEPS_PER_DAY, step % STEPS_PER_DAY * 24 / STEPS_PER_DAY
        sun = np.clip(np.sin((hour - 7) / 10 * np.pi), 0, None) ** 1.5 * (hour > 7) * (hour < 17)
        evening = np.exp(-(((hour - 19.5) / 2.2) ** 2))
        clouds = random.beta(4, 1.5, (n_days, 1))[day]
        habit = random.lognormal(0, 0.1, n_devices)
        week = np.where(day % 7 >= 5, 0.7, 1.0)[:, None]
        charge = 75 * clouds * sun[:, None]
        serve = -85 * evening[:, None] * week * random.lognormal(0, 0.1, (n_days, n_devices))[day]
        self.wanted = habit * (charge + serve) + _wander(random, n, n_devices, 0.9, 2.0)
        daily = 5 * np.sin((hour - 9) / 24 * 2 * np.pi)
        weather = _wander(random, n, 1, 0.995, 0.15)
        site = random.normal(0, 1.0, n_devices)
        self.ambient = (
            12 + WARMING * step[:, None] / STEPS_PER_DAY + daily[:, None] + weather + site
        )
        self.growth = 1 + RESISTANCE_GROWTH * step[:, None] / STEPS_PER_DAY * np.ones(n_devices)

    def run(self, faults: list[_Plan]) -> dict[str, NDArray[Any]]:
        """Return the sensor readings without noise, each of shape (steps, packs)."""
        n, n_devices = self.wanted.shape
        active = {kind: np.zeros((n, n_devices), bool) for kind in _KINDS}
        for device, kind, begin, end in faults:
            active[kind][begin:end, device] = True
        resistance = self.resistance * self.growth * np.where(active["loose terminal"], 4, 1)
        cooling = self.cooling * np.where(active["cooling lost"], 0.15, 1)
        wanted = np.where(active["overload"], 1.3 * self.wanted - 110, self.wanted)
        leak = np.where(active["internal short"], 12.0, 0.0)
        hours = STEP_MINUTES / 60
        charge, temperature = self.start.copy(), self.ambient[0].copy()
        out = {name: np.empty((n, n_devices)) for name in NOISE}
        for t in range(n):
            # The battery management reduces the current towards full and empty.
            current = np.clip(
                wanted[t],
                -np.clip((charge - 0.04) * 300, 0, None),
                np.clip((0.98 - charge) * 300, 0, None),
            )
            charge = np.clip(charge + (current - leak[t]) / self.capacity * hours, 0, 1)
            loss_w = current**2 * resistance[t] + 3.2 * leak[t]
            temperature = temperature + hours * (
                0.9 * loss_w - 0.8 * cooling[t] * (temperature - self.ambient[t])
            )
            open_circuit = np.interp(charge, _CHARGE, _OPEN_CIRCUIT_V)
            out["voltage"][t] = open_circuit + current * resistance[t] - 0.002 * leak[t]
            out["current"][t] = current
            out["temperature"][t] = temperature
        out["voltage"] += np.where(active["voltage offset"], 0.15, 0)
        for device, kind, begin, end in faults:
            if kind == "stuck thermometer":
                out["temperature"][begin:end, device] = out["temperature"][begin, device]
        return out

    def frozen(self, faults: list[_Plan]) -> dict[str, NDArray[Any]]:
        """Return where a sensor is stuck and repeats its reading, including the noise."""
        frozen = {name: np.zeros(self.wanted.shape, bool) for name in NOISE}
        for device, kind, begin, end in faults:
            if kind == "stuck thermometer":
                frozen["temperature"][begin:end, device] = True
        return frozen


def _wander(
    random: np.random.Generator, n: int, n_columns: int, memory: float, spread: float
) -> NDArray[Any]:
    """Return first-order autoregressive noise with the given standard deviation per step."""
    values = random.normal(0, spread, (n, n_columns))
    for t in range(1, n):
        values[t] += memory * values[t - 1]
    return values
