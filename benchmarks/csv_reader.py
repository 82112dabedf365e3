"""Reading the battery site's voltage exports: secondlook compared with pandas and polars.

Every reader converts the same files to times (with their milliseconds) and a float64 matrix. Rounds
are interleaved, so that load on the machine affects all readers; medians are compared.

    python benchmarks/csv_reader.py [--rounds 15]
"""

import argparse
import os
import sys
from pathlib import Path

from _rounds import machine, median_seconds, print_table

DATA = Path(os.environ.get("SECONDLOOK_DATA", Path(__file__).parents[2] / "shared/data")) / "ess"


def read_secondlook(files, n_threads):
    import secondlook as sl

    table = sl.read_csv(files, millisecond_column="MCGS_TIMEMS", n_jobs=n_threads)
    return table.time, table.values


def read_pandas(files, engine):
    import pandas as pd

    frames = [pd.read_csv(file, engine=engine) for file in files]
    frame = pd.concat(frames, ignore_index=True)
    when = pd.to_datetime(frame.pop("MCGS_TIME"), format="%Y/%m/%d %H:%M:%S")
    when += pd.to_timedelta(frame.pop("MCGS_TIMEMS"), unit="ms")
    return when.to_numpy(), frame.to_numpy()


def read_polars(files, with_schema):
    import polars as pl

    schema = None
    if with_schema:  # which secondlook infers: all columns except two are numeric
        names = files[0].open().readline().replace('"', "").strip().split(",")
        schema = dict.fromkeys(names, pl.Float64)
        schema |= {"MCGS_TIME": pl.String, "MCGS_TIMEMS": pl.Int64}
    when = pl.col("MCGS_TIME").str.to_datetime("%Y/%m/%d %H:%M:%S", time_unit="ns")
    frame = pl.scan_csv(files, schema=schema).collect()
    frame = frame.with_columns(when + pl.duration(milliseconds="MCGS_TIMEMS"))
    return frame["MCGS_TIME"].to_numpy(), frame.drop("MCGS_TIME", "MCGS_TIMEMS").to_numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1, help="for all readers")
    arguments = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"skipped: {DATA} does not exist (set SECONDLOOK_DATA)")
    # polars reads this variable only once, at import.
    os.environ["POLARS_MAX_THREADS"] = str(arguments.threads)
    clusters = [sorted(folder.glob("*.csv")) for folder in sorted(DATA.glob("*/cluster */voltage"))]
    megabytes = sum(file.stat().st_size for files in clusters for file in files) / 1e6
    n_files = sum(map(len, clusters))

    readers = {
        f"secondlook, {arguments.threads} thread(s)": (read_secondlook, arguments.threads),
        f"polars, {arguments.threads} thread(s)": (read_polars, False),
        f"polars, {arguments.threads} thread(s), schema given": (read_polars, True),
        "pandas, C engine": (read_pandas, "c"),
        "pandas, pyarrow engine": (read_pandas, "pyarrow"),
    }
    try:
        import pyarrow

        pyarrow.set_cpu_count(arguments.threads)
    except ImportError:
        del readers["pandas, pyarrow engine"]
        readers["pandas, python engine"] = (read_pandas, "python")

    def reading(read, argument):
        return lambda: [read(files, argument) for files in clusters]

    contenders = {name: reading(*reader) for name, reader in readers.items()}
    slow = {"pandas, python engine": 3} if "pandas, python engine" in readers else {}
    medians = median_seconds(contenders, arguments.rounds, slow)
    print(f"{machine()}; {n_files} files, {megabytes:.1f} MB")
    print_table(f"reading {megabytes:.0f} MB of exports", medians, "ms", 1e3)
    print(f"\nsecondlook reads {megabytes / next(iter(medians.values())):.0f} MB/s.")


if __name__ == "__main__":
    main()
