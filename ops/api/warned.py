"""Puts a city in which something has happened before schemathesis asks about it: alerts in every stage, hints, releases, targets, rules.

    warned.py URL OFFICER SECOND OPERATOR >ids.json

The three are tokens: of an officer of Dortmund, who asks later; of a second one, whose work the first may approve; and of an operator of
sensors. What is printed says which ids an operation may use: whatever changes something has ids of its own. Nothing of it leaves the machine: no
alert here goes to a webhook or by mail, no rule has a rota, and targets lead to a port that nobody listens on.
"""

import json
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone

URL, OFFICER, SECOND, OPERATOR = sys.argv[1:]
NOW = datetime.now(timezone.utc)
MANY = 12


def ask(method, path, token, body=None):
    request = urllib.request.Request(URL + path, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", "Bearer " + token)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def after(**span):
    return (NOW + timedelta(**span)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(language):
    return {"language": language, "event": "Hochwasser", "headline": "Hochwasser", "description": "Es steigt.", "instruction": "Weg vom Ufer."}


def content(district="Huckarde", channels=("app", "cap-feed")):
    return {
        "categories": ["Met"], "urgency": "Immediate", "severity": "Severe", "certainty": "Observed", "expires": after(days=2),
        "texts": [text("de-DE"), text("en-GB")], "area": {"description": district, "districts": [district]}, "channels": list(channels),
    }


def drafted(**members):
    return ask("POST", "/warnings/alerts", SECOND, {"content": content(**members)})["id"]


def submitted(**members):
    alert = drafted(**members)
    ask("POST", f"/warnings/{alert}/submit", SECOND)
    return alert


def issued(**members):
    """Gives the alert and its message."""
    alert = submitted(**members)
    answer = ask("POST", f"/warnings/{alert}/approve", OFFICER, {"revision": 1})
    return [alert, answer.get("head", {}).get("message")]


def broken():
    alert = drafted()
    ask("POST", f"/warnings/{alert}/break-glass", SECOND, {"revision": 1, "reason": "Allein."})
    return alert


def rule(datastream):
    condition = {"kind": "threshold", "datastream": datastream, "direction": "above", "raiseAt": 100, "clearAt": 90, "for": 0}
    body = {
        "name": f"Rule {datastream}", "description": "Rule", "city": "dortmund", "district": "Huckarde", "place": [7.41, 51.53], "severity": "Severe",
        "condition": condition,
    }
    return ask("POST", "/warnings/rules", SECOND, body)["id"]


def hints(datastreams):
    """Each of them rises until its rule has noticed."""
    for datastream in datastreams:
        ask("POST", f"/warnings/rules/{rule(datastream)}/activate", SECOND, {"version": 1})
    until = time.monotonic() + 120
    while time.monotonic() < until:
        rows = [[datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"), 200]]
        ask(
            "POST", "/sensors/v1.1/CreateObservations", OPERATOR,
            [{"Datastream": {"@iot.id": id}, "components": ["phenomenonTime", "result"], "dataArray": rows} for id in datastreams])
        found = [hint["id"] for hint in ask("GET", "/warnings/hints?open=true&limit=1000", OFFICER)["hints"]]
        if len(found) == len(datastreams):
            return found
        time.sleep(0.5)
    raise SystemExit("the rules have raised no hints")


def released():
    return ask("POST", "/warnings/releases", SECOND, {"mode": "Test", "from": after(hours=1), "until": after(hours=9), "reason": "Probe"})["release"]["id"]


def target(number):
    body = {"channel": "webhook", "name": f"Target {number}", "address": "http://127.0.0.1:9/", "secret": "no secret that anybody guesses"}
    return ask("POST", "/warnings/targets", OFFICER, body)["id"]


def several(make):
    return [make() for _ in range(MANY)]


manned = ("app", "mowas-handover", "sirens", "loudspeaker-vans")
seen = hints(range(1, MANY + 1))
approved = released()
ask("POST", f"/warnings/releases/{approved}/approve", OFFICER)
json.dump(
    {
        "release": approved,
        "heads": several(issued),
        "manned": several(lambda: issued(channels=manned)),
        "hints": seen,
        "rules": [rule(number) for number in range(1, MANY + 1)],
        "releases": {"approve": several(released), "revoke": several(released)},
        "targets": [target(number) for number in range(MANY)],
        "alerts": {
            "draft": several(drafted), "submit": several(drafted), "break-glass": several(drafted), "return": several(submitted),
            "reject": several(submitted), "approve": several(submitted), "review": several(broken),
            "acknowledge": [alert for alert, _ in several(lambda: issued(district="Geisecke"))],
            "decline": [alert for alert, _ in several(lambda: issued(district="Geisecke"))],
        },
    },
    sys.stdout,
)
