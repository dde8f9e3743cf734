"""The decisions of the shell part: what is missing, what is up to date, which Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "testbed" / "toolchain" / "setup.sh"


class Checkout:
    """A folder that looks like a checkout with a virtual environment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        (root / "testbed" / "toolchain").mkdir(parents=True)
        shutil.copy(SOURCE, root / "testbed" / "toolchain")
        for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
            (root / name).write_text(f"{name}\n")
        (self.venv / "bin").mkdir(parents=True)
        (self.venv / "bin" / "python").symlink_to(sys.executable)
        (self.venv / "bin" / "activate").write_text(f"VIRTUAL_ENV={self.venv}\n")
        command = self.venv / "bin" / "testbed"
        command.write_text("#!/bin/sh\n")
        command.chmod(0o755)

    def run(self, commands: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Source the set-up and run some shell commands."""
        source = self.root / "testbed" / "toolchain" / "setup.sh"
        return subprocess.run(
            ["bash", "-uc", f'source "{source}"; python="{sys.executable}"; {commands}'],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(self.root), **variables},
        )

    def stamp(self, lock: str) -> None:
        """Write the stamp that an installation leaves."""
        done = self.run(f'fingerprint "$root/{lock}" >"$root/.venv/.stamp-{lock}"')
        assert done.returncode == 0, done.stderr

    def up_to_date(self, lock: str) -> bool:
        return self.run(f'up_to_date "$root/{lock}"').returncode == 0


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path.resolve() / "checkout")


def test_without_a_stamp_nothing_is_up_to_date(checkout):
    assert not checkout.up_to_date("requirements.lock")


def test_the_stamp_of_a_lock_counts_for_it(checkout):
    checkout.stamp("requirements.lock")
    assert checkout.up_to_date("requirements.lock")
    assert not checkout.up_to_date("requirements-dev.lock")


def test_the_longer_lock_counts_for_the_shorter(checkout):
    checkout.stamp("requirements-dev.lock")
    assert checkout.up_to_date("requirements.lock")


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_change_ends_it(checkout, changed):
    checkout.stamp("requirements.lock")
    (checkout.root / changed).write_text("changed\n")
    assert not checkout.up_to_date("requirements.lock")


@pytest.mark.parametrize("lost", ["python", "testbed"])
def test_a_broken_environment_is_not_up_to_date(checkout, lost):
    checkout.stamp("requirements.lock")
    (checkout.venv / "bin" / lost).unlink()
    assert not checkout.up_to_date("requirements.lock")


def test_a_checkout_that_moved_is_not_up_to_date(checkout, tmp_path):
    checkout.stamp("requirements.lock")
    assert checkout.run("venv_sound").returncode == 0
    checkout.root = checkout.root.rename(tmp_path.resolve() / "moved")
    assert not checkout.up_to_date("requirements.lock")
    assert checkout.run("venv_sound").returncode != 0


def test_the_root_is_found_from_anywhere_and_through_links(checkout, tmp_path):
    (tmp_path / "link").symlink_to(checkout.root)
    source = tmp_path / "link" / "testbed" / "toolchain" / "setup.sh"
    done = subprocess.run(
        ["bash", "-c", f'source "{source}"; echo "$root"'],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert done.stdout.strip() == str(checkout.root)


def test_a_python_that_is_too_old_is_passed_over(checkout, script, tmp_path):
    for name in ("python3.11", "python3.12", "python3.13"):
        script(tmp_path / "bin" / name, "exit 1")
    good = script(tmp_path / "good" / "python3", f'exec "{sys.executable}" "$@"')
    path = f"{tmp_path / 'bin'}:{good.parent}:{os.environ['PATH']}"
    done = checkout.run("find_python", PATH=path)
    assert done.stdout.strip() == sys.executable


def test_the_python_of_the_variable_comes_first(checkout, script, tmp_path):
    mine = script(tmp_path / "mine", 'case "$2" in *print*) echo mine;; esac')
    assert checkout.run("find_python", TESTBED_PYTHON=str(mine)).stdout.strip() == "mine"


def tools(tmp_path: Path, *names: str) -> str:
    """A PATH with a few real programs and nothing else."""
    folder = tmp_path / "few"
    folder.mkdir()
    for name in ("bash", "dirname", "readlink", "cat", *names):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return str(folder)


def missing(
    checkout: Checkout, path: str, python: str = sys.executable, programs: str = ""
) -> list[str]:
    """The packages that are found missing; the folders of system programs are hidden."""
    commands = (
        f'PATH="{path}"; python="{python}"; missing_packages {programs}; echo "${{packages[*]}}"'
    )
    return checkout.run(commands, SSL_CERT_FILE="/any").stdout.split()


def test_what_is_missing_is_named_by_package(checkout, tmp_path):
    path = tools(tmp_path)
    assert missing(checkout, path) == ["nftables", "iproute2", "util-linux"]


def test_nothing_is_missing_where_everything_is(checkout, script, tmp_path):
    path = tools(tmp_path)
    for name in ("nft", "ip", "unshare", "nsenter"):
        script(Path(path) / name, "exit 0")
    assert missing(checkout, path) == []


def test_a_python_without_ensurepip_needs_a_package_only_for_a_new_environment(
    checkout, script, tmp_path
):
    path = tools(tmp_path)
    for name in ("nft", "ip", "unshare", "nsenter"):
        script(Path(path) / name, "exit 0")
    bare = script(tmp_path / "bare-python", "exit 1")
    assert missing(checkout, path, str(bare)) == []
    (checkout.venv / "bin" / "python").unlink()
    assert missing(checkout, path, str(bare)) == ["python3-venv"]
    assert missing(checkout, path, "") == ["python3", "python3-venv"]


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="the line to type is Debian's")
def test_an_ordinary_user_is_told_what_to_type(checkout, script, tmp_path):
    path = tools(tmp_path)
    script(Path(path) / "apt-get", "echo must not be called >&2; exit 1")
    # EUID is read-only in bash: the set-up is read with another name in its place.
    setup = checkout.root / "testbed" / "toolchain" / "setup.sh"
    setup.write_text(setup.read_text().replace("EUID", "user"))
    done = checkout.run(f'user=1000; PATH="{path}"; install_packages', SSL_CERT_FILE="/any")
    assert done.returncode == 3
    assert (
        "sudo apt-get install -y --no-install-recommends nftables iproute2 util-linux"
        in done.stderr
    )
    assert "must not be called" not in done.stderr


def test_programs_of_the_tests_are_missed_only_when_asked_for(checkout, script, tmp_path):
    path = tools(tmp_path)
    for name in ("nft", "ip", "unshare", "nsenter"):
        script(Path(path) / name, "exit 0")
    asked = '"${test_programs[@]}"'
    assert missing(checkout, path) == []
    assert missing(checkout, path, programs=asked) == ["prometheus", "chromium"]
    script(Path(path) / "promtool", "exit 0")
    assert missing(checkout, path, programs=asked) == ["chromium"]


def install(checkout, script, tmp_path, user: int, body: str):
    """Install a package of the tests by an apt-get of ours; ``policy`` is a file of ours too."""
    path = tools(tmp_path, "mktemp", "chmod", "rm", "touch", "tail")
    for name in ("nft", "ip", "unshare", "nsenter"):
        script(Path(path) / name, "exit 0")
    script(Path(path) / "apt-get", body)
    script(Path(path) / "systemctl", f'echo "$*" >>"{tmp_path}/systemctl"')
    # EUID is read-only in bash: the set-up is read with another name in its place.
    setup = checkout.root / "testbed" / "toolchain" / "setup.sh"
    setup.write_text(setup.read_text().replace("EUID", "user"))
    variables = f'user={user}; PATH="{path}"; policy="{tmp_path}/policy"'
    return checkout.run(
        f"{variables}; install_packages promtool=prometheus",
        SSL_CERT_FILE="/any",
        TMPDIR=str(tmp_path),
    )


def test_a_service_of_a_package_is_neither_started_nor_left_for_the_next_boot(
    checkout, script, tmp_path
):
    body = f"""
        case "$*" in
            *install*)
                "{tmp_path}/policy" && exit 1
                echo '#!/bin/sh' >"{tmp_path}/few/promtool"
                chmod +x "{tmp_path}/few/promtool";;
        esac"""
    done = install(checkout, script, tmp_path, 0, body)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "policy").exists()
    assert (tmp_path / "systemctl").read_text() == "disable prometheus\n"
    assert list(tmp_path.glob("testbed-apt.*")) == []


def test_a_failed_installation_takes_its_policy_away(checkout, script, tmp_path):
    done = install(checkout, script, tmp_path, 0, "echo no such package; exit 100")
    assert done.returncode == 3
    assert "no such package" in done.stderr
    assert not (tmp_path / "policy").exists()


def test_an_ordinary_user_is_told_how_to_switch_the_service_off(checkout, script, tmp_path):
    done = install(checkout, script, tmp_path, 1000, "exit 1")
    assert done.returncode == 3
    assert done.stderr.splitlines()[1:3] == [
        "  Type: sudo apt-get install -y --no-install-recommends prometheus",
        "  Type: sudo systemctl disable --now prometheus # not needed",
    ]


def test_a_checkout_that_cannot_be_written_is_named(checkout):
    shutil.rmtree(checkout.venv)
    checkout.venv.write_text("in the way")
    done = checkout.run("make_venv")
    assert done.returncode == 3
    assert f"cannot write {checkout.venv}" in done.stderr
    assert "Clone the project" in done.stderr


def test_a_locale_that_is_not_utf8_is_replaced(checkout):
    assert checkout.run('echo "$LC_ALL"', LANG="C").stdout.strip() == "C.UTF-8"
    assert checkout.run('echo "${LC_ALL-}"', LANG="de_DE.UTF-8").stdout.strip() == ""


def test_modules_are_compiled_also_where_python_keeps_no_bytecode(checkout):
    (checkout.root / "testbed" / "one.py").write_text("ONE = 1\n")
    done = checkout.run("compile_modules", PYTHONDONTWRITEBYTECODE="1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list((checkout.root / "testbed" / "__pycache__").glob("one.*.pyc"))
