"""Prints the source hash of every seam, for the table in engine/seams.py after MiniStack's pin has moved."""

from cloudkata.engine.seams import SEAMS, _source_hash

for seam in SEAMS.values():
    print(seam.name, _source_hash(seam.value()))
