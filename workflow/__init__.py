"""The workflow: Snakefiles, what starts them, and the rehearsal."""
