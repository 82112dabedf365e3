import io
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")
pytest.importorskip("pydicom", reason="DICOM files are written and read by pydicom")

from secondlook.image import list_images, read_image

VALUES = np.arange(48, dtype=np.uint16).reshape(6, 8) * 80


def write(file, pixels=VALUES, **attributes):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.SOPClassUID = SecondaryCaptureImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = 0
    for name, value in attributes.items():
        setattr(data, name, value)
    data.PixelData = pixels.tobytes()
    data.save_as(file, enforce_file_format=True)
    return file


def test_without_a_window_the_values_fill_the_range(tmp_path):
    read = read_image(write(tmp_path / "a.dcm"))
    assert read.dtype == np.uint16
    np.testing.assert_allclose(read, VALUES / VALUES.max() * 65535, atol=0.5)


def test_the_window_is_applied_after_the_rescale(tmp_path):
    file = write(
        tmp_path / "a.dcm",
        WindowCenter=[100.5, 7],
        WindowWidth=[201, 9],
        RescaleSlope=0.1,
        RescaleIntercept=-50,
    )
    expected = np.clip((VALUES * 0.1 - 50 - 0) / 200, 0, 1) * 65535
    np.testing.assert_allclose(read_image(file), expected, atol=0.51)


def test_monochrome1_is_inverted_and_a_file_without_a_suffix_is_known(tmp_path):
    plain = read_image(write(tmp_path / "plain.dcm"))
    file = write(tmp_path / "IM0001", PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_allclose(read_image(file), 65535.0 - plain, atol=1)
    np.testing.assert_array_equal(read_image(file), read_image(file.read_bytes()))


def test_a_sigmoid_and_an_exact_window_are_those_of_the_standard(tmp_path):
    window = {"WindowCenter": 1000, "WindowWidth": 400}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        file = write(tmp_path / "sigmoid.dcm", **window, VOILUTFunction="SIGMOID")
        sigmoid = read_image(file)
        write(file, WindowCenter=3000, WindowWidth=1, VOILUTFunction="SIGMOID")
        assert set(np.unique(read_image(file))) == {0, 65535}
    # PS3.3, C.11.2.1.3.1 and C.11.2.1.3.2
    expected = 65535 / (1 + np.exp(-4 * (VALUES - 1000.0) / 400))
    np.testing.assert_allclose(sigmoid, expected, atol=0.51)
    exact = read_image(write(tmp_path / "exact.dcm", **window, VOILUTFunction="LINEAR_EXACT"))
    expected = np.clip((VALUES - 1000.0) / 400 + 0.5, 0, 1) * 65535
    np.testing.assert_allclose(exact, expected, atol=0.51)


def test_empty_attributes_are_treated_as_missing(tmp_path):
    empty = dict.fromkeys(
        ["RescaleSlope", "RescaleIntercept", "WindowCenter", "WindowWidth", "VOILUTFunction"]
    )
    read = read_image(write(tmp_path / "a.dcm", **empty))
    np.testing.assert_array_equal(read, read_image(write(tmp_path / "plain.dcm")))
    with pytest.raises(ValueError, match=r"rows\.dcm: expected a DICOM file with pixels"):
        read_image(write(tmp_path / "rows.dcm", Rows=None))


COLOURS = np.random.default_rng(0).integers(0, 256, size=(6, 8, 3), dtype=np.uint8)
EIGHT_BITS = {"SamplesPerPixel": 3, "PlanarConfiguration": 0, "BitsAllocated": 8, "BitsStored": 8}


def test_colours_of_8_bits_stay_as_they_are(tmp_path):
    from pydicom.pixels import convert_color_space

    for name, pixels in (
        ("RGB", COLOURS),
        ("YBR_FULL", convert_color_space(COLOURS, "RGB", "YBR_FULL")),
    ):
        file = write(
            tmp_path / "a.dcm", pixels, PhotometricInterpretation=name, HighBit=7, **EIGHT_BITS
        )
        assert read_image(file).dtype == np.uint8
        # There and back rounds twice.
        np.testing.assert_allclose(read_image(file).astype(int), COLOURS, atol=1)


@pytest.mark.parametrize("n_bits", [12, 16])
def test_colours_of_more_bits_fill_16(tmp_path, n_bits):
    pixels = COLOURS.astype(np.uint16) * ((2**n_bits - 1) // 255)
    file = write(
        tmp_path / "a.dcm",
        pixels,
        PhotometricInterpretation="RGB",
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        BitsStored=n_bits,
        HighBit=n_bits - 1,
    )
    assert read_image(file).dtype == np.uint16
    np.testing.assert_allclose(read_image(file), pixels / (2**n_bits - 1) * 65535, atol=0.5)


@pytest.mark.parametrize("n_bits", [8, 16])
def test_a_palette_gives_colours(tmp_path, n_bits):
    indices = np.arange(48, dtype=np.uint8).reshape(6, 8) % 4
    palette = np.array([[0, 0, 0], [255, 0, 0], [0, 128, 255], [9, 8, 7]])
    palette = palette.astype(f"uint{n_bits}") * (257 if n_bits == 16 else 1)
    attributes = {}
    for channel, name in enumerate(["Red", "Green", "Blue"]):
        attributes[f"{name}PaletteColorLookupTableDescriptor"] = [4, 0, n_bits]
        attributes[f"{name}PaletteColorLookupTableData"] = palette[:, channel].tobytes()
    file = write(
        tmp_path / "a.dcm",
        indices,
        PhotometricInterpretation="PALETTE COLOR",
        **{**EIGHT_BITS, "SamplesPerPixel": 1, "HighBit": 7},
        **attributes,
    )
    read = read_image(file)
    assert read.dtype == palette.dtype
    np.testing.assert_array_equal(read, palette[indices])


def test_a_look_up_table_is_applied_after_the_rescale(tmp_path):
    from pydicom.dataset import Dataset

    table = Dataset()
    table.LUTDescriptor = [8, 0, 16]
    table.LUTData = np.arange(8, dtype=np.uint16)[::-1].tobytes()
    table["LUTData"].VR = "OW"
    file = write(
        tmp_path / "a.dcm", RescaleSlope=1 / 80, RescaleIntercept=-1, VOILUTSequence=[table]
    )
    looked_up = 7 - np.clip(np.arange(48).reshape(6, 8) - 1, 0, 7)
    np.testing.assert_allclose(read_image(file), looked_up / 7 * 65535, atol=0.5)


def without_preamble(file):
    """Return the file's contents as some devices export them: the data set alone."""
    import pydicom

    data = pydicom.dcmread(file)
    syntax = data.file_meta.TransferSyntaxUID
    del data.file_meta
    data.preamble = None
    stream = io.BytesIO()
    pydicom.dcmwrite(
        stream,
        data,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=False,
    )
    assert stream.getvalue()[128:132] != b"DICM"
    return stream.getvalue()


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
def test_a_preamble_may_be_missing(tmp_path, syntax):
    import pydicom

    whole = write(tmp_path / "whole.dcm", WindowCenter=1000, WindowWidth=400)
    data = pydicom.dcmread(whole)
    data.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    data.save_as(whole, enforce_file_format=True)
    folder = tmp_path / "export"
    folder.mkdir()
    for name in ("a.dcm", "IM0001", "scan.png"):
        (folder / name).write_bytes(without_preamble(whole))
        np.testing.assert_array_equal(read_image(folder / name), read_image(whole))
    assert [file.name for file in list_images(folder)] == ["IM0001", "a.dcm", "scan.png"]
    np.testing.assert_array_equal(read_image(without_preamble(whole)), read_image(whole))


def test_a_file_of_several_frames_needs_one_to_be_chosen(tmp_path):
    frames = np.stack([VALUES, VALUES[::-1]])
    file = write(tmp_path / "a.dcm", VALUES, NumberOfFrames=2)
    import pydicom

    data = pydicom.dcmread(file)
    data.PixelData = frames.tobytes()
    data.save_as(file)
    with pytest.raises(ValueError) as error:
        read_image(file)
    assert str(error.value) == (
        f"read_image: {file}: expected an image of one frame, got 2 frames; choose one, the "
        "first is page=0"
    )
    single = read_image(write(tmp_path / "b.dcm"))
    np.testing.assert_array_equal(read_image(file, page=0), single)
    np.testing.assert_array_equal(read_image(file, page=1), single[::-1])
    np.testing.assert_array_equal(read_image(tmp_path / "b.dcm", page=0), single)
    with pytest.raises(ValueError, match="expected a page from 0 to 1, got 2"):
        read_image(file, page=2)


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("limit", [None, -1990])
def test_padding_is_black_and_not_part_of_the_range(tmp_path, interpretation, limit):
    exposed = VALUES.astype(np.int16) + 5
    padded = exposed.copy()
    padded[:, 0] = -2000
    if limit is not None:
        padded[:, 1] = -1995
    attributes = {
        "PixelRepresentation": 1,
        "BitsStored": 16,
        "HighBit": 15,
        "PhotometricInterpretation": interpretation,
        "PixelPaddingValue": -2000,
    }
    if limit is not None:
        attributes["PixelPaddingRangeLimit"] = limit
    read = read_image(write(tmp_path / "a.dcm", padded, **attributes))
    inside = padded > -1900
    low, high = exposed[inside].min(), exposed[inside].max()
    fraction = (exposed[inside] - low) / (high - low)
    expected = fraction if interpretation == "MONOCHROME2" else 1 - fraction
    np.testing.assert_allclose(read[inside], expected * 65535, atol=0.5)
    assert not read[~inside].any()


def test_a_padding_value_written_without_its_sign_is_known(tmp_path):
    padded = VALUES.astype(np.int16) + 5
    padded[:, 0] = -2000
    import pydicom

    file = write(
        tmp_path / "a.dcm", padded, PixelRepresentation=1, BitsStored=16, HighBit=15,
        PixelPaddingValue=-2000,
    )  # fmt: skip
    expected = read_image(file)
    data = pydicom.dcmread(file)
    data["PixelPaddingValue"].VR = "US"
    data.PixelPaddingValue = 65536 - 2000
    data.save_as(file)
    np.testing.assert_array_equal(read_image(file), expected)
    write(file, np.full((6, 8), -2000, np.int16), PixelRepresentation=1, PixelPaddingValue=-2000)
    assert not read_image(file).any()


def test_folders_of_files_without_a_suffix_are_listed(tmp_path):
    (tmp_path / "deep").mkdir()
    files = [write(tmp_path / "deep" / name) for name in ("IM.2", "IM0001")]
    write(tmp_path / "DICOMDIR")
    (tmp_path / "LICENSE").write_text("no image")
    assert list_images(tmp_path) == files


def test_broken_files_are_errors_that_name_them(tmp_path):
    file = tmp_path / "broken.dcm"
    file.write_bytes(b"no DICOM at all")
    with pytest.raises(ValueError, match=r"broken\.dcm"):
        read_image(file)
    data = write(tmp_path / "a.dcm").read_bytes()
    file.write_bytes(data[:-20])
    with pytest.raises(ValueError, match=r"broken\.dcm"):
        read_image(file)
    with pytest.raises(ValueError, match="at most 47 pixels"):
        read_image(tmp_path / "a.dcm", max_pixels=47)
    with pytest.raises(OSError, match=r"missing\.dcm"):
        read_image(tmp_path / "missing.dcm")


def test_without_pydicom_the_error_says_what_to_install(tmp_path, monkeypatch):
    file = write(tmp_path / "a.dcm")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImportError, match=r"a\.dcm is a DICOM file.*pip install 'pydicom>=3'"):
        read_image(file)
