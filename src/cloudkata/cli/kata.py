"""The console script. Ctrl-C is never a traceback, not even while the commands are imported."""

import os


def main() -> None:
    try:
        from cloudkata.cli import main as commands

        commands.main()
    except KeyboardInterrupt:
        os.write(2, b"kata: stopped\n")
        os._exit(130)


if __name__ == "__main__":
    main()
