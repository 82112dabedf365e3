"""From scores to decisions: higher is more abnormal, at or above a cut-off is abnormal."""
