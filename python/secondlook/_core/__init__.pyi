from . import decide as decide
from . import detect as detect
from . import learn as learn
from . import series as series
from . import store as store

__version__: str
pybind11_internals_version: int
torch_version: str
