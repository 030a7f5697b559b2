"""The command line of a checkout: python cli.py --help"""

from planner.__main__ import main

if __name__ == "__main__":
    main()
