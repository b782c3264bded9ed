"""The command line: typer, exit codes, and nothing else."""
