"""Simulates an energy-storage site of LFP cells with known faults.

Two clusters of cells in series pass through rest, discharge, rest and charge. Every cell has its
own capacity, resistance and initial charge; voltage follows the open-circuit curve of LFP, the
ohmic drop and one relaxation time; temperature follows the losses, the cooling and the position in
the rack.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from secondlook.series import TimeTable

__all__ = ["Fault", "simulate_site"]

N_CELLS, N_THERMOMETERS = 240, 120
STEP_S = 30
CURRENT_A = 110.0
CAPACITY_AH = 280.0
RESISTANCE_MOHM = 0.45

# Open-circuit voltage of an LFP cell in mV over its state of charge.
_CHARGE = [0.0, 0.03, 0.06, 0.10, 0.20, 0.30, 0.40, 0.60, 0.70, 0.90, 0.96, 0.99, 1.0]
_OPEN_CIRCUIT_MV = [2600, 2900, 3050, 3180, 3225, 3255, 3285, 3295, 3325, 3335, 3345, 3400, 3500]


@dataclass(frozen=True)
class Fault:
    """An injected fault of a sensor or of its cell."""

    cluster: str
    kind: str
    number: int
    what: str


def simulate_site(seed: int = 0) -> tuple[dict[str, dict[str, TimeTable]], list[Fault]]:
    """Return the exports of each cluster, as in a site folder, and the faults in them."""
    random = np.random.default_rng(seed)
    faults: list[Fault] = []
    clusters = {}
    for name in ("cluster 1", "cluster 2"):
        cells = random.choice(N_CELLS, 4, replace=False)
        thermometers = random.choice(N_THERMOMETERS, 2, replace=False)
        clusters[name] = _simulate_cluster(random, cells, thermometers)
        injected = [
            ("voltage", cells[0], "weak cell: 10 % less capacity"),
            ("voltage", cells[1], "high resistance: three times the usual"),
            ("voltage", cells[2], "stuck sensor"),
            ("voltage", cells[3], "drifting sensor: 100 mV over the day"),
            ("temperature", thermometers[0], "hot spot: a loose terminal"),
            ("temperature", thermometers[1], "stuck sensor"),
        ]
        faults += [Fault(name, kind, int(which) + 1, what) for kind, which, what in injected]
    return clusters, faults


def _simulate_cluster(
    random: np.random.Generator, cells: NDArray[np.int64], thermometers: NDArray[np.int64]
) -> dict[str, TimeTable]:
    current = _load_profile()
    n = len(current)
    time = np.datetime64("2024-05-14T08:00") + np.arange(n) * np.timedelta64(STEP_S, "s")
    weak, resistive, stuck, drifting = cells

    capacity = CAPACITY_AH * random.normal(1, 0.008, N_CELLS)
    capacity[weak] *= 0.90
    resistance = RESISTANCE_MOHM * random.normal(1, 0.04, N_CELLS)
    resistance[resistive] *= 3
    start = random.normal(0.90, 0.002, N_CELLS)

    charge = start - np.cumsum(current)[:, None] * STEP_S / 3600 / capacity
    relaxation = np.exp(-STEP_S / 180)
    polarised = np.zeros(n)
    for i in range(1, n):
        polarised[i] = relaxation * polarised[i - 1] + (1 - relaxation) * current[i]
    voltage = np.interp(charge, _CHARGE, _OPEN_CIRCUIT_MV)
    voltage -= (current + 0.6 * polarised)[:, None] * resistance
    voltage += random.normal(0, 0.7, voltage.shape)
    voltage[:, drifting] += np.linspace(0, 100, n)
    voltage[n // 5 :, stuck] = voltage[n // 5, stuck]

    # Warm air rises, so the top of the rack is warmer; sensor positions differ slightly.
    position_effect = 3 * np.linspace(-0.5, 0.5, N_THERMOMETERS) + random.normal(
        0, 0.4, N_THERMOMETERS
    )
    heat = np.zeros(n)
    cooling = np.exp(-STEP_S / 3600)
    for i in range(1, n):
        heat[i] = cooling * heat[i - 1] + (1 - cooling) * 9 * (current[i] / CURRENT_A) ** 2
    hot, stuck_thermometer = thermometers
    temperature = 24 + heat[:, None] + position_effect
    temperature[:, hot] += 2 * heat
    temperature += random.normal(0, 0.1, temperature.shape)
    temperature[n // 6 :, stuck_thermometer] = temperature[n // 6, stuck_thermometer]

    def table(values: NDArray[np.float64], pattern: str) -> TimeTable:
        columns = [pattern.format(i + 1) for i in range(values.shape[1])]
        return TimeTable(time.astype("datetime64[ns]"), values, columns, None)

    return {
        "voltage": table(np.round(voltage), "CellVoltage_{:03d}"),
        "temperature": table(np.round(temperature * 10), "Temperature_{:03d}"),
        "total state": table(np.round(current * 10)[:, None], "Current"),
    }


def _load_profile() -> NDArray[np.float64]:
    """Return the current in A at each step, positive while discharging."""
    per_hour = 3600 // STEP_S
    parts = [(0.5, 0.0), (2.1, CURRENT_A), (1.0, 0.0), (2.05, -CURRENT_A), (1.0, 0.0)]
    return np.concatenate([np.full(int(hours * per_hour), value) for hours, value in parts])
