"""Rows of a few ratings, written short."""


def rows_of(units):
    """Columns item, rater, label of items written as strings of labels."""
    cells = [(i, r, x) for i, unit in units.items() for r, x in enumerate(unit)]
    return tuple(list(column) for column in zip(*cells, strict=True))
