"""CISA's catalogue of known exploited vulnerabilities. Format: https://www.cisa.gov/known-exploited-vulnerabilities-catalog"""

from seawall.intel.collect.documents import Document
from seawall.intel.collect.parsed import Parsed, text, value
from seawall.intel.model import Exploited


def recognise(document: Document) -> bool:
    """JSON with a catalogue version and CVE ids."""
    head = document.data[:4096]
    return b'"catalogVersion"' in head and b'"cveID"' in head


def read(document: Document) -> list[Parsed]:
    """The whole catalogue. Raises ValueError, KeyError or TypeError when it is broken."""
    content = value(document.data)
    found = tuple(
        Exploited(
            cve=text(item["cveID"]),
            added=text(item.get("dateAdded")),
            due=text(item.get("dueDate")),
            ransomware=text(item.get("knownRansomwareCampaignUse")).lower() == "known",
            name=text(item.get("vulnerabilityName")),
        )
        for item in content["vulnerabilities"]
    )
    return [Parsed("kev", "catalogue", exploited=found, published=text(content.get("dateReleased")))]
