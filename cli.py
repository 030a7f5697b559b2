"""The entry point of a checkout: python cli.py --help"""

from planner.cli import app

if __name__ == "__main__":
    app(prog_name="planner")
