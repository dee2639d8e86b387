"""Run the operator's command."""

import sys

from einvoice_ops.cli import main

sys.exit(main())
