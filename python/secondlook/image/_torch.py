"""Torch before ``secondlook._image``: its libraries must be in the process first."""

from secondlook import _core


def require_torch() -> None:
    """Import torch and check that it is of the minor version that ``_image`` is compiled against.

    Raises
    ------
    ImportError
        If secondlook was built without image support, or torch is missing or of another version.
    """
    if not _core.torch_version:
        raise ImportError(
            "secondlook.image: secondlook was built without image support; build it with "
            "SECONDLOOK_IMAGE=ON (docs/development.md)"
        )
    wanted = _core.torch_version.rpartition(".")[0]
    advice = "pip install 'secondlook[image]'"
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(
            f"secondlook.image needs torch {wanted}.*, which is not installed: {advice}"
        ) from error
    found = str(torch.__version__)
    if found.split("+")[0].split(".")[:2] != wanted.split("."):
        raise ImportError(f"secondlook.image needs torch {wanted}.*, found {found}: {advice}")
