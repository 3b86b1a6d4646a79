"""The few indicators that are packaged: each is stated by its owner itself, so that it can be looked up.

Names of mining pools are what the pools' own pages give as addresses for miners; pages for pasting and tunnels are
named by the services. None of them is malicious by itself.
"""

from seawall.intel.model import Indicator

SOURCE = "seawall"
_POOLS = {
    "supportxmr.com": "https://supportxmr.com",
    "moneroocean.stream": "https://moneroocean.stream",
    "nanopool.org": "https://nanopool.org",
    "hashvault.pro": "https://hashvault.pro",
    "2miners.com": "https://2miners.com",
    "herominers.com": "https://herominers.com",
    "c3pool.com": "https://c3pool.com",
    "c3pool.org": "https://c3pool.org",
    "f2pool.com": "https://www.f2pool.com",
    "nicehash.com": "https://www.nicehash.com",
    "minexmr.com": "https://minexmr.com",
    "xmrpool.eu": "https://web.xmrpool.eu",
    "unmineable.com": "https://unmineable.com",
    "ethermine.org": "https://ethermine.org",
    "kryptex.network": "https://pool.kryptex.com",
}
_TUNNELS = {
    "ngrok.io": "https://ngrok.com/docs",
    "ngrok-free.app": "https://ngrok.com/docs",
    "trycloudflare.com": "https://developers.cloudflare.com/cloudflare-one/",
    "serveo.net": "https://serveo.net",
    "localhost.run": "https://localhost.run/docs/",
    "loca.lt": "https://theboroer.github.io/localtunnel-www/",
    "pinggy.io": "https://pinggy.io/docs/",
    "portmap.io": "https://portmap.io",
}
_PASTES = {
    "pastebin.com": "https://pastebin.com/faq",
    "paste.ee": "https://paste.ee",
    "rentry.co": "https://rentry.co/what",
    "termbin.com": "https://termbin.com",
    "transfer.sh": "https://transfer.sh",
    "ix.io": "https://ix.io",
    "0x0.st": "https://0x0.st",
    "dpaste.com": "https://dpaste.com/api/v2/",
}


def indicators() -> list[Indicator]:
    """All of them."""
    groups = (("mining", 80, _POOLS), ("tunnel", 60, _TUNNELS), ("paste", 40, _PASTES))
    return [
        Indicator("domain", name, kind, confidence, about=source)
        for kind, confidence, names in groups
        for name, source in names.items()
    ]
