import sys

from telemetry_admin.cli import main

sys.exit(main(sys.argv[1:]))
