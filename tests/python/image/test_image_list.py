import os
import shutil

import numpy as np
import pytest

pytest.importorskip("torch", reason="image support needs torch")

from secondlook.image import list_images, read_image

Image = pytest.importorskip("PIL.Image", reason="Pillow writes the files to read")

PICTURE = np.add.outer(np.arange(24), np.arange(40)).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A folder of an image "a.png" and a text."""
    root = tmp_path / "images"
    root.mkdir()
    Image.fromarray(PICTURE).save(root / "a.png")
    (root / "notes.txt").write_text("BM is how a bitmap begins, and this text")
    return root


def names(folder):
    return [file.relative_to(folder).as_posix() for file in list_images(folder)]


def copies(folder, *paths):
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "a.png", folder / path)


def test_images_are_recognised_by_content_whatever_their_name(folder):
    for name in ("b.jfif", "c.JPE", "d", "e.JPG", "f.17", "g.img"):
        Image.fromarray(PICTURE).save(folder / name, "JPEG")
    copies(folder, "h.dcm", "i.jpg")  # PNGs
    assert names(folder) == [
        *("a.png", "b.jfif", "c.JPE", "d", "e.JPG", "f.17", "g.img", "h.dcm", "i.jpg")
    ]
    for file in list_images(folder):
        np.testing.assert_allclose(read_image(file).astype(int), PICTURE, atol=3)


def test_files_of_operating_systems_are_left_out(folder):
    fork = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(100)  # AppleDouble
    for name in (
        "._a.png",
        "__MACOSX/._a.png",
        "__MACOSX/b.png",
        "@eaDir/a.png/SYNOPHOTO_THUMB.jpg",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(fork)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1" + bytes(60))
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(60))
    copies(folder, ".ipynb_checkpoints/a-checkpoint.png", ".hidden.png", "a.png~", "a.png.bak")
    (folder / "series.png").mkdir()
    copies(folder, "series.png/b.png")
    (folder / "empty.tif").mkdir()
    assert names(folder) == ["a.png", "series.png/b.png"]


def test_a_hidden_folder_is_read_if_it_is_named(folder):
    copies(folder, ".cache/b.png")
    assert [file.name for file in list_images(folder / ".cache")] == ["b.png"]


def test_files_that_only_claim_to_be_images_are_listed_for_their_error(folder):
    (folder / "page.png").write_text("<html>404</html>")
    assert names(folder) == ["a.png", "page.png"]
    with pytest.raises(ValueError, match=r"page\.png: expected a JPEG, PNG, TIFF or BMP"):
        read_image(folder / "page.png")


def test_linked_folders_are_followed_once(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copy(folder / "a.png", outside / "hot.png")
    (outside / "back").symlink_to(folder, target_is_directory=True)
    (folder / "0_linked").symlink_to(outside, target_is_directory=True)
    (folder / "again").symlink_to(outside, target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    copies(folder, "cold/c.png")
    (folder / "0_cold").symlink_to(folder / "cold", target_is_directory=True)
    assert names(folder) == ["0_linked/hot.png", "a.png", "cold/c.png"]


def test_linked_files_count_once_by_their_own_name(folder, tmp_path):
    shutil.copy(folder / "a.png", tmp_path / "elsewhere.png")
    (folder / "0.png").symlink_to("a.png")
    (folder / "b.png").symlink_to(tmp_path / "elsewhere.png")
    (folder / "c.png").symlink_to(tmp_path / "elsewhere.png")
    (folder / "lost.png").symlink_to(tmp_path / "nowhere.png")
    assert names(folder) == ["a.png", "b.png", "lost.png"]
    with pytest.raises(OSError, match=r"lost\.png"):
        read_image(folder / "lost.png")


def test_pipes_are_not_waited_for(folder):
    os.mkfifo(folder / "pipe")
    os.mkfifo(folder / "pipe.png")
    assert names(folder) == ["a.png"]


def test_folders_without_images_are_errors(tmp_path):
    with pytest.raises(ValueError, match="list_images: expected image files in .*, got none"):
        list_images(tmp_path)
    with pytest.raises(ValueError, match="list_images: expected a folder, got "):
        list_images(tmp_path / "missing")
