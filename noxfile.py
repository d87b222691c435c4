"""Every check of the project, as nox sessions: ``nox -l`` lists them, ``nox`` runs the tests.

Tests run against the package as it is installed from a wheel, never against ``src``. Python versions,
dependency groups and lower bounds are read from ``pyproject.toml``.
"""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from pathlib import Path

import nox

PROJECT = nox.project.load_toml("pyproject.toml")
SUPPORTED = [
    match[1]
    for classifier in PROJECT["project"]["classifiers"]
    if (match := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
]
# Supported, and tested wherever it is installed; its absence is no error, not even in CI.
IF_PRESENT = {"3.14"}
PYTHONS = [version for version in SUPPORTED if version not in IF_PRESENT or shutil.which(f"python{version}")]
OLDEST = PYTHONS[0]
# Without the backport of `typing`, whose oldest release the newest test tools refuse.
OLDEST_DEPENDENCIES = [
    requirement.partition(",")[0]
    for requirement in PROJECT["project"]["dependencies"]
    if ";" not in requirement
]

# One process for each core; a file stays in one process, so that its servers are started once.
IN_PARALLEL = ("-n", "auto", "--dist", "loadfile")

# Those that tell whether the sdist is whole, and some that use every room of the package.
QUICK_TESTS = (
    "tests/test_docs.py",
    "tests/test_architecture.py",
    "tests/connection/test_request.py",
    "tests/body/test_form.py",
    "tests/websocket/test_model.py",
    "tests/testing",
)

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]


def install_groups(session: nox.Session, *groups: str) -> None:
    """Install what the dependency groups name."""
    session.install(*nox.project.dependency_groups(PROJECT, *groups))


def install_package(session: nox.Session) -> None:
    """Install the package as a user would get it: built, not editable."""
    session.install(*PROJECT["project"]["dependencies"])
    session.install("--force-reinstall", "--no-deps", ".")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run every test on each Python that is here; the oldest demands that they take every branch."""
    install_groups(session, "test", "peers", "e2e")
    install_package(session)
    if session.posargs:
        session.run("pytest", *session.posargs)
    elif session.python == OLDEST:
        # On one Python only: tracing costs as much time as the tests.
        session.run("pytest", *IN_PARALLEL, "--cov", "--cov-report=term-missing:skip-covered")
    else:
        session.run("pytest", *IN_PARALLEL)


@nox.session(python=OLDEST)
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest dependencies that the package allows."""
    install_groups(session, "test")
    session.install(*(bound.replace(">=", "==") for bound in OLDEST_DEPENDENCIES))
    session.install("--force-reinstall", "--no-deps", ".")
    session.run("pytest", *IN_PARALLEL, "--ignore=tests/e2e", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the code's style and its format."""
    install_groups(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=OLDEST)
def typing(session: nox.Session) -> None:
    """Check types with mypy and pyright, and with pyrefly what users write; every public type is known."""
    install_groups(session, "typing")
    install_package(session)
    session.run("mypy")
    session.run("pyright")
    session.run("pyrefly", "check")
    session.run("pyright", "--ignoreexternal", "--verifytypes", "asgiwire")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; an unknown reference or any other warning is an error."""
    install_groups(session, "docs")
    install_package(session)
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-E", "-q", "docs", "docs/_build/html")
    session.log("docs/_build/html/index.html")


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel, check what is in them, and test the installed wheel without its source."""
    install_groups(session, "build", "test")
    dist = Path(session.create_tmp()) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist), silent=True)
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    check_wheel(session, wheel)
    check_sdist(session, sdist)
    session.install("--force-reinstall", str(wheel))
    modules = public_modules()
    # Outside the repository, so that nothing but the installed wheel can be imported.
    with session.chdir(dist):
        for module in modules:
            session.run("python", "-c", f"import {module}", silent=True)
    run_tests_of(session, sdist, dist / "unpacked")


def run_tests_of(session: nox.Session, sdist: Path, folder: Path) -> None:
    """Run a quick selection of the tests in the sdist, where only the installed wheel can be imported."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    shutil.rmtree(root / "src")
    with session.chdir(root):
        session.run("pytest", "-q", *QUICK_TESTS)


def check_wheel(session: nox.Session, wheel: Path) -> None:
    """End the session unless the wheel is the package, all of it, and nothing else."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to("src").as_posix()
        for path in Path("src/asgiwire").rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    if names != wanted:
        session.error(f"the wheel and src/asgiwire differ in: {sorted(names ^ wanted)}")


def check_sdist(session: nox.Session, sdist: Path) -> None:
    """End the session unless the sdist has what is needed to build and test it."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {".ci/run", "LICENSE", "README.md", "noxfile.py", "pyproject.toml", "src/asgiwire/py.typed"}
    missing = needed - names
    extra = {name for name in names if re.search(r"(^|/)(__pycache__|\..*cache|_build)(/|$)", name)}
    if missing or extra or not any(name.startswith("tests/") for name in names):
        session.error(f"the sdist lacks {sorted(missing)} and should not have {sorted(extra)}")


def public_modules() -> list[str]:
    """Name every module of which no part begins with an underscore, and that needs no framework."""
    paths = (path.relative_to("src").with_suffix("") for path in Path("src/asgiwire").rglob("*.py"))
    modules = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    return sorted(module for module in modules if "._" not in module and ".integrations." not in module)


@nox.session
def demo(session: nox.Session) -> None:
    """Start the inspector as the README does, visit it with real clients, and stop it."""
    session.install("httpx", "uvicorn", "websockets")
    install_package(session)
    session.run("python", "-m", "examples.tour")


@nox.session(python=OLDEST)
def bench(session: nox.Session) -> None:
    """Run the benchmarks side by side with the peers, quickly if nothing else is asked for."""
    install_groups(session, "bench")
    install_package(session)
    session.run("python", "-m", "benchmarks", *(session.posargs or ["--quick"]))
