"""What no tool of others checks about compose/: that its files agree with each other, with `dos` and with the runbook.

Usage: consistent.py ONE THREE NODE_METRICS, where ONE and THREE are what `docker compose config --format json` prints with one broker, and with
three and everything that is optional, and NODE_METRICS what the node exporter answers at /metrics. Prints what is wrong, a line each, and exits with 1 then.
"""

import json
import re
import sys
from pathlib import Path

import ruamel.yaml

wrong = []
yaml = ruamel.yaml.YAML(typ="safe")


def must(holds, complaint):
    if not holds:
        wrong.append(complaint)


# ---- Containers ----


def containers(config):
    networks = config["networks"]
    must(networks["inner"].get("internal"), "the network inner has a way out")
    for name, service in config["services"].items():
        must(service.get("read_only"), f"{name}: its root can be written to (read_only)")
        must(service.get("cap_drop") == ["ALL"], f"{name}: keeps capabilities (cap_drop)")
        must("no-new-privileges:true" in service.get("security_opt", []), f"{name}: may gain privileges (security_opt)")
        must(service.get("restart") in ("unless-stopped",) or name == "roles", f"{name}: is not started again (restart)")
        must(service.get("mem_limit"), f"{name}: may take all memory (mem_limit)")
        must(service.get("logging", {}).get("options", {}).get("max-size"), f"{name}: its log grows without end (logging)")
        must(not service["image"].endswith(":latest") or service["image"].startswith("dos2030:"), f"{name}: its image has no fixed version")
        for port in service.get("ports", []):
            must(name == "proxy" or port.get("host_ip") == "127.0.0.1", f"{name}: port {port['target']} can be reached from outside")
        if name in ("postgres", "roles") or name.startswith("kafka"):
            must(list(service["networks"]) == ["inner"], f"{name}: is reached by more than the services (networks)")
    must("inner" not in config["services"]["proxy"]["networks"], "proxy: reaches databases and brokers (networks)")


def services(config):
    """The services of the city: containers that run `dos serve`. Each has to be named in several places."""
    rules = Path("ops/alerts/rules.yml").read_text()
    prometheus = yaml.load(Path("compose/prometheus/prometheus.yml").read_text())
    scraped = next(job for job in prometheus["scrape_configs"] if job["job_name"] == "city")["dns_sd_configs"][0]["names"]
    proxy = Path("compose/Caddyfile").read_text()
    found = [name for name, service in config["services"].items() if (service.get("command") or [""])[0] == "serve"]
    must(found, "no container runs dos serve")
    for name in found:
        service = config["services"][name]
        must(service["command"] == ["serve", name], f"{name}: serves {service['command'][1:]}")
        must(f"user=dos_{name}" in service["environment"]["DOS_POSTGRES"].split(), f"{name}: does not use the role dos_{name}")
        must(service["environment"].get("DOS_POSTGRES_PASSWORD_FILE") == f"/run/secrets/postgres-{name}", f"{name}: does not use the secret postgres-{name}")
        must(f"postgres-{name}" in config["secrets"], f"{name}: the secret postgres-{name} is missing")
        must(name in config["services"]["roles"]["command"], f"{name}: `roles` does not make its database")
        must(any(secret["source"] == f"postgres-{name}" for secret in config["services"]["roles"]["secrets"]), f"{name}: `roles` is not given its password")
        must(re.search(rf"\bname {name}\b", proxy), f"{name}: the proxy does not know it")
        must(name in scraped, f"{name}: Prometheus does not ask it")
        must(f'absent(up{{job="city", service="{name}"}})' in rules, f"{name}: nobody is told when it is gone")
        must(seconds(service["stop_grace_period"]) > 60, f"{name}: is killed before `dos` has given up stopping, which takes a minute")
    for name in scraped:
        must(name in found, f"Prometheus asks {name}, which is no service")


def brokers(config):
    """The services begin with the brokers there are, each broker says its name, and a topic has a copy on each."""
    names = {service["hostname"]: service["environment"] for name, service in config["services"].items() if name.startswith("kafka")}
    voters = ",".join(f"{number}@{name}:9093" for number, name in enumerate(names, 1))
    for number, (name, settings) in enumerate(names.items(), 1):
        must(settings["KAFKA_NODE_ID"] == str(number), f"{name}: has the number {settings['KAFKA_NODE_ID']}")
        must(settings["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://{name}:9092", f"{name}: says it is {settings['KAFKA_ADVERTISED_LISTENERS']}")
        must(settings["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voters, f"{name}: its voters are not {voters}")
        must(settings["KAFKA_MIN_INSYNC_REPLICAS"] == ("2" if len(names) == 3 else "1"), f"{name}: acknowledges too early or never")
    for name, service in config["services"].items():
        if (service.get("command") or [""])[0] == "serve":
            bootstrap = ",".join(f"{broker}:9092" for broker in names)
            must(service["environment"]["DOS_KAFKA_BOOTSTRAP"] == bootstrap, f"{name}: does not begin with the brokers {bootstrap}")
            must(service["environment"]["DOS_KAFKA_REPLICATION"] == str(len(names)), f"{name}: a topic does not have {len(names)} copies")


def seconds(text):
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


# ---- Figures ----

WORDS = {"by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset"}


def uses(expression):
    """The figures of a PromQL expression, each with the labels asked of it."""
    text = re.sub(r"\b(by|without|on|ignoring)\s*\([^)]*\)", " ", expression)
    for match in re.finditer(r'([a-zA-Z_:][\w:]*)\s*(\{((?:[^}"]|"(?:\\.|[^"\\])*")*)\})?(?!\w*\s*\()', text):
        name = match[1]
        before = text[: match.start()]
        inside = before.count("{") > before.count("}") or before.count("[") > before.count("]") or before.count('"') % 2
        if name in WORDS or inside or re.match(r"\s*\(", text[match.end(1) :]):
            continue
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", re.sub(r'"(?:\\.|[^"\\])*"', '""', match[3] or "")))


def exported():
    """What `dos` declares in its sources: name to labels."""
    found = {}
    call = re.compile(r'(counter|gauge|histogram|measure)\(\s*(?:total:\s*)?"(\w+)",(.*?)(?:\[([^\]]*)\]|\)|\{)', re.S)
    for path in Path("Shared").rglob("*.swift"):
        for kind, name, _, labels in call.findall(path.read_text()):
            labels = set(re.findall(r'"(\w+)":', labels)) | {"job", "service", "instance"}
            names = [f"{name}_{end}" for end in ("bucket", "sum", "count")] if kind == "histogram" else [name]
            for name in names:
                found[name] = labels | ({"le"} if kind == "histogram" else set())
    return found


def figures(node_metrics):
    known = exported()
    must(len(known) > 10, "the sources seem to declare no figures: does exported() still fit them?")
    known["up"] = {"job", "service", "instance"}
    for name, labels in re.findall(r"^(node_\w+)(?:\{(.*)\})? ", Path(node_metrics).read_text(), re.M):
        known.setdefault(name, {"job", "instance"}).update(re.findall(r'(\w+)="', labels))

    expressions = []
    for group in yaml.load(Path("ops/alerts/rules.yml").read_text())["groups"]:
        expressions += [(f"rule {rule['alert']}", rule["expr"]) for rule in group["rules"]]
    for path in sorted(Path("ops/dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            expressions += [(f"panel {panel['title']}", target["expr"]) for target in panel.get("targets", [])]
    must(len(expressions) > 20, "hardly an expression was found")
    for where, expression in expressions:
        names = list(uses(expression))
        must(names, f"{where}: names no figure")
        for name, labels in names:
            must(name in known, f"{where}: nobody exports {name}")
            must(labels <= known.get(name, labels), f"{where}: {name} has no label {', '.join(sorted(labels - known.get(name, labels)))}")


# ---- Alerts ----


def alerts():
    runbook = Path("ops/RUNBOOK.md")
    text = runbook.read_text() if runbook.exists() else ""
    anchors = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    anchors |= {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", text, re.M)}
    tests = Path("ops/alerts/rules.test.yml").read_text()
    for group in yaml.load(Path("ops/alerts/rules.yml").read_text())["groups"]:
        for rule in group["rules"]:
            name, annotations = rule["alert"], rule["annotations"]
            must(rule["labels"]["severity"] in ("critical", "warning"), f"alert {name}: neither critical nor warning")
            must("First:" in annotations["description"], f"alert {name}: does not say what to do first")
            must(f'ALERTS{{alertname="{name}", alertstate="firing", ' in tests, f"alert {name}: no test makes it fire")
            page, _, anchor = annotations["runbook"].partition("#")
            must(page == "ops/RUNBOOK.md", f"alert {name}: its runbook is {page}")
            must(not text or anchor in anchors, f"alert {name}: the runbook has no heading #{anchor}")
    if not text:
        print("left out: ops/RUNBOOK.md is not there, so the alerts' anchors were not looked for")


one, three = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
containers(one)
containers(three)
brokers(one)
brokers(three)
services(three)
figures(sys.argv[3])
alerts()
for complaint in sorted(set(wrong)):
    print(complaint)
sys.exit(1 if wrong else 0)
