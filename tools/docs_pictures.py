"""Runs the code of documentation pages in docs/, which writes their pictures into docs/images/.

python tools/docs_pictures.py docs/plots.md docs/reports.md
"""

import os
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
pages = [Path(name).resolve() for name in sys.argv[1:]]
for page in pages:
    os.chdir(page.parent)
    namespace = {"__name__": "__main__"}
    for code in re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S):
        exec(compile(code, str(page), "exec"), namespace)
    print(f"{page.name}: {len(re.findall('savefig', page.read_text('utf-8')))} pictures")
