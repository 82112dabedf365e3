import bz2
import csv
import gzip
import io
import lzma
import warnings
import zipfile
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
        # A number that underflows is not read as zero.
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
    with pytest.warns(sl.ReadingWarning, match="different readings"):
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
        (
            "t,a,b,c\n",
            r"1\.csv: expected the columns of the first file, got the additional columns 'c'",
        ),
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
    with pytest.raises(ValueError, match="2021-10-31 02:30:00 occurs twice in Europe/Berlin"):
        sl.read_csv(twice, time_zone="Europe/Berlin")
    (never,) = files_of(tmp_path, "t,a\n2021-03-28 02:30:00,1\n")
    with pytest.raises(ValueError, match="does not exist in Europe/Berlin"):
        sl.read_csv(never, time_zone="Europe/Berlin")
    with pytest.raises(ValueError, match="expected time_zone such as"):
        sl.read_csv(never, time_zone="Mars/Olympus")


ROWS = "t,a\n2021-06-10 20:00:08,1\n2021-06-10 20:00:09,2\n"


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip", ".csv", ".CSV.GZ"])
def test_compressed_files_are_read(tmp_path, suffix):
    path = tmp_path / f"export{suffix}"
    compress = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/", "")
            archive.writestr("folder/export.csv", ROWS)
    else:
        path.write_bytes(compress.get(path.suffix.lower(), bytes)(ROWS.encode()))
    assert sl.read_csv(path)["a"].tolist() == [1, 2]
    assert sl.read_csv([path, str(path)]).n_repeated_times == 2


def test_damaged_and_ambiguous_archives_are_named(tmp_path):
    for suffix, content in ((".gz", b"t,a"), (".xz", b"t,a"), (".zip", b"t,a"), (".bz2", b"t,a")):
        path = tmp_path / f"export{suffix}"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"export{suffix}: expected a {suffix} file"):
            sl.read_csv(path)
    (tmp_path / "cut.gz").write_bytes(gzip.compress(ROWS.encode())[:-9])
    with pytest.raises(ValueError, match="a damaged one"):
        sl.read_csv(tmp_path / "cut.gz")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    with pytest.raises(
        ValueError, match=r"expected one file in the archive, got 2: a\.csv, b\.csv"
    ):
        sl.read_csv(tmp_path / "two.zip")
    with pytest.raises(OSError, match="cannot open"):
        sl.read_csv(tmp_path / "absent.gz")


def test_open_files_are_read(tmp_path):
    (path,) = files_of(tmp_path, ROWS)
    with (
        path.open("rb") as binary,
        path.open() as text,
        gzip.open(io.BytesIO(gzip.compress(ROWS.encode()))) as unpacked,
    ):
        for file in (binary, text, unpacked, io.BytesIO(ROWS.encode()), io.StringIO(ROWS)):
            assert sl.read_csv(file)["a"].tolist() == [1, 2]
    named = io.StringIO(ROWS + "x")
    named.name = "site.csv"
    with pytest.raises(ValueError, match=r"site\.csv:4:1: "):
        sl.read_csv(named)
    with pytest.raises(TypeError, match="expected a path or an open file, got int"):
        sl.read_csv([1])


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8",
        "utf-8-sig",
        "latin-1",
        "cp1252",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "utf-32",
        "cp437",
    ],
)
def test_names_come_from_any_encoding(tmp_path, encoding):
    path = tmp_path / "export.csv"
    path.write_bytes(ROWS.replace("a", "air [°C]").encode(encoding))
    assert sl.read_csv(path, encoding=encoding).columns == ["air [°C]"]
    text = io.StringIO(path.read_text(encoding=encoding))
    assert sl.read_csv(text, encoding=encoding).columns == ["air [°C]"]
    if encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert sl.read_csv(path).columns == ["air [°C]"]


def test_bytes_of_another_encoding_are_named(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes(ROWS.replace("a", "air [\x81C]").encode("latin-1"))
    with pytest.raises(ValueError, match="a name in UTF-8, .* pass the encoding"):
        sl.read_csv(path)
    with pytest.raises(ValueError, match=r"expected cp1252, got byte 0x81 at index 7"):
        sl.read_csv(path, encoding="cp1252")
    with pytest.raises(ValueError, match="expected encoding as a Python encoding such as"):
        sl.read_csv(path, encoding="klingon")


def test_date_and_time_of_day_in_two_columns(tmp_path):
    (path,) = files_of(tmp_path, "Date;Power;Time\n2026-03-01;1;23:45\n2026-03-01;2;24:00\n")
    table = sl.read_csv(path, time_column=("Date", "Time"))
    np.testing.assert_array_equal(
        table.time, np.array(["2026-03-01T23:45", "2026-03-02T00:00"], "M8[ns]")
    )
    assert table["Power"].tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"time_column=\(date, time of day\)"):
        sl.read_csv(path)
    for wrong in (("Date",), ("Date", ""), ("Date", "Time", "Power"), ["Date", 1]):
        with pytest.raises(ValueError, match="expected time_column as one name"):
            sl.read_csv(path, time_column=wrong)
    with pytest.raises(ValueError, match="a time-of-day column 'Clock'"):
        sl.read_csv(path, time_column=("Date", "Clock"))
    with pytest.raises(ValueError, match="in two columns, got 'Date' for both"):
        sl.read_csv(path, time_column=("Date", "Date"))


def test_losing_most_lines_is_said(tmp_path):
    rows = [f"2026-03-0{d},{q // 4:02d}:{q % 4 * 15:02d},{d}" for d in (1, 2) for q in range(96)]
    (path,) = files_of(tmp_path, "\n".join(["Date,Time,Power", *rows]))
    with pytest.warns(sl.ReadingWarning, match="192 lines have only 2 distinct times: 0 had no"):
        sl.read_csv(path, columns=["Power"])
    table = sl.read_csv(path, time_column=("Date", "Time"))
    assert len(table) == table.n_lines == 192
    (bad,) = files_of(tmp_path, "t,a\n2026-03-01,1\nx,1\ny,1\n")
    with pytest.warns(sl.ReadingWarning, match="3 lines have only 1 distinct times: 2 had no"):
        sl.read_csv(bad, strict=False)


def test_contradictory_lines_are_counted_and_said(tmp_path):
    first, same, other = files_of(
        tmp_path,
        "t,a,b\n2026-03-01,1,\n2026-03-02,3,4\n",
        "t,a,b\n2026-03-01,1,2\n2026-03-02,3,\n",
        "t,a,b\n2026-03-01,1,2\n2026-03-02,3,5\n",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = sl.read_csv([first, same, same, same])
    assert (table.n_repeated_times, table.n_contradictory_times) == (6, 0)
    with pytest.warns(sl.ReadingWarning, match="1 times have different readings"):
        table = sl.read_csv([first, other])
    assert table.n_contradictory_times == 1


def test_the_header_is_found_or_given(tmp_path):
    (path,) = files_of(tmp_path, "Logger,EMS-7\nSerial,42\n\n" + ROWS)
    assert sl.read_csv(path).columns == ["a"]
    assert sl.read_csv(path, header=3)["a"].tolist() == [1, 2]
    with pytest.raises(ValueError, match="line index 2, got an empty line"):
        sl.read_csv(path, header=2)


def test_decimal_and_separator(tmp_path):
    (path,) = files_of(tmp_path, "t;a;b\n2026-03-01;3,301;x\n")
    table = sl.read_csv(path, separator=";", decimal=",", columns=["a"])
    assert table["a"].tolist() == [3.301]
    with pytest.raises(ValueError, match="for decimal commas use decimal=','"):
        sl.read_csv(path, columns=["a"])
    with pytest.raises(ValueError, match="different separators of fields and decimals"):
        sl.read_csv(path, separator=",", decimal=",")
    with pytest.raises(ValueError, match="expected '.' or ',' as decimal separator, got ';'"):
        sl.read_csv(path, decimal=";")
    with pytest.raises(ValueError, match="either separator or its alias delimiter"):
        sl.read_csv(path, separator=";", delimiter=";")


def test_every_instant_of_a_night_in_october_is_kept(tmp_path):
    night = pd.date_range("2026-10-24 20:00", periods=4 * 12, freq="15min", tz="Europe/Berlin")
    lines = [f"{time:%Y-%m-%d %H:%M},{i}\n" for i, time in enumerate(night)]
    for cuts in ([], [20], [20, 24, 28]):
        parts = np.split(np.array(lines), cuts)
        paths = files_of(tmp_path, *("t,a\n" + "".join(part) for part in parts))
        table = sl.read_csv(paths, time_zone="Europe/Berlin")
        assert (table.to_pandas().index == night).all()
        assert str(table.to_pandas().index.tz) == "Europe/Berlin"
        np.testing.assert_array_equal(table["a"], np.arange(48))
        np.testing.assert_array_equal(sl.hours_of_day(table), night.hour)
        assert table.n_repeated_times == table.n_out_of_order == 0


def test_what_the_clock_does_not_tell_is_left_out_row_by_row(tmp_path):
    (path,) = files_of(
        tmp_path,
        "t,a\n2021-03-28 01:30,1\n2021-03-28 02:30,2\n2021-03-28 03:00,3\n"
        "2021-10-31 02:30,4\n2021-10-31 23:30,5\n",
    )
    table = sl.read_csv(path, time_zone="Europe/Berlin", strict=False)
    assert table["a"].tolist() == [1, 3, 5]
    assert [(problem.line, problem.column) for problem in table.problems] == [(3, 1), (5, 0)]
    assert "2021-03-28 02:30:00 does not exist in Europe/Berlin" in table.problems[0].message
    assert "2021-10-31 02:30:00 occurs twice in Europe/Berlin" in table.problems[1].message


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
