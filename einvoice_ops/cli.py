"""The command line itself: parsing, and turning every error into one sentence and an exit status.

0 done · 1 refused, nothing was changed · 2 wrong usage · 3 AWS did not answer; look before repeating a change.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from einvoice.errors import EinvoiceError, InvalidRequest, MerchantUnusable, StoreUnavailable
from einvoice.records import ChangedMeanwhileError
from einvoice_ops import credentials, dead_letters, filings, keys, merchants, orders
from einvoice_ops.desk import Desk


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    args = parser().parse_args(argv)
    try:
        args.run(args, Desk(args))
        sys.stdout.flush()
    except InvalidRequest as error:
        return _failed(1, "; ".join(f"{v.code} {v.path}: {v.message}" for v in error.violations))
    except ChangedMeanwhileError:
        return _failed(1, "not written: it exists already, or somebody changed it meanwhile; look again and repeat")
    except MerchantUnusable as error:
        return _failed(3 if error.cause == "KMS_UNAVAILABLE" else 1, f"merchant cannot be used: {error.cause}")
    except StoreUnavailable as error:
        return _failed(3, f"the table could not be asked: {error}")
    except EinvoiceError as error:
        return _failed(1, str(error))
    except (ClientError, BotoCoreError) as error:
        return _failed(3, f"AWS: {error}")
    except BrokenPipeError:  # `… | head` has read enough; what is left must not fail once more when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def parser() -> argparse.ArgumentParser:
    """The whole grammar; each module adds its own commands."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--table", help="the table's name (default: TABLE_NAME)")
    common.add_argument("--actor", help="who is asking, for the audit entries (default: the AWS caller)")
    root = argparse.ArgumentParser(prog="einvoice_ops", description="Operator's command of the e-invoice service.")
    subjects = root.add_subparsers(required=True, metavar="SUBJECT")
    for module in (merchants, credentials, keys, orders, filings, dead_letters):
        module.add_commands(subjects, common)
    return root


def _failed(status: int, sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)
    return status
