"""Run Jupyter Book without garbage collection and slow imports that its pages do not need.

usage: python book/tools/fast_build.py build ...
"""

import gc
import sys

gc.disable()  # a build ends before uncollected objects fill the memory of a laptop
sys.modules["rfc3987_syntax"] = None  # slow to import; jsonschema checks addresses with it, and works without

from jupyter_book.cli.main import main  # noqa: E402

try:
    main()
finally:
    gc.freeze()  # no time for collecting object by object at the end
