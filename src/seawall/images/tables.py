"""The tables of what is inside images."""

from sqlalchemy import JSON, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text

from seawall.core.severity import Severity

METADATA = MetaData()
MAX_TEXT = 512
SEVERITIES = tuple(severity.value for severity in Severity)

INVENTORIES = Table(
    "inventories",
    METADATA,
    Column("image_id", String(160), primary_key=True),
    Column("scan", String(64), nullable=False),
    Column("name", String(MAX_TEXT), nullable=False),
    Column("agent_id", String(64), nullable=False),
    Column("host_id", String(64), nullable=False),
    Column("host_name", String(255), nullable=False),
    Column("scanned_at", String(32), nullable=False),
    Column("packages", Integer, nullable=False),
    Column("data", JSON, nullable=False),
    # The verdict. `judged_with` names the knowledge; "" and everything that is not the newest has to be judged again.
    Column("judged", Boolean, nullable=False),
    Column("judged_with", String(64), nullable=False, index=True),
    Column("judged_at", String(32)),
    Column("judge_error", Text, nullable=False),
    # Names what was found, so that a verdict that is the same again is not written again; "" is none.
    Column("verdict", String(64), nullable=False),
    Column("unchecked", Integer, nullable=False),
    Column("kev", Integer, nullable=False),
    Column("fixable", Integer, nullable=False),
    Column("suppressed", Integer, nullable=False),
    # Of what was looked for in files; null was not checked.
    Column("secrets", Integer),
    Column("malware", Integer),
    Column("config", Integer),
    # 0 to 100, of the whole image; null before anything was judged.
    Column("risk", Integer),
    # allowed, observed or denied by image policies, and by which; "" before they were asked.
    Column("decision", String(16), nullable=False),
    Column("reasons", JSON, nullable=False),
    *(Column(severity, Integer, nullable=False) for severity in SEVERITIES),
)
PARTS = Table(
    "inventory_parts",
    METADATA,
    Column("scan", String(64), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("image_id", String(160), nullable=False, index=True),
    Column("parts", Integer, nullable=False),
    Column("received_at", String(32), nullable=False, index=True),
    Column("data", JSON, nullable=False),
)
"""Parts of inventories that are not whole yet. `data` is that of the first, else null."""
PACKAGES = Table(
    "packages",
    METADATA,
    Column("scan", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String(MAX_TEXT), nullable=False),
    Column("version", String(MAX_TEXT), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("purl", String(1024), nullable=False),
    Column("source_name", String(MAX_TEXT), nullable=False),
    Column("source_version", String(MAX_TEXT), nullable=False),
    Column("arch", String(64), nullable=False),
    Column("license", String(MAX_TEXT), nullable=False),
    Column("owned", Boolean, nullable=False),
    Column("path", String(1024), nullable=False),
    Column("layer", Integer, nullable=False),
    Column("locations", JSON, nullable=False),
    # What only some kinds have: CPEs, module, vendor, evidence, whether it is only declared.
    Column("more", JSON, nullable=False),
    Column("checked", Boolean),
    Column("vulnerabilities", Integer, nullable=False),
    Column("severity", String(16)),
    Column("severity_rank", Integer, nullable=False),
)
VULNERABILITIES = Table(
    "vulnerabilities",
    METADATA,
    Column("image_id", String(160), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("id", String(128), nullable=False),
    Column("aliases", JSON, nullable=False),
    Column("package", String(MAX_TEXT), nullable=False),
    Column("installed", String(MAX_TEXT), nullable=False),
    Column("fixed", String(MAX_TEXT), nullable=False),
    Column("fixable", Boolean, nullable=False),
    Column("status", String(32), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("score", Float),
    Column("cvss", String(255), nullable=False),
    Column("epss", Float),
    Column("kev", Boolean, nullable=False),
    Column("title", String(MAX_TEXT), nullable=False),
    Column("url", String(1024), nullable=False),
    Column("source", String(128), nullable=False),
    Column("purl", String(1024), nullable=False),
    Column("path", String(1024), nullable=False),
    Column("layer", Integer, nullable=False),
    Column("first_seen", String(32), nullable=False),
    # 0 to 100; `details` has what makes it up, all vectors, weaknesses, what it is about beside.
    Column("risk", Integer),
    Column("poc", Boolean, nullable=False),
    Column("details", JSON, nullable=False),
    # Why nobody wants to be told of it: an ignore, a statement of its vendor. Kept, and not counted.
    Column("suppressed", String(MAX_TEXT), nullable=False),
    Index("vulnerabilities_cve", "id", "image_id"),
)
"""Of images that some host holds: those of others are put aside, and judged again when the image comes back."""
FINDINGS = Table(
    "image_findings",
    METADATA,
    Column("scan", String(64), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("image_id", String(160), nullable=False, index=True),
    Column("rule", String(128), nullable=False),
    Column("title", String(MAX_TEXT), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    # How sure it is: the confidence of a secret, the level of malware; "" for configuration.
    Column("certainty", String(16), nullable=False),
    Column("path", String(1024), nullable=False),
    Column("layer", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    # What tells it from another one of the same rule: a fingerprint, a hash.
    Column("identity", String(128), nullable=False),
    Column("first_seen", String(32), nullable=False),
    Column("suppressed", String(MAX_TEXT), nullable=False),
    Column("data", JSON, nullable=False),
    Index("image_findings_rule", "kind", "rule", "image_id"),
)
"""What analysers found in files and configurations: `kind` is secret, malware or config."""
REGISTRIES = Table(
    "registries",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("url", String(1024), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("username", String(255), nullable=False),
    # Sealed with the server's key: who reads the database cannot log in with it.
    Column("secret", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("error", Text, nullable=False),
    Column("progress", Float, nullable=False),
    Column("message", Text, nullable=False),
    Column("images", Integer, nullable=False),
    Column("webhook", String(64), nullable=False),
    Column("synced_at", String(32)),
    Column("next_at", String(32)),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_by", String(255), nullable=False),
    Column("updated_at", String(32), nullable=False),
)
REGISTRY_IMAGES = Table(
    "registry_images",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("registry", String(40), nullable=False, index=True),
    Column("repository", String(MAX_TEXT), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("digest", String(160), nullable=False),
    Column("platform", String(64), nullable=False),
    # The id of the image's configuration, as nodes name it; "" before it is known.
    Column("image_id", String(160), nullable=False, index=True),
    Column("size", Integer, nullable=False),
    Column("created_at", String(32)),
    Column("first_seen", String(32), nullable=False),
    Column("last_seen", String(32), nullable=False),
    Column("changed_at", String(32), nullable=False),
)
SCANS = Table(
    "image_scans",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("schedule", String(40), nullable=False, index=True),
    Column("scope", JSON, nullable=False),
    Column("scanners", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("deadline", String(32), nullable=False),
    Column("finished_at", String(32)),
    Index("image_scans_created", "created_at", "id"),
)
"""Scans of many images at once, asked for by a person, a schedule or a registry."""
SCAN_TARGETS = Table(
    "image_scan_targets",
    METADATA,
    Column("scan", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("image_id", String(160), nullable=False),
    Column("target", String(1024), nullable=False),
    Column("registry", String(40), nullable=False),
    Column("job", String(40), nullable=False, index=True),
    Column("state", String(16), nullable=False, index=True),
    Column("error", Text, nullable=False),
    Column("started_at", String(32)),
    Column("finished_at", String(32)),
)
SCHEDULES = Table(
    "image_schedules",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("form", JSON, nullable=False),
    Column("next_at", String(32)),
    Column("last_scan", String(40), nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_by", String(255), nullable=False),
    Column("updated_at", String(32), nullable=False),
)
POLICIES = Table(
    "image_policies",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("form", JSON, nullable=False),
    Column("scope", JSON, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(32), nullable=False),
    Column("updated_by", String(255), nullable=False),
    Column("updated_at", String(32), nullable=False),
)
"""What images have to be like, `mode` observe or enforce."""
IGNORES = Table(
    "image_ignores",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("form", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status", String(32), nullable=False),
    Column("owner", String(255), nullable=False),
    Column("until", String(32), nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", String(32), nullable=False),
)
"""Findings that somebody has decided on; also made from vendors' statements (VEX)."""
CVES = Table(
    "cves",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("severity", String(16), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("score", Float),
    Column("kev", Boolean, nullable=False),
    Column("fixed", Boolean, nullable=False),
    Column("title", String(MAX_TEXT), nullable=False),
    Column("url", String(1024), nullable=False),
    Column("packages", Text, nullable=False),
    Column("images", Integer, nullable=False),
    Column("first_seen", String(32), nullable=False),
    Column("risk", Integer),
    Column("poc", Boolean, nullable=False),
    Column("epss", Float),
    Index("cves_severity", "severity_rank", "id"),
)
"""The sum of `vulnerabilities` by CVE, kept with each verdict: grouping 100,000 rows for each page takes a second."""
