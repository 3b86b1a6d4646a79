"""`python -m seawall.runtime.load OUT`: the plan of the packaged rules, from which a node starts."""

import sys

from seawall.runtime.load import main

sys.exit(main(sys.argv[1:]))
