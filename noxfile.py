"""All checks of the project, as nox sessions: ``nox -l`` lists them, ``nox`` runs the tests.

The tests use the package installed from a wheel, not ``src``. Python versions, dependency groups and lower
bounds come from ``pyproject.toml``.
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
# Supported, but tested only where installed. CI does not require them.
OPTIONAL = {"3.14", "3.15"}
PYTHONS = [version for version in SUPPORTED if version not in OPTIONAL or shutil.which(f"python{version}")]
OLDEST = PYTHONS[0]
# Without typing-extensions: current test tools do not accept its oldest release.
OLDEST_DEPENDENCIES = [
    requirement.partition(",")[0]
    for requirement in PROJECT["project"]["dependencies"]
    if ";" not in requirement
]

# The oldest versions that `asgiwire.integrations.starlette` supports.
OLDEST_FRAMEWORKS = ("starlette==1.0.0", "fastapi==0.133.0")

# One process per core. All tests of a file run in one process, so that they share its servers.
IN_PARALLEL = ("-n", "auto", "--dist", "loadfile")

# Tests that read many files of the sdist, and some for each part of the package.
QUICK_TESTS = (
    "tests/test_docs.py",
    "tests/test_architecture.py",
    "tests/connection/test_request.py",
    "tests/body/test_form.py",
    "tests/websocket",
    "tests/testing",
)

# What the tests of Starlette and FastAPI import, less what few of them need.
UPSTREAM_REQUIREMENTS = (
    "anyio[trio]",
    "dirty-equals",
    "httpx",
    "httpx2[zstd]",
    "importlib-metadata",
    "inline-snapshot",
    "itsdangerous",
    "jinja2",
    "opentelemetry-sdk",
    "pyjwt",
    "pytest>=9",
    "pytest-timeout",
    "pytest-xdist",
    "python-multipart",
    "pyyaml",
)

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]


def install_groups(session: nox.Session, *groups: str) -> None:
    """Install the dependency groups."""
    session.install(*nox.project.dependency_groups(PROJECT, *groups))


def install_package(session: nox.Session) -> None:
    """Build and install the package, not editable."""
    session.install(*PROJECT["project"]["dependencies"])
    session.install("--force-reinstall", "--no-deps", ".")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests on every installed Python, with full branch coverage required on the oldest."""
    install_groups(session, "test", "peers", "e2e")
    install_package(session)
    if session.posargs:
        session.run("pytest", *session.posargs)
    elif session.python == OLDEST:
        # Only here, because tracing doubles the time.
        session.run("pytest", *IN_PARALLEL, "--cov", "--cov-report=term-missing:skip-covered")
    else:
        session.run("pytest", *IN_PARALLEL)


@nox.session(python=OLDEST)
def oldest(session: nox.Session) -> None:
    """Run the tests with the oldest supported dependencies."""
    install_groups(session, "test")
    session.install(*(bound.replace(">=", "==") for bound in OLDEST_DEPENDENCIES))
    session.install("--force-reinstall", "--no-deps", ".")
    session.run("pytest", *IN_PARALLEL, "--ignore=tests/e2e", *session.posargs)
    session.install(*OLDEST_FRAMEWORKS)
    session.run("pytest", *IN_PARALLEL, "tests/integrations", *session.posargs)


@nox.session(python=OLDEST)
def fuzz(session: nox.Session) -> None:
    """Run every parser with random inputs for some minutes; set FUZZ_EXAMPLES for more or fewer of them."""
    install_groups(session, "test")
    install_package(session)
    session.run("pytest", "-q", "-n", "auto", "--timeout=3600", *(session.posargs or ["fuzz"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with Ruff."""
    install_groups(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(python=OLDEST)
def typing(session: nox.Session) -> None:
    """Check types with mypy, pyright and pyrefly, and that every public type is known."""
    install_groups(session, "typing")
    install_package(session)
    session.run("mypy")
    session.run("pyright")
    session.run("pyrefly", "check")
    session.run("pyright", "--ignoreexternal", "--verifytypes", "asgiwire")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning, such as an unknown reference, is an error."""
    install_groups(session, "docs")
    install_package(session)
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-E", "-q", "docs", "docs/_build/html")
    session.log("docs/_build/html/index.html")


@nox.session
def build(session: nox.Session) -> None:
    """Build sdist and wheel, check their files, and test the installed wheel without ``src``."""
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
    # Outside the repository, so that only the installed wheel can be imported.
    with session.chdir(dist):
        for module in modules:
            session.run("python", "-c", f"import {module}", silent=True)
    run_sdist_tests(session, sdist, dist / "unpacked")


def run_sdist_tests(session: nox.Session, sdist: Path, folder: Path) -> None:
    """Run some tests of the unpacked sdist against the installed wheel."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    shutil.rmtree(root / "src")
    with session.chdir(root):
        session.run("pytest", "-q", *QUICK_TESTS)


def check_wheel(session: nox.Session, wheel: Path) -> None:
    """Fail unless the wheel contains exactly the files of the package."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to("src").as_posix()
        for path in Path("src/asgiwire").rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    if names != expected:
        session.error(
            f"the wheel lacks {sorted(expected - names)} and must not contain {sorted(names - expected)}"
        )


def check_sdist(session: nox.Session, sdist: Path) -> None:
    """Fail unless the sdist contains the files to build and test it, and no caches."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {".ci/run", "LICENSE", "README.md", "noxfile.py", "pyproject.toml", "src/asgiwire/py.typed"}
    missing = needed - names
    if not any(name.startswith("tests/") for name in names):
        missing.add("tests/")
    extra = {name for name in names if re.search(r"(^|/)(__pycache__|\..*cache|_build)(/|$)", name)}
    if missing or extra:
        session.error(f"the sdist lacks {sorted(missing)} and must not contain {sorted(extra)}")


def public_modules() -> list[str]:
    """Return the public modules that need no framework."""
    paths = (path.relative_to("src").with_suffix("") for path in Path("src/asgiwire").rglob("*.py"))
    modules = {".".join(path.parts).removesuffix(".__init__") for path in paths}
    return sorted(module for module in modules if "._" not in module and ".integrations." not in module)


@nox.session
def demo(session: nox.Session) -> None:
    """Start the inspector as the README does, send requests to it, and stop it."""
    session.install("httpx", "uvicorn", "websockets")
    install_package(session)
    session.run("python", "-m", "examples.tour")


@nox.session(python=OLDEST)
def bench(session: nox.Session) -> None:
    """Run the benchmarks, with ``--quick`` by default."""
    install_groups(session, "bench")
    install_package(session)
    session.run("python", "-m", "benchmarks", *(session.posargs or ["--quick"]))


@nox.session(python=OLDEST)
def upstream(session: nox.Session) -> None:
    """Run the tests of Starlette and FastAPI with the integration on: ``nox -s upstream -- PATH...``.

    Each path is a checkout or an unpacked sdist. Only tests that pass without the integration count.
    """
    folder = Path(session.create_tmp())
    install_package(session)
    for path in map(Path, session.posargs):
        session.install(*UPSTREAM_REQUIREMENTS, str(path))
        for mode in ("without", "with"):
            session.run(
                "pytest",
                *("-q", "-p", "no:cacheprovider", "-p", "asgiwire_upstream", "-n", "auto", "--tb", "no"),
                *("-W", "ignore:_pytest.python.CallSpec2", "--timeout", "60", f"--rootdir={path}"),
                *("-c", str(path / "pyproject.toml"), f"--outcomes={folder.resolve() / mode}.json"),
                *(["--asgiwire"] if mode == "with" else []),
                *(str(path / "tests" / name) for name in upstream_tests(path)),
                env={"PYTHONPATH": str(Path("tests/upstream").resolve())},
                success_codes=[0, 1],
            )
        session.run("python", "tests/upstream/compare.py", f"{folder}/without.json", f"{folder}/with.json")


def upstream_tests(path: Path) -> list[str]:
    """Return the test files and folders; left out are benchmarks, and those that need other packages."""
    left_out = ("benchmarks", "memory_benchmarks", "test_telemetry", "test_opentelemetry.py")
    return sorted(
        test.name
        for test in (path / "tests").iterdir()
        if (test.suffix == ".py" or test.is_dir()) and test.name.startswith(("test_", "middleware"))
        if test.name not in left_out
    )
