"""All checks of the project, as nox sessions: ``nox -l`` lists them, ``nox`` runs the tests.

The tests use the package installed from a wheel, not ``src``, with the compiled module where a C compiler is
installed; ``oldest`` runs them without it. Python versions, dependency groups and lower bounds come from
``pyproject.toml``.
"""

from __future__ import annotations

import os
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

# `setup.py` reads these. A wheel with the compiled module must have been compiled without a warning.
PURE = {"ASGIWIRE_NO_EXTENSIONS": "1"}
COMPILED = {"ASGIWIRE_REQUIRE_EXTENSIONS": "1", "CFLAGS": "-Wall -Wextra -Werror"}
SANITIZED = {
    "ASGIWIRE_REQUIRE_EXTENSIONS": "1",
    "CC": "gcc",
    "CFLAGS": "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all",
}

# Prints whether the compiler that setuptools uses, and the headers of Python, are installed.
FIND_COMPILER = """
import os, shutil, sysconfig
compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cl"
header = os.path.join(sysconfig.get_path("include"), "Python.h")
print(shutil.which(compiler.split()[0]) is not None and os.path.exists(header))
"""

# The files from which the wheel is built, and what earlier builds left between them.
WHEEL_SOURCES = ("LICENSE", "README.md", "pyproject.toml", "setup.py", "src")
BUILD_OUTPUTS = ("__pycache__", "*.egg-info", "*.so", "*.pyd")

# Tests that call the compiled functions, or the Python functions through them.
PARSER_TESTS = ("tests/speedups", "tests/parsers", "tests/datastructures", "tests/multipart")

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


def install_package(session: nox.Session, environment: dict[str, str] | None = None) -> None:
    """Build and install the package, not editable, with the compiled module if there is a compiler."""
    session.install(*PROJECT["project"]["dependencies"])
    install_wheel(session, environment)


def install_wheel(session: nox.Session, environment: dict[str, str] | None = None) -> None:
    """Install the package without its dependencies, and check whether it has the compiled module."""
    if environment is None:
        environment = COMPILED if can_compile(session) else PURE
    # A copy, because sessions run in parallel, and because setuptools packs the files of earlier builds.
    sources = Path(session.create_tmp()) / "sources"
    shutil.rmtree(sources, ignore_errors=True)
    sources.mkdir()
    for name in WHEEL_SOURCES:
        if Path(name).is_dir():
            shutil.copytree(name, sources / name, ignore=shutil.ignore_patterns(*BUILD_OUTPUTS))
        else:
            shutil.copy(name, sources)
    session.install("--force-reinstall", "--no-deps", str(sources), env=environment)
    if environment is not SANITIZED:  # which can be imported only with the libraries of the sanitizers
        check_speedups(session, environment is COMPILED)


def can_compile(session: nox.Session) -> bool:
    """Return whether the Python of the session can build the compiled module."""
    return "True" in str(session.run("python", "-c", FIND_COMPILER, silent=True))


def check_speedups(session: nox.Session, expected: bool) -> None:
    """Fail unless the installed package uses the compiled module, or unless it uses none."""
    session.run("python", "-c", f"import asgiwire; assert asgiwire.__speedups__ is {expected}")


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
    """Run the tests with the oldest supported dependencies, and without the compiled module."""
    install_groups(session, "test")
    session.install(*(bound.replace(">=", "==") for bound in OLDEST_DEPENDENCIES))
    install_wheel(session, PURE)
    session.run("pytest", *IN_PARALLEL, "--ignore=tests/e2e", *session.posargs)
    session.install(*OLDEST_FRAMEWORKS)
    session.run("pytest", *IN_PARALLEL, "tests/integrations", *session.posargs)


@nox.session(python=OLDEST)
def fuzz(session: nox.Session) -> None:
    """Run every parser with random inputs for some minutes; set FUZZ_EXAMPLES for more or fewer of them."""
    install_groups(session, "test")
    install_package(session)
    session.run("pytest", "-q", "-n", "auto", "--timeout=3600", *(session.posargs or ["fuzz"]))


@nox.session(python=OLDEST)
def sanitize(session: nox.Session) -> None:
    """Run the parser tests with AddressSanitizer and UndefinedBehaviorSanitizer in the compiled module."""
    if not (can_compile(session) and shutil.which("gcc")):
        session.skip("gcc and the headers of Python are required")
    install_groups(session, "test")
    install_package(session, SANITIZED)
    libraries = [
        str(session.run("gcc", f"-print-file-name={name}", external=True, silent=True)).strip()
        for name in ("libasan.so", "libubsan.so")
    ]
    environment = {
        "LD_PRELOAD": " ".join(libraries),
        # Python does not free everything at exit. Whole stacks of allocations make the tests much slower.
        "ASAN_OPTIONS": "detect_leaks=0:malloc_context_size=4",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # with Python's own allocator, an overflow would stay within its pool
        "FUZZ_EXAMPLES": os.environ.get("FUZZ_EXAMPLES", "100"),
    }
    check = "from asgiwire import _speedups, __speedups__; assert __speedups__"
    session.run("python", "-c", check, env=environment)
    # Without the tests of time and memory, which differ with the sanitizers; `long_inputs` has a deadline.
    selected = ("-k", "not linear and not memory and not long_inputs")
    command = ("pytest", "-q", "-n", "auto", "--timeout=3600", *selected)
    session.run(*command, *(session.posargs or PARSER_TESTS), env=environment)
    if not session.posargs:
        session.run(*command, "fuzz", env=environment)  # apart, because it has a conftest.py with a profile


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
    """Build the sdist and from it every kind of wheel, check their files, and test them without ``src``."""
    install_groups(session, "build", "test")
    dist = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    for folder in Path("src").glob("*.egg-info"):  # setuptools adds the files that it lists to the sdist
        shutil.rmtree(folder)
    session.run("python", "-m", "build", "--sdist", "--outdir", str(dist), silent=True)
    (sdist,) = dist.glob("*.tar.gz")
    check_sdist(session, sdist)
    wheels = [build_wheel(session, sdist, dist / "pure", PURE)]
    if can_compile(session):
        wheels.append(build_wheel(session, sdist, dist / "compiled", COMPILED))
    session.run("twine", "check", "--strict", str(sdist), *map(str, wheels))
    modules = public_modules()
    for wheel in wheels:
        session.install("--force-reinstall", str(wheel))
        # Outside the repository, so that only the installed wheel can be imported.
        with session.chdir(dist):
            check_speedups(session, not wheel.name.endswith("-py3-none-any.whl"))
            for module in modules:
                session.run("python", "-c", f"import {module}", silent=True)
        run_sdist_tests(session, sdist, dist / "tests")
    # A compiler that always fails is no error.
    session.install("--force-reinstall", "--no-deps", str(sdist), env={"CC": "false", "CXX": "false"})
    check_speedups(session, expected=False)


def build_wheel(session: nox.Session, sdist: Path, folder: Path, environment: dict[str, str]) -> Path:
    """Build a wheel from the sdist, and check its files and its name."""
    sources = unpack(sdist, folder / "sources")
    command = ("python", "-m", "build", "--wheel", "--outdir", str(folder), str(sources))
    session.run(*command, env=environment, silent=True)
    (wheel,) = folder.glob("*.whl")
    check_wheel(session, wheel, compiled=environment is COMPILED)
    return wheel


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack the sdist and return its root folder."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


def run_sdist_tests(session: nox.Session, sdist: Path, folder: Path) -> None:
    """Run some tests of the unpacked sdist against the installed wheel."""
    root = unpack(sdist, folder)
    shutil.rmtree(root / "src")
    with session.chdir(root):
        session.run("pytest", "-q", *QUICK_TESTS)


def check_wheel(session: nox.Session, wheel: Path, *, compiled: bool) -> None:
    """Fail unless the wheel contains exactly the files of the package and has the right kind of name."""
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to("src").as_posix()
        for path in Path("src/asgiwire").rglob("*")
        if path.suffix == ".py" or path.name == "py.typed"
    }
    modules = {name for name in names if re.fullmatch(r"asgiwire/_speedups\.[\w.-]+\.(so|pyd)", name)}
    missing, extra = expected - names, names - modules - expected
    if missing or extra:
        session.error(f"the wheel lacks {sorted(missing)} and must not contain {sorted(extra)}")
    if len(modules) != compiled or wheel.name.endswith("-py3-none-any.whl") == compiled:
        kind = "one compiled module and a platform" if compiled else "no compiled module and no platform"
        session.error(f"expected a wheel with {kind}, got {wheel.name} with {sorted(modules)}")


def check_sdist(session: nox.Session, sdist: Path) -> None:
    """Fail unless the sdist contains the files to build and test it, and no caches."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {
        *(".ci/run", "LICENSE", "README.md", "noxfile.py", "pyproject.toml", "setup.py"),
        *("src/asgiwire/py.typed", "src/asgiwire/_speedups.c"),
    }
    folders = ("benchmarks", "docs", "examples", "fuzz", "tests")
    missing = (needed | set(folders)) - names
    unwanted = r"(^|/)(__pycache__|\..*cache|\.hypothesis|_build)(/|$)|\.(so|pyd|pyc)$"
    extra = {name for name in names if re.search(unwanted, name)}
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
