"""Learning on: guarded updates, and what tells drift."""
