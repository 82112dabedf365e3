import logging
import subprocess
import sys

import secondlook._shared.progress as progress


def test_programs_without_a_terminal_log_every_few_seconds(caplog, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    caplog.set_level(logging.INFO, logger="secondlook")
    with progress.ProgressBar("Training") as bar:
        for step in range(25):
            clock[0] = float(step)
            bar(step, 25, "loss 0.3")
    assert [record.message for record in caplog.records] == [
        "Training: 10 of 25, loss 0.3",
        "Training: 20 of 25, loss 0.3",
    ]


def test_a_first_fit_in_a_notebook_prints_no_warning():
    # ipykernel is what makes a notebook; ipywidgets is not installed here.
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "import sys, types; sys.modules['ipykernel'] = types.ModuleType('ipykernel')\n"
        "import numpy as np, secondlook as sl\n"
        "sl.IsolationForest(10, random_state=0).fit(np.random.default_rng(0).normal(size=(99, 2)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
