"""The command line, `greenroom`."""

from service.command_line.main import main

if __name__ == "__main__":
    main()
