"""Makes `.venv` and installs locked requirements into it; needs nothing but Python.

    python3.11 scrm/bootstrap.py requirements.txt [more.txt ...]

A file that was installed once is not touched again until it changes.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
VENV = BASE_DIR / ".venv"
NEEDED = (3, 11)


def main(names: list[str]) -> int:
    """Install the files that are not installed yet; the exit status is 1 where that fails."""
    if sys.version_info[:2] < NEEDED:
        print(f"Python {NEEDED[0]}.{NEEDED[1]} or later is needed; this is {sys.version.split()[0]}.")
        return 1
    try:
        for path in (BASE_DIR / name for name in names):
            if not stamp(path).exists():
                create_environment()
                install(path)
                stamp(path).touch()
    except subprocess.CalledProcessError as error:
        print(f"This failed: {' '.join(map(str, error.cmd))}")
        return 1
    return 0


def stamp(path: Path) -> Path:
    """The file whose presence says that exactly this content is installed."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return VENV / f".installed-{path.stem}-{digest}"


def create_environment() -> None:
    """Make `.venv` where there is none."""
    if not (VENV / "bin" / "python").exists():
        print("Creating .venv ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)


def install(path: Path) -> None:
    """Install every package of a lock file, counting aloud. Raises CalledProcessError."""
    total = sum("==" in line for line in path.read_text().splitlines())
    pip_install = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--progress-bar", "off"]
    # The lock names everything, so nothing needs resolving; Python compiles what it imports by itself.
    command = [*pip_install, "--require-hashes", "--no-deps", "--no-compile", "-r", str(path)]
    surroundings = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    words: list[str] = []
    seen = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=surroundings
    ) as pip:
        for line in pip.stdout or ():
            words.append(line)
            if line.startswith(("Collecting", "Requirement already")):
                seen += 1
                tell(f"Getting the packages of {path.name}: {seen} of {total}")
            elif line.startswith("Installing collected"):
                tell(f"Installing the packages of {path.name} ...")
    print(flush=True)
    if pip.returncode:
        sys.stdout.writelines(words[-20:])
        raise subprocess.CalledProcessError(pip.returncode, command)


def tell(text: str) -> None:
    """Show progress: in place on a terminal, else on lines of their own for the big steps."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif text.endswith("..."):
        print(text, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
