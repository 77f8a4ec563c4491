"""The command ``paperlib rpr``: projection ratios of the user's own model at the user's own images."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paperlib.engine.errors import EngineError, UsageError
from paperlib.engine.rpr_report import Reporter, as_json, print_table
from paperlib.engine.text import nearest, shown_path
from paperlib.files import write_atomically

if TYPE_CHECKING:
    # torch takes seconds to import: the commands that do without it must not wait.
    from paperlib.ratios import Item, LoadedModel, RatioTable

_DTYPES = ("float32", "float64")
_PICTURES = (".png", ".svg", ".pdf")
_ALLOW_PICKLE = (
    "Load a pickled model, or an exported one with pickled parts. DANGER: a pickle can run any program with your "
    "rights as soon as it is loaded, before anything of the model is looked at. Give this only for a file that you "
    "made, or whose maker you trust and whose checksum you compared."
)


class InputError(EngineError):
    """The model or the images are missing or damaged."""

    exit_code = 3


def rpr(
    model: Annotated[str, typer.Option(help="FILE.pt2 of torch.export, or module:function or file.py:function.")],
    images: Annotated[Path, typer.Option(help="A folder of images, or one: PNG, JPEG, TIFF, .npy, .nii, .nii.gz.")],
    out: Annotated[Path, typer.Option(metavar="X.csv", help="The table.")],
    k: Annotated[int, typer.Option("-k", "--rank", min=1, help="Singular triplets of each image.")] = 10,
    weights: Annotated[
        Path | None, typer.Option(help="State dict for module:function: .safetensors, or .pt (tensors only).")
    ] = None,
    allow_pickle: Annotated[bool, typer.Option("--allow-pickle", help=_ALLOW_PICKLE)] = False,
    solver: Annotated[str, typer.Option(help="auto, or a solver of paperlib.svd.SOLVERS.")] = "auto",
    tol: Annotated[float, typer.Option(help="Relative two-sided residual at which a triplet is accepted.")] = 1e-4,
    seed: Annotated[int, typer.Option(help="Draws the solver's start vector.")] = 0,
    roi_size: Annotated[
        str | None, typer.Option(metavar="N,N,N", help="Sliding-window inference with windows of this size.")
    ] = None,
    overlap: Annotated[float, typer.Option(help="Overlap of neighbouring windows, in [0, 1).")] = 0.25,
    mode: Annotated[str, typer.Option(help="Weights of a window: constant or gaussian.")] = "constant",
    channels: Annotated[
        int | None, typer.Option(help="1: grey, 3: RGB, for picture files. Default: what the model takes.")
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="N,N", help="Resize images to this size.")] = None,
    normalise: Annotated[
        str, typer.Option(help="none, zscore, or zscore-foreground (pixels that are not 0).")
    ] = "none",
    mean: Annotated[str | None, typer.Option(metavar="X,..", help="Subtracted, for each channel or for all.")] = None,
    std: Annotated[str | None, typer.Option(metavar="X,..", help="Divides, for each channel or for all.")] = None,
    modalities: Annotated[
        str | None, typer.Option(metavar="A,B", help="CASE_A.nii.gz and CASE_B.nii.gz are channels of one image.")
    ] = None,
    frozen_statistics: Annotated[
        bool, typer.Option("--frozen-statistics", help="Take an image's normalisation statistics as constants.")
    ] = False,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64. Default: that of the weights.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the products. Default: torch's.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="X.png", help="Draw the ratios (.png, .svg or .pdf).")] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Compute all again and replace earlier files.")] = False,
    json_wanted: Annotated[bool, typer.Option("--json", help="Print JSON for a program instead of a table.")] = False,
) -> None:
    """Rank images by how much of each your network's leading singular vectors hold, lowest first.

    Examples:

        paperlib rpr --model model.pt2 --images scans/ --out ratios.csv
        paperlib rpr --model nets.py:unet --weights unet.safetensors --images scans/ -k 10 --out ratios.csv
        paperlib rpr --model model.pt2 --images volumes/ --roi-size 64,64,64 --mode gaussian --out ratios.csv

    The right projection ratio (RPR) of an image is the share of its energy in the span of the k leading right
    singular vectors of the network, frozen at that image. It needs no label. Whether a low ratio goes with a high
    error has to be checked for each network; the lowest images are the candidates for labelling.

    The same command goes on after an interruption, adds images that are new or changed in the folder, and tries
    again those that failed. Rows wait in X.csv.part until all are done; X.csv.json says what the table answers. An
    image that cannot be read or decomposed is a row with its reason in the column note.

    Exit codes: 0 done; 1 the run failed, or some images did (the table is written); 2 wrong usage, or X.csv answers
    another question; 3 the model or the images are missing or damaged; 130 interrupted.
    """
    options = {name: value for name, value in locals().items() if name not in ("restart", "json_wanted")}
    _check_usage(options)
    with _explained_failures():
        lists = {
            "roi_size": _numbers("--roi-size", roi_size, int),
            "size": _numbers("--size", size, int),
            "mean": _numbers("--mean", mean, float),
            "std": _numbers("--std", std, float),
        }
        names = [name.strip() for name in modalities.split(",")] if modalities else []
        loaded, items = _inputs(options | lists, names)
        question = _question(options | lists, loaded, names)
        done, table = _run(loaded, items, question, options | lists, restart)
    if plot is not None and table.measured:
        from paperlib.plotting.ratio_table import draw_ratio_table

        figure = draw_ratio_table(table)
        write_atomically(plot, lambda path: figure.savefig(path, dpi=200))
    if json_wanted:
        typer.echo(as_json(table, out, done))
    else:
        print_table(table, out, done)
    if table.failed:
        typer.echo(f"{len(table.failed)} of {len(table)} images failed; the column note says why.", err=True)
        raise typer.Exit(1)


def _check_usage(options: dict) -> None:
    if options["plot"] is not None and options["plot"].suffix not in _PICTURES:
        raise UsageError(f"--plot {options['plot']}: expected a name that ends in {', '.join(_PICTURES)}")
    if options["out"].suffix != ".csv":
        raise UsageError(f"--out {options['out']}: expected a name that ends in .csv")
    if options["dtype"] not in (None, *_DTYPES):
        raise UsageError(f"--dtype {options['dtype']}: expected {' or '.join(_DTYPES)}")
    if options["channels"] not in (None, 1, 3):
        raise UsageError(f"--channels {options['channels']}: expected 1 (grey) or 3 (RGB)")
    if not 0 < options["tol"] < 1:
        raise UsageError(f"--tol {options['tol']}: expected a number between 0 and 1")
    if not 0 <= options["overlap"] < 1:
        raise UsageError(f"--overlap {options['overlap']}: expected a number in [0, 1)")
    if options["mode"] not in ("constant", "gaussian"):
        raise UsageError(f"--mode {options['mode']}: expected constant or gaussian")


def _numbers(name: str, text: str | None, kind: type) -> tuple | None:
    if text is None:
        return None
    try:
        values = tuple(kind(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or (kind is int and min(values) < 1):
        what = "positive whole numbers" if kind is int else "numbers"
        raise UsageError(f"{name} {text}: expected {what} with commas between them")
    return values


def _inputs(options: dict, modalities: list[str]) -> tuple["LoadedModel", list["Item"]]:
    import torch

    from paperlib.ratios import Preparation, image_source, load_model
    from paperlib.ratios.journal import files_of
    from paperlib.ratios.loading import available_device
    from paperlib.svd import SOLVERS

    if options["solver"] not in ("auto", *SOLVERS):
        known = ("auto", *SOLVERS)
        raise UsageError(
            f"unknown solver {options['solver']!r}.{nearest(options['solver'], known)} Known: {', '.join(known)}"
        )
    if options["threads"] is not None:
        torch.set_num_threads(options["threads"])
    loaded = load_model(
        options["model"],
        weights=options["weights"],
        allow_pickle=options["allow_pickle"],
        device=_checked(available_device, options["device"]),
        dtype=getattr(torch, options["dtype"]) if options["dtype"] else None,
    )
    wanted = options["channels"] or (loaded.channels if loaded.channels in (1, 3) and not modalities else None)
    prepared = {name: options[name] for name in ("size", "normalise", "mean", "std")}
    preparation = _checked(Preparation, channels=wanted, **prepared)
    # Results of an earlier run may lie among the images.
    own = [*files_of(options["out"]), *([options["plot"]] if options["plot"] else [])]
    return loaded, image_source(options["images"], preparation, modalities, own)


def _checked(make: Callable, *values, **settings):
    """What ``make`` gives; a ``ValueError`` of it is one of usage."""
    try:
        return make(*values, **settings)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _question(options: dict, loaded: "LoadedModel", modalities: list[str]) -> dict:
    """Whatever the numbers depend on, in plain JSON; the device and the threads change them by rounding only."""
    plain = ("k", "solver", "tol", "seed", "normalise", "channels", "frozen_statistics", "dtype")
    question = {"model": loaded.digest, "images": str(options["images"].resolve()), "modalities": modalities}
    question |= {name: options[name] for name in plain}
    question |= {name: options[name] and list(options[name]) for name in ("roi_size", "size", "mean", "std")}
    windows = {name: options[name] for name in ("overlap", "mode")} if options["roi_size"] else {}
    return question | windows


def _run(
    loaded: "LoadedModel", items: list["Item"], question: dict, options: dict, restart: bool
) -> tuple[int, "RatioTable"]:
    """How many images were computed now, and the finished table of all."""
    from paperlib.ratios.analysis import analyze_items
    from paperlib.ratios.journal import Journal

    names = ("solver", "tol", "seed", "roi_size", "overlap", "mode", "frozen_statistics")
    settings = {name: options[name] for name in names}
    with Journal(options["out"], question, options["k"], restart=restart) as journal:
        waiting = [item for item in items if not _is_done(journal.done.get(item.name), item)]
        with Reporter(len(items), len(items) - len(waiting)) as reporter:
            try:
                for row in analyze_items(loaded.model, waiting, options["k"], **settings):
                    journal.add(row)
                    reporter.show(row)
            except KeyboardInterrupt:
                reporter.say(
                    f"Interrupted; what is done waits in {shown_path(journal.part)}: the same command goes on."
                )
                raise typer.Exit(130) from None
        return len(waiting), journal.finish([item.name for item in items])


def _is_done(row, item: "Item") -> bool:
    from paperlib.ratios import ImageError

    try:
        return row is not None and not row.note and row.digest == item.digest()
    except ImageError:
        return False


@contextmanager
def _explained_failures() -> Iterator[None]:
    from paperlib.operators import OperatorError
    from paperlib.ratios import ImageError, ModelError, RatioError
    from paperlib.ratios.journal import OtherQuestionError
    from paperlib.svd import SvdError

    try:
        with warnings.catch_warnings():
            # Of torch about itself, where it loads and copies exported programs.
            warnings.simplefilter("ignore", FutureWarning)
            yield
    except (ModelError, ImageError) as error:
        raise InputError(str(error)) from error
    except OtherQuestionError as error:
        raise UsageError(str(error)) from error
    except (RatioError, OperatorError, SvdError) as error:
        raise EngineError(str(error)) from error
