"""`python -m layerkit run script.py`: a script for Keras, unchanged, on layerkit."""

from __future__ import annotations

import argparse

from layerkit.running import run


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m layerkit", description="layerkit's commands")
    commands = parser.add_subparsers(dest="command", required=True)
    script = commands.add_parser(
        "run", help="run a script for Keras: `import keras` and `tensorflow.keras` give layerkit"
    )
    script.add_argument("script", help="the path of the script")
    script.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own arguments")
    given = parser.parse_args()
    run([given.script, *given.arguments])


if __name__ == "__main__":
    main()
