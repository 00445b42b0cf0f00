"""Whom the address of a caller belongs to, as far as an address tells. No request and no rule lives here."""

import ipaddress
from functools import lru_cache

SITE_BITS = 48  # what a provider gives to one customer at most (RFC 6177); whoever has it may choose the rest
SUBNET_BITS = 64


@lru_cache(maxsize=4_096)
def holder(address: str, *, ipv6_bits: int = SUBNET_BITS) -> str:
    """One text for all addresses that one holder may use: an IPv4 address, or the first `ipv6_bits` of an IPv6 address.

    Some proxies add a port, which is dropped. What is no address is taken as it is, cut at 100 characters.
    """
    bare = address.rpartition(":")[0] if address.count(":") == 1 or "]" in address else address
    try:
        ip = ipaddress.ip_address(bare.strip("[]"))
    except ValueError:
        return address[:100]
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, ipv6_bits), strict=False))
