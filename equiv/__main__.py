"""``python -m equiv``."""

from equiv.cli import main

if __name__ == "__main__":
    main()
