"""The commands. They import what they need, so that asking for help loads no mathematics."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from equiv import __version__
from equiv.cli.delivery import check_writable, proved, read_run, report_code, run_tasks
from equiv.cli.options import FILE, KERNEL, SEED, OneOf, Running, configuration
from equiv.cli.options import running as with_running
from equiv.lookup import Unknown

if TYPE_CHECKING:
    from equiv.compare import Depth

EXIT_CODES = """\b
Exit codes:
  0  nothing was refuted
  1  something was refuted, or what was expected of the run is not so
  2  the command line was not understood
  3  internal error: a statement both proved and refuted, or a bug of equiv
  4  something is undecided (with --strict; for compare always)
  5  nothing was selected
  130  interrupted; what was done is kept
  141  nobody read the output to its end
"""
DEPTHS: "tuple[Depth, ...]" = ("steps", "samplers", "common-grid")


_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(epilog=EXIT_CODES, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="equiv")
def cli() -> None:
    """Prove, measure and validate the equivalences between diffusion models and Gaussian flow matching."""


@cli.command("list")
def list_() -> None:
    """The claims, the obligations, the experiments and the networks to train."""
    from equiv import terminal
    from equiv.reference.recipes import RECIPES
    from equiv.running import catalogue

    out = terminal.console()
    titled = {e.claim.id: e.claim.title for e in catalogue.claims().values()}
    for name, entries in (
        ("claims", titled),
        ("obligations", {e.id: e.title for e in catalogue.obligations().values()}),
        ("experiments", {e.id: e.title for e in catalogue.experiments().values()}),
        ("networks to train", {r.name: r.title for r in RECIPES.values()}),
    ):
        if entries:
            out.print(name, style="bold")
            out.print(terminal.listing((f"  {id_}", title) for id_, title in entries.items()))


@cli.command()
@click.argument("ids", nargs=-1)
@KERNEL
@click.option("--out", type=FILE, default=Path("reports/local"), show_default=True, metavar="DIR")
@click.option(
    "--expect",
    type=FILE,
    metavar="FILE",
    help="What the second kernel leaves out, strictly: not-kernel-checked.toml.",
)
@with_running
def prove(*, ids: tuple[str, ...], kernel: bool, out: Path, expect: Path | None, running: Running) -> int:
    """Prove the claims named, or all of them.

    An erratum is CORRECTED: the statement as written is refuted, the statement as it should be is proved.
    With --kernel the claims are also put before Rocq, as stated; its files land in DIR/kernel. What it does
    not accept fails the run where --expect says what that may be.
    """
    from equiv import terminal
    from equiv.running import unchecked
    from equiv.running.selection import claims

    if expect and not kernel:
        raise Unknown("--expect says what the second kernel leaves out, and needs --kernel")
    if kernel:
        check_writable(out / "kernel" / "Equiv.v")
    return run_tasks(
        claims(ids),
        show=terminal.table,
        kernel=out / "kernel" if kernel else None,
        left_out=unchecked.read(expect) if expect else None,
        running=running,
    )


@cli.command()
@click.argument("id_", metavar="ID")
def explain(id_: str) -> int:
    """The derivation of a claim, line by line, with its conditions and the false variants it rejects."""
    from equiv.explanation import explain as text
    from equiv.running.local import LocalProcesses
    from equiv.running.selection import claims
    from equiv.verdict import exit_code

    (result,) = LocalProcesses().run(claims((id_,)))
    click.echo(text(result), nl=False)
    return exit_code([result.verdict])


@cli.command()
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@click.option("--only", metavar="OBLIGATION", help="This obligation alone.")
@click.option(
    "--config",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only configurations with this value. Repeatable.",
)
@click.option("--family", type=OneOf(("function", "step")), help="Of a subject in a file: what it is.")
@click.option("--gauge", type=OneOf(("ve", "vp", "flow")), help="Of its state.")
@click.option("--time", type=OneOf(("noise-at-1", "noise-at-0")), help="Where on its times the noise is.")
@click.option(
    "--prediction", type=OneOf(("x", "eps", "v", "u", "velocity")), help="What its model gives back."
)
@click.option("--as", metavar="METHOD", help="Hold it against that method, such as k_diffusion.sample_heun.")
@click.option(
    "--dtype",
    type=OneOf(("float64", "float32", "bfloat16", "float16")),
    help="Is what it does in this type its formula, but for rounding? Nothing else is asked then.",
)
@SEED
@click.option("--expect", type=FILE, metavar="FILE", help="Known defects, strictly: expected-defects.toml.")
@with_running
def check(
    subjects: tuple[str, ...],
    only: str | None,
    pairs: tuple[str, ...],
    dtype: str | None,
    seed: int,
    expect: Path | None,
    running: Running,
    **said: str | None,
) -> int:
    """Hold implementations against what they owe, such as diffusers.DDIMScheduler.

    A library, such as k_diffusion, stands for all that is read of it; all stands for every library installed.
    Code of your own is named by its place: ./mine.py:step, or package.module:function. It is a sampler of
    (model, x, sigmas), or one step between two levels; what its arguments do not show must be said.
    """
    from equiv import terminal
    from equiv.running import catalogue, expected
    from equiv.running.selection import checks
    from equiv.subjects.subject import expand, left_out

    config = configuration((*pairs, *(f"{key}={value}" for key, value in said.items() if value)))
    named = expand(subjects)
    owed = checks(named, only=only, config=config, seed=seed, dtype=dtype or "")
    obligations = [only] if only else list(catalogue.obligations())
    listed = expected.read(expect, checked=named) if expect else ()
    defects = [d for d in listed if d.selected(named, obligations, config)]
    code = run_tasks(owed, show=terminal.checks, defects=defects, running=running)
    for name, why in left_out(subjects).items():
        click.echo(f"not checked: {name}: {why}", err=True)
    return code


@cli.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--depth", type=OneOf(DEPTHS), help="[default: all three; the exit code is of common-grid]")
@click.option(
    "--python-a", metavar="PYTHON", default="", help="The interpreter of another environment, that reads A."
)
@click.option(
    "--python-b", metavar="PYTHON", default="", help="The interpreter of another environment, that reads B."
)
def compare(first: str, second: str, depth: "Depth | None", python_a: str, python_b: str) -> int:
    """Are two samplers the same? As steps, as they come, and on a common grid.

    A sampler is NAME or NAME,KEY=VALUE,..., such as k_diffusion.sample_heun or
    diffusers.DDIMScheduler,eta=1; formulas.NAME is one of the textbook, such as formulas.churn,rho=3.
    With another interpreter, that has equiv too, two versions of a library are compared.
    """
    from equiv.compare import compared, side

    a, b = side(first, python_a), side(second, python_b)
    found = [compared(a, b, d) for d in ([depth] if depth else DEPTHS)]
    for reading in found:
        click.echo(f"{reading.depth:<12} {reading.text}")
    if found[-1].answer == "different" and a.read is not None and b.read is not None:
        from equiv.identify import apart

        click.echo(f"{'to be one':<12} {apart(a.read, b.read)}")
    return next(r for r in found if r.depth == (depth or "common-grid")).exit_code


@cli.command()
@click.argument("spec", metavar="SAMPLER")
@click.option("--json", "as_json", is_flag=True, help="For another program.")
def fingerprint(spec: str, *, as_json: bool) -> int:
    """The matrices that determine a sampler for every network, on falling noise ratios r_0 > r_1 > ..."""
    from equiv.compare import OUTSIDE
    from equiv.compare import side as read_side
    from equiv.samplers import sent, shown

    side = read_side(spec)
    if side.read is None:
        click.echo(side.why, err=True)
        return OUTSIDE
    if as_json:
        click.echo(sent(side.read, side.grid))
        return 0
    for line in shown(side.read):
        click.echo(line)
    return 0


@cli.command()
@click.argument("spec", metavar="SAMPLER")
def identify(spec: str) -> int:
    """What is this sampler? The formula that it is proved to be, with the parameters solved for; its grid.

    A sampler is NAME or NAME,KEY=VALUE,..., such as ./mine.py:step. The exit code is 1 if it is no formula
    of the textbook: then the nearest is shown, and how far it is.
    """
    from equiv.identify import identify as found

    identity = found(spec)
    for line in identity.lines:
        click.echo(line)
    return 0 if identity.known else 1


@cli.command()
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@click.option("--out", type=FILE, default=Path("reports/local"), show_default=True, metavar="DIR")
def atlas(*, subjects: tuple[str, ...], out: Path) -> int:
    """Which samplers are one and the same? A map: atlas.json, atlas.svg and atlas.png in DIR.

    Of all libraries that are installed, or of those named. `equiv report` shows the map that is in its DIR.
    """
    from equiv.atlas import atlas as drawn
    from equiv.report import chart

    for name in ("atlas.json", "atlas.svg", "atlas.png"):
        check_writable(out / name)
    found = drawn(subjects or ("all",))
    for line in chart.lines(found):
        click.echo(line)
    for path in chart.write(found, out):
        click.echo(path)
    return 0


@cli.command()
@click.argument("ids", nargs=-1)
@click.option("--dtype", help="float64, float32, bfloat16 or float16; all that it lists by default.")
@click.option("--device", default="cpu", show_default=True)
@click.option("--networks", metavar="RECIPE", help="On these trained networks alone; see equiv train.")
@click.option("--full", is_flag=True, help="Also what takes minutes: all networks, all experiments.")
@SEED
@with_running
def experiment(
    *,
    ids: tuple[str, ...],
    dtype: str | None,
    device: str,
    networks: str | None,
    full: bool,
    seed: int,
    running: Running,
) -> int:
    """Measure against derived bounds."""
    from equiv import terminal
    from equiv.running.selection import experiments

    return run_tasks(
        experiments(ids, dtype=dtype, device=device, networks=networks, full=full, seed=seed),
        show=terminal.table,
        running=running,
    )


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--device", default="cpu", show_default=True)
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def train(names: tuple[str, ...], device: str, *, quiet: bool) -> int:
    """Train the networks that experiments measure on, or those of one recipe.

    They are kept under .equiv/networks, each with a manifest and pictures of its samples. An interrupted
    training goes on where it stood. Experiments train what takes seconds by themselves.
    """
    from equiv import terminal
    from equiv.lookup import find
    from equiv.reference.recipes import RECIPES
    from equiv.running.selection import usable

    chosen = [find("recipe", n, RECIPES, see=", ".join(RECIPES)) for n in dict.fromkeys(names) or RECIPES]
    usable(device)
    for recipe in chosen:
        from equiv.reference.storage import make

        with terminal.steps(recipe.steps, recipe.title, quiet=quiet) as seen:
            folder = make(recipe, device=device, progress=seen)
        click.echo(folder)
    return 0


@cli.command()
@click.argument("run", required=False, type=FILE, metavar="[RUN]")
@click.option("--out", type=FILE, default=Path("reports/local"), show_default=True, metavar="DIR")
@KERNEL
@SEED
@with_running
def report(*, run: Path | None, out: Path, kernel: bool, seed: int, running: Running) -> int:
    """Write one HTML page and one JSON file.

    Runs every claim, the checks of the samplers of diffusers, and the experiments. With RUN, the JSON of an
    earlier run or the journal of an interrupted one, it only draws that. With --kernel the claims are also
    put before Rocq, as stated; its files land in DIR/kernel.

    The exit code is 0 when the page is written, whatever was refuted; 3 if it shows an internal error; and
    with --strict 4 if something is undecided.
    """
    from equiv import terminal
    from equiv.report import write
    from equiv.running.selection import default

    for name in ("report.json", "report.html"):
        check_writable(out / name)
    if run is None:
        return run_tasks(
            default(seed=seed),
            show=terminal.overview,
            kernel=out / "kernel" if kernel else None,
            pages=partial(write, out=out),
            running=running,
        )
    if kernel:
        raise Unknown("--kernel needs the claims to be run; without it a run is only drawn")
    drawn = read_run(run)
    try:
        written = write(drawn, out)
    except OSError as error:
        raise Unknown(f"cannot write the report: {error}") from error
    for path in written:
        click.echo(path)
    return report_code(drawn.results, strict=running.strict)


@cli.command("seeds")
@click.option("--documents", type=FILE, metavar="DIR", help="Hold the documents there against the list.")
@click.option("--results", type=FILE, metavar="RUN", help="Show the verdicts of `equiv prove --json RUN`.")
@click.option("--run", "prove_them", is_flag=True, help="Prove the claims and show their verdicts.")
def seeds_(*, documents: Path | None, results: Path | None, prove_them: bool) -> int:
    """The sentences of the seed documents that can be checked, and the claims that cover them."""
    from equiv import seeds
    from equiv.running import catalogue
    from equiv.verdict import exit_code

    if results and prove_them:
        raise Unknown("--results and --run both give verdicts; take one of them")
    listed = seeds.read()
    wrong = list(seeds.compare(listed, documents)) if documents else []
    stated = {e.claim.id: e.claim for e in catalogue.claims().values()}
    covering = [name for name in stated if name in listed.covering]
    run = proved(covering) if prove_them else read_run(results).results if results else ()
    found = [r for r in run if r.task.kind == "claim" and r.task.id in covering]
    for line in seeds.listing(listed, stated, {r.task.id: r for r in found}):
        click.echo(line)
    for line in wrong:
        click.echo(line, err=True)
    return 1 if wrong else exit_code([r.verdict for r in found]) if run else 0
