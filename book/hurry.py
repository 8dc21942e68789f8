"""Run Jupyter Book without what costs seconds and gives its pages nothing.

usage: python book/hurry.py build ...
"""

import gc
import sys

gc.disable()  # a build is over before its garbage fills a laptop
sys.modules["rfc3987_syntax"] = None  # it checks addresses for jsonschema, which goes without

from jupyter_book.cli.main import main  # noqa: E402

try:
    main()
finally:
    gc.freeze()  # nothing is tidied away object by object before the end
