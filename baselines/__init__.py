"""Published numbers with their sources, and rival methods in the same harness."""
