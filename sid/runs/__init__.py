"""A run (recipe x seed) as a folder, and the one loop that trains teachers and generators."""
