from functions_host.cli import main

raise SystemExit(main())
