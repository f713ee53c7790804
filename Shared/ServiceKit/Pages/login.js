// Logging in on a page of the city: authorization code with PKCE (RFC 7636) at its OIDC provider, or in development by choosing a role.
// The token lies in the tab's session alone and goes with it; what a login needs on its way out and back likewise.
const kept = "dos-token";
const under = "dos-login";

/** Why nobody can log in, in words for people. */
export class LoginFailed extends Error {}

const base64url = bytes => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** What a JSON Web Token says. It is not verified here: the city does that with each request. */
export function claims(token) {
  try {
    const text = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, c => c.charCodeAt(0))));
  } catch {
    return null;
  }
}

/** The token of this tab while it is valid, or null. */
export function token() {
  const known = sessionStorage.getItem(kept);
  const exp = known ? claims(known)?.exp : null;
  if (exp && exp * 1000 > Date.now()) return known;
  if (known) forget();
  return null;
}

export const forget = () => sessionStorage.removeItem(kept);

/** How people log in here: `{mode: "development", roles, cities}`, `{mode: "oidc", issuer, client, token}` or `{mode: "none", missing}`. */
export async function way() {
  const response = await fetch("login.json", { cache: "no-cache" });
  if (!response.ok) throw new LoginFailed(`Die Anmeldung antwortet mit ${response.status}.`);
  return response.json();
}

/** In development: a token for a role of the page. */
export async function choose(subject, role, city) {
  const response = await fetch("login/development", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ subject, role, city }),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new LoginFailed(answer.detail ?? `Die Anmeldung antwortet mit ${response.status}.`);
  sessionStorage.setItem(kept, answer.token);
}

async function provider(issuer) {
  let found;
  try {
    const response = await fetch(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`Antwort ${response.status}`);
    found = await response.json();
  } catch (error) {
    throw new LoginFailed(`Der Anmeldedienst ${issuer} ist nicht zu erreichen (${error.message}).`);
  }
  if (found.issuer !== issuer) throw new LoginFailed(`${issuer} gibt sich als ${found.issuer} aus.`);
  return found;
}

const here = () => location.origin + location.pathname;

/** Leaves the page for the provider; whoever comes back meets `finish`. */
export async function leave(how) {
  const { authorization_endpoint: endpoint } = await provider(how.issuer);
  const started = { state: random(), nonce: random(), verifier: random() };
  sessionStorage.setItem(under, JSON.stringify(started));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(started.verifier));
  const address = new URL(endpoint);
  const query = {
    response_type: "code", client_id: how.client, redirect_uri: here(), scope: "openid", state: started.state, nonce: started.nonce,
    code_challenge: base64url(new Uint8Array(digest)), code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  location.assign(address);
}

/** Ends a login that comes back from the provider; returns whether there was one. What does not belong to a login of this tab is refused. */
export async function finish(how) {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("code") && !answer.has("error")) return false;
  const started = JSON.parse(sessionStorage.getItem(under) ?? "null");
  sessionStorage.removeItem(under);
  // The code leaves the address and the history before anything can fail.
  history.replaceState(null, "", here());
  if (!started || answer.get("state") !== started.state) throw new LoginFailed("Diese Anmeldung wurde nicht in diesem Fenster begonnen. Bitte neu anmelden.");
  if (answer.has("error")) throw new LoginFailed(`Der Anmeldedienst hat abgelehnt: ${answer.get("error_description") ?? answer.get("error")}.`);
  const { token_endpoint: endpoint } = await provider(how.issuer);
  const body = new URLSearchParams({
    grant_type: "authorization_code", code: answer.get("code"), redirect_uri: here(), client_id: how.client, code_verifier: started.verifier,
  });
  let given;
  try {
    const response = await fetch(endpoint, { method: "POST", body, signal: AbortSignal.timeout(10_000) });
    given = await response.json();
    if (!response.ok) throw new Error(given.error_description ?? given.error ?? `Antwort ${response.status}`);
  } catch (error) {
    throw new LoginFailed(`Der Anmeldedienst gibt kein Token: ${error.message}.`);
  }
  // OpenID Connect Core 1.0, section 3.1.3.7. It came from the provider itself by TLS, so its signature need not be looked at (point 6).
  const identity = claims(given.id_token ?? "");
  const meant = identity && [identity.aud].flat().includes(how.client);
  if (!identity || identity.iss !== how.issuer || !meant || identity.nonce !== started.nonce) throw new LoginFailed("Das Token gehört nicht zu dieser Anmeldung.");
  const used = how.token === "id" ? given.id_token : given.access_token;
  if (!claims(used ?? "")?.exp) throw new LoginFailed("Das Token des Anmeldedienstes ist kein JSON Web Token: dos braucht --oidc-token id.");
  sessionStorage.setItem(kept, used);
  return true;
}
