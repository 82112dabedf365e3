import csv
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import secondlook as sl


@pytest.fixture
def exports(real_data):
    folder = real_data / "ess"
    if not folder.is_dir():
        pytest.skip(f"no exports under {folder}")
    return folder


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), min_size=1, max_size=10
).filter(lambda name: name == name.strip(" \t") and name != "\n")
READINGS = st.floats(allow_infinity=False) | st.integers(-(10**20), 10**20).map(float)
TIMES = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))


def write(path, rows, **options):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, **options).writerows(rows)


@settings(max_examples=200)
@given(data=st.data())
def test_what_the_csv_module_wrote_is_read_back(data, tmp_path_factory):
    names = data.draw(st.lists(NAMES, min_size=2, max_size=6, unique=True))
    times = sorted(data.draw(st.lists(TIMES, min_size=1, max_size=8, unique=True)))
    values = np.array(
        [[data.draw(READINGS) for _ in names[1:]] for _ in times], dtype=np.float64
    ).reshape(len(times), -1)
    delimiter = data.draw(st.sampled_from(",;\t|"))
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    write(
        path,
        [names]
        + [
            [time.isoformat(" "), *("" if np.isnan(x) else repr(float(x)) for x in row)]
            for time, row in zip(times, values, strict=True)
        ],
        delimiter=delimiter,
        quoting=data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])),
    )
    table = sl.read_csv(path, delimiter=delimiter)
    assert table.columns == names[1:]
    np.testing.assert_array_equal(table.time, np.array(times, dtype="datetime64[ns]"))
    np.testing.assert_array_equal(table.values, values)
    assert table.problems == []


@given(st.text("0123456789.+-eE \"'naNx,\r", max_size=30))
def test_numbers_are_read_as_python_reads_them(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_bytes(f't;a\n2021-06-10 20:00:08;"{text.replace(chr(34), chr(34) * 2)}"\n'.encode())
    table = sl.read_csv(path, strict=False)
    try:
        expected = float(text.strip(" ")) if "_" not in text and "\r" not in text else None
    except ValueError:
        expected = None
    if expected is None or not np.isfinite(expected):
        assert np.isnan(table.values[0, 0])
    elif np.isnan(table.values[0, 0]):
        # A number too small for a double is not taken for zero.
        assert expected == 0 or abs(expected) < 1e-300
    else:
        assert table.values[0, 0] == expected


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, raw):
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    path.write_bytes(raw)
    try:
        table = sl.read_csv(path, strict=False)
    except ValueError:
        return
    assert table.values.shape == (len(table.time), len(table.columns))


def has_seconds(file):
    with file.open() as lines:
        lines.readline()
        return lines.readline().split(",")[0].count(":") == 2


@pytest.mark.parametrize("kind", ["voltage", "temperature", "total state"])
def test_real_exports_are_read_as_pandas_reads_them(exports, kind):
    folders = sorted(exports.glob(f"*/cluster */{kind}"))
    assert folders
    for folder in folders:
        files = [file for file in sorted(folder.glob("*.csv")) if has_seconds(file)]
        frame = pd.concat([pd.read_csv(file) for file in files])
        time = pd.to_datetime(frame.pop("MCGS_TIME"), format="%Y/%m/%d %H:%M:%S")
        time += pd.to_timedelta(frame.pop("MCGS_TIMEMS"), unit="ms")
        table = sl.read_csv(files, millisecond_column="MCGS_TIMEMS", n_jobs=2)
        order = np.argsort(time.to_numpy(), kind="stable")
        assert table.n_repeated_times == 0
        assert table.columns == list(frame.columns)
        np.testing.assert_array_equal(table.time, time.to_numpy()[order])
        np.testing.assert_array_equal(table.values, frame.to_numpy(dtype=np.float64)[order])


def test_exports_that_lost_their_seconds_keep_every_reading(exports):
    files = [file for file in exports.rglob("*.csv") if not has_seconds(file)]
    assert files
    for file in files:
        table = sl.read_csv(file, millisecond_column="MCGS_TIMEMS")
        assert len(table) == table.n_spread_times == 120
        steps = np.diff(table.time) / np.timedelta64(1, "s")
        np.testing.assert_allclose(steps, 30, atol=0.5)


def test_the_order_of_files_and_the_threads_do_not_matter(exports):
    files = sorted(exports.glob("Test_data/cluster 1/voltage/*.csv"))
    options = {"millisecond_column": "MCGS_TIMEMS"}
    expected = sl.read_csv(files, n_jobs=1, **options)
    for n_jobs in (1, 2, 3):
        table = sl.read_csv(files[::-1], n_jobs=n_jobs, **options)
        np.testing.assert_array_equal(table.time, expected.time)
        np.testing.assert_array_equal(table.values, expected.values)


def files_of(tmp_path, *texts):
    paths = []
    for i, text in enumerate(texts):
        paths.append(tmp_path / f"{i}.csv")
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def test_files_are_joined_by_the_names_of_their_columns(tmp_path):
    paths = files_of(
        tmp_path,
        "t,a,b\n2021-06-10 21:00:00,5,6\n2021-06-10 22:00:00,7,8\n",
        "b,a,t\n2,1,2021-06-10 20:00:00\n,9,2021-06-10 21:00:00\n",
    )
    table = sl.read_csv(paths, time_column="t")
    np.testing.assert_array_equal(table.values, [[1, 2], [9, 6], [7, 8]])
    assert table.n_repeated_times == 1
    assert table["b"].tolist() == [2, 6, 8]
    with pytest.raises(KeyError):
        table["c"]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("t,a\n", r"1\.csv: expected a column 'b', got the columns 't', 'a'"),
        ("t,a,b,c\n", r"1\.csv: expected the columns of the first file, got 'c' besides"),
        ("", r"1\.csv: expected a header, got an empty file"),
        ("t,a,b\n2021-06-10,1,2\n2021-06-11,1,?\n", r"1\.csv:3:3: .* column 'b', got '\?'"),
    ],
)
def test_errors_name_the_file(tmp_path, second, message):
    paths = files_of(tmp_path, "t,a,b\n2021-06-09 21:00:00,5,6\n", second)
    with pytest.raises(ValueError, match=message):
        sl.read_csv(paths)


def test_the_first_error_is_reported_whatever_the_threads(tmp_path):
    good = "".join(f"2021-06-{i % 28 + 1:02d},1\n" for i in range(1000))
    paths = files_of(tmp_path, *["t,a\n" + good + "2021-01-01,x\n"] * 20)
    for n_jobs in (1, 2, 4):
        with pytest.raises(ValueError, match=r"/0\.csv:1002:2: "):
            sl.read_csv(paths, n_jobs=n_jobs)


def test_problems_of_lenient_reading(tmp_path):
    (path,) = files_of(tmp_path, "t,a\n2021-06-10,x\nyesterday,1\n2021-06-11,2\n")
    table = sl.read_csv(path, strict=False)
    assert len(table) == 2
    assert table.n_problems == 2
    assert table.problems[0] == (str(path), 2, 2, "expected a number in column 'a', got 'x'")
    assert table.problems[1].line == 3


@pytest.mark.parametrize("zone", ["UTC", "+08:00", "-0330", "Asia/Shanghai", "Europe/Berlin"])
def test_a_stated_zone_turns_times_into_utc(tmp_path, zone):
    times = [datetime(2021, 1, 1) + timedelta(hours=30 * i) for i in range(200)]
    times = [t for t in times if not (t.month in (3, 10) and t.day >= 25)]
    (path,) = files_of(tmp_path, "t,a\n" + "".join(f"{t},1\n" for t in times))
    table = sl.read_csv(path, time_zone=zone)
    assert table.time_zone == "UTC"
    for_pandas = zone if ":" in zone or zone[0] not in "+-" else f"{zone[:3]}:{zone[3:]}"
    expected = pd.DatetimeIndex(times).tz_localize(for_pandas)
    assert (table.to_pandas().index == expected).all()
    assert sl.read_csv(path).time_zone is None


def test_times_that_clocks_make_ambiguous_are_refused(tmp_path):
    (twice,) = files_of(tmp_path, "t,a\n2021-10-31 02:30:00,1\n")
    with pytest.raises(ValueError, match="2021-10-31 02:30:00 comes twice in Europe/Berlin"):
        sl.read_csv(twice, time_zone="Europe/Berlin")
    (never,) = files_of(tmp_path, "t,a\n2021-03-28 02:30:00,1\n")
    with pytest.raises(ValueError, match="does not come in Europe/Berlin"):
        sl.read_csv(never, time_zone="Europe/Berlin")
    with pytest.raises(ValueError, match="expected time_zone such as"):
        sl.read_csv(never, time_zone="Mars/Olympus")


def test_bad_arguments(tmp_path):
    (path,) = files_of(tmp_path, "t,a\n2021-06-10,1\n")
    with pytest.raises(OSError, match="cannot open"):
        sl.read_csv(tmp_path / "absent.csv")
    with pytest.raises(OSError, match="not a regular file"):
        sl.read_csv(tmp_path)
    with pytest.raises(ValueError, match="at least 1 file"):
        sl.read_csv([])
    for delimiter in ("", ",,", "1", '"', "\n"):
        with pytest.raises(ValueError, match="expected a delimiter"):
            sl.read_csv(path, delimiter=delimiter)
    with pytest.raises(ValueError, match="'b', got the columns 't', 'a'"):
        sl.read_csv(path, columns=["b"])
