"""Addresses at which a notebook opens in a browser with a kernel, where the project's own address is known."""

from urllib.parse import quote, urlsplit

from paperlib import paths
from paperlib.engine.catalogue import Notebook
from paperlib.engine.errors import UsageError

_BINDER = "https://mybinder.org/v2"
_COLAB = "https://colab.research.google.com/github"
# Binder's name for each host of repositories.
_BINDER_HOSTS = {"github.com": "gh", "gitlab.com": "gl"}


def launch_addresses(notebook: Notebook, repository: str, branch: str) -> dict[str, str]:
    """The address by service; empty where no ``repository`` is set, and Colab's only for one at GitHub.

    Raises ``UsageError`` for an address that is none of a repository at a known host.
    """
    if not repository:
        return {}
    parts = urlsplit(repository)
    owner, _, name = parts.path.strip("/").removesuffix(".git").rpartition("/")
    if parts.netloc not in _BINDER_HOSTS or not owner or not name:
        known = " or ".join(f"https://{host}/OWNER/NAME" for host in _BINDER_HOSTS)
        raise UsageError(f"repository.url in _config.yml is {repository!r}; expected {known}, or an empty text")
    file = quote(notebook.path.relative_to(paths.ROOT).as_posix())
    host = _BINDER_HOSTS[parts.netloc]
    place = quote(f"{owner}/{name}", safe="/" if host == "gh" else "")
    addresses = {"Binder": f"{_BINDER}/{host}/{place}/{branch}?urlpath=lab/tree/{file}"}
    if host == "gh":
        addresses["Colab"] = f"{_COLAB}/{owner}/{name}/blob/{branch}/{file}"
    return addresses


def launch_line(notebook: Notebook, repository: str, branch: str) -> str:
    """The addresses as buttons in the Markdown of the book, empty where there are none.

    Colab has no environment of its own for a project, so its button comes with the cell that makes one.
    """
    addresses = launch_addresses(notebook, repository, branch)
    buttons = " ".join(
        f"{{bdg-link-primary-line}}`open in {service} <{address}>`" for service, address in addresses.items()
    )
    if "Colab" not in addresses:
        return buttons
    folder = urlsplit(repository).path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    setup = f"!git clone --branch {branch} --depth 1 {repository}\n%cd {folder}\n%pip install --quiet --editable ."
    return (
        f"{buttons}\n\n:::{{dropdown}} On Colab, run this first\n```text\n{setup}\n```\n"
        "Without SLEPc, which Colab would have to compile, the project's own solvers take its place.\n:::"
    )
