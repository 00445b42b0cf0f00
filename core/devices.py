"""Names the browser and the system of a caller by its User-Agent. People recognize a device by it; it proves nothing."""

import re

# In this order: most name several others too.
_BROWSERS = {
    r"\bEdgA?/|\bEdgiOS/": "Edge",
    r"\bOPR/": "Opera",
    r"\bSamsungBrowser/": "Samsung Internet",
    r"\bFirefox/|\bFxiOS/": "Firefox",
    r"\bHeadlessChrome/|\bChrome/|\bCriOS/": "Chrome",
    r"\bVersion/[\d.]+.*\bSafari/": "Safari",
    r"^curl/": "curl",
    r"^python-requests/|^Python-urllib/|^python-httpx/": "Python",
    r"^PostmanRuntime/": "Postman",
}
_SYSTEMS = {
    r"\biPhone\b": "iPhone",
    r"\biPad\b": "iPad",
    r"\bAndroid\b": "Android",
    r"\bWindows\b": "Windows",
    r"\bCrOS\b": "ChromeOS",
    r"\bMac OS X\b|\bMacintosh\b": "Mac",
    r"\bLinux\b": "Linux",
}
UNKNOWN = "Unknown device"
_MOST_READ = 400  # characters


def name(user_agent: str) -> str:
    """Like "Firefox on Windows", "Chrome" or "Unknown device"; no text of the caller is in it."""
    text = user_agent[:_MOST_READ]
    names = [
        next((word for form, word in table.items() if re.search(form, text)), "") for table in (_BROWSERS, _SYSTEMS)
    ]
    return " on ".join(filter(None, names)) or UNKNOWN
