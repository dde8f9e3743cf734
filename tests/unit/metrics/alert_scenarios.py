"""What each alert says, and when: series as Prometheus would have scraped them, once a second."""

from __future__ import annotations

from dataclasses import dataclass, field

ONE = 'testbed_deployment_info{world="w",deployment="d",primaries="one"}'
MANY = ONE.replace("one", "many")


@dataclass(frozen=True)
class Firing:
    """An alert that fires: its labels beside its severity, and its summary."""

    name: str
    summary: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """Series with their values from second 0 on, and what fires at a second; nothing else does."""

    title: str
    series: dict[str, str]
    at_s: int
    fires: tuple[Firing, ...] = ()


def operations(outcome: str, kind: str = "write", region: str = "east") -> str:
    labels = f'world="w",region="{region}",kind="{kind}",outcome="{outcome}"'
    return f"testbed_operations_total{{{labels}}}"


def writes_within(seconds: str) -> str:
    labels = f'world="w",region="east",kind="write",le="{seconds}"'
    return f"testbed_operation_duration_seconds_bucket{{{labels}}}"


def role(node: str, name: str = "primary") -> str:
    return f'testbed_node_role{{world="w",region="east",node="{node}",role="{name}"}}'


def acknowledged(node: str) -> str:
    return f'testbed_acknowledged_writes_total{{world="w",region="east",node="{node}"}}'


UNACKNOWLEDGED = 'testbed_writes_unacknowledged_seconds{world="w",region="east"}'
STREAM = '{world="w",source="west",target="east",sender="a",receiver="b"}'
STREAM_LABELS = {"world": "w", "source": "west", "target": "east", "sender": "a", "receiver": "b"}
LINK = '{world="w",source="west",target="east"}'
BACK = '{world="w",source="east",target="west"}'
LINK_LABELS = {"world": "w", "source": "west", "target": "east"}
EAST = {"world": "w", "region": "east"}


def between(source: str, target: str) -> str:
    return f'testbed_link_up{{world="w",source="{source}",target="{target}"}}'


TWO = Firing("TestbedTwoPrimaries", "2 nodes of w act as primary at the same time", {"world": "w"})

SCENARIOS = (
    Scenario(
        "an outage of writes fires when it is longer than three seconds",
        {UNACKNOWLEDGED: "0x9 1 2 3 4"},
        13,
        (
            Firing(
                "TestbedWritesUnavailable",
                "Clients of east have had no write acknowledged for 4s",
                EAST,
            ),
        ),
    ),
    Scenario("an outage of three seconds is borne", {UNACKNOWLEDGED: "0x9 1 2 3 0"}, 12),
    Scenario(
        "operations that fail are a share of those asked for",
        {operations("ok"): "0+30x10 300+20x10", operations("info"): "0x10 0+10x10"},
        20,
        (
            Firing(
                "TestbedOperationsFailing",
                "33.33% of the operations of east fail or end unknown",
                EAST,
            ),
        ),
    ),
    Scenario(
        "reads that are never sent count as failed",
        {operations("ok"): "0+10x20", operations("shed", "read"): "0+10x20"},
        20,
        (
            Firing(
                "TestbedOperationsFailing",
                "50% of the operations of east fail or end unknown",
                EAST,
            ),
        ),
    ),
    Scenario(
        "a few failures, and marks that are not seen yet, are borne",
        {
            operations("ok"): "0+30x20",
            operations("fail"): "0+2x20",
            operations("fail", "other"): "0+30x20",
        },
        20,
    ),
    Scenario(
        "slow writes fire by their nine tenths",
        {writes_within(bound): series for bound, series in
         {"0.5": "0+8x20", "0.75": "0+10x20", "+Inf": "0+10x20"}.items()},
        20,
        (
            Firing(
                "TestbedWritesSlow",
                "A tenth of the acknowledged writes of east take 625ms or more",
                EAST,
            ),
        ),
    ),
    Scenario(
        "a few slow writes are borne",
        {writes_within(bound): series for bound, series in
         {"0.5": "0+19x20", "0.75": "0+20x20", "+Inf": "0+20x20"}.items()},
        20,
    ),
    Scenario(
        "no primary fires after two seconds",
        {ONE: "1x20", role("a"): "1x10 0x10", role("b"): "0x20"},
        13,
        (Firing("TestbedNoPrimary", "No node of w claims to be primary", {"world": "w"}),),
    ),
    Scenario(
        "a hand-over from one node to the next is borne",
        {
            ONE: "1x20",
            role("a"): "1x10 0x9",
            role("b"): "0x11 1x9",
            acknowledged("a"): "0+10x10 100x9",
            acknowledged("b"): "0x10 10+10x9",
        },
        14,
    ),
    Scenario(
        "two that claim to be primary fire",
        {ONE: "1x20", role("a"): "1x20", role("b"): "0x10 1x9"},
        16,
        (TWO,),
    ),
    Scenario(
        "two that acknowledge writes fire, whatever they claim",
        {
            ONE: "1x20",
            role("a"): "1x20",
            role("b"): "0x20",
            acknowledged("a"): "0+10x20",
            acknowledged("b"): "0x5 0+10x14",
        },
        19,
        (TWO,),
    ),
    Scenario(
        "where each region takes writes, many primaries are as it should be",
        {
            MANY: "1x20",
            role("a"): "1x20",
            role("b"): "1x20",
            acknowledged("a"): "0+10x20",
            acknowledged("b"): "0+10x20",
        },
        20,
    ),
    Scenario(
        "a silent node fires",
        {role("b", "silent"): "0x10 1x9", role("a", "silent"): "0x10 1 0x9"},
        15,
        (
            Firing(
                "TestbedNodeSilent",
                "b does not answer",
                {**EAST, "node": "b", "role": "silent"},
            ),
        ),
    ),
    Scenario(
        "replication that does not stream fires, and one that is late",
        {
            f"testbed_replication_streaming{STREAM}": "1x10 0x9",
            f"testbed_replication_lag_seconds{STREAM}": "0x10 1 2 3 4 5",
        },
        15,
        (
            Firing("TestbedReplicationBroken", "Nothing streams to b", STREAM_LABELS),
            Firing("TestbedReplicationLagging", "b is 5s behind a", STREAM_LABELS),
        ),
    ),
    Scenario(
        "a short lag is borne, and a stream that comes back",
        {
            f"testbed_replication_streaming{STREAM}": "1x10 0 1x9",
            f"testbed_replication_lag_seconds{STREAM}": "0x10 1 2 0x9",
        },
        12,
    ),
    Scenario(
        "a link over which nothing arrives is down, and has no delay",
        {
            f"testbed_link_up{LINK}": "1x10 0x9",
            f"testbed_link_up{BACK}": "1x20",
            f"testbed_link_delay_seconds{LINK}": "0.035x10 stale",
            f"testbed_link_asked_delay_seconds{LINK}": "0.035x20",
        },
        15,
        (Firing("TestbedLinkDown", "Nothing arrives from west in east", LINK_LABELS),),
    ),
    Scenario(
        "a link from a region whose observer is dead is not known to be down",
        {f"testbed_link_up{LINK}": "1x10 0x9", f"testbed_link_up{BACK}": "1x10 stale"},
        15,
    ),
    Scenario(
        "a link that is cut one way is down in that direction alone",
        {f"testbed_link_up{LINK}": "1x20", f"testbed_link_up{BACK}": "1x10 0x9"},
        15,
        (
            Firing(
                "TestbedLinkDown",
                "Nothing arrives from east in west",
                {"world": "w", "source": "east", "target": "west"},
            ),
        ),
    ),
    Scenario(
        "a region that is cut off from two others is cut off in four directions",
        {between(source, target): "1x10 0x9" for source, target in
         (("west", "east"), ("east", "west"), ("north", "east"), ("east", "north"))}
        | {between("west", "north"): "1x20", between("north", "west"): "1x20"},
        15,
        tuple(
            Firing(
                "TestbedLinkDown",
                f"Nothing arrives from {source} in {target}",
                {"world": "w", "source": source, "target": target},
            )
            for source, target in
            (("west", "east"), ("east", "west"), ("north", "east"), ("east", "north"))
        ),
    ),
    Scenario(
        "a link is slow by what was asked of it",
        {
            f"testbed_link_up{LINK}": "1x20",
            f"testbed_link_delay_seconds{LINK}": "0.09x10 0.485x9",
            f"testbed_link_asked_delay_seconds{LINK}": "0.035x20",
        },
        15,
        (Firing("TestbedLinkSlow", "From west to east it takes 485ms one way", LINK_LABELS),),
    ),
    Scenario(
        "a broken promise fires, and neither one that held nor one that is unknown",
        {
            f'testbed_verdict{{world="w",promise="{promise}",validity="{validity}"}}': "1x5"
            for promise, validity in
            (("durability", "violation"), ("rto", "valid"), ("physics", "unknown"))
        },
        0,
        (
            Firing(
                "TestbedPromiseBroken",
                "w broke the promise durability",
                {"world": "w", "promise": "durability", "validity": "violation"},
            ),
        ),
    ),
)  # fmt: skip
