"""The embedded AWS: MiniStack in a process of its own, behind a front door, plus the behaviours it lacks."""

MINISTACK_VERSION = "1.5.33"
REGION = "us-east-1"
