"""Start the command line: ``python -m stylemask_demo COMMAND ...``."""

import sys

from stylemask_demo.cli import main

sys.exit(main())
