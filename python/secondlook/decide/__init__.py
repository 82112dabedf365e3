"""From scores to decisions: higher is more abnormal, at or above a threshold is abnormal."""
