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
    Column("unchecked", Integer, nullable=False),
    Column("kev", Integer, nullable=False),
    Column("fixable", Integer, nullable=False),
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
    Index("vulnerabilities_cve", "id", "image_id"),
)
"""Of images that some host holds: those of others are put aside, and judged again when the image comes back."""
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
    Index("cves_severity", "severity_rank", "id"),
)
"""The sum of `vulnerabilities` by CVE, kept with each verdict: grouping 100,000 rows for each page takes a second."""
