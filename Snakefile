"""The workflow behind make: every notebook of the catalogue, then the book.

    snakemake book                                the notebooks in profile quick, and the site
    snakemake results --config profile=paper      the notebooks in another profile
    snakemake FILE... --config runs=PLAN          runs with other parameters, for paperlib sweep
"""

import hashlib
import json
import os
import re
import shlex
import sys
import time
from pathlib import Path

from paperlib import paths
from paperlib.engine.catalogue import PROFILES
from paperlib.engine.inputs import Inputs
from paperlib.engine.run_address import INPUTS_ENDING
from paperlib.engine.staleness import page_state

BOOK_PROFILE = PROFILES[0]
PROFILE = config.get("profile", BOOK_PROFILE)
if PROFILE not in PROFILES:
    raise WorkflowError(f"unknown profile {PROFILE!r}; expected one of {', '.join(PROFILES)}")

INPUTS = Inputs()
NOTEBOOKS = INPUTS.notebooks
NEEDED = {need for notebook in NOTEBOOKS.values() for need in notebook.needs}
# Executed notebooks of the book's profile are its pages; the others are kept beside their results.
EXECUTED = "book/run/{id}.ipynb" if PROFILE == BOOK_PROFILE else f"results/{PROFILE}/{{id}}.ipynb"
RESULT = f"results/{PROFILE}/{{id}}.json"
RECORD = f"results/{PROFILE}/{{id}}{INPUTS_ENDING}"
INDEX = "book/_build/html/index.html"


def files(folder, *patterns):
    """Files below a folder of the project, hidden and generated ones left out, as paths from the root."""
    found = {path for pattern in patterns for path in (paths.ROOT / folder).rglob(pattern) if path.is_file()}
    relative = sorted(path.relative_to(paths.ROOT) for path in found)
    generated = (Path("book/run"), Path("book/_build"))
    return [
        str(path)
        for path in relative
        if not any(part.startswith((".", "__pycache__")) for part in path.parts)
        and not any(path.is_relative_to(place) for place in generated)
    ]


def digest(names):
    """One hash of the names and contents of files, so that only a real change runs anything again."""
    total = hashlib.sha256()
    for name in names:
        total.update(f"{name}\0".encode() + (paths.ROOT / name).read_bytes())
    return total.hexdigest()[:16]


def kept_beside():
    """Results in other profiles, tracked or local, which pages of the book may show beside those of their own run."""
    folders = [f"{top}/{profile}" for top in ("data/results", "results") for profile in PROFILES if profile != PROFILE]
    found = [path for folder in folders for path in files(folder, "*.json")]
    return [path for path in found if not path.endswith(INPUTS_ENDING)]


def marked(id):
    """A file that is older than a fresh page and newer than a stale one, which is what Snakemake goes by.

    `paperlib status` and the workflow then agree, also on pages that were made by hand or before Snakemake kept count.
    """
    marker = Path("build/inputs", PROFILE, f"{id}.txt")
    outputs = [Path(name.format(id=id)) for name in (EXECUTED, RESULT, RECORD)]
    oldest = min((path.stat().st_mtime for path in outputs if path.is_file()), default=0.0)
    fresh = STATES[id] == "fresh"
    if not marker.is_file() or (marker.stat().st_mtime < oldest) != fresh:
        marker.parent.mkdir(parents=True, exist_ok=True)
        # Snakemake takes a newer file with the same content for an old one.
        marker.write_text(f"{time.time_ns()}\n", encoding="utf-8")
        if fresh:
            os.utime(marker, (oldest - 1, oldest - 1))
    return str(marker)


def needed(wildcards):
    """Results of the notebooks that a notebook needs, whose age counts where its own page is stale alone."""
    results = expand(RESULT, id=NOTEBOOKS[wildcards.id].needs)
    # Where an old file is made again, Snakemake looks at no other input of who takes it for ancient.
    return [ancient(path) for path in results] if STATES[wildcards.id] == "fresh" else results


# What the pages of the book are made with, beyond the pages themselves.
LIBRARY = digest([*files("paperlib", "*"), "constraints.txt"])

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


workdir: str(paths.ROOT)


STATES = {id: page_state(INPUTS, id, PROFILE).state for id in NOTEBOOKS}
MARKERS = {id: marked(id) for id in NOTEBOOKS}


wildcard_constraints:
    id="|".join(NOTEBOOKS),


localrules:
    results,
    book,


rule results:
    message:
        f"All results of profile {PROFILE}"
    input:
        expand(RESULT, id=NOTEBOOKS),


rule notebook:
    message:
        f"{{wildcards.id}} (profile {PROFILE}, threads: {{threads}})"
    # The marker alone says whether a run is made again: a page is also stale where one that it needs is.
    input:
        marker=lambda wildcards: MARKERS[wildcards.id],
        notebook=ancient("notebooks/{id}.ipynb"),
        needs=needed,
    output:
        executed=EXECUTED,
        result=RESULT,
        record=RECORD,
    log:
        f"build/logs/{PROFILE}/{{id}}.log",
    # Notebooks run side by side, one core each: the work of profile quick is too small to share, and on a busy machine
    # threads that wait for each other cost far more than they save. The long trainings, for which others wait, share.
    threads: lambda wildcards: min(workflow.cores or 4, 4) if wildcards.id in NEEDED and PROFILE != BOOK_PROFILE else 1
    resources:
        mem_mb=8000,
        runtime="2h" if PROFILE == BOOK_PROFILE else "24h",
    shell:
        "paperlib run {wildcards.id} --profile {PROFILE} --output {output.executed} --result {output.result}"
        " > {log} 2>&1"


if "runs" in config:
    # The notebook, and by the name of each run's files what sets its parameters, as `paperlib sweep` wrote them.
    PLAN = json.loads(Path(config["runs"]).read_text(encoding="utf-8"))
    SWEPT = PLAN["id"]

    rule run:
        message:
            f"{SWEPT} {{wildcards.key}} (threads: {{threads}})"
        wildcard_constraints:
            key="|".join(re.escape(key) for key in PLAN["runs"]),
        input:
            notebook=ancient(f"notebooks/{SWEPT}.ipynb"),
            needs=expand(RESULT, id=NOTEBOOKS[SWEPT].needs),
        output:
            executed=f"results/runs/{SWEPT}/{{key}}.ipynb",
            result=f"results/runs/{SWEPT}/{{key}}.json",
            record=f"results/runs/{SWEPT}/{{key}}{INPUTS_ENDING}",
        params:
            arguments=lambda wildcards: shlex.join(PLAN["runs"][wildcards.key]),
        log:
            f"build/logs/runs/{SWEPT}/{{key}}.log",
        resources:
            mem_mb=8000,
            runtime="2h" if PROFILE == BOOK_PROFILE else "24h",
        shell:
            "paperlib run {SWEPT} --profile {PROFILE} {params.arguments} --output {output.executed:q}"
            " --result {output.result:q} > {log:q} 2>&1"


rule book:
    message:
        "the book"
    input:
        pages=expand(EXECUTED, id=NOTEBOOKS),
        results=expand(RESULT, id=NOTEBOOKS),
        prose=files("book", "*"),
        template=files("template", "*"),
        config="_config.yml",
        catalogues=files("notebooks", "catalogue.toml"),
        claims=files("data/claims", "*.toml"),
        beside=kept_beside(),
    output:
        INDEX,
    params:
        library=LIBRARY,
    log:
        "build/logs/book.log",
    # Sphinx sees a changed page but neither changed numbers nor a changed library, and after a failed build it would
    # not repeat its warnings about pages already read: it starts afresh in both cases.
    shell:
        """
        marker=book/_build/made-from
        state="{params.library} $(cat {input.config} book/_toc.yml {input.results} {input.catalogues} {input.claims} \
            {input.beside} | sha256sum)"
        if [ "$state" != "$(cat $marker 2>/dev/null || true)" ]; then rm -rf book/_build; fi
        rm -f $marker
        jupyter-book build book --config {input.config} --path-output book -q -W -n --keep-going > {log} 2>&1
        echo "$state" > $marker
        """
