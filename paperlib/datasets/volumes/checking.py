"""Is a set of volumes the one on record?"""

from paperlib.datasets.volumes.digests import combined, volume_digest
from paperlib.datasets.volumes.registry import volume_registry
from paperlib.datasets.volumes.types import VolumeError, VolumeSet

_DIGITS = 8


def verify_volumes(volumes: VolumeSet) -> list[str]:
    """Read every volume; a sentence for each that cannot be read or is not the one on record, so none if all is well.

    Loading a set looks at its list of files only, and reading a volume checks that its files are whole, fit each other
    and hold numbers. This function, which ``paperlib data --check`` and ``paperlib data fetch`` call, compares the
    voxels with the registry's SHA-256 too, where the set is registered with one and ``volumes`` is all of it. The
    SHA-256 of what a result was measured on stands in its provenance.
    """
    entry = volume_registry().get(volumes.name)
    recorded = entry is not None and entry.sha256 != "" and volumes.selection == "all"
    problems, digests = [], []
    for name in volumes.names:
        try:
            digests.append(volume_digest(volumes.read(name)))
        except VolumeError as error:
            problems.append(str(error))
            digests.append("")
    if not recorded or combined(volumes.names, digests) == entry.sha256:
        return problems
    expected = entry.digits.split()
    if len(expected) != len(digests):
        return [*problems, f"{volumes.name} has {len(digests)} volumes, expected {len(expected)}; get a whole copy"]
    differing = [
        f"{name} of {volumes.name} does not hold the voxels on record: its SHA-256 begins with {found[:_DIGITS]}, "
        f"expected {digits}; replace its image and its mask by those of {entry.home}"
        for name, found, digits in zip(volumes.names, digests, expected, strict=True)
        if found and found[:_DIGITS] != digits
    ]
    if not problems and not differing:
        differing = [f"{volumes.name} has other names than on record, from {volumes.names[0]} on; get a whole copy"]
    return problems + differing
