import sys

import numpy as np
import pytest

pytest.importorskip("torch", reason="the image room needs torch")
pytest.importorskip("pydicom", reason="DICOM files are written and read by pydicom")

from secondlook.image import read_image

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
    data.Rows, data.Columns = pixels.shape
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
    with pytest.raises(ImportError, match=r"a\.dcm is a DICOM file.*pip install pydicom"):
        read_image(file)
