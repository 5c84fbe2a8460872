"""For each alert, series with which it fires and series with which it does not, in promtool's notation."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CASES", "Case"]

UP = 'up{job="sixty", instance="a"}'
CALLS = 'mcp_tool_calls_total{job="sixty", tool_name="get_deal", status="%s"}'
ERRORS = 'mcp_errors_total{job="sixty", tool_name="get_deal", error_type="%s"}'
TOOK = 'mcp_tool_call_duration_seconds_bucket{job="sixty", tool_name="get_deal", le="%s"}'
DISK = '{instance="m", mountpoint="/", fstype="ext4"}'
MIB = 1024 * 1024


@dataclass(frozen=True)
class Case:
    """Series, one sample a minute, and whether the alert fires after that many minutes."""

    alert: str
    series: dict[str, str]
    fires: bool
    after: int = 20
    since: str = ""
    """What makes the difference to the case above it."""


def took(fast: int, slow: int) -> dict[str, str]:
    """The histogram of so many calls a minute under 0.25 s, and so many between 0.5 s and 1 s."""
    total = fast + slow
    return {
        TOOK % "0.25": f"0+{fast}x60",
        TOOK % "0.5": f"0+{fast}x60",
        TOOK % "1": f"0+{total}x60",
        TOOK % "+Inf": f"0+{total}x60",
    }


CASES = [
    Case("SixtyUnavailable", {UP: "0x60"}, fires=True),
    Case("SixtyUnavailable", {'up{job="node"}': "1x60"}, fires=True, since="nobody is even looked for"),
    Case("SixtyUnavailable", {UP: "0x60", 'up{job="sixty", instance="b"}': "1x60"}, fires=False),
    Case("SixtyReplicaDown", {UP: "1x9 0x50"}, fires=True),
    Case("SixtyReplicaDown", {UP: "1x9 0 1x50"}, fires=False, since="it was back after a minute"),
    Case("SixtyUnreachable", {'probe_success{job="edge", instance="https://nginx/health"}': "0x60"}, fires=True),
    Case("SixtyUnreachable", {'probe_success{job="edge", instance="https://nginx/health"}': "1x60"}, fires=False),
    Case("SixtyRestarting", {'process_start_time_seconds{job="sixty"}': "1x9 2 3 4 5x50"}, fires=True),
    Case("SixtyRestarting", {'process_start_time_seconds{job="sixty"}': "1x9 2x50"}, fires=False, since="a rollout"),
    Case(
        "SixtyFailing",
        {CALLS % "success": "0+95x60", CALLS % "error": "0+5x60", ERRORS % "internal": "0+2x60"},
        fires=True,
    ),
    Case("SixtyFailing", {CALLS % "success": "0+90x60", ERRORS % "unavailable": "0+10x60"}, fires=True),
    Case(
        "SixtyFailing",
        {CALLS % "success": "0+90x60", ERRORS % "invalid": "0+10x60"},
        fires=False,
        since="callers' mistakes",
    ),
    Case(
        "SixtyFailing",
        {CALLS % "success": "0+999x60", ERRORS % "internal": "0+1x60"},
        fires=False,
        since="one in a thousand",
    ),
    Case("SixtyRefusing", {CALLS % "success": "0+60x60", CALLS % "error": "0+40x60"}, fires=True, after=40),
    Case("SixtyRefusing", {CALLS % "success": "0+90x60", CALLS % "error": "0+10x60"}, fires=False, after=40),
    Case("SixtySlow", took(fast=90, slow=10), fires=True),
    Case("SixtySlow", took(fast=99, slow=1), fires=False),
    Case("SixtyMemoryHigh", {'process_resident_memory_bytes{job="sixty"}': f"{450 * MIB}x60"}, fires=True),
    Case("SixtyMemoryHigh", {'process_resident_memory_bytes{job="sixty"}': f"{300 * MIB}x60"}, fires=False),
    Case(
        "SixtyFilesRunningOut",
        {'process_open_fds{job="sixty"}': "900x60", 'process_max_fds{job="sixty"}': "1024x60"},
        fires=True,
    ),
    Case(
        "SixtyFilesRunningOut",
        {'process_open_fds{job="sixty"}': "100x60", 'process_max_fds{job="sixty"}': "1024x60"},
        fires=False,
    ),
    Case(
        "SixtyCertificateExpires",
        {'probe_ssl_earliest_cert_expiry{job="edge"}': f"{10 * 86400}x120"},
        fires=True,
        after=90,
    ),
    Case(
        "SixtyCertificateExpires",
        {'probe_ssl_earliest_cert_expiry{job="edge"}': f"{60 * 86400}x120"},
        fires=False,
        after=90,
    ),
    Case("SixtyJobsFailing", {'sixty_jobs{state="failed"}': "2x15 3x40"}, fires=True, after=20),
    Case(
        "SixtyJobsFailing",
        {'sixty_jobs{state="failed"}': "2x15 3x40"},
        fires=False,
        after=40,
        since="none after that one",
    ),
    Case("SixtyJobsFailing", {'sixty_jobs{state="failed"}': "2x15 1x40"}, fires=False, since="an old one was cleared"),
    Case("SixtyJobsPilingUp", {'sixty_jobs{state="waiting"}': "0+100x60"}, fires=True, after=50),
    Case(
        "SixtyJobsPilingUp",
        {'sixty_jobs{state="waiting"}': "9000-100x60"},
        fires=False,
        after=50,
        since="they grow fewer",
    ),
    Case("SixtyJobsPilingUp", {'sixty_jobs{state="waiting"}': "20+1x60"}, fires=False, after=50, since="a few"),
    Case("SixtyAuditUnsealed", {"sixty_audit_unsealed": "30x60", CALLS % "success": "0+10x60"}, fires=True),
    Case(
        "SixtyAuditUnsealed", {"sixty_audit_unsealed": "1x60"}, fires=True, since="nobody calls, and one stays unsealed"
    ),
    Case(
        "SixtyAuditUnsealed",
        {"sixty_audit_unsealed": "30x60", CALLS % "success": "0+600x60"},
        fires=False,
        since="many calls",
    ),
    Case("SixtyAuditUnsealed", {"sixty_audit_unsealed": "0x60"}, fires=False),
    Case("SixtyAuditWaiting", {"sixty_audit_waiting": "2000x60"}, fires=True),
    Case("SixtyAuditWaiting", {"sixty_audit_waiting": "20x60"}, fires=False),
    Case("SixtyAuditLost", {"sixty_audit_lost_total": "0x15 7x40"}, fires=True),
    Case("SixtyAuditLost", {"sixty_audit_lost_total": "7x60"}, fires=False, since="lost long ago"),
    Case("SixtyDatabaseConnectionsExhausted", {'sixty_database_connections{state="busy"}': "8x60"}, fires=True),
    Case(
        "SixtyDatabaseConnectionsExhausted",
        {'sixty_database_connections{state="busy"}': "8 3 8 3 8 3 8 3 8 3 8 3 8 3 8 3 8 3 8 3 8 3"},
        fires=False,
    ),
    Case("SixtyLimitsNotShared", {"sixty_limits_shared": "1x9 0x50"}, fires=True),
    Case("SixtyLimitsNotShared", {"sixty_limits_shared": "1x60"}, fires=False),
    Case("SixtyBackupOld", {"sixty_backup_timestamp_seconds": "0x1700"}, fires=True, after=27 * 60),
    Case("SixtyBackupOld", {"sixty_backup_timestamp_seconds": "0x1700"}, fires=False, after=25 * 60),
    Case("SixtyBackupMissing", {UP: "1x1700"}, fires=True, after=27 * 60),
    Case("SixtyBackupMissing", {UP: "1x1700"}, fires=False, after=25 * 60, since="the first night is not over"),
    Case("SixtyBackupMissing", {UP: "1x1700", "sixty_backup_timestamp_seconds": "0x1700"}, fires=False, after=27 * 60),
    Case(
        "DiskFilling",
        {f"node_filesystem_avail_bytes{DISK}": "5x60", f"node_filesystem_size_bytes{DISK}": "100x60"},
        fires=True,
    ),
    Case(
        "DiskFilling",
        {f"node_filesystem_avail_bytes{DISK}": "900-1x400", f"node_filesystem_size_bytes{DISK}": "1000x400"},
        fires=True,
        after=380,
        since="full within a day",
    ),
    Case(
        "DiskFilling",
        {f"node_filesystem_avail_bytes{DISK}": "50x60", f"node_filesystem_size_bytes{DISK}": "100x60"},
        fires=False,
    ),
    Case(
        "MachineMemoryLow",
        {"node_memory_MemAvailable_bytes": "5x60", "node_memory_MemTotal_bytes": "100x60"},
        fires=True,
    ),
    Case(
        "MachineMemoryLow",
        {"node_memory_MemAvailable_bytes": "40x60", "node_memory_MemTotal_bytes": "100x60"},
        fires=False,
    ),
    Case("RedisDown", {"redis_up": "1x9 0x50"}, fires=True),
    Case("RedisDown", {"redis_up": "1x60"}, fires=False),
    Case("RedisMemoryHigh", {"redis_memory_used_bytes": "95x60", "redis_memory_max_bytes": "100x60"}, fires=True),
    Case(
        "RedisMemoryHigh",
        {"redis_memory_used_bytes": "95x60", "redis_memory_max_bytes": "0x60"},
        fires=False,
        since="no bound",
    ),
    Case("RedisMemoryHigh", {"redis_memory_used_bytes": "50x60", "redis_memory_max_bytes": "100x60"}, fires=False),
    Case("ExporterDown", {'up{job="redis"}': "0x60"}, fires=True),
    Case("ExporterDown", {'up{job="redis"}': "1x60"}, fires=False),
]
