"""An OIDC provider for tests: oidc-provider-mock, held to what a public client in a browser rests on, namely CORS, no secret, and PKCE (RFC 7636).

    .build/oidc/bin/python ops/oidc/provider.py PORT '{"sub": "ada", "roles": ["warning-officer"], "city": "dortmund"}' ...
"""

import base64
import hashlib
import io
import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import oidc_provider_mock._app as mock  # noqa: E402
from werkzeug.serving import run_simple  # noqa: E402

CHALLENGES = {}


def one(fields, name):
    return fields.get(name, [""])[0]


def s256(verifier):
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def held_to_pkce(app):
    def refused(start, description):
        start("400 Bad Request", [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")])
        return [json.dumps({"error": "invalid_grant", "error_description": description}).encode()]

    def answer(environ, start):
        path = environ["PATH_INFO"]
        query = parse_qs(environ["QUERY_STRING"])
        if path == "/oauth2/authorize" and (one(query, "code_challenge_method") != "S256" or not one(query, "code_challenge")):
            return refused(start, "no code_challenge with S256")
        if path == "/oauth2/token":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            fields = parse_qs(body.decode())
            if CHALLENGES.pop(one(fields, "code"), None) != s256(one(fields, "code_verifier")):
                return refused(start, "code_verifier does not fit the code_challenge")

        def started(status, headers, *rest):
            code = next((one(parse_qs(urlsplit(value).query), "code") for name, value in headers if name == "Location"), "")
            if code:
                CHALLENGES[code] = one(query, "code_challenge")
            return start(status, [*headers, ("Access-Control-Allow-Origin", "*")], *rest)

        return app(environ, started)

    return answer


def main():
    # A client that lives in a browser keeps no secret.
    mock.AuthorizationCodeGrant.TOKEN_ENDPOINT_AUTH_METHODS = ["none"]
    people = [json.loads(text) for text in sys.argv[2:]]
    users = [mock.User(sub=person.pop("sub"), claims=person) for person in people]
    run_simple("127.0.0.1", int(sys.argv[1]), held_to_pkce(mock.app(require_nonce=True, user_claims=users)), threaded=True)


main()
