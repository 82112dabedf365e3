import contextlib
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import xxhash
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import secondlook as sl
from secondlook.store import ModelFile, load, register_model

DTYPES = st.sampled_from(
    ["?", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8"]
).map(np.dtype)
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0, max_side=4))
)
NAMES = st.text(min_size=1, max_size=8).filter(
    lambda name: name != "__metadata__" and not any("\ud800" <= c <= "\udfff" for c in name)
)
DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


def small_file():
    file = ModelFile("isolation_forest")
    file.set_section("parameters", json.dumps({"n_estimators": 3}))
    file.add("thresholds", np.array([[1.5, -2.0]]))
    file.add("features", np.array([1, 0, 2], dtype=np.uint8))
    return file


def with_header(change, data=None):
    """Return a small file whose header was modified by `change`, with a valid checksum."""
    raw = small_file().serialize()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    change(header)
    metadata = header.get("__metadata__")
    if isinstance(metadata, dict) and "header_checksum" in metadata:
        metadata["header_checksum"] = ""
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        metadata["header_checksum"] = xxhash.xxh3_64_hexdigest(text.encode())
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + (raw[8 + length :] if data is None else data)


@given(
    st.dictionaries(NAMES, ARRAYS, max_size=4),
    st.dictionaries(
        st.sampled_from(["parameters", "feature_names", "scaler", "decision"]), DOCUMENTS
    ),
)
def test_what_was_written_is_read_back_by_us_and_by_safetensors(arrays, sections):
    file = ModelFile("kind")
    for name, values in arrays.items():
        file.add(name, values)
    for name, section in sections.items():
        file.set_section(name, json.dumps(section))
    raw = file.serialize()
    again = ModelFile.parse(raw)

    assert again == file
    assert {name: json.loads(text) for name, text in again.sections.items()} == sections
    theirs = safetensors.numpy.load(raw)
    assert again.tensors.keys() == theirs.keys() == arrays.keys()
    for name, values in arrays.items():
        for read in (again.tensors[name], theirs[name]):
            assert read.dtype == values.dtype
            assert read.shape == values.shape
            assert read.tobytes() == values.tobytes()


def test_safetensors_opens_the_file_and_sees_the_document(tmp_path):
    path = tmp_path / "model.safetensors"
    small_file().write(path)
    with safetensors.safe_open(path, framework="numpy") as opened:
        document = json.loads(opened.metadata()["secondlook"])
        assert set(opened.keys()) == {"thresholds", "features"}
    assert document["kind"] == "isolation_forest"
    assert document["format_version"] == 1
    assert document["library_version"] == sl.__version__
    assert document["parameters"] == {"n_estimators": 3}
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    assert document["checksum"] == xxhash.xxh3_64_hexdigest(raw[8 + length :])


def test_every_cut_and_every_changed_byte_is_found_or_harmless():
    file = small_file()
    raw = file.serialize()
    for n in range(len(raw)):
        with pytest.raises(sl.ModelFileError):
            ModelFile.parse(raw[:n])
        for flip in (0x01, 0x80, 0xFF):
            damaged = raw[:n] + bytes([raw[n] ^ flip]) + raw[n + 1 :]
            with contextlib.suppress(sl.ModelFileError):
                assert ModelFile.parse(damaged) == file


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_error(raw):
    with pytest.raises(sl.ModelFileError):
        ModelFile.parse(raw)


def test_a_header_written_by_others_is_read():
    assert ModelFile.parse(with_header(lambda header: None)) == small_file()


def set_entry(**changes):
    return lambda header: header["thresholds"].update(changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_entry(dtype="F33"), "unknown dtype 'F33'"),
        (set_entry(dtype="F32"), "does not take the 16 bytes"),
        (set_entry(dtype=7), "expected 'dtype' to be a string"),
        (set_entry(shape=[1, 3]), "does not take the 16 bytes"),
        (set_entry(shape=[-1, -2]), "expected dimensions"),
        (set_entry(shape=[1.0, 2]), "expected dimensions"),
        (set_entry(shape=[2**63, 2]), "expected dimensions"),
        (set_entry(shape=[2**62, 2**62, 2]), "does not take"),
        (set_entry(shape=[1] * 33), "at most 32 dimensions"),
        (set_entry(shape=2), "expected a shape"),
        (set_entry(data_offsets=[0, 2**64 - 1]), "expected data_offsets within 19 bytes"),
        (set_entry(data_offsets=[16, 0]), "expected data_offsets within 19 bytes"),
        (set_entry(data_offsets=[-16, 0]), "expected two data_offsets"),
        (set_entry(data_offsets=[1, 17]), "there is a gap"),
        (set_entry(data_offsets=[0, 16, 16]), "expected two data_offsets"),
        (set_entry(extra=1), "expected dtype, shape and data_offsets"),
        (lambda header: header["features"].update(data_offsets=[15, 18]), "tensors overlap"),
        (lambda header: header.pop("features"), "expected 16 bytes of tensors, got 19"),
        (lambda header: header.pop("__metadata__"), "lacks '__metadata__'"),
        (lambda header: header["__metadata__"].pop("secondlook"), "lacks 'secondlook'"),
        (lambda header: header["__metadata__"].pop("header_checksum"), "lacks 'header_checksum'"),
        (lambda header: header["__metadata__"].update(other=1), "expected an object of strings"),
        (lambda header: header.update(thresholds=[]), "expected dtype, shape and data_offsets"),
    ],
)
def test_a_hostile_header_is_refused(change, message):
    with pytest.raises(sl.ModelFileError, match=message):
        ModelFile.parse(with_header(change))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format_version": 2}, r"format version 2 is newer than this library \(.+\) reads"),
        ({"format_version": 0}, "expected a format_version of at least 1"),
        ({"format_version": "1"}, "expected a format_version of at least 1"),
        ({"kind": ""}, "expected a kind"),
        ({"kind": None}, "expected 'kind' to be a string"),
        ({"checksum": "0" * 16}, "the tensors are damaged"),
        ({"parameters": eval("[" * 70 + "]" * 70)}, "deeper than 64"),
    ],
)
def test_a_hostile_document_is_refused(changes, message):
    def change(header):
        document = json.loads(header["__metadata__"]["secondlook"])
        document.update(changes)
        header["__metadata__"]["secondlook"] = json.dumps(document)

    with pytest.raises(sl.ModelFileError, match=message):
        ModelFile.parse(with_header(change))


def test_names_that_come_twice_are_refused():
    text = b'{"__metadata__":{"secondlook":"{}","secondlook":"{}"}}'
    with pytest.raises(sl.ModelFileError, match="names 'secondlook' twice"):
        ModelFile.parse(struct.pack("<Q", len(text)) + text)


def test_any_layout_and_byte_order_is_written_alike():
    values = np.arange(12.0).reshape(3, 4)
    file = ModelFile("kind")
    file.add("fortran", np.asfortranarray(values))
    file.add("strided", np.repeat(values, 2, axis=1)[:, ::2])
    file.add("big_endian", values.astype(">f8"))
    file.add("number", np.array(2.5))
    for name in ("fortran", "strided", "big_endian"):
        np.testing.assert_array_equal(file.tensors[name], values)
    assert file.tensors["number"].shape == ()
    for values in (np.array(["a"]), np.array([object()]), np.array([1j])):
        with pytest.raises(TypeError, match="expected an array of numbers"):
            file.add("other", values)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    path = tmp_path / "model"
    small_file().write(path)
    before = path.read_bytes()
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="Permission denied"):
        ModelFile("other").write(path)
    tmp_path.chmod(0o700)
    assert path.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_file_that_is_no_regular_file_is_neither_read_nor_replaced():
    with pytest.raises(OSError, match="replace it"):
        small_file().write("/dev/full")
    with pytest.raises(OSError, match="not a regular file"):
        ModelFile.read("/dev/zero")


def test_a_failed_write_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "model"
    small_file().write(path)
    large = ModelFile("large")
    large.add("values", np.zeros(1 << 16))
    child = os.fork()
    if child == 0:  # a limit on the file size simulates a full disk
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 12, 1 << 12))
        try:
            large.write(path)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ModelFile.read(path) == small_file()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


class Remembered:
    """A minimal model."""

    def __init__(self, values):
        self.values = values

    @classmethod
    def _from_model_file(cls, file):
        if "values" not in file.tensors:
            raise sl.ModelFileError("lacks values")
        return cls(file.tensors["values"])


def test_load_finds_the_class_of_a_kind(tmp_path, monkeypatch):
    import types

    module = types.ModuleType("remembered")
    module.Remembered = Remembered
    monkeypatch.setitem(__import__("sys").modules, "remembered", module)
    register_model("remembered", "remembered:Remembered")
    register_model("remembered", "remembered:Remembered")
    with pytest.raises(ValueError, match="is already registered as remembered:Remembered"):
        register_model("remembered", "other:Class")

    path = tmp_path / "model"
    file = ModelFile("remembered")
    file.write(path)
    with pytest.raises(sl.ModelFileError, match="model': lacks values"):
        load(path)
    file.add("values", np.arange(3))
    file.write(path)
    np.testing.assert_array_equal(sl.load(str(path)).values, [0, 1, 2])


def test_load_says_what_is_wrong(tmp_path):
    path = tmp_path / "model"
    with pytest.raises(OSError, match="cannot open"):
        sl.load(path)
    path.write_text("A text, and no model at all.")
    with pytest.raises(sl.ModelFileError) as error:
        sl.load(path)
    assert str(error.value).startswith(f"'{path}': not a safetensors file, or damaged: expected")
    ModelFile("of_the_future").write(path)
    with pytest.raises(sl.ModelFileError, match=r"isolation_forest.*got 'of_the_future'"):
        sl.load(path)
