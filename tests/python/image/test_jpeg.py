import io

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from secondlook.image import read_image

Image = pytest.importorskip("PIL.Image", reason="Pillow writes the files to read")

ROWS, COLUMNS = np.mgrid[:240, :320]
PICTURE = (127 + 80 * np.sin(COLUMNS / 17) + 40 * np.cos(ROWS / 11)).clip(0, 255).astype(np.uint8)
NOISY = (PICTURE * 0.8 + np.random.default_rng(0).normal(20, 9, PICTURE.shape)).clip(0, 255)
COLOURS = np.stack([PICTURE, PICTURE[::-1], NOISY.astype(np.uint8)], axis=2)

KINDS = [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_rows": 2}]


def jpeg(pixels=PICTURE, **options):
    stream = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels.astype(np.uint8))
    image.save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("pixels", [PICTURE, NOISY, COLOURS], ids=["smooth", "noisy", "colours"])
def test_bytes_lost_in_the_middle_are_an_error(pixels, kind, tmp_path):
    whole = jpeg(pixels, **kind)
    half, n = len(whole) // 2, len(whole)
    damaged = {
        "end.jpg": whole[:half] + b"\xff\xd9",
        "lost.jpg": whole[:half] + whole[half + 700 :],
        "hole.jpg": whole[:half] + bytes(n // 4) + whole[half + n // 4 :],
        "block.jpg": whole[:half] + b"\xaa" * 512 + whole[half + 512 :],
    }
    if "progressive" in kind:  # whose runs of blocks may swallow what follows, with no trace
        damaged = {name: damaged[name] for name in ("end.jpg", "hole.jpg")}
    for name, data in damaged.items():
        file = tmp_path / name
        file.write_bytes(data)
        with pytest.raises(ValueError) as error:
            read_image(file)
        assert str(error.value).startswith(f"read_image: {file}: the JPEG is damaged: ")


def test_a_progressive_file_without_its_last_scans_is_an_error():
    whole = jpeg(progressive=True)
    scans = [at for at in range(len(whole)) if whole[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 3
    for scan in scans[1:]:
        with pytest.raises(ValueError, match="the JPEG is damaged: its last scans are missing"):
            read_image(whole[:scan] + b"\xff\xd9")


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("pixels", [PICTURE, NOISY, COLOURS], ids=["smooth", "noisy", "colours"])
def test_intact_files_are_read_as_by_pillow(pixels, kind):
    data = jpeg(pixels, **kind)
    with Image.open(io.BytesIO(data)) as other:
        # Two JPEG decoders may round differently.
        np.testing.assert_allclose(read_image(data), np.asarray(other), atol=2)


def test_padding_and_bytes_after_the_end_are_ignored():
    data = jpeg()
    np.testing.assert_array_equal(read_image(data[:-2] + bytes(3) + data[-2:]), read_image(data))
    np.testing.assert_array_equal(read_image(data + b"a camera's own data"), read_image(data))


def test_nothing_is_written_to_stderr(capfd):
    data = jpeg()
    with pytest.raises(ValueError):
        read_image(data[: len(data) // 2] + b"\xff\xd9")
    assert capfd.readouterr().err == ""


def test_inks_become_light():
    colours = Image.fromarray(COLOURS)
    data = jpeg(colours.convert("CMYK"))
    with Image.open(io.BytesIO(data)) as other:
        expected = np.asarray(other.convert("RGB")).astype(int)
    np.testing.assert_allclose(read_image(data).astype(int), expected, atol=3)


def test_exif_of_the_first_block_that_holds_it_turns_the_image():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = jpeg(exif=exif)
    note = b"\xff\xe1" + (2 + 40).to_bytes(2, "big") + b"http://ns.adobe.com/xap/1.0/\0".ljust(40)
    assert read_image(data[:2] + note + data[2:]).shape == PICTURE.T.shape
