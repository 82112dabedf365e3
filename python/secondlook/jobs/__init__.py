"""Whole jobs as functions: what the command ``secondlook`` does, for use from Python.

Each function returns an object with the result; ``to_dict()`` gives it as plain values for JSON.
"""

from typing import TYPE_CHECKING

from secondlook._shared.first_use import names_on_first_use

if TYPE_CHECKING:
    from secondlook.jobs.chest_xray import XrayOptions as XrayOptions
    from secondlook.jobs.chest_xray import XrayResult as XrayResult
    from secondlook.jobs.chest_xray import train_chest_xray as train_chest_xray
    from secondlook.jobs.fleet_monitor import FleetResult as FleetResult
    from secondlook.jobs.fleet_monitor import monitor_fleet as monitor_fleet
    from secondlook.jobs.fleet_monitor import monitor_simulated_fleet as monitor_simulated_fleet
    from secondlook.jobs.folder_decisions import decide_folder as decide_folder
    from secondlook.jobs.folder_training import TrainOptions as TrainOptions
    from secondlook.jobs.folder_training import train_folder as train_folder
    from secondlook.jobs.infrared_modules import ModuleOptions as ModuleOptions
    from secondlook.jobs.infrared_modules import ModuleResult as ModuleResult
    from secondlook.jobs.infrared_modules import train_modules as train_modules
    from secondlook.jobs.lung_field import LungField as LungField
    from secondlook.jobs.lung_field import find_lungs as find_lungs
    from secondlook.jobs.model_summary import ModelSummary as ModelSummary
    from secondlook.jobs.model_summary import inspect_model as inspect_model
    from secondlook.jobs.site_check import SiteCheck as SiteCheck
    from secondlook.jobs.site_check import check_simulated_site as check_simulated_site
    from secondlook.jobs.site_check import check_site as check_site
    from secondlook.jobs.table_scores import TableScores as TableScores
    from secondlook.jobs.table_scores import score_table as score_table
    from secondlook.jobs.trained_folder import TrainedFolder as TrainedFolder

# The module of each public name, imported on first use: one job needs pandas, others torch.
_HOME = {
    "FleetResult": "fleet_monitor",
    "LungField": "lung_field",
    "ModelSummary": "model_summary",
    "ModuleOptions": "infrared_modules",
    "ModuleResult": "infrared_modules",
    "SiteCheck": "site_check",
    "TableScores": "table_scores",
    "TrainOptions": "folder_training",
    "TrainedFolder": "trained_folder",
    "XrayOptions": "chest_xray",
    "XrayResult": "chest_xray",
    "check_simulated_site": "site_check",
    "check_site": "site_check",
    "decide_folder": "folder_decisions",
    "find_lungs": "lung_field",
    "inspect_model": "model_summary",
    "monitor_fleet": "fleet_monitor",
    "monitor_simulated_fleet": "fleet_monitor",
    "score_table": "table_scores",
    "train_chest_xray": "chest_xray",
    "train_folder": "folder_training",
    "train_modules": "infrared_modules",
}

__all__ = list(_HOME)


__getattr__ = names_on_first_use(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
