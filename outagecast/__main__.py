"""`python -m outagecast`."""

from outagecast.cli.main import run

run()
