"""The command line."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

import click

from equiv.cli.commands import cli
from equiv.cli.delivery import INTERRUPTED
from equiv.lookup import Unknown

BROKEN_PIPE, INTERNAL_ERROR, USAGE = 141, 3, 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; every mistake of the user is one line and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = cli.main(args=arguments and list(arguments), prog_name="equiv", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it ends
        code = BROKEN_PIPE
    except SystemExit:  # what click and rich make of a broken pipe, and of nothing else
        code = BROKEN_PIPE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = USAGE
    except (click.ClickException, Unknown) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"equiv: {' '.join(message.split())}", err=True)
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception:  # noqa: BLE001 - a bug of ours must not look like a refutation
        traceback.print_exc()
        code = INTERNAL_ERROR
    sys.exit(code or 0)
