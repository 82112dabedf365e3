import io

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from secondlook.image import preprocess, read_image

Image = pytest.importorskip("PIL.Image", reason="Pillow writes the files to read")

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, size=(12, 17), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, size=(12, 17, 3), dtype=np.uint8)
WIDE = RANDOM.integers(0, 65536, size=(12, 17), dtype=np.uint16)


def encoded(pixels: np.ndarray, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format, **options)
    return stream.getvalue()


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("pixels", [GREY, COLOUR], ids=["grey", "colour"])
def test_lossless_formats_preserve_the_pixels(format, pixels, tmp_path):
    data = encoded(pixels, format)
    np.testing.assert_array_equal(read_image(data), pixels)
    file = tmp_path / "image"
    file.write_bytes(data)
    np.testing.assert_array_equal(read_image(file), pixels)


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bits_are_kept(format):
    read = read_image(encoded(WIDE, format))
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, WIDE)


def test_jpeg_is_what_pillow_reads():
    smooth = np.add.outer(np.arange(64), 2 * np.arange(48)).astype(np.uint8)
    data = encoded(smooth, "JPEG", quality=90)
    with Image.open(io.BytesIO(data)) as other:
        # Two JPEG decoders may round differently.
        np.testing.assert_allclose(read_image(data), np.asarray(other), atol=2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_the_orientation_is_applied(format, orientation):
    from PIL import ImageOps

    smooth = np.add.outer(np.arange(40) * 3, np.arange(24) * 5).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(smooth, format, exif=exif)
    with Image.open(io.BytesIO(data)) as other:
        upright = np.asarray(ImageOps.exif_transpose(other))
    np.testing.assert_allclose(read_image(data).astype(int), upright.astype(int), atol=4)


def test_arrays_and_pillow_images_are_taken():
    np.testing.assert_array_equal(read_image(GREY[:, :, None]), GREY)
    np.testing.assert_array_equal(read_image(COLOUR[::2, ::-1]), COLOUR[::2, ::-1])
    np.testing.assert_array_equal(read_image(WIDE.astype(">u2")), WIDE)
    np.testing.assert_array_equal(read_image(GREY > 127), np.where(GREY > 127, 255, 0))
    np.testing.assert_array_equal(read_image(Image.fromarray(COLOUR)), COLOUR)
    np.testing.assert_array_equal(read_image(Image.fromarray(WIDE)), WIDE)
    assert read_image(Image.fromarray(COLOUR).convert("CMYK")).shape == COLOUR.shape


@pytest.mark.parametrize("mode", ["I", "I;16", "I;16B"])
def test_pillows_integers_are_16_bits(mode):
    np.testing.assert_array_equal(read_image(pillow_image(WIDE, mode)), WIDE)


def pillow_image(pixels, mode):
    kind = {"I": "<i4", "I;16": "<u2", "I;16B": ">u2", "F": "<f4"}[mode]
    return Image.frombytes(mode, pixels.shape[::-1], pixels.astype(kind).tobytes())


@pytest.mark.parametrize(
    "dtype", [np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.uint32]
)
def test_physical_values_are_returned_as_floats_in_their_unit(dtype):
    values = (RANDOM.normal(size=(12, 17)) * 50).astype(np.int8).astype(dtype)
    for order in "<>":
        read = read_image(values.astype(np.dtype(dtype).newbyteorder(order)))
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, values.astype(np.float32))


def test_floats_without_a_value_range_must_lie_in_0_to_1():
    options = {"size": (12, 17), "channels": 1}
    for fractions in (WIDE / 65535, (WIDE / 65535).astype(np.float32)):
        np.testing.assert_array_equal(preprocess(fractions, **options), preprocess(WIDE, **options))
        np.testing.assert_array_equal(
            preprocess(pillow_image(fractions, "F"), **options), preprocess(WIDE, **options)
        )
        for bad in (fractions * 300, fractions - 1):
            with pytest.raises(ValueError, match=r"preprocess: expected floats in \[0, 1\], got"):
                preprocess(bad)
    with pytest.raises(ValueError, match=r"preprocess: expected floats in \[0, 1\], got NaN"):
        preprocess(np.full((3, 3), np.nan))


@pytest.mark.parametrize("values", [[-1, 5], [0, 65536]])
def test_pillows_integers_of_more_than_16_bits_are_physical_values(values):
    read = read_image(pillow_image(np.array([values]), "I"))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, [values])


@pytest.mark.parametrize(
    ("mode", "form"),
    # An array does not say that a second channel is opacity: it may be a second energy.
    [
        *(("LA", form) for form in ("PNG", "TIFF", "Pillow")),
        *(("RGBA", form) for form in ("PNG", "TIFF", "Pillow", "array")),
    ],
)
def test_opacity_is_dropped_from_every_form(mode, form):
    channels = len(mode)
    pixels = RANDOM.integers(0, 256, size=(12, 17, channels), dtype=np.uint8)
    pixels[:2, :, -1] = 0  # wholly transparent, with colours beneath
    image = Image.fromarray(pixels)
    assert image.mode == mode
    given = {"Pillow": image, "array": pixels}.get(form)
    if given is None:
        stream = io.BytesIO()
        image.save(stream, form)
        given = stream.getvalue()
    expected = pixels[:, :, 0] if mode == "LA" else pixels[:, :, :3]
    np.testing.assert_array_equal(read_image(given), expected)


def test_an_animation_is_refused(tmp_path):
    file = tmp_path / "turning.png"
    frames = [Image.fromarray(np.full((12, 17), value, np.uint8)) for value in (0, 100, 200)]
    frames[0].save(file, save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError) as error:
        read_image(file)
    assert str(error.value) == (f"read_image: {file}: expected one image, got an animation of 3")


def test_formats_are_recognised_by_content_not_by_name(tmp_path):
    for format in ("JPEG", "PNG", "TIFF", "BMP"):
        for name in ("scan.dcm", "scan.png", "scan.jpg", "scan", "scan.txt"):
            file = tmp_path / name
            file.write_bytes(encoded(GREY, format))
            assert read_image(file).shape == GREY.shape


@pytest.mark.parametrize("max_pixels", [-1, 0, 2.5, None, 2**64])
def test_max_pixels_must_be_a_whole_number(max_pixels):
    with pytest.raises(
        ValueError, match="read_image: expected max_pixels as a whole number from 1"
    ):
        read_image(b"BM", max_pixels=max_pixels)


def test_errors_begin_with_the_function_that_was_called(tmp_path):
    file = tmp_path / "text.png"
    file.write_text("no image at all")
    for image, message in ((file, rf"read_image: {file}: exp"), (b"no", "read_image: <bytes>: ex")):
        with pytest.raises(ValueError, match=message):
            read_image(image)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((3, 3, 2), np.uint8), "got (3, 3, 2)"),
        (np.zeros((3, 3, 5), np.uint8), "got (3, 3, 5)"),
        (np.zeros((3, 3), np.complex64), "got complex64"),
        (np.zeros((0, 3), np.uint8), "got (0, 3)"),
        (np.zeros((3, 3), np.int64), "got int64"),
        (b"", "got an empty file"),
        (b"no image", "expected a JPEG, PNG, TIFF or BMP"),
    ],
)
def test_invalid_images_are_refused(bad, message):
    with pytest.raises(ValueError) as error:
        read_image(bad)
    assert message in str(error.value)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_a_truncated_file_is_an_error_that_names_it(format, tmp_path):
    data = encoded(COLOUR, format)
    file = tmp_path / f"cut.{format.lower()}"
    for length in [1, 10, 60, len(data) // 2, len(data) - 60]:
        file.write_bytes(data[:length])
        with pytest.raises(ValueError, match=f"cut.{format.lower()}: "):
            read_image(file)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "BMP"])
def test_changed_bytes_are_an_error_or_an_image(format):
    data = encoded(COLOUR, format)
    for at in range(0, len(data), 7):
        changed = bytearray(data)
        changed[at] ^= 0xFF
        try:
            read_image(bytes(changed))
        except ValueError as error:
            assert str(error).startswith("read_image: <bytes>: ")


def test_the_size_is_limited_before_the_pixels_are_decoded(tmp_path):
    file = tmp_path / "huge.png"
    # 400 million equal pixels make a file of some 50 kB.
    Image.new("1", (20000, 20000)).save(file)
    with pytest.raises(ValueError) as error:
        read_image(file)
    assert "huge.png: expected at most 100000000 pixels (max_pixels), got 20000 × 20000" in str(
        error.value
    )


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(OSError, match=r"missing\.png"):
        read_image(tmp_path / "missing.png")
    with pytest.raises(OSError, match="got the folder"):
        read_image(tmp_path)
