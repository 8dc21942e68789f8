"""``python -m bloodcell_utils`` is the command ``bloodcell``."""

import sys

from .cli import main

sys.exit(main())
