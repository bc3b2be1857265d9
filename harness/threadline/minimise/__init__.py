"""A failing trace made as small as it gets."""
