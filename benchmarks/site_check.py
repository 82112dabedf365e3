"""The commissioning check on simulated sites: faults found, sensors falsely named, and the margin.

    python benchmarks/site_check.py [N_SITES]

The limit of the isolation score in secondlook.jobs.site_check was chosen only by this table.
"""

import sys

import numpy as np

from secondlook.jobs.simulated_site import simulate_site
from secondlook.jobs.site_check import UNLIKE_OTHERS, examine
from secondlook.jobs.site_exports import Cluster


def split_scores(clusters: list[Cluster], faulty: set) -> tuple[list, list]:
    """Return the isolation scores of healthy and of faulty sensors that stay within their bands."""
    healthy, faults = [], []
    for cluster in clusters:
        for kind, scores in cluster.isolation.items():
            for i in np.flatnonzero(~np.isnan(scores)):
                is_faulty = (cluster.name, kind, cluster.numbers[kind][i]) in faulty
                (faults if is_faulty else healthy).append(scores[i])
    return healthy, faults


def main() -> None:
    n_sites = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    n_sensors = n_faults = n_found = n_false = 0
    healthy, faults = [], []
    for seed in range(n_sites):
        exports, injected = simulate_site(seed)
        clusters = [examine(name, tables) for name, tables in exports.items()]
        faulty = {(f.cluster, f.kind, f.number) for f in injected}
        named = {(f.cluster, f.kind, f.number) for cluster in clusters for f in cluster.findings}
        n_sensors += sum(len(n) for cluster in clusters for n in cluster.numbers.values())
        n_faults += len(faulty)
        n_found += len(faulty & named)
        n_false += len(named - faulty)
        of_healthy, of_faults = split_scores(clusters, faulty)
        healthy += of_healthy
        faults += of_faults
    print(f"{n_sites} simulated sites, {n_sensors} sensors, seeds 0 to {n_sites - 1}")
    print(f"faults found            {n_found} of {n_faults}")
    print(f"sensors falsely named   {n_false}")
    print(f"isolation score         limit {UNLIKE_OTHERS}")
    print(f"  highest healthy       {max(healthy):.3f}")
    print(f"  lowest fault          {min(faults):.3f} (of {len(faults)} that stay in their bands)")


if __name__ == "__main__":
    main()
