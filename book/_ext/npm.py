"""What the pages take from npm: pinned here, checked against npm's own hashes, kept beside the build. Needs no Node.

usage: python book/_ext/npm.py NAME [NAME ...]
"""

import base64
import sys
from pathlib import Path

import pooch

from bloodcell_utils.datasets.archives import DAMAGED
from bloodcell_utils.errors import BloodcellError

FOLDER = Path(__file__).parents[1] / "_build" / "npm"
REGISTRY = "https://registry.npmjs.org"
PACKAGES = {  # name: version, npm's "integrity" (`npm view NAME dist.integrity`), the files that are wanted
    "axe-core": (
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        ("axe.min.js", "LICENSE"),
    ),
    "onnxruntime-web": (
        "1.30.0",
        "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
        ("dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"),
    ),
}


def fetch(name, folder=FOLDER):
    """Files of a package, downloaded the first time.

    Parameters
    ----------
    name : str
        One of `PACKAGES`.
    folder : path-like
        Keeps the archive and what is taken from it.

    Returns
    -------
    dict of str to pathlib.Path
        The files that `PACKAGES` names, by their path inside the package.

    Raises
    ------
    BloodcellError
        If it is not here and cannot be downloaded, or is not what was pinned.
    """
    version, integrity, wanted = PACKAGES[name]
    algorithm, _, digest = integrity.partition("-")
    members = [f"package/{path}" for path in wanted]
    archive = f"{name}-{version}.tgz"
    try:
        pooch.retrieve(
            f"{REGISTRY}/{name}/-/{archive}",
            known_hash=f"{algorithm}:{base64.b64decode(digest).hex()}",
            fname=archive,
            path=folder,
            processor=pooch.Untar(members=members, extract_dir=f"{name}-{version}"),
        )
        places = {path: Path(folder) / f"{name}-{version}" / "package" / path for path in wanted}
        missing = [path for path, place in places.items() if not place.is_file()]
        if missing:
            raise OSError(f"it lacks {', '.join(missing)}")
    except DAMAGED as err:  # requests' errors are OSErrors, pooch's are ValueErrors
        raise BloodcellError(
            f"{name} {version} could not be fetched from {REGISTRY} ({err}). Build again when there is a network; "
            f"what lies in {folder} is kept."
        ) from err
    return places


if __name__ == "__main__":
    try:
        for wanted in sys.argv[1:]:
            fetch(wanted)
    except BloodcellError as err:
        sys.exit(str(err))
