"""Restoring a base backup: the way back that a jurisdiction has when its cluster is lost."""

from __future__ import annotations

from faults.maintenance_site import Site, run, store_of
from testbed.toolchain.programs import locate

_FOLDER = "/srv/restored"
_BACKUPS = "/srv/backup"
_UNPRIVILEGED = "unshare --user --map-user=1000 --map-group=1000"
_REPLAYED_S = 20
_ROWS = "select count(*) from customers"

_SETTINGS = {
    "restore_command": f"cp {_BACKUPS}/wal/{{of}}/%f %p || cp {_BACKUPS}/wal/{{of}}/%f.partial %p",
    "listen_addresses": "",
    "unix_socket_directories": _FOLDER,
    "hba_file": f"{_FOLDER}/data/pg_hba.conf",
    # Its standbys' settings and its log's folder are of another host.
    "hot_standby": "off",
    "logging_collector": "off",
    # It must not read from other jurisdictions in the place of the cluster that lives.
    "max_logical_replication_workers": "0",
}


class RestoreBase:
    """The newest base backup is started on the jurisdiction's store, and replays its archive."""

    async def do(self, site: Site) -> None:
        """Copy it, and let it replay the archived log to its end."""
        of = site.jurisdiction.lower()
        lines = "\n".join(f"{name} = '{value.format(of=of)}'" for name, value in _SETTINGS.items())
        script = f"""
            rm -rf {_FOLDER} && mkdir -m 700 {_FOLDER}
            cp -r "$(ls -d {_BACKUPS}/base/{of}-*[0-9] | tail -n 1)" {_FOLDER}/data
            chmod 700 {_FOLDER}/data && cd {_FOLDER}/data && touch recovery.signal
            cat >> postgresql.auto.conf <<'END'
{lines}
END
            {_pg_ctl("start", f"--log={_FOLDER}/log")}
            timeout {_REPLAYED_S} sh -c 'until {_program("pg_isready")} -q -h {_FOLDER}
                do sleep 0.1; done'
        """
        await run(site, store_of(site), script)

    async def count(self, site: Site) -> int:
        """Rows that were restored."""
        psql = f"{_program('psql')} --no-psqlrc -qAt -h {_FOLDER} -U postgres testbed"
        script = f'[ ! -d {_FOLDER} ] && echo 0 || {psql} -c "{_ROWS}"'
        return int(await run(site, store_of(site), script))

    async def undo(self, site: Site) -> None:
        """Stop and remove it."""
        script = f"""
            [ ! -f {_FOLDER}/data/postmaster.pid ] || {_pg_ctl("stop", "--mode=immediate")}
            rm -rf {_FOLDER}
        """
        await run(site, store_of(site), script)


def _pg_ctl(verb: str, argument: str) -> str:
    return (
        f"{_UNPRIVILEGED} {_program('pg_ctl')} {verb} --silent --pgdata={_FOLDER}/data {argument}"
    )


def _program(name: str) -> str:
    return str(locate("postgres").folder / name)
