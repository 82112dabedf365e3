import struct
import zlib

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from secondlook.image import preprocess, read_image

Image = pytest.importorskip("PIL.Image", reason="Pillow writes some of the files to read")

RANDOM = np.random.default_rng(0)
SHAPE = (37, 45)  # no multiple of a strip or a tile
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2
UNSPECIFIED, PREMULTIPLIED, STRAIGHT = 0, 1, 2


def values(dtype, *channels):
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return (RANDOM.normal(size=(*SHAPE, *channels)) * 40).astype(kind)
    limits = np.iinfo(kind)
    return RANDOM.integers(limits.min, limits.max, (*SHAPE, *channels), kind, endpoint=True)


def tiff(
    pixels,
    photometric=BLACK_IS_ZERO,
    *,
    order="<",
    big=False,
    planar=False,
    tile=None,
    strip_rows=16,
    deflate=False,
    bits=None,
    extra=None,
    orientation=None,
    n_thumbnails=0,
    more_pages=(),
):
    """Return a TIFF of one or more pages, written by hand: no library writes all kinds."""
    word = "Q" if big else "L"
    head = b"II" if order == "<" else b"MM"
    head += struct.pack(order + ("HHHQ" if big else "HL"), *((43, 8, 0, 0) if big else (42, 0)))
    file = bytearray(head)
    at_link = len(head) - struct.calcsize("=" + word)
    pages = [(pixels, 0)] + [(pixels[::4, ::4], 1)] * n_thumbnails + [(p, 0) for p in more_pages]
    for page, subfile_type in pages:
        samples = 1 if page.ndim == 2 else page.shape[2]
        n_bits = bits or 8 * page.itemsize
        blocks = [
            part
            for plane in (np.moveaxis(np.atleast_3d(page), 2, 0) if planar else [page])
            for part in _blocks(plane, tile, strip_rows)
        ]
        offsets, counts = [], []
        for block in blocks:
            data = _packed(block, bits, order)
            data = zlib.compress(data) if deflate else data
            offsets.append(len(file))
            counts.append(len(data))
            file += data
        tags = {
            254: ("L", [subfile_type]),
            256: ("L", [page.shape[1]]),
            257: ("L", [page.shape[0]]),
            258: ("H", [n_bits] * samples),
            259: ("H", [8 if deflate else 1]),
            262: ("H", [photometric]),
            277: ("H", [samples]),
            284: ("H", [2 if planar else 1]),
            339: ("H", [{"u": 1, "i": 2, "f": 3}[page.dtype.kind]] * samples),
        }
        if tile:
            tags |= {
                322: ("L", [tile]),
                323: ("L", [tile]),
                324: (word, offsets),
                325: ("L", counts),
            }
        else:
            tags |= {273: (word, offsets), 278: ("L", [strip_rows]), 279: ("L", counts)}
        if extra is not None:
            tags[338] = ("H", [extra])
        if orientation is not None:
            tags[274] = ("H", [orientation])
        directory = bytearray(struct.pack(order + ("Q" if big else "H"), len(tags)))
        for tag, (kind, numbers) in sorted(tags.items()):
            data = struct.pack(f"{order}{len(numbers)}{kind}", *numbers)
            inline = struct.calcsize("=" + word)
            if len(data) > inline:
                pointer = struct.pack(order + word, len(file))
                file += data
                data = pointer
            code = {"H": 3, "L": 4, "Q": 16}[kind]
            directory += struct.pack(order + "HH" + word, tag, code, len(numbers))
            directory += data.ljust(inline, b"\0")
        struct.pack_into(order + word, file, at_link, len(file))
        at_link = len(file) + len(directory)
        file += directory + struct.pack(order + word, 0)
    return bytes(file)


def _blocks(plane, tile, strip_rows):
    rows, columns = plane.shape[:2]
    if not tile:
        return [plane[y : y + strip_rows] for y in range(0, rows, strip_rows)]
    whole = np.zeros((-(-rows // tile) * tile, -(-columns // tile) * tile, *plane.shape[2:]))
    whole = whole.astype(plane.dtype)
    whole[:rows, :columns] = plane
    return [
        whole[y : y + tile, x : x + tile]
        for y in range(0, whole.shape[0], tile)
        for x in range(0, whole.shape[1], tile)
    ]


def _packed(block, bits, order):
    if bits is None:
        return block.astype(block.dtype.newbyteorder(order)).tobytes()
    rows = block.reshape(len(block), -1).astype(np.uint16)
    digits = (rows[:, :, None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(digits.reshape(len(block), -1), axis=1).tobytes()


LAYOUTS = [
    {},
    {"order": ">"},
    {"big": True},
    {"tile": 16},
    {"deflate": True},
    {"planar": True},
    {"order": ">", "tile": 16, "deflate": True, "planar": True},
    {"strip_rows": 2**32 - 1},
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
def test_zero_is_black_however_it_is_stored(photometric, dtype, layout):
    shown = values(dtype)
    stored = shown if photometric == BLACK_IS_ZERO else np.iinfo(dtype).max - shown
    read = read_image(tiff(stored, photometric, **layout))
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, shown)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_are_read_from_planes_too(dtype, layout):
    colours = values(dtype, 3)
    np.testing.assert_array_equal(read_image(tiff(colours, RGB, **layout)), colours)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize(
    "dtype", [np.int8, np.int16, np.int32, np.uint32, np.float16, np.float32, np.float64]
)
def test_physical_values_are_returned_unchanged(dtype, layout):
    stored = values(dtype)
    read = read_image(tiff(stored, **layout))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, stored.astype(np.float32))


def test_physical_values_may_have_three_bands():
    stored = values(np.float32, 3)
    np.testing.assert_array_equal(read_image(tiff(stored, RGB)), stored)


@pytest.mark.parametrize("photometric", [WHITE_IS_ZERO, BLACK_IS_ZERO])
@pytest.mark.parametrize("bits", [1, 2, 4, 6])
def test_few_bits_are_scaled_to_eight(bits, photometric):
    stored = values(np.uint8) >> (8 - bits)
    fraction = stored / (2**bits - 1)
    read = read_image(tiff(stored, photometric, bits=bits))
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(
        read, np.rint(255 * (fraction if photometric == BLACK_IS_ZERO else 1 - fraction))
    )


@pytest.mark.parametrize("layout", [{}, {"tile": 16}, {"planar": True}], ids=str)
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_more_bits_are_scaled_to_sixteen(bits, layout):
    stored = values(np.uint16) >> (16 - bits)
    read = read_image(tiff(stored, bits=bits, **layout))
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, stored << (16 - bits))
    inverted = read_image(tiff(2**bits - 1 - stored, WHITE_IS_ZERO, bits=bits, **layout))
    np.testing.assert_array_equal(inverted, read)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("planar", [False, True])
def test_opacity_is_dropped(dtype, planar):
    colours, grey = values(dtype, 4), values(dtype, 2)
    for extra in (UNSPECIFIED, STRAIGHT, None):
        read = read_image(tiff(colours, RGB, extra=extra, planar=planar))
        np.testing.assert_array_equal(read, colours[:, :, :3])
    for extra in (UNSPECIFIED, STRAIGHT):
        read = read_image(tiff(grey, extra=extra, planar=planar))
        np.testing.assert_array_equal(read, grey[:, :, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colours_that_were_multiplied_with_the_opacity_are_divided_again(dtype):
    largest = np.iinfo(dtype).max
    straight = values(dtype, 4)
    straight[:, :, 3] = np.maximum(straight[:, :, 3], largest // 2)
    multiplied = straight.copy()
    opacity = straight[:, :, 3:] / largest
    multiplied[:, :, :3] = np.rint(straight[:, :, :3] * opacity)
    read = read_image(tiff(multiplied, RGB, extra=PREMULTIPLIED))
    # Rounded twice, and divided by one half at least.
    np.testing.assert_allclose(read.astype(float), straight[:, :, :3], atol=1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_the_orientation_is_applied(dtype, orientation):
    from PIL import ImageOps

    stored = np.arange(12, dtype=np.uint8).reshape(3, 4)
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = Image.fromarray(stored)
    upright.info["exif"] = exif.tobytes()
    expected = np.asarray(ImageOps.exif_transpose(upright))
    read = read_image(tiff(stored.astype(dtype), orientation=orientation))
    np.testing.assert_array_equal(read, expected.astype(dtype))


def test_a_palette_gives_its_colours():
    image = Image.fromarray(values(np.uint8) % 4).convert("P")
    image.putpalette([0, 0, 0, 255, 0, 0, 0, 128, 255, 9, 8, 7])
    assert_pillow_agrees(image, atol=0)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_compressed_files_are_what_pillow_reads(mode, compression):
    smooth = np.add.outer(np.arange(64), 2 * np.arange(48)).astype(np.uint8)
    image = Image.fromarray(smooth).convert(mode)
    # Two JPEG decoders may round differently.
    assert_pillow_agrees(image, atol=2 if compression == "jpeg" else 0, compression=compression)


def assert_pillow_agrees(image, atol, **options):
    import io

    stream = io.BytesIO()
    image.save(stream, "TIFF", **options)
    with Image.open(stream) as other:
        expected = np.asarray(other.convert("RGB") if other.mode == "P" else other)
    read = read_image(stream.getvalue())
    np.testing.assert_allclose(read.astype(int), expected.astype(int), atol=atol)


# ---- What is refused says why ----


def refusal(data, tmp_path, **options):
    file = tmp_path / "scan.tif"
    file.write_bytes(data)
    with pytest.raises(ValueError) as error:
        read_image(file, **options)
    assert str(error.value).startswith(f"read_image: {file}: ")
    return str(error.value).removeprefix(f"read_image: {file}: ")


def test_other_bands_and_bits_are_refused_by_name(tmp_path):
    five = refusal(tiff(values(np.uint8, 5)), tmp_path)
    assert five == ("expected 1 band of grey and at most opacity beside it, got 5 bands per pixel")
    two = refusal(tiff(values(np.uint16, 2)), tmp_path)
    assert two.endswith("got 2 bands per pixel")
    long = refusal(tiff(values(np.uint64)), tmp_path)
    assert long.endswith("floats of 16, 32 or 64 bits, got unsigned ones of 64 bits")
    inks = refusal(tiff(values(np.uint16, 4), photometric=5), tmp_path)
    assert inks == "expected grey or RGB, or other colours of 8 bits, got other colours of 16 bits"


@pytest.mark.parametrize("layout", [{}, {"tile": 16}], ids=str)
def test_damage_inside_is_an_error(layout, tmp_path):
    data = bytearray(tiff(values(np.uint16), deflate=True, **layout))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(40)
    assert refusal(bytes(data), tmp_path).startswith("the TIFF is damaged: ")


def test_damage_of_a_jpeg_inside_is_an_error(tmp_path):
    import io

    stream = io.BytesIO()
    Image.fromarray(values(np.uint8)).save(stream, "TIFF", compression="jpeg")
    data = bytearray(stream.getvalue())
    scan = data.index(b"\xff\xda") + 200
    data[scan : scan + 300] = bytes(300)
    assert refusal(bytes(data), tmp_path).startswith("the TIFF is damaged: ")


# ---- Pages ----


def test_one_of_several_pages_must_be_chosen(tmp_path):
    pages = [values(np.uint16) for _ in range(3)]
    for layout in ({}, {"order": ">"}, {"big": True}, {"n_thumbnails": 1}):
        data = tiff(pages[0], more_pages=pages[1:], **layout)
        assert refusal(data, tmp_path) == (
            "expected an image of one page, got 3 pages; choose one, the first is page=0"
        )
        for number, page in enumerate(pages):
            np.testing.assert_array_equal(read_image(data, page=number), page)
        assert refusal(data, tmp_path, page=3) == "expected a page from 0 to 2, got 3"


def test_thumbnails_are_not_pages():
    stored = values(np.uint8)
    np.testing.assert_array_equal(read_image(tiff(stored, n_thumbnails=2)), stored)


def test_a_page_must_be_a_whole_number_and_of_a_file():
    data = tiff(values(np.uint8))
    np.testing.assert_array_equal(read_image(data, page=0), read_image(data))
    for bad in (-1, 0.5, "1"):
        with pytest.raises(ValueError, match="read_image: expected page as a whole number from 0"):
            read_image(data, page=bad)
    with pytest.raises(ValueError, match="read_image: expected page=None for pixels, got page=0"):
        read_image(values(np.uint8), page=0)


def test_pages_that_refer_to_each_other_end():
    data = bytearray(tiff(values(np.uint8)))
    data[-4:] = data[4:8]  # the next page is the first
    assert read_image(bytes(data)).shape == SHAPE


def test_a_file_that_ends_before_its_next_page_is_truncated(tmp_path):
    data = tiff(values(np.uint8), more_pages=[values(np.uint8)])
    assert "truncated" in refusal(data[: len(data) // 2 + 10], tmp_path)
    assert read_image(data[: len(data) // 2 + 10], page=0).shape == SHAPE


# ---- Thermograms in a network's input ----


def test_the_value_range_maps_temperatures_to_black_and_white():
    celsius = np.linspace(-25, 65, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    seen = preprocess(tiff(celsius), size=SHAPE, channels=1, mean=0, standard_deviation=1,
                      value_range=(-20, 60))[0]  # fmt: skip
    np.testing.assert_allclose(seen, np.clip((celsius + 20) / 80, 0, 1), atol=1e-5)
    hundredths = np.rint(celsius * 100).astype(np.int16)
    counts = preprocess(tiff(hundredths), size=SHAPE, channels=1, mean=0, standard_deviation=1,
                        value_range=(-2000, 6000))[0]  # fmt: skip
    np.testing.assert_allclose(counts, seen, atol=1e-4)


def test_without_a_value_range_temperatures_are_refused_with_the_way_out():
    celsius = values(np.float32) * 0 + np.float32(21.5)
    celsius[0, 0] = -3.25
    with pytest.raises(ValueError) as error:
        preprocess(tiff(celsius))
    assert str(error.value) == (
        "preprocess: expected floats in [0, 1], got -3.25 to 21.5; say which values become black "
        "and white by value_range, such as (-4, 22)"
    )
    celsius[3, 4] = np.nan
    with pytest.raises(
        ValueError, match=r"expected finite values, got NaN or infinity in 1 of 1665"
    ):
        preprocess(tiff(celsius), value_range=(-10, 30))
    assert np.isnan(read_image(tiff(celsius))[3, 4])
