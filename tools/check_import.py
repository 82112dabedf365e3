"""Check that `import secondlook` is quick and light, and what secondlook.image says of torch."""

import importlib.util
import subprocess
import sys
import time

LONGEST_S = 0.25
TRIES = 7
LIGHT = """
import sys, secondlook
secondlook.__version__
heavy = sorted({"torch", "sklearn", "pandas", "matplotlib", "scipy"} & set(sys.modules))
sys.exit(f"import secondlook loads {heavy}" if heavy else 0)
"""


def seconds(code: str) -> float:
    """Time that a new Python takes for the code; the best of several, as others use the machine."""
    best = float("inf")
    for _ in range(TRIES):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        best = min(best, time.perf_counter() - begin)
    return best


def main() -> None:
    """Check, or exit with what is wrong."""
    print("secondlook is", importlib.util.find_spec("secondlook").origin)  # type: ignore[union-attr]
    subprocess.run([sys.executable, "-c", LIGHT], check=True)
    took = seconds("import secondlook") - seconds("pass")
    print(f"import secondlook: {took:.3f} s")
    if took > LONGEST_S:
        sys.exit(f"expected at most {LONGEST_S} s")
    image = subprocess.run(
        [sys.executable, "-c", "import secondlook.image"], capture_output=True, text=True
    )
    last = (image.stderr.strip().splitlines() or ["it works"])[-1]
    print(f"import secondlook.image: {last}")
    if importlib.util.find_spec("torch") is not None:
        sys.exit(image.returncode)
    if not (last.startswith("ImportError: secondlook.image needs torch") and "pip install" in last):
        sys.exit("expected a clear error")


if __name__ == "__main__":
    main()
