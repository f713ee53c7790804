"""What JSON Schema cannot say about the requests of the warnings' API, said where schemathesis makes them, so that every check can stay on.

Only requests that are meant to be right are touched. Those that are meant to be wrong stay as they came. DOS_API_IDS names what warned.py printed.
"""

import json
import os
from datetime import datetime, timedelta, timezone
from zlib import crc32

import schemathesis
from hypothesis import strategies as st

with open(os.environ["DOS_API_IDS"]) as file:
    IDS = json.load(file)
TEXT = {"event": "Hochwasser", "headline": "Hochwasser", "description": "Es steigt.", "instruction": "Weg."}
SQUARE = [[7.40, 51.52], [7.42, 51.52], [7.42, 51.54], [7.40, 51.52]]
DAY = timedelta(days=1)

# RFC 3339's leap second is not taken.
moments = st.datetimes(datetime(1970, 1, 1), datetime(2060, 1, 1)).map(lambda time: time.isoformat(timespec="milliseconds") + "Z")
schemathesis.openapi.format("date-time", moments)


@schemathesis.hook
def map_case(context, case):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    words = case.path.removeprefix("/warnings/").split("/")
    path = case.path_parameters or {}
    salt = str(path) + str(case.body)
    if "message" in path:
        path["message"] = pick(IDS["heads"], salt)[1]
    if "id" in path:
        # What was just added may be taken away again.
        if words[0] == "targets" and case.meta.phase.name == "stateful":
            head = None
        else:
            path["id"], head = address(words, salt)
        if isinstance(case.body, dict) and head:
            case.body.update({name: head for name in ("refersTo", "message") if name in case.body})
    for name in list(case.headers or {}):
        # A place that is still to come is waited for.
        if name.lower() == "dos-position":
            case.headers[name] = "dos.warnings.decisions/0/1"
        # Another body needs another key.
        if name.lower() == "idempotency-key":
            case.headers[name] = str(crc32(salt.encode("utf-8", "surrogatepass")))
    if case.query:
        case.query = asked(dict(case.query))
    mend(case.body, words)
    return case


def address(words, salt):
    """Which id an operation may use, and the message that holds there."""
    kind, last = words[0], words[-1]
    if kind == "hints":
        return pick(IDS["hints"], salt), None
    if kind == "rules":
        return pick(IDS["rules"], salt), None
    if kind == "targets":
        return pick(IDS["targets"], salt), None
    if kind == "releases":
        return pick(IDS["releases"][last], salt), None
    if last == "confirm":
        return pick(IDS["manned"], salt)
    if last in IDS["alerts"]:
        return pick(IDS["alerts"][last], salt), None
    return pick(IDS["heads"], salt)


def pick(ids, given):
    """One of ids, by what was given."""
    return ids[crc32(str(given).encode("utf-8", "surrogatepass")) % len(ids)]


def asked(query):
    """A page is asked for as an earlier one named it, and a place has both of its numbers."""
    query.pop("cursor", None)
    if ("lat" in query) != ("lon" in query):
        query.setdefault("lat", 51.5)
        query.setdefault("lon", 7.5)
    return query


def mend(value, words=()):
    """What a body names is there, its spans, marks and rings are in order."""
    if isinstance(value, list):
        for item in value:
            mend(item)
    if not isinstance(value, dict):
        return
    if value.get("hint"):
        value["hint"] = pick(IDS["hints"], value)
    if value.get("template"):
        value["template"] = "hochwasser"
    if value.get("release"):
        value["release"] = IDS["release"]
    if isinstance(value.get("city"), str):
        value["city"] = "dortmund"
    if value.get("districts"):
        value["districts"] = ["Huckarde"] * len(value["districts"])
    if value.get("polygons"):
        value["polygons"] = [[SQUARE]] * min(2, len(value["polygons"]))
    if words[-1:] == ["confirm"]:
        value["reference"] = value.get("reference") or "1"
    if "from" in value and "until" in value:
        now = datetime.now(timezone.utc)
        value["from"], value["until"] = (now + DAY).isoformat(timespec="seconds"), (now + DAY * 1.5).isoformat(timespec="seconds")
    if "address" in value:
        value["name"] = str(crc32(repr(value).encode("utf-8", "surrogatepass")))
        value["address"] = "http://127.0.0.1:9/" if value.get("channel") == "webhook" else "nobody@example.org"
    if words[:1] == ["templates"] and "content" in value:
        value["content"]["texts"] = [{"language": language, **TEXT} for language in ("de-DE", "en-GB")]
    if "step" in value or "longestLag" in value:
        value["step"], value["longestLag"] = 600, 86400
    if "events" in value and "truth" in value:
        value["truth"] = None
    marks(value)
    for item in value.values():
        mend(item)


def marks(value):
    """A condition is raised before it is cleared, looks at two gauges where it says so, and does not ask for more than its parts."""
    if isinstance(value.get("raiseAt"), (int, float)) and isinstance(value.get("clearAt"), (int, float)):
        low, high = sorted([value["raiseAt"], value["clearAt"]])
        below = value.get("direction") == "below"
        value["raiseAt"], value["clearAt"] = (low, high) if below else (high, low)
    if isinstance(value.get("by"), (int, float)) and isinstance(value.get("clearBelow"), (int, float)):
        value["clearBelow"], value["by"] = sorted([value["clearBelow"], value["by"]])
    if value.get("gaugeA") == value.get("gaugeB") and "gaugeA" in value:
        value["gaugeB"] = 2 if value["gaugeA"] == 1 else 1
    if "atLeast" in value and isinstance(value.get("of"), list):
        value["atLeast"] = 1 + (abs(int(value["atLeast"])) - 1) % max(1, len(value["of"]))
    if isinstance(value.get("band"), list):
        value["band"] = [{"rise": number, "low": -1, "high": 1} for number in range(len(value["band"]))]
