"""The environment's lists agree, its builder does what it says, and make and Snakemake offer what they should."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from paperlib.engine.catalogue import read_catalogue
from paperlib.paths import ROOT

# Names that differ on conda's channels, as conda: pip.
CONDA_NAMES = {"pytorch": "torch", "snakemake-minimal": "snakemake", "playwright-python": "playwright"}
# What conda has to be told and pip has already.
CONDA_ONLY = {"python", "pip", "setuptools"}
# Left out of the lock, so that a CPU-only build of torch is accepted.
UNPINNED = {"torch"}
# Asked for by a single notebook in profile paper, which says how to install it, or by a benchmark.
NOT_IN_CONDA = {"pytorchcv", "primme", "cola-ml"}
# What the modules of those are called that need not be installed here.
OPTIONAL = {"primme": "primme", "cola": "cola-ml"}


def requirements() -> dict[str, Requirement]:
    """Every direct dependency of pyproject.toml, the extras included, by canonical name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]


def conda_packages() -> set[str]:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    conda = [entry.split()[0] for entry in listed if isinstance(entry, str)]
    pip = [Requirement(line).name for entry in listed if isinstance(entry, dict) for line in entry["pip"]]
    return {canonicalize_name(CONDA_NAMES.get(name, name)) for name in conda + pip} - CONDA_ONLY


def run(command, cwd=ROOT, **variables):
    """A finished command, its errors in its output, free of the variables of the make that runs these tests."""
    dropped = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "PIP_ARGS", "SLEPC", "ENVIRONMENT"}
    environment = {name: value for name, value in os.environ.items() if name not in dropped} | variables
    return subprocess.run(
        command, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300
    )


def test_conda_and_pip_have_the_same_packages():
    assert conda_packages() == set(requirements()) - NOT_IN_CONDA


@pytest.mark.parametrize("name", sorted(set(requirements()) - UNPINNED))
def test_every_dependency_is_pinned_to_a_version_that_it_allows(name):
    found = [pin for pin in pins() if canonicalize_name(pin.name) == name]
    assert found, f"{name} is missing in constraints.txt; make lock"
    for pin in found:
        (specifier,) = pin.specifier
        assert specifier.operator == "=="
        assert requirements()[name].specifier.contains(specifier.version, prereleases=True)


def test_the_lock_names_no_host_no_path_and_no_gpu_package():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|@ |index-url|find-links|file:|^-|/", text, re.MULTILINE)
    names = {canonicalize_name(pin.name) for pin in pins()}
    assert not {name for name in names if re.match(r"nvidia|cuda|triton", name)} | (names & UNPINNED)


def test_what_the_code_imports_is_declared():
    sources = [path for folder in ("paperlib", "tests", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    imported = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    own = {"paperlib", "tests", "benchmarks"} | {path.stem for path in sources} | {path.parent.name for path in sources}
    distributions = importlib.metadata.packages_distributions()
    declared = set(requirements())
    undeclared = {
        module
        for module in imported - set(sys.stdlib_module_names) - own
        if not {canonicalize_name(name) for name in distributions.get(module, [OPTIONAL.get(module, "")])} & declared
    }
    assert not undeclared, f"imported, but not in pyproject.toml: {sorted(undeclared)}"


def test_make_help_lists_every_target_and_variable():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {name for line in re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE) for name in line.split()}
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    shown = run(["make", "help"])
    assert shown.returncode == 0
    words = set(re.findall(r"^  (\w+) ", shown.stdout, re.MULTILINE))
    assert {"book", "test"} <= targets
    assert words == targets | variables


def test_the_workflow_plans_exactly_the_catalogue(tmp_path):
    command = [sys.executable, "-m", "snakemake", "book", "--dry-run", "--forceall", "--cores", "1", "--nolock"]
    plan = run(command, XDG_CACHE_HOME=str(tmp_path))
    assert plan.returncode == 0, plan.stdout
    planned = re.findall(r"^Job \d+: (\S+) \(profile quick", plan.stdout, re.MULTILINE)
    assert sorted(planned) == sorted(read_catalogue())
    assert len(re.findall(r"^Job \d+: the book$", plan.stdout, re.MULTILINE)) == 1


FAKE_PYTHON = """#!/bin/bash
# Makes no environment, but writes down what pip would have been asked for.
case "$*" in
    --version) echo "Python 3.11.0" ;;
    *realpath*) echo "$0" ;;
    "-m venv "*) mkdir -p "${@: -1}/bin"; cp "$0" "${@: -1}/bin/python" ;;
    "-m pip "*) echo "$*" >>pip.log; [[ "$*" != *"${FAILS:-nothing}"* ]] || { echo "no compiler today"; exit 1; } ;;
    *version_info*) exec "$REAL_PYTHON" "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path):
    """A copy of the builder with its lists, a stand-in for Python, and a folder of commands that comes first."""
    for name in ("pyproject.toml", "constraints.txt", "environment.yml", "tools"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    place = tmp_path / "commands"
    place.mkdir()
    for name, text in {"python": FAKE_PYTHON, "gcc": "#!/bin/sh\n", "make": "#!/bin/sh\n"}.items():
        write_command(place / name, text)
    return tmp_path


def write_command(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def build(project, folder=".venv", **variables):
    commands = str(project / "commands")
    usual = {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "REAL_PYTHON": sys.executable}
    return run(["tools/environment", folder], project, **{**usual, "PYTHON": f"{commands}/python", **variables})


def pip_calls(project) -> list[str]:
    log = project / "pip.log"
    return log.read_text(encoding="utf-8").splitlines() if log.exists() else []


def test_the_environment_is_made_once_and_again_for_a_new_list(project):
    assert build(project, SLEPC="0").returncode == 0
    assert len(pip_calls(project)) == 1
    again = build(project, SLEPC="0")
    assert (again.returncode, again.stdout, len(pip_calls(project))) == (0, "", 1)
    (project / "constraints.txt").open("a").write("# changed\n")
    assert build(project, SLEPC="0").returncode == 0
    assert len(pip_calls(project)) == 2


def test_slepc_is_added_later_in_the_order_of_its_parts(project):
    build(project, SLEPC="0")
    assert not [call for call in pip_calls(project) if "petsc" in call]
    assert build(project).returncode == 0
    wheels = [call.split()[-1] for call in pip_calls(project) if call.startswith("-m pip wheel")]
    assert [wheel.partition("==")[0] for wheel in wheels] == ["petsc", "slepc", "petsc4py", "slepc4py"]
    calls = len(pip_calls(project))
    assert build(project, SLEPC="0").returncode == build(project).returncode == 0
    assert len(pip_calls(project)) == calls


def test_a_failed_compilation_names_its_log_and_is_tried_again(project):
    failed = build(project, FAILS="petsc4py")
    assert failed.returncode != 0
    assert "no compiler today" in failed.stdout
    assert str(project / "build/logs/slepc.log") in failed.stdout
    assert "SLEPC=0" in failed.stdout
    assert build(project).returncode == 0


def test_missing_debian_packages_are_named_to_who_is_not_root(project):
    write_command(project / "commands/id", "#!/bin/sh\necho 1000\n")
    write_command(project / "commands/gcc", "#!/bin/sh\nexit 1\n")
    refused = build(project)
    assert refused.returncode != 0
    assert re.search(r"^ +sudo apt-get install .*gcc .*libopenblas-dev", refused.stdout, re.MULTILINE)
    assert not pip_calls(project)


def look_for_a_browser(project, *commands: str):
    """What `tools/browser` says where these commands are all that there is, beside what it is written with."""
    for name in ("bash", "dirname", "mkdir", "tail"):
        (project / "commands" / name).symlink_to(shutil.which(name))
    for name in ("gcc", "make", "python"):
        (project / "commands" / name).unlink()
    for name in commands:
        write_command(project / "commands" / name, '#!/bin/bash\necho "$*" >>called.log\n[ "$1" != -u ] || echo 0\n')
    return run([shutil.which("bash"), "tools/browser"], project, PATH=str(project / "commands"))


def test_a_browser_that_is_there_is_left_alone(project):
    found = look_for_a_browser(project, "chromium")
    assert (found.returncode, found.stdout) == (0, "")


def test_a_missing_browser_is_installed_for_root(project):
    found = look_for_a_browser(project, "id", "apt-get")
    assert found.returncode == 0, found.stdout
    assert re.search(r"^install .*\bchromium\b", (project / "called.log").read_text("utf-8"), re.MULTILINE)


def test_a_missing_browser_is_named_to_who_is_not_root(project):
    write_command(project / "commands/id", "#!/bin/bash\necho 1000\n")
    found = look_for_a_browser(project)
    assert found.returncode != 0
    assert "sudo apt-get install chromium" in found.stdout


def test_an_old_or_missing_python_is_refused(project):
    refused = build(project, PYTHON="/nowhere/python3")
    assert refused.returncode != 0
    assert "PYTHON=/nowhere/python3 is no Python 3.11 or newer" in refused.stdout
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        write_command(project / "commands" / name, "#!/bin/sh\necho Python 3.9.2\nexit 1\n")
    none = build(project, PYTHON="")
    assert none.returncode != 0
    assert "Python 3.9.2" in none.stdout and "make book PYTHON=" in none.stdout


@pytest.mark.parametrize("tool", ["micromamba", "mamba", "conda"])
def test_conda_takes_environment_yml(project, tool):
    fake = '#!/bin/bash\necho "$*" >>conda.log\nmkdir -p .conda/bin\ncp "$(dirname "$0")/python" .conda/bin/python\n'
    write_command(project / "commands" / tool, fake)
    assert build(project, ".conda").returncode == 0
    assert build(project, ".conda").stdout == ""
    calls = (project / "conda.log").read_text(encoding="utf-8").splitlines()
    assert len(calls) == 1 and calls[0].endswith(f"--prefix {project}/.conda --file environment.yml")
    assert not [call for call in pip_calls(project) if "wheel" in call]
    (project / "environment.yml").open("a").write("# changed\n")
    assert build(project, ".conda").returncode == 0
    assert len((project / "conda.log").read_text(encoding="utf-8").splitlines()) == 2


def test_the_environment_for_the_browser_is_the_same_less_slepc_and_the_tests():
    def listed(path) -> set[str]:
        entries = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))["dependencies"]
        pip = [line for entry in entries if isinstance(entry, dict) for line in entry["pip"]]
        return {entry for entry in entries if isinstance(entry, str)} | set(pip)

    full, light = listed("environment.yml"), listed(".binder/environment.yml")
    assert light - full == {"jupyterlab"}
    names = {entry.split()[0] for entry in full - light}
    left_out = {canonicalize_name(CONDA_NAMES.get(name, name)) for name in names}
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    of_extras = {canonicalize_name(Requirement(line).name) for name in ("slepc", "test") for line in extras[name]}
    assert left_out == of_extras - {"pytorchcv"}


def test_the_browsers_environment_installs_the_library_in_place():
    script = ROOT / ".binder/postBuild"
    assert (
        os.access(script, os.X_OK) and "pip install --no-deps --no-build-isolation --editable ." in script.read_text()
    )
