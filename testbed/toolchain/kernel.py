"""Tries what a world asks of the kernel, each in namespaces that are gone a moment later."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from testbed.toolchain.check import Check, State

_NAMESPACES = (
    *("unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--uts"),
    *("--fork", "--kill-child"),
)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class _Trial:
    """A shell script to try inside fresh namespaces.

    Args:
        name: What it tries.
        works: What to say when it does.
        script: For ``sh -e``.
        remedy: What to do when it does not.
        needed: Whether no world can be without it.
    """

    name: str
    works: str
    script: str
    remedy: str
    needed: bool = True


_TRIALS = (
    _Trial(
        name="users inside a world",
        works="PostgreSQL can have a user that is not root",
        script="test $(unshare --user --map-user=1000 --map-group=1000 id -u) = 1000",
        remedy="Nested user namespaces are needed, and unshare of util-linux 2.38 or newer.",
    ),
    _Trial(
        name="network interfaces",
        works="bridges and veth pairs",
        script="ip link add tb0 type bridge; ip link add tb1 type veth peer name tb2; "
        "ip link set tb1 master tb0; ip link set tb1 up",
        remedy="Type as root: modprobe bridge; modprobe veth",
    ),
    _Trial(
        name="packet filter",
        works="nft with address translation by map, sets with counters",
        script="nft -f - <<'END'\n"
        "table ip trial {\n"
        " set cut { type ipv4_addr . ipv4_addr; flags interval; counter; }\n"
        " map m { type ipv4_addr . ipv4_addr . inet_service : ipv4_addr . inet_service;"
        " flags interval; }\n"
        " chain pre { type nat hook prerouting priority dstnat;"
        " dnat ip to ip saddr . ip daddr . tcp dport map @m; }\n"
        " chain post { type nat hook postrouting priority srcnat; snat to 10.77.1.1; }\n"
        " chain raw { type filter hook prerouting priority raw; ip saddr . ip daddr @cut drop; }\n"
        "}\nEND",
        remedy="Type as root: modprobe nf_tables; modprobe nft_chain_nat; modprobe nft_ct",
    ),
    _Trial(
        name="overlay file systems",
        works="snapshots can be started as overlays",
        script="cd /tmp; mount -t tmpfs tmpfs /tmp; cd /tmp; mkdir -p l/a u w m; "
        "mount -t overlay overlay -o userxattr,lowerdir=l,upperdir=u,workdir=w m; "
        "touch m/a/b; rm -r m/a",
        remedy="Nothing has to be done: snapshots are copied instead, which takes longer. Overlays "
        "in memory take Linux 6.6 or newer.",
        needed=False,
    ),
)

_SWITCHES = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


def kernel_checks() -> tuple[Check, ...]:
    """Try everything; where namespaces themselves fail, nothing else can be tried."""
    if shutil.which("unshare", path=_PATH) is None:
        return (Check("namespaces", State.FAILED, "no unshare", "Install util-linux."),)
    error = _attempt("true")
    if error is not None:
        return (Check("namespaces", State.FAILED, error, _namespaces_remedy()),)
    first = Check("namespaces", State.OK, "user, network, mount, process and name namespaces")
    return (first, *(_tried(trial) for trial in _TRIALS))


def _tried(trial: _Trial) -> Check:
    error = _attempt(trial.script)
    if error is None:
        return Check(trial.name, State.OK, trial.works)
    state = State.FAILED if trial.needed else State.WARNING
    return Check(trial.name, state, error, trial.remedy)


def _attempt(script: str) -> str | None:
    """The last line of a script's complaint, or None when it worked."""
    try:
        done = subprocess.run(
            [*_NAMESPACES, "sh", "-ec", script],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
            env={"PATH": _PATH},
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {_TIMEOUT_S:.0f} s"
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def _namespaces_remedy() -> str:
    """What to do about a kernel that gives no namespaces, from what it says of itself."""
    off = [setting for file, value, setting in _SWITCHES if _reads(Path(file), value)]
    if off:
        return "Type as root: " + "; ".join(f"sysctl -w {setting}" for setting in off)
    return (
        "Run as root; in a container, allow user namespaces there "
        "(with Docker: --privileged, or --security-opt seccomp=unconfined --cap-add SYS_ADMIN)."
    )


def _reads(file: Path, value: str) -> bool:
    try:
        return file.read_text(encoding="ascii").strip() == value
    except OSError:
        return False
