"""Counts in a table."""


def count(lab, step):
    return step  # and add it to the item `total` of the table
