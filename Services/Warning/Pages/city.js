// The city's answers, asked for with the officer's token: lists only where they changed, problems as errors with their fields.
import { token } from "./login.js";

/** A refusal of the city, with what it says about single fields. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? problem.title ?? `Antwort ${status}`);
    this.status = status;
    this.errors = problem.errors ?? [];
  }
}

const root = "../";
/** The last answer of each path as text, with its tag where it had one. */
const known = new Map();

async function send(path, options = {}) {
  const headers = { Accept: "application/json", Authorization: `Bearer ${token() ?? ""}`, ...options.headers };
  const response = await fetch(root + path, { ...options, headers, signal: AbortSignal.timeout(20_000) });
  if (!response.ok && response.status !== 304) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response;
}

/** What is there, and whether it changed since it was last asked for here. */
export async function read(path) {
  const last = known.get(path);
  const response = await send(path, { headers: last?.tag ? { "If-None-Match": last.tag } : {} });
  if (response.status === 304) return { value: last.value, changed: false };
  const text = await response.text();
  if (last?.text === text) return { value: last.value, changed: false };
  const value = JSON.parse(text);
  known.set(path, { tag: response.headers.get("ETag"), text, value });
  return { value, changed: true };
}

/** Decides something. Whoever presses twice, or again after a lost answer, decides once: the key goes with what is to be decided. */
export async function decide(path, body, { method = "POST", key = crypto.randomUUID() } = {}) {
  const headers = { "Idempotency-Key": key };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const options = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  let response;
  try {
    response = await send(path, options);
  } catch (error) {
    // Nobody knows whether it arrived: once more with the same key is the same decision.
    if (error instanceof Refused) throw error;
    response = await send(path, options);
  }
  return response.status === 204 ? null : response.json();
}

export const forgetAnswers = () => known.clear();
