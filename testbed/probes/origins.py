"""How bytes come to lie in a file, told from the file's path."""

from __future__ import annotations

import re

_KINDS = (
    (r"/pg_wal/archive_status/", "archiver's status"),
    (r"/pg_wal/.*\.partial$", "write-ahead log"),
    (r"/pg_wal/", "write-ahead log"),
    (r"/[0-9A-F]{24}(\.\w+)*$", "archived write-ahead log"),
    (r"/pgsql_tmp/", "temporary file of a sort, hash or cursor"),
    (r"/pg_replslot/", "spill file of logical decoding"),
    (r"/pg_twophase/", "prepared transaction"),
    (r"/pg_notify/", "notification queue"),
    (r"/(pgss_query_texts|pg_stat_statements)\.stat$", "texts of pg_stat_statements"),
    (r"/(pg_stat|pg_stat_tmp)/", "cumulative statistics"),
    (r"/pg_logical/", "state of logical replication"),
    (r"/base/\d+/pg_", "catalogue map"),
    (r"/(base/\d+|global|pg_tblspc/.*)/t?\d*_?\d+(_\w+)?(\.\d+)?$", "table or index file"),
    (r"raft\.db$", "Consul's raft log"),
    (r"/raft/snapshots/", "Consul's snapshot"),
    (r"/serf/", "Consul's gossip state"),
    (r"(\.rdb|\.aof|appendonly)", "cache's own file"),
    (r"(dump|\.sql|\.dmp)(\.\w+)?$", "dump"),
    (r"(\.tar|\.tgz|backup)", "backup"),
    (r"(\.log$|\.csv$|/log/|/srv/log)", "log file"),
)


def origin_of(file: str) -> str:
    """The kind of a file in a few words; ``file`` when its path does not tell."""
    plain = file.removesuffix(" (deleted)")
    backup = re.search(r"backup", plain) is not None
    for pattern, kind in _KINDS:
        if re.search(pattern, plain):
            if backup and kind not in ("backup", "dump"):
                return f"backup: {kind}"
            return f"unlinked {kind}" if file != plain else kind
    return "file"
