from pathlib import Path

import pytest


@pytest.fixture
def run_notebook(checkout, tmp_path):
    """Return a function that runs a notebook in an empty folder: it returns folder and outputs."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")

    def run(name: str) -> tuple[Path, list[dict]]:
        notebook = nbformat.read(checkout / "examples" / name, as_version=4)
        nbclient.NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            resources={"metadata": {"path": tmp_path}},
        ).execute()
        outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
        return tmp_path, [out.get("data", {}) for out in outputs]

    return run
