"""Print the requirements of some dependency groups of pyproject.toml, one a line.

`python tools/requirements.py build test torch`: what secondlook needs to run comes always; `torch`
is the exact version that image support is compiled against.
"""

import sys
import tomllib
from pathlib import Path

document = tomllib.loads(Path(__file__).parent.with_name("pyproject.toml").read_text())
torch = [line for line in document["build-system"]["requires"] if line.startswith("torch")]
groups = {**document["dependency-groups"], "torch": torch}
lines = [*document["project"]["dependencies"]]
for name in sys.argv[1:]:
    lines += groups[name]
print("\n".join(lines))
