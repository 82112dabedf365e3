"""Check what is inside a wheel: `python tools/check_wheel.py dist/secondlook-*.whl`.

Its size, that every shared library it needs is in it or is torch's or the system's C library, that
those in it are found from where they lie, and that no debug information or source came along.
"""

import os
import sys
import zipfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

LARGEST_MB = 40
# libc's family and the compiler's run time, which every manylinux system has.
SYSTEM = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1"} | {
    "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1", "libstdc++.so.6", "libgcc_s.so.1"
}  # fmt: skip
TORCH = {"libtorch_cpu.so", "libc10.so"}
EXPECTED = {"_core", "_image", "libsecondlook_core", "libsecondlook_image"}


def dynamic(file: Path) -> tuple[list[str], list[str]]:
    """Names of the libraries that a shared library needs, and the folders it seeks them in."""
    needed: list[str] = []
    folders: list[str] = []
    with file.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            if not isinstance(section, DynamicSection):
                continue
            for tag in section.iter_tags():
                if tag.entry.d_tag == "DT_NEEDED":
                    needed.append(tag.needed)
                elif tag.entry.d_tag in ("DT_RPATH", "DT_RUNPATH"):
                    folders += (tag.rpath if tag.entry.d_tag == "DT_RPATH" else tag.runpath).split(
                        ":"
                    )
    return needed, folders


def problems(wheel: Path) -> list[str]:
    """Everything that is wrong with the wheel, in words."""
    found: list[str] = []
    megabytes = wheel.stat().st_size / 1e6
    print(f"{wheel.name}: {megabytes:.1f} MB")
    if megabytes > LARGEST_MB:
        found.append(f"{megabytes:.1f} MB is more than {LARGEST_MB} MB")
    with TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        root = Path(folder)
        archive.extractall(root)
        names = [PurePosixPath(name) for name in archive.namelist()]
        libraries = [root / name for name in names if ".so" in name.suffixes]
        stems = {library.name.split(".")[0] for library in libraries}
        found += [f"{name} is missing" for name in sorted(EXPECTED - stems)]
        found += [
            f"{name} does not belong in it" for name in names if name.suffix in (".cpp", ".hpp")
        ]
        for library in libraries:
            needed, folders = dynamic(library)
            print(f"  {library.relative_to(root)}: {' '.join(needed)}  [{':'.join(folders)}]")
            for name in needed:
                if name in SYSTEM:
                    continue
                if name in TORCH:
                    # torch lies beside secondlook where both are installed.
                    if not any(Path(os.path.normpath(f.replace("$ORIGIN", str(library.parent))))
                               == root / "torch" / "lib" for f in folders):  # fmt: skip
                        found.append(f"{library.name} does not seek {name} in torch/lib")
                elif not any(
                    (Path(f.replace("$ORIGIN", str(library.parent))) / name).exists()
                    for f in folders
                ):
                    found.append(f"{library.name} needs {name}, which the wheel does not hold")
            found += [f"{library.name} seeks libraries in {f}" for f in folders
                      if not f.startswith("$ORIGIN")]  # fmt: skip
    return found


def main() -> int:
    """Check the wheels named on the command line."""
    found = [problem for wheel in sys.argv[1:] for problem in problems(Path(wheel))]
    for problem in found:
        print(f"check_wheel: {problem}", file=sys.stderr)
    return 1 if found or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
