"""The data sets that `sid data` makes, one file each.

A data set is a command, a function with Typer's options that writes a zip by `sid.data.zips`, and
an entry of the group `sid.data` in pyproject.toml, here or in a package of your own.
"""
