"""Execute the notebooks again when anything that they read has changed, not only their own text.

Jupyter's cache compares the cells of a notebook. What the cells call and show (the helper package, the course, the
recorded results, the locked requirements, the profile, how figures are drawn) is hashed here: each hash has a cache of
its own, and a page that was built with another hash is built again. Caches of one profile's older hashes are removed.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ = ("bloodcell_utils/**/*", "book/_kernel/**/*", "book/results/*", "course.yml", "requirements.lock")
# Makers of pages: the notebooks are not executed for them.
MAKERS = ("book/_ext/*.py", "book/lab/*.html", "book/lab/*.py", "book/_templates/*")


def fingerprint(root=ROOT, patterns=READ):
    """A short hash of every file that a notebook may read, and of the version of Python."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in sorted(path for pattern in patterns for path in root.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(root).as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cache_folder(build, profile):
    """Where the outputs of the notebooks are kept that were computed from the files as they are now."""
    return Path(build) / ".jupyter_cache" / f"{profile}-{fingerprint()}"


def choose_cache(app, config):
    """Point the notebooks' cache at the folder of the current fingerprint."""
    profile = os.environ.get("BLOODCELL_PROFILE") or "sample"
    if profile != "sample":
        config.nb_execution_timeout = -1  # seventeen thousand images take as long as the machine needs
    folder = cache_folder(Path(app.outdir).parent, profile)
    config.nb_execution_cache_path, config.bloodcell_inputs = str(folder), folder.name
    config.bloodcell_makers = fingerprint(patterns=MAKERS)
    for old in folder.parent.glob(f"{profile}-*"):
        if old.name != config.bloodcell_inputs:
            shutil.rmtree(old)


def setup(app):
    app.add_config_value("bloodcell_inputs", "", "env")
    app.add_config_value("bloodcell_makers", "", "env")
    app.connect("config-inited", choose_cache)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
